"""Cutting what was seen of an install into attempts."""

from collections.abc import Callable

import pytest

from rtms_audit.core.situation import Situation

Situated = Callable[..., Situation]
OTHER = {"kind": "webhook", "body": {"event": "meeting.rtms_started", "payload": {"rtms_stream_id": "s2"}}}


def shape(situation: Situation) -> list[int]:
    """Return how many observations each attempt holds."""
    return [len(attempt.observations) for attempt in situation.history]


@pytest.mark.parametrize(
    ("observations", "expected"),
    [
        pytest.param(["meeting", "started", "join 960", "stopped 18"], [4], id="one stream from meeting to stop"),
        pytest.param(["start 204", "started", "join 0"], [3], id="an accepted start and its stream"),
        pytest.param(
            ["start 13267", "started", "join 0"], [1, 2], id="a refused start, and a stream of another trigger"
        ),
        pytest.param(["start 13267", "start 13267"], [1, 1], id="a refused start, tried again"),
        pytest.param(["started", "stopped 6", OTHER], [2, 1], id="another stream is another attempt"),
        pytest.param(["started", OTHER, "stopped 6"], [2, 1], id="a stop goes to its own stream"),
        pytest.param(["silent", "started"], [1, 1], id="a window that saw nothing is over when a stream comes"),
        pytest.param(["started", "join 960", "start 204"], [2, 1], id="a new start call after a stream that failed"),
        pytest.param(["started", "join 0", "start 204"], [3], id="a start call while a stream runs"),
        pytest.param(["started", "join 0", "stopped 6", "join 0"], [3, 1], id="a join after the end"),
        pytest.param(["started", "join 0", "stopped 6", "leave 6"], [4], id="the SDK's leave belongs to the end"),
        pytest.param(["started", "join 0", "keepalives missed 2"], [3], id="keep-alives belong to the stream"),
        pytest.param(["started", "meeting"], [1], id="a meeting of which nothing else is known"),
        pytest.param(["started", "meeting", "silent"], [1, 2], id="a new meeting, watched, after a stream"),
        pytest.param(["meeting", "silent"], [2], id="a meeting and the window that watched it"),
        pytest.param(["silent", "meeting"], [1], id="a meeting after the window"),
        pytest.param(["no meeting", "started", "stopped 6"], [2], id="an idle window is background"),
        pytest.param(["no meeting"], [1], id="an idle window alone is what there is"),
        pytest.param(["no meeting", "no meeting"], [2], id="windows that overlap are one"),
        pytest.param(["setting.auto_start: on"], [], id="words are no attempt"),
        pytest.param(
            [{"kind": "oauth", "grant": "refresh_token", "response": {"status": 200}}], [], id="nor are tokens"
        ),
        pytest.param(["panel 0", "started"], [2], id="a start in the meeting and its stream"),
    ],
)
def test_attempts_are_cut_where_a_new_one_begins(
    situated: Situated, observations: list[object], expected: list[int]
) -> None:
    """Each start that was asked for, announced, joined or awaited is one attempt."""
    made = [dict([one.split(": ")]) if isinstance(one, str) and ": " in one else one for one in observations]
    assert shape(situated(*made)) == expected


def test_a_window_belongs_to_the_attempt_that_it_overlaps(situated: Situated) -> None:
    """A watch of a stream that came before the latest does not become an attempt of its own."""
    watch = {
        "kind": "watch",
        "at": "2026-03-02T10:20:00Z",
        "from": "2026-03-02T10:00:00Z",
        "until": "2026-03-02T10:02:00Z",
        "meeting_started": True,
        "events": ["meeting.rtms_started"],
    }
    later = {**OTHER, "at": "2026-03-02T10:15:00Z"}
    found = situated("started", "stopped 6", later, watch)
    assert shape(found) == [3, 1]


def test_a_window_that_overlaps_nothing_is_an_attempt(situated: Situated) -> None:
    """A later meeting that was watched in vain is the latest attempt."""
    watch = {
        "kind": "watch",
        "at": "2026-03-02T12:00:00Z",
        "from": "2026-03-02T11:00:00Z",
        "until": "2026-03-02T12:00:00Z",
        "meeting_started": True,
        "events": [],
    }
    assert shape(situated("started", "stopped 6", watch)) == [2, 1]


def test_the_latest_attempt_counts_from_its_windows_begin(situated: Situated) -> None:
    """A watch is recorded at its end, and the rules of the day of its begin apply."""
    watch = {"kind": "watch", "at": "2026-07-04T00:30:00Z", "from": "2026-07-03T23:30:00Z", "events": []}
    assert str(situated(watch).when) == "2026-07-03"


def test_an_attempt_tells_what_it_saw(situated: Situated) -> None:
    """Streams, meetings, calls, joins and ends are found by their kind."""
    attempt = situated("start 204", "started", "join 0", "leave 6", "stopped 6").attempt
    assert attempt
    assert (attempt.streams, attempt.meetings) == ({"s1"}, {"bWVldGluZw=="})
    assert [len(found) for found in (attempt.start_calls, attempt.started, attempt.join_confirms, attempt.leaves)] == [
        1,
        1,
        1,
        1,
    ]
    assert attempt.is_over
    assert not attempt.was_refused


def test_handshakes_are_found_by_their_socket(situated: Situated) -> None:
    """One that does not say which socket it was counts as signaling."""
    attempt = situated("signaling 0", "media 0", {"kind": "handshake", "response": {"status_code": 3}}).attempt
    assert attempt
    assert [len(attempt.handshakes(socket)) for socket in ("signaling", "media")] == [2, 1]
