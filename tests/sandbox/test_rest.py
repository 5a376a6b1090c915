"""The REST addresses, over HTTP: envelopes, rules of `me`, scopes, plans."""

from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import quote

import pytest

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports


def body(answer: Any, status: int) -> Any:
    """Return the JSON body of an answer that must have this status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def test_user_reads_themselves(desk: Desk) -> None:
    """Profile, settings and permissions of the installed user carry the ids that the ready line names."""
    token = desk.install("freelancer")["access_token"]
    me = body(desk.call(token, "/users/me"), 200)
    assert me["account_id"] == desk.account("freelancer")["account_id"]
    assert me["id"] == desk.account("freelancer")["users"][0]["user_id"]
    assert (me["type"], me["verified"], me["role_name"]) == (1, 1, "Owner")
    assert body(desk.call(token, "/users/me/settings"), 200)["feature"]["meeting_capacity"] == 100
    desk.order("/settings", rate_limits="off")
    assert "MarketPlace:Edit" in body(desk.call(token, "/users/me/permissions"), 200)["permissions"]


def test_answers_carry_tracking_ids(desk: Desk) -> None:
    """Every OAuth and REST answer has a tracking id of its own."""
    answers = [desk.call("none", "/users/me"), desk.call("none", "/users/me"), desk.token()]
    ids = {answer.headers["x-zm-trackingid"] for answer in answers}
    assert len(ids) == 3


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic eA=="])
def test_no_token_no_answer(desk: Desk, header: str) -> None:
    """Without a good bearer token it is 401 with code 124."""
    answer = desk.http.get(desk.ready["api_url"] + "/users/me", headers={"Authorization": header})
    assert body(answer, 401) == {"code": 124, "message": "Invalid access token."}


def test_rules_of_me(desk: Desk) -> None:
    """A user's token may say only `me`; an account's token may say everything but `me`, within its account."""
    user = desk.install("customer")["access_token"]
    own = desk.account("customer")["users"][0]["user_id"]
    assert body(desk.call(user, f"/users/{own}"), 404)["code"] == 1001
    auditor = desk.auditor("customer")
    assert body(desk.call(auditor, "/users/me"), 404) == {"code": 1001, "message": "User does not exist: me."}
    assert body(desk.call(auditor, f"/users/{own}"), 200)["email"] == desk.email("customer")
    stranger = desk.account("developer")["users"][0]["user_id"]
    assert body(desk.call(auditor, f"/users/{stranger}"), 404)["code"] == 1001


def test_missing_scope_by_family(desk: Desk) -> None:
    """Users say 400/4711, roles 400/4700, the Marketplace 401/201, each with the scopes."""
    token = desk.install("customer")["access_token"]
    users = body(desk.call(token, "/users/summary"), 400)
    assert users["code"] == 4711
    assert users["message"] == "Invalid access token, does not contain scopes:[user:read:summary:admin]."
    assert body(desk.call(token, "/roles"), 400)["code"] == 4700
    assert body(desk.call(token, "/marketplace/apps"), 401)["code"] == 201


def test_missing_scope_can_be_malformed(desk: Desk) -> None:
    """Code 104 comes as text that is no JSON, as newer product APIs answer."""
    token = desk.install("customer")["access_token"]
    desk.order("/settings", scope_error="104")
    answer = desk.call(token, "/users/summary")
    assert answer.status_code == 400
    assert '"code": 104' in answer.text
    assert 'scopes:["user:read:summary:admin"]' in answer.text
    with pytest.raises(ValueError, match="delimiter"):
        answer.json()


def test_unknown_address(desk: Desk) -> None:
    """A wrong path or verb is 400/2300."""
    token = desk.install("customer")["access_token"]
    assert body(desk.call(token, "/no/such/thing"), 400)["code"] == 2300
    assert body(desk.call(token, "/users/me", "DELETE"), 400)["code"] == 2300


PAID_ONLY = [
    ("/accounts/me/settings", 200, 200),
    ("/accounts/me/lock_settings", 400, 4711),
    ("/accounts/me/plans/usage", 400, 200),
    ("/groups", 200, 200),
    ("/roles", 400, 200),
]


@pytest.mark.parametrize(("path", "status", "code"), PAID_ONLY)
def test_free_account_is_refused_what_paid_ones_have(desk: Desk, path: str, status: int, code: int) -> None:
    """Paid-only addresses answer a free account with an error body, some of them with HTTP 200."""
    desk.order("/settings", rate_limits="off")
    assert body(desk.call(desk.auditor("external-free"), path), status)["code"] == code


def test_paid_account_shows_its_plan(desk: Desk) -> None:
    """Usage names the tier, the summary counts licensed people, and settings are a real body."""
    auditor = desk.auditor("customer")
    assert body(desk.call(auditor, "/accounts/me/plans/usage"), 200)["plan_base"]["type"] == "business_monthly"
    assert body(desk.call(auditor, "/users/summary"), 200)["licensed_users_count"] == 1
    assert "security" in body(desk.call(auditor, "/accounts/me/settings"), 200)
    assert [role["name"] for role in body(desk.call(auditor, "/roles"), 200)["roles"]] == ["Owner", "Admin", "Member"]
    assert body(desk.call(auditor, "/groups"), 200)["groups"] == []
    other = desk.account("developer")["account_id"]
    assert body(desk.call(auditor, f"/accounts/{other}/settings"), 404)["code"] == 2001


def test_scopes_beyond_the_auditors(desk_for: Callable[[str], Desk]) -> None:
    """An admin-managed app with more scopes reaches locks, domains, recordings, phone accounts and the dashboard."""
    scopes = [
        "account:read:lock_settings:master", "account:read:trusted_domains:master", "account:read:sub_account:admin",
        "cloud_recording:read:list_user_recordings:admin", "pac:read:list_pac_accounts:admin",
        "dashboard:read:list_meetings:admin", "user:read:token:admin", "marketplace:read:list_user_entitlements:admin",
    ]  # fmt: skip
    desk = desk_for(
        f"""
title: wide
apps: [{{name: notes, owner: small, usage: admin-managed, scopes: {scopes}}}]
accounts:
  - {{label: small, plan: free, users: [{{email: a@example.com}}]}}
  - {{label: big, plan: business, users: [{{email: b@example.com}}]}}
"""
    )
    desk.order("/settings", rate_limits="off")
    expected = {
        "/accounts/me/lock_settings": (200, 200, None),
        "/accounts/me/trusted_domains": (200, 2001, None),
        "/accounts/me": (404, 2001, 2001),
        "/users/me/recordings": (400, 200, None),
        "/users/me/pac": (400, 200, None),
        "/metrics/meetings": (200, 400, None),
    }
    small, big = (desk.install(label)["access_token"] for label in ("small", "big"))
    for path, (status, refused, paid) in expected.items():
        assert body(desk.call(small, path), status)["code"] == refused
        assert desk.call(big, path).json().get("code") == paid
    assert body(desk.call(big, "/users/me/token?type=zak"), 200)["token"]
    assert body(desk.call(big, "/users/me/token"), 400)["code"] == 2300
    assert body(desk.call(big, "/users/me/entitlements"), 400)["code"] == 2300
    assert body(desk.call(big, "/marketplace/users/me/entitlements"), 409)["code"] == 1402
    assert body(desk.call(big, "/marketplace/monetization/entitlements"), 404)["code"] == 1402


def test_account_without_api(desk_for: Callable[[str], Desk]) -> None:
    """An account that Zoom denies the API is refused everywhere with 403."""
    desk = desk_for("unverified-and-old")
    answer = desk.call(desk.install("no-api")["access_token"], "/users/me")
    assert "has been denied for this account" in body(answer, 403)["message"]


def test_pagination(desk_for: Callable[[str], Desk]) -> None:
    """Lists come in pages; the token of the next page ages after fifteen minutes."""
    people = ", ".join(f"{{email: p{n}@example.com}}" for n in range(5))
    desk = desk_for(
        f"title: many\napps: [{{name: notes, owner: a}}]\naccounts: [{{label: a, plan: pro, users: [{people}]}}]\n"
    )
    auditor = desk.auditor("a")
    first = body(desk.call(auditor, "/users?page_size=3"), 200)
    assert (len(first["users"]), first["total_records"]) == (3, 5)
    token = first["next_page_token"]
    second = body(desk.call(auditor, "/users", params={"page_size": 3, "next_page_token": token}), 200)
    assert [len(second["users"]), second["next_page_token"]] == [2, ""]
    desk.order("/clock", advance=901)
    assert body(desk.call(auditor, "/users", params={"next_page_token": token}), 400)["code"] == 300
    for bad in ("page_size=0", "page_size=301", "page_size=x", "next_page_token=%25%25", "next_page_token=eDp4"):
        assert body(desk.call(auditor, f"/users?{bad}"), 400)["code"] == 300


def test_meeting_is_shown_to_host_and_administrator(desk: Desk) -> None:
    """The host and the account's own token see a meeting by id and by doubly encoded uuid; others get 404/3001."""
    token, other = desk.install("customer")["access_token"], desk.install("developer")["access_token"]
    meeting = desk.meeting("customer", "none")
    shown = body(desk.call(token, f"/meetings/{meeting['meeting_id']}"), 200)
    assert (shown["status"], shown["host_email"]) == ("started", desk.email("customer"))
    uuid = quote(quote(meeting["meeting_uuid"], safe=""), safe="")
    assert body(desk.call(desk.auditor("customer"), f"/meetings/{uuid}"), 200)["id"] == meeting["meeting_id"]
    for path, who in ((meeting["meeting_id"], other), (1, token)):
        assert body(desk.call(who, f"/meetings/{path}"), 404)["code"] == 3001
    desk.http.delete(f"{desk.ready['control_url']}/meetings/{meeting['meeting_id']}")
    assert body(desk.call(token, f"/meetings/{meeting['meeting_id']}"), 404)["code"] == 3001
    path = f"/past_meetings/{meeting['meeting_id']}/participants"
    assert body(desk.call(desk.auditor("customer"), path), 200)["participants"][0]["user_email"] == desk.email(
        "customer"
    )
    assert body(desk.call(desk.auditor("developer"), path), 404)["code"] == 3001
    assert body(desk.call(desk.auditor("external-free"), path), 400)["code"] == 200


def test_marketplace_shows_the_app(desk: Desk) -> None:
    """App info, app lists and event subscriptions are true to the scenario and to what was installed."""
    token = desk.install("customer")["access_token"]
    app = body(desk.call(token, f"/marketplace/apps/{desk.app_id()}"), 200)
    assert (app["app_status"], app["app_usage"], app["app_requirements"]["user_role"]) == ("SHARABLE", 2, "user")
    assert body(desk.call(token, "/marketplace/apps/nothing"), 404)["code"] == 1401
    lists = {
        kind: [a["app_name"] for a in body(desk.call(desk.auditor(who), f"/marketplace/apps?type={kind}"), 200)["apps"]]
        for kind, who in [
            ("account_added", "customer"),
            ("account_created", "developer"),
            ("public", "customer"),
            ("approved_apps", "customer"),
            ("active_requests", "customer"),
            ("restricted_apps", "customer"),
        ]
    }
    assert lists == {
        "account_added": ["notes"], "account_created": ["notes"], "public": [],
        "approved_apps": [], "active_requests": [], "restricted_apps": [],
    }  # fmt: skip
    assert body(desk.call(desk.auditor("customer"), "/marketplace/apps?type=strange"), 400)["code"] == 1505
    own = desk.token(grant_type="client_credentials").json()["access_token"]
    assert body(desk.call(own, "/marketplace/app/event_subscription"), 200)["event_subscriptions"] == []
    desk.order("/settings", webhook_url={"notes": {"production": "http://127.0.0.1:9/hook"}})
    (item,) = body(desk.call(own, "/marketplace/app/event_subscription"), 200)["event_subscriptions"]
    assert item["event_webhook_url"] == "http://127.0.0.1:9/hook"


def test_approvals_through_rest(desk_for: Callable[[str], Desk]) -> None:
    """Pre-approval puts an app on the list; taking it off disables the install's tokens (4738)."""
    desk = desk_for("pre-approval")
    admin, path = desk.auditor("waiting"), f"/marketplace/apps/{desk.app_id()}/preApprove"
    assert body(desk.call(admin, path, "POST", json={"action": "approve_all"}), 201)["group_ids"] == []
    tokens = desk.install("waiting")
    assert desk.call(admin, path, "POST", json={"action": "disapprove_all"}).status_code == 201
    dead = desk.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert dead.json()["code"] == 4738
    assert body(desk.call(admin, path, "POST", json={"action": "whatever"}), 400)["code"] == 300
    off = desk.auditor("developer")
    assert body(desk.call(off, path, "POST", json={"action": "approve_all"}), 400)["code"] == 1404


def test_requests_are_listed_and_answered(desk_for: Callable[[str], Desk]) -> None:
    """A refused consent leaves a request that user and administrator see, until it is declined."""
    desk = desk_for("pre-approval")
    desk.authorize(login_hint=desk.email("waiting"))
    admin, app = desk.auditor("waiting"), desk.app_id()
    user_id = desk.account("waiting")["users"][0]["user_id"]
    mine = body(desk.call(admin, f"/marketplace/users/{user_id}/apps"), 200)["apps"]
    assert [(item["app_id"], item["request_status"]) for item in mine] == [(app, "pending")]
    assert len(body(desk.call(admin, "/marketplace/apps"), 200)["apps"]) == 1
    answer = {"action": "decline", "request_user_ids": [user_id]}
    assert desk.call(admin, f"/marketplace/apps/{app}/requests", "PATCH", json=answer).status_code == 204
    assert body(desk.call(admin, f"/marketplace/users/{user_id}/apps"), 200)["apps"] == []
    past = body(desk.call(admin, f"/marketplace/users/{user_id}/apps?type=past_requests"), 200)["apps"]
    assert past[0]["request_status"] == "rejected"
    assert len(body(desk.call(admin, "/marketplace/apps?type=past_requests"), 200)["apps"]) == 1
    bad = desk.call(admin, f"/marketplace/apps/{app}/requests", "PATCH", json={"action": "x"})
    assert body(bad, 400)["code"] == 300


def test_an_administrator_switches_a_users_app_off(desk: Desk) -> None:
    """Disabling somebody's app ends their grant."""
    tokens, admin = desk.install("customer"), desk.auditor("customer")
    user = desk.account("customer")["users"][0]["user_id"]
    path = f"/marketplace/users/{user}/apps/{desk.app_id()}/subscription"
    assert desk.call(admin, path, "PATCH", json={"action": "enable"}).status_code == 204
    assert desk.call(tokens["access_token"], "/users/me").status_code == 200
    assert desk.call(admin, path, "PATCH", json={"action": "disable"}).status_code == 204
    assert desk.call(tokens["access_token"], "/users/me").status_code == 401
    assert body(desk.call(admin, path, "PATCH", json={"action": "x"}), 400)["code"] == 300
    assert body(desk.call(admin, path, "PATCH", content=b"{"), 400)["code"] == 300
    assert body(desk.call(admin, path.replace(user, "x"), "PATCH", json={}), 404)["code"] == 1001


def test_api_call_log_is_true(desk: Desk) -> None:
    """The owner of an app reads what the app's tokens called, with statuses; others may not."""
    token = desk.install("customer")["access_token"]
    desk.call(token, "/users/me")
    desk.call(token, "/users/summary")
    desk.meeting("customer", "rest")
    path = f"/marketplace/apps/{desk.app_id()}/api_call_logs"
    owner = desk.auditor("developer")
    logged = body(desk.call(owner, path), 200)["call_logs"]
    assert [(e["method"], e["url_pattern"], e["http_status"]) for e in logged] == [
        ("GET", "/v2/users/{userId}", 200),
        ("GET", "/v2/users/summary", 400),
        ("PATCH", "/v2/live_meetings/{meetingId}/rtms_app/status", 204),
    ]
    assert len(body(desk.call(owner, path + "?status_code=400"), 200)["call_logs"]) == 1
    assert len(body(desk.call(owner, path + "?method=PATCH&query=rtms_app"), 200)["call_logs"]) == 1
    assert body(desk.call(owner, path + "?duration=8"), 400)["code"] == 300
    assert body(desk.call(desk.auditor("customer"), path), 401)["code"] == 201
