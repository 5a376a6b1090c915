"""Zoom's own RTMS SDK as a client, in its own process: it believes the sandbox, and reports the expected numbers.

Each run's console and native log are then judged, as if a developer had sent them, and have to name the right cause.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.model import Case, Environment, Install, InstallKey
from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.errors import EvidenceFileError
from rtms_audit.sandbox.scenario import load_scenario
from rtms_audit.sandbox.server import Sandbox
from rtms_audit.workflows.evidence_io import load_evidence

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports
CLIENT = Path(__file__).with_name("sdk_client.py")
KEY = InstallKey("developer", Environment.PRODUCTION)
NOWHERE = "http://127.0.0.1:9/none"


def by_name(payload: Any) -> Any:
    """Return a payload whose address names localhost: with an IP address the SDK reports 1 after its time, not 504."""
    return {**payload, "server_urls": payload["server_urls"].replace("127.0.0.1", "localhost")}


class Joined:
    """A running SDK process, what it has reported, and the folder with its console and native log."""

    def __init__(self, order: dict[str, object], folder: Path, environment: dict[str, str]) -> None:
        self.reports: list[dict[str, Any]] = []
        self.folder = folder
        (folder / "logs").mkdir(parents=True)
        with (folder / "console.log").open("wb") as console:
            self.process = subprocess.Popen(
                [sys.executable, str(CLIENT)],
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=subprocess.PIPE,
                text=True,
                cwd=folder,
                env={**os.environ, **environment},
            )
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            json.dump(order, stdin)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
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
        assert self.process.stderr is not None
        self.process.stderr.close()

    def judged(self) -> Diagnosis:
        """Judge what a developer could send of this run: the console, the native log, and webhooks that were kept."""
        files = [*self.folder.glob("*.json"), *self.folder.glob("logs/*.log"), self.folder / "console.log"]
        found = [seen for file in files for seen in _observations(file)]
        numbered = tuple(replace(seen, id=f"o{number}") for number, seen in enumerate(found, 1))
        return diagnose(Case((Install(KEY),), numbered), KEY)

    def blamed(self) -> tuple[str, list[tuple[str, str]]]:
        """Return the outcome, and the causes with their certainty, strongest first."""
        diagnosis = self.judged()
        return str(diagnosis.outcome), [(cause.id, str(cause.status)) for cause in diagnosis.causes]


def _observations(file: Path) -> Any:
    try:
        return load_evidence(file, install=KEY).observations
    except EvidenceFileError:  # a native log of a join that met silence may hold no news
        return ()


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
        running.append(Joined(order, tmp_path / f"run-{len(running)}", environment or {}))
        return running[-1]

    yield join
    for process in running:
        process.close()


def keep_webhooks(desk: Desk, folder: Path) -> None:
    """Write down the RTMS webhooks that were sent, as a receiver that keeps them does."""
    bodies = [sent["body"] for sent in desk.state()["deliveries"] if "rtms" in sent["event"]]
    (folder / "webhooks.json").write_text(json.dumps(bodies), encoding="utf-8")


def test_join_0_with_audio_and_transcript(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """The SDK joins with reason 0 and receives sound and text; the end of the meeting is leave 6."""
    payload = desk.started()
    client = sdk(payload, desk.pair(), kinds="audio,transcript")
    assert client.value("join") == 0
    assert client.value("session") == 1
    assert client.value("audio")["size"] == 81
    assert client.value("transcript")["text"] == "Good morning, everybody."
    assert client.value("audio", number=2)["count"] == 50
    assert client.blamed() == ("started", [])
    desk.http.delete(f"{desk.ready['control_url']}/meetings/{payload['meeting_id']}")
    assert client.value("leave") == 6
    assert client.blamed() == ("started", [("ended-normally", "confirmed")])


def test_join_3_for_the_other_environments_pair(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """Signed with the development pair, a production stream is refused with 3, and stops with 18."""
    desk.order("/settings", auth_failure="status-3")
    payload = desk.started()
    client = sdk(payload, desk.pair("development"))
    assert client.value("join") == 3
    desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["stop_reason"] == 18)
    assert client.blamed() == ("stopped-early", [("credentials-mismatch", "confirmed")])


def test_join_960_for_a_bare_close(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """Where the sandbox just closes, the SDK says 960: the public question. Stop reason 18 beside it tells why."""
    desk.order("/settings", webhook_url=NOWHERE)
    payload = desk.started()
    client = sdk(payload, desk.pair("development"))
    assert client.value("join") == 960
    outcome, causes = client.blamed()
    assert (outcome, causes[0]) == ("stopped-early", ("credentials-mismatch", "possible"))
    desk.eventually(lambda: any(sent["event"] == "meeting.rtms_stopped" for sent in desk.state()["deliveries"]))
    keep_webhooks(desk, client.folder)
    outcome, causes = client.blamed()
    assert (outcome, causes[0]) == ("stopped-early", ("credentials-mismatch", "likely"))


def test_environment_variables_override_the_arguments(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """With the right pair as arguments and the development pair in the environment, the latter signs."""
    desk.order("/settings", auth_failure="status-3")
    leftover = desk.pair("development")
    variables = {"ZM_RTMS_CLIENT": leftover["client_id"], "ZM_RTMS_SECRET": leftover["client_secret"]}
    client = sdk(desk.started(), desk.pair(), environment=variables)
    assert client.value("join") == 3
    (cause,) = client.judged().causes
    assert cause.id == "credentials-mismatch"
    assert "ZM_RTMS_CLIENT" in cause.remedy.what


def test_join_8_for_a_second_connection(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """While another receiver holds the stream the SDK gets 8."""
    payload = desk.started()
    with desk.joined(payload):
        client = sdk(payload, desk.pair())
        assert client.value("join") == 8
    assert client.blamed() == ("stopped-early", [("duplicate-connection", "confirmed")])


def test_join_14_for_a_refused_medium(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """The status of the media handshake becomes the join reason."""
    desk.order("/settings", forced_status={"media": 14})
    client = sdk(desk.started(), desk.pair())
    assert client.value("join") == 14
    assert client.blamed() == ("stopped-early", [("media-rejected", "confirmed")])


def test_join_1_without_an_address_for_the_medium(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """A medium whose scope is missing has no address: the SDK gives up with 1 after its time."""
    payload = desk.started("partial")
    client = sdk(payload, desk.pair(), kinds="transcript", timeout=1500)
    assert client.value("join") == 1
    assert client.blamed() == ("stopped-early", [("scope-missing", "likely")])


def test_join_1_for_no_answer(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """A server that never answers is 1 as well; only the native log tells it from a missing scope."""
    desk.order("/settings", handshake_reply="off")
    client = sdk(desk.started(), desk.pair(), timeout=1500)
    assert client.value("join") == 1
    assert client.blamed() == ("stopped-early", [("receiver-network", "possible")])


@pytest.mark.parametrize("status", [403, 503])
def test_join_504_for_a_refused_upgrade(desk: Desk, sdk: Callable[..., Joined], status: int) -> None:
    """An HTTP error on the upgrade is 504."""
    desk.order("/faults", match={"path": "/rtms/*"}, answer={"status": status})
    client = sdk(by_name(desk.started()), desk.pair())
    assert client.value("join") == 504
    assert client.blamed() == ("stopped-early", [("receiver-network", "likely")])


@pytest.mark.parametrize(("host", "reason"), [("localhost", 504), ("127.0.0.1", 1)])
def test_where_nobody_listens(desk: Desk, sdk: Callable[..., Joined], host: str, reason: int) -> None:
    """A refused connection is 504 at once with a name, and 1 after the SDK's time with an IP address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"ws://{host}:{free.getsockname()[1]}"
    client = sdk({**desk.started(), "server_urls": url}, desk.pair(), timeout=1500)
    assert client.value("join") == reason
    assert client.blamed() == ("stopped-early", [("receiver-network", "likely")])


@pytest.mark.parametrize(
    ("order", "reason", "causes"),
    [
        ({"action": "stop", "reason": 18}, 18, [("credentials-mismatch", "likely")]),
        ({"action": "interrupt"}, 960, [("duplicate-connection", "possible"), ("zoom-internal", "possible")]),
    ],
)
def test_leave_reasons(
    desk: Desk, sdk: Callable[..., Joined], order: dict[str, object], reason: int, causes: list[tuple[str, str]]
) -> None:
    """A stop carries its reason to the SDK; a socket that closes without one is 960."""
    payload = desk.started()
    client = sdk(payload, desk.pair())
    client.value("audio")
    desk.order(f"/streams/{payload['rtms_stream_id']}", **order)
    assert client.value("leave") == reason
    assert client.blamed() == ("stopped-early", causes)


def test_without_a_media_callback(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """The SDK passes signaling and then waits for ever; when the stream ends it calls the join failed, with 960."""
    payload = desk.started()
    client = sdk(payload, desk.pair(), kinds="")
    desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["attached"])
    desk.order(f"/streams/{payload['rtms_stream_id']}", action="interrupt")
    assert client.value("join") == 960
    assert client.blamed() == ("stopped-early", [("receiver-defect", "likely")])


def test_ninety_seconds_with_keep_alives(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """Ninety real seconds with a question every ten on both sockets leave the SDK joined and hearing."""
    payload = desk.started()
    began = time.monotonic()
    client = sdk(payload, desk.pair())
    assert client.value("join") == 0
    heard = client.value("audio", seconds=100, number=92)["count"]
    assert time.monotonic() - began > 90, "fifty frames a second, and no more"
    assert heard == 4550
    stream = desk.stream(payload["rtms_stream_id"])
    assert (stream["attached"], stream["stop_reason"]) == (True, None)
    assert client.blamed() == ("started", [])
    answered = sum(file.read_bytes().count(b'"msg_type" : 13') for file in client.folder.glob("logs/*.log"))
    assert answered >= 16, "eight rounds on signaling and media"


def test_keep_alives_are_answered(desk: Desk, sdk: Callable[..., Joined]) -> None:
    """A question five times a second is answered just as well."""
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
    assert client.blamed() == ("stopped-early", [("keepalive-missed", "confirmed")])


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
        distrusting = sdk(start(), pair)
        assert distrusting.value("join") == 610
        outcome, causes = distrusting.blamed()
        assert (outcome, causes[0][0]) == ("stopped-early", "receiver-tls")
        trusting = sdk(start(), pair, environment={"ZM_RTMS_CA": ready["rtms_ca"]})
        assert trusting.value("join") == 0
        assert trusting.value("audio")["count"] == 1
        http.post(ready["control_url"] + "/settings", json={"transport": "ws"})
        assert start()["server_urls"].startswith("ws://127.0.0.1:")
