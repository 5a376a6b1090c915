"""The sandbox against the documented cassettes: what it answers has the keys and types that Zoom's documents show.

Client and sandbox are thereby held to the same third party and cannot drift away from Zoom together.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import yaml

from rtms_audit.core.answers import parse_body
from rtms_audit.core.model import Plan
from rtms_audit.core.secret import Secret
from rtms_audit.sandbox.server import Sandbox, load_scenario
from rtms_audit.zoom.api import ZoomApi
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.limits import Limits
from rtms_audit.zoom.oauth import Pair, TokenAnswer, ZoomOAuth

DOCUMENTED = Path(__file__).parents[2] / "cassettes" / "documented"
VERIFIER = Secret("v" * 64)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def documented(name: str) -> tuple[int, object, list[str]]:
    """Return status and body of a cassette's last answer, and the keys that an answer may lack."""
    cassette = yaml.safe_load((DOCUMENTED / f"{name}.yaml").read_text(encoding="utf-8"))
    response = cassette["interactions"][-1]["response"]
    body = parse_body(response["body"]["string"].encode())
    return response["status"]["code"], body, cassette["documented"].get("optional", [])


def differences(wanted: object, given: object, optional: list[str], place: str = "body") -> Iterator[str]:
    """Say where an answer lacks a documented key or has a value of another type; more keys are no difference."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        for key, value in wanted.items():
            if key in given:
                yield from differences(value, given[key], optional, f"{place}.{key}")
            elif key not in optional:
                yield f"{place}.{key} is missing"
    elif isinstance(wanted, list) and isinstance(given, list):
        if wanted and given:
            yield from differences(wanted[0], given[0], optional, f"{place}[0]")
    elif kind_of(wanted) != kind_of(given):
        yield f"{place} is {kind_of(given)} and not {kind_of(wanted)}"


def kind_of(value: object) -> str:
    """Return the JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


@dataclass
class World:
    """A running sandbox in which one account has installed the app."""

    ready: Any
    oauth: ZoomOAuth
    pair: Pair
    granted: TokenAnswer
    label: str

    @property
    def app(self) -> dict[str, Any]:
        """The first app."""
        found: dict[str, Any] = self.ready["apps"][0]
        return found

    def account(self) -> Any:
        """Return the account that installed the app."""
        return next(a for a in self.ready["accounts"] if a["label"] == self.label)

    def api(self, token: Secret) -> ZoomApi:
        """Return a client with this token."""
        limits = Limits(clock=now, sleep=time.sleep, plan=Plan.PRO)
        return ZoomApi(self.ready["api_url"], token=lambda: token, clock=now, limits=limits, sleep=time.sleep)

    def user(self) -> ZoomApi:
        """Return a client for the user who installed the app."""
        assert self.granted.tokens is not None
        return self.api(self.granted.tokens.access)

    def auditor(self, label: str | None = None) -> ZoomApi:
        """Return a client for an account's auditor connection."""
        account = next(a for a in self.ready["accounts"] if a["label"] == (label or self.label))
        pair = Pair(account["auditor"]["client_id"], Secret(account["auditor"]["client_secret"]))
        tokens = self.oauth.account_credentials(pair, account["account_id"]).tokens
        assert tokens is not None
        return self.api(tokens.access)

    def code(self) -> Secret:
        """Consent as the account's first user and return the code of the way back."""
        email = self.account()["users"][0]["email"]
        assert self.pair.redirect_uri is not None
        url = self.oauth.authorize_url(self.pair.client_id, self.pair.redirect_uri, "state", VERIFIER)
        answer = requests.get(f"{url}&login_hint={email}", allow_redirects=False, timeout=10)
        return Secret(parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0])


@contextmanager
def installed(scenario: str, label: str = "developer") -> Iterator[World]:
    """Run a scenario and install its app's production environment in one account, by default its owner's."""
    with Sandbox(load_scenario(scenario)) as sandbox:
        ready: Any = sandbox.ready()
        keys = ready["apps"][0]["environments"]["production"]
        pair = Pair(keys["client_id"], Secret(keys["client_secret"]), "http://127.0.0.1:8765/callback")
        oauth = ZoomOAuth(ready["oauth_url"], clock=now)
        made = World(ready, oauth, pair, oauth.client_credentials(pair), label)
        made.granted = oauth.exchange_code(pair, made.code(), VERIFIER)
        yield made


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a sandbox in which everything works."""
    with installed("everything-works") as made:
        yield made


def agrees(name: str, exchange: Exchange) -> None:
    """Hold an answer of the sandbox against a cassette."""
    status, body, optional = documented(name)
    assert exchange.status == status
    assert list(differences(body, exchange.parsed, optional)) == []
    if isinstance(body, dict) and "code" in body:
        assert isinstance(exchange.parsed, dict)
        assert exchange.parsed["code"] == body["code"]
    assert exchange.tracking_id


def test_granted_tokens(world: World) -> None:
    """Code, refresh, client credentials, account credentials and revocation answer as documented."""
    agrees("oauth/code-granted", world.granted.exchange)
    again = world.oauth.exchange_code(world.pair, world.code(), VERIFIER)
    assert again.tokens is not None
    assert again.tokens.refresh is not None
    refreshed = world.oauth.refresh(world.pair, again.tokens.refresh)
    agrees("oauth/refresh-granted", refreshed.exchange)
    agrees("oauth/client-credentials-granted", world.oauth.client_credentials(world.pair).exchange)
    world.granted = refreshed


def test_refused_tokens(world: World) -> None:
    """A used code, a wrong secret and a dead refresh token are refused as documented."""
    code = world.code()
    world.granted = world.oauth.exchange_code(world.pair, code, VERIFIER)
    agrees("oauth/code-refused", world.oauth.exchange_code(world.pair, code, VERIFIER).exchange)
    wrong = Pair(world.pair.client_id, Secret("wrong"), world.pair.redirect_uri)
    agrees("oauth/client-refused", world.oauth.exchange_code(wrong, Secret("code"), VERIFIER).exchange)
    agrees("oauth/refresh-dead", world.oauth.refresh(world.pair, Secret("never-issued")).exchange)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("user-basic", "/users/me"),
        ("user-settings", "/users/me/settings"),
        ("user-permissions", "/users/me/permissions"),
        ("app", "/marketplace/apps/{app_id}"),
        ("user-app-requests", "/marketplace/users/me/apps"),
        ("app-unknown", "/marketplace/apps/unknown"),
        ("meeting-unknown", "/meetings/1"),
        ("scopes-missing", "/users/summary"),
        ("scopes-missing-marketplace", "/marketplace/apps?type=account_added"),
    ],
)
def test_what_the_user_sees(world: World, name: str, path: str) -> None:
    """The user's calls answer with the documented keys and types."""
    agrees(f"rest/{name}", world.user().get(path.format(app_id=world.app["app_id"])))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("plan-usage", "/accounts/me/plans/usage"),
        ("account-settings", "/accounts/me/settings"),
        ("users-summary", "/users/summary"),
        ("added-apps", "/marketplace/apps?type=account_added"),
    ],
)
def test_what_an_auditor_sees(world: World, name: str, path: str) -> None:
    """The auditor's calls on a paid account answer with the documented keys and types."""
    agrees(f"rest/{name}", world.auditor().get(path))


@pytest.mark.parametrize(
    ("name", "path"),
    [("plan-usage-free", "/accounts/me/plans/usage"), ("account-settings-free", "/accounts/me/settings")],
)
def test_what_a_free_account_is_refused(world: World, name: str, path: str) -> None:
    """The plan's calls on a free account are refused as documented, one of them behind HTTP 200."""
    agrees(f"rest/{name}", world.auditor("free").get(path))


def start_in_a_meeting(world: World) -> Exchange:
    """Begin a meeting of the account and ask for RTMS in it."""
    body = {"action": "start", "settings": {"client_id": world.pair.client_id}}
    return world.user().patch(f"/live_meetings/{begin_meeting(world)}/rtms_app/status", body)


def begin_meeting(world: World) -> int:
    """Begin a meeting of the account in which nothing starts by itself."""
    meeting = requests.post(
        f"{world.ready['control_url']}/meetings",
        json={"account": world.label, "environment": "production", "trigger": "none"},
        timeout=10,
    )
    return int(meeting.json()["meeting_id"])


def test_meetings(world: World) -> None:
    """A meeting that runs, and a start of RTMS in it, answer as documented."""
    agrees("rest/meeting-started", world.user().get(f"/meetings/{begin_meeting(world)}"))
    agrees("rest/start-accepted", start_in_a_meeting(world))
    body = {"action": "start", "settings": {"client_id": world.pair.client_id}}
    agrees("rest/start-meeting-unknown", world.user().patch("/live_meetings/1/rtms_app/status", body))


def test_a_start_without_developer_pack() -> None:
    """Without entitlement a start is refused as documented."""
    with installed("no-developer-pack") as world:
        agrees("rest/start-no-entitlement", start_in_a_meeting(world))


def test_a_start_where_the_app_is_not_listed() -> None:
    """In an account that does not list this client id a start is refused as documented."""
    with installed("sharing-off", "picky") as world:
        agrees("rest/start-app-not-allowed", start_in_a_meeting(world))


def test_the_last_thing_is_revocation(world: World) -> None:
    """Revoking answers as documented, and the token is refused from then on."""
    assert world.granted.tokens is not None
    agrees("oauth/revoked", world.oauth.revoke(world.pair, world.granted.tokens.access).exchange)
    agrees("rest/token-expired", world.user().get("/users/me"))


@pytest.fixture
def fresh() -> Iterator[World]:
    """Give a sandbox of its own in which everything works."""
    with installed("everything-works") as made:
        yield made


ELSEWHERE = {
    "oauth/error-page": "a page for people, which a fault of the sandbox can be given as its body",
    "oauth/html-maintenance": "a page for people, which a fault of the sandbox can be given as its body",
    "oauth/refresh-dead-2021": "an older wording; the sandbox speaks the newer one",
    "rest/token-invalid-400": "an older status; the sandbox answers 401",
    "rest/limit-daily": "two thousand calls away; tests/sandbox/test_limits.py holds its words",
}
"""Cassettes that no answer of a running sandbox is held against, and why."""


def test_every_cassette_is_compared() -> None:
    """A cassette that is added has to be held against the sandbox here, or it has to be said why not."""
    here = Path(__file__).read_text(encoding="utf-8")
    names = {f"{path.parent.name}/{path.stem}" for path in DOCUMENTED.rglob("*.yaml")}
    compared = {name for name in names if f'"{name}"' in here or f'"{name.removeprefix("rest/")}"' in here}
    assert names == compared
    assert set(ELSEWHERE) <= names


def control(world: World, path: str, **body: object) -> Any:
    """Call the control address."""
    answer = requests.post(f"{world.ready['control_url']}{path}", json=body, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


def install_order(action: str) -> Callable[[World], None]:
    """Return what an administrator or user does to the install."""
    return lambda world: control(
        world, "/installs", account=world.label, app="notes", environment="production", action=action
    )


def reuse(world: World) -> None:
    """Use the refresh token once more than the sandbox tolerates."""
    control(world, "/settings", refresh_rotation="tolerance", tolerance=0)
    assert world.granted.tokens is not None
    assert world.granted.tokens.refresh is not None
    world.oauth.refresh(world.pair, world.granted.tokens.refresh)


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("oauth/refresh-app-disabled", lambda world: control(world, "/apps/notes", status="disabled")),
        ("oauth/refresh-approval-withdrawn", install_order("withdraw-approval")),
        ("oauth/refresh-no-authorization", install_order("remove")),
        ("oauth/refresh-user-removed", install_order("remove-user")),
        ("oauth/refresh-superseded", lambda world: world.oauth.exchange_code(world.pair, world.code(), VERIFIER)),
        ("oauth/refresh-reused", reuse),
    ],
)
def test_a_grant_that_ended(name: str, before: Callable[[World], None]) -> None:
    """Each way in which a grant ends has its own number at the next refresh."""
    with installed("everything-works") as world:
        before(world)
        assert world.granted.tokens is not None
        assert world.granted.tokens.refresh is not None
        agrees(name, world.oauth.refresh(world.pair, world.granted.tokens.refresh).exchange)


def test_an_auditors_token(world: World) -> None:
    """Account credentials are granted as documented."""
    account = world.account()["auditor"]
    pair = Pair(account["client_id"], Secret(account["client_secret"]))
    agrees("oauth/account-credentials-granted", world.oauth.account_credentials(pair, account["account_id"]).exchange)


def start_with(world: World, meeting: object, action: str = "start") -> Exchange:
    """Call the address that starts and stops RTMS."""
    body = {"action": action, "settings": {"client_id": world.pair.client_id}}
    return world.user().patch(f"/live_meetings/{meeting}/rtms_app/status", body)


@pytest.mark.parametrize(
    ("name", "meeting", "action"),
    [
        ("rest/start-meeting-not-started", {"waiting": True}, "start"),
        ("rest/start-meeting-unsupported", {"kind": "breakout"}, "start"),
        ("rest/start-not-permitted", {"host": "paid", "role": "guest"}, "start"),
        ("rest/start-nothing-to-stop", {}, "stop"),
    ],
)
def test_starts_that_are_refused(fresh: World, name: str, meeting: dict[str, object], action: str) -> None:
    """Each refusal of a start or stop answers as documented."""
    opened = control(
        fresh, "/meetings", account=fresh.label, environment="production", trigger="none", **meeting
    )["meeting_id"]  # fmt: skip
    agrees(name, start_with(fresh, opened, action))


def test_a_start_without_its_scope() -> None:
    """Without the control scope a start is refused as observed."""
    with installed("scopes-missing", "no-control") as world:
        agrees("rest/start-scope-missing", start_with(world, begin_meeting(world)))


@pytest.mark.parametrize(
    ("name", "words"), [("rest/scope-missing-classic", "4700"), ("rest/scopes-missing-broken-json", "104")]
)
def test_other_words_for_a_missing_scope(name: str, words: str) -> None:
    """Classic scopes have another number, and one family's answer is no valid JSON; switches bring both."""
    with installed("everything-works") as world:
        control(world, "/settings", scope_error=words)
        agrees(name, world.user().get("/users/summary"))


def test_an_account_without_api() -> None:
    """Where the account's API is off, every call is refused as documented."""
    with installed("everything-works") as world:
        control(world, "/accounts/developer", api_access=False)
        agrees("rest/api-denied", world.user().get("/users/me"))


def test_more_of_users_and_apps(fresh: World) -> None:
    """A licensed user, an unknown one, and the log of deliveries answer as documented."""
    agrees("rest/user-licensed", fresh.user().get("/users/me"))
    agrees("rest/user-unknown", fresh.auditor().get("/users/nobody@example.com"))
    control(fresh, "/settings", webhook_url="http://127.0.0.1:9/none")
    begin_meeting(fresh)
    path = f"/marketplace/apps/{fresh.app['app_id']}/webhook_logs"
    until = time.monotonic() + 5
    while not (logs := fresh.auditor().get(path)).parsed["webhook_logs"] and time.monotonic() < until:  # type: ignore[index]
        time.sleep(0.05)
    agrees("rest/webhook-logs", logs)


def test_too_many_calls() -> None:
    """The answer to one call too many within a second has the documented status, body and headers."""
    name = "rest/limit-per-second"
    cassette = yaml.safe_load((DOCUMENTED / f"{name}.yaml").read_text(encoding="utf-8"))
    response = cassette["interactions"][0]["response"]
    with installed("everything-works", "free") as world:
        assert world.granted.tokens is not None
        headers = {"Authorization": f"Bearer {world.granted.tokens.access.reveal()}"}
        answers = [requests.get(f"{world.ready['api_url']}/users/me", headers=headers, timeout=10) for _ in range(8)]
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert refused.status_code == response["status"]["code"]
    assert list(differences(parse_body(response["body"]["string"].encode()), refused.json(), [])) == []
    documented_headers = {name.lower() for name in response["headers"]} - {"content-type"}
    assert documented_headers <= {name.lower() for name in refused.headers}
