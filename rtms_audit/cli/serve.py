"""`rtms-audit serve`: OAuth callback, webhooks, observations and the dashboard."""

import sys

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object, talk
from rtms_audit.cli.options import app_option
from rtms_audit.cli.services import live

TOKEN_VARIABLE = "RTMS_AUDIT_LOCAL_TOKEN"  # noqa: S105  the variable's name
TOKEN_BYTES = 24


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8484, show_default=True, help="0 for any free port.")
@click.option("--forward", metavar="URL", help="Pass webhooks on to your own endpoint, and keep its answers.")
@click.option("--watch-every", type=click.IntRange(1, 1440), default=15, show_default=True, help="Minutes per window.")
@app_option
@pass_context_object
def serve(context: Context, *, host: str, port: int, forward: str | None, watch_every: int, app: str | None) -> None:
    """Receive OAuth callbacks and webhooks, take observations of backends, show the dashboard.

    \b
    Addresses: /oauth/callback and /webhooks (give these to Zoom, behind https),
    / (dashboard), /api/matrix and /api/observations (with the local token).

    When it is ready, one JSON line with the addresses stands on standard output. The local token is that of
    RTMS_AUDIT_LOCAL_TOKEN, or a new one for each run, shown on standard error.
    """
    import json
    import os
    import secrets
    from datetime import timedelta

    from rtms_audit.core.secret import Secret
    from rtms_audit.web.run import Served, serving

    given = os.environ.get(TOKEN_VARIABLE)
    token = given or secrets.token_urlsafe(TOKEN_BYTES)
    with live(context) as services:
        apps = [services.store.app(app).name] if app else [known.name for known in services.store.apps()]
        if not apps:
            services.store.app(None)
        plan = Served(
            services=services,
            apps=apps,
            host=host,
            port=port,
            forward=forward,
            token=Secret(token),
            watch_every=timedelta(minutes=watch_every),
        )
        with serving(plan) as server:
            addresses = {
                "url": server.url,
                "webhooks": f"{server.url}/webhooks",
                "callback": f"{server.url}/oauth/callback",
                "dashboard": f"{server.url}/",
            }
            echo_result(json.dumps(addresses))
            sys.stdout.flush()
            _say_where(f"{server.url}/", made=None if given else token)
            talk("Ctrl-C ends it.")
            server.wait()
    talk("Stopped; the watched window is recorded.")


def _say_where(dashboard: str, *, made: str | None) -> None:
    """Show the dashboard's address; a token made for this run with it, even with -q: it stands nowhere else."""
    if made is None:
        talk(f"Dashboard: {dashboard} (its token is that of {TOKEN_VARIABLE})")
    else:
        click.echo(f"Dashboard: {dashboard}?token={made}", err=True)
