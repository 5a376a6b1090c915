"""Zoom's webhooks: signatures, address validation and the shapes of events. Pure; the time is a parameter."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from rtms_audit.core.answers import as_int, parse_body
from rtms_audit.core.secret import Secret

SIGNATURE_HEADER = "x-zm-signature"
TIMESTAMP_HEADER = "x-zm-request-timestamp"
REQUEST_ID_HEADER = "x-zm-request-id"
"""The same for every delivery of one event, so that repeated deliveries can be told (OpenAPI marketplace, 2026-02)."""

WINDOW_SECONDS = 300.0
"""How old a delivery may be. Zoom documents no window; its samples use 300 s (zoom/rtms-samples, 2026)."""

VALIDATION_EVENT = "endpoint.url_validation"
_IDS = ("meeting_uuid", "webinar_uuid", "session_id", "engagement_id")


class Verification(StrEnum):
    """What the signature of a delivery says."""

    VERIFIED = "verified"
    REJECTED = "rejected"
    """Signed with another secret, or the body was changed."""
    STALE = "stale"
    """Signed rightly, but at a time outside the window: perhaps a replay, perhaps a wrong clock."""
    UNSIGNED = "unsigned"
    """Signature or timestamp is missing."""


def sign(secret: Secret, timestamp: str, body: bytes) -> str:
    """Return `v0=` and the hex HMAC-SHA256 of `v0:timestamp:body`, keyed with the webhook secret token.

    `timestamp` is the header's text (seconds), `body` the bytes as they came, never re-serialized JSON. The secret
    *token* is not the client secret. https://developers.zoom.us/docs/api/webhooks/ (2026-02-07).
    """
    message = b"v0:" + timestamp.encode("utf-8", errors="surrogateescape") + b":" + body
    return "v0=" + hmac.new(secret.reveal().encode(), message, hashlib.sha256).hexdigest()


def verify(
    secret: Secret, headers: Mapping[str, str], body: bytes, *, now: datetime, window: float = WINDOW_SECONDS
) -> Verification:
    """Say whether a delivery was signed with this secret within `window` seconds of `now`; takes constant time.

    An empty secret verifies nothing. Header names may be in any case.
    """
    given = {name.lower(): value for name, value in headers.items()}
    claimed, timestamp = given.get(SIGNATURE_HEADER), given.get(TIMESTAMP_HEADER)
    if not claimed or not timestamp:
        return Verification.UNSIGNED
    expected = sign(secret, timestamp, body)
    same = hmac.compare_digest(expected.encode(), claimed.encode("utf-8", errors="surrogateescape"))
    if not same or not secret:
        return Verification.REJECTED
    return Verification.VERIFIED if _is_fresh(timestamp, now, window) else Verification.STALE


def _is_fresh(timestamp: str, now: datetime, window: float) -> bool:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    return abs(now.timestamp() - int(timestamp)) <= window


def crc_answer(secret: Secret, plain_token: str) -> dict[str, str]:
    """Return the answer to `endpoint.url_validation`: to be sent with 200 within 3 s (2026-02-07)."""
    digest = hmac.new(secret.reveal().encode(), plain_token.encode("utf-8", errors="replace"), hashlib.sha256)
    return {"plainToken": plain_token, "encryptedToken": digest.hexdigest()}


@dataclass(frozen=True, slots=True)
class Event:
    """An event in one shape, whichever of its shapes Zoom sent.

    `payload` is flat: what stands under `payload.object` is lifted beside what stands under `payload`, where an
    observed delivery has it. `body` is the event as it came. Ids are texts (`meeting_id` came as a number in some).
    `event_ts` counts milliseconds; `server_urls` may hold several addresses, see `addresses`.
    """

    name: str
    event_ts: int | None
    payload: Mapping[str, object]
    body: Mapping[str, object]
    nested: bool = False

    @property
    def at(self) -> datetime | None:
        """When Zoom made the event."""
        return None if self.event_ts is None else datetime.fromtimestamp(self.event_ts / 1000, UTC)

    @property
    def id_field(self) -> str | None:
        """The name of the field that `stream_of` was read from: `meeting_uuid` for meetings."""
        return next((name for name in _IDS if _text(self.payload.get(name))), None)

    @property
    def stream_of(self) -> str | None:
        """The meeting or webinar UUID, session or engagement id; it goes into the handshake's signature."""
        return self._id(self.id_field) if self.id_field is not None else None

    @property
    def meeting_id(self) -> str | None:
        """The meeting's number."""
        return self._id("meeting_id")

    @property
    def stream_id(self) -> str | None:
        """`rtms_stream_id`; a started event of an expired trial has been reported without it."""
        return self._id("rtms_stream_id")

    @property
    def account_id(self) -> str | None:
        """The account the event belongs to (RTMS events: since 2026-05)."""
        return self._id("account_id")

    @property
    def operator_id(self) -> str | None:
        """The user who triggered the event: `/users/me.id` of one of the app's installs."""
        return self._id("operator_id")

    @property
    def user_id(self) -> str | None:
        """The user of `app_deauthorized`."""
        return self._id("user_id")

    @property
    def client_id(self) -> str | None:
        """The client id of `app_deauthorized`, which tells the environment."""
        return self._id("client_id")

    @property
    def plain_token(self) -> str | None:
        """The token of `endpoint.url_validation`."""
        return self._id("plainToken")

    @property
    def signature(self) -> str | None:
        """A ready-made handshake signature, which some shapes of the started event carry."""
        return self._id("signature")

    @property
    def stop_reason(self) -> int | None:
        """The number of `*.rtms_stopped`; numbers that no table knows are kept."""
        return as_int(self.payload.get("stop_reason"))

    @property
    def addresses(self) -> tuple[str, ...]:
        """The WebSocket addresses of `server_urls`, in Zoom's order."""
        return split_addresses(self.payload.get("server_urls"))

    def _id(self, name: str) -> str | None:
        return _text(self.payload.get(name))


def split_addresses(value: object) -> tuple[str, ...]:
    """Return the addresses of a `server_urls` value: one text, several with commas between, or a list."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    parts = (part.strip() for text in texts if isinstance(text, str) for part in text.split(","))
    return tuple(part for part in parts if part)


def read_event(body: bytes) -> Event | None:
    """Read a delivery, flat or nested; None where it is not a JSON object with the name of an event.

    `app_deauthorized` has its `event_ts` inside the payload, and as a date in words (OpenAPI marketplace events,
    2026-02); other events have milliseconds beside it, some of them as text.
    """
    document = parse_body(body)
    if not isinstance(document, dict) or not isinstance(document.get("event"), str):
        return None
    payload = document.get("payload")
    outer: dict[str, object] = payload if isinstance(payload, dict) else {}
    inner = outer.get("object")
    flat = {name: value for name, value in outer.items() if name != "object" or not isinstance(value, dict)}
    if isinstance(inner, dict):
        flat = {**inner, **flat}
    stamp = _milliseconds(document.get("event_ts"))
    if stamp is None:
        stamp = _milliseconds(flat.get("event_ts"))
    return Event(
        document["event"], stamp, MappingProxyType(flat), MappingProxyType(document), isinstance(inner, dict)
    )  # fmt: skip


_LAST_MILLISECOND = 253_402_300_799_000


def _milliseconds(value: object) -> int | None:
    """Read milliseconds as a number, as digits, or as `2024-09-08 15:58:40` (UTC)."""
    number = as_int(value)
    if number is None and isinstance(value, str):
        number = _date_in_words(value)
    return number if number is not None and 0 <= number <= _LAST_MILLISECOND else None


def _date_in_words(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
