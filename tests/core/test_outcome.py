"""What happened, from the course of the latest attempt alone."""

from collections.abc import Callable

import pytest

from rtms_audit.core.verdicts import Diagnosis, Outcome

Judge = Callable[..., Diagnosis]
AUTO = {"setting.auto_start": "on"}
OTHER = {"kind": "webhook", "body": {"event": "meeting.rtms_started", "payload": {"rtms_stream_id": "s2"}}}


@pytest.mark.parametrize(
    ("observations", "outcome"),
    [
        ([], Outcome.UNKNOWN),
        (["started"], Outcome.UNKNOWN),
        (["started", "join 0"], Outcome.STARTED),
        (["started", "join 0", "stopped 6"], Outcome.STARTED),
        (["started", "join 0", "stopped 99"], Outcome.STOPPED_EARLY),
        (["started", "join 0", "stopped 45"], Outcome.STARTED),
        (["started", "join 0", "stopped 10"], Outcome.STOPPED_EARLY),
        (["started", "join 0", "stopped 9"], Outcome.STARTED),
        (["started", "join 0", "stopped 19"], Outcome.STOPPED_EARLY),
        (["started", "join 0", "stopped 20"], Outcome.STARTED),
        (["started", "join 0", "stopped 23"], Outcome.STOPPED_EARLY),
        (["started", "join 0", "stopped 24"], Outcome.STOPPED_EARLY),
        (["started", "join 0", "stopped 26"], Outcome.STOPPED_EARLY),
        (["started", "join 0", "leave 960"], Outcome.STOPPED_EARLY),
        (["started", "stopped 18"], Outcome.STOPPED_EARLY),
        (["started", "stopped 6"], Outcome.UNKNOWN),
        (["started", "join 960"], Outcome.STOPPED_EARLY),
        (["started", "signaling 0", "media 14"], Outcome.STOPPED_EARLY),
        (["started", "signaling 0", "media 0"], Outcome.STARTED),
        (
            ["started", "join 0", {"media.kinds_wanted": ["chat"]}, {"media.kinds_received": ["audio"]}],
            Outcome.DEGRADED,
        ),
        (["started", "join 0", {"media.received": False}], Outcome.DEGRADED),
        (["start 13267"], Outcome.NOT_STARTED),
        (["start 204"], Outcome.UNKNOWN),
        (["start 204", "silent"], Outcome.NOT_STARTED),
        (["panel 40316"], Outcome.NOT_STARTED),
        (["panel 0"], Outcome.UNKNOWN),
        (["silent"], Outcome.UNKNOWN),
        ([AUTO, "silent"], Outcome.NOT_STARTED),
        ([AUTO, "watched"], Outcome.UNKNOWN),
        ([AUTO, "no meeting"], Outcome.NOT_ATTEMPTED),
        ([{"trigger": "none"}, "silent"], Outcome.NOT_ATTEMPTED),
        ([{"trigger": "none"}], Outcome.NOT_ATTEMPTED),
        ([{"trigger": "none"}, {"media.received": True}], Outcome.STARTED),
        ([{"media.received": True}], Outcome.STARTED),
        (["started", "join 960", "stopped 18", OTHER], Outcome.UNKNOWN),
        (["started", "join 0", "stopped 6", "start 2310"], Outcome.NOT_STARTED),
    ],
)
def test_the_latest_attempt_decides_the_outcome(judge: Judge, observations: list[object], outcome: Outcome) -> None:
    """Absent evidence leaves it unknown; earlier attempts do not count."""
    assert judge(*observations).outcome is outcome


def test_a_missing_install_would_have_started_nothing(judge: Judge) -> None:
    """Where the app is known not to be there, nothing was due."""
    assert judge(status="missing").outcome is Outcome.NOT_ATTEMPTED


def test_one_of_several_media_that_was_refused_leaves_the_stream_degraded(judge: Judge) -> None:
    """A stream with one medium accepted and another refused ran in part."""
    chat = {"kind": "handshake", "socket": "media", "request": {"rtms_stream_id": "s1", "media_type": 16}}
    found = judge("started", "signaling 0", "media 0", {**chat, "response": {"status_code": 13}})
    assert found.outcome is Outcome.DEGRADED
