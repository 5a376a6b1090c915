"""Webhook signatures, validation answers and event shapes."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.secret import Secret
from rtms_audit.zoom.signature import signature
from rtms_audit.zoom.webhooks import Verification, crc_answer, read_event, sign, split_addresses, verify

TOKEN = Secret("webhook-secret-token")
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'{"event":"meeting.rtms_started","event_ts":1780000000123,"payload":{"meeting_uuid":"Zm9v"}}'


def signed(body: bytes = BODY, stamp: str = STAMP, secret: Secret = TOKEN) -> dict[str, str]:
    """Return the headers of a delivery."""
    return {"X-Zm-Request-Timestamp": stamp, "x-zm-signature": sign(secret, stamp, body)}


class TestVerify:
    """The signature check."""

    def test_the_formula(self) -> None:
        """It is the documented one over the raw bytes."""
        expected = hmac.new(b"webhook-secret-token", b"v0:" + STAMP.encode() + b":" + BODY, hashlib.sha256).hexdigest()
        assert sign(TOKEN, STAMP, BODY) == f"v0={expected}"

    def test_a_genuine_delivery(self) -> None:
        """Right secret, right time, header names in any case."""
        assert verify(TOKEN, signed(), BODY, now=NOW) is Verification.VERIFIED

    @pytest.mark.parametrize("seconds", [301, -301, 86_400 * 400])
    def test_outside_the_window(self, seconds: int) -> None:
        """Older or newer than the window is stale, not verified."""
        assert verify(TOKEN, signed(), BODY, now=NOW + timedelta(seconds=seconds)) is Verification.STALE

    @pytest.mark.parametrize("seconds", [300, -300, 0])
    def test_inside_the_window(self, seconds: int) -> None:
        """The window's edge still counts."""
        assert verify(TOKEN, signed(), BODY, now=NOW + timedelta(seconds=seconds)) is Verification.VERIFIED

    def test_a_window_of_ones_own(self) -> None:
        """The window can be made narrower."""
        assert verify(TOKEN, signed(), BODY, now=NOW + timedelta(seconds=11), window=10) is Verification.STALE

    def test_the_other_environments_secret(self) -> None:
        """Another secret token rejects, also the client secret by mistake."""
        assert verify(Secret("other"), signed(), BODY, now=NOW) is Verification.REJECTED

    def test_a_changed_body(self) -> None:
        """One byte more and the signature no longer fits, even where the JSON says the same."""
        assert verify(TOKEN, signed(), BODY + b" ", now=NOW) is Verification.REJECTED

    @pytest.mark.parametrize("missing", ["X-Zm-Request-Timestamp", "x-zm-signature"])
    def test_unsigned(self, missing: str) -> None:
        """Without one of the two headers, or with an empty one, a delivery is unsigned."""
        headers = signed()
        del headers[missing]
        assert verify(TOKEN, headers, BODY, now=NOW) is Verification.UNSIGNED
        assert verify(TOKEN, {**headers, missing: ""}, BODY, now=NOW) is Verification.UNSIGNED

    def test_an_empty_secret_verifies_nothing(self) -> None:
        """A forger who signs with nothing is not believed by who has no secret."""
        assert verify(Secret(""), signed(secret=Secret("")), BODY, now=NOW) is Verification.REJECTED

    @pytest.mark.parametrize("stamp", ["soon", "-5", "1e9", "٣٣٣", "9" * 40, "1780000000123", " 1"])
    def test_odd_timestamps_are_never_fresh(self, stamp: str) -> None:
        """A rightly signed delivery whose time is no number of seconds is stale."""
        assert verify(TOKEN, signed(stamp=stamp), BODY, now=NOW) is Verification.STALE

    @given(st.dictionaries(st.sampled_from(["x-zm-signature", "x-zm-request-timestamp", "a"]), st.text()), st.binary())
    def test_noise_is_never_verified(self, headers: dict[str, str], body: bytes) -> None:
        """No headers and bodies of chance pass, and none raises."""
        assert verify(TOKEN, headers, body, now=NOW) in (Verification.REJECTED, Verification.UNSIGNED)


def test_crc_answer() -> None:
    """The validation answer repeats the token and adds its HMAC."""
    expected = hmac.new(b"webhook-secret-token", b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert crc_answer(TOKEN, "qgg8vlvZRS6UYooatFL8Aw") == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": expected,
    }  # fmt: skip


STARTED = {
    "account_id": "AccT1", "meeting_id": 81000000001, "meeting_uuid": "Zm9vYmFy", "operator_id": "usrA",
    "is_original_host": True, "rtms_stream_id": "1f0e", "server_urls": "wss://a.example.com, wss://b.example.com:443",
}  # fmt: skip


class TestReadEvent:
    """Both shapes of events."""

    @pytest.mark.parametrize("nested", [False, True])
    def test_flat_and_nested_read_alike(self, nested: bool) -> None:
        """What stands under `object` is found as if it stood flat."""
        payload = {"account_id": "AccT1", "object": STARTED} if nested else STARTED
        event = read_event(
            json.dumps({"event": "meeting.rtms_started", "event_ts": 1780000000123, "payload": payload}).encode()
        )
        assert event is not None
        assert event.nested is nested
        assert dict(event.payload) == STARTED
        assert (event.name, event.event_ts) == ("meeting.rtms_started", 1780000000123)
        assert event.at == datetime.fromtimestamp(1780000000.123, UTC)
        assert event.account_id == "AccT1"
        assert event.meeting_id == "81000000001"
        assert (event.id_field, event.stream_of, event.stream_id) == ("meeting_uuid", "Zm9vYmFy", "1f0e")
        assert event.operator_id == "usrA"
        assert event.addresses == ("wss://a.example.com", "wss://b.example.com:443")
        assert event.signature is None

    @pytest.mark.parametrize("name", ["webinar_uuid", "session_id", "engagement_id"])
    def test_other_products(self, name: str) -> None:
        """Webinars, sessions and engagements have their own id, which goes into the signature."""
        event = read_event(json.dumps({"event": "x", "payload": {name: "id1"}}).encode())
        assert event is not None
        assert (event.id_field, event.stream_of) == (name, "id1")

    def test_a_started_event_without_addresses(self) -> None:
        """An expired trial's event lacks addresses and stream id; that is read as absent."""
        event = read_event(b'{"event":"meeting.rtms_started","event_ts":1,"payload":{"meeting_uuid":"a"}}')
        assert event is not None
        assert event.addresses == ()
        assert event.stream_id is None

    def test_stop_reasons_of_any_number(self) -> None:
        """A number that no table knows is kept."""
        event = read_event(b'{"event":"meeting.rtms_stopped","payload":{"stop_reason":977}}')
        assert event is not None
        assert event.stop_reason == 977
        assert event.event_ts is None
        assert event.at is None
        assert event.id_field is None
        assert event.stream_of is None

    def test_deauthorization(self) -> None:
        """Its time stands inside the payload, in words, and counts as UTC."""
        event = read_event(
            b'{"event":"app_deauthorized","payload":{"account_id":"A","user_id":"U","client_id":"C",'
            b'"signature":"ab","event_ts":"2024-09-08 15:58:40"}}'
        )
        assert event is not None
        assert event.at == datetime(2024, 9, 8, 15, 58, 40, tzinfo=UTC)
        assert (event.user_id, event.client_id) == ("U", "C")

    def test_url_validation(self) -> None:
        """The token to be answered is found."""
        event = read_event(b'{"event":"endpoint.url_validation","payload":{"plainToken":"abc"},"event_ts":"17"}')
        assert event is not None
        assert (event.plain_token, event.event_ts) == ("abc", 17)

    @pytest.mark.parametrize(
        "stamp", ['"never"', "-1", "99999999999999999", "[]", "true", '"9999-12-31T23:59:59-23:59"']
    )
    def test_times_that_are_none(self, stamp: str) -> None:
        """A time out of reach is no time, and reading it does not fail."""
        event = read_event(f'{{"event":"x","event_ts":{stamp},"payload":[]}}'.encode())
        assert event is not None
        assert event.payload == {}
        assert event.at is None or event.at.tzinfo is not None

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event":5}', b"\xff", b"null", b"[" * 100_000])
    def test_no_event(self, body: bytes) -> None:
        """Without a name it is no event."""
        assert read_event(body) is None

    @given(st.binary())
    def test_any_bytes(self, body: bytes) -> None:
        """Whatever comes is read or is no event."""
        assert read_event(body) is None or body

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(
                st.sampled_from(["object", "event_ts", "meeting_uuid", "server_urls", "stop_reason", "x"]), inner
            ),
        ),
        st.integers() | st.text() | st.none(),
    )  # fmt: skip
    def test_any_payload(self, payload: object, stamp: object) -> None:
        """Any JSON under `payload` is read without failing, and every property gives something of its type."""
        event = read_event(json.dumps({"event": "x", "event_ts": stamp, "payload": payload}).encode())
        assert event is not None
        assert event.at is None or event.at.tzinfo is not None
        assert all(event.addresses)
        assert event.stop_reason is None or isinstance(event.stop_reason, int)
        assert event.stream_of is None or event.stream_of


def test_split_addresses() -> None:
    """Addresses come as one text, with commas, or as a list."""
    assert split_addresses("a, b,,c ") == ("a", "b", "c")
    assert split_addresses(["a,b", 5, "c"]) == ("a", "b", "c")
    assert split_addresses(None) == ()


class TestHandshakeSignature:
    """The signature of handshakes."""

    def test_formula(self) -> None:
        """Client id, meeting and stream with commas, keyed with the client secret, in lower-case hex."""
        expected = hmac.new(b"SEC", b"CID,MEET==,stream1", hashlib.sha256).hexdigest()
        assert signature("CID", Secret("SEC"), "MEET==", "stream1") == expected
        assert expected == expected.lower()

    @given(st.text(st.characters()), st.text())
    def test_any_id(self, meeting: str, stream: str) -> None:
        """Ids of whatever letters can be signed."""
        assert len(signature("CID", Secret("SEC"), meeting, stream)) == 64

    def test_lone_surrogates(self) -> None:
        """JSON can hold half a letter; signing it does not fail."""
        assert len(signature("CID", Secret("SEC"), "\ud800", "s")) == 64
