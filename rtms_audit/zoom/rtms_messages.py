"""The messages of the RTMS protocol, version 1: JSON in text or binary frames. Pure.

Numbers and fields: https://developers.zoom.us/docs/rtms/data-types/ and …/docs/rtms/meetings/work-with-streams/ (2026);
what Zoom's own SDK sends was measured with rtms 1.1.0.
"""

import json
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from rtms_audit.core.answers import as_int
from rtms_audit.zoom.exchange import SECRET


class Message(IntEnum):
    """The message types that this client sends or reads (RTMS_MESSAGE_TYPE)."""

    SIGNALING_REQUEST = 1
    SIGNALING_ANSWER = 2
    MEDIA_REQUEST = 3
    MEDIA_ANSWER = 4
    SUBSCRIBE = 5
    EVENT = 6
    CLIENT_READY = 7
    STREAM_STATE = 8
    SESSION_STATE = 9
    KEEP_ALIVE = 12
    KEEP_ALIVE_ANSWER = 13
    AUDIO = 14
    VIDEO = 15
    SHARE = 16
    TRANSCRIPT = 17
    CHAT = 18
    CLOSE_REQUEST = 21
    CLOSE_ANSWER = 22


class Medium(IntEnum):
    """A kind of media (MEDIA_DATA_TYPE); a socket takes one of them, combined masks are answered with status 14."""

    AUDIO = 1
    VIDEO = 2
    DESKSHARE = 4
    TRANSCRIPT = 8
    CHAT = 16
    ALL = 32

    @property
    def key(self) -> str:
        """The key of its address in `media_server.server_urls`, and its name in `media.kinds_received`."""
        return self.name.lower()


MEDIUM_OF: Mapping[int, Medium] = MappingProxyType(
    {
        Message.AUDIO: Medium.AUDIO,
        Message.VIDEO: Medium.VIDEO,
        Message.SHARE: Medium.DESKSHARE,
        Message.TRANSCRIPT: Medium.TRANSCRIPT,
        Message.CHAT: Medium.CHAT,
    }
)
"""Which medium a media message carries."""

DEFAULT_PARAMETERS: Mapping[Medium, Mapping[str, object]] = MappingProxyType(
    {
        Medium.AUDIO: {
            "content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 1, "send_rate": 20,
        },
        Medium.VIDEO: {"content_type": 3, "codec": 5, "resolution": 2, "data_opt": 3, "fps": 5},
        Medium.DESKSHARE: {"content_type": 3, "codec": 5, "resolution": 3, "fps": 1},
        Medium.TRANSCRIPT: {"content_type": 5, "src_language": 9, "enable_lid": True},
        Medium.CHAT: {"content_type": 5},
    }
)  # fmt: skip
"""The protocol's defaults: L16 mono 16 kHz, JPG, English with language detection (data types, 2026)."""

PARTICIPANT_EVENTS = (2, 3, 4)
"""Active speaker, join, leave. 1 and 7 are pushed unasked and must not be subscribed to (event reference, 2026)."""


def signaling_request(*, id_field: str, stream_of: str, stream_id: str, signature: str) -> dict[str, object]:
    """Return message 1."""
    return {
        "msg_type": int(Message.SIGNALING_REQUEST),
        "protocol_version": 1,
        "sequence": 1,
        id_field: stream_of,
        "rtms_stream_id": stream_id,
        "signature": signature,
    }


def media_request(
    medium: Medium, *, id_field: str, stream_of: str, stream_id: str, signature: str
) -> dict[str, object]:
    """Return message 3 for one medium, unencrypted, with the protocol's default parameters."""
    kinds = list(DEFAULT_PARAMETERS) if medium is Medium.ALL else [medium]
    return {
        "msg_type": int(Message.MEDIA_REQUEST),
        "protocol_version": 1,
        "sequence": 1,
        id_field: stream_of,
        "rtms_stream_id": stream_id,
        "signature": signature,
        "media_type": int(medium),
        "payload_encryption": False,
        "media_params": {kind.key: dict(DEFAULT_PARAMETERS[kind]) for kind in kinds},
    }


def client_ready(stream_id: str) -> dict[str, object]:
    """Return message 7, after which media flows."""
    return {"msg_type": int(Message.CLIENT_READY), "rtms_stream_id": stream_id}


def subscription() -> dict[str, object]:
    """Return message 5 for the participants' events."""
    events = [{"event_type": number, "subscribe": True} for number in PARTICIPANT_EVENTS]
    return {"msg_type": int(Message.SUBSCRIBE), "events": events}


def keep_alive_answer(request: Mapping[str, object]) -> dict[str, object]:
    """Return message 13: `timestamp` and `sequence` come back as they came, where they came."""
    echoed = {name: request[name] for name in ("timestamp", "sequence") if name in request}
    return {"msg_type": int(Message.KEEP_ALIVE_ANSWER), **echoed}


def close_request(stream_id: str) -> dict[str, object]:
    """Return message 21, which asks Zoom to end the stream (stop reason 20)."""
    return {"msg_type": int(Message.CLOSE_REQUEST), "rtms_stream_id": stream_id}


def read_message(frame: str | bytes) -> dict[str, object] | None:
    """Return the JSON object in a text or binary frame, None where there is none."""
    try:
        document = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def message_type(message: Mapping[str, object]) -> int | None:
    """Return the `msg_type`."""
    return as_int(message.get("msg_type"))


def media_addresses(answer: Mapping[str, object]) -> dict[str, str]:
    """Return the addresses of message 2 by medium; keys depend on the scopes that were granted."""
    server = answer.get("media_server")
    addresses = server.get("server_urls") if isinstance(server, dict) else None
    if not isinstance(addresses, dict):
        return {}
    return {name: value for name, value in addresses.items() if isinstance(value, str) and value}


def is_end(message: Mapping[str, object]) -> bool:
    """Whether a message says that the stream has terminated (8: state 4) or the session stopped (9: state 5)."""
    kind, state = message_type(message), as_int(message.get("state"))
    return (kind == Message.STREAM_STATE and state == 4) or (kind == Message.SESSION_STATE and state == 5)


def end_reason(message: Mapping[str, object]) -> int | None:
    """Return the stop reason of such a message; the tables and the example differ in the field's name."""
    found = as_int(message.get("stop_reason"))
    return found if found is not None else as_int(message.get("reason"))


def without_signature(message: Mapping[str, object]) -> dict[str, object]:
    """Return a copy that may be kept."""
    return {name: SECRET if name == "signature" else value for name, value in message.items()}
