"""A client without any SDK that speaks as Zoom's Node samples do: text frames, all media on one socket, bare answers.

Written after the order of messages in https://github.com/zoom/rtms-samples (2026): no `sequence` in what it answers.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.model import Case, Environment, Install, InstallKey
from rtms_audit.workflows.evidence_io import load_evidence

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports
Listener: TypeAlias = Any
KEY = InstallKey("developer", Environment.PRODUCTION)


class NodeBackend:
    """Joins what a started event names, counts what comes, and prints each message as the samples do."""

    def __init__(self, desk: Desk, payload: dict[str, Any], *, signs_as: str = "production") -> None:
        self._desk = desk
        self._payload = payload
        self._signs_as = signs_as
        self.log: list[str] = []
        self.kinds: dict[int, int] = {}
        self.keep_alives = 0
        self.text_only = True
        self._threads: list[threading.Thread] = []
        self._read(payload["server_urls"], 1, self._on_signaling)

    def _read(self, url: str, kind: int, take: Callable[[ClientConnection, dict[str, Any]], None]) -> None:
        thread = threading.Thread(target=self._run, args=(url, kind, take), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, url: str, kind: int, take: Callable[[ClientConnection, dict[str, Any]], None]) -> None:
        name = "Signaling" if kind == 1 else "Media"
        with connect(url, proxy=None) as socket:
            more = {"media_type": 32} if kind == 3 else {}
            self._say(socket, self._desk.request(self._payload, kind, self._signs_as, **more))
            try:
                for frame in socket:
                    self.text_only = self.text_only and isinstance(frame, str)
                    take(socket, json.loads(frame))
            except ConnectionClosed:
                pass
            self.log.append(f"{name} socket closed: {socket.close_code} {socket.close_reason}")

    def _say(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        self.log.append(f"rtms sending {json.dumps(message)}")
        socket.send(json.dumps(message))

    def _on_signaling(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        self.log.append(f"Signaling Message: {json.dumps(message)}")
        if message["msg_type"] == 2 and message["status_code"] == 0:
            self._read(message["media_server"]["server_urls"]["all"], 3, self._on_media)
            self.signaling = socket
        self._keep_alive(socket, message)

    def _on_media(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        if message["msg_type"] == 4 and message["status_code"] == 0:
            self._say(self.signaling, {"msg_type": 7, "rtms_stream_id": self._payload["rtms_stream_id"]})
        if message["msg_type"] in range(14, 19):
            self.kinds[message["msg_type"]] = self.kinds.get(message["msg_type"], 0) + 1
        else:
            self.log.append(f"Media Message: {json.dumps(message)}")
        self._keep_alive(socket, message)

    def _keep_alive(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        if message["msg_type"] == 12:
            self.keep_alives += 1
            self._say(socket, {"msg_type": 13, "timestamp": message["timestamp"]})

    def ended(self) -> None:
        """Wait until every socket was closed by the other side."""
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive()


def causes(backend: NodeBackend, file: Path) -> list[tuple[str, str]]:
    """Judge what the backend printed."""
    file.write_text("\n".join(backend.log), encoding="utf-8")
    diagnosis = diagnose(Case((Install(KEY),), load_evidence(file, install=KEY).observations), KEY)
    return [(cause.id, str(cause.status)) for cause in diagnosis.causes]


def test_a_webhook_is_joined_and_every_medium_heard(desk: Desk, listener: Listener, tmp_path: Path) -> None:
    """From the webhook to the end of the meeting: text frames both ways, answered keep-alives, five media, reason 6."""
    desk.order("/settings", keepalive_s=0.2)
    payload = desk.started()
    (event,) = listener.heard("meeting.rtms_started")
    backend = NodeBackend(desk, event["payload"])
    desk.eventually(lambda: set(backend.kinds) == {14, 15, 16, 17, 18} and backend.keep_alives > 8, seconds=10)
    assert desk.stream(payload["rtms_stream_id"])["stop_reason"] is None
    desk.http.delete(f"{desk.ready['control_url']}/meetings/{payload['meeting_id']}")
    backend.ended()
    assert backend.text_only
    assert listener.heard("meeting.rtms_stopped")[0]["payload"]["stop_reason"] == 6
    assert causes(backend, tmp_path / "console.log") == [("ended-normally", "confirmed")]


@pytest.mark.parametrize(
    ("failure", "cause"), [("status-3", ("credentials-mismatch", "confirmed")), ("close-1000", None)]
)
def test_the_other_environments_pair(desk: Desk, tmp_path: Path, failure: str, cause: tuple[str, str] | None) -> None:
    """Status 3 names the cause; a bare close leaves it possible, with a defect of the receiver beside it."""
    desk.order("/settings", auth_failure=failure)
    payload = desk.started()
    backend = NodeBackend(desk, payload, signs_as="development")
    backend.ended()
    possible = [("credentials-mismatch", "possible"), ("receiver-defect", "possible")]
    assert causes(backend, tmp_path / "console.log") == ([cause] if cause else possible)
    desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["stop_reason"] == 18)
