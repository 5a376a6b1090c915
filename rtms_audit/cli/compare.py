"""`rtms-audit contrast`, `diff` and `what-if`: two installs, two runs, one changed fact."""

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object
from rtms_audit.cli.options import app_option, as_of_option, style_of


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--all", "everything", is_flag=True, help="Show the facts that do not matter to the outcome too.")
@format_option("table", "json", "csv", "markdown")
@as_of_option
@app_option
@pass_context_object
def contrast(
    context: Context, *, first: str, second: str, everything: bool, format_: str, as_of: str | None, app: str | None
) -> None:
    """Show only the facts that differ between two installs, those that matter first.

    A and B are ACCOUNT/ENVIRONMENT, or an account with one install.

    \b
    For example:
      rtms-audit contrast dev-co/production outsider/production
      rtms-audit contrast dev-co/development dev-co/production
    """
    from rtms_audit.report.compare import contrast_text
    from rtms_audit.workflows.audit import known_case, parse_time
    from rtms_audit.workflows.compare import contrast as compare

    with context.open_store() as store:
        case = known_case(store, app, as_of=parse_time(as_of, clock=context.clock) if as_of else None)
    result = compare(case, first, second)
    text = contrast_text(
        result.left,
        result.right,
        result.differences,
        everything=everything,
        format_=format_,
        style=style_of(context),
    )
    echo_result(text)


@click.command()
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="[RUN]", required=False)
@format_option("table", "json", "csv", "markdown")
@app_option
@pass_context_object
def diff(context: Context, *, before: str, after: str | None, format_: str, app: str | None) -> None:
    """Show what changed between two runs of `matrix`, or between a run and now.

    A RUN is its number, `latest`, or a time: then what is known of that time is judged again.

    \b
    For example:
      rtms-audit diff 3 4
      rtms-audit diff 3
      rtms-audit diff 2026-03-02 latest
    """
    from rtms_audit.report.compare import changes_text
    from rtms_audit.workflows.compare import diff_runs

    with context.open_store() as store:
        changes = diff_runs(store, app, before, after, clock=context.clock)
    echo_result(changes_text(changes, format_=format_, style=style_of(context)))


@click.command("what-if")
@click.argument("account")
@click.argument("values", nargs=-1, required=True, metavar="KEY=VALUE...")
@format_option("table", "json", "csv", "markdown")
@as_of_option
@app_option
@pass_context_object
def what_if(
    context: Context, *, account: str, values: tuple[str, ...], format_: str, as_of: str | None, app: str | None
) -> None:
    """Change facts of one account in thought, and see which cells of the matrix flip. Nothing is stored.

    \b
    For example:
      rtms-audit what-if outsider setting.auto_start=on
      rtms-audit what-if dev-co account.developer_pack=active setting.app_allowed=true
    """
    from rtms_audit.report.compare import flips_text
    from rtms_audit.workflows.audit import known_case, parse_time, parse_values
    from rtms_audit.workflows.compare import what_if as suppose

    changed = parse_values(values)
    with context.open_store() as store:
        case = known_case(store, app, as_of=parse_time(as_of, clock=context.clock) if as_of else None)
    echo_result(flips_text(suppose(case, account, changed), format_=format_, style=style_of(context)))
