"""Two worlds: a store, a clock that only moves when told and a Zoom of ten lines; and the sandbox, with processes."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from rtms_audit.core.model import Environment, InstallKey, Plan
from rtms_audit.core.secret import Secret
from rtms_audit.sandbox.server import Sandbox, load_scenario
from rtms_audit.settings import Settings, sqlite_url
from rtms_audit.store import schema
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import GrantRecord, TokenPair
from rtms_audit.store.store import Store, open_store
from rtms_audit.workflows.install import Callback, Installer
from rtms_audit.workflows.services import Services, live_services
from rtms_audit.workflows.tokens import Patience, TokenKeeper
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


# --- a real Zoom, that is: the sandbox, and several processes --------------------------------------------------

PROCESSES, THREADS = 8, 8


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that stops where it is sent back."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


class SandboxDesk:
    """A running sandbox, with a script at its control address."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.ready: Any = sandbox.ready()

    def control(self, path: str, body: dict[str, object] | None = None) -> Any:
        """Call the control address."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.ready['control_url']}{path}", data=data)) as answer:
            return json.load(answer)

    def calls(self, grant: str = "refresh_token") -> int:
        """Count the token calls of one kind that were carried out."""
        return int(self.control("/state")["token_calls"][grant])

    def requests(self) -> int:
        """Count the requests that came to the token address."""
        return int(self.control("/state")["calls"].get("POST /oauth/token", 0))

    def trouble(self, **fault: object) -> None:
        """Order trouble at the token address, once."""
        self.control("/faults", {"match": {"method": "POST", "path": "/token"}, "times": 1, **fault})

    def works(self, token: Secret) -> bool:
        """Whether Zoom takes an access token."""
        request = urllib.request.Request(
            f"{self.ready['api_url']}/users/me", headers={"Authorization": f"Bearer {token.reveal()}"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def way_back(self, authorize_url: str, label: str) -> dict[str, str]:
        """Consent as the account's user; give the query that the browser brings back."""
        email = next(one["users"][0]["email"] for one in self.ready["accounts"] if one["label"] == label)
        try:
            urllib.request.build_opener(NoRedirect).open(f"{authorize_url}&login_hint={quote(email)}")
        except urllib.error.HTTPError as error:
            with error:
                return dict(parse_qsl(urlsplit(error.headers["location"]).query))
        raise AssertionError("the browser was not sent back")


class ShiftedClock:
    """The time of day, moved on by so many seconds."""

    shift = 0.0

    def __call__(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + timedelta(seconds=self.shift)


@dataclass
class Stage:
    """A store with one app and one account, the sandbox, and the program that forks callers."""

    zoom: SandboxDesk
    store: Store
    database: str
    key: Path
    clock: ShiftedClock
    forks: "subprocess.Popen[str]"
    settings: Settings = field(init=False)
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        """Register the app and the account."""
        ready = self.zoom.ready
        self.settings = Settings(
            database_url=self.database, zoom_oauth_url=ready["oauth_url"], zoom_api_url=ready["api_url"]
        )
        self.services = live_services(self.store, self.settings, clock=self.clock)
        pair = ready["apps"][0]["environments"]["production"]
        self.store.put_app(
            app="notes", environment=Environment.PRODUCTION, client_id=pair["client_id"],
            client_secret=Secret(pair["client_secret"]),
        )  # fmt: skip
        self.store.put_account(label="customer")

    def install(self) -> GrantRecord:
        """Install through the real flow."""
        installer = Installer(self.services)
        begun = installer.begin(
            app=None, account="customer", environment=Environment.PRODUCTION, redirect_uri="http://127.0.0.1/cb"
        )
        grant = installer.finish(Callback.of(self.zoom.way_back(begun.authorize_url, "customer"))).grant
        assert grant is not None
        return grant

    def expired(self) -> GrantRecord:
        """Install, and let the access token expire here."""
        grant = self.install()
        tokens = self.store.tokens(grant_id=grant.id)
        past = TokenPair(access=tokens.access, refresh=tokens.refresh, expires_at=self.clock() - timedelta(hours=1))
        assert self.store.replace_tokens(grant_id=grant.id, expected_version=tokens.version, tokens=past)
        return grant

    def order(self, **what: object) -> None:
        """Order callers to be forked."""
        ready = self.zoom.ready
        order = {
            "database": self.database, "key": str(self.key), "oauth_url": ready["oauth_url"],
            "api_url": ready["api_url"], "shift": self.clock.shift, **what,
        }  # fmt: skip
        assert self.forks.stdin is not None
        self.forks.stdin.write(json.dumps(order) + "\n")
        self.forks.stdin.flush()

    def report(self) -> Any:
        """Wait for the next report."""
        assert self.forks.stdout is not None
        return json.loads(self.forks.stdout.readline())

    def race(self, **what: object) -> list[dict[str, str]]:
        """Let 8 processes of 8 threads ask at once; give the answer of every one."""
        self.order(processes=PROCESSES, threads=THREADS, **what)
        answers = [answer for caller in self.report() for answer in caller["answers"]]
        assert len(answers) == PROCESSES * THREADS
        return answers

    def keeper(self, **patience: Any) -> TokenKeeper:
        """Make another process's keeper."""
        return TokenKeeper(self.services, owner="heir", patience=Patience(**patience))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Start the sandbox."""
    with Sandbox(load_scenario()) as running:
        yield running


@pytest.fixture(scope="module")
def forks() -> Iterator["subprocess.Popen[str]"]:
    """Start the program that forks callers."""
    program = [sys.executable, str(Path(__file__).with_name("refreshers.py"))]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, start_new_session=True, **pipes) as running:
        yield running
        os.killpg(running.pid, signal.SIGKILL)  # callers that a failed test left asleep, too


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "audit.db")
    url = str(request.getfixturevalue("postgres")(None))
    schema.upgrade(url)
    return url


@pytest.fixture
def stage(database: str, tmp_path: Path, sandbox: Sandbox, forks: "subprocess.Popen[str]") -> Iterator[Stage]:
    """Set everything up on one kind of database; the sandbox begins anew, without rate limits."""
    zoom, clock, key = SandboxDesk(sandbox), ShiftedClock(), tmp_path / "key"
    zoom.control("/reset", {})
    zoom.control("/settings", {"rate_limits": "off"})
    with open_store(database, key=KeySource(file=key), clock=clock) as store:
        yield Stage(zoom, store, database, key, clock, forks)
