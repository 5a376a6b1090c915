"""`rtms-audit checks`: the links of the causal chain, and what each one asks."""

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object
from rtms_audit.cli.options import style_of
from rtms_audit.errors import UserError


@click.command()
@click.argument("check_id", required=False, metavar="[ID]")
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def checks(context: Context, *, check_id: str | None, format_: str) -> None:
    """List the checks in causal order, or explain one: the good state, why it matters, the remedy, the source.

    ID is a check's or a cause's.

    \b
    For example:
      rtms-audit checks
      rtms-audit checks credentials-mismatch
    """
    from rtms_audit.core.checks import CHECKS
    from rtms_audit.report.checks import check_text, checks_text

    if check_id is None:
        echo_result(checks_text(CHECKS, format_=format_, style=style_of(context)))
        return
    found = [one for one in CHECKS if one.id == check_id] or [one for one in CHECKS if check_id in one.causes]
    if not found:
        raise UserError(f"there is no check or cause {check_id!r}", next_step="`rtms-audit checks` lists them.")
    echo_result(
        "\n\n".join(check_text(one) for one in found) if format_ == "table" else checks_text(found, format_=format_)
    )
