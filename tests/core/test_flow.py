"""Reading the course of an attempt."""

from collections.abc import Callable

import pytest

from rtms_audit.core.flow import delay, read
from rtms_audit.core.situation import Situation

Situated = Callable[..., Situation]


def test_an_attempt_that_never_was_leaves_everything_open(situated: Situated) -> None:
    """Without an attempt nothing is known but what was said of the trigger."""
    found = read(situated({"trigger": "rest"}))
    assert (found.trigger, found.joined, found.failure, found.existed, found.silent) == (
        "rest",
        None,
        None,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("observations", "joined"),
    [
        (["started"], None),
        (["started", "join 0"], True),
        (["started", "join 960"], False),
        (["started", "join 1", "join 0"], True),
        (["started", "signaling 3"], False),
        (["started", "signaling 3", "signaling 0"], True),
        (["started", "signaling 0", "join 960"], False),
        (["started", "sdk says Successfully joined"], None),
        (["started", "sdk says OSError: Client ID cannot be blank"], False),
        (["started", "join 960", {"media.received": True}], True),
        (["started", {"media.received": True}], True),
        (["started", {"kind": "handshake", "socket": "signaling", "request": {}}], None),
        (["started", {"kind": "handshake", "socket": "signaling", "upgrade_status": 101}], None),
        (["started", {"kind": "handshake", "socket": "signaling", "upgrade_status": 404}], False),
    ],
)
def test_a_join_succeeded_where_zoom_accepted_it(
    situated: Situated, observations: list[object], joined: bool | None
) -> None:
    """Reason 0 alone is success, the SDK's own word first; media that arrived settle it."""
    assert read(situated(*observations)).joined is joined


@pytest.mark.parametrize(
    ("observations", "reason"),
    [
        (["started", "stopped 18"], 18),
        (["started", "stopped"], None),
        (["started", "leave 6"], 6),
        (["started", "leave 960", "stopped 18"], 18),
        (["started", "stopped", "leave 6"], 6),
        (["signaling 0", {"kind": "handshake", "response": {"msg_type": 8, "state": 3, "reason": 11}}], 11),
        (["signaling 0", {"kind": "handshake", "response": {"msg_type": 9, "state": 5, "stop_reason": 6}}], 6),
        (["signaling 0", {"kind": "handshake", "response": {"msg_type": 9, "state": 5, "reason": 7}}], 7),
        (["signaling 0", {"kind": "handshake", "response": {"msg_type": 8, "state": 1, "reason": 6}}], None),
        (["signaling 0", {"kind": "handshake", "response": {"msg_type": 9, "state": 3, "reason": 6}}], None),
        (["signaling 0", {"kind": "handshake", "response": {"msg_type": 7, "state": 4, "reason": 6}}], None),
    ],
)
def test_stop_reasons_come_from_webhook_sockets_or_sdk(
    situated: Situated, observations: list[object], reason: int | None
) -> None:
    """The webhook's reason counts first, then the sockets' own messages, then what the SDK said on leaving."""
    assert read(situated(*observations)).stop_reason == reason


@pytest.mark.parametrize(
    ("observations", "trigger"),
    [
        ([{"setting.auto_start": "on"}], "auto-start"),
        ([{"setting.auto_start": "off"}], ""),
        ([{"trigger": "none"}, {"setting.auto_start": "on"}], "auto-start"),
        ([{"trigger": "none"}], "none"),
        ([{"trigger": "zoom-app"}, {"setting.auto_start": "on"}], "zoom-app"),
        ([{"trigger": "auto-start"}, "start 204"], "rest"),
        ([{"trigger": "rest"}, "panel 0"], "zoom-app"),
        ([], ""),
    ],
)
def test_the_trigger_is_what_was_seen_before_what_was_said(
    situated: Situated, observations: list[object], trigger: str
) -> None:
    """A start call or a start in the meeting beats words, and a way that was named beats `none`."""
    assert read(situated(*observations)).trigger == trigger


@pytest.mark.parametrize(
    ("observations", "refused"),
    [
        (["start 13267"], 13267),
        (["start 13267", "start 2310"], 2310),
        (["start 13267", "start 204"], None),
        (["start 204", "start 13267"], 13267),
    ],
)
def test_the_latest_start_call_decides(situated: Situated, observations: list[object], refused: int | None) -> None:
    """A start that was accepted answers refusals before it, and not those after it."""
    found = read(situated(*observations)).refused
    assert (found[0].code if found else None) == refused


@pytest.mark.parametrize(
    ("observations", "silent"),
    [
        (["silent"], True),
        (["meeting", "watched"], True),
        (["watched"], False),
        (["no meeting"], False),
        (["meeting"], False),
        (["started"], False),
        ([{"kind": "watch", "meeting_started": True, "events": ["meeting.rtms_started"]}], False),
    ],
)
def test_silence_needs_a_watched_window_and_a_meeting(
    situated: Situated, observations: list[object], silent: bool
) -> None:
    """The absence of an event counts only where a healthy listener watched a meeting that ran."""
    assert read(situated(*observations)).silent is silent


def test_media_that_were_refused_and_accepted_later_are_not_refused(situated: Situated) -> None:
    """The last word on a medium counts, each medium for itself."""
    chat = {"kind": "handshake", "socket": "media", "request": {"rtms_stream_id": "s1", "media_type": 16}}
    found = read(situated("signaling 0", "media 18", "media 0", {**chat, "response": {"status_code": 13}}))
    assert [join.code for join in found.refused_media] == [13]
    assert [join.code for join in found.accepted_media] == [0]


@pytest.mark.parametrize(
    ("observations", "seconds"),
    [
        (["started", "join 0"], 60.0),
        (["started"], None),
        (["join 0"], None),
        ([{"kind": "watch", "events": ["meeting.rtms_started"]}, "join 0"], None),
    ],
)
def test_the_delay_of_a_join_needs_both_times(
    situated: Situated, observations: list[object], seconds: float | None
) -> None:
    """It counts from the event to the first try."""
    situation = situated(*observations)
    assert delay(situation, read(situation)) == seconds


@pytest.mark.parametrize(
    ("panel", "refused"),
    [
        ("panel 0", False),
        ("panel 10308", False),
        ("panel 40316", True),
        ({"kind": "sdk", "sdk": "zoom-apps-sdk", "callback": "startRTMS", "message": "could not start"}, True),
        ({"kind": "sdk", "sdk": "zoom-apps-sdk", "callback": "startRTMS", "message": "done"}, False),
        ("start 204", False),
    ],
)
def test_a_start_in_the_meeting_is_refused_by_number_or_word(situated: Situated, panel: object, refused: bool) -> None:
    """10308 says that a stream runs already, which is no refusal."""
    assert read(situated(panel)).app_refused is refused


@pytest.mark.parametrize(("status", "body", "accepted"), [(204, None, True), (200, {}, True), (200, "<html>", False)])
def test_a_start_is_accepted_by_zoom_alone(situated: Situated, status: int, body: object, accepted: bool) -> None:
    """A login page with HTTP 200 comes from something in between."""
    request = {"method": "PATCH", "path": "/v2/live_meetings/811/rtms_app/status", "body": {"action": "start"}}
    call = {"kind": "rest", "request": request, "response": {"status": status, "body": body}}
    found = read(situated(call))
    assert (found.accepted is not None, found.refused) == (accepted, None)
