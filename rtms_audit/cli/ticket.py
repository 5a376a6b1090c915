"""`rtms-audit ticket`: one install's evidence and explanation in a file, and the check that it is unaltered."""

from pathlib import Path

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object, talk, write_result
from rtms_audit.cli.options import app_option, environment_option
from rtms_audit.errors import UserError


class _TicketGroup(click.Group):
    """`ticket ACCOUNT …` packs and `ticket verify FILE` verifies: without the word `verify` it packs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read `ACCOUNT …` as `pack ACCOUNT …`."""
        named = {"-h", "--help", *self.commands} & set(args)
        return super().parse_args(ctx, args if named or not args else ["pack", *args])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "ACCOUNT [--environment ENV] -o FILE.zip")
        formatter.write_usage(f"{ctx.command_path} verify", "FILE.zip")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the options of packing, since that is what the command does by itself."""
        self.commands["pack"].format_options(ctx, formatter)


@click.group(cls=_TicketGroup)
def ticket() -> None:
    """Pack one install's explanation and redacted evidence for a support ticket, or verify such a file.

    The zip holds the explanation, the timeline, the evidence (which `rtms-audit diagnose` judges again), the diagnosis
    as JSON, and a manifest of SHA-256 sums. The same evidence always makes the same bytes.

    \b
    For example:
      rtms-audit ticket dev-co --environment production -o ticket.zip
      rtms-audit ticket verify ticket.zip
    """


@ticket.command(hidden=True)
@click.argument("account")
@environment_option
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.zip",
    help="Where the ticket goes; the file appears only when it is complete.",
)
@click.option(
    "--redact",
    type=click.Choice(["secrets", "personal"]),
    default="personal",
    help="secrets: tokens and keys only. personal: names, addresses and ids too. [default: personal]",
)
@app_option
@pass_context_object
def pack(
    context: Context, *, account: str, environment: str | None, output: Path, redact: str, app: str | None
) -> None:
    """Pack the ticket of one install."""
    from rtms_audit.core.redact import Level
    from rtms_audit.workflows.audit import known_case, pick_install
    from rtms_audit.workflows.ticket import prepare_ticket

    with context.open_store() as store:
        case = known_case(store, app)
    install = pick_install(case, account, environment)
    prepared = prepare_ticket(case, install, level=Level[redact.upper()])
    write_result(prepared.bundle, output)
    if not prepared.judged_alike:
        talk("Note: redaction hid something the judgement used, so the ticket says less than `explain` does.")


@ticket.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_context_object
def verify(_context: Context, file: Path) -> None:
    """Say whether a ticket is as it was packed: no file changed, missing or added.

    \b
    For example:
      rtms-audit ticket verify ticket.zip
    """
    from rtms_audit.report.ticket import REPACKED
    from rtms_audit.workflows.ticket import verify_ticket

    problems = verify_ticket(file)
    if problems and problems != (REPACKED,):
        raise UserError(
            f"{file} is not as it was packed: {'; '.join(problems)}.",
            next_step="Ask whoever sent it for the file again, and do not rely on this one.",
        )
    echo_result(f"{file}: {REPACKED}." if problems else f"{file} is as it was packed.")
