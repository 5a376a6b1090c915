"""Running the web app on a socket, in a thread of its own."""

import errno
import socket
import threading
from types import TracebackType

import uvicorn
from fastapi import FastAPI

from rtms_audit.errors import UserError

START_LIMIT = 10.0
GRACE = 5


class WebServer:
    """One listening socket and the uvicorn behind it. UserError where the address is taken or not ours."""

    def __init__(self, app: FastAPI, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = _listen(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def url(self) -> str:
        """The address of the server, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def __enter__(self) -> "WebServer":
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(START_LIMIT / 0.01)):
            if self._server.started or not self._thread.is_alive():
                break
            waited.wait(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(512)
    except (OSError, OverflowError) as error:
        listening.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "it is in use" if taken else str(getattr(error, "strerror", None) or error)
        raise UserError(
            f"Cannot listen at {host}:{port}: {reason}.", next_step="Choose another with --port, or --port 0 for any."
        ) from None
    return listening
