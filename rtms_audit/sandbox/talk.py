"""What is said on the sockets after the handshakes: ready, events, states, closing, video subscription; and media."""

import asyncio
from collections.abc import Callable, Mapping

from rtms_audit.sandbox.channel import Channel, KeepAlive
from rtms_audit.sandbox.handshake import Status, name_of
from rtms_audit.sandbox.media import FIRST_USER_ID, plan
from rtms_audit.sandbox.stream import SessionState, StopReason, Stream, StreamKeeper

KEEP_ALIVE_REQUEST, KEEP_ALIVE_RESPONSE = 12, 13
NOT_READY_NAP_S = 0.05
CATCH_UP_S = 1.0
"""How much of what a busy machine did not send in time is sent later; what is older is left out."""


class Talk:
    """One attached socket of a stream."""

    def __init__(self, stream: Stream, channel: Channel, keeper: StreamKeeper) -> None:
        self.stream = stream
        self.channel = channel
        self.keeper = keeper
        self.keepalive = KeepAlive(channel, lambda: keeper.stop(stream, StopReason.KEEP_ALIVE_TIMEOUT))

    def hear(self, message: Mapping[str, object]) -> None:
        """Take one message; what is not known is passed over."""
        kind = message.get("msg_type")
        if kind == KEEP_ALIVE_RESPONSE:
            self.keepalive.answered()
        elif kind == KEEP_ALIVE_REQUEST:
            self._push(KEEP_ALIVE_RESPONSE, sequence=message.get("sequence", 0))

    def end(self) -> None:
        """Stop asking whether the client is there."""
        self.keepalive.stop()

    def _push(self, kind: int, **fields: object) -> None:
        self.channel.push({"msg_type": kind, **fields, "timestamp": self.keeper.now_ms()})


class SignalingTalk(Talk):
    """The signaling socket."""

    def __init__(self, stream: Stream, channel: Channel, keeper: StreamKeeper) -> None:
        super().__init__(stream, channel, keeper)
        self.subscribed: set[int] = set()
        self.watched: int | None = None
        self._answers: dict[object, Callable[[Mapping[str, object]], None]] = {
            5: self._subscribe,
            7: self._ready,
            10: self._tell_session,
            19: self._tell_stream,
            21: self._close,
            28: self._watch,
        }

    def hear(self, message: Mapping[str, object]) -> None:
        """Take one message; what is not known is passed over."""
        kind = message.get("msg_type")
        answer = self._answers.get(kind) if isinstance(kind, int) else None
        if answer is None:
            super().hear(message)
        else:
            answer(message)

    def end(self) -> None:
        """Stop asking, and let the stream wait for its client if this was still its socket."""
        super().end()
        if self.stream.signaling is self.channel:
            self.keeper.signaling_lost(self.stream)

    def _is_mine(self, message: Mapping[str, object]) -> bool:
        return message.get("rtms_stream_id") == self.stream.stream_id

    def _ready(self, message: Mapping[str, object]) -> None:
        if not self._is_mine(message):
            return
        self.stream.ready = True
        if self.stream.session_state is SessionState.INITIALIZE:
            self.stream.session_state = SessionState.STARTED
        self.keeper.tell_states(self.stream, reason=0)

    def _tell_session(self, _message: Mapping[str, object]) -> None:
        state = int(self.stream.session_state)
        self._push(11, rtms_session_id=self.stream.meeting.uuid, session_state=state, state=state)

    def _tell_stream(self, _message: Mapping[str, object]) -> None:
        self._push(20, rtms_stream_id=self.stream.stream_id, state=int(self.stream.state))

    def _close(self, message: Mapping[str, object]) -> None:
        status = Status.OK if self._is_mine(message) else Status.INVALID_RTMS_STREAM_ID
        self._push(22, rtms_stream_id=self.stream.stream_id, **_outcome(status))
        if status is Status.OK:
            self.keeper.stop(self.stream, StopReason.RECEIVER_REQUEST_CLOSE)

    def _watch(self, message: Mapping[str, object]) -> None:
        """Subscribe to one participant's video; the newest wins."""
        user_id, on = message.get("user_id"), bool(message.get("subscribe", True))
        status = Status.OK
        if not isinstance(user_id, int):
            status = Status.INVALID_PAYLOAD
        elif on and self.watched == user_id:
            status = Status.DUPLICATE_VIDEO_SUBSCRIPTION
        else:
            self.watched = user_id if on else None
        self._push(29, user_id=user_id, **_outcome(status))

    def _subscribe(self, message: Mapping[str, object]) -> None:
        events = message.get("events")
        for item in events if isinstance(events, list) else []:
            number = item.get("event_type") if isinstance(item, dict) else None
            if not isinstance(number, int):
                continue
            if not item.get("subscribe", True):
                self.subscribed.discard(number)
            elif number not in self.subscribed:
                self.subscribed.add(number)
                self._tell_present(number)

    def _tell_present(self, number: int) -> None:
        """Tell a new subscriber what is already the case: who speaks, who is there, whose camera is on."""
        people: list[dict[str, object]] = [
            {"user_id": FIRST_USER_ID + 1024 * place, "user_name": user.display_name}
            for place, user in enumerate(self.stream.meeting.present)
        ]
        event: dict[str, object] = {"event_type": number, "timestamp": self.keeper.now_ms()}
        if number == 2 and people:
            self.channel.push({"msg_type": 6, "event": {**event, **people[0]}})
        elif number in (3, 8):
            self.channel.push({"msg_type": 6, "event": {**event, "participants": people}})


class MediaTalk(Talk):
    """A media socket, with one pump for each medium it carries."""

    def __init__(
        self,
        stream: Stream,
        channel: Channel,
        keeper: StreamKeeper,
        *,
        media_type: int,
        params: Mapping[str, Mapping[str, object]],
    ) -> None:
        super().__init__(stream, channel, keeper)
        self.media_type = media_type
        self._pumps = [asyncio.create_task(self._pump(kind, own)) for kind, own in params.items()]

    def end(self) -> None:
        """Stop the pumps, and let the stream wait for its client if this was still its socket."""
        super().end()
        for pump in self._pumps:
            pump.cancel()
        if self.stream.media.get(self.media_type) is self.channel:
            self.keeper.media_lost(self.stream, self.media_type)

    async def _pump(self, kind: str, params: Mapping[str, object]) -> None:
        """Send one medium for as long as the stream lives, once the client is ready and while nothing is paused."""
        message_type, pace_s, contents = plan(kind, params)
        stream, first, clock = self.stream, True, asyncio.get_running_loop().time
        due = clock()
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
            due = max(due + pace_s, clock() - CATCH_UP_S) if stream.ready else clock() + min(pace_s, NOT_READY_NAP_S)
            await asyncio.sleep(max(0.0, due - clock()))


def _outcome(status: Status) -> dict[str, object]:
    return {"status_code": int(status), "reason": name_of(status)}
