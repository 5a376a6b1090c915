"""REST: people (`/users…`). Fields after Zoom's OpenAPI of 2026-02."""

from rtms_audit.sandbox.answers import Answer, RefusedError
from rtms_audit.sandbox.calls import Call, Endpoint, both
from rtms_audit.sandbox.world import User

_BORN = "2024-01-15T09:00:00Z"
_ROLES = {"owner": ("Owner", "0"), "admin": ("Admin", "1"), "member": ("Member", "2")}
_MEMBER_RIGHTS = ("User:Read", "Meeting:Edit")
_ADMIN_RIGHTS = (
    *_MEMBER_RIGHTS,
    "User:Edit",
    "AccountSetting:Read",
    "AccountSetting:Edit",
    "BillingSubscription:Read",
    "MarketPlace:Read",
    "MarketPlace:Edit",
    "ZoomDevelopers:Read",
    "ZoomDevelopers:Edit",
    "Role:Read",
)


def user_body(call: Call, user: User) -> dict[str, object]:
    """Return a user as `/users/me` shows them; fields of bundles are absent, as for most users."""
    spec, account = user.spec, user.account
    first, _, last = user.display_name.partition(" ")
    role_name, role_id = _ROLES[spec.role]
    pmi = call.world.ids.number("pmi", spec.email, 10)
    return {
        "id": user.user_id,
        "first_name": first,
        "last_name": last,
        "display_name": user.display_name,
        "email": spec.email,
        "type": 2 if user.licensed else 1,
        "role_name": role_name,
        "role_id": role_id,
        "pmi": pmi,
        "use_pmi": False,
        "personal_meeting_url": f"https://us04web.zoom.us/j/{pmi}",
        "vanity_url": "",
        "timezone": "UTC",
        "verified": 1 if account.spec.verified else 0,
        "dept": "",
        "created_at": _BORN,
        "user_created_at": _BORN,
        "last_login_time": _BORN,
        "last_client_version": f"{account.spec.client_version}(mac)",
        "group_ids": [],
        "im_group_ids": [],
        "division_ids": [],
        "jid": f"{user.user_id.lower()}@xmpp.zoom.us",
        "account_id": account.account_id,
        "account_number": account.number,
        "cluster": "us04",
        "language": "en-US",
        "phone_country": "",
        "phone_number": "",
        "phone_numbers": [],
        "pic_url": "",
        "status": spec.status,
        "job_title": "",
        "cost_center": "",
        "company": "",
        "location": "",
        "login_types": [100],
        "manager": "",
        "pronouns": "",
        "pronouns_option": 1,
        "employee_unique_id": "",
        "custom_attributes": [],
    }


def _user(call: Call) -> Answer:
    return Answer(200, user_body(call, call.subject(call.path["userId"])))


def _settings(call: Call) -> Answer:
    user = call.subject(call.path["userId"])
    paid = user.licensed
    feature = {
        "meeting_capacity": 100 if not paid else 300,
        "large_meeting": False,
        "webinar": False,
        "concurrent_meeting": "Plus" if user.account.spec.plan in ("business", "enterprise") else "Basic",
        "cn_meeting": False,
        "in_meeting": False,
        "zoom_phone": False,
        "zoom_events": False,
        "zoom_whiteboard": True,
        "license_info_list": [{"license_type": "MEETING", "license_option": 2 if paid else 1}],
    }
    body = {
        "audio_conferencing": {"toll_free_and_fee_based_toll_call": {"enable": False}},
        "email_notification": {"jbh_reminder": True, "cancel_meeting_reminder": True},
        "feature": feature,
        "in_meeting": {
            "chat": True,
            "e2e_encryption": False,
            "closed_caption": {"enable": True},
            "waiting_room": False,
        },
        "profile": {"recording_storage_location": {"allowed_values": [], "value": ""}},
        "recording": {"local_recording": True, "cloud_recording": paid},
        "schedule_meeting": {"join_before_host": True, "host_video": False, "participants_video": False},
        "telephony": {"third_party_audio": False},
        "tsp": {"call_out": False},
        "whiteboard": {},
    }
    return Answer(200, body)


def _permissions(call: Call) -> Answer:
    user = call.subject(call.path["userId"])
    return Answer(200, {"permissions": list(_ADMIN_RIGHTS if user.is_admin else _MEMBER_RIGHTS)})


def _token(call: Call) -> Answer:
    call.subject(call.path["userId"])
    if call.query.get("type", "token") == "token":
        raise RefusedError(400, 2300, "Token is no longer supported. Please use ZAK token instead.")
    return Answer(200, {"token": call.world.token_urlsafe(32)})


def _summary(call: Call) -> Answer:
    users = [user for user in call.account.users if not user.removed]
    licensed = sum(1 for user in users if user.licensed)
    body = {
        "licensed_users_count": licensed,
        "basic_users_count": len(users) - licensed,
        "on_prem_users_count": 0,
        "room_users_count": 0,
        "pending_users_count": sum(1 for user in users if user.spec.status == "pending"),
        "join_only_users_count": 0,
        "total_users_count": len(users),
    }
    return Answer(200, body)


def _users(call: Call) -> Answer:
    wanted = call.query.get("status", "active")
    keep = ("id", "first_name", "last_name", "display_name", "email", "type", "pmi", "timezone", "verified", "status")
    people = [
        {name: value for name, value in user_body(call, user).items() if name in keep}
        for user in call.account.users
        if user.spec.status == wanted and not user.removed
    ]
    return call.page("users", people)


_CLASSIC = ("user:read", "user:read:admin", "user:write", "user:write:admin")
USER_ENDPOINTS = (
    Endpoint("GET", "/users/summary", "Medium", ("user:read:summary:admin", "user:read:admin"), _summary),
    Endpoint("GET", "/users", "Medium", ("user:read:list_users:admin", "user:read:admin"), _users),
    Endpoint("GET", "/users/{userId}", "Light", both("user:read:user", *_CLASSIC, "user_profile"), _user),
    Endpoint("GET", "/users/{userId}/settings", "Medium", both("user:read:settings", *_CLASSIC), _settings),
    Endpoint(
        "GET", "/users/{userId}/permissions", "Light", both("user:read:list_permissions", *_CLASSIC), _permissions
    ),
    Endpoint("GET", "/users/{userId}/token", "Light", both("user:read:token", *_CLASSIC), _token),
)
