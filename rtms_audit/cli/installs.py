"""`rtms-audit installs`: what is installed where."""

from datetime import datetime

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object, progress, talk
from rtms_audit.cli.options import ENVIRONMENTS, app_option, style_of
from rtms_audit.cli.services import live, process_name
from rtms_audit.errors import AuditError, ExitCode, VaultKeyError

WHICH = click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True, help="Which install.")


@click.group()
def installs() -> None:
    """List, refresh, revoke or remove installs."""


@installs.command("list")
@click.option("--live", "ask", is_flag=True, help="Ask Zoom whether each install still works.")
@format_option("table", "json", "csv", "markdown")
@app_option
@pass_context_object
def list_(context: Context, ask: bool, format_: str, app: str | None) -> None:
    """List every account's environments: installed, revoked, dead, pending or unknown, and how old that is."""
    from rtms_audit.report.rows import rows_text
    from rtms_audit.workflows.installs import InstallKeeper, list_installs

    with live(context) as services:
        if ask:
            keeper = InstallKeeper(services, app=app, owner=process_name())
            grants = keeper.grants((), None)
            with progress("asked", len(grants)) as step:
                for grant in grants:
                    step(f"{grant.account}/{grant.environment} {keeper.verify(grant) or 'works'}")
        lines = list_installs(services, app=app)
    now = context.clock()
    rows = [
        (line.key.account, line.key.environment, line.state, _age(line.since, now), _age(line.refreshed_at, now),
         line.email or "", line.reason)
        for line in lines
    ]  # fmt: skip
    headers = ("account", "environment", "state", "known for", "refreshed", "by", "reason")
    echo_result(rows_text(headers, rows, format_=format_, style=style_of(context)))


@installs.command("refresh")
@click.argument("accounts", nargs=-1)
@click.option("--environment", type=click.Choice(ENVIRONMENTS), help="Only this environment.")
@app_option
@pass_context_object
def refresh(context: Context, accounts: tuple[str, ...], environment: str | None, app: str | None) -> ExitCode:
    """Refresh the tokens now; of all installs where no account is named. A dead install may come back to life."""
    from rtms_audit.core.model import Environment
    from rtms_audit.store.records import GrantStatus
    from rtms_audit.workflows.installs import InstallKeeper

    failed = 0
    with live(context) as services:
        keeper = InstallKeeper(services, app=app, owner=process_name())
        for grant in keeper.grants(accounts, Environment(environment) if environment else None):
            if grant.status in (GrantStatus.REVOKED, GrantStatus.SUPERSEDED):
                continue
            name = f"{grant.account}/{grant.environment}"
            try:
                echo_result(f"{name}: good until {keeper.refresh(grant):%Y-%m-%d %H:%M} UTC")
            except VaultKeyError:
                raise
            except AuditError as error:
                failed += 1
                talk(f"{name}: {error.message}")
                talk(f"Next: {error.next_step}")
    return ExitCode.INCOMPLETE if failed else ExitCode.OK


@installs.command("revoke")
@click.argument("account")
@WHICH
@app_option
@pass_context_object
def revoke(context: Context, account: str, environment: str, app: str | None) -> None:
    """Let Zoom forget an install, then wipe its tokens here; the evidence stays."""
    from rtms_audit.core.model import Environment
    from rtms_audit.workflows.installs import InstallKeeper

    with live(context) as services:
        keeper = InstallKeeper(services, app=app, owner=process_name())
        reason = keeper.revoke(keeper.newest(account, Environment(environment)))
    echo_result(f"{account}/{environment}: {reason}.")


@installs.command("remove")
@click.argument("account")
@WHICH
@app_option
@pass_context_object
def remove(context: Context, account: str, environment: str, app: str | None) -> None:
    """Wipe the tokens of an install here, without asking Zoom; history and evidence stay."""
    from rtms_audit.core.model import Environment
    from rtms_audit.workflows.installs import InstallKeeper

    with live(context) as services:
        keeper = InstallKeeper(services, app=app, owner=process_name())
        keeper.remove(keeper.newest(account, Environment(environment)))
    echo_result(f"{account}/{environment}: the tokens are wiped here; Zoom was not asked.")


def _age(since: datetime | None, now: datetime) -> str:
    """Say how long ago something was, in its largest unit."""
    if since is None:
        return "–"
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
