"""The listener on 127.0.0.1 that takes one OAuth callback and shows its outcome in the browser.

Zoom accepts `http://127.0.0.1:{any port}/{path}` as redirect address of PKCE clients since 2026-09-28
(developers.zoom.us/changelog, "loopback redirect URIs for PKCE").
"""

import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

from rtms_audit.errors import AuditError, UserError
from rtms_audit.settings import LOOPBACK
from rtms_audit.workflows.install import Callback, Finished
from rtms_audit.workflows.page import SECURITY_HEADERS, outcome_page, plain_page

DEFAULT_PATH = "/oauth/callback"

Finish = Callable[[Callback], Finished]


def is_loopback(redirect_uri: str) -> bool:
    """Whether a redirect address points at this machine, so that we can listen there ourselves."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


class LoopbackListener:
    """Serves the redirect address until its callback has come; use it as a context manager.

    `redirect_uri` is None for any free port. UserError where the port is taken.
    """

    def __init__(self, redirect_uri: str | None, finish: Finish) -> None:
        parts = urlsplit(redirect_uri or f"http://127.0.0.1{DEFAULT_PATH}")
        self._path = parts.path or "/"
        self._finish = finish
        self._results: queue.Queue[Finished | AuditError] = queue.Queue()
        host = parts.hostname or "127.0.0.1"
        try:
            self._server = ThreadingHTTPServer((host, parts.port or 0), self._handler())
        except OSError as error:
            raise UserError(
                f"The redirect address {host}:{parts.port} cannot be listened at: {error.strerror or error}.",
                next_step="Stop what uses that port, or install with --paste.",
            ) from error
        self._server.daemon_threads = True
        self.redirect_uri = f"http://{host}:{self._server.server_port}{self._path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "LoopbackListener":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, timeout: float) -> Finished | None:
        """Give the outcome of the first callback that bore a known state; None when nobody came in time."""
        try:
            result = self._results.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(result, AuditError):
            raise result
        return result

    def answer(self, target: str) -> tuple[int, str]:
        """Take one request's path and query; give the status and the page to show."""
        parts = urlsplit(target)
        if parts.path != self._path:
            return 404, plain_page("Not here", "This address is not the redirect address.")
        callback = Callback.of(dict(parse_qsl(parts.query)))
        if callback.state is None and callback.code is None and callback.error is None:
            return 400, plain_page("Nothing came back", "The address has neither a code nor an error of Zoom's.")
        try:
            finished = self._finish(callback)
        except AuditError as error:
            self._results.put(error)
            return 502, plain_page("Not installed", error.message, error.next_step or "")
        if finished.key is not None:
            self._results.put(finished)
        return finished.http_status, outcome_page(finished)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            server_version = "rtms-audit"
            sys_version = ""
            timeout = 10

            def do_GET(self) -> None:
                """Answer the browser that Zoom sent back."""
                status, page = listener.answer(self.path)
                body = page.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                for name, value in SECURITY_HEADERS.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is http.server's
                """Say nothing: the request line holds the code."""

        return Handler
