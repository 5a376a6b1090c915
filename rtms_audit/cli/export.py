"""`rtms-audit export`: what is known of accounts, as an evidence file."""

from pathlib import Path

import click

from rtms_audit.cli.common import Context, format_option, output_option, pass_context_object, write_result
from rtms_audit.cli.options import app_option, as_of_option


@click.command()
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option(
    "--redact",
    type=click.Choice(["secrets", "personal"]),
    default="secrets",
    help="secrets: tokens and keys only. personal: names, addresses and ids too. [default: secrets]",
)
@format_option("yaml", "json")
@output_option
@as_of_option
@app_option
@pass_context_object
def export(
    context: Context,
    *,
    accounts: tuple[str, ...],
    redact: str,
    format_: str,
    output: Path | None,
    as_of: str | None,
    app: str | None,
) -> None:
    """Write what is known of some accounts (of all, if none is named) as an evidence file.

    `rtms-audit diagnose` judges the file anywhere, and `rtms-audit import` takes it into another store.

    \b
    For example:
      rtms-audit export dev-co outsider -o case.yaml
      rtms-audit export --redact personal > everything.yaml
    """
    from rtms_audit.core.redact import Level
    from rtms_audit.workflows.audit import known_case, parse_time
    from rtms_audit.workflows.evidence_io import dump_json, dump_yaml
    from rtms_audit.workflows.ticket import redacted, selected

    with context.open_store() as store:
        case = known_case(store, app, as_of=parse_time(as_of, clock=context.clock) if as_of else None)
    chosen = redacted(selected(case, accounts) if accounts else case, Level[redact.upper()])
    write_result(dump_json(chosen) if format_ == "json" else dump_yaml(chosen), output)
