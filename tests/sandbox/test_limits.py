"""Zoom's rate limits, as a free and a paid account meet them."""

from typing import Any, TypeAlias

import pytest

from rtms_audit.sandbox.clock import DrivenClock, Timers
from rtms_audit.sandbox.limits import Limiter
from rtms_audit.sandbox.scenario import load_scenario
from rtms_audit.sandbox.world import World

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports


def limiter() -> Limiter:
    """Return a limiter in a world of its own."""
    clock = DrivenClock()
    return Limiter(World(load_scenario(), clock, Timers(clock)))


def test_free_account_is_slowed_per_second(desk: Desk) -> None:
    """The third Medium call within a second is a 429 with Zoom's words and headers; a second later it passes."""
    token = desk.install("freelancer")["access_token"]
    answers = [desk.call(token, "/users/me/settings") for _ in range(3)]
    refused = answers[-1]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert refused.json()["code"] == 429
    assert "per-second" in refused.json()["message"]
    assert refused.headers["x-ratelimit-type"] == "QPS"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    desk.order("/clock", advance=1)
    assert desk.call(token, "/users/me/settings").status_code == 200


def test_limits_can_be_switched(desk: Desk) -> None:
    """Off means off; the other body code and the bare header of the live answer can be had."""
    token = desk.install("freelancer")["access_token"]
    desk.order("/settings", rate_limits="off")
    assert {desk.call(token, "/users/me/settings").status_code for _ in range(5)} == {200}
    desk.order("/settings", rate_limits="on", rate_limit_code=4001, rate_limit_headers="category")
    refused = [desk.call(token, "/users/me/settings") for _ in range(3)][-1]
    assert refused.json()["code"] == 4001
    assert [name for name in refused.headers if name.startswith("x-ratelimit")] == ["x-ratelimit-category"]


def test_daily_limit_names_the_next_day() -> None:
    """After the day's calls the answer carries an ISO date to come back at."""
    rates = limiter()
    for _ in range(1000):
        assert rates.take("a", "free", "Heavy").allowed
        rates.world.clock.advance(1)
        if rates._daily["a", "Heavy", rates._today()] == 1000:
            break
    verdict = rates.take("a", "free", "Heavy")
    assert not verdict.allowed
    assert verdict.headers["X-RateLimit-Type"] == "Daily-limit"
    assert verdict.headers["Retry-After"].endswith("T00:00:00Z")


@pytest.mark.parametrize(
    ("plan", "label", "limit"),
    [("free", "Light", 4), ("pro", "Light", 30), ("business", "Light", 80), ("education", "Heavy", 40)],
)
def test_limit_follows_the_plan(plan: str, label: str, limit: int) -> None:
    """Each plan has its own number of calls a second; Education counts as Business."""
    rates = limiter()
    allowed = [rates.take("a", plan, label).allowed for _ in range(limit + 1)]
    assert allowed == [True] * limit + [False]


def test_resource_intensive_is_by_the_minute_and_shares_a_day() -> None:
    """Ten a minute, and heavy and resource-intensive calls fill one daily allowance on paid plans."""
    rates = limiter()
    assert sum(rates.take("a", "pro", "Resource-intensive").allowed for _ in range(12)) == 10
    rates.world.clock.advance(59)
    assert not rates.take("a", "pro", "Resource-intensive").allowed
    rates._daily["a", "Heavy", rates._today()] = 30000
    rates.world.clock.advance(2)
    assert rates.take("a", "pro", "Heavy").message.startswith("You have reached the maximum daily")
    assert rates.take("a", "pro", "Medium").allowed
