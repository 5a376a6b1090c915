"""`rtms-audit account`: the accounts to audit."""

import sys
from pathlib import Path

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object, talk
from rtms_audit.cli.options import ENVIRONMENTS, app_option, style_of
from rtms_audit.cli.secret_input import need_secret
from rtms_audit.cli.services import live
from rtms_audit.errors import UserError

PLANS = ("free", "paid", "pro", "business", "enterprise", "education", "unknown")
AUDITOR_SECRET_VARIABLE = "RTMS_AUDIT_AUDITOR_SECRET"  # noqa: S105  the variable's name


@click.group()
def account() -> None:
    """Keep the accounts to audit."""


@account.command("add")
@click.argument("label")
@click.option("--email", metavar="EMAIL", help="Who will install the app there; another sign-in is refused.")
@click.option("--account-id", metavar="ID", help="The Zoom account id; another account's sign-in is refused.")
@click.option("--expect-plan", type=click.Choice(PLANS), default="unknown", help="The plan one believes it has.")
@pass_context_object
def add(context: Context, label: str, email: str | None, account_id: str | None, expect_plan: str) -> None:
    """Add an account, or change what is known of it.

    \b
    For example:
      rtms-audit account add outsider --email owner@example.com --expect-plan free
    """
    from rtms_audit.core.model import Plan
    from rtms_audit.workflows.accounts import AccountRow, add_account

    with context.open_store() as store:
        is_new = add_account(store, AccountRow(label, email, account_id, Plan(expect_plan)))
    echo_result(f"{label} is {'added' if is_new else 'changed'}.")


@account.command("list")
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def list_(context: Context, format_: str) -> None:
    """List the accounts."""
    from rtms_audit.report.rows import rows_text

    with context.open_store() as store:
        rows = [
            (one.label, one.email or "", one.expected_plan, one.account_id or "", "yes" if one.has_auditor else "no")
            for one in store.accounts()
        ]
    if not rows:
        talk("No account yet: `rtms-audit account add LABEL` registers one.")
    headers = ("label", "email", "expect_plan", "account_id", "auditor connection")
    echo_result(rows_text(headers, rows, format_=format_, style=style_of(context)))


@account.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@pass_context_object
def import_(context: Context, file: Path) -> None:
    """Add all accounts of a CSV file, or none where a line is wrong.

    The first line names the columns: label, and if wanted email, expect_plan, account_id.
    """
    from rtms_audit.workflows.accounts import import_accounts

    text = read_text(file)
    with context.open_store() as store:
        done = import_accounts(store, text, name=str(file))
    echo_result(f"{len(done.added)} accounts added, {len(done.updated)} brought up to date.")


@account.command("onboard")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--environment", type=click.Choice(ENVIRONMENTS), multiple=True, help="Which; default: production.")
@click.option("--days", type=click.IntRange(1, 30), default=7, show_default=True, help="How long the links are good.")
@format_option("csv", "json", "table", "markdown")
@app_option
@pass_context_object
def onboard(
    context: Context, *, file: Path, environment: tuple[str, ...], days: int, format_: str, app: str | None
) -> None:
    """Add the accounts of a CSV file and write an install link for each that is not installed yet.

    Send each link to the account's user and keep `rtms-audit serve` running; run this again to see the progress.
    """
    from datetime import timedelta

    from rtms_audit.core.model import Environment
    from rtms_audit.report.rows import rows_text
    from rtms_audit.workflows.accounts import import_accounts, read_accounts
    from rtms_audit.workflows.onboard import check_redirects
    from rtms_audit.workflows.onboard import onboard as invite

    text = read_text(file)
    labels = [row.label for row in read_accounts(text, name=str(file))]
    environments = [Environment(each) for each in environment or ("production",)]
    with live(context) as services:
        check_redirects(services, app=app, environments=environments)
        import_accounts(services.store, text, name=str(file))
        lines = invite(services, app=app, labels=labels, environments=environments, life=timedelta(days=days))
    rows = [
        (one.key.account, one.key.environment, one.email or "", one.status, one.link, one.expires_at or "")
        for one in lines
    ]
    headers = ("label", "environment", "email", "status", "link", "expires_at")
    echo_result(rows_text(headers, rows, format_=format_, style=style_of(context)))
    done = sum(1 for one in lines if one.status == "installed")
    talk(f"{done} of {len(lines)} installed.")


@account.command("connect")
@click.argument("label")
@click.option("--client-id", required=True, metavar="ID", help="The client id of the Server-to-Server app.")
@click.option("--account-id", required=True, metavar="ID", help="The Zoom account id, from the app's page.")
@click.option(
    "--client-secret-file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A file with its client secret; - is stdin.",
)
@pass_context_object
def connect(context: Context, label: str, client_id: str, account_id: str, client_secret_file: Path | None) -> None:
    """Connect the account's own Server-to-Server app, through which plan and settings can be read.

    The secret comes from the file, from RTMS_AUDIT_AUDITOR_SECRET, or is asked for.
    """
    from rtms_audit.workflows.accounts import connect_auditor

    secret = need_secret(file=client_secret_file, variable=AUDITOR_SECRET_VARIABLE, prompt="Client secret")
    with live(context) as services:
        connect_auditor(services, account=label, client_id=client_id, client_secret=secret, zoom_account_id=account_id)
    echo_result(f"{label} is connected.")


def read_text(file: Path) -> str:
    """Read a text file, or standard input for `-`; UserError where that fails."""
    try:
        if str(file) == "-":
            return sys.stdin.read()
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"{file} cannot be read: {reason}.", next_step="Name a readable CSV file.") from None
