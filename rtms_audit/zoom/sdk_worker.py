"""A program of its own that joins a stream through Zoom's RTMS SDK (extra `sdk`) and prints what its callbacks report.

Its order comes as JSON on standard input, credentials included, so that they show in no list of processes; its reports
go to standard output, a JSON line each: {"at", "callback", "reason"}, {"at", "medium", "messages"} or {"at", "fault"}.
It imports the SDK and the standard library alone: a crash of the native library ends this process and no other.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

_BEFORE_JOIN_MS = 5000
"""How much longer than its own time the SDK is given to say that the time is over."""

_LAST_WORDS_S = 0.3
"""How long the native library is given to write down how the join ended: it calls back before it does."""


class Worker:
    """One join, and what came of it."""

    def __init__(self, order: dict[str, Any], say: Callable[[dict[str, object]], None]) -> None:
        self._order = order
        self._say = say
        self._lock = threading.Lock()
        self._told = threading.Event()
        self._left = threading.Event()
        self._heard = threading.Event()
        self._reason: int | None = None
        self._messages: Counter[str] = Counter()

    def run(self, client: Any) -> None:
        """Join, wait for the first message or as long as asked, and leave."""
        client.on_join_confirm(self._joined)
        client.on_leave(self._gone)
        register = getattr(client, f"on_{self._order['medium']}_data")
        register(lambda *_: self._count(self._order["medium"]))
        client.join(self._order["join"])
        if self._told.wait((self._order["join"]["timeout"] + _BEFORE_JOIN_MS) / 1000) and self._reason == 0:
            self._left.wait(self._order["stay"]) or self._heard.wait(self._order["media_wait"])
            if not self._left.is_set():
                client.leave()
        for medium, messages in self._messages.items():
            self._tell(medium=medium, messages=messages)

    def _joined(self, reason: int) -> None:
        self._tell(callback="onJoinConfirm", reason=reason)
        self._reason = reason
        self._told.set()

    def _gone(self, reason: int) -> None:
        self._tell(callback="onLeave", reason=reason)
        self._left.set()

    def _count(self, medium: str) -> None:
        if not self._messages[medium]:
            self._tell(medium=medium, messages=1)
        self._messages[medium] += 1
        self._heard.set()

    def _tell(self, **report: object) -> None:
        with self._lock:
            self._say({"at": datetime.now(UTC).isoformat(), **report})


def sdk_client() -> Any:
    """Make a client of the SDK."""
    import rtms

    return rtms.Client()


def main(source: TextIO, target: TextIO, make_client: Callable[[], Any] = sdk_client) -> None:
    """Do the one join that the source asks for, and write the reports to the target."""
    order = json.load(source)

    def say(report: dict[str, object]) -> None:
        target.write(json.dumps(report) + "\n")
        target.flush()

    try:
        Worker(order, say).run(make_client())
    except Exception as error:  # noqa: BLE001  whatever the SDK raises is what its user wants to know
        say({"at": datetime.now(UTC).isoformat(), "fault": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
    time.sleep(_LAST_WORDS_S)
    os._exit(0)  # the SDK's threads may crash while the interpreter shuts down
