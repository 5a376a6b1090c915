"""`rtms-audit import`: evidence files, webhook dumps and SDK logs into the store."""

from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object, talk
from rtms_audit.cli.options import app_option, style_of
from rtms_audit.errors import UserError

if TYPE_CHECKING:
    from rtms_audit.core.model import InstallKey
    from rtms_audit.workflows.ingest import Taken

SHOWN = 5
"""How many of the lines that nobody understood are shown without `-v`."""


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--install", metavar="ACCOUNT/ENV", help="The install that dumps and logs are about; they do not say it.")
@click.option("--timezone", metavar="ZONE", help="The zone of times that name none, such as UTC or Europe/Berlin.")
@format_option("table", "json", "csv", "markdown")
@app_option
@pass_context_object
def import_(
    context: Context,
    *,
    files: tuple[Path, ...],
    install: str | None,
    timezone: str | None,
    format_: str,
    app: str | None,
) -> None:
    """Take files in: evidence files, JSON dumps of webhooks, console output and logs of Zoom's SDKs.

    Importing a file again adds nothing. If one file cannot be read, none is taken in.

    \b
    For example:
      rtms-audit import case.yaml
      rtms-audit import webhooks.jsonl console.txt logs/rtms.log --install dev-co/production
    """
    from rtms_audit.report.rows import rows_text
    from rtms_audit.workflows.ingest import take_files

    key, zone = _key(install), _zone(timezone)
    with context.open_store() as store:
        taken = take_files(store, files, app=app, install=key, timezone=zone)
    rows = [_row(one) for one in taken]
    headers = ("file", "app", "observations", "new", "not understood", "installs")
    echo_result(rows_text(headers, rows, format_=format_, style=style_of(context)))
    for one in taken:
        _tell_lines(one, everything=context.verbosity > 0)


def _row(taken: "Taken") -> tuple[object, ...]:
    installs = ", ".join(map(str, taken.installs))
    return taken.file.name, taken.app, taken.found, taken.new, len(taken.not_understood), installs


def _tell_lines(taken: "Taken", *, everything: bool) -> None:
    """Show the lines that nobody understood, since one of them may be the one that matters."""
    lines = taken.not_understood if everything else taken.not_understood[:SHOWN]
    for line in lines:
        talk(f"{taken.file.name}:{line.number}: not understood: {line.text}")
    if len(lines) < len(taken.not_understood):
        talk(f"{taken.file.name}: {len(taken.not_understood) - len(lines)} more lines not understood; -v shows them.")


def _key(text: str | None) -> "InstallKey | None":
    from rtms_audit.core.model import InstallKey

    try:
        return InstallKey.parse(text) if text else None
    except ValueError as error:
        raise UserError(f"--install: {error}", next_step="Write for example dev-co/production.") from None


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise UserError(f"--timezone: {name!r} is no time zone", next_step="Write UTC or Europe/Berlin.") from error
