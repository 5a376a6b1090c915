"""The control address: names and shapes that scripts rely on."""

import time
from typing import Any, TypeAlias

import httpx
import pytest

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports


def test_state_counts_calls_by_method_and_path(desk: Desk) -> None:
    """OAuth and REST calls are counted as they were requested, token calls by their grant type."""
    tokens = desk.install("developer")
    desk.call(tokens["access_token"], "/users/me")
    desk.call(tokens["access_token"], "/users/me")
    desk.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    state = desk.state()
    assert state["calls"]["GET /v2/users/me"] == 2
    assert state["calls"]["POST /oauth/token"] == 2
    assert state["token_calls"] == {"authorization_code": 1, "refresh_token": 1, "client_credentials": 0}
    (grant,) = state["grants"]
    assert (grant["account"], grant["environment"], grant["alive"]) == ("developer", "production", True)


def test_reset_begins_anew(desk: Desk) -> None:
    """After a reset nothing has happened, settings are the scenario's, and identifiers are the same as before."""
    first = desk.started()
    desk.order("/settings", payload_shape="nested")
    desk.order("/faults", match={"path": "/users/me"}, drop=True)
    desk.order("/clock", advance=1000)
    desk.order("/reset")
    state = desk.state()
    assert (state["calls"], state["grants"], state["streams"]) == ({}, [], [])
    assert state["settings"]["payload_shape"] == "flat"
    assert desk.started()["rtms_stream_id"] == first["rtms_stream_id"]
    assert desk.call("none", "/users/me").status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/settings", {"unheard": 1}, "unheard"),
        ("/settings", {"access_token_ttl": -1}, "access_token_ttl"),
        ("/settings", {"transport": "wss"}, "without TLS"),
        ("/settings", [], "JSON object"),
        ("/faults", {"match": {"verb": "GET"}}, "match.verb"),
        ("/clock", {"advance": -1}, "advance"),
        ("/meetings", {"trigger": "auto-start"}, "account"),
        ("/meetings", {"account": "developer", "trigger": "luck"}, "trigger"),
        ("/accounts/developer", {"plan": "golden"}, "plan"),
        ("/accounts/developer", {"users": []}, "without label"),
        ("/accounts/developer", {"allowed_apps": ["other/production"]}, "allowed_apps"),
        ("/apps/notes", {"owner": "customer"}, "without name"),
        ("/apps/notes", {"environments": {"staging": {}}}, "environments"),
        ("/apps/notes", {"environments": {"production": 5}}, "environments"),
        ("/deliveries", {}, "repeat"),
    ],
)
def test_senseless_orders_are_explained(desk: Desk, path: str, body: object, words: str) -> None:
    """An unknown name or value is 400 with the place in the sentence."""
    answer = desk.http.post(desk.ready["control_url"] + path, json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/meetings", {"account": "nobody"}),
        ("/meetings", {"account": "developer", "host": "nobody"}),
        ("/meetings", {"account": "developer", "app": "nothing"}),
        ("/meetings/x/approval", {"answer": "approved"}),
        ("/streams/x", {"action": "stop"}),
        ("/accounts/nobody", {}),
        ("/apps/nothing", {}),
        ("/installs", {"account": "nobody", "environment": "production", "action": "install"}),
        ("/installs", {"account": "developer", "environment": "production", "action": "remove"}),
        ("/installs", {"account": "developer", "environment": "production", "action": "withdraw-approval"}),
        ("/installs", {"account": "developer", "environment": "production", "app": "nothing", "action": "install"}),
    ],
)
def test_what_is_not_there_is_404(desk: Desk, path: str, body: object) -> None:
    """Orders about something unknown are 404 with a sentence."""
    answer = desk.http.post(desk.ready["control_url"] + path, json=body)
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_body_must_be_json(desk: Desk) -> None:
    """What is no JSON is refused."""
    assert desk.http.post(desk.ready["control_url"] + "/settings", content=b"{").status_code == 400


def test_accounts_and_apps_can_be_changed(desk: Desk) -> None:
    """Plan, settings, distribution and secrets change in place; the answer shows the result without secrets."""
    assert desk.order("/accounts/customer", plan="free", sharing=False)["plan"] == "free"
    rotated = {"client_secret": "rotated", "distribution": "private"}
    changed = desk.order("/apps/notes", environments={"production": rotated})
    assert "client_secret" not in changed["environments"]["production"]
    assert desk.token(grant_type="client_credentials").json()["error"] == "invalid_client"
    auth = (desk.pair()["client_id"], "rotated")
    form = {"grant_type": "client_credentials"}
    assert desk.http.post(desk.ready["oauth_url"] + "/token", data=form, auth=auth).status_code == 200
    assert desk.authorize(login_hint=desk.email("customer")).status_code == 403


def test_faults_lose_an_answer_or_carry_a_call_out_twice(desk: Desk) -> None:
    """The refresh token is spent although nobody heard of it; carried out twice, the second answer is given."""
    refresh = desk.install("developer")["refresh_token"]
    desk.order("/faults", match={"path": "/token"}, lose=True, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        desk.token(grant_type="refresh_token", refresh_token=refresh)
    assert desk.token(grant_type="refresh_token", refresh_token=refresh).json()["error"] == "invalid_grant"
    desk.order("/settings", refresh_rotation="grace")
    desk.order("/faults", match={"path": "/token"}, twice=True, times=1)
    again = desk.token(grant_type="refresh_token", refresh_token=refresh).json()
    assert desk.call(again["access_token"], "/users/me").status_code == 200
    assert desk.state()["token_calls"]["refresh_token"] == 4


def test_faults_answer_drop_and_delay(desk: Desk) -> None:
    """An ordered answer, a dropped connection and a delay apply to matching calls, so many times."""
    token = desk.install("developer")["access_token"]
    body = "<html>Bad gateway</html>"
    desk.order("/faults", match={"method": "get", "path": "/users/me"}, answer={"status": 502, "body": body}, times=1)
    desk.order("/faults", match={"path": "/v2/users/*"}, drop=True, times=1)
    desk.order("/faults", match={"path": "/users/me"}, delay_ms=150, times=1)
    first = desk.call(token, "/users/me")
    assert (first.status_code, first.text, first.headers["content-type"]) == (502, body, "text/html; charset=utf-8")
    with pytest.raises(httpx.RemoteProtocolError):
        desk.call(token, "/users/me")
    begun = time.monotonic()
    assert desk.call(token, "/users/me").status_code == 200
    assert time.monotonic() - begun > 0.14
    desk.order("/faults", match={"method": "POST"}, answer={"status": 429, "headers": {"Retry-After": "1"}})
    for _ in range(3):
        refused = desk.token(grant_type="client_credentials")
        assert (refused.status_code, refused.headers["retry-after"], refused.content) == (429, "1", b"")
    assert desk.state()["calls"]["GET /v2/users/me"] == 3


def test_fault_with_malformed_json(desk: Desk) -> None:
    """Text that is no page is sent as it is, under the type of JSON."""
    malformed = '{"code": 104, "message": "["x"]"}'
    desk.order("/faults", match={"path": "/users/me"}, answer={"status": 400, "body": malformed})
    answer = desk.call("none", "/users/me")
    assert answer.text == malformed
    desk.order("/reset")
    desk.order("/faults", match={"path": "/users/me"}, answer={"status": 200, "body": {"code": 200}})
    assert desk.call("none", "/users/me").json() == {"code": 200}


def test_latency(desk: Desk) -> None:
    """Latency is added to every OAuth and REST answer, and not to the control address."""
    desk.order("/settings", latency_ms=120)
    begun = time.monotonic()
    desk.call("none", "/users/me")
    assert time.monotonic() - begun > 0.11
    desk.order("/settings", latency_ms=0)


def test_install_order_equals_a_real_install(desk: Desk) -> None:
    """An ordered install is a grant like any other, and supersedes the one before."""
    order = {"account": "customer", "environment": "production", "action": "install"}
    first, second = desk.order("/installs", **order), desk.order("/installs", **order)
    assert [grant["dead_code"] for grant in desk.state()["grants"]] == [4741, None]
    assert first["grant_id"] != second["grant_id"]
