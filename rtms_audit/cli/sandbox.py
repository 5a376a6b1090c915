"""`rtms-audit sandbox`: the look-alike Zoom, for tests and for trying things out."""

import sys
from pathlib import Path

import click

from rtms_audit.cli.common import Context, echo_result, format_option, pass_context_object, talk
from rtms_audit.cli.options import style_of


@click.group()
def sandbox() -> None:
    """Serve a look-alike Zoom, or list its scenarios."""


@sandbox.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8181, show_default=True, help="0 for any free port.")
@click.option("--scenario", metavar="NAME|FILE", help="The world it starts with; see `sandbox scenarios`.")
@click.option(
    "--tls",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Serve the RTMS sockets as wss too; the authority's certificate goes into DIR.",
)
@pass_context_object
def serve(_context: Context, host: str, port: int, scenario: str | None, tls: Path | None) -> None:
    """Serve until Ctrl-C. When it is ready, one JSON line with addresses, apps and accounts stands on standard output.

    The secrets in that line open nothing but this sandbox.
    """
    import json
    import signal
    import threading

    from rtms_audit.sandbox.scenario import DEFAULT_SCENARIO
    from rtms_audit.sandbox.server import Sandbox, load_scenario

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(load_scenario(scenario or DEFAULT_SCENARIO), host, port, tls_folder=tls) as running:
        echo_result(json.dumps(running.ready()))
        sys.stdout.flush()
        talk("Ctrl-C ends it.")
        stop.wait()


@sandbox.command("scenarios")
@format_option("table", "json", "csv", "markdown")
@pass_context_object
def scenarios(context: Context, format_: str) -> None:
    """List the scenarios that come with the program."""
    from rtms_audit.report.rows import rows_text
    from rtms_audit.sandbox.server import list_scenarios

    text = rows_text(("scenario", "what it shows"), list_scenarios(), format_=format_, style=style_of(context))
    echo_result(text)
