"""Reading single observations, whatever shape they came in."""

from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest

from rtms_audit.core import reading
from rtms_audit.core.model import Kind, Observation

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def webhook(body: object) -> Observation:
    """Make a webhook observation of a body."""
    return Observation(kind=Kind.WEBHOOK, fields={"body": body}, at=AT)


def rest(**request: object) -> Observation:
    """Make a REST observation of a request."""
    return Observation(kind=Kind.REST, fields={"request": request})


@pytest.mark.parametrize("payload", [{"rtms_stream_id": "s"}, {"object": {"rtms_stream_id": "s"}}])
def test_flat_and_nested_payloads_say_the_same(payload: dict[str, object]) -> None:
    """The fields may stand under `payload` or under `payload.object`."""
    assert reading.stream_id(webhook({"payload": payload})) == "s"


@pytest.mark.parametrize("key", ["meeting_uuid", "webinar_uuid", "session_id", "engagement_id", "uuid"])
def test_a_meeting_goes_by_many_names(key: str) -> None:
    """Meeting, webinar, session and engagement are each a place that streams."""
    assert reading.meeting_key(webhook({"payload": {key: "m=="}})) == "m=="


def test_a_handshake_names_stream_and_meeting_in_its_request() -> None:
    """What the receiver sent says which stream it meant."""
    seen = Observation(kind=Kind.HANDSHAKE, fields={"request": {"rtms_stream_id": 7, "session_id": "m"}})
    assert (reading.stream_id(seen), reading.meeting_key(seen)) == ("7", "m")
    assert reading.meeting_key(Observation(kind=Kind.HANDSHAKE, fields={})) == ""


@pytest.mark.parametrize("body", [None, "text", 3, [], {"payload": "text"}, {"payload": {"object": 3}}])
def test_what_is_no_mapping_reads_as_empty(body: object) -> None:
    """Nothing of a body may break the reading."""
    seen = webhook(body)
    assert (reading.event_name(seen), reading.stream_id(seen), reading.meeting_key(seen)) == ("", "", "")


def test_other_mappings_than_dicts_are_read() -> None:
    """A read-only mapping is a mapping too."""
    assert reading.event_name(webhook(MappingProxyType({"event": "x"}))) == "x"
    assert reading.event_name(Observation(kind=Kind.REST, fields={"body": {"event": "x"}})) == ""


@pytest.mark.parametrize(
    ("name", "is_start"),
    [
        ("meeting.rtms_started", True),
        ("webinar.rtms_started", True),
        ("session.rtms_started", True),
        ("contact_center.voice_rtms_started", True),
        ("meeting.rtms_stopped", False),
        ("meeting.started", False),
    ],
)
def test_started_events_of_every_product_are_known(name: str, is_start: bool) -> None:
    """Each product has an event of its own for the start of a stream."""
    assert reading.is_rtms(webhook({"event": name}), "started") is is_start


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        (1780000000123, datetime(2026, 5, 28, 20, 26, 40, 123000, UTC)),
        ("1780000000123", datetime(2026, 5, 28, 20, 26, 40, 123000, UTC)),
        (0, AT),
        (-1, AT),
        (10**18, AT),
        ("soon", AT),
        (None, AT),
    ],
)
def test_an_event_has_the_time_that_zoom_gave_it(stamp: object, at: datetime) -> None:
    """`event_ts` counts in milliseconds; where it is none, the time of arrival does."""
    assert reading.event_time(webhook({"event_ts": stamp})) == at


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-03-02T10:00:00Z", AT),
        (" 2026-03-02T12:00:00+02:00 ", AT),
        ("2026-03-02T10:00:00", AT),
        (datetime(2026, 3, 2, 10), AT),  # noqa: DTZ001  a time without a zone is what is tried
        (datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=2))), AT),
        ("soon", None),
        (3, None),
    ],
)
def test_moments_are_aware(value: object, at: datetime | None) -> None:
    """A time without a zone is UTC; what is no time is none."""
    assert reading.moment(value) == at


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("6.4.10 (mac)", (6, 4, 10)),
        ("v6", (6,)),
        (6.5, (6, 5)),
        ("newest", ()),
        (None, ()),
        ("1." + "9" * 20, (1, 10**9 - 1)),
    ],
)
def test_versions_compare_as_numbers(value: object, numbers: tuple[int, ...]) -> None:
    """A version may carry words, and may be absurd."""
    assert reading.version(value) == numbers


@pytest.mark.parametrize("name", ["onJoinConfirm", "on_join_confirm", "JoinConfirm", "join_confirm"])
def test_callbacks_have_one_spelling(name: str) -> None:
    """Python and Node spell them differently."""
    assert reading.callback(Observation(kind=Kind.SDK, fields={"callback": name})) == "joinconfirm"


@pytest.mark.parametrize(
    ("call", "is_start"),
    [
        (rest(method="patch", path="/v2/live_meetings/1/rtms_app/status", body={"action": "start"}), True),
        (rest(path="/v2/live_meetings/1/rtms_app/status?x=1"), True),
        (rest(method="PATCH", path="/v2/videosdk/sessions/a%252F/rtms_app/status", body={"action": "start"}), True),
        (rest(method="PUT", path="/v2/contact_center/e/rtms_app/status", body={"action": "start"}), True),
        (rest(method="PATCH", path="/v2/phone/calls/c/rtms_app/status", body={"action": "start"}), True),
        (rest(method="PATCH", path="/v2/live_meetings/1/rtms_app/status", body={"action": "stop"}), False),
        (rest(method="GET", path="/v2/live_meetings/1/rtms_app/status"), False),
        (rest(method="PATCH", path="/v2/meetings/1/rtms_app/status", body={"action": "start"}), False),
        (rest(), False),
        (webhook({}), False),
    ],
)
def test_start_calls_are_told_from_others(call: Observation, is_start: bool) -> None:
    """Four addresses start a stream; reading, stopping and addresses that only look like one do not."""
    assert reading.is_start(call) is is_start


def test_a_refusal_of_a_start_is_known_without_its_call() -> None:
    """A quoted answer whose sentence names RTMS tells that a start was tried."""
    body = {"code": 2310, "message": "Failed to perform RTMS app operation."}
    assert reading.is_start(Observation(kind=Kind.REST, fields={"response": {"status": 400, "body": body}}))
    other = {"code": 300, "message": "Request Body should be a valid JSON object."}
    assert not reading.is_start(Observation(kind=Kind.REST, fields={"response": {"status": 400, "body": other}}))


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (3, "3"), (2.5, "2.5"), (True, ""), (None, ""), ([], "")])
def test_numbers_read_as_text(value: object, text: str) -> None:
    """A number written where a text belongs is that text; a truth value is none."""
    assert reading.text(value) == text
