"""One client's WebSocket: frames in and out, and keep-alives."""

import asyncio
import json
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from rtms_audit.sandbox.clock import Timer
from rtms_audit.sandbox.handshake import MAX_FRAME, read_frame
from rtms_audit.sandbox.world import World

QUEUE_LIMIT = 1000
"""Messages that may wait for a slow client; media beyond that are dropped."""


class Channel:
    """A socket with a queue before it, so that anybody may push without waiting."""

    def __init__(self, websocket: WebSocket, world: World) -> None:
        self.world = world
        self._websocket = websocket
        self._queue: asyncio.Queue[dict[str, object] | tuple[int, str]] = asyncio.Queue()
        self._speaks_text = False
        self._hung_up = False

    # -- towards the client --------------------------------------------------------------------------------------------

    def push(self, message: dict[str, object]) -> None:
        """Queue one message to the client."""
        if not self._hung_up:
            self._queue.put_nowait(message)

    def push_media(self, message: dict[str, object]) -> None:
        """Queue one media message, unless the client is too far behind."""
        if self._queue.qsize() < QUEUE_LIMIT:
            self.push(message)

    def hang_up(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket once everything queued has been sent."""
        if not self._hung_up:
            self._hung_up = True
            self._queue.put_nowait((code, reason))

    async def write(self) -> None:
        """Send what is queued until the socket is hung up or gone."""
        while True:
            item = await self._queue.get()
            try:
                if isinstance(item, tuple):
                    await self._websocket.close(*item)
                    return
                await self._send(json.dumps(item, separators=(",", ":")))
            except (
                WebSocketDisconnect,
                RuntimeError,
            ):  # the client has gone; Starlette says RuntimeError after a close
                return

    async def _send(self, text: str) -> None:
        kind = self.world.settings.frames
        if kind == "text" or (kind == "mirror" and self._speaks_text):
            await self._websocket.send_text(text)
        else:
            await self._websocket.send_bytes(text.encode())

    # -- from the client -----------------------------------------------------------------------------------------------

    async def read(self) -> dict[str, object] | None:
        """Return the next message ({} for what is no JSON object), or None once the client has gone."""
        if self._websocket.client_state is not WebSocketState.CONNECTED:
            return None
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            return None
        self._speaks_text = event.get("text") is not None
        frame = event["text"] if self._speaks_text else event.get("bytes") or b""
        return (read_frame(frame) or {}) if len(frame) <= MAX_FRAME else {}


class KeepAlive:
    """Asks every few seconds whether the client is there; three questions without an answer are too many."""

    def __init__(self, channel: Channel, on_dead: Callable[[], None]) -> None:
        self._channel = channel
        self._on_dead = on_dead
        self._asked = 0
        self._unanswered = 0
        self._timer: Timer | None = None
        self._plan()

    def answered(self) -> None:
        """Forget the questions asked so far: the client has answered."""
        self._unanswered = 0

    def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _plan(self) -> None:
        world = self._channel.world
        self._timer = world.timers.after(world.settings.keepalive_s, self._ask)

    def _ask(self) -> None:
        world = self._channel.world
        if self._unanswered >= world.settings.keepalive_misses:
            self._on_dead()
            return
        self._asked += 1
        self._unanswered += 1
        message: dict[str, object] = {"msg_type": 12, "timestamp": int(world.clock.wall().timestamp() * 1000)}
        if world.settings.keepalive_sequence == "on":
            message["sequence"] = self._asked
        self._channel.push(message)
        self._plan()
