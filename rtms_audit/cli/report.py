"""`rtms-audit report`: the whole audit as one page to hand over."""

from pathlib import Path

import click

from rtms_audit.cli.common import Context, format_option, output_option, pass_context_object, write_result
from rtms_audit.cli.options import app_option, as_of_option, exit_zero_option, verdict_code
from rtms_audit.errors import ExitCode


@click.command()
@format_option("markdown", "html")
@output_option
@as_of_option
@click.option("--title", help="The page's heading. [default: the app's name]")
@exit_zero_option
@app_option
@pass_context_object
def report(
    context: Context,
    *,
    format_: str,
    output: Path | None,
    as_of: str | None,
    title: str | None,
    exit_zero: bool,
    app: str | None,
) -> ExitCode:
    """Write the whole audit as one page: the matrix, every install explained, every requirement.

    The HTML page is one file that loads nothing, reads well in dark and light, and prints. Ends with the code of the
    verdicts, as `matrix` does.

    \b
    For example:
      rtms-audit report --format html -o audit.html
      rtms-audit report > audit.md
    """
    from rtms_audit.report.formats import report_text
    from rtms_audit.workflows.audit import judge, known_case, parse_time

    at = parse_time(as_of, clock=context.clock) if as_of else context.clock()
    with context.open_store() as store:
        case = known_case(store, app, as_of=at)
    heading = title or f"RTMS audit of {case.app.name or 'an app'}"
    diagnoses = judge(case)
    write_result(report_text(diagnoses, format_=format_, title=heading, made_at=at), output)
    return verdict_code(diagnoses, exit_zero=exit_zero)
