"""What the commands that speak to Zoom share: the open store with live services, and who we are to other processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rtms_audit.cli.common import Context

if TYPE_CHECKING:
    from rtms_audit.workflows.services import Services


@contextmanager
def live(context: Context) -> "Iterator[Services]":
    """Open the store and give the services that speak to Zoom at the addresses of the settings."""
    from rtms_audit.workflows.services import live_services

    with context.open_store() as store:
        yield live_services(store, context.settings, clock=context.clock)


def process_name() -> str:
    """Name this process to others that share the store: machine, process and a number of its own."""
    import os
    import secrets
    import socket

    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
