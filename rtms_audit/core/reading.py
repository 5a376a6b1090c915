"""Reading single observations: what event, which stream, which status, whatever shape it came in."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from rtms_audit.core.answers import ErrorAnswer, as_int, error_of
from rtms_audit.core.model import Kind, Observation

EMPTY: Mapping[str, object] = {}
START_PATH = re.compile(r"/(?:live_meetings|videosdk/sessions|contact_center|phone/calls)/[^/]+/rtms_app/status")
"""The addresses that start a stream: OpenAPI of meetings and Video SDK (2026-02), changelogs of 2026."""

START_REFUSALS = (2308, 2310, 13262, 13273)
"""Refusals whose sentence names RTMS or meeting content, so that they are known without the call."""

NATIVE = ("native", "log", "nativelog")
"""Callbacks by which people quote a line of the SDK's own log."""

_NATIVE_WORDS = (
    (re.compile(r"on_session_start|signal_handshake_resp|data_handshake_resp", re.IGNORECASE), "joinconfirm"),
    (re.compile(r"on_stream_terminate|on_session_(?:stop|end)|on_leave", re.IGNORECASE), "leave"),
)
_REASON = re.compile(r"reason:?\s*(0x[0-9a-f]{1,6}|\d{1,6})", re.IGNORECASE)

_STREAM_IDS = ("meeting_uuid", "webinar_uuid", "session_id", "engagement_id")


def mapping(value: object) -> Mapping[str, object]:
    """Return the value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict | Mapping) else EMPTY


def text(value: object) -> str:
    """Return the value where it is a text, a number as text, else an empty text."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def event_name(observation: Observation) -> str:
    """Return the name of the event in a webhook observation, empty where it has none."""
    return text(body(observation).get("event")) if observation.kind is Kind.WEBHOOK else ""


def body(observation: Observation) -> Mapping[str, object]:
    """Return the body of a webhook."""
    return mapping(observation.fields.get("body"))


def payload(observation: Observation) -> Mapping[str, object]:
    """Return a webhook's payload with what stands under `payload.object` lifted beside it.

    The specification of 2026-02 is flat, Zoom's notes of 2026-07 nest; both are read.
    """
    flat = mapping(body(observation).get("payload"))
    return {**flat, **mapping(flat.get("object"))}


def is_rtms(observation: Observation, what: str) -> bool:
    """Whether a webhook says `*.rtms_<what>` (or `*.voice_rtms_<what>`)."""
    return event_name(observation).endswith(f"rtms_{what}")


def stream_id(observation: Observation) -> str:
    """Return the stream that a webhook or a handshake speaks of, empty where it does not say."""
    if observation.kind is Kind.WEBHOOK:
        return text(payload(observation).get("rtms_stream_id"))
    return text(request(observation).get("rtms_stream_id"))


def meeting_key(observation: Observation) -> str:
    """Return the meeting, webinar, session or engagement that an observation speaks of, empty where it does not say."""
    if observation.kind is Kind.WEBHOOK:
        found = payload(observation)
        return next((text(found[key]) for key in (*_STREAM_IDS, "uuid") if found.get(key)), "")
    sent = request(observation)
    return next((text(sent[key]) for key in _STREAM_IDS if sent.get(key)), "")


def request(observation: Observation) -> Mapping[str, object]:
    """Return what was sent."""
    return mapping(observation.fields.get("request"))


def response(observation: Observation) -> Mapping[str, object]:
    """Return what was answered."""
    return mapping(observation.fields.get("response"))


def path(observation: Observation) -> str:
    """Return the path of a REST call without its query."""
    return text(request(observation).get("path")).partition("?")[0]


def method(observation: Observation) -> str:
    """Return the method of a REST call in capitals."""
    return text(request(observation).get("method")).upper()


def http_status(observation: Observation) -> int | None:
    """Return the HTTP status of an answer."""
    return as_int(response(observation).get("status"))


def answer(observation: Observation) -> Mapping[str, object]:
    """Return the body of a REST or OAuth answer where it is a mapping."""
    return mapping(response(observation).get("body"))


def refusal(observation: Observation) -> ErrorAnswer | None:
    """Return the error in a REST or OAuth answer, None where it is a success or there is no answer."""
    return error_of(http_status(observation), response(observation).get("body"))


def is_start(observation: Observation) -> bool:
    """Whether this is a REST call that asks Zoom to start a stream."""
    if observation.kind is not Kind.REST:
        return False
    if not path(observation):
        return bool(_refused_in_words(observation))
    if not START_PATH.search(path(observation)):
        return False
    action = text(mapping(request(observation).get("body")).get("action")).lower()
    return action in ("", "start") and method(observation) in ("", "PATCH", "PUT")


def _refused_in_words(observation: Observation) -> bool:
    """Whether an answer whose call is not told holds one of Zoom's refusals of a start."""
    error = refusal(observation)
    return error is not None and error.code in START_REFUSALS


def status_code(observation: Observation) -> int | None:
    """Return the `status_code` of a handshake's answer."""
    return as_int(response(observation).get("status_code"))


def reason(observation: Observation) -> int | None:
    """Return the number that an SDK callback reported, or that its message quotes."""
    given = as_int(observation.fields.get("reason"))
    if given is not None or observation.kind is not Kind.SDK:
        return given
    found = _REASON.search(text(observation.fields.get("message")))
    return int(found[1], 16 if found[1].lower().startswith("0x") else 10) if found else None


def callback(observation: Observation) -> str:
    """Return the SDK callback's name in one spelling: `onJoinConfirm` and `on_join_confirm` are `joinconfirm`."""
    name = re.sub(r"[^a-z]", "", text(observation.fields.get("callback")).lower()).removeprefix("on")
    if observation.kind is Kind.SDK and name in NATIVE:
        message = text(observation.fields.get("message"))
        return next((word for pattern, word in _NATIVE_WORDS if pattern.search(message)), "join")
    return name


def event_time(observation: Observation) -> datetime | None:
    """Return when Zoom made the event (`event_ts`, ms), else when it was seen."""
    stamp = as_int(body(observation).get("event_ts"))
    if stamp is None or not 0 < stamp < 253_402_300_800_000:
        return observation.at
    return datetime.fromtimestamp(stamp / 1000, UTC)


def moment(value: object) -> datetime | None:
    """Return an aware time, given as one or as ISO text; None where it is neither."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def version(value: object) -> tuple[int, ...]:
    """Return a version text as numbers: `6.4.10 (mac)` is (6, 4, 10); empty where it holds none."""
    found = re.search(r"\d+(?:\.\d+)*", text(value))
    return tuple(int(part[:9]) for part in found[0].split(".")) if found else ()
