"""Zoom's own RTMS SDK as a client, in its own process: it believes the sandbox, and reports the expected numbers."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from rtms_audit.sandbox.scenario import load_scenario
from rtms_audit.sandbox.server import Sandbox

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports
CLIENT = Path(__file__).with_name("sdk_client.py")


def by_name(payload: Any) -> Any:
    """Return a payload whose address names localhost: with an IP address the SDK reports 1 after its time, not 504."""
    return {**payload, "server_urls": payload["server_urls"].replace("127.0.0.1", "localhost")}


class Joined:
    """A running SDK process and what it has reported."""

    def __init__(self, order: dict[str, object], folder: Path, environment: dict[str, str]) -> None:
        self.reports: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, str(CLIENT), json.dumps(order)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env={**os.environ, **environment},
        )
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self.reports.append(json.loads(line))

    def value(self, kind: str, *, seconds: float = 15, number: int = 1) -> Any:
        """Wait for the first (or a later) report of a kind and return its value."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = [report["value"] for report in self.reports if report["kind"] == kind]
            if len(found) >= number:
                return found[number - 1]
            time.sleep(0.01)
        raise AssertionError(f"no {kind} came; reported: {self.reports}")

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def sdk(tmp_path: Path) -> Iterator[Callable[..., Joined]]:
    """Start the SDK on a payload with a pair of credentials."""
    running: list[Joined] = []

    def join(
        payload: dict[str, object],
        pair: dict[str, str],
        *,
        kinds: str = "audio",
        timeout: int = -1,
        environment: dict[str, str] | None = None,
        **more: object,
    ) -> Joined:
        credentials = {"client": pair["client_id"], "secret": pair["client_secret"]}
        order: dict[str, object] = {"kinds": kinds, "join": {**payload, **credentials, "timeout": timeout, **more}}
        running.append(Joined(order, tmp_path, environment or {}))
        return running[-1]

    yield join
    for process in running:
        process.close()


def test_join_0_with_audio_and_transcript(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """The SDK joins with reason 0 and receives sound and text; the end of the meeting is leave 6."""
    payload = desk.started()
    client = sdk(payload, desk.pair(), kinds="audio,transcript")
    assert client.value("join") == 0
    assert client.value("session") == 1
    assert client.value("audio")["size"] == 81
    assert client.value("transcript")["text"] == "Good morning, everybody."
    assert client.value("audio", number=2)["count"] == 50
    desk.http.delete(f"{desk.ready['control_url']}/meetings/{payload['meeting_id']}")
    assert client.value("leave") == 6


def test_join_3_for_the_other_environments_pair(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """Signed with the development pair, a production stream is refused with 3, and stops with 18."""
    desk.order("/settings", auth_failure="status-3")
    payload = desk.started()
    assert sdk(payload, desk.pair("development")).value("join") == 3
    desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["stop_reason"] == 18)


def test_join_960_for_a_bare_close(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """Where the sandbox just closes, the SDK says 960: the symptom of the public question."""
    payload = desk.started()
    assert sdk(payload, desk.pair("development")).value("join") == 960


def test_environment_variables_override_the_arguments(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """With the right pair as arguments and the development pair in the environment, the latter signs."""
    desk.order("/settings", auth_failure="status-3")
    leftover = desk.pair("development")
    variables = {"ZM_RTMS_CLIENT": leftover["client_id"], "ZM_RTMS_SECRET": leftover["client_secret"]}
    assert sdk(desk.started(), desk.pair(), environment=variables).value("join") == 3


def test_join_8_for_a_second_connection(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """While another receiver holds the stream the SDK gets 8."""
    payload = desk.started()
    with desk.joined(payload):
        assert sdk(payload, desk.pair()).value("join") == 8


def test_join_14_for_a_refused_medium(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """The status of the media handshake becomes the join reason."""
    desk.order("/settings", forced_status={"media": 14})
    assert sdk(desk.started(), desk.pair()).value("join") == 14


def test_join_1_without_an_address_for_the_medium(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """A medium whose scope is missing has no address: the SDK gives up with 1 after its time."""
    payload = desk.started("partial")
    assert sdk(payload, desk.pair(), kinds="transcript", timeout=1500).value("join") == 1


def test_join_1_for_no_answer(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """A server that never answers is 1 as well."""
    desk.order("/settings", handshake_reply="off")
    assert sdk(desk.started(), desk.pair(), timeout=1500).value("join") == 1


@pytest.mark.parametrize("status", [403, 503])
def test_join_504_for_a_refused_upgrade(desk: Desk, sdk: Callable[..., Joined], status: int) -> None:
    """An HTTP error on the upgrade is 504."""
    desk.order("/faults", match={"path": "/rtms/*"}, answer={"status": status})
    assert sdk(by_name(desk.started()), desk.pair()).value("join") == 504


def test_join_504_where_nobody_listens(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """A refused connection is 504."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"ws://localhost:{free.getsockname()[1]}"
    assert sdk({**desk.started(), "server_urls": url}, desk.pair()).value("join") == 504


@pytest.mark.parametrize(("order", "reason"), [({"action": "stop", "reason": 18}, 18), ({"action": "interrupt"}, 960)])
def test_leave_reasons(desk: Desk, sdk: Callable[..., Joined], order: dict[str, object], reason: int) -> None:
    """A stop carries its reason to the SDK; a socket that closes without one is 960."""
    payload = desk.started()
    client = sdk(payload, desk.pair())
    client.value("audio")
    desk.order(f"/streams/{payload['rtms_stream_id']}", **order)
    assert client.value("leave") == reason


def test_keep_alives_are_answered(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """Ninety seconds of keep-alives, made to pass faster, leave the SDK joined."""
    desk.order("/settings", keepalive_s=0.2)
    payload = desk.started()
    client = sdk(payload, desk.pair())
    client.value("audio", number=3)
    stream = desk.stream(payload["rtms_stream_id"])
    assert (stream["attached"], stream["stop_reason"]) == (True, None)


def test_unanswerable_keep_alives_are_24(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """The SDK does not answer a keep-alive without a sequence, as the documented example is: it is stopped with 24."""
    desk.order("/settings", keepalive_s=0.2, keepalive_sequence="off")
    client = sdk(desk.started(), desk.pair())
    assert client.value("leave") == 24


def test_tls(tmp_path: Path, desk: Desk, sdk: Callable[..., Joined]) -> None:
    """Over wss the SDK joins if it is told the authority, and says 610 if it is not."""
    with Sandbox(load_scenario(), tls_folder=tmp_path / "tls") as sandbox, httpx.Client(verify=False) as http:
        ready: Any = sandbox.ready()
        place = {"account": "developer", "environment": "production"}
        http.post(ready["control_url"] + "/installs", json={**place, "action": "install"})
        pair = ready["apps"][0]["environments"]["production"]

        def start() -> Any:
            body = {**place, "trigger": "auto-start"}
            return http.post(ready["control_url"] + "/meetings", json=body).json()["streams"][0]

        assert start()["server_urls"].startswith("wss://localhost:")
        assert sdk(start(), pair).value("join") == 610
        trusting = sdk(start(), pair, environment={"ZM_RTMS_CA": ready["rtms_ca"]})
        assert trusting.value("join") == 0
        assert trusting.value("audio")["count"] == 1
        http.post(ready["control_url"] + "/settings", json={"transport": "ws"})
        assert start()["server_urls"].startswith("ws://127.0.0.1:")
