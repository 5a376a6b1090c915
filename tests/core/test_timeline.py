"""Observations in words."""

from collections.abc import Callable

import pytest

from rtms_audit.core.verdicts import Diagnosis

Judge = Callable[..., Diagnosis]
RESULT = {"kind": "oauth", "step": "redirect", "response": {"status": 200, "body": {"outcome": "installed"}}}


@pytest.mark.parametrize(
    ("observation", "text", "reading"),
    [
        ("started", "meeting.rtms_started, stream s1…, with server_urls", ""),
        ("started without address", "meeting.rtms_started, without server_urls", ""),
        ("stopped 18", "stop_reason 18", "stop reason 18"),
        ("stopped 99", "stop_reason 99", "99"),
        ({"kind": "webhook"}, "a webhook without an event name", ""),
        (
            {"kind": "webhook", "body": {"event": "x"}, "signature": "verified", "verified_with": "production"},
            "x, signature verified with the production secret token",
            "",
        ),
        ({"kind": "webhook", "body": {"event": "x"}, "signature": "rejected"}, "x, signature rejected", ""),
        (
            {"kind": "webhook", "body": {"event": "x"}, "answered": 500, "answer_ms": 7},
            "x, answered 500 after 7 ms",
            "",
        ),
        ({"kind": "webhook", "body": {"event": "x"}, "answered": "none"}, "x, answered none", ""),
        ("start 204", "PATCH /v2/live_meetings/81000000001/rtms_app/status answered 204", ""),
        ("start 13267", "answered 400, code 13267: no", "code 13267"),
        (
            {"kind": "rest", "response": {"status": 400, "body": "no"}},
            "call of an address not told answered 400: no",
            "",
        ),
        ({"kind": "rest", "request": {"path": "/v2/x"}}, "call of /v2/x answered nothing", ""),
        ({"kind": "rest", "response": {"body": {"code": 7, "message": "no"}}}, "answered an error, code 7: no", "7"),
        (RESULT, "OAuth redirect: installed", ""),
        ({"kind": "oauth", "response": {"status": 200}}, "OAuth an OAuth step: answered 200", ""),
        (
            {
                "kind": "oauth",
                "grant": "refresh_token",
                "response": {"status": 400, "body": {"error": "invalid_grant"}},
            },
            "OAuth refresh_token answered 400",
            "invalid_grant",
        ),
        ({"kind": "oauth", "grant": "x", "response": {"status": 500}}, "OAuth x answered 500: ", ""),
        ("signaling 3", "signaling handshake answered status 3", "status 3"),
        ("signaling 0", "signaling handshake answered status 0", ""),
        ("media 14", "media handshake for media type 1 answered status 14", "status 14"),
        ("signaling closed 1000", "signaling handshake: closed with 1000", ""),
        (
            {"kind": "handshake", "request": {"client_id": "D"}, "closed": {}, "error": "gone"},
            "a socket handshake signed as D: gone",
            "",
        ),
        ({"kind": "handshake", "closed": {"reason": "bye"}, "error": "gone"}, "closed with bye (gone)", ""),
        ({"kind": "handshake", "upgrade_status": 403}, "a socket handshake: the upgrade was answered HTTP 403", ""),
        ({"kind": "handshake"}, "a socket handshake: no answer told", ""),
        ("join 960", "rtms-python onJoinConfirm reason 960", "No success."),
        ("join 0", "rtms-python onJoinConfirm reason 0", "0"),
        ("leave 6", "rtms-python onLeave reason 6", "6"),
        ("leave 960", "rtms-python onLeave reason 960", "960"),
        ("panel 10308", "zoom-apps-sdk startRTMS reason 10308", "10308"),
        ("sdk says hello", "rtms-python join: hello", ""),
        ({"kind": "sdk", "callback": "onOther", "reason": 3}, "SDK onOther reason 3", ""),
        ({"kind": "sdk"}, "SDK report", ""),
        ("keepalives missed 2", "keep-alives left unanswered: 2", ""),
        ({"kind": "keepalive"}, "keep-alives left unanswered: not told", ""),
        ("silent", "a meeting ran; events: none", ""),
        ("no meeting", "no meeting ran; events: none", ""),
        ("watched", "whether a meeting ran is not told; events: none", ""),
        (
            {"kind": "watch", "from": "2026-03-02T09:00:00Z", "until": "2026-03-02T10:00:00Z", "events": ["a", "b"]},
            "watched 09:00-10:00: whether a meeting ran is not told; events: a, b",
            "",
        ),
        ({"starter.role": "host"}, "somebody says: starter.role is host", ""),
        ({"app.events": ["a", "b"]}, "app.events is a, b", ""),
        ({"app.events": []}, "app.events is none", ""),
    ],
)
def test_an_observation_reads_as_a_sentence(judge: Judge, observation: object, text: str, reading: str) -> None:
    """What was seen, and what its code means, where it has one."""
    (entry,) = judge(observation).timeline
    assert text in entry.text
    assert reading in entry.reading
    assert bool(reading) == bool(entry.reading)
    assert entry.id == "o1"


@pytest.mark.parametrize("stamp", ["2026-03-02T10:00:00Z", None])
def test_an_entry_keeps_time_and_source(judge: Judge, stamp: str | None) -> None:
    """An entry without a time has none."""
    (entry,) = judge({"kind": "watch", "at": stamp, "events": []}).timeline
    assert (entry.at is None) is (stamp is None)
    assert entry.source == "made"
