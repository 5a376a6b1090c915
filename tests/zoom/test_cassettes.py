"""The cassettes: every answer replayed through the real client, and none of them holding anything secret."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import vcr
import yaml

from rtms_audit.core.model import Plan
from rtms_audit.core.secret import Secret
from rtms_audit.zoom.api import ZoomApi
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.limits import Limits
from rtms_audit.zoom.oauth import Pair, ProblemKind, TokenAnswer, ZoomOAuth

CASSETTES = Path(__file__).parents[2] / "cassettes"
DOCUMENTED = CASSETTES / "documented"
PAIR = Pair("ProdClientMadeUp", Secret("made-up-client-secret"), "https://app.example.com/callback")

GRANTED = None
OAUTH: dict[str, tuple[ProblemKind, int | None] | None] = {
    "account-credentials-granted": GRANTED,
    "client-credentials-granted": GRANTED,
    "client-refused": (ProblemKind.CLIENT_INVALID, None),
    "code-granted": GRANTED,
    "code-refused": (ProblemKind.CODE_REFUSED, None),
    "error-page": (ProblemKind.CLIENT_INVALID, 4702),
    "html-maintenance": (ProblemKind.TRANSIENT, None),
    "refresh-app-disabled": (ProblemKind.APP_DISABLED, 4717),
    "refresh-approval-withdrawn": (ProblemKind.APPROVAL_WITHDRAWN, 4738),
    "refresh-dead": (ProblemKind.GRANT_DEAD, None),
    "refresh-dead-2021": (ProblemKind.GRANT_DEAD, None),
    "refresh-granted": GRANTED,
    "refresh-no-authorization": (ProblemKind.NO_AUTHORIZATION, 4737),
    "refresh-reused": (ProblemKind.REUSED, 4740),
    "refresh-superseded": (ProblemKind.SUPERSEDED, 4741),
    "refresh-user-removed": (ProblemKind.USER_REMOVED, 4735),
    "revoked": GRANTED,
}
"""The reading of each OAuth cassette: None for a success, else the kind of problem and Zoom's number."""

ANSWERED = None
REST: dict[str, tuple[int | None, tuple[str, ...]] | None] = {
    "account-settings": ANSWERED,
    "account-settings-free": (200, ()),
    "added-apps": ANSWERED,
    "api-denied": (None, ()),
    "app": ANSWERED,
    "app-unknown": (1401, ()),
    "limit-daily": (429, ()),
    "limit-per-second": ANSWERED,
    "meeting-started": ANSWERED,
    "meeting-unknown": (3001, ()),
    "plan-usage": ANSWERED,
    "plan-usage-free": (200, ()),
    "scope-missing-classic": (4700, ("user:read:admin",)),
    "scopes-missing": (4711, ("user:read:settings", "user:read:settings:admin")),
    "scopes-missing-broken-json": (104, ("user:read:list_permissions", "user:read:list_permissions:admin")),
    "scopes-missing-marketplace": (201, ("marketplace:read:app",)),
    "start-accepted": ANSWERED,
    "start-app-not-allowed": (13262, ()),
    "start-meeting-not-started": (3000, ()),
    "start-meeting-unknown": (3001, ()),
    "start-meeting-unsupported": (13273, ()),
    "start-no-entitlement": (2310, ()),
    "start-not-permitted": (2308, ()),
    "start-nothing-to-stop": (13277, ()),
    "start-scope-missing": (4711, ("meeting:update:participant_rtms_app_status",)),
    "token-expired": (124, ()),
    "token-invalid-400": (124, ()),
    "user-app-requests": ANSWERED,
    "user-basic": ANSWERED,
    "user-licensed": ANSWERED,
    "user-permissions": ANSWERED,
    "user-settings": ANSWERED,
    "user-unknown": (1001, ()),
    "users-summary": ANSWERED,
    "webhook-logs": ANSWERED,
}
"""The reading of each REST cassette: None for a success, else Zoom's code and the scopes that it names."""


def load(path: Path) -> dict[str, Any]:
    """Return a cassette as a document."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def replayed(path: Path) -> Any:
    """Return a context in which the cassette is all there is of the network."""
    return vcr.VCR(record_mode=vcr.mode.NONE).use_cassette(str(path))


def call_token_address(client: ZoomOAuth, request: dict[str, Any]) -> TokenAnswer:
    """Make the call that a cassette's request stands for."""
    sent = {name: values[0] for name, values in parse_qs(request["body"]).items()}
    if request["uri"].endswith("/revoke"):
        return client.revoke(PAIR, Secret(sent["token"]))
    if sent["grant_type"] == "authorization_code":
        return client.exchange_code(PAIR, Secret(sent["code"]), Secret(sent["code_verifier"]))
    if sent["grant_type"] == "refresh_token":
        return client.refresh(PAIR, Secret(sent["refresh_token"]))
    if sent["grant_type"] == "account_credentials":
        return client.account_credentials(PAIR, sent["account_id"])
    return client.client_credentials(PAIR)


@pytest.mark.parametrize("name", sorted(OAUTH))
def test_oauth_answers(name: str, clock: Any) -> None:
    """The client reads a documented answer of the OAuth addresses as it is meant, and keeps no token of it."""
    path = DOCUMENTED / "oauth" / f"{name}.yaml"
    with replayed(path) as cassette:
        answer = call_token_address(
            ZoomOAuth("https://zoom.us/oauth", clock=clock), load(path)["interactions"][0]["request"]
        )
        assert cassette.all_played
    expected = OAUTH[name]
    if expected is None:
        assert answer.problem is None
        assert (answer.tokens is None) == (name == "revoked")
    else:
        assert answer.tokens is None
        assert answer.problem is not None
        assert (answer.problem.kind, answer.problem.code) == expected
    assert "made-up" not in f"{answer!r}{answer.oauth_fields()!r}"
    assert answer.exchange.tracking_id == "v=2.0;clid=us04;rid=WEB_madeup"


def call_api(client: ZoomApi, request: dict[str, Any]) -> Exchange:
    """Make the call that a cassette's request stands for."""
    parts = urlsplit(request["uri"])
    path = parts.path.removeprefix("/v2")
    if request["method"] == "GET":
        return client.get(path, dict(item.split("=") for item in parts.query.split("&") if item))
    return client.patch(path, yaml.safe_load(request["body"]))


@pytest.mark.parametrize("name", sorted(REST))
def test_rest_answers(name: str, clock: Any) -> None:
    """The client reads a documented answer of the REST addresses as it is meant."""
    path = DOCUMENTED / "rest" / f"{name}.yaml"
    api = ZoomApi(
        "https://api.zoom.us/v2", token=lambda: Secret("made-up-access-token"), clock=clock, sleep=clock.sleep,
        limits=Limits(clock=clock, sleep=clock.sleep, plan=Plan.PRO),
    )  # fmt: skip
    with replayed(path) as cassette:
        exchange = call_api(api, load(path)["interactions"][0]["request"])
        assert cassette.all_played
    expected = REST[name]
    if expected is None:
        assert exchange.ok
        assert exchange.status == 204 or isinstance(exchange.parsed, dict)
    else:
        assert exchange.refusal is not None
        assert (exchange.refusal.code, exchange.refusal.scopes) == expected
        assert exchange.refusal.message
    assert exchange.tracking_id == "v=2.0;clid=us04;rid=WEB_madeup"


def test_the_daily_limit_closes_the_label(clock: Any) -> None:
    """After Zoom's documented daily answer no second call goes out before the time that it names."""
    limits = Limits(clock=clock, sleep=clock.sleep)
    api = ZoomApi(
        "https://api.zoom.us/v2", token=lambda: Secret("t"), clock=clock, sleep=clock.sleep, limits=limits
    )  # fmt: skip
    with replayed(DOCUMENTED / "rest" / "limit-daily.yaml"):
        api.get("/users/me/settings")
        second = api.get("/users/me/settings")
    assert second.error is not None
    assert datetime(2026, 3, 3, tzinfo=UTC).isoformat() in second.error


def every_cassette() -> list[Path]:
    """Return all cassette files, documented and recorded."""
    return sorted(CASSETTES.rglob("*.yaml"))


def test_every_documented_answer_is_expected() -> None:
    """No file lies about without an expectation, and no expectation lacks its file."""
    assert {path.stem for path in (DOCUMENTED / "oauth").iterdir()} == set(OAUTH)
    assert {path.stem for path in (DOCUMENTED / "rest").iterdir()} == set(REST)


@pytest.mark.parametrize("path", sorted(DOCUMENTED.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_documented_answer_has_its_source(path: Path) -> None:
    """Source address, date, confidence and a note stand in each file."""
    told = load(path)["documented"]
    assert told["source"]
    assert all(source.startswith("https://") for source in told["source"])
    assert re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", told["date"])
    assert told["confidence"] in ("documented", "observed", "community", "inference")
    assert told["note"].endswith(".")


TOKEN_SHAPES = re.compile(
    r"eyJ[\w-]{6,}"  # a JSON web token
    r"|(?i:bearer|basic)\s+[\w+/=.-]{8,}"  # an Authorization header
    r"|\bv0=[0-9a-f]{64}"  # a webhook signature
    r"|(?<![\w/.-])(?=[\w+/-]*\d)(?=[\w+/-]*[A-Za-z])[\w+/-]{40,}={0,2}(?![\w/.-])"  # a long random word
)
SECRET_VALUE = re.compile(
    r"""(?ix)["']?\b(access_token|refresh_token|client_secret|code|code_verifier|token)["']?\s*[=:]\s*["']?([\w.~+/-]{6,})"""
)
EMAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")


def leaks(text: str) -> list[str]:
    """Return what in a cassette's text looks secret or personal."""
    shapes = [found[0] for found in TOKEN_SHAPES.finditer(text)]
    values = [found[0] for found in SECRET_VALUE.finditer(text) if not found[2].startswith(("made-up", "[secret]"))]
    people = [found[0] for found in EMAIL.finditer(text) if found[1] != "example.com"]
    headers = re.findall(r"(?im)^\s*(?:authorization|cookie|set-cookie)\s*:.*$", text)
    return [*shapes, *values, *people, *headers]


@pytest.mark.parametrize("path", every_cassette(), ids=lambda path: path.stem)
def test_no_cassette_holds_anything_secret(path: Path) -> None:
    """Nothing shaped like a token, no credential header and nobody's address is in any cassette."""
    assert leaks(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"access_token": "abcdef123456"}',
        "refresh_token=abcdefghijk&x=y",
        "      Authorization: [x]",
        "        set-cookie: ['a=b']",
        "Bearer abcdefghijkl",
        "Basic RGV2Q2xpZW50",
        '"eyJhbGciOiJIUzUxMiJ9.x.y"',
        "someone@zoom.us",
        "v0=" + "a1" * 32,
        "key: " + "aB3" * 16,
    ],
)
def test_the_search_finds_what_it_should(text: str) -> None:
    """The search itself is tried on what must never be there."""
    assert leaks(text)
