"""What a join is asked to do and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rtms_audit.core.model import Kind
from rtms_audit.core.secret import Secret
from rtms_audit.zoom.rtms_messages import Medium


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPlan:
    """What to join, signed by which pair, and for how long.

    `stream_of` is the meeting UUID (or webinar UUID, session id, engagement id: then `id_field` says so).
    `server_urls` is the started event's text, several addresses with commas between, tried in turn. `ready_signature`
    replaces the computed one. `timeout` (s) holds for each connect and each answer, 10 s as in Zoom's SDK; `deadline`
    (s) for everything up to client-ready, 60 s as Zoom waits (devforum.zoom.us/t/144332). After client-ready the client
    stays `stay` seconds, and up to `media_wait` seconds for the first message of every accepted medium. `close_stream`
    asks Zoom at the end to stop the stream; otherwise the client only leaves. `binary` sends binary frames, as Zoom's
    SDK does, instead of text frames as the Node samples do. `label` names the connection where one stream has several.
    """

    client_id: str
    client_secret: Secret
    stream_of: str
    stream_id: str
    server_urls: str
    media: tuple[Medium, ...] = (Medium.AUDIO, Medium.TRANSCRIPT)
    id_field: str = "meeting_uuid"
    ready_signature: Secret | None = None
    timeout: float = 10.0
    deadline: float = 60.0
    stay: float = 0.0
    media_wait: float = 5.0
    close_stream: bool = False
    binary: bool = False
    ca_file: Path | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Something seen on a socket: the fields of a `handshake` or `keepalive` observation, when, and how long it took.

    `at` is the time of the answer or failure; `duration_ms` counts from the first byte sent for it.
    """

    at: datetime
    kind: Kind
    fields: Mapping[str, object]
    duration_ms: float | None = None


@dataclass(slots=True)
class MediaCount:
    """The first message of a medium and how many came."""

    first_at: datetime
    messages: int = 1


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """That Zoom said the stream or session ended; `reason` is an RTMS stop reason where one was given."""

    at: datetime
    reason: int | None


@dataclass(slots=True)
class JoinResult:
    """What came of a join; `steps` in the order of time.

    `signaled`: message 2 had status 0. `joined`: at least one medium was accepted too, which is when Zoom's SDK
    reports reason 0. `signaling_status` is message 2's status, None without an answer. `without_address` are media
    that were asked for and for which the signaling answer had no address: their scope was not granted, in Zoom's words.
    `unreadable` counts frames that held no JSON object.
    """

    steps: list[Step] = field(default_factory=list)
    signaled: bool = False
    signaling_status: int | None = None
    accepted: tuple[Medium, ...] = ()
    without_address: tuple[Medium, ...] = ()
    media: dict[Medium, MediaCount] = field(default_factory=dict)
    keep_alives: int = 0
    end: StreamEnd | None = None
    stream_closed: bool = False
    unreadable: int = 0

    @property
    def joined(self) -> bool:
        """Whether both kinds of handshake succeeded."""
        return self.signaled and bool(self.accepted)
