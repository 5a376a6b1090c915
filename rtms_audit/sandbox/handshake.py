"""Judging handshakes: which RTMS status code a client's first message gets. Pure but for looking at the world.

Status numbers of the 2026 table (developers.zoom.us/docs/rtms/data-types/); the audio combinations after Zoom's
`rtms/references/connection.md` of 2026-07.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from enum import IntEnum

from rtms_audit.sandbox.stream import ALL_MEDIA, MEDIA_TYPES, Stream
from rtms_audit.sandbox.world import World

MAX_FRAME = 256 * 1024
ID_FIELDS = ("meeting_uuid", "webinar_uuid", "session_id", "engagement_id")


class Status(IntEnum):
    """RTMS_STATUS_CODE, as far as the sandbox gives them."""

    OK = 0
    INVALID_MESSAGE_TYPE = 1
    INVALID_RTMS_STREAM_ID = 2
    INVALID_SIGNATURE = 3
    INVALID_PAYLOAD = 4
    DUPLICATE_SIGNAL_REQUEST = 8
    MEDIA_TYPE_AUDIO_NOT_SUPPORT = 9
    MEDIA_TYPE_VIDEO_NOT_SUPPORT = 10
    MEDIA_TYPE_DESKSHARE_NOT_SUPPORT = 11
    MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT = 12
    MEDIA_TYPE_CHAT_NOT_SUPPORT = 13
    MEDIA_TYPE_INVALID_VALUE = 14
    MEDIA_DATA_ALL_CONNECTION_EXIST = 15
    DUPLICATE_MEDIA_DATA_CONNECTION = 16
    INVALID_MEDIA_PARAMS = 17
    INVALID_MEDIA_AUDIO_PARAMS = 18
    INVALID_MEDIA_AUDIO_CONTENT_TYPE = 19
    INVALID_MEDIA_AUDIO_SAMPLE_RATE = 20
    INVALID_MEDIA_AUDIO_CHANNEL = 21
    INVALID_MEDIA_AUDIO_CODEC = 22
    INVALID_MEDIA_AUDIO_DATA_OPT = 23
    INVALID_MEDIA_AUDIO_SEND_RATE = 24
    INVALID_MEDIA_VIDEO_PARAMS = 25
    INVALID_MEDIA_VIDEO_CONTENT_TYPE = 26
    INVALID_MEDIA_VIDEO_CODEC = 27
    INVALID_MEDIA_VIDEO_RESOLUTION = 28
    INVALID_MEDIA_VIDEO_DATA_OPT = 29
    INVALID_MEDIA_VIDEO_FPS = 30
    INVALID_MEDIA_DESKSHARE_PARAMS = 31
    INVALID_MEDIA_DESKSHARE_CONTENT_TYPE = 32
    INVALID_MEDIA_DESKSHARE_CODEC = 33
    INVALID_MEDIA_DESKSHARE_RESOLUTION = 34
    INVALID_MEDIA_DESKSHARE_FPS = 35
    INVALID_MEDIA_TRANSCRIPT_PARAMS = 36
    INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE = 37
    INVALID_MEDIA_CHAT_PARAMS = 38
    INVALID_MEDIA_CHAT_CONTENT_TYPE = 39
    INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE = 43
    DUPLICATE_VIDEO_SUBSCRIPTION = 44


def name_of(status: int) -> str:
    """Return the `reason` that goes with a status code: nothing for 0, the name where it is known."""
    if status == Status.OK:
        return ""
    return Status(status).name if status in set(Status) else f"STATUS_{status}"


AUDIO_DEFAULT: dict[str, int] = {
    "content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 1, "send_rate": 20,
}  # fmt: skip
VIDEO_DEFAULT: dict[str, int] = {"content_type": 3, "codec": 5, "resolution": 2, "data_opt": 3, "fps": 5}
DESKSHARE_DEFAULT: dict[str, int] = {"content_type": 3, "codec": 5, "resolution": 3, "fps": 1}
TRANSCRIPT_DEFAULT: dict[str, object] = {"content_type": 5, "src_language": 9, "enable_lid": True}
CHAT_DEFAULT: dict[str, int] = {"content_type": 5}
_DEFAULTS: dict[str, Mapping[str, object]] = {
    "audio": AUDIO_DEFAULT,
    "video": VIDEO_DEFAULT,
    "deskshare": DESKSHARE_DEFAULT,
    "transcript": TRANSCRIPT_DEFAULT,
    "chat": CHAT_DEFAULT,
}
_PARAMS_WRONG = {
    "audio": Status.INVALID_MEDIA_AUDIO_PARAMS,
    "video": Status.INVALID_MEDIA_VIDEO_PARAMS,
    "deskshare": Status.INVALID_MEDIA_DESKSHARE_PARAMS,
    "transcript": Status.INVALID_MEDIA_TRANSCRIPT_PARAMS,
    "chat": Status.INVALID_MEDIA_CHAT_PARAMS,
}
_ONE = frozenset({1})
_BOTH = frozenset({1, 2})
_TWENTY = frozenset({20})
_L16_RATES = frozenset(range(20, 1001, 20))
_AUDIO = {  # (content type, codec) → sample rates, channels, send rates
    (1, 4): (frozenset({3}), _BOTH, _TWENTY),
    (1, 2): (frozenset({0}), _ONE, _TWENTY),
    (1, 3): (frozenset({1}), _ONE, _TWENTY),
    (2, 1): (frozenset({0, 1, 2, 3}), _BOTH, _L16_RATES),
    (2, 4): (frozenset({3}), _BOTH, _TWENTY),
    (2, 2): (frozenset({0}), _ONE, _TWENTY),
    (2, 3): (frozenset({1}), _ONE, _TWENTY),
}
MOST_STILL_FPS = 5
MOST_FPS = 30


def read_frame(frame: str | bytes) -> dict[str, object] | None:
    """Return the message of a text or binary frame; None where it is no JSON object."""
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def signature(client_id: str, client_secret: str, meeting_uuid: str, stream_id: str) -> str:
    """Return the handshake signature: HMAC-SHA256 over `client_id,meeting_uuid,rtms_stream_id`, in lower-case hex."""
    message = f"{client_id},{meeting_uuid},{stream_id}"
    return hmac.new(client_secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def identify(world: World, message: Mapping[str, object]) -> tuple[Status, Stream | None]:
    """Judge what both kinds of handshake have in common: shape, stream and signature."""
    meeting_id = next((message[name] for name in ID_FIELDS if name in message), None)
    stream_id, signed = message.get("rtms_stream_id"), message.get("signature")
    version = message.get("protocol_version")
    if not (isinstance(meeting_id, str) and isinstance(stream_id, str) and isinstance(signed, str) and version == 1):
        return Status.INVALID_PAYLOAD, None
    stream = world.streams.get(stream_id)
    if stream is None or not stream.live or stream.meeting.uuid != meeting_id:
        return Status.INVALID_RTMS_STREAM_ID, None
    client = stream.client
    right = signature(client.client_id, client.client_secret, meeting_id, stream_id)
    if not hmac.compare_digest(right.encode(), signed.encode("utf-8", "replace")):
        return Status.INVALID_SIGNATURE, stream
    return Status.OK, stream


def judge_media(stream: Stream, message: Mapping[str, object]) -> tuple[Status, dict[str, dict[str, object]]]:
    """Judge a media handshake's type and parameters; returns the parameters that hold, by kind."""
    asked = message.get("media_type")
    kinds = _kinds(stream, asked)
    if kinds is None or not isinstance(asked, int):
        return Status.MEDIA_TYPE_INVALID_VALUE, {}
    if isinstance(kinds, Status):
        return kinds, {}
    if ALL_MEDIA in stream.media:
        return Status.MEDIA_DATA_ALL_CONNECTION_EXIST, {}
    if asked in stream.media or (asked == ALL_MEDIA and stream.media):
        return Status.DUPLICATE_MEDIA_DATA_CONNECTION, {}
    given = message.get("media_params")
    if given is not None and not isinstance(given, dict):
        return Status.INVALID_MEDIA_PARAMS, {}
    return judge_params(kinds, given or {})


def _kinds(stream: Stream, asked: object) -> tuple[str, ...] | Status | None:
    """Return which media a type stands for; a status where its scope is missing; None where it is no single type."""
    if asked == ALL_MEDIA:
        return stream.kinds
    for kind, number in MEDIA_TYPES.items():
        if asked == number and not isinstance(asked, bool):
            return (kind,) if kind in stream.kinds else Status[f"MEDIA_TYPE_{kind.upper()}_NOT_SUPPORT"]
    return None


def judge_params(kinds: tuple[str, ...], given: Mapping[str, object]) -> tuple[Status, dict[str, dict[str, object]]]:
    """Judge the parameters of each medium; what is absent or null takes Zoom's defaults."""
    held: dict[str, dict[str, object]] = {}
    for kind in kinds:
        own = given.get(kind)
        if own is not None and not isinstance(own, dict):
            return _PARAMS_WRONG[kind], {}
        params = {**_DEFAULTS[kind], **{key: value for key, value in (own or {}).items() if value is not None}}
        status = _JUDGES[kind](params)
        if status is not Status.OK:
            return status, {}
        held[kind] = params
    return Status.OK, held


def _among(value: object, allowed: range | frozenset[int]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _first_wrong(params: Mapping[str, object], rules: Mapping[str, tuple[range | frozenset[int], Status]]) -> Status:
    for name, (allowed, status) in rules.items():
        if not _among(params.get(name), allowed):
            return status
    return Status.OK


def _audio(params: Mapping[str, object]) -> Status:
    wrong = _first_wrong(
        params,
        {
            "content_type": (_BOTH, Status.INVALID_MEDIA_AUDIO_CONTENT_TYPE),
            "sample_rate": (range(4), Status.INVALID_MEDIA_AUDIO_SAMPLE_RATE),
            "channel": (_BOTH, Status.INVALID_MEDIA_AUDIO_CHANNEL),
            "codec": (range(1, 5), Status.INVALID_MEDIA_AUDIO_CODEC),
            "data_opt": (_BOTH, Status.INVALID_MEDIA_AUDIO_DATA_OPT),
            "send_rate": (_L16_RATES, Status.INVALID_MEDIA_AUDIO_SEND_RATE),
        },
    )
    if wrong is not Status.OK:
        return wrong
    row = _AUDIO.get((params["content_type"], params["codec"]))  # type: ignore[arg-type]
    fits = row is not None and (
        params["sample_rate"] in row[0] and params["channel"] in row[1] and params["send_rate"] in row[2]
    )
    return Status.OK if fits else Status.INVALID_MEDIA_AUDIO_PARAMS


def _video(params: Mapping[str, object]) -> Status:
    most = MOST_FPS if params.get("codec") == 7 else MOST_STILL_FPS
    return _first_wrong(
        params,
        {
            "content_type": (frozenset({1, 3}), Status.INVALID_MEDIA_VIDEO_CONTENT_TYPE),
            "codec": (frozenset({5, 6, 7}), Status.INVALID_MEDIA_VIDEO_CODEC),
            "resolution": (range(1, 5), Status.INVALID_MEDIA_VIDEO_RESOLUTION),
            "data_opt": (frozenset({3, 4, 5}), Status.INVALID_MEDIA_VIDEO_DATA_OPT),
            "fps": (range(1, most + 1), Status.INVALID_MEDIA_VIDEO_FPS),
        },
    )


def _deskshare(params: Mapping[str, object]) -> Status:
    most = MOST_FPS if params.get("codec") == 7 else MOST_STILL_FPS
    return _first_wrong(
        params,
        {
            "content_type": (frozenset({1, 3}), Status.INVALID_MEDIA_DESKSHARE_CONTENT_TYPE),
            "codec": (frozenset({5, 6, 7}), Status.INVALID_MEDIA_DESKSHARE_CODEC),
            "resolution": (range(1, 5), Status.INVALID_MEDIA_DESKSHARE_RESOLUTION),
            "fps": (range(1, most + 1), Status.INVALID_MEDIA_DESKSHARE_FPS),
        },
    )


def _transcript(params: Mapping[str, object]) -> Status:
    return _first_wrong(
        params,
        {
            "content_type": (frozenset({5}), Status.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE),
            "src_language": (range(-1, 37), Status.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE),
        },
    )


def _chat(params: Mapping[str, object]) -> Status:
    return _first_wrong(params, {"content_type": (frozenset({5}), Status.INVALID_MEDIA_CHAT_CONTENT_TYPE)})


_JUDGES = {"audio": _audio, "video": _video, "deskshare": _deskshare, "transcript": _transcript, "chat": _chat}
