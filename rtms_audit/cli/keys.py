"""`rtms-audit keys`: the keys of the vault."""

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object, talk
from rtms_audit.cli.options import style_of
from rtms_audit.errors import ExitCode


@click.group()
def keys() -> None:
    """List and rotate the keys that protect tokens and secrets."""


@keys.command("list")
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def list_(context: Context, format_: str) -> ExitCode:
    """List the keys by id: how many secrets each protects, and whether it is at hand. Ends with 2 where one is not."""
    from rtms_audit.report.rows import rows_text

    with context.open_store() as store:
        known = store.keys()
    rows = [
        (key.key_id, key.rows, "yes" if key.available else "MISSING", "yes" if key.encrypts else "no") for key in known
    ]
    headers = ("key", "secrets", "at hand", "encrypts")
    echo_result(rows_text(headers, rows, format_=format_, style=style_of(context)))
    return ExitCode.OK if all(key.available for key in known) else ExitCode.USAGE


@keys.command("rotate")
@click.option("--batch", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Secrets at a time.")
@pass_context_object
def rotate(context: Context, batch: int) -> None:
    """Re-encrypt every secret under a new key, while others go on reading; go on with it after an interruption."""
    with context.open_store() as store:
        done = store.rotate(
            batch=batch, on_batch=lambda count, left: talk(f"{count} re-encrypted, {left} to go", level=1)
        )
    echo_result(f"{done.rotated} secrets are under key {done.key_id} now.")
