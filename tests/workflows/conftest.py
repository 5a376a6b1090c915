"""A store in a file of its own, a clock that only moves when told, and a Zoom of ten lines."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rtms_audit.core.model import Environment, InstallKey, Plan
from rtms_audit.core.secret import Secret
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import GrantRecord, TokenPair
from rtms_audit.store.store import Store, open_store
from rtms_audit.workflows.services import Services
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.oauth import OAuthProblem, Pair, ProblemKind, TokenAnswer, Tokens

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still; sleeping moves it."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on, and note for how long."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeZoom:
    """Answers of Zoom: token answers come from `answer`, REST answers from `rest` by path."""

    clock: Clock
    answer: Callable[[str, Pair, str], TokenAnswer | None] = lambda _grant, _pair, _text: None
    rest: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def exchange(self, method: str, path: str, status: int | None, body: object, **more: Any) -> Exchange:
        """Make an exchange."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return Exchange(
            method=method, url=f"https://zoom.example.com{path}", path=path, at=self.clock(), duration_ms=1.0,
            status=status, headers={"x-zm-trackingid": "WEB_1", **self.headers}, body=raw,
            error=None if status else "ConnectTimeout: timed out", **more,
        )  # fmt: skip

    def tokens(self, *, scopes: tuple[str, ...] | None = ("user:read:user",), refresh: bool = True) -> TokenAnswer:
        """Give a success with tokens that were never given before."""
        with self._lock:
            number = next(self._numbers)
        new = Tokens(Secret(f"access-{number}"), Secret(f"refresh-{number}") if refresh else None, 3600, scopes, None)
        return TokenAnswer(self.exchange("POST", "/oauth/token", 200, {"scope": " ".join(scopes or ())}), new, None)

    def refusal(self, kind: ProblemKind, *, status: int | None = 400, reason: str = "Invalid Token!") -> TokenAnswer:
        """Give a refusal."""
        exchange = self.exchange("POST", "/oauth/token", status, {"reason": reason, "error": "invalid_grant"})
        return TokenAnswer(exchange, None, OAuthProblem(kind, status, "invalid_grant", reason))

    def _ask(self, grant: str, pair: Pair, text: str) -> TokenAnswer:
        with self._lock:
            self.calls.append((grant, text))
        return self.answer(grant, pair, text) or self.tokens()

    def authorize_url(self, client_id: str, redirect_uri: str, state: str, code_verifier: Secret) -> str:
        """Give an address that shows what it was made of."""
        return (
            f"https://zoom.example.com/oauth/authorize?client_id={client_id}&redirect_uri={redirect_uri}&state={state}"
        )

    def exchange_code(self, pair: Pair, code: Secret, code_verifier: Secret) -> TokenAnswer:
        """Trade a code."""
        return self._ask("authorization_code", pair, code.reveal())

    def refresh(self, pair: Pair, refresh_token: Secret) -> TokenAnswer:
        """Trade a refresh token."""
        return self._ask("refresh_token", pair, refresh_token.reveal())

    def client_credentials(self, pair: Pair) -> TokenAnswer:
        """Check a pair."""
        return self._ask("client_credentials", pair, pair.client_secret.reveal())

    def account_credentials(self, pair: Pair, account_id: str) -> TokenAnswer:
        """Give an auditor's token."""
        return self._ask("account_credentials", pair, account_id)

    def revoke(self, pair: Pair, token: Secret) -> TokenAnswer:
        """Forget a grant."""
        self.calls.append(("revoke", token.reveal()))
        return self.answer("revoke", pair, token.reveal()) or TokenAnswer(
            self.exchange("POST", "/oauth/revoke", 200, {"status": "success"}), None, None
        )

    def api(
        self, *, token: Callable[[], Secret], on_unauthorized: Callable[[], Secret] | None, account: str
    ) -> "FakeApi":
        """Make a client."""
        return FakeApi(self, token, on_unauthorized)


@dataclass
class FakeApi:
    """A REST client that asks for another token once when it meets 401."""

    zoom: FakeZoom
    token: Callable[[], Secret]
    on_unauthorized: Callable[[], Secret] | None

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Exchange:
        """Read."""
        return self._send("GET", path, None)

    def patch(self, path: str, json: Mapping[str, object]) -> Exchange:
        """Change."""
        return self._send("PATCH", path, json)

    def _send(self, method: str, path: str, body: Mapping[str, object] | None) -> Exchange:
        token = self.token().reveal()
        self.zoom.calls.append((f"{method} {path}", token))
        found = self.zoom.rest.get(f"{method} {path}", self.zoom.rest.get(path, (200, {})))
        status, answer = found(token, body) if callable(found) else found
        if status == 401 and self.on_unauthorized:
            token = self.on_unauthorized().reveal()
            status, answer = found(token, body) if callable(found) else found
        return self.zoom.exchange(method, f"/v2{path}", status, answer, request_body=body)


@dataclass
class World:
    """Everything a workflow stands on, with one app, one account, and helpers to put a grant in."""

    store: Store
    zoom: FakeZoom
    clock: Clock
    services: Services
    key: InstallKey

    def grant(
        self,
        *,
        key: InstallKey | None = None,
        expires_in: float = 3600,
        refresh: str | None = "refresh-0",
        user_id: str = "user-1",
        zoom_account_id: str = "zoom-1",
        scopes: tuple[str, ...] = (),
    ) -> GrantRecord:
        """Put a grant in."""
        key = key or self.key
        return self.store.add_grant(
            app="notes", environment=key.environment, account=key.account, client_id="PRODID", user_id=user_id,
            email="dev@example.com", zoom_account_id=zoom_account_id, scopes=scopes, api_url=None,
            tokens=TokenPair(
                access=Secret("access-0"), refresh=Secret(refresh) if refresh else None,
                expires_at=self.clock() + timedelta(seconds=expires_in),
            ),
        )  # fmt: skip

    def seen(self, kind: str | None = None) -> list[Mapping[str, Any]]:
        """Give the fields of what was kept, of one kind or of all."""
        found = self.store.observations(app="notes")
        return [one.fields for one in found if kind is None or one.kind == kind]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Open a store with the app `notes` and the account `dev-co`, which owns it."""
    clock = Clock()
    zoom = FakeZoom(clock)
    with open_store(f"sqlite:///{tmp_path / 'audit.db'}", key=KeySource(), clock=clock) as store:
        for environment, client_id in ((Environment.DEVELOPMENT, "DEVID"), (Environment.PRODUCTION, "PRODID")):
            store.put_app(
                app="notes", environment=environment, client_id=client_id, client_secret=Secret(f"{client_id}-secret"),
                webhook_secret=Secret(f"{client_id}-token"), app_id="APPID", owner="dev-co",
            )  # fmt: skip
        store.put_account(label="dev-co", expected_plan=Plan.PAID)
        counter = itertools.count(1)
        services = Services(
            store=store, oauth=zoom, api=zoom.api, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5,
            token_urlsafe=lambda size: f"random-{next(counter)}-" + "x" * size,
        )  # fmt: skip
        yield World(store, zoom, clock, services, InstallKey("dev-co", Environment.PRODUCTION))
