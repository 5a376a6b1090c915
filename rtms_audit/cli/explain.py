"""`rtms-audit explain`: one install, from its evidence to what to do next."""

from pathlib import Path

import click

from rtms_audit.cli.common import Context, format_option, output_option, pass_context_object, write_result
from rtms_audit.cli.options import (
    app_option,
    as_of_option,
    environment_option,
    exit_zero_option,
    style_of,
    verdict_code,
)
from rtms_audit.errors import ExitCode


@click.command()
@click.argument("account")
@environment_option
@format_option("table", "json", "markdown")
@output_option
@as_of_option
@exit_zero_option
@app_option
@pass_context_object
def explain(
    context: Context,
    *,
    account: str,
    environment: str | None,
    format_: str,
    output: Path | None,
    as_of: str | None,
    exit_zero: bool,
    app: str | None,
) -> ExitCode:
    """Explain one install: what happened, why, what speaks against the other causes, what to do and whom to ask.

    \b
    For example:
      rtms-audit explain dev-co --environment production
      rtms-audit explain dev-co --environment production --format markdown -o answer.md
    """
    from rtms_audit.report.formats import explanations_text
    from rtms_audit.workflows.audit import judge, known_case, parse_time, pick_install

    with context.open_store() as store:
        case = known_case(store, app, as_of=parse_time(as_of, clock=context.clock) if as_of else None)
    diagnoses = judge(case, pick_install(case, account, environment))
    write_result(explanations_text(diagnoses, format_=format_, style=style_of(context, output)), output)
    return verdict_code(diagnoses, exit_zero=exit_zero)
