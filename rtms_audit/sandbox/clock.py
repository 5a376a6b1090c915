"""Time in the sandbox: a clock that can be driven forward, and timers that hang on it.

Everything with a limit (codes, tokens, the attach window, keep-alives, webhook retries) is measured on the driven
clock, so a test can let an hour pass at once. Whatever leaves the sandbox as a date (headers, `event_ts`, logs) shows
the wall clock, so that a receiver with its own clock is not confused by such a jump.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

LONGEST_NAP_S = 0.25
"""Longest real sleep between two looks at the clock: a clock passed in by a test may jump without telling us."""


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class DrivenClock:
    """A wall clock plus an offset that only grows."""

    def __init__(self, wall: Callable[[], datetime] = utc_now) -> None:
        self.wall = wall
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Return the driven time, timezone-aware, UTC."""
        return self.wall() + self.offset

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self.offset += timedelta(seconds=seconds)


@dataclass(order=True)
class Timer:
    """One thing to do later; `cancel()` takes it back."""

    due: datetime
    number: int
    action: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Make sure that the action will not run."""
        self.cancelled = True


class Timers:
    """Actions to be run on the event loop once the driven clock has reached their time."""

    def __init__(self, clock: DrivenClock) -> None:
        self.clock = clock
        self._heap: list[Timer] = []
        self._numbers = itertools.count()
        self._wake = asyncio.Event()

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Run `action` when `seconds` of driven time have passed."""
        timer = Timer(self.clock.now() + timedelta(seconds=seconds), next(self._numbers), action)
        heapq.heappush(self._heap, timer)
        self._wake.set()
        return timer

    def wake(self) -> None:
        """Look at the clock now: it was driven."""
        self._wake.set()

    def clear(self) -> None:
        """Forget every timer."""
        self._heap.clear()

    async def run(self) -> None:
        """Run due actions until cancelled."""
        while True:
            self._wake.clear()
            self._run_due()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._nap())

    def _run_due(self) -> None:
        while self._heap and (self._heap[0].cancelled or self._heap[0].due <= self.clock.now()):
            timer = heapq.heappop(self._heap)
            if not timer.cancelled:
                timer.action()

    def _nap(self) -> float:
        if not self._heap:
            return LONGEST_NAP_S
        return min(LONGEST_NAP_S, max(0.0, (self._heap[0].due - self.clock.now()).total_seconds()))
