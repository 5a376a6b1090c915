"""`rtms-audit probe`: starting RTMS in a meeting and seeing which link breaks."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object, talk
from rtms_audit.cli.options import ENVIRONMENTS, app_option
from rtms_audit.cli.services import live, process_name
from rtms_audit.errors import ExitCode, UserError

if TYPE_CHECKING:
    from rtms_audit.workflows.probe import Joiner

MARKS = {True: "+", False: "!", None: "?"}


@click.command()
@click.argument("account")
@click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True, help="Which install to probe.")
@click.option("--meeting", required=True, metavar="ID", help="The number of a meeting that runs now.")
@click.option("--participant", metavar="USER_ID", help="Start in this user's name, not the one's who installed.")
@click.option("--try-other-environment", is_flag=True, help="Where the pair is refused, try the other one.")
@click.option("--take-over", is_flag=True, help="Join a stream that was running before, which may end it elsewhere.")
@click.option("--sdk", is_flag=True, help="Join through Zoom's own SDK (pip install 'rtms-audit[sdk]').")
@click.option(
    "--ca-file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    envvar="ZM_RTMS_CA",
    help="Authorities to trust on the RTMS sockets; by default those that ZM_RTMS_CA names.",
)
@click.option(
    "--stay",
    type=click.FloatRange(0, 3600),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Stay in the stream.",
)
@click.option(
    "--wait",
    type=click.FloatRange(1, 600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="For the started event.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and what blocks already.")
@app_option
@pass_context_object
def probe(
    context: Context,
    *,
    account: str,
    environment: str,
    meeting: str,
    participant: str | None,
    try_other_environment: bool,
    take_over: bool,
    sdk: bool,
    ca_file: Path | None,
    stay: float,
    wait: float,
    dry_run: bool,
    app: str | None,
) -> ExitCode:
    """Start RTMS in a meeting, join its stream, and record each step; what it started it stops.

    The started event is awaited in the store, so `rtms-audit serve` has to run. Each medium is asked for alone. Ends
    with 0 where the stream was joined, 3 where it is not known, 10 where a step failed.

    \b
    For example:
      rtms-audit probe outsider --environment production --meeting 81000000001 --try-other-environment
      rtms-audit probe dev-co --environment production --meeting 81000000001 --sdk --stay 90
    """
    from rtms_audit.core.model import Environment, InstallKey
    from rtms_audit.workflows.probe import ProbePlan, Prober

    plan = ProbePlan(
        app=app,
        key=InstallKey(account, Environment(environment)),
        meeting=meeting_number(meeting),
        participant=participant,
        try_other=try_other_environment,
        take_over=take_over,
        dry_run=dry_run,
        stay=stay,
        deadline=wait,
        ca_file=ca_file,
    )
    steps = []
    with live(context) as services:
        for step in Prober(services, plan, owner=process_name(), join=_joiner(sdk=sdk)).run():
            steps.append(step)
            echo_result(f"{MARKS[step.good]} {step.name}: {step.text}")
    if any(step.good is False for step in steps):
        return ExitCode.BLOCKED
    joined = any(step.good and step.name.startswith("join") for step in steps)
    return ExitCode.OK if joined or dry_run else ExitCode.INCOMPLETE


def meeting_number(text: str) -> str:
    """Return the digits of a meeting number, written with spaces or hyphens or without; UserError for anything else."""
    digits = "".join(text.split()).replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        raise UserError(
            f"{text!r} is not the number of a meeting.", next_step="Give it as Zoom shows it: 810 0000 0001"
        )
    return digits


def _joiner(*, sdk: bool) -> "Joiner":
    """Give the way to join: our own client, or Zoom's SDK where it is installed."""
    if not sdk:
        from rtms_audit.zoom.rtms_socket import join

        return join
    import os

    from rtms_audit.zoom import sdk_join

    sdk_join.require()
    for name in sdk_join.overridden_by(os.environ):
        talk(f"{name} is set here. It wins over what a program gives to the SDK's join(); the probe runs without it.")
    return sdk_join.join
