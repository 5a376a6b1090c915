"""Joining through Zoom's own SDK, against a running sandbox and against processes that misbehave."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from rtms_audit.core.model import Kind
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.sandbox.server import Sandbox, load_scenario
from rtms_audit.zoom.rtms_messages import Medium
from rtms_audit.zoom.rtms_plan import JoinPlan, JoinResult
from rtms_audit.zoom.sdk_join import join, overridden_by


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Zoom:
    """A running sandbox with a stream to join."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.ready: Any = sandbox.ready()

    def order(self, path: str, **body: object) -> Any:
        """Call the control address."""
        return requests.post(f"{self.ready['control_url']}{path}", json=body, timeout=10).json()

    def plan(self, account: str = "developer", pair: str = "production", **more: Any) -> JoinPlan:
        """Start a stream of an account and make a plan to join it."""
        place = {"account": account, "environment": "production"}
        self.order("/installs", action="install", **place)
        payload = self.order("/meetings", trigger="auto-start", **place)["streams"][0]
        keys = self.ready["apps"][0]["environments"][pair]
        return JoinPlan(
            client_id=keys["client_id"],
            client_secret=Secret(keys["client_secret"]),
            stream_of=payload["meeting_uuid"],
            stream_id=payload["rtms_stream_id"],
            server_urls=payload["server_urls"],
            label="probe",
            **{"timeout": 1.5, **more},
        )


@pytest.fixture
def zoom() -> Iterator[Zoom]:
    """Run the default scenario."""
    with Sandbox(load_scenario()) as sandbox:
        yield Zoom(sandbox)


def reasons(result: JoinResult) -> list[object]:
    """Return the SDK's own reasons."""
    return [step.fields.get("reason") for step in result.steps if step.kind is Kind.SDK]


def test_each_medium_is_joined_alone(zoom: Zoom) -> None:
    """Audio, video, share and transcript are each joined with 0, and the first message of each is timed."""
    media = (Medium.AUDIO, Medium.VIDEO, Medium.DESKSHARE, Medium.TRANSCRIPT, Medium.CHAT)
    zoom.order("/settings", keepalive_s=0.2)
    result = join(zoom.plan(media=media, stay=1.0), clock=now)
    assert result.joined
    assert result.accepted == media[:4], "the SDK has no callback for chat"
    assert set(result.media) == set(media[:4])
    assert result.media[Medium.AUDIO].messages > 30
    assert reasons(result) == [0, 0, 0, 0]
    assert result.keep_alives >= 4
    assert [step.at for step in result.steps] == sorted(step.at for step in result.steps)


def test_handshakes_come_from_the_native_log_without_signatures(zoom: Zoom) -> None:
    """Who signed stands in each handshake, what was signed does not, and the secret stands nowhere."""
    plan = zoom.plan(media=(Medium.AUDIO,))
    result = join(plan, clock=now)
    shaken = [step.fields for step in result.steps if step.kind is Kind.HANDSHAKE]
    assert [fields["socket"] for fields in shaken] == ["signaling", "media"]
    for fields in shaken:
        request: Any = fields["request"]
        assert request["client_id"] == plan.client_id
        assert "signature" not in request
        assert fields["connection"] == "probe-sdk-audio"
    assert plan.client_secret.reveal() not in repr(result)


def test_the_other_pair_is_refused_whatever_the_variables_say(zoom: Zoom) -> None:
    """The SDK's reason 3 is Zoom's status 3; leftover variables are kept from the process."""
    zoom.order("/settings", auth_failure="status-3")
    good = zoom.ready["apps"][0]["environments"]["production"]
    leftover = {"ZM_RTMS_CLIENT": good["client_id"], "ZM_RTMS_SECRET": good["client_secret"]}
    result = join(zoom.plan(pair="development"), clock=now, environ=leftover)
    assert (result.signaled, result.signaling_status, reasons(result)) == (False, 3, [3])
    assert overridden_by(leftover) == ("ZM_RTMS_CLIENT", "ZM_RTMS_SECRET")
    assert overridden_by({"ZM_RTMS_CLIENT": ""}) == ()


def test_a_bare_close_has_no_status(zoom: Zoom) -> None:
    """960 is a word of the SDK's own."""
    result = join(zoom.plan(pair="development"), clock=now)
    assert (result.signaled, result.signaling_status, reasons(result)) == (False, None, [960])


def test_a_medium_without_address(zoom: Zoom) -> None:
    """The SDK says 1; the native log tells that the address was missing. The other medium is joined."""
    result = join(zoom.plan("partial"), clock=now)
    assert result.accepted == (Medium.AUDIO,)
    assert result.without_address == (Medium.TRANSCRIPT,)
    assert reasons(result) == [0, 1]


def test_a_silent_server(zoom: Zoom) -> None:
    """The SDK says 1 here too, and nothing is called accepted or without address."""
    zoom.order("/settings", handshake_reply="off")
    result = join(zoom.plan(), clock=now)
    assert (result.signaled, result.signaling_status, result.without_address) == (False, None, ())
    assert [step.fields.get("error") for step in result.steps if step.kind is Kind.HANDSHAKE] == ["no answer in time"]


def test_an_end_while_staying_is_kept(zoom: Zoom) -> None:
    """The SDK's leave reason becomes the end of the stream."""
    plan = zoom.plan(media=(Medium.AUDIO,), stay=30.0)
    zoom.order("/settings", keepalive_s=0.2, keepalive_sequence="off")
    zoom.order("/settings", keepalive_misses=1)
    result = join(plan, clock=now)
    assert result.end is not None
    assert result.end.reason == 24


def test_without_the_extra(zoom: Zoom) -> None:
    """The error says how to get it."""
    with pytest.raises(UserError, match="not installed") as caught:
        join(zoom.plan(), clock=now, find=lambda _name: None)
    assert "rtms-audit[sdk]" in (caught.value.next_step or "")


PLAN = JoinPlan(
    client_id="CID",
    client_secret=Secret("top-secret"),
    stream_of="uuid",
    stream_id="stream",
    server_urls="ws://127.0.0.1:9",
    ready_signature=Secret("ab12"),
    ca_file=Path("/ca.pem"),
    timeout=0.1,
    media_wait=0.1,
)


def misbehaving(text: str) -> tuple[str, ...]:
    """Return the command of a process that does this instead."""
    return (sys.executable, "-c", text)


def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    """A crash of the native library is a fault of the platform, and stays in its process."""
    result = join(PLAN, clock=now, command=misbehaving("import os; os.kill(os.getpid(), 11)"))
    assert [step.fields["message"] for step in result.steps] == [
        "the SDK's process ended with -11 (segmentation fault)"
    ]
    assert not result.signaled


def test_what_the_process_is_given(tmp_path: Path) -> None:
    """Credentials come on standard input and nowhere else; the authority's file comes as the SDK's own variable."""
    kept = tmp_path / "kept.json"
    text = (
        "import json, os, sys; json.dump([sys.argv, dict(os.environ), json.load(sys.stdin)], "
        f"open({str(kept)!r}, 'w')); print('noise'); print('[1]')"
    )
    join(PLAN, clock=now, environ={"ZM_RTMS_SECRET": "old"}, command=misbehaving(text))
    argv, environment, order = json.loads(kept.read_text())
    assert "top-secret" not in json.dumps([argv, environment])
    assert (environment["ZM_RTMS_CA"], "ZM_RTMS_SECRET" in environment) == ("/ca.pem", False)
    assert (order["join"]["secret"], order["join"]["signature"]) == ("top-secret", "ab12")


def test_a_process_that_hangs_is_ended() -> None:
    """What it had reported by then is kept."""
    text = 'print(\'{"at": "2026-11-01T12:00:00+00:00", "callback": "onJoinConfirm", "reason": 8}\', flush=True)'
    result = join(PLAN, clock=now, command=misbehaving(f"{text}; import time; time.sleep(60)"), spare=0.8)
    assert result.signaling_status == 8
    assert [step.fields.get("message") for step in result.steps] == [
        None, "the SDK hangs: its process was ended after 1 s"
    ]  # fmt: skip


def test_what_the_sdk_raises_is_kept() -> None:
    """A fault within the process comes back in its own words."""
    raised = 'print(\'{"at": "2026-11-01T12:00:00+00:00", "fault": "RuntimeError: Invalid status"}\')'
    result = join(PLAN, clock=now, command=misbehaving(raised))
    assert [step.fields["message"] for step in result.steps] == ["RuntimeError: Invalid status"]
