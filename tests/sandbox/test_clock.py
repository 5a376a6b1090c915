"""Driven time and timers."""

import asyncio
from datetime import UTC, datetime

from rtms_audit.sandbox.clock import DrivenClock, Timers

START = datetime(2026, 3, 2, tzinfo=UTC)


def test_driven_time_is_the_wall_clock_and_more() -> None:
    """Advancing moves the driven time and leaves the wall clock alone."""
    clock = DrivenClock(lambda: START)
    clock.advance(90)
    assert (clock.now() - START).total_seconds() == 90
    assert clock.wall() == START


def test_timers_run_in_order_and_can_be_cancelled() -> None:
    """Due actions run in the order of their time, a cancelled one never, a new one may be added by an action."""
    ran: list[str] = []

    async def story() -> None:
        clock = DrivenClock(lambda: START)
        timers = Timers(clock)
        timers.after(20, lambda: ran.append("second"))

        def first() -> None:
            ran.append("first")
            timers.after(5, lambda: ran.append("third"))

        timers.after(10, first)
        timers.after(15, lambda: ran.append("never")).cancel()
        task = asyncio.create_task(timers.run())
        await asyncio.sleep(0)
        assert ran == []
        clock.advance(30)
        timers.wake()
        await asyncio.sleep(0.01)
        clock.advance(30)
        timers.wake()
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(story())
    assert ran == ["first", "second", "third"]
