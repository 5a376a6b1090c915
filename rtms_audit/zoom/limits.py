"""How fast Zoom may be asked: its limits per account, rate label and plan, kept with pyrate-limiter.

The numbers are Zoom's, as published on https://developers.zoom.us/docs/api/rate-limits/ and read on 2026-02-07. They
count per account whose data is asked for, across all users and all apps of that account.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from pyrate_limiter import Duration, InMemoryBucket, Rate, RateItem

from rtms_audit.core.model import Plan

SOURCE = "https://developers.zoom.us/docs/api/rate-limits/ (2026-02-07)"
LONGEST_WAIT = 30.0
"""Seconds that an audit waits for its turn at most; a longer wait is a used-up daily allowance."""


class Label(StrEnum):
    """Zoom's rate label of an endpoint."""

    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"
    RESOURCE_INTENSIVE = "resource-intensive"


class PlanClass(StrEnum):
    """The three columns of Zoom's table of limits."""

    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"

    @classmethod
    def of(cls, plan: Plan) -> "PlanClass":
        """Return the column for a plan; the slowest one that can be meant where the plan is not known exactly."""
        if plan in (Plan.BUSINESS, Plan.ENTERPRISE, Plan.EDUCATION):
            return cls.BUSINESS
        return cls.PRO if plan in (Plan.PRO, Plan.PAID) else cls.FREE


def _per_second(count: int) -> Rate:
    return Rate(count, Duration.SECOND)


def _per_minute(count: int) -> Rate:
    return Rate(count, Duration.MINUTE)


def _per_day(count: int) -> Rate:
    return Rate(count, Duration.DAY)


RATES: Mapping[PlanClass, Mapping[Label, tuple[Rate, ...]]] = {
    PlanClass.FREE: {
        Label.LIGHT: (_per_second(4), _per_day(6000)),
        Label.MEDIUM: (_per_second(2), _per_day(2000)),
        Label.HEAVY: (_per_second(1), _per_day(1000)),
        Label.RESOURCE_INTENSIVE: (_per_minute(10), _per_day(30000)),
    },
    PlanClass.PRO: {
        Label.LIGHT: (_per_second(30),),
        Label.MEDIUM: (_per_second(20),),
        Label.HEAVY: (_per_second(10),),
        Label.RESOURCE_INTENSIVE: (_per_minute(10),),
    },
    PlanClass.BUSINESS: {
        Label.LIGHT: (_per_second(80),),
        Label.MEDIUM: (_per_second(60),),
        Label.HEAVY: (_per_second(40),),
        Label.RESOURCE_INTENSIVE: (_per_minute(20),),
    },
}
"""Requests per window; SOURCE says where from."""

COMBINED_DAILY: Mapping[PlanClass, Rate] = {PlanClass.PRO: _per_day(30000), PlanClass.BUSINESS: _per_day(60000)}
"""The daily cap that heavy and resource-intensive calls share on paid plans; SOURCE says where from."""


class LimitReachedError(Exception):
    """The allowance is used up for longer than an audit waits; `until` is when to come back, where that is known."""

    def __init__(self, message: str, *, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class Limits:
    """The allowance of one account. Share one object among all clients of an account, also across threads.

    `clock` gives the time that counts, `sleep` waits (seconds).
    """

    def __init__(
        self, *, clock: Callable[[], datetime], sleep: Callable[[float], None], plan: Plan = Plan.UNKNOWN
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._closed: dict[Label, datetime] = {}
        column = PlanClass.of(plan)
        self._buckets = {label: [InMemoryBucket([rate]) for rate in rates] for label, rates in RATES[column].items()}
        if column in COMBINED_DAILY:
            shared = InMemoryBucket([COMBINED_DAILY[column]])
            self._buckets[Label.HEAVY].append(shared)
            self._buckets[Label.RESOURCE_INTENSIVE].append(shared)

    def take(self, label: Label) -> float:
        """Wait until one more call of this label is allowed, take it, and return the seconds waited.

        LimitReachedError where the wait would be longer than LONGEST_WAIT, or Zoom has said so (`close`).
        """
        waited = 0.0
        for bucket in self._buckets[label]:
            while (delay := self._try(bucket, label)) > 0:
                if waited + delay > LONGEST_WAIT:
                    raise LimitReachedError(f"the {label} calls allowed to this account are used up for now")
                self._sleep(delay)
                waited += delay
        return waited

    def close(self, label: Label, until: datetime) -> None:
        """Allow no more calls of this label before `until`: Zoom's daily limit is reached."""
        with self._lock:
            self._closed[label] = until

    def _try(self, bucket: InMemoryBucket, label: Label) -> float:
        """Take a place in the bucket and return 0, or return the seconds to wait for one."""
        now = self._clock()
        with self._lock:
            until = self._closed.get(label)
            if until is not None and now < until:
                raise LimitReachedError(f"Zoom allows no more {label} calls before {until.isoformat()}", until=until)
            item = RateItem(label, int(now.timestamp() * 1000))
            if bucket.put(item):
                bucket.leak(item.timestamp)
                return 0.0
            wait = bucket.waiting(item)
        return max(int(wait) if isinstance(wait, int) else 0, 1) / 1000


class SharedLimits:
    """The allowances of all accounts of one audit, made as they are asked for."""

    def __init__(self, *, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._accounts: dict[str, Limits] = {}

    def of(self, account: str, plan: Plan = Plan.UNKNOWN) -> Limits:
        """Return the one allowance of this account; `plan` counts when it is asked for the first time."""
        with self._lock:
            if account not in self._accounts:
                self._accounts[account] = Limits(clock=self._clock, sleep=self._sleep, plan=plan)
            return self._accounts[account]
