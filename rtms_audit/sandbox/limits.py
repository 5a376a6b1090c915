"""Zoom's rate limits: per account and label, by the account's plan, shared by all apps (API docs as of 2026-02)."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rtms_audit.sandbox.world import World

SECOND = 1
MINUTE = 60
_BUSINESS = {"Light": (80, SECOND), "Medium": (60, SECOND), "Heavy": (40, SECOND), "Resource-intensive": (20, MINUTE)}
_PRO = {"Light": (30, SECOND), "Medium": (20, SECOND), "Heavy": (10, SECOND), "Resource-intensive": (10, MINUTE)}
_FREE = {"Light": (4, SECOND), "Medium": (2, SECOND), "Heavy": (1, SECOND), "Resource-intensive": (10, MINUTE)}
_FREE_DAILY = {"Light": 6000, "Medium": 2000, "Heavy": 1000, "Resource-intensive": 30000}
_SHARED_DAILY = {"pro": 30000}
_SHARED_DAILY_BUSINESS = 60000
_SHARED = ("Heavy", "Resource-intensive")

TOO_FAST = "You have reached the maximum per-second rate limit for this API. Try again later."
TOO_MANY = (
    "You have reached the maximum daily rate limit for this API. Refer to the response header for details on when you "
    "can make another request."
)


@dataclass(frozen=True)
class Verdict:
    """Whether a call may pass, and the headers that say so."""

    allowed: bool
    headers: dict[str, str]
    message: str = ""


@dataclass
class Limiter:
    """Counts every account's calls."""

    world: World
    _recent: dict[tuple[str, str], deque[datetime]] = field(default_factory=dict)
    _daily: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def take(self, account: str, plan: str, label: str) -> Verdict:
        """Count one call of this label against an account, and say whether it may pass."""
        limit, window = _rates(plan)[label]
        recent = self._window(account, label, window)
        headers = {"X-RateLimit-Category": label}
        if self.world.settings.rate_limits == "off":
            return Verdict(True, headers)
        if self._day_is_full(account, plan, label):
            return self._refuse_day(headers)
        if len(recent) >= limit:
            return self._refuse_second(headers, limit, window, recent[0])
        recent.append(self.world.clock.now())
        self._daily[account, label, self._today()] += 1
        more = {"X-RateLimit-Type": "QPS", "X-RateLimit-Limit": str(limit),
                "X-RateLimit-Remaining": str(limit - len(recent))}  # fmt: skip
        return Verdict(True, {**headers, **self._extra(more)})

    def _window(self, account: str, label: str, seconds: int) -> deque[datetime]:
        recent = self._recent.setdefault((account, label), deque())
        oldest = self.world.clock.now() - timedelta(seconds=seconds)
        while recent and recent[0] <= oldest:
            recent.popleft()
        return recent

    def _today(self) -> str:
        return self.world.clock.now().date().isoformat()

    def _day_is_full(self, account: str, plan: str, label: str) -> bool:
        today = self._today()
        if plan == "free":
            return self._daily[account, label, today] >= _FREE_DAILY[label]
        if label not in _SHARED:
            return False
        used = sum(self._daily[account, shared, today] for shared in _SHARED)
        return used >= _SHARED_DAILY.get(plan, _SHARED_DAILY_BUSINESS)

    def _refuse_day(self, headers: dict[str, str]) -> Verdict:
        tomorrow = self.world.clock.wall().astimezone(UTC).date() + timedelta(days=1)
        more = {"X-RateLimit-Type": "Daily-limit", "Retry-After": f"{tomorrow.isoformat()}T00:00:00Z"}
        return Verdict(False, {**headers, **self._extra(more)}, TOO_MANY)

    def _refuse_second(self, headers: dict[str, str], limit: int, window: int, oldest: datetime) -> Verdict:
        reset = int((oldest - self.world.clock.offset).timestamp()) + window
        more = {"X-RateLimit-Type": "QPS", "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": str(reset)}  # fmt: skip
        return Verdict(False, {**headers, **self._extra(more)}, TOO_FAST)

    def _extra(self, headers: dict[str, str]) -> dict[str, str]:
        return headers if self.world.settings.rate_limit_headers == "all" else {}


def _rates(plan: str) -> dict[str, tuple[int, int]]:
    return {"free": _FREE, "pro": _PRO}.get(plan, _BUSINESS)
