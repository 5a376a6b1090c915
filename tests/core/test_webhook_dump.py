"""Dumps of webhooks in the shapes that people have."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.evidence_file import check_fields
from rtms_audit.core.model import Environment, InstallKey, Kind
from rtms_audit.core.webhook_dump import moment, read_webhook_lines, read_webhooks

STARTED = {"event": "meeting.rtms_started", "event_ts": 1772445600000, "payload": {"rtms_stream_id": "s1"}}
STOPPED = {"event": "meeting.rtms_stopped", "event_ts": 1772445601200, "payload": {"object": {"stop_reason": 18}}}
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
KEY = InstallKey("dev-co", Environment.PRODUCTION)


@pytest.mark.parametrize(
    "document",
    [
        STARTED,
        [STARTED],
        {"events": [STARTED]},
        {"requests": [{"headers": {"X-Zm-Request-Timestamp": "1772445600"}, "body": json.dumps(STARTED)}]},
        {"received_at": "2026-03-02T10:00:00Z", "body": STARTED},
        {"timestamp": 1772445600.0, "request": {"body": STARTED}},
        {"message": json.dumps(STARTED)},
    ],
)
def test_an_event_is_found_however_it_is_wrapped(document: object) -> None:
    """Alone, in lists, beside headers, as text: the event is the same, and its time is known."""
    (found,) = read_webhooks(document, install=KEY, source="dump.json").observations
    assert found.kind is Kind.WEBHOOK
    assert found.fields["body"] == STARTED
    assert found.fields["signature"] == "unchecked"
    assert (found.at, found.install, found.id, found.source) == (TEN, KEY, "o1", "dump.json")


def test_entries_of_zooms_own_log_say_what_was_answered() -> None:
    """An item of webhook_logs holds the endpoint's status, −1 where none came."""
    items = [
        {"event": "x", "status": 405, "request_body": json.dumps(STARTED), "date_time": "2026-03-02T10:00:01Z"},
        {"event": "x", "status": -1, "request_body": json.dumps(STOPPED), "request_headers": '{"clientid": "DEVID"}'},
    ]
    first, second = read_webhooks({"webhook_logs": items}).observations
    assert (first.fields["answered"], first.at) == (405, TEN + timedelta(seconds=1))
    assert (second.fields["answered"], second.fields["headers"]) == ("none", {"clientid": "DEVID"})


def test_what_holds_no_event_is_counted_and_shown() -> None:
    """Entries without an event are listed by their number."""
    readout = read_webhooks([STARTED, {"hello": 1}, "text", None, {"event": "only a name"}])
    assert (readout.understood, [line.number for line in readout.not_understood]) == (1, [2, 3, 4, 5])
    assert readout.not_understood[1].text == "text"


def test_lines_are_read_one_by_one() -> None:
    """JSON lines, with blank and foreign ones between them, come out in time order with ids by place."""
    text = f"{json.dumps(STOPPED)}\n\nnot json\n{json.dumps(STARTED)}\r\n"
    readout = read_webhook_lines(text, install=KEY)
    assert [(o.id, o.at) for o in readout.observations] == [("o2", TEN), ("o1", TEN + timedelta(seconds=1.2))]
    assert [(line.number, line.text) for line in readout.not_understood] == [(3, "not json")]


def test_secrets_are_left_out() -> None:
    """Headers that authorise and signatures inside an event are masked."""
    entry = {
        "headers": {"Authorization": "Bearer s3cret-s3cret", "Content-Type": "application/json"},
        "body": {**STARTED, "payload": {"signature": "f" * 64, "rtms_stream_id": "s1"}},
    }
    kept = repr(read_webhooks([entry]).observations[0].fields)
    assert "s3cret" not in kept
    assert "f" * 64 not in kept
    assert "application/json" in kept


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-02T10:00:00Z", TEN),
        ("2026-03-02 12:00:00+02:00", TEN),
        ("1772445600", TEN),
        (1772445600000, TEN),
        (12, None),
        (True, None),
        ("2026-03-02T10:00:00", None),
        ("yesterday", None),
        (10**18, None),
        (float("nan"), None),
        (None, None),
    ],
)
def test_times_count_only_where_they_are_certain(written: object, read: datetime | None) -> None:
    """A text without a zone is no time as long as nobody says the zone."""
    assert moment(written, None) == read


def test_a_given_zone_places_times_without_one() -> None:
    """The time of a text without a zone is read in the zone that was given."""
    assert moment("2026-03-02T12:00:00", timezone(timedelta(hours=2))) == TEN


def test_events_that_cannot_be_kept_are_not_understood() -> None:
    """An event whose content the evidence format cannot hold is listed and not half-kept."""
    deep: object = 1
    for _ in range(80):
        deep = [deep]
    readout = read_webhooks([{**STARTED, "payload": {"deep": deep}}])
    assert (readout.observations, len(readout.not_understood)) == ((), 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(json.dumps(STARTED)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["event", "payload", "body", "headers", "at", "events", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(JSON)
def test_any_document_is_read(document: object) -> None:
    """No JSON document raises, and what comes out fits the evidence format."""
    for observation in read_webhooks(document, timezone=UTC).observations:
        check_fields(observation.kind, observation.fields)


@given(st.text())
def test_any_text_is_read_as_lines(text: str) -> None:
    """No text raises."""
    assert read_webhook_lines(text).understood >= 0
