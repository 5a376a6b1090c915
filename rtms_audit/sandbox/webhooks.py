"""The webhook sender: signs, delivers, retries, validates addresses, and keeps the log that `webhook_logs` shows.

Rules after developers.zoom.us/docs/api/webhooks (2026-02): three seconds to answer; retries after 5, 20 and 60 minutes
and only for status 500 and above or a network error; validation each 72 hours, no events after six failures in a row.
"""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from rtms_audit.sandbox.post import Posted, post
from rtms_audit.sandbox.world import AppEnvironment, World

RETRY_AFTER_S = (300.0, 1200.0, 3600.0)
FAST = 6000
REVALIDATE_AFTER_S = 72 * 3600.0
FAILURES_ALLOWED = 6
REVERSED_WAIT_S = 0.5
Poster: TypeAlias = Callable[[str, bytes, Mapping[str, str], float], Posted]


@dataclass
class Attempt:
    """One try to deliver one event; `status` as HTTP, or negative where no answer came."""

    request_id: str
    event: str
    client: AppEnvironment
    user_id: str
    url: str
    body: bytes
    retry_num: int
    at: datetime
    status: int = 0
    duration_ms: float = 0.0
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""

    def shown(self) -> dict[str, object]:
        """Return the attempt as `/state` lists it."""
        return {
            "event": self.event,
            "app": self.client.app.spec.name,
            "environment": self.client.name,
            "url": self.url,
            "status": self.status,
            "retry_num": self.retry_num,
            "request_id": self.request_id,
            "at": self.at.isoformat(),
            "duration_ms": round(self.duration_ms, 1),
            "body": json.loads(self.body),
        }


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the `x-zm-signature` of exactly these bytes."""
    message = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Courier:
    """Delivers one world's events."""

    def __init__(self, world: World, executor: Executor, *, poster: Poster = post) -> None:
        self.world = world
        self.attempts: list[Attempt] = []
        self.validations: list[Attempt] = []
        self._executor = executor
        self._poster = poster
        self._last: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: asyncio.Event | None = None

    # -- addresses -----------------------------------------------------------------------------------------------------

    def url(self, client: AppEnvironment) -> str | None:
        """Return where this environment's events go."""
        urls = self.world.settings.webhook_url
        if not client.spec.webhook or isinstance(urls, str) or urls is None:
            return urls if client.spec.webhook and isinstance(urls, str) else None
        for name in (client.key, client.app.spec.name, client.name):
            found = urls.get(name)
            if isinstance(found, dict):
                found = found.get(client.name)
            if found:
                return found
        return None

    def validate(self, client: AppEnvironment) -> None:
        """Send `endpoint.url_validation` now, and again each 72 hours for as long as the address stays."""
        url = self.url(client)
        if url is not None:
            self._spawn(self._validate(client, url))

    async def _validate(self, client: AppEnvironment, url: str) -> None:
        plain = self.world.token_urlsafe(16)
        payload: dict[str, object] = {"plainToken": plain}
        attempt = self._attempt(client, "endpoint.url_validation", payload, url, user_id="")
        self.validations.append(attempt)
        await self._send(attempt)
        if _proves(attempt, client.webhook_secret, plain):
            client.validation_failures = 0
        else:
            client.validation_failures += 1
            client.subscription_enabled = client.validation_failures < FAILURES_ALLOWED
        if client.subscription_enabled and self.url(client) == url:
            self.world.timers.after(REVALIDATE_AFTER_S, lambda: self._revalidate(client, url))

    def _revalidate(self, client: AppEnvironment, url: str) -> None:
        if self.url(client) == url:
            self.validate(client)

    # -- events --------------------------------------------------------------------------------------------------------

    def send(
        self, client: AppEnvironment, event: str, payload: Mapping[str, object], *, user_id: str = "", order: str = ""
    ) -> bool:
        """Queue one event; False where no subscription takes it. Events of the same `order` follow one another."""
        url = self.url(client)
        if url is None or not client.subscription_enabled or event not in client.app.spec.events:
            return False
        attempt = self._attempt(client, event, payload, url, user_id=user_id)
        before = self._last.get(order) if order else None
        task = self._spawn(self._deliver(attempt, before))
        if order:
            self._last[order] = task
        return True

    def repeat(self, request_id: str) -> bool:
        """Deliver an event once more under the same request id; False where none has that id."""
        found = next((a for a in self.attempts if a.request_id == request_id), None)
        if found is not None:
            self._spawn(self._deliver(self._again(found, retry_num=found.retry_num), None))
        return found is not None

    def _attempt(
        self, client: AppEnvironment, event: str, payload: Mapping[str, object], url: str, *, user_id: str
    ) -> Attempt:
        now = self.world.clock.wall()
        envelope: dict[str, object] = {"event": event, "payload": payload}
        if "event_ts" not in payload:  # app_deauthorized alone carries it inside, as text
            envelope["event_ts"] = int(now.timestamp() * 1000)
        body = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()
        return Attempt(str(uuid.uuid4()), event, client, user_id, url, body, 0, now)

    def _again(self, attempt: Attempt, *, retry_num: int) -> Attempt:
        return Attempt(
            attempt.request_id, attempt.event, attempt.client, attempt.user_id, attempt.url, attempt.body, retry_num,
            self.world.clock.wall(),
        )  # fmt: skip

    async def _deliver(self, attempt: Attempt, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._maybe_hold()
        for _ in range(1 + self.world.settings.webhook_duplicates):
            once = self._again(attempt, retry_num=attempt.retry_num)
            self.attempts.append(once)
            await self._send(once)
        self._plan_retry(once)

    async def _maybe_hold(self) -> None:
        """In reversed order, let the next event overtake this one."""
        if self.world.settings.webhook_order != "reversed":
            return
        if self._held is not None:
            self.world.timers.after(0.05, self._held.set)
            self._held = None
            return
        self._held = held = asyncio.Event()
        self.world.timers.after(REVERSED_WAIT_S, held.set)
        await held.wait()
        if self._held is held:
            self._held = None

    def _plan_retry(self, attempt: Attempt) -> None:
        failed = attempt.status < 0 or attempt.status >= 500
        if not failed or attempt.retry_num >= len(RETRY_AFTER_S):
            return
        delay = RETRY_AFTER_S[attempt.retry_num]
        if self.world.settings.webhook_retry_clock == "fast":
            delay /= FAST
        self.world.timers.after(delay, lambda: self._retry(attempt))

    def _retry(self, attempt: Attempt) -> None:
        self._spawn(self._deliver(self._again(attempt, retry_num=attempt.retry_num + 1), None))

    async def _send(self, attempt: Attempt) -> None:
        timestamp = str(int(self.world.clock.wall().timestamp()))
        attempt.request_headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zoom Marketplace/1.0a",
            "clientid": attempt.client.client_id,
            "x-zm-request-id": attempt.request_id,
            "x-zm-request-timestamp": timestamp,
            "x-zm-signature": sign(attempt.client.webhook_secret, timestamp, attempt.body),
        }
        loop = asyncio.get_running_loop()
        timeout_s = self.world.settings.webhook_timeout_s
        posted = await loop.run_in_executor(
            self._executor, self._poster, attempt.url, attempt.body, attempt.request_headers, timeout_s
        )
        attempt.status, attempt.duration_ms = posted.status, posted.duration_ms
        attempt.response_headers, attempt.response_body = posted.headers, posted.body

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def busy(self) -> int:
        """Return how many deliveries are under way (retries that wait are not counted)."""
        return len(self._tasks)

    def stop(self) -> None:
        """Give up everything that is under way."""
        for task in list(self._tasks):
            task.cancel()


def _proves(attempt: Attempt, secret: str, plain: str) -> bool:
    """Whether the answer to a URL validation holds the token hashed with the right secret."""
    try:
        answer = json.loads(attempt.response_body)
    except ValueError:
        return False
    wanted = hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
    return attempt.status in (200, 204) and isinstance(answer, dict) and answer.get("encryptedToken") == wanted
