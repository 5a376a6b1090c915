"""The OAuth addresses, over HTTP."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest

from rtms_audit.sandbox.oauth import redirect_allowed
from rtms_audit.sandbox.scenario import EnvironmentSpec
from rtms_audit.sandbox.world import AppEnvironment

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports
CALLBACK = "http://127.0.0.1:4711/callback"


def refresh(desk: Desk, token: str) -> tuple[int, dict[str, object]]:
    """Refresh and return status and body."""
    answer = desk.token(grant_type="refresh_token", refresh_token=token)
    return answer.status_code, answer.json()


def test_consent_page_lists_accounts_and_people(desk: Desk) -> None:
    """Without a login hint the page shows who could consent, and a way to decline."""
    answer = desk.authorize(state="s1")
    assert answer.status_code == 200
    assert "me@freelancer.example.com" in answer.text
    assert "external-free" in answer.text
    assert "decision=deny" in answer.text
    assert "state=s1" in answer.text


def test_login_hint_consents_at_once(desk: Desk) -> None:
    """With a login hint the redirect carries code and state."""
    answer = desk.authorize(state="s2", login_hint="me@freelancer.example.com")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(CALLBACK + "?")
    assert query["state"] == ["s2"]
    assert len(query["code"][0]) > 20


def test_declining_redirects_with_access_denied(desk: Desk) -> None:
    """The decline link leads back with `error=access_denied` and the state."""
    answer = desk.authorize(state="s3", decision="deny")
    assert answer.headers["location"] == f"{CALLBACK}?error=access_denied&state=s3"


def test_token_answer_has_zooms_shape(desk: Desk) -> None:
    """An exchanged code gives bearer, scope, lifetime, refresh token and a base address that is the sandbox's own."""
    tokens = desk.install("developer")
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 3599
    assert "meeting:read:meeting_audio" in tokens["scope"].split()
    assert tokens["api_url"] + "/v2" == desk.ready["api_url"]
    assert tokens["refresh_token"] != tokens["access_token"]


def test_code_is_good_once(desk: Desk) -> None:
    """A used code is refused in Zoom's words."""
    code = desk.code("developer")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    assert desk.token(**form).status_code == 200
    again = desk.token(**form)
    assert (again.status_code, again.json()) == (
        400,
        {"reason": "Invalid authorization code", "error": "invalid_grant"},
    )


def test_code_dies_after_five_minutes(desk: Desk) -> None:
    """A code that is 300 seconds old is refused."""
    code = desk.code("developer")
    desk.order("/clock", advance=300)
    answer = desk.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
    assert answer.json()["error"] == "invalid_grant"


def test_code_needs_the_same_redirect_address(desk: Desk) -> None:
    """Another redirect address at the exchange is a mismatch (4709)."""
    answer = desk.token(grant_type="authorization_code", code=desk.code("developer"), redirect_uri=CALLBACK + "/x")
    assert answer.json()["code"] == 4709


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_pkce_is_checked(desk: Desk, method: str) -> None:
    """The verifier must fit the challenge; a wrong one is refused and does not use the code up."""
    verifier = "v" * 64
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    challenge = digest if method == "S256" else verifier
    code = desk.code("developer", code_challenge=challenge, code_challenge_method=method)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    assert desk.token(**form, code_verifier="w" * 64).json()["reason"] == "Invalid code verifier"
    assert desk.token(**form, code_verifier=verifier).status_code == 200


def test_wrong_secret_is_invalid_client(desk: Desk) -> None:
    """The development secret with the production id is refused as Zoom does."""
    auth = (desk.pair("production")["client_id"], desk.pair("development")["client_secret"])
    form = {"grant_type": "client_credentials"}
    answer = desk.http.post(desk.ready["oauth_url"] + "/token", data=form, auth=auth)
    assert answer.status_code == 400
    assert answer.json() == {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}


def test_credentials_belong_into_the_header(desk: Desk) -> None:
    """Credentials in the body, none at all, and a header that is none are told apart."""
    url, pair = desk.ready["oauth_url"] + "/token", desk.pair()
    form = {"grant_type": "client_credentials"}
    in_body = desk.http.post(url, data={**form, "client_id": pair["client_id"], "client_secret": pair["client_secret"]})
    assert in_body.json()["reason"] == "Invalid client credentials"
    for header in ("", "Basic %%%", "Basic bm9jb2xvbg==", "Basic //79"):
        answer = desk.http.post(url, data=form, headers={"Authorization": header})
        assert answer.json()["reason"] == "Missing client credentials"


def test_client_credentials_checks_a_pair_without_a_user(desk: Desk) -> None:
    """An app's own token has no refresh token and only subscription scopes."""
    body = desk.token(grant_type="client_credentials").json()
    assert "refresh_token" not in body
    assert "marketplace:read:list_event_subscriptions" in body["scope"]


def test_parameters_may_stand_in_the_query(desk: Desk) -> None:
    """Zoom takes query parameters as well as a form."""
    pair = desk.pair()
    url = desk.ready["oauth_url"] + "/token?grant_type=client_credentials"
    assert desk.http.post(url, auth=(pair["client_id"], pair["client_secret"])).status_code == 200


def test_grant_types_that_are_none(desk: Desk) -> None:
    """A missing grant type and an unknown one are refused differently."""
    assert desk.token().json()["code"] == 4706
    assert desk.token(grant_type="password").json()["error"] == "unsupported_grant_type"


def test_account_credentials(desk: Desk) -> None:
    """A Server-to-Server app gets a token for its own account alone."""
    auditor = desk.account("customer")["auditor"]
    url = desk.ready["oauth_url"] + "/token"

    def ask(account_id: str, secret: str) -> dict[str, object]:
        form = {"grant_type": "account_credentials", "account_id": account_id}
        answer: dict[str, object] = desk.http.post(url, data=form, auth=(auditor["client_id"], secret)).json()
        return answer

    assert "refresh_token" not in ask(auditor["account_id"], auditor["client_secret"])
    assert ask("other", auditor["client_secret"])["reason"] == "Account does not exist"
    assert ask(auditor["account_id"], "wrong")["error"] == "invalid_client"
    general = desk.token(grant_type="account_credentials", account_id=auditor["account_id"])
    assert general.json()["error"] == "unsupported_grant_type"


def test_account_credentials_need_an_activated_app(desk: Desk) -> None:
    """A Server-to-Server app that is switched off is refused in Zoom's words."""
    auditor = desk.account("customer")["auditor"]
    desk.order("/accounts/customer", auditor=False)
    form = {"grant_type": "account_credentials", "account_id": auditor["account_id"]}
    auth = (auditor["client_id"], auditor["client_secret"])
    answer = desk.http.post(desk.ready["oauth_url"] + "/token", data=form, auth=auth)
    assert answer.json()["reason"] == "The app is not activated"


def test_strict_rotation_kills_the_used_refresh_token(desk: Desk) -> None:
    """Each refresh brings a new pair, and the old refresh token is dead."""
    first = desk.install("developer")["refresh_token"]
    status, second = refresh(desk, first)
    assert status == 200
    assert second["refresh_token"] != first
    assert refresh(desk, first) == (400, {"reason": "Invalid Token!", "error": "invalid_grant"})
    assert refresh(desk, str(second["refresh_token"]))[0] == 200


def test_grace_rotation_forgives_for_a_while(desk: Desk) -> None:
    """In grace mode a used refresh token works on for the set time."""
    desk.order("/settings", refresh_rotation="grace", grace_s=30)
    first = desk.install("developer")["refresh_token"]
    assert refresh(desk, first)[0] == 200
    assert refresh(desk, first)[0] == 200
    desk.order("/clock", advance=31)
    assert refresh(desk, first)[0] == 400


def test_tolerance_rotation_counts(desk: Desk) -> None:
    """In tolerance mode a used refresh token works so many times more, then 4740."""
    desk.order("/settings", refresh_rotation="tolerance", tolerance=1)
    first = desk.install("developer")["refresh_token"]
    assert [refresh(desk, first)[0] for _ in range(2)] == [200, 200]
    assert refresh(desk, first)[1]["code"] == 4740


def test_refresh_token_ages(desk: Desk) -> None:
    """A refresh token dies after ninety days."""
    first = desk.install("developer")["refresh_token"]
    desk.order("/clock", advance=91 * 24 * 3600)
    assert refresh(desk, first)[1]["reason"] == "Invalid Token!"


def test_later_authorization_supersedes(desk: Desk) -> None:
    """The same user's second install kills the first (4741), unless that is switched off."""
    first = desk.install("developer")
    desk.install("developer")
    assert refresh(desk, first["refresh_token"])[1]["code"] == 4741
    assert desk.call(first["access_token"], "/users/me").json() == {"code": 124, "message": "Invalid access token."}
    desk.order("/settings", supersede="off")
    second = desk.install("developer")
    desk.install("developer")
    assert refresh(desk, second["refresh_token"])[0] == 200


@pytest.mark.parametrize(("action", "code"), [("withdraw-approval", 4738), ("remove", 4737), ("remove-user", 4735)])
def test_installs_end_with_zooms_number(desk: Desk, action: str, code: int) -> None:
    """Withdrawn approval, removed app and removed user each leave their own number at the next refresh."""
    token = desk.install("developer")["refresh_token"]
    desk.order("/installs", account="developer", environment="production", action=action)
    assert refresh(desk, token)[1]["code"] == code


def test_disabled_app(desk: Desk) -> None:
    """An app that Zoom disabled gets 4717 at the token address, a page at the authorize address and 124 at REST."""
    tokens = desk.install("developer")
    desk.order("/apps/notes", status="disabled")
    assert refresh(desk, tokens["refresh_token"])[1]["code"] == 4717
    assert "(4,717)" in desk.authorize(login_hint=desk.email("developer")).text
    assert desk.call(tokens["access_token"], "/users/me").status_code == 401


def test_revoke_ends_access_and_refresh(desk: Desk) -> None:
    """Revoking the access token ends both, and says success."""
    tokens, pair = desk.install("developer"), desk.pair()
    url, auth = desk.ready["oauth_url"] + "/revoke", (pair["client_id"], pair["client_secret"])
    assert desk.http.post(url, data={"token": tokens["access_token"]}, auth=auth).json() == {"status": "success"}
    assert desk.call(tokens["access_token"], "/users/me").status_code == 401
    assert refresh(desk, tokens["refresh_token"])[1] == {"reason": "Invalid Token!", "error": "invalid_grant"}
    assert desk.http.post(url, data={"token": "nonsense"}, auth=auth).status_code == 400
    own = desk.token(grant_type="client_credentials").json()["access_token"]
    assert desk.http.post(url, data={"token": own}, auth=auth).status_code == 200
    assert desk.call(own, "/marketplace/app/event_subscription").status_code == 401


def test_tokens_of_another_client_are_refused(desk: Desk) -> None:
    """A refresh token, a code and a revocation are good for their own client alone."""
    tokens = desk.install("developer")
    other = desk.token("development", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert other.json()["error"] == "invalid_grant"
    code = desk.code("developer")
    wrong = desk.token("development", grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
    assert wrong.json()["error"] == "invalid_grant"


def test_access_token_expires(desk: Desk) -> None:
    """After its lifetime an access token is refused in other words than a dead one."""
    desk.order("/settings", access_token_ttl=10)
    token = desk.install("developer")["access_token"]
    desk.order("/clock", advance=11)
    assert desk.call(token, "/users/me").json() == {"code": 124, "message": "Access token is expired."}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"client_id": "nobody"}, "(4,702)"),
        ({"redirect_uri": "https://elsewhere.example.com/cb"}, "(4,700)"),
        ({"redirect_uri": "http://[broken"}, "(4,700)"),
        ({"redirect_uri": ""}, "(4,700)"),
        ({"response_type": "token"}, "(4,700)"),
        ({"code_challenge_method": "S512"}, "(4,700)"),
        ({"scope": "user:read:everything"}, "(4,700)"),
        ({"login_hint": "nobody@example.com"}, "nobody@example.com"),
    ],
)
def test_authorize_stops_on_a_page(desk: Desk, query: dict[str, str], words: str) -> None:
    """What is wrong in the address ends on a page; nothing is redirected."""
    answer = desk.authorize(**query)
    assert answer.status_code == 400
    assert words in answer.text


def test_scope_in_the_address_narrows_the_grant(desk: Desk) -> None:
    """Scopes named in the address, within the app's, are all that is granted."""
    code = desk.code("developer", scope="user:read:user", optional_scope="meeting:read:meeting")
    tokens = desk.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK).json()
    assert tokens["scope"] == "user:read:user meeting:read:meeting"


def test_declined_scopes_are_not_granted(desk: Desk) -> None:
    """An account whose people decline a scope gives a grant without it."""
    assert "meeting:read:meeting_transcript" not in desk.install("partial")["scope"]


def test_private_app_stays_in_its_owners_account(desk: Desk) -> None:
    """Outside the owner's account the development environment ends on a page; inside it installs."""
    answer = desk.authorize("development", login_hint=desk.email("customer"))
    assert answer.status_code == 403
    assert "location" not in answer.headers
    assert desk.install("developer", "development")["access_token"]


def test_pre_approval_asks_the_administrator(desk_for: Callable[[str], Desk]) -> None:
    """Where apps need approval, a request is left and no redirect happens; an approved app installs."""
    desk = desk_for("pre-approval")
    for _ in range(2):
        answer = desk.authorize(login_hint=desk.email("waiting"))
    assert answer.status_code == 403
    assert "approval" in answer.text
    assert desk.install("approving")["access_token"]
    admin = desk.auditor("waiting")
    path = f"/marketplace/apps/{desk.app_id()}/requests"
    (request,) = desk.call(admin, path).json()["requests"]
    assert request["request_user_email"] == desk.email("waiting")
    assert desk.call(admin, path, "PATCH", json={"action": "approve_all"}).status_code == 204
    assert desk.install("waiting")["access_token"]


def test_admin_managed_app_needs_an_administrator(desk_for: Callable[[str], Desk]) -> None:
    """A member cannot add an admin-managed app; the owner can, and may then read the account."""
    desk = desk_for(
        """
title: admin
apps: [{name: notes, owner: dev, usage: admin-managed, scopes: ["user:read:user:admin", "user:read:list_users:admin"]}]
accounts:
  - {label: dev, plan: pro, users: [{email: a@example.com}, {email: b@example.com, role: member}]}
"""
    )
    assert desk.authorize(login_hint="b@example.com").status_code == 403
    token = desk.install("dev")["access_token"]
    people = desk.call(token, "/users").json()["users"]
    assert [person["email"] for person in people] == ["a@example.com", "b@example.com"]
    assert desk.call(token, f"/users/{people[1]['id']}").json()["role_name"] == "Member"
    assert desk.call(token, "/users/me").json()["role_name"] == "Owner"


def test_device_flow(desk_for: Callable[[str], Desk]) -> None:
    """A device waits, is told to slow down, and gets its tokens once somebody has agreed."""
    desk = desk_for("everything-works")
    pair = desk.pair()
    auth = (pair["client_id"], pair["client_secret"])
    url = desk.ready["oauth_url"] + "/devicecode"
    assert desk.http.post(url, auth=auth).json()["error"] == "unauthorized_client"
    desk.order("/apps/notes", device_flow=True)

    def begin() -> dict[str, str]:
        answer: dict[str, str] = desk.http.post(url, auth=auth).json()
        return answer

    def poll(begun: dict[str, str]) -> dict[str, str]:
        kind = "urn:ietf:params:oauth:grant-type:device_code"
        answer: dict[str, str] = desk.token(grant_type=kind, device_code=begun["device_code"]).json()
        return answer

    begun = begin()
    assert poll(begun)["error"] == "authorization_pending"
    assert poll(begun)["error"] == "slow_down"
    page = desk.http.get(begun["verification_uri_complete"])
    assert begun["user_code"] in page.text
    desk.http.get(begun["verification_uri_complete"], params={"login_hint": desk.email("paid")})
    agreed = f"{begun['verification_uri_complete']}&login_hint={desk.email('paid')}"
    assert "Done" in desk.http.get(agreed).text
    assert poll(begun)["access_token"]
    refused = begin()
    desk.http.get(f"{refused['verification_uri_complete']}&decision=deny")
    assert poll(refused)["error"] == "access_denied"
    late = begin()
    desk.order("/clock", advance=901)
    assert poll(late)["error"] == "expired_token"
    assert poll({"device_code": "nonsense"})["error"] == "invalid_grant"
    assert "cannot be added" in desk.http.get(f"{begin()['verification_uri_complete']}&login_hint=x@example.com").text


@pytest.mark.parametrize(
    ("entry", "mode", "asked", "allowed"),
    [
        ("https://app.example.com/cb", "strict", "https://app.example.com/cb", True),
        ("https://app.example.com/cb", "base", "https://app.example.com/cb/more", False),
        ("https://app.example.com", "base", "https://app.example.com/any/path", True),
        ("https://app.example.com", "strict", "https://app.example.com/any/path", False),
        ("https://app.example.com", "base", "https://app.example.com:8443/", False),
        ("https://app.example.com", "base", "http://app.example.com/", False),
        ("http://127.0.0.1/cb", "strict", "http://127.0.0.1:49152/cb", True),
        ("http://127.0.0.1/cb", "strict", "http://127.0.0.1:49152/other", False),
        ("http://127.0.0.1", "base", "http://localhost:49152/cb", False),
        ("not an address", "base", "http://127.0.0.1/cb", False),
        ("https://app.example.com", "base", "https://app.example.com:x/", False),
    ],
)
def test_redirect_allow_list(desk: Desk, entry: str, mode: str, asked: str, allowed: bool) -> None:
    """Full addresses match exactly, base addresses by host, and a loopback's port does not count."""
    spec = EnvironmentSpec.model_validate({"redirect_uris": [entry], "redirect_mode": mode})
    client = AppEnvironment(None, "production", spec, "id", "secret", "token", "sub")  # type: ignore[arg-type]
    assert redirect_allowed(client, asked) is allowed
