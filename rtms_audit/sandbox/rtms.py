"""The RTMS sockets: signaling and media, protocol V1 (JSON over WebSocket), from the first message on.

After developers.zoom.us/docs/rtms/meetings/work-with-streams (2026), and after what Zoom's SDK for Python 1.1.0 was
seen to need: binary frames, a sequence in keep-alives, an address per medium beside `all`.
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from starlette.websockets import WebSocket

from rtms_audit.sandbox.channel import Channel
from rtms_audit.sandbox.handshake import Status, identify, judge_media, name_of
from rtms_audit.sandbox.platform import Platform
from rtms_audit.sandbox.stream import StopReason, Stream, StreamState
from rtms_audit.sandbox.talk import MediaTalk, SignalingTalk, Talk

SIGNALING_REQUEST, SIGNALING_RESPONSE, MEDIA_REQUEST, MEDIA_RESPONSE = 1, 2, 3, 4
LAST_WORDS_S = 1.0


def rtms_router(platform_of: Callable[[], Platform]) -> APIRouter:
    """Return the socket routes under `/rtms`."""
    router = APIRouter()

    @router.websocket("/{path:path}")
    async def connect(websocket: WebSocket, path: str) -> None:
        """Serve one socket; what it is shows in its first message."""
        platform = platform_of()
        await websocket.accept()
        await Visit(platform, Channel(websocket, platform.world), is_media=path.startswith("media")).serve()

    return router


class Visit:
    """One connection, from its first message to its end."""

    def __init__(self, platform: Platform, channel: Channel, *, is_media: bool) -> None:
        self.world = platform.world
        self.keeper = platform.keeper
        self.channel = channel
        self.is_media = is_media
        self.talk: Talk | None = None

    # -- frame of a visit ----------------------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Listen and answer until either side hangs up."""
        patience = self.world.timers.after(self.world.settings.attach_window_s, self._lose_patience)
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
            if self.talk is not None:
                self.talk.end()
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    def _note_crash(self, reader: "asyncio.Task[None]") -> None:
        """Show a defect of the sandbox itself in `/state`, rather than lose it in a socket that just closes."""
        if reader.done() and not reader.cancelled() and (error := reader.exception()) is not None:
            self.world.crashes.append("".join(traceback.format_exception(error)))

    def _lose_patience(self) -> None:
        if self.talk is None:
            self.channel.hang_up()

    async def _listen(self) -> None:
        first = await self.channel.read()
        if first is None:
            return
        if self.world.settings.handshake_reply == "on":
            self._greet(first)
        while (message := await self.channel.read()) is not None:
            if self.talk is not None:
                self.talk.hear(message)

    # -- handshakes ----------------------------------------------------------------------------------------------------

    def _greet(self, message: Mapping[str, object]) -> None:
        kind = message.get("msg_type")
        if kind not in (SIGNALING_REQUEST, MEDIA_REQUEST):
            answer = MEDIA_RESPONSE if self.is_media else SIGNALING_RESPONSE
            self._reply(answer, message, Status.INVALID_MESSAGE_TYPE if message else Status.INVALID_PAYLOAD)
            return
        answer = SIGNALING_RESPONSE if kind == SIGNALING_REQUEST else MEDIA_RESPONSE
        forced = self.world.settings.forced_status.get("signaling" if kind == SIGNALING_REQUEST else "media")
        status, stream = identify(self.world, message)
        if forced is not None:
            self._reply(answer, message, forced)
        elif stream is None:
            self._reply(answer, message, status)
        elif status is Status.INVALID_SIGNATURE:
            self._refuse_signature(answer, message, stream)
        elif kind == SIGNALING_REQUEST:
            self._greet_signaling(message, stream)
        else:
            self._greet_media(message, stream)

    def _greet_signaling(self, message: Mapping[str, object], stream: Stream) -> None:
        if stream.signaling is not None and self.world.settings.duplicate_connection == "status-8":
            stream.refusals.append(Status.DUPLICATE_SIGNAL_REQUEST)
            self._reply(SIGNALING_RESPONSE, message, Status.DUPLICATE_SIGNAL_REQUEST)
            return
        _kick(stream)
        stream.signaling, stream.ready = self.channel, False
        stream.joins += 1
        stream.state = StreamState.PAUSED if stream.paused else StreamState.ACTIVE
        self.keeper.close_window(stream)
        self.talk = SignalingTalk(stream, self.channel, self.keeper)
        urls = {"media_server": {"server_urls": self._media_urls(stream)}}
        self._reply(SIGNALING_RESPONSE, message, Status.OK, urls)

    def _media_urls(self, stream: Stream) -> dict[str, str]:
        base, wanted = self.keeper.base_url(), self.world.settings.media_url_kinds
        urls = {kind: f"{base}/media/{kind}" for kind in stream.kinds} if wanted == "by-scope" else {}
        return {**urls, "all": f"{base}/media/all"} if wanted != "none" and stream.kinds else urls

    def _greet_media(self, message: Mapping[str, object], stream: Stream) -> None:
        if stream.signaling is None:
            self._reply(MEDIA_RESPONSE, message, Status.INVALID_RTMS_STREAM_ID)
            return
        status, params = judge_media(stream, message)
        media_type = message.get("media_type")
        if status is not Status.OK or not isinstance(media_type, int):
            self._refuse_media(message, stream, status)
            return
        stream.media[media_type] = self.channel
        self.keeper.close_window(stream)
        more = {"payload_encrypted": False, "media_params": params}
        self._reply(MEDIA_RESPONSE, message, Status.OK, more)
        self.talk = MediaTalk(stream, self.channel, self.keeper, media_type=media_type, params=params)

    def _refuse_media(self, message: Mapping[str, object], stream: Stream, status: Status) -> None:
        """Refuse a medium. After a combined mask Zoom was seen to stop the stream too; the reason is not known."""
        stream.refusals.append(status)
        if status is Status.MEDIA_TYPE_INVALID_VALUE:
            reason = StopReason.DATA_CONNECTION_CLOSED_ABNORMALLY
            self.keeper.stop_later(stream, reason, self.world.settings.auth_failure_stop_s)
        self._reply(MEDIA_RESPONSE, message, status)

    def _refuse_signature(self, kind: int, message: Mapping[str, object], stream: Stream) -> None:
        stream.refusals.append(Status.INVALID_SIGNATURE)
        self.keeper.stop_later(stream, StopReason.AUTHENTICATION_FAILURE, self.world.settings.auth_failure_stop_s)
        if self.world.settings.auth_failure == "close-1000":
            self.channel.hang_up(1000)
        else:
            self._reply(kind, message, Status.INVALID_SIGNATURE)

    def _reply(
        self, kind: int, message: Mapping[str, object], status: int, more: Mapping[str, object] | None = None
    ) -> None:
        """Answer a handshake; a refused client is hung up on after the answer."""
        sequence = message.get("sequence")
        answer: dict[str, object] = {
            "msg_type": kind,
            "protocol_version": 1,
            "sequence": sequence if isinstance(sequence, int) else 0,
            "status_code": int(status),
            "reason": name_of(status),
        }
        self.channel.push({**answer, **(more or {})})
        if status != Status.OK:
            self.channel.hang_up(1000)


def _kick(stream: Stream) -> None:
    """Let a newcomer take the stream: the sockets that hold it are closed."""
    old = [stream.signaling, *stream.media.values()]
    stream.signaling = None
    stream.media.clear()
    for connection in old:
        if connection is not None:
            connection.hang_up(1000, "replaced by another connection")
