"""The account's allowance."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from rtms_audit.core.model import Plan
from rtms_audit.zoom.limits import RATES, Label, LimitReachedError, Limits, PlanClass, SharedLimits


@pytest.mark.parametrize(
    ("plan", "column"),
    [
        (Plan.FREE, PlanClass.FREE),
        (Plan.UNKNOWN, PlanClass.FREE),
        (Plan.PAID, PlanClass.PRO),
        (Plan.PRO, PlanClass.PRO),
        (Plan.BUSINESS, PlanClass.BUSINESS),
        (Plan.ENTERPRISE, PlanClass.BUSINESS),
        (Plan.EDUCATION, PlanClass.BUSINESS),
    ],
)
def test_an_unknown_plan_is_asked_as_slowly_as_a_free_one(plan: Plan, column: PlanClass) -> None:
    """Where several columns can be meant the slowest one counts."""
    assert PlanClass.of(plan) is column


@pytest.mark.parametrize("label", list(Label))
@pytest.mark.parametrize("plan", [Plan.FREE, Plan.PRO, Plan.BUSINESS])
def test_never_faster_than_zoom_allows(clock: Any, plan: Plan, label: Label) -> None:
    """However fast calls come, no window holds more than the table says."""
    limits = Limits(clock=clock, sleep=clock.sleep, plan=plan)
    rate = RATES[PlanClass.of(plan)][label][0]
    window = timedelta(milliseconds=rate.interval)
    times = []
    for _ in range(rate.limit * 2 + 1):
        try:
            limits.take(label)
        except LimitReachedError:
            clock.sleep(60)
            continue
        times.append(clock.now)
    assert len(times) > rate.limit
    for later in range(rate.limit, len(times)):
        assert times[later] - times[later - rate.limit] >= window


def test_the_daily_allowance_ends_in_an_error(clock: Any) -> None:
    """A wait of hours is not waited."""
    limits = Limits(clock=clock, sleep=clock.sleep, plan=Plan.FREE)
    for _ in range(1000):
        limits.take(Label.HEAVY)
    with pytest.raises(LimitReachedError, match="used up"):
        limits.take(Label.HEAVY)


def test_heavy_and_resource_intensive_share_a_daily_cap(clock: Any) -> None:
    """On a paid plan both draw on one allowance of 30,000 a day."""
    limits = Limits(clock=clock, sleep=clock.sleep, plan=Plan.PRO)
    for _ in range(30_000):
        limits.take(Label.HEAVY)
    with pytest.raises(LimitReachedError):
        limits.take(Label.RESOURCE_INTENSIVE)


def test_closed_until(clock: Any) -> None:
    """What Zoom closed opens at the time it named, and other labels go on."""
    limits = Limits(clock=clock, sleep=clock.sleep)
    limits.close(Label.LIGHT, clock.now + timedelta(seconds=5))
    with pytest.raises(LimitReachedError) as caught:
        limits.take(Label.LIGHT)
    assert caught.value.until == clock.now + timedelta(seconds=5)
    assert limits.take(Label.MEDIUM) == 0.0
    clock.sleep(5)
    assert limits.take(Label.LIGHT) == 0.0


def test_accounts_do_not_share(clock: Any) -> None:
    """Each account has one allowance, the same object for all who ask."""
    shared = SharedLimits(clock=clock, sleep=clock.sleep)
    assert shared.of("a") is shared.of("a", Plan.PRO)
    assert shared.of("a") is not shared.of("b")


def test_threads_share_an_allowance(clock: Any) -> None:
    """Eight threads together get no more than the table says, and nobody is lost."""
    limits = Limits(clock=clock, sleep=clock.sleep, plan=Plan.BUSINESS)
    taken: list[float] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(limits.take(Label.LIGHT) for _ in range(10))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 80
    assert sum(taken) == 0.0
    assert limits.take(Label.LIGHT) > 0
