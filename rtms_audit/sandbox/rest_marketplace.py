"""REST: the Marketplace's view of apps, requests, entitlements and subscriptions (Zoom's OpenAPI of 2026-02)."""

from collections.abc import Iterable
from datetime import datetime

from rtms_audit.sandbox.answers import Answer, RefusedError, no_user
from rtms_audit.sandbox.calls import Call, Endpoint, both
from rtms_audit.sandbox.world import App

APP_LISTS = (
    "active_requests",
    "past_requests",
    "public",
    "account_created",
    "account_added",
    "approved_apps",
    "restricted_apps",
)
_USAGE = {"admin-managed": 1, "user-managed": 2}


def find_app(call: Call, name: str) -> App:
    """Return the app with this id; 404/1401 where there is none."""
    for app in call.world.apps.values():
        if app.app_id == name:
            return app
    raise RefusedError(404, 1401, f"App does not exist: {name}.")


def app_status(app: App) -> str:
    """Return how far the app is shared, in the Marketplace's words."""
    reached = {environment.spec.distribution for environment in app.environments.values()}
    if "published" in reached or "unlisted" in reached:
        return "PUBLISHED"
    return "SHARABLE" if "beta" in reached else "UNPUBLISHED"


def _item(app: App) -> dict[str, object]:
    return {
        "app_id": app.app_id,
        "app_name": app.spec.name,
        "app_type": "GeneralApp",
        "app_usage": _USAGE[app.spec.usage],
        "app_status": app_status(app),
        "app_developer_type": "THIRD_PARTY",
        "app_description": "",
        "app_icon": "",
        "scopes": [{"scope_name": scope, "scope_description": ""} for scope in app.spec.scopes],
        "app_directory_url": f"https://marketplace.zoom.us/apps/{app.app_id}",
    }


def _apps(call: Call) -> Answer:
    kind = call.query.get("type", "active_requests")
    if kind not in APP_LISTS:
        raise RefusedError(400, 1505, f"Invalid type: {kind}.")
    account, world = call.account, call.world
    added = {g.client.app.app_id for g in world.grants if g.alive and g.user.account is account}
    chosen: Iterable[App] = ()
    if kind == "account_added":
        chosen = [app for app in world.apps.values() if app.app_id in added]
    elif kind == "account_created":
        chosen = [app for app in world.apps.values() if app.owner is account]
    elif kind == "public":
        chosen = [app for app in world.apps.values() if app_status(app) == "PUBLISHED"]
    elif kind == "approved_apps":
        chosen = [
            a
            for a in world.apps.values()
            if any(account.lists("approved_apps", e.key) for e in a.environments.values())
        ]
    elif kind.endswith("_requests"):
        wanted = "pending" if kind == "active_requests" else "decided"
        chosen = _asked_for(call, wanted)
    return call.page("apps", [_item(app) for app in chosen])


def _asked_for(call: Call, wanted: str) -> list[App]:
    found = []
    for request in call.world.app_requests:
        user = call.world.user(str(request["user_id"]))
        is_pending = request["status"] == "pending"
        if user and user.account is call.account and is_pending == (wanted == "pending"):
            found.append(call.world.environment(str(request["app"])).app)
    return found


def _app(call: Call) -> Answer:
    app = find_app(call, call.path["appId"])
    body = _item(app)
    body |= {
        "app_requirements": {
            "user_role": "admin" if app.spec.usage == "admin-managed" else "user",
            "min_client_version": "6.5.5",
            "account_eligibility": {"account_types": ["Free", "Pro", "Business", "Enterprise"], "premium_events": []},
        },
        "app_scopes": list(app.spec.scopes),
        "app_permissions": [],
        "app_links": {"direct_install_url": f"https://marketplace.zoom.us/apps/{app.app_id}"},
    }
    return Answer(200, body)


def _user_apps(call: Call) -> Answer:
    user = call.subject(call.path["userId"])
    items = []
    for request in call.world.app_requests:
        if request["user_id"] != user.user_id:
            continue
        is_pending = request["status"] == "pending"
        if is_pending != (call.query.get("type", "active_requests") == "active_requests"):
            continue
        at = request["at"]
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(at, datetime) else ""
        app = call.world.environment(str(request["app"])).app
        items.append({**_item(app), "request_id": request["request_id"], "request_date_time": stamp,
                      "request_status": request["status"]})  # fmt: skip
    return call.page("apps", items)


def _requests(call: Call) -> Answer:
    app = find_app(call, call.path["appId"])
    wanted = call.query.get("status", "pending")
    items = []
    for request in call.world.app_requests:
        user = call.world.user(str(request["user_id"]))
        if user is None or user.account is not call.account or request["status"] != wanted:
            continue
        if call.world.environment(str(request["app"])).app is app:
            items.append({"request_user_id": user.user_id, "request_user_name": user.display_name,
                          "request_user_email": user.spec.email, "status": request["status"]})  # fmt: skip
    return call.page("requests", items)


def _entitlements(call: Call) -> Answer:
    if call.caller is None:
        raise no_user(call.path["userId"])
    call.subject(call.path["userId"])
    raise RefusedError(409, 1402, "The app is not monetized.")


def _subscriptions(call: Call) -> Answer:
    client = call.access.client
    courier = call.platform.courier
    if client is None or courier.url(client) is None:
        return call.page("event_subscriptions", [])
    item = {"event_subscription_id": client.subscription_id, "events": list(client.app.spec.events),
            "event_subscription_name": client.name, "event_webhook_url": courier.url(client)}  # fmt: skip
    return call.page("event_subscriptions", [item])


def market(scope: str, *classic: str) -> tuple[str, ...]:
    """Return the names of a Marketplace read scope: granular in both forms, and the classic ones that also do."""
    return both(f"marketplace:read:{scope}", *classic, *(f"{name}:admin" for name in classic))


_APP = "/marketplace/apps/{appId}"
MARKETPLACE_ENDPOINTS = (
    Endpoint("GET", "/marketplace/apps", "Medium",
             ("marketplace:read:list_apps:admin", "marketplace_app:read:admin"), _apps, "201"),
    Endpoint("GET", _APP, "Medium", market("app", "marketplace_app:read"), _app, "201"),
    Endpoint("GET", "/marketplace/users/{userId}/apps", "Medium",
             market("list_user_app_requests", "marketplace_app:read"), _user_apps, "201"),
    Endpoint("GET", "/marketplace/users/{userId}/entitlements", "Medium",
             market("list_user_entitlements", "marketplace_entitlement:read"), _entitlements, "201"),
    Endpoint("GET", f"{_APP}/requests", "Medium",
             ("marketplace:read:app_request:admin", "marketplace_app:read:admin"), _requests, "201"),
    Endpoint("GET", "/marketplace/app/event_subscription", "Medium",
             ("marketplace:read:list_event_subscriptions",), _subscriptions, "201"),
)  # fmt: skip
