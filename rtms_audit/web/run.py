"""Putting the parts of the web app together and keeping them up: receiver, watch, forwarder and server."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from rtms_audit.core.secret import Secret
from rtms_audit.web.app import WebParts, create_app
from rtms_audit.web.server import WebServer
from rtms_audit.workflows.forward import Forwarder
from rtms_audit.workflows.install import Installer
from rtms_audit.workflows.listen import Receiver
from rtms_audit.workflows.services import Services
from rtms_audit.workflows.watch import EVERY, Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is served where: the apps by name, the address, and where webhooks are passed on to."""

    services: Services
    apps: Sequence[str]
    token: Secret
    host: str = "127.0.0.1"
    port: int = 0
    forward: str | None = None
    watch_every: timedelta = EVERY


class Running:
    """A server that is up."""

    def __init__(self, server: WebServer) -> None:
        self._server = server
        self._stop = threading.Event()

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return self._server.url

    def wait(self) -> None:
        """Stay until Ctrl-C or SIGTERM; call it on the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop.set())
        self._stop.wait()


@contextmanager
def serving(plan: Served) -> Iterator[Running]:
    """Serve while the context lasts; at its end the last watched window is recorded.

    UserError where the address is taken or `forward` is none.
    """
    forwarder = Forwarder(plan.forward) if plan.forward else None
    watch = Watch(plan.services, apps=plan.apps, every=plan.watch_every)
    receiver = Receiver(plan.services, apps=plan.apps, watch=watch, forwarder=forwarder)
    parts = WebParts(plan.services, plan.apps, Installer(plan.services), receiver, plan.token)
    try:
        with WebServer(create_app(parts), host=plan.host, port=plan.port) as server:
            watch.start()
            try:
                yield Running(server)
            finally:
                watch.close()
    finally:
        if forwarder is not None:
            forwarder.close()
