"""Joining an RTMS stream as a client that speaks the protocol itself, and noting every step with its time.

Signaling socket, one media socket per medium, client-ready, keep-alives, first media, and the end. What is learnt are
`handshake` and `keepalive` observations; nothing in them is a secret. The order of messages is that of
https://developers.zoom.us/docs/rtms/meetings/work-with-streams/ (2026).
"""

import json
import logging
import queue
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect as connect_socket

from rtms_audit.core.answers import as_int
from rtms_audit.core.model import Kind
from rtms_audit.errors import UserError
from rtms_audit.zoom import rtms_messages as messages
from rtms_audit.zoom.rtms_failures import upgrade_status, why
from rtms_audit.zoom.rtms_link import WAITING, Arrival, Link, pump
from rtms_audit.zoom.rtms_messages import Medium, Message
from rtms_audit.zoom.rtms_plan import JoinPlan, JoinResult, MediaCount, Step, StreamEnd
from rtms_audit.zoom.signature import signature
from rtms_audit.zoom.webhooks import split_addresses

__all__ = ["JoinPlan", "JoinResult", "MediaCount", "Medium", "Step", "StreamEnd", "join"]

_QUIET = logging.getLogger("rtms_audit.zoom.rtms_socket.frames")
_QUIET.setLevel(logging.WARNING)  # at DEBUG the library logs whole frames, and with them signatures and what was said

LARGEST_FRAME = 8 * 1024 * 1024
"""Bytes of a message that are taken at most; a high-definition picture stays far below."""

Connect: TypeAlias = Callable[..., AbstractContextManager[Any]]


def join(
    plan: JoinPlan,
    *,
    clock: Callable[[], datetime],
    connect: Connect = connect_socket,
    monotonic: Callable[[], float] = time.monotonic,
) -> JoinResult:
    """Join, stay and leave as the plan says; never raises for what the other side or the network does.

    UserError where the CA file cannot be read. A second signaling connection to a stream may end the first one
    (zoom/skills connection.md, 2026-07-13), so do not join what another receiver holds.
    """
    context = _tls(plan.ca_file)
    with ExitStack() as stack:
        joiner = _Joiner(plan, clock=clock, connect=connect, monotonic=monotonic, stack=stack, tls=context)
        joiner.run()
        return joiner.result


def _tls(ca_file: Path | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ValueError) as error:
        raise UserError(
            f"the CA file {ca_file} cannot be used ({error.__class__.__name__})",
            next_step="Name a readable PEM file of certificates.",
        ) from None


class _Joiner:
    """The course of one join. Reader threads only queue what arrives; everything is decided on the caller's thread."""

    def __init__(
        self,
        plan: JoinPlan,
        *,
        clock: Callable[[], datetime],
        connect: Connect,
        monotonic: Callable[[], float],
        stack: ExitStack,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.result = JoinResult()
        self._plan = plan
        self._clock = clock
        self._connect = connect
        self._monotonic = monotonic
        self._stack = stack
        self._tls = tls
        self._inbox: queue.Queue[Arrival] = queue.Queue(WAITING)
        self._media: dict[Medium, Link] = {}
        self._over = threading.Event()
        self._until = monotonic() + plan.deadline

    def run(self) -> None:
        """Do every step that is possible; where one fails the later ones are left out."""
        try:
            signaling = self._signal()
            if signaling is not None:
                self._take_part(signaling)
        finally:
            self._over.set()
        if self.result.keep_alives:
            self._note(Kind.KEEPALIVE, {"missed": 0})

    def _take_part(self, signaling: Link) -> None:
        self._open_media(signaling)
        if self.result.accepted and signaling.open:
            self._send(signaling, messages.client_ready(self._plan.stream_id))
            self._send(signaling, messages.subscription())
            self._stay(signaling)
        if self._plan.close_stream and signaling.open:
            self._ask_to_close(signaling)

    def _signal(self) -> Link | None:
        """Try the addresses in turn until one can be opened; return the link where its handshake was accepted."""
        request = messages.signaling_request(**self._identity())
        for url in split_addresses(self._plan.server_urls):
            link = self._open("signaling", url, request)
            if link is not None:
                accepted = self._shake(link, Message.SIGNALING_ANSWER)
                self.result.signaling_status = as_int((link.answer or {}).get("status_code"))
                self.result.signaled = accepted
                return link if accepted else None
        return None

    def _open_media(self, signaling: Link) -> None:
        """Shake hands for each medium on a socket of its own."""
        addresses = messages.media_addresses(signaling.answer or {})
        missing = []
        for medium in dict.fromkeys(self._plan.media):
            if medium.key not in addresses:
                missing.append(medium)
            elif signaling.open:
                link = self._open("media", addresses[medium.key], messages.media_request(medium, **self._identity()))
                if link is not None and self._shake(link, Message.MEDIA_ANSWER):
                    self._media[medium] = link
        self.result.accepted, self.result.without_address = tuple(self._media), tuple(missing)

    def _identity(self) -> dict[str, str]:
        plan = self._plan
        signed = plan.ready_signature
        text = (
            signed.reveal()
            if signed is not None
            else signature(plan.client_id, plan.client_secret, plan.stream_of, plan.stream_id)
        )
        return {
            "id_field": plan.id_field,
            "stream_of": plan.stream_of,
            "stream_id": plan.stream_id,
            "signature": text,
        }

    def _open(self, socket: str, url: str, request: Mapping[str, object]) -> Link | None:
        """Open a socket and start its reader; a failure becomes a step."""
        began, patience = self._monotonic(), self._patience()
        if patience <= 0:
            self._handshake(socket, request, began, {"error": f"not tried: {self._plan.deadline:g} s were over"})
            return None
        options = {"ssl": self._tls} if self._tls is not None and url.lower().startswith("wss:") else {}
        try:
            connection = self._stack.enter_context(
                self._connect(
                    url,
                    open_timeout=patience,
                    close_timeout=1,
                    ping_interval=None,
                    compression=None,
                    max_size=LARGEST_FRAME,
                    logger=_QUIET,
                    **options,
                )
            )
        except (OSError, EOFError, ValueError, ImportError, WebSocketException) as error:
            failure: dict[str, object] = {"error": why(error, url, patience)}
            if (status := upgrade_status(error)) is not None:
                failure["upgrade_status"] = status
            self._handshake(socket, request, began, failure)
            return None
        link = Link(socket, connection, request, began)
        threading.Thread(target=pump, args=(link, self._inbox, self._over), name=f"rtms-{socket}", daemon=True).start()
        return link

    def _shake(self, link: Link, wanted: Message) -> bool:
        """Send the handshake, wait for its answer, and say whether it is status 0."""
        link.began, patience = self._monotonic(), self._patience()
        self._send(link, link.request)
        answer = self._await(link, wanted, link.began + patience)
        if answer is not None:
            link.answer = answer
            self._handshake(link.socket, link.request, link.began, {"response": messages.without_signature(answer)})
        elif link.open:
            self._handshake(link.socket, link.request, link.began, {"error": f"no answer within {patience:.3g} s"})
        return answer is not None and as_int(answer.get("status_code")) == 0

    def _await(self, link: Link, wanted: Message, deadline: float) -> Mapping[str, object] | None:
        """Handle whatever arrives until the wanted message comes on this link, it closes, or the time is over."""
        while link.open and (arrival := self._next(deadline)) is not None:
            message = self._handle(*arrival)
            if message is not None and arrival[0] is link and messages.message_type(message) == wanted:
                return message
        return None

    def _stay(self, signaling: Link) -> None:
        """Stay for the time of the plan, and a while longer for media that have not come yet."""
        ready = self._monotonic()
        leave, patience = ready + self._plan.stay, ready + max(self._plan.stay, self._plan.media_wait)
        while signaling.open and self.result.end is None:
            deadline = leave if self._has_all_media() else patience
            arrival = self._next(deadline)
            if arrival is None:
                return
            self._handle(*arrival)

    def _has_all_media(self) -> bool:
        """Whether every medium has come whose socket is still open, so that there is nothing more to wait for."""
        awaited = {medium for medium, link in self._media.items() if link.open}
        return bool(self.result.media) if Medium.ALL in awaited else awaited <= set(self.result.media)

    def _ask_to_close(self, signaling: Link) -> None:
        self._send(signaling, messages.close_request(self._plan.stream_id))
        answer = self._await(signaling, Message.CLOSE_ANSWER, self._monotonic() + self._plan.timeout)
        self.result.stream_closed = answer is not None and as_int(answer.get("status_code")) in (0, None)

    def _patience(self) -> float:
        """Return the seconds for one connect or one answer: those of the plan, or what is left of its deadline."""
        return min(self._plan.timeout, self._until - self._monotonic())

    def _next(self, deadline: float) -> Arrival | None:
        """Return the next arrival; None once the time is over, however much is still arriving."""
        left = deadline - self._monotonic()
        if left <= 0:
            return None
        try:
            return self._inbox.get(timeout=left)
        except queue.Empty:
            return None

    def _handle(self, link: Link, arrived: "str | bytes | ConnectionClosed") -> Mapping[str, object] | None:
        """Take in one arrival: answer keep-alives, count media, note ends; return the message."""
        if isinstance(arrived, ConnectionClosed):
            self._closed(link, arrived)
            return None
        message = messages.read_message(arrived)
        if message is None:
            self.result.unreadable += 1
            return None
        kind = messages.message_type(message)
        if kind == Message.KEEP_ALIVE:
            self._send(link, messages.keep_alive_answer(message))
            self.result.keep_alives += 1
        elif kind is not None and kind in messages.MEDIUM_OF:
            self._count(messages.MEDIUM_OF[kind])
        elif messages.is_end(message) and self.result.end is None:
            self.result.end = StreamEnd(self._clock(), messages.end_reason(message))
            self._handshake(link.socket, link.request, None, {"response": messages.without_signature(message)})
        return message

    def _count(self, medium: Medium) -> None:
        seen = self.result.media.get(medium)
        if seen is None:
            self.result.media[medium] = MediaCount(self._clock())
        else:
            seen.messages += 1

    def _closed(self, link: Link, closed: ConnectionClosed) -> None:
        """Note how the peer closed; a later close carries the handshake's answer, which it does not undo."""
        link.open = False
        told: dict[str, object] = {}
        if link.answer is not None:
            told["response"] = messages.without_signature(link.answer)
        if closed.rcvd is not None:
            told["closed"] = {"code": closed.rcvd.code, "reason": closed.rcvd.reason}
        else:
            told["error"] = str(closed) or "no close frame received or sent"
        self._handshake(link.socket, link.request, link.began, told)

    def _send(self, link: Link, message: Mapping[str, object]) -> None:
        """Send as the plan's kind of frame; a broken connection is noted when its reader tells of it."""
        text = json.dumps(message)
        try:
            link.connection.send(text.encode() if self._plan.binary else text)
        except (OSError, WebSocketException):
            return

    def _handshake(
        self, socket: str, request: Mapping[str, object], began: float | None, told: Mapping[str, object]
    ) -> None:
        kept = messages.without_signature(request)
        if self._plan.ready_signature is None:
            kept["client_id"] = self._plan.client_id
        label = {"connection": self._plan.label} if self._plan.label else {}
        self._note(Kind.HANDSHAKE, {**label, "socket": socket, "request": kept, **told}, began)

    def _note(self, kind: Kind, fields: Mapping[str, object], began: float | None = None) -> None:
        duration = (self._monotonic() - began) * 1000 if began is not None else None
        self.result.steps.append(Step(self._clock(), kind, fields, duration))
