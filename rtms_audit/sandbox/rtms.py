"""The RTMS sockets: signaling and media, protocol V1 (JSON over WebSocket).

After developers.zoom.us/docs/rtms/meetings/work-with-streams (2026), and after what Zoom's SDK for Python 1.1.0 was seen to
need: binary frames, a sequence in keep-alives, an address per medium beside `all`.
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from starlette.websockets import WebSocket

from rtms_audit.sandbox.channel import Channel, KeepAlive
from rtms_audit.sandbox.handshake import Status, identify, judge_media
from rtms_audit.sandbox.media import FIRST_USER_ID, plan
from rtms_audit.sandbox.platform import Platform
from rtms_audit.sandbox.stream import SessionState, StopReason, Stream, StreamState

SIGNALING_REQUEST, SIGNALING_RESPONSE, MEDIA_REQUEST, MEDIA_RESPONSE = 1, 2, 3, 4
LAST_WORDS_S = 1.0


def rtms_router(platform_of: Callable[[], Platform]) -> APIRouter:
    """Return the socket routes under `/rtms`."""
    router = APIRouter()

    @router.websocket("/{path:path}")
    async def connect(websocket: WebSocket, path: str) -> None:
        await websocket.accept()
        await _Visit(platform_of(), Channel(websocket, platform_of().world), path).serve()

    return router


class _Visit:
    """One connection, from its first message to its end."""

    def __init__(self, platform: Platform, channel: Channel, path: str) -> None:
        self.platform = platform
        self.world = platform.world
        self.keeper = platform.keeper
        self.channel = channel
        self.is_media_address = path.startswith("media")
        self.stream: Stream | None = None
        self.media_type: int | None = None
        self.keepalive: KeepAlive | None = None
        self.pumps: list[asyncio.Task[None]] = []
        self.subscribed: set[int] = set()
        self.watched: int | None = None

    # -- frame of a visit ----------------------------------------------------------------------------------------------

    async def serve(self) -> None:
        patience = self.world.timers.after(self.world.settings.attach_window_s, self._impatient)
        reader = asyncio.create_task(self._listen())
        writer = asyncio.create_task(self.channel.write())
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                self.channel.hang_up()
                await asyncio.wait({writer}, timeout=LAST_WORDS_S)
            self._note_crash(reader)
        finally:
            patience.cancel()
            self._leave()
            for task in (reader, writer, *self.pumps):
                task.cancel()
            await asyncio.gather(reader, writer, *self.pumps, return_exceptions=True)

    def _note_crash(self, reader: "asyncio.Task[None]") -> None:
        """Show a defect of the sandbox itself in `/state`, rather than lose it in a socket that just closes."""
        if reader.done() and not reader.cancelled() and (error := reader.exception()) is not None:
            self.world.crashes.append("".join(traceback.format_exception(error)))

    def _impatient(self) -> None:
        if self.stream is None:
            self.channel.hang_up()

    async def _listen(self) -> None:
        first = await self.channel.read()
        if first is None:
            return
        if self.world.settings.handshake_reply == "off":
            while await self.channel.read() is not None:
                pass
            return
        kind = first.get("msg_type")
        if kind == SIGNALING_REQUEST:
            self._greet_signaling(first)
        elif kind == MEDIA_REQUEST:
            self._greet_media(first)
        else:
            self._reply(
                MEDIA_RESPONSE if self.is_media_address else SIGNALING_RESPONSE, first, Status.INVALID_MESSAGE_TYPE
            )
        while self.keepalive is not None and (message := await self.channel.read()) is not None:
            self._hear(message)

    def _leave(self) -> None:
        if self.keepalive is not None:
            self.keepalive.stop()
        stream = self.stream
        if stream is None:
            return
        if self.media_type is None and stream.signaling is self.channel:
            self.keeper.signaling_lost(stream)
        elif self.media_type is not None and stream.media.get(self.media_type) is self.channel:
            self.keeper.media_lost(stream, self.media_type)

    # -- handshakes ----------------------------------------------------------------------------------------------------

    def _greet_signaling(self, message: Mapping[str, object]) -> None:
        status, stream = identify(self.world, message)
        if status is Status.INVALID_SIGNATURE and stream is not None:
            self._refuse_signature(SIGNALING_RESPONSE, message, stream)
            return
        if stream is None or status is not Status.OK:
            self._reply(SIGNALING_RESPONSE, message, status)
            return
        if stream.signaling is not None and self.world.settings.duplicate_connection == "status-8":
            stream.refusals.append(Status.DUPLICATE_SIGNAL_REQUEST)
            self._reply(SIGNALING_RESPONSE, message, Status.DUPLICATE_SIGNAL_REQUEST)
            return
        self._kick(stream)
        self._attach(stream)
        urls = {"media_server": {"server_urls": self._media_urls(stream)}}
        self._reply(SIGNALING_RESPONSE, message, Status.OK, urls)

    def _kick(self, stream: Stream) -> None:
        old = [stream.signaling, *stream.media.values()]
        stream.signaling = None
        stream.media.clear()
        for connection in old:
            if connection is not None:
                connection.hang_up(1000, "replaced by another connection")

    def _attach(self, stream: Stream) -> None:
        self.stream, stream.signaling, stream.ready = stream, self.channel, False
        stream.joins += 1
        stream.state = StreamState.PAUSED if stream.paused else StreamState.ACTIVE
        self.keeper.close_window(stream)
        self.keepalive = KeepAlive(self.channel, lambda: self.keeper.stop(stream, StopReason.KEEP_ALIVE_TIMEOUT))

    def _media_urls(self, stream: Stream) -> dict[str, str]:
        base, wanted = self.keeper.base_url(), self.world.settings.media_url_kinds
        urls = {kind: f"{base}/media/{kind}" for kind in stream.kinds} if wanted == "by-scope" else {}
        return {**urls, "all": f"{base}/media/all"} if wanted != "none" and stream.kinds else urls

    def _greet_media(self, message: Mapping[str, object]) -> None:
        status, stream = identify(self.world, message)
        if status is Status.INVALID_SIGNATURE and stream is not None:
            self._refuse_signature(MEDIA_RESPONSE, message, stream)
            return
        if stream is None or status is not Status.OK or stream.signaling is None:
            self._reply(MEDIA_RESPONSE, message, status or Status.INVALID_RTMS_STREAM_ID)
            return
        status, params = judge_media(stream, message)
        if status is not Status.OK:
            stream.refusals.append(status)
            if status is Status.MEDIA_TYPE_INVALID_VALUE:  # Zoom was seen to stop the stream after a combined mask
                reason = StopReason.DATA_CONNECTION_CLOSED_ABNORMALLY
                self.keeper.stop_later(stream, reason, self.world.settings.auth_failure_stop_s)
            self._reply(MEDIA_RESPONSE, message, status)
            return
        self._attach_media(stream, message, params)

    def _attach_media(
        self, stream: Stream, message: Mapping[str, object], params: dict[str, dict[str, object]]
    ) -> None:
        media_type = message["media_type"]
        assert isinstance(media_type, int)  # noqa: S101  (judge_media saw to it)
        self.stream, self.media_type, stream.media[media_type] = stream, media_type, self.channel
        self.keeper.close_window(stream)
        encrypted = {"payload_encrypted": False, "media_params": params}
        self._reply(MEDIA_RESPONSE, message, Status.OK, encrypted)
        self.keepalive = KeepAlive(self.channel, lambda: self.keeper.stop(stream, StopReason.KEEP_ALIVE_TIMEOUT))
        self.pumps = [asyncio.create_task(self._pump(stream, kind, own)) for kind, own in params.items()]

    def _refuse_signature(self, kind: int, message: Mapping[str, object], stream: Stream) -> None:
        stream.refusals.append(Status.INVALID_SIGNATURE)
        self.keeper.stop_later(stream, StopReason.AUTHENTICATION_FAILURE, self.world.settings.auth_failure_stop_s)
        if self.world.settings.auth_failure == "close-1000":
            self.channel.hang_up(1000)
        else:
            self._reply(kind, message, Status.INVALID_SIGNATURE)

    def _reply(
        self, kind: int, message: Mapping[str, object], status: Status, more: Mapping[str, object] | None = None
    ) -> None:
        """Answer a handshake; a refused client is hung up on after the answer."""
        sequence = message.get("sequence")
        self.channel.push(
            {
                "msg_type": kind,
                "protocol_version": 1,
                "sequence": sequence if isinstance(sequence, int) else 0,
                "status_code": int(status),
                "reason": "" if status is Status.OK else status.name,
                **(more or {}),
            }
        )
        if status is not Status.OK:
            self.channel.hang_up(1000)

    # -- messages after the handshake ----------------------------------------------------------------------------------

    def _hear(self, message: Mapping[str, object]) -> None:
        kind, stream = message.get("msg_type"), self.stream
        if stream is None:
            return
        if kind == 13 and self.keepalive is not None:
            self.keepalive.answered()
        elif kind == 12:
            self.channel.push(
                {"msg_type": 13, "timestamp": self.keeper.now_ms(), "sequence": message.get("sequence", 0)}
            )
        elif self.media_type is None and isinstance(kind, int):
            self._hear_signaling(kind, message, stream)

    def _hear_signaling(self, kind: int, message: Mapping[str, object], stream: Stream) -> None:
        now = self.keeper.now_ms()
        mine = message.get("rtms_stream_id") == stream.stream_id
        if kind == 7 and mine:
            self._ready(stream)
        elif kind == 5:
            self._subscribe(stream, message.get("events"))
        elif kind == 10:
            self.channel.push(
                {
                    "msg_type": 11,
                    "rtms_session_id": stream.meeting.uuid,
                    "session_state": int(stream.session_state),
                    "state": int(stream.session_state),
                    "timestamp": now,
                }
            )
        elif kind == 19:
            self.channel.push(
                {"msg_type": 20, "rtms_stream_id": stream.stream_id, "state": int(stream.state), "timestamp": now}
            )
        elif kind == 21:
            status = Status.OK if mine else Status.INVALID_RTMS_STREAM_ID
            self.channel.push(
                {
                    "msg_type": 22,
                    "rtms_stream_id": stream.stream_id,
                    "status_code": int(status),
                    "reason": "" if mine else status.name,
                    "timestamp": now,
                }
            )
            if mine:
                self.keeper.stop(stream, StopReason.RECEIVER_REQUEST_CLOSE)
        elif kind == 28:
            self._watch(message, now)  # fmt: skip

    def _ready(self, stream: Stream) -> None:
        stream.ready = True
        if stream.session_state is SessionState.INITIALIZE:
            stream.session_state = SessionState.STARTED
        self.keeper.tell_states(stream, reason=0)

    def _watch(self, message: Mapping[str, object], now: int) -> None:
        """Subscribe to one participant's video; the newest wins."""
        user_id, on = message.get("user_id"), bool(message.get("subscribe", True))
        again = on and self.watched == user_id
        if isinstance(user_id, int):
            self.watched = user_id if on else None
        status = Status.DUPLICATE_VIDEO_SUBSCRIPTION if again else Status.OK
        if not isinstance(user_id, int):
            status = Status.INVALID_PAYLOAD
        self.channel.push({"msg_type": 29, "user_id": user_id, "status_code": int(status),
                           "reason": "" if status is Status.OK else status.name, "timestamp": now})  # fmt: skip

    def _subscribe(self, stream: Stream, events: object) -> None:
        for item in events if isinstance(events, list) else []:
            number = item.get("event_type") if isinstance(item, dict) else None
            if not isinstance(number, int):
                continue
            if not item.get("subscribe", True):
                self.subscribed.discard(number)
            elif number not in self.subscribed:
                self.subscribed.add(number)
                self._event_now(stream, number)

    def _event_now(self, stream: Stream, number: int) -> None:
        """Tell a new subscriber what is already the case."""
        people = [{"user_id": FIRST_USER_ID + 1024 * place, "user_name": user.display_name}
                  for place, user in enumerate(stream.meeting.present)]  # fmt: skip
        now = self.keeper.now_ms()
        if number == 2 and people:
            self.channel.push({"msg_type": 6, "event": {"event_type": 2, "timestamp": now, **people[0]}})
        elif number in (3, 8):
            self.channel.push(
                {"msg_type": 6, "event": {"event_type": number, "timestamp": now, "participants": people}}
            )

    # -- media ---------------------------------------------------------------------------------------------------------

    async def _pump(self, stream: Stream, kind: str, params: Mapping[str, object]) -> None:
        """Send one medium for as long as the stream lives, once the client is ready and while nothing is paused."""
        message_type, pace, contents = plan(kind, params)
        first = True
        while stream.live:
            if stream.ready and not stream.paused:
                now = self.keeper.now_ms()
                content = {**next(contents), "timestamp": now}
                if kind == "transcript":
                    content |= {"start_time": now - 900, "end_time": now, "attribute": 1}
                self.channel.push_media({"msg_type": message_type, "content": content})
                if first and stream.signaling is not None:
                    stream.signaling.push({"msg_type": 6, "event": {"event_type": 1, "timestamp": now}})
                first = False
            await asyncio.sleep(pace if stream.ready else min(pace, 0.05))
