"""The developers' own backends of the demo: they take forwarded webhooks, join streams, and report what they saw.

This is what an audit has in front of it in real life: a program that is not ours and that may sign with the wrong pair.
"""

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from rtms_audit.core.secret import Secret
from rtms_audit.workflows.services import utc_now
from rtms_audit.zoom.rtms_plan import JoinPlan, JoinResult
from rtms_audit.zoom.rtms_socket import join
from rtms_audit.zoom.webhooks import Event, Verification, read_event, verify

SOCKET_CLOSED = 960
"""What Zoom's SDK reports when the peer closes the socket before the join is done (measured with rtms 1.1.0)."""

TIME_LIMIT = 10


@dataclass(frozen=True, slots=True)
class BackendPair:
    """One environment's credentials as a backend has them."""

    environment: str
    client_id: str
    client_secret: Secret
    webhook_secret: Secret


class Backends:
    """One endpoint that stands for everybody's backend; use it as a context manager.

    `signs_with` picks the environment whose pair an account's backend signs with, given its label and the stream's
    environment: this is where a developer's mistake goes in. `accounts` are labels by Zoom account id.
    """

    def __init__(
        self,
        pairs: Mapping[str, BackendPair],
        accounts: Mapping[str, str],
        *,
        signs_with: Callable[[str, str], str],
    ) -> None:
        self._pairs = pairs
        self._accounts = accounts
        self._signs_with = signs_with
        self._report_url = ""
        self._token = Secret("")
        self._done: dict[str, int] = {}
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/zoom"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "Backends":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def report_to(self, url: str, token: Secret) -> None:
        """Say where the audit takes observations, and with which token."""
        self._report_url, self._token = url, token

    def wait(self, events: Mapping[str, int], *, timeout: float) -> bool:
        """Wait until so many events of each name were worked off; False where they were not in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: all(self._done.get(name, 0) >= count for name, count in events.items()), timeout
            )

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take one webhook; give the status to answer. A started event is joined in the background."""
        event, environment = read_event(body), self._environment(headers, body)
        if event is None or environment is None:
            return 401
        threading.Thread(target=self._work, args=(event, environment), daemon=True).start()
        return 200

    def _environment(self, headers: Mapping[str, str], body: bytes) -> str | None:
        for pair in self._pairs.values():
            if verify(pair.webhook_secret, headers, body, now=utc_now()) is Verification.VERIFIED:
                return pair.environment
        return None

    def _work(self, event: Event, environment: str) -> None:
        try:
            label = self._accounts.get(event.account_id or "")
            if event.name == "meeting.rtms_started" and label is not None:
                self._join(event, label, environment)
        finally:
            with self._changed:
                self._done[event.name] = self._done.get(event.name, 0) + 1
                self._changed.notify_all()

    def _join(self, event: Event, label: str, environment: str) -> None:
        pair = self._pairs[self._signs_with(label, environment)]
        plan = JoinPlan(
            client_id=pair.client_id,
            client_secret=pair.client_secret,
            stream_of=event.stream_of or "",
            stream_id=event.stream_id or "",
            server_urls=",".join(event.addresses),
        )
        result = join(plan, clock=utc_now)
        self._report(_reports(plan, result, f"{label}/{environment}"))

    def _report(self, reports: list[dict[str, object]]) -> None:
        request = urllib.request.Request(  # noqa: S310  the demo's own loopback address
            self._report_url,
            data=json.dumps(reports).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token.reveal()}"},
        )
        with urllib.request.urlopen(request, timeout=TIME_LIMIT):  # noqa: S310
            return

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        backends = self

        class Handler(BaseHTTPRequestHandler):
            timeout = TIME_LIMIT

            def do_POST(self) -> None:
                """Take a webhook."""
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                self.send_response(backends.take(dict(self.headers), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is http.server's
                """Say nothing: standard error is the demo's."""

        return Handler


def _reports(plan: JoinPlan, result: JoinResult, install: str) -> list[dict[str, object]]:
    """Write what a backend saw as evidence: its sockets, and the number that Zoom's SDK would have given it."""
    reports: list[dict[str, object]] = [
        {"kind": str(step.kind), "at": step.at.isoformat(), "install": install, **step.fields} for step in result.steps
    ]
    told = {"sdk": "rtms-node", "callback": "onJoinConfirm", "install": install, "kind": "sdk"}
    if result.signaling_status is None and result.steps:
        at = result.steps[-1].at.isoformat()
        message = f"RTMS joined successfully (reason {SOCKET_CLOSED} / {SOCKET_CLOSED:#x})"
        reports.append({**told, "at": at, "reason": SOCKET_CLOSED, "message": message})
    elif result.joined and not result.without_address:
        reports.append({**told, "at": result.steps[-1].at.isoformat(), "reason": 0})
    if result.joined:
        heard = {"media.kinds_wanted": plan.media, "media.kinds_received": tuple(result.media)}
        reports += [
            {
                "kind": "statement",
                "about": fact,
                "value": [m.key for m in media],
                "by": "the backend",
                "install": install,
            }
            for fact, media in heard.items()
        ]
    return reports
