"""REST: what an administrator decides about apps: requests, pre-approval, switching a user's app off.

Addresses, actions and codes after Zoom's OpenAPI of 2026-02; what a decision does to installs (4738) is their meaning.
"""

from rtms_audit.sandbox.answers import Answer, RefusedError, no_user
from rtms_audit.sandbox.calls import Call, Endpoint, both
from rtms_audit.sandbox.rest_marketplace import find_app
from rtms_audit.sandbox.world import App, AppEnvironment, User

APPROVE = ("approve_all", "approve_user", "approve_group")
DISAPPROVE = ("disapprove_all", "disapprove_user", "disapprove_group")


def _stamp(call: Call) -> str:
    return call.world.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")


def _pre_approve(call: Call) -> Answer:
    app = find_app(call, call.path["appId"])
    if not call.account.spec.require_pre_approval:
        raise RefusedError(400, 1404, "application_pre_approved_status_off")
    body = call.object_body()
    action = body.get("action")
    if action not in (*APPROVE, *DISAPPROVE):
        raise RefusedError(400, 300, f"Validation Failed. Invalid field: action ({action!r:.40}).")
    for client in app.environments.values():
        _decide(call, client, approved=action in APPROVE)
    return Answer(201, {"executed_at": _stamp(call), "user_ids": body.get("user_ids", []), "group_ids": []})


def _decide(call: Call, client: AppEnvironment, *, approved: bool) -> None:
    """Put an app on the account's list or take it off; taking it off disables the tokens of its installs."""
    account = call.account
    listed = account.spec.approved_apps
    kept = tuple(key for key in (() if listed == "all" else listed) if key != client.key)
    wanted = (*kept, client.key) if approved else kept
    account.spec = account.spec.model_copy(update={"approved_apps": wanted})
    for grant in call.world.grants:
        if not approved and grant.alive and grant.client is client and grant.user.account is account:
            grant.dead_code = 4738


def _answer_requests(call: Call) -> Answer:
    app = find_app(call, call.path["appId"])
    action = call.object_body().get("action")
    if action not in ("approve_all", "approve", "decline_all", "decline", "cancel"):
        raise RefusedError(400, 300, f"Validation Failed. Invalid field: action ({action!r:.40}).")
    chosen = call.object_body().get("request_user_ids")
    for request in call.world.app_requests:
        client, user = _of(call, request)
        named = str(action).endswith("_all") or (isinstance(chosen, list) and request["user_id"] in chosen)
        if client.app is app and user is not None and user.account is call.account and named:
            request["status"] = "approved" if str(action).startswith("approve") else "rejected"
            if request["status"] == "approved":
                _decide(call, client, approved=True)
    return Answer(204)


def _of(call: Call, request: dict[str, object]) -> tuple[AppEnvironment, User | None]:
    return call.world.environment(str(request["app"])), call.world.user(str(request["user_id"]))


def _switch(call: Call) -> Answer:
    app, user = find_app(call, call.path["appId"]), call.world.user(call.path["userId"])
    if user is None or user.account is not call.account:
        raise no_user(call.path["userId"])
    if call.object_body().get("action") not in ("enable", "disable"):
        raise RefusedError(400, 300, "Validation Failed. Invalid field: action.")
    if call.object_body()["action"] == "disable":
        _end_grants(call, app, user)
    return Answer(204)


def _end_grants(call: Call, app: App, user: User) -> None:
    for grant in call.world.grants:
        if grant.alive and grant.client.app is app and grant.user is user:
            grant.dead_code = 4738


def _monetized(call: Call) -> Answer:
    if call.caller is None:
        raise no_user("me")
    raise RefusedError(404, 1402, "The app is not monetized.")


_ADMIN = "marketplace_app:write:admin"
APPROVAL_ENDPOINTS = (
    Endpoint("POST", "/marketplace/apps/{appId}/preApprove", "Medium",
             ("marketplace:write:app_pre_approve:admin", _ADMIN), _pre_approve, "201"),
    Endpoint("PATCH", "/marketplace/apps/{appId}/requests", "Light",
             ("marketplace:update:app_request:admin", _ADMIN), _answer_requests, "201"),
    Endpoint("PATCH", "/marketplace/users/{userId}/apps/{appId}/subscription", "Light",
             ("marketplace:write:app:admin", _ADMIN), _switch, "201"),
    Endpoint("GET", "/marketplace/monetization/entitlements", "Heavy",
             both("marketplace:read:list_user_entitlements", "marketplace_entitlement:read"), _monetized, "201"),
)  # fmt: skip
