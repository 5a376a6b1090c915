"""One open socket of a join, and the thread that queues what arrives on it."""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from websockets.exceptions import ConnectionClosed

WAITING = 64
"""Messages that may wait to be read before their sockets are held back."""


class Connection(Protocol):
    """What is needed of a WebSocket connection."""

    def send(self, message: str | bytes) -> None:
        """Send a text or a binary frame."""

    def recv(self) -> str | bytes:
        """Wait for the next message."""


@dataclass(slots=True)
class Link:
    """One open socket: what was sent as its handshake, what came back, and whether it is still open."""

    socket: str
    connection: Connection
    request: Mapping[str, object]
    began: float
    answer: Mapping[str, object] | None = None
    open: bool = True


Arrival: TypeAlias = tuple[Link, "str | bytes | ConnectionClosed"]


def pump(link: Link, inbox: "queue.Queue[Arrival]", over: threading.Event) -> None:
    """Queue everything that arrives on a link, last of all how it closed; end when the join is over."""
    arrived: str | bytes | ConnectionClosed = b""
    while not isinstance(arrived, ConnectionClosed) and not over.is_set():
        try:
            arrived = link.connection.recv()
        except ConnectionClosed as closed:
            arrived = closed
        _queue(inbox, (link, arrived), over)


def _queue(inbox: "queue.Queue[Arrival]", arrival: Arrival, over: threading.Event) -> None:
    """Wait for room, so that a flood is held back at its source; give up when the join is over."""
    while not over.is_set():
        try:
            inbox.put(arrival, timeout=0.2)
        except queue.Full:
            continue
        return
