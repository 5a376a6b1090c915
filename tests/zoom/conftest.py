"""Small local servers that behave as a test tells them, and a clock that sleeping moves."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Request:
    """A request as the local server got it; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What the local server answers: `body` is sent as it is, a mapping or list as JSON."""

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """Return the bytes to send."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


class LocalServer:
    """An HTTP server on a free loopback port; `script` answers each request, `requests` keeps them all."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.script: Callable[[Request], Reply | None] = lambda _: Reply({})
        self.raw: Callable[[socket.socket], None] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with suppress(OSError):
                    super().handle_one_request()

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                outer.requests.append(request)
                if outer.raw is not None:
                    outer.raw(self.connection)
                    self.close_connection = True
                    return
                reply = outer.script(request)
                if reply is None:  # hang up without an answer
                    self.close_connection = True
                    return
                payload = reply.payload()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The server's address without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def replies(self, *replies: Reply | None) -> None:
        """Answer with these in turn, the last one for ever."""
        left = list(replies)
        self.script = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """Give a local HTTP server that a test scripts."""
    local = LocalServer()
    yield local
    local.stop()


@pytest.fixture
def closed_port() -> str:
    """Give the address of a loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class Clock:
    """A clock that stands still unless something sleeps on it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        """Return the time of the moment."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self.slept.append(round(seconds, 3))
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """Give a clock of 2026-03-02 10:00 UTC."""
    return Clock()


@pytest.fixture
def reply() -> type[Reply]:
    """Give the class of answers, since test folders are no packages to import from."""
    return Reply
