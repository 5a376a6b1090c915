"""A stream's life: started, attached, paused, interrupted, failed over, stopped; and the webhooks that tell of it.

States and stop reasons after developers.zoom.us/docs/rtms/data-types/ (2026).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from rtms_audit.sandbox.clock import Timer
from rtms_audit.sandbox.scopes import MEDIA_SCOPES
from rtms_audit.sandbox.webhooks import Courier
from rtms_audit.sandbox.world import AppEnvironment, Grant, Meeting, User, World

MEDIA_TYPES = {"audio": 1, "video": 2, "deskshare": 4, "transcript": 8, "chat": 16}
ALL_MEDIA = 32


class StreamState(IntEnum):
    """RTMS_STREAM_STATE."""

    INACTIVE = 0
    ACTIVE = 1
    INTERRUPTED = 2
    TERMINATING = 3
    TERMINATED = 4
    PAUSED = 5
    RESUMED = 6


class SessionState(IntEnum):
    """RTMS_SESSION_STATE."""

    INACTIVE = 0
    INITIALIZE = 1
    STARTED = 2
    PAUSED = 3
    RESUMED = 4
    STOPPED = 5


class StopReason(IntEnum):
    """The RTMS_STOP_REASON values that the sandbox gives by itself; the control address can give any number."""

    USER_TRIGGERED = 2
    USER_LEFT = 3
    MEETING_ENDED = 6
    CONNECTION_TIMEOUT = 11
    DATA_CONNECTION_CLOSED_ABNORMALLY = 16
    AUTHENTICATION_FAILURE = 18
    AWAIT_RECONNECTION_TIMEOUT = 19
    RECEIVER_REQUEST_CLOSE = 20
    KEEP_ALIVE_TIMEOUT = 24


class Connection(Protocol):
    """A client's socket that has passed its handshake."""

    def push(self, message: dict[str, object]) -> None:
        """Queue one message to the client."""

    def hang_up(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket once everything queued has been sent."""


@dataclass(eq=False)
class Stream:
    """One app's stream of one meeting."""

    stream_id: str
    meeting: Meeting
    client: AppEnvironment
    grant: Grant
    operator: User
    started_at: datetime
    state: StreamState = StreamState.ACTIVE
    session_state: SessionState = SessionState.INITIALIZE
    stop_reason: int | None = None
    signaling: Connection | None = None
    media: dict[int, Connection] = field(default_factory=dict)
    ready: bool = False
    joins: int = 0
    refusals: list[int] = field(default_factory=list)
    window: Timer | None = None

    @property
    def live(self) -> bool:
        """Whether the stream can still be joined."""
        return self.state not in (StreamState.TERMINATING, StreamState.TERMINATED)

    @property
    def paused(self) -> bool:
        """Whether media rests."""
        return self.session_state is SessionState.PAUSED

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the media whose scope was granted."""
        swap = self.meeting.kind == "webinar"
        wanted = {
            k: s.replace("meeting:read:meeting_", "webinar:read:webinar_") if swap else s
            for k, s in MEDIA_SCOPES.items()
        }
        return tuple(kind for kind, scope in wanted.items() if scope in self.grant.scopes)

    def shown(self) -> dict[str, object]:
        """Return the stream as `/state` lists it."""
        return {
            "rtms_stream_id": self.stream_id,
            "meeting_id": self.meeting.meeting_id,
            "meeting_uuid": self.meeting.uuid,
            "app": self.client.app.spec.name,
            "environment": self.client.name,
            "client_id": self.client.client_id,
            "account": self.operator.account.label,
            "operator_id": self.operator.user_id,
            "state": self.state.name.lower(),
            "session_state": self.session_state.name.lower(),
            "stop_reason": self.stop_reason,
            "kinds": list(self.kinds),
            "attached": self.signaling is not None,
            "media": sorted(self.media),
            "joins": self.joins,
            "refusals": list(self.refusals),
            "started_at": self.started_at.isoformat(),
        }


class StreamKeeper:
    """Moves streams through their states and tells the app and the connected client."""

    def __init__(self, world: World, courier: Courier) -> None:
        self.world = world
        self.courier = courier
        self.base_urls: dict[str, str] = {}
        """`ws` and, with TLS, `wss`: the addresses the socket server listens on."""

    def base_url(self) -> str:
        """Return the address that started events name."""
        return self.base_urls.get(self.world.settings.transport, self.base_urls["ws"])

    def start(self, meeting: Meeting, client: AppEnvironment, operator: User, grant: Grant) -> Stream:
        """Create a stream, tell the app, and give it its window to attach."""
        number = self.world.ids.next_name("stream")
        stream = Stream(
            self.world.ids.stream_id(number), meeting, client, grant, operator, started_at=self.world.clock.wall()
        )
        self.world.streams[stream.stream_id] = stream
        self.tell_started(stream)
        self._open_window(stream, self.world.settings.attach_window_s, StopReason.CONNECTION_TIMEOUT)
        return stream

    def started_payload(self, stream: Stream) -> dict[str, object]:
        """Return the flat payload of the started event (schema of 2026-02 with the additions of 2026-05)."""
        return {
            "account_id": stream.operator.account.account_id,
            "meeting_id": stream.meeting.meeting_id,
            self._uuid_key(stream): stream.meeting.uuid,
            "operator_id": stream.operator.user_id,
            "is_original_host": stream.operator is stream.meeting.host,
            "rtms_stream_id": stream.stream_id,
            "server_urls": f"{self.base_url()}/signaling",
        }

    def tell_started(self, stream: Stream) -> None:
        """Send the started event (again: a second one for a live stream means fail-over)."""
        self.tell(stream, "rtms_started", self.started_payload(stream))

    def tell(self, stream: Stream, what: str, payload: dict[str, object]) -> None:
        """Send a stream event to the app that owns the stream, in the shape that is set."""
        prefix = "webinar" if stream.meeting.kind == "webinar" else "meeting"
        if f"rtms:read:{what}" not in stream.grant.scopes and "rtms:read" not in stream.grant.scopes:
            return
        if self.world.settings.payload_shape == "nested":
            inner = {**payload, "host_id": stream.meeting.host.user_id}
            payload = {"account_id": inner.pop("account_id", stream.operator.account.account_id), "object": inner}
        operator = stream.operator.user_id
        self.courier.send(stream.client, f"{prefix}.{what}", payload, user_id=operator, order=stream.meeting.uuid)

    def _uuid_key(self, stream: Stream) -> str:
        return "webinar_uuid" if stream.meeting.kind == "webinar" else "meeting_uuid"

    def _short(self, stream: Stream) -> dict[str, object]:
        return {self._uuid_key(stream): stream.meeting.uuid, "rtms_stream_id": stream.stream_id}

    def _open_window(self, stream: Stream, seconds: float, reason: StopReason) -> None:
        self.close_window(stream)
        stream.window = self.world.timers.after(seconds, lambda: self.stop(stream, reason))

    def close_window(self, stream: Stream) -> None:
        """Let the stream live on: the client has come, or come back."""
        if stream.window is not None:
            stream.window.cancel()
            stream.window = None

    def signaling_lost(self, stream: Stream) -> None:
        """Both sockets count as dropped; the client has a minute to come back."""
        stream.signaling, stream.ready = None, False
        for connection in list(stream.media.values()):
            connection.hang_up()
        if not stream.live:
            return
        stream.state = StreamState.INTERRUPTED
        self.tell(stream, "rtms_interrupted", self._short(stream))
        self._open_window(stream, self.world.settings.reconnect_window_s, StopReason.AWAIT_RECONNECTION_TIMEOUT)

    def media_lost(self, stream: Stream, media_type: int) -> None:
        """Note that a media socket is gone; if none is left and none comes back, the stream ends."""
        stream.media.pop(media_type, None)
        if stream.live and stream.signaling is not None and not stream.media:
            seconds = self.world.settings.media_reconnect_window_s
            self._open_window(stream, seconds, StopReason.AWAIT_RECONNECTION_TIMEOUT)

    def interrupt(self, stream: Stream) -> None:
        """Drop the client's sockets and say so, as when Zoom loses the connection."""
        if stream.signaling is not None:
            stream.signaling.hang_up(1001, "interrupted")
        else:
            self.signaling_lost(stream)

    def interrupt_media(self, stream: Stream) -> None:
        """Drop the media sockets alone, with event 7 on the signaling socket."""
        if stream.signaling is not None:
            stream.signaling.push({"msg_type": 6, "event": {"event_type": 7, "timestamp": self.now_ms()}})
        for connection in list(stream.media.values()):
            connection.hang_up(1001, "interrupted")

    def fail_over(self, stream: Stream) -> None:
        """Another server takes the stream: the sockets die and a second started event names the same stream."""
        for connection in [stream.signaling, *stream.media.values()]:
            if connection is not None:
                connection.hang_up(1001, "fail-over")
        self.tell_started(stream)

    def pause(self, stream: Stream) -> None:
        """Let media rest."""
        self._session(stream, SessionState.PAUSED, StreamState.PAUSED)

    def resume(self, stream: Stream) -> None:
        """Let media flow again."""
        self._session(stream, SessionState.RESUMED, StreamState.RESUMED)

    def _session(self, stream: Stream, session: SessionState, state: StreamState) -> None:
        stream.session_state, stream.state = session, state
        self.tell_states(stream, reason=0)

    def tell_states(self, stream: Stream, *, reason: int) -> None:
        """Push stream and session state to the connected client."""
        if stream.signaling is None:
            return
        now = self.now_ms()
        stream.signaling.push(
            {
                "msg_type": 8,
                "rtms_stream_id": stream.stream_id,
                "state": int(stream.state),
                "reason": reason,
                "timestamp": now,
            }
        )
        stream.signaling.push(
            {"msg_type": 9, "rtms_session_id": stream.meeting.uuid, "state": int(stream.session_state),
             "stop_reason": reason, "reason": reason, "timestamp": now}
        )  # fmt: skip

    def stop(self, stream: Stream, reason: int) -> None:
        """End a stream: tell the client and the app, then close the sockets."""
        if not stream.live:
            return
        self.close_window(stream)
        stream.state, stream.session_state, stream.stop_reason = (
            StreamState.TERMINATING,
            SessionState.STOPPED,
            int(reason),
        )
        stream.state = StreamState.TERMINATED
        self.tell_states(stream, reason=int(reason))
        for connection in [*stream.media.values(), stream.signaling]:
            if connection is not None:
                connection.hang_up()
        self.tell(stream, "rtms_stopped", {**self._short(stream), "stop_reason": int(reason)})

    def stop_later(self, stream: Stream, reason: int, seconds: float) -> None:
        """End a stream after a while, unless it has ended by then."""
        self.world.timers.after(seconds, lambda: self.stop(stream, reason))

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds."""
        return int(self.world.clock.wall().timestamp() * 1000)
