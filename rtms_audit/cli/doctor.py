"""`rtms-audit doctor`: what an audit stands on, checked in order."""

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object
from rtms_audit.cli.options import app_option
from rtms_audit.cli.services import live
from rtms_audit.errors import AuditError, ExitCode

if TYPE_CHECKING:
    from rtms_audit.workflows.doctor import Finding

MARKS = {"good": "+", "warning": "?", "bad": "!", "skipped": "-"}


@click.command()
@click.option("--listener", metavar="URL", default="http://127.0.0.1:8484", help="Where `serve` is thought to listen.")
@app_option
@pass_context_object
def doctor(context: Context, listener: str, app: str | None) -> ExitCode:
    """Check clock, network, credentials, redirect addresses, key, database, installs, webhooks and variables.

    Every finding that is not good names one fix. Ends with 2 where something is bad.
    """
    import os

    from rtms_audit.workflows.doctor import Health, examine, store_findings
    from rtms_audit.workflows.services import live_network

    findings: list[Finding] = []
    storage = list(store_findings(key=lambda: _key(context), schema=lambda: _schema(context)))
    usable = all(finding.health is not Health.BAD for finding in storage)
    with live(context) if usable else nullcontext() as services:
        network = services or live_network(context.settings, clock=context.clock)
        knock = partial(_knock, listener)
        for finding in examine(network, services, app=app, environ=os.environ, storage=storage, listener=knock):
            findings.append(finding)
            echo_result(f"{MARKS[finding.health]} {finding.subject}: {finding.seen}")
            if finding.fix:
                echo_result(f"    fix: {finding.fix}")
    return ExitCode.USAGE if any(one.health is Health.BAD for one in findings) else ExitCode.OK


def _key(context: Context) -> str:
    with context.open_store() as store:
        keys, place = store.keys(), store.key_place
    lacking = [key.key_id for key in keys if not key.available]
    if lacking:
        raise AuditError(
            f"the key {', '.join(lacking)} is needed and not in {place}", next_step="Put it back; see `keys list`."
        )
    using = next((key.key_id for key in keys if key.encrypts), None)
    rows = sum(key.rows for key in keys)
    return f"key {using} in {place} protects {rows} secrets" if using else f"made with the first secret, in {place}"


def _schema(context: Context) -> tuple[bool, str]:
    from rtms_audit.store.schema import check

    state = check(context.database_url or "")
    return (
        state.is_current,
        f"revision {state.current}" if state.is_current else f"{len(state.pending)} revisions behind",
    )


def _knock(url: str) -> str | None:
    """Ask the listener for its health; None where it answers, else what is wrong."""
    import urllib.error
    import urllib.request

    if not url.startswith(("http://", "https://")):
        return f"{url} is not a web address"
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/healthz", timeout=3) as answer:  # noqa: S310  checked above
            return None if answer.status == 200 else f"{url} answers HTTP {answer.status}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"nothing answers at {url} ({getattr(reason, 'strerror', None) or reason})"
