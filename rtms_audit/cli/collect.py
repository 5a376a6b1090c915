"""`rtms-audit collect`: asking Zoom about every install."""

from typing import TYPE_CHECKING

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object, progress, talk
from rtms_audit.cli.options import ENVIRONMENTS, app_option, style_of
from rtms_audit.cli.services import live, process_name
from rtms_audit.errors import ExitCode

if TYPE_CHECKING:
    from rtms_audit.workflows.collect import Collected, Round


@click.command()
@click.argument("accounts", nargs=-1)
@click.option("--environment", type=click.Choice(ENVIRONMENTS), help="Only this environment.")
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Installs asked at a time.")
@format_option("table", "json", "csv", "markdown")
@app_option
@pass_context_object
def collect(
    context: Context, *, accounts: tuple[str, ...], environment: str | None, jobs: int, format_: str, app: str | None
) -> ExitCode:
    """Ask Zoom about the accounts named, or about all; every answer and every refusal is kept.

    Ends with 3 where an install could not be asked, or where Zoom itself did not answer a call; the others are
    collected all the same.
    """
    from rtms_audit.core.model import Environment
    from rtms_audit.workflows.collect import Collector

    with live(context) as services:
        record = services.store.app(app)
        collector = Collector(services, app=record, owner=process_name())
        only = Environment(environment) if environment else None
        with progress("collected", collector.count(accounts=accounts, environment=only)) as step:
            done = collector.run(
                accounts=accounts, environment=only, jobs=jobs, on_done=lambda one: step(f"{one.install} {_word(one)}")
            )
    _tell_missing(done)
    echo_result(_summary(context, done, format_))
    return ExitCode.OK if done.complete and done.installs else ExitCode.INCOMPLETE


def _word(collected: "Collected") -> str:
    answered = f"{collected.answered} of {len(collected.asked)} answered"
    return collected.failure or "; ".join(filter(None, (answered, collected.silence)))


def _tell_missing(done: "Round") -> None:
    for collected in done.installs:
        for asked in (*collected.refused, *collected.unanswered):
            talk(f"{collected.install}: {asked.call} ({asked.path}): {asked.problem}", level=1)
    if done.not_installed:
        talk(f"Not installed: {', '.join(str(key) for key in done.not_installed)}.")
    if not done.installs:
        talk("Next: rtms-audit install ACCOUNT --environment ENV")


def _summary(context: Context, done: "Round", format_: str) -> str:
    from rtms_audit.report.rows import rows_text

    rows = [
        (
            str(one.install),
            one.answered,
            len(one.refused),
            "; ".join(filter(None, (one.failure, one.silence, *one.missing))),
        )
        for one in done.installs
    ]
    headers = ("install", "answered", "refused", "missing")
    return rows_text(headers, rows, format_=format_, style=style_of(context))
