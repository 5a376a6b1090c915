"""`rtms-audit app`: the app under audit and its two credential pairs."""

from pathlib import Path

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object, talk
from rtms_audit.cli.options import ENVIRONMENTS, style_of
from rtms_audit.cli.secret_input import need_secret, read_secret
from rtms_audit.cli.services import live
from rtms_audit.errors import ExitCode

CLIENT_SECRET_VARIABLE = "RTMS_AUDIT_CLIENT_SECRET"  # noqa: S105  the variable's name
WEBHOOK_SECRET_VARIABLE = "RTMS_AUDIT_WEBHOOK_SECRET"  # noqa: S105
SECRET_FILE = click.Path(path_type=Path, allow_dash=True)


@click.group()
def app() -> None:
    """Keep the app and its development and production credentials."""


@app.command("add")
@click.argument("name")
@click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True, help="Which pair this is.")
@click.option("--client-id", required=True, metavar="ID", help="The client id of that environment.")
@click.option(
    "--client-secret-file", type=SECRET_FILE, metavar="FILE", help="A file with the client secret; - is stdin."
)
@click.option("--webhook-secret-file", type=SECRET_FILE, metavar="FILE", help="A file with the webhook secret token.")
@click.option("--redirect-uri", metavar="URL", help="The redirect address registered; default: 127.0.0.1, any port.")
@click.option("--app-id", metavar="ID", help="The app id, for what the Marketplace says of it.")
@click.option("--owner", metavar="ACCOUNT", help="The label of the account that owns the app.")
@click.option(
    "--usage", type=click.Choice(["user-managed", "admin-managed", "server-to-server"]), help="The kind of app."
)
@click.option(
    "--distribution", type=click.Choice(["private", "beta", "unlisted", "published"]), help="How far it is shared."
)
@pass_context_object
def add(
    context: Context,
    *,
    name: str,
    environment: str,
    client_id: str,
    client_secret_file: Path | None,
    webhook_secret_file: Path | None,
    redirect_uri: str | None,
    app_id: str | None,
    owner: str | None,
    usage: str | None,
    distribution: str | None,
) -> None:
    """Register one environment of an app, or change it.

    Secrets come from the files, from RTMS_AUDIT_CLIENT_SECRET and RTMS_AUDIT_WEBHOOK_SECRET, or are asked for.

    \b
    For example:
      rtms-audit app add notes --environment production --client-id ID --client-secret-file secret.txt
    """
    from rtms_audit.core.model import Distribution, Environment, Usage
    from rtms_audit.workflows.apps import add_app

    client_secret = need_secret(file=client_secret_file, variable=CLIENT_SECRET_VARIABLE, prompt="Client secret")
    webhook_secret = read_secret(
        file=webhook_secret_file,
        variable=WEBHOOK_SECRET_VARIABLE,
        prompt="Webhook secret token (empty: none)",
        optional=True,
    )
    with context.open_store() as store:
        warnings = add_app(
            store,
            app=name,
            environment=Environment(environment),
            client_id=client_id,
            client_secret=client_secret,
            webhook_secret=webhook_secret,
            redirect_uri=redirect_uri,
            app_id=app_id,
            owner=owner,
            usage=Usage(usage) if usage else None,
            distribution=Distribution(distribution) if distribution else None,
        )
    for warning in warnings:
        talk(f"Warning: {warning}")
    echo_result(f"{name}: the {environment} pair is registered.")


@app.command("list")
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def list_(context: Context, format_: str) -> None:
    """List the apps and which of their pairs are registered."""
    from rtms_audit.report.rows import rows_text

    with context.open_store() as store:
        rows = [
            (record.name, each, one.client_id, one.app_id or "", record.owner or "", one.redirect_uri or "")
            for record in store.apps()
            for each, one in sorted(record.environments.items())
        ]
    if not rows:
        talk("No app yet: `rtms-audit app add NAME --environment production --client-id ID` registers one.")
    headers = ("app", "environment", "client id", "app id", "owner", "redirect address")
    echo_result(rows_text(headers, rows, format_=format_, style=style_of(context)))


@app.command("show")
@click.argument("name", required=False)
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def show(context: Context, name: str | None, format_: str) -> None:
    """Show what is registered of an app; secrets are named, not shown."""
    from rtms_audit.report.rows import rows_text

    with context.open_store() as store:
        record = store.app(name)
    rows: list[tuple[str, str]] = [("name", record.name), ("owner", record.owner or "not known")]
    rows.append(("usage", str(record.usage or "not known")))
    for each, one in sorted(record.environments.items()):
        rows += [
            (f"{each} client id", one.client_id),
            (f"{each} client secret", "stored" if one.has_credentials else "missing"),
            (f"{each} webhook secret", "stored" if one.has_webhook_secret else "missing"),
            (f"{each} redirect address", one.redirect_uri or "127.0.0.1, any port"),
            (f"{each} app id", one.app_id or "not known"),
            (f"{each} distribution", str(one.distribution or "not known")),
        ]
    echo_result(rows_text(("what", "value"), rows, format_=format_, style=style_of(context)))


@app.command("check")
@click.argument("name", required=False)
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def check(context: Context, name: str | None, format_: str) -> ExitCode:
    """Ask Zoom whether each credential pair is valid, and say what looks swapped. No user is needed."""
    from rtms_audit.report.rows import rows_text
    from rtms_audit.workflows.apps import PairState, check_app

    with live(context) as services:
        checked = check_app(services, app=name)
    rows = [(pair.environment, pair.client_id, pair.state, pair.reason) for pair in checked.pairs]
    echo_result(rows_text(("environment", "client id", "pair", "why"), rows, format_=format_, style=style_of(context)))
    for warning in checked.warnings:
        talk(f"Warning: {warning}")
    for step in checked.next_steps:
        talk(f"Next: {step}")
    if checked.good:
        return ExitCode.OK
    unknown = all(pair.state is not PairState.INVALID for pair in checked.pairs) and not checked.warnings
    return ExitCode.INCOMPLETE if unknown else ExitCode.USAGE


@app.command("remove")
@click.argument("name")
@pass_context_object
def remove(context: Context, name: str) -> None:
    """Remove an app and its credentials; what was seen of it stays."""
    with context.open_store() as store:
        store.remove_app(name)
    echo_result(f"{name} is removed; its observations stay.")
