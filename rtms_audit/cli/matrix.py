"""`rtms-audit matrix`: every account and environment at a glance."""

from pathlib import Path

import click

from rtms_audit.cli.common import Context, format_option, output_option, pass_context_object, talk, write_result
from rtms_audit.cli.options import app_option, as_of_option, exit_zero_option, style_of, verdict_code
from rtms_audit.errors import ExitCode


@click.command()
@click.option(
    "--layout",
    type=click.Choice(["pivot", "requirements"]),
    default="pivot",
    help="pivot: accounts × environments by plan. requirements: what RTMS needs × installs. [default: pivot]",
)
@format_option("table", "json", "csv", "markdown", "html")
@output_option
@as_of_option
@exit_zero_option
@app_option
@pass_context_object
def matrix(
    context: Context,
    *,
    layout: str,
    format_: str,
    output: Path | None,
    as_of: str | None,
    exit_zero: bool,
    app: str | None,
) -> ExitCode:
    """Show every account and environment, whether RTMS started there, and why or why not.

    Nothing is fetched: what the store knows is judged. The run is kept, so that `diff` can compare it with a later one.

    \b
    For example:
      rtms-audit matrix
      rtms-audit matrix --layout requirements
      rtms-audit matrix --format html -o matrix.html
      rtms-audit matrix --as-of 2026-03-02
    """
    from rtms_audit.report.formats import matrix_text
    from rtms_audit.report.matrix_table import EMPTY_THEN
    from rtms_audit.workflows.audit import judge, keep_run, known_case, parse_time

    with context.open_store() as store:
        case = known_case(store, app, as_of=parse_time(as_of, clock=context.clock) if as_of else None)
        diagnoses = judge(case)
        then = as_of and not diagnoses and format_ == "table"
        text = (
            EMPTY_THEN
            if then
            else matrix_text(diagnoses, layout=layout, format_=format_, style=style_of(context, output))
        )
        write_result(text, output)
        if diagnoses and not as_of:
            talk(f"Kept as run {keep_run(store, app, diagnoses)}; `rtms-audit diff` compares two runs.", level=1)
    return verdict_code(diagnoses, exit_zero=exit_zero)
