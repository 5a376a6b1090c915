"""Eight callers race for one expired grant, and grants are saved and found: ours beside slack_sdk and Authlib.

All three meet the same token address, which rotates refresh tokens strictly as Zoom documents it, and takes 20 ms.
"""

import itertools
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from authlib.integrations.requests_client import OAuth2Session
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.installation_store.sqlite3 import SQLite3InstallationStore
from slack_sdk.oauth.token_rotation import TokenRotator

from benchmarks.result import Result
from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.settings import Settings, sqlite_url
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import TokenPair
from rtms_audit.store.store import Store, open_store
from rtms_audit.workflows.services import live_services
from rtms_audit.workflows.tokens import Patience, TokenKeeper

CALLERS = 8
GRANTS = 300
LATENCY_S = 0.02


class TokenAddress(ThreadingHTTPServer):
    """A token address with strict rotation: each refresh token works once. It speaks Slack's dialect and Zoom's."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.calls = 0
        self._good = {"refresh-0"}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def trade(self, refresh: str) -> dict[str, object] | None:
        """Give a new pair for a refresh token that was not used yet."""
        time.sleep(LATENCY_S)
        with self._lock:
            self.calls += 1
            if refresh not in self._good:
                return None
            self._good = {f"refresh-{next(self._numbers)}"}
            (new,) = self._good
            return {"ok": True, "access_token": f"access-{new}", "refresh_token": new, "expires_in": 43200}


class _Handler(BaseHTTPRequestHandler):
    server: TokenAddress

    def do_GET(self) -> None:
        """Answer any call that a token is used for."""
        self._answer(200, {})

    def do_POST(self) -> None:
        """Answer a token call."""
        form = parse_qs(self.rfile.read(int(self.headers.get("content-length", "0"))).decode())
        pair = self.server.trade(form["refresh_token"][0])
        slack = "oauth.v2.access" in self.path
        if pair is not None:
            self._answer(200, {**pair, "token_type": "bot" if slack else "bearer"})
        elif slack:
            self._answer(200, {"ok": False, "error": "invalid_refresh_token"})
        else:
            self._answer(400, {"reason": "Invalid Token!", "error": "invalid_grant"})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def token_address() -> Iterator[TokenAddress]:
    """Serve a fresh token address."""
    with TokenAddress() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def measure() -> Iterator[Result]:
    """Yield failed callers and token calls of the race, and the rates of saving and finding."""
    with tempfile.TemporaryDirectory(prefix="rtms-audit-bench-") as folder:
        races = {name: run(Path(folder)) for name, run in RACES.items()}
        rates = {name: run(Path(folder)) for name, run in RATES.items()}
    yield from _race_results(races)
    for what, number, goal in (("saved", 0, "> 100"), ("found", 1, "> 200")):
        yield Result(
            name=f"grants {what}, encrypted",
            value=round(rates["ours"][number]),
            unit="a second",
            reference=f"slack_sdk's SQLite store, in plain text: {rates['slack_sdk'][number]:.0f}",
            goal=goal,
        )


def _race_results(races: dict[str, tuple[int, int]]) -> Iterator[Result]:
    others = [name for name in races if name != "ours"]
    for what, number, goal in (("failed callers", 0, "< 1"), ("token calls", 1, "< 2")):
        yield Result(
            name=f"{CALLERS} callers, one expired grant: {what}",
            value=races["ours"][number],
            unit=what,
            reference=", ".join(f"{name} {races[name][number]}" for name in others),
            goal=goal,
        )


def _race(callers: list[Callable[[], object]], server: TokenAddress) -> tuple[int, int]:
    """Let all begin at once; give how many failed, and how often the token address was called."""
    gate = threading.Barrier(len(callers))

    def run(caller: Callable[[], object]) -> int:
        gate.wait()
        with suppress(Exception):
            caller()
            return 0
        return 1

    with ThreadPoolExecutor(len(callers)) as pool:
        return sum(pool.map(run, callers)), server.calls


def race_ours(folder: Path) -> tuple[int, int]:
    """Race with a store for each caller, as processes have it."""
    database = sqlite_url(folder / "race.db")
    with token_address() as server, ExitStack() as stack:
        settings = Settings(database_url=database, zoom_oauth_url=f"{server.url}/oauth", zoom_api_url=server.url)
        stores = [stack.enter_context(open_store(database, key=KeySource())) for _ in range(CALLERS)]
        stores[0].put_app(
            app="notes", environment=Environment.PRODUCTION, client_id="id", client_secret=Secret("secret")
        )
        grant = stores[0].grant_by_id(_add(stores[0], "account", expires_in=-1))
        keepers = [
            TokenKeeper(live_services(store, settings), owner=str(number), patience=Patience(poll=0.02))
            for number, store in enumerate(stores)
        ]
        return _race([lambda keeper=keeper: keeper.access(grant) for keeper in keepers], server)  # type: ignore[misc]


def race_slack(folder: Path) -> tuple[int, int]:
    """Race with slack_sdk's TokenRotator, each caller reading from and saving to the SQLite store."""
    with token_address() as server:
        store = SQLite3InstallationStore(database=str(folder / "slack-race.db"), client_id="id")
        store.save(_installation("T0", expires_at=int(time.time()) - 1))

        def call() -> None:
            rotator = TokenRotator(
                client_id="id", client_secret="secret", client=WebClient(base_url=f"{server.url}/api/")
            )
            found = store.find_installation(enterprise_id=None, team_id="T0")
            assert found is not None
            rotated = rotator.perform_token_rotation(installation=found)
            assert rotated is not None
            store.save(rotated)

        return _race([call] * CALLERS, server)


def race_authlib(_folder: Path) -> tuple[int, int]:
    """Race with Authlib's session, which refreshes an expired token by itself before a call."""
    with token_address() as server:
        expired = {"access_token": "a", "refresh_token": "refresh-0", "token_type": "bearer", "expires_at": 1}
        newest = [expired]

        def call() -> None:
            session = OAuth2Session(
                "id", "secret", token=dict(newest[-1]), token_endpoint=f"{server.url}/oauth/token",
                update_token=lambda token, **_: newest.append(token),
            )  # fmt: skip
            session.get(f"{server.url}/users/me")

        return _race([call] * CALLERS, server)


def rate_ours(folder: Path) -> tuple[float, float]:
    """Give grants saved and found a second."""
    with open_store(sqlite_url(folder / "rate.db"), key=KeySource()) as store:
        _add(store, "warm", expires_in=3600)
        saved = _rate(lambda number: _add(store, f"a{number}", expires_in=3600))

        def find(number: int) -> None:
            grant = store.grant(app="notes", environment=Environment.PRODUCTION, account=f"a{number}")
            assert grant is not None
            store.tokens(grant_id=grant.id)

        return saved, _rate(find)


def rate_slack(folder: Path) -> tuple[float, float]:
    """Give installations saved and found a second."""
    store = SQLite3InstallationStore(database=str(folder / "slack-rate.db"), client_id="id")
    store.save(_installation("warm", expires_at=0))
    saved = _rate(lambda number: store.save(_installation(f"T{number}", expires_at=0)))
    return saved, _rate(lambda number: store.find_installation(enterprise_id=None, team_id=f"T{number}"))


def _rate(work: Callable[[int], object]) -> float:
    begin = time.perf_counter()
    for number in range(GRANTS):
        work(number)
    return GRANTS / (time.perf_counter() - begin)


def _add(store: Store, account: str, *, expires_in: float) -> int:
    expires = datetime.now(UTC) + timedelta(seconds=expires_in)
    pair = TokenPair(access=Secret("access-0" * 60), refresh=Secret("refresh-0"), expires_at=expires)
    return store.add_grant(
        app="notes", environment=Environment.PRODUCTION, account=account, client_id="id", user_id="u",
        email="u@example.com", zoom_account_id="z", scopes=("user:read:user",), api_url=None, tokens=pair,
    ).id  # fmt: skip


def _installation(team: str, *, expires_at: int) -> Installation:
    return Installation(
        app_id="A", team_id=team, bot_token="access-0" * 60, bot_id="B", bot_user_id="U", bot_scopes=["user:read:user"],
        bot_refresh_token="refresh-0", bot_token_expires_at=expires_at, user_id="u",
    )  # fmt: skip


RACES: dict[str, Callable[[Path], tuple[int, int]]] = {
    "ours": race_ours,
    "slack_sdk": race_slack,
    "Authlib": race_authlib,
}
RATES: dict[str, Callable[[Path], tuple[float, float]]] = {"ours": rate_ours, "slack_sdk": rate_slack}
