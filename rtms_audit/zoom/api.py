"""Zoom's REST addresses: one call at a time, within the account's limits, and never more failures than needed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

import requests
import tenacity
from requests.auth import AuthBase

from rtms_audit.core.secret import Secret
from rtms_audit.errors import AuditError
from rtms_audit.zoom.addresses import checked_address
from rtms_audit.zoom.calls import label_of
from rtms_audit.zoom.exchange import Exchange, kept_headers
from rtms_audit.zoom.limits import Label, LimitReachedError
from rtms_audit.zoom.transport import bind, describe

ATTEMPTS = 3
"""How often a call is tried at most when the network or Zoom itself fails."""

PATIENCE = timedelta(seconds=15)
"""How far ahead a `Retry-After` may lie to be waited for (the rule of Jericho/ZoomNet, 2026-06-19)."""

QPS_PAUSE = 1.0
"""Seconds to wait after a per-second limit (the same rule)."""


class Allowance(Protocol):
    """What an account may still ask for; `rtms_audit.zoom.limits.Limits` is one."""

    def take(self, label: Label) -> float:
        """Wait for a place and take it; LimitReachedError where there is none for long."""

    def close(self, label: Label, until: datetime) -> None:
        """Allow nothing more of this label before `until`."""


class _Bearer(AuthBase):
    """Sets the token; as an `auth` object, so that no .netrc entry can replace it."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        value = f"Bearer {self._token.reveal()}"
        if not all(" " <= character <= "~" for character in value):
            raise requests.exceptions.InvalidHeader("invalid character in a header value")
        request.headers["Authorization"] = value
        return request


class ZoomApi:
    """A client of the REST addresses under `base_url` (`https://api.zoom.us/v2`) for one grant or connection.

    `token` gives the access token of the moment and is asked before every attempt. `on_unauthorized` is asked once for
    a newer one when Zoom answers 401 or 124; where that did not help it is not asked again. Nothing is raised for what
    Zoom answers or for network trouble: the exchange tells. A GET that was refused is not repeated in the lifetime of
    this object but answered from memory, since a high rate of failed calls can get an app disabled
    (https://developers.zoom.us/docs/api/using-zoom-apis/, 2026-02-07); give `remember=False` to ask again.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: Callable[[], Secret],
        clock: Callable[[], datetime],
        limits: Allowance,
        sleep: Callable[[float], None],
        on_unauthorized: Callable[[], Secret] | None = None,
        timeout: float = 10.0,
        transport: requests.Session | None = None,
    ) -> None:
        self._base = checked_address(base_url, "address of Zoom's API").rstrip("/")
        self._token = token
        self._clock = clock
        self._limits = limits
        self._sleep = sleep
        self._on_unauthorized = on_unauthorized
        self._timeout = timeout
        self._session = transport or requests.Session()
        if transport is None:
            bind(self._session, timeout=timeout)
        self._refused: dict[str, Exchange] = {}

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        label: Label | None = None,
        remember: bool = True,
    ) -> Exchange:
        """Ask for `path` (`/users/me`); the rate label is that of the known call unless given."""
        full = f"{path}?{urlencode(params)}" if params else path
        if remember and full in self._refused:
            return self._refused[full]
        exchange = self._retrying(lambda: self._authorized("GET", full, None, label or label_of("GET", path)))
        if remember and exchange.status is not None and 400 <= exchange.status < 429:
            self._refused[full] = exchange
        return exchange

    def patch(self, path: str, json: Mapping[str, object], *, label: Label | None = None) -> Exchange:
        """Send a change once. Only a per-second limit, which Zoom refuses before acting, is tried again."""
        wanted = label or label_of("PATCH", path)
        return self._retrying(lambda: self._authorized("PATCH", path, json, wanted))

    def _retrying(self, call: Callable[[], Exchange]) -> Exchange:
        """Repeat what may succeed the next time: network trouble and 5xx of a GET, 429 with a short wait."""
        last: list[Exchange] = []

        def attempt() -> Exchange:
            last[:] = [call()]
            return last[0]

        retrying = tenacity.Retrying(
            sleep=self._sleep,
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=self._pause,
            retry=tenacity.retry_if_result(self._is_worth_repeating),
            retry_error_callback=lambda _: last[0],
        )
        return retrying(attempt)

    def _is_worth_repeating(self, exchange: Exchange) -> bool:
        if exchange.status == 429:
            return self._wait_after_limit(exchange) is not None
        transient = exchange.error is not None or exchange.status in (500, 502, 503, 504)
        return transient and exchange.method == "GET" and not _is_hopeless(exchange)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Return the seconds to wait before the next attempt: as Zoom says, else 0.5, then doubled each time."""
        exchange: Exchange | None = state.outcome.result() if state.outcome is not None else None
        wait = self._wait_after_limit(exchange) if exchange is not None and exchange.status == 429 else None
        return wait if wait is not None else 0.5 * 2.0 ** (state.attempt_number - 1)

    def _wait_after_limit(self, exchange: Exchange) -> float | None:
        """Return the seconds to wait after a 429, or None where waiting is pointless (the daily limit)."""
        until = retry_after(exchange.headers.get("retry-after"), now=exchange.at)
        if until is not None:
            ahead = until - exchange.at
            return max(ahead.total_seconds(), 0.0) if ahead <= PATIENCE else None
        return None if is_daily(exchange) else QPS_PAUSE

    def _authorized(self, method: str, path: str, json: Mapping[str, object] | None, label: Label) -> Exchange:
        """Send; when the token is refused, get a newer one and send once more."""
        exchange = self._limited(method, path, json, label, self._token())
        if self._on_unauthorized is None or not is_unauthorized(exchange):
            return exchange
        try:
            newer = self._on_unauthorized()
        except AuditError:
            self._on_unauthorized = None  # the refresh has told its own story; the 401 stands
            return exchange
        second = self._limited(method, path, json, label, newer)
        if is_unauthorized(second):
            self._on_unauthorized = None
        return second

    def _limited(
        self, method: str, path: str, json: Mapping[str, object] | None, label: Label, token: Secret
    ) -> Exchange:
        started = self._blank(method, path, json)
        try:
            self._limits.take(label)
        except LimitReachedError as error:
            return replace(started, error=f"LimitReached: {error}")
        exchange = self._send(self._blank(method, path, json), json, token)
        if exchange.status == 429 and is_daily(exchange):
            self._limits.close(label, _daily_end(exchange))
        return exchange

    def _blank(self, method: str, path: str, json: Mapping[str, object] | None) -> Exchange:
        return Exchange(
            method=method, url=f"{self._base}{path}", path=f"/v2{path}", at=self._clock(), duration_ms=0.0,
            request_body=json,
        )  # fmt: skip

    def _send(self, blank: Exchange, json: Mapping[str, object] | None, token: Secret) -> Exchange:
        """Send once. Redirections are not followed: the token goes to the configured host and nowhere else."""
        started = time.monotonic()
        try:
            answer = self._session.request(
                blank.method,
                blank.url,
                json=json,
                headers={"Accept": "application/json"},
                auth=_Bearer(token),
                timeout=self._timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, UnicodeError, ValueError) as error:
            return replace(blank, error=describe(error), duration_ms=(time.monotonic() - started) * 1000)
        return replace(
            blank,
            status=answer.status_code,
            headers=kept_headers(answer.headers.items()),
            body=answer.content,
            duration_ms=(time.monotonic() - started) * 1000,
        )


_HOPELESS = ("LimitReached", "SSLError", "InvalidHeader", "InvalidURL", "AnswerTooLargeError", "ValueError", "Unicode")


def _is_hopeless(exchange: Exchange) -> bool:
    """Whether the same call would fail in the same way again at once."""
    return (exchange.error or "").startswith(_HOPELESS)


def is_unauthorized(exchange: Exchange) -> bool:
    """Whether the token itself was refused: 401 (124 or nothing readable), or 124 with HTTP 400 as the spec lists it.

    A 401 with another number (201: a missing scope, in the Marketplace family) is not the token's fault.
    """
    refusal = exchange.refusal
    if refusal is None or exchange.status not in (400, 401):
        return False
    return refusal.code == 124 or (exchange.status == 401 and refusal.code is None)


def is_daily(exchange: Exchange) -> bool:
    """Whether a 429 is the daily limit: by `X-RateLimit-Type`, `Retry-After`, or Zoom's sentence (2026-02-07)."""
    kind = exchange.headers.get("x-ratelimit-type", "").lower()
    if kind:
        return not kind.startswith("qps")
    if exchange.headers.get("retry-after"):
        until = retry_after(exchange.headers.get("retry-after"), now=exchange.at)
        return until is not None and until - exchange.at > PATIENCE
    refusal = exchange.refusal
    return refusal is not None and "daily" in refusal.message.lower()


def retry_after(value: str | None, *, now: datetime) -> datetime | None:
    """Read a `Retry-After`: ISO-8601 as Zoom sends it (zoom/skills, 2026-07-13), or seconds; None where unreadable."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return now + timedelta(seconds=int(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _daily_end(exchange: Exchange) -> datetime:
    """Return when the daily limit ends: as Zoom says, else the next midnight UTC."""
    until = retry_after(exchange.headers.get("retry-after"), now=exchange.at)
    midnight = exchange.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return until if until is not None else midnight
