"""REST: accounts, plans, roles, groups and the other addresses that only paid accounts may call.

What a free account is told (often with HTTP 200) after Zoom's OpenAPI of 2026-02; live bodies are not public.
"""

from rtms_audit.sandbox.answers import Answer, RefusedError, paid_only
from rtms_audit.sandbox.calls import Call, Endpoint, both

_PLAN_TYPES = {"pro": "monthly", "business": "business_monthly", "enterprise": "zoe_monthly", "education": "edu20"}
_BUSINESS = frozenset({"business", "enterprise", "education"})


def _settings(call: Call) -> Answer:
    account = call.own_account(call.path["accountId"])
    if not account.paid:
        raise paid_only()
    body = {
        "security": {"admin_change_name_pic": False, "hide_billing_info": False},
        "audio_conferencing": {"toll_free_and_fee_based_toll_call": {"enable": False}},
        "email_notification": {"jbh_reminder": True},
        "feature": {"meeting_capacity": 300 if account.spec.plan in _BUSINESS else 100},
        "in_meeting": {"chat": True, "e2e_encryption": False, "waiting_room": False},
        "integration": {"google_calendar": True},
        "other_options": {"allow_users_contact_support_via_chat": True},
        "profile": {},
        "recording": {"local_recording": True, "cloud_recording": True},
        "schedule_meeting": {"join_before_host": True, "host_video": False},
        "telephony": {"third_party_audio": False},
        "tsp": {"call_out": False},
        "zoom_rooms": {"zr_post_meeting_feedback": False},
    }
    return Answer(200, body)


def _locks(call: Call) -> Answer:
    if not call.own_account(call.path["accountId"]).paid:
        raise paid_only()
    return Answer(200, {"in_meeting": {"chat": False}, "schedule_meeting": {"join_before_host": False}})


def _domains(call: Call) -> Answer:
    if not call.own_account(call.path["accountId"]).paid:
        raise RefusedError(200, 2001, "Account does not exist or is not a paid account.")
    return Answer(200, {"trusted_domains": []})


def _partners_only(call: Call) -> Answer:
    raise RefusedError(404, 2001, f"Account does not exist: {call.path.get('accountId', 'me')}.")


def _usage(call: Call) -> Answer:
    account = call.own_account(call.path["accountId"])
    if not account.paid:
        raise paid_only(400, "Only available for paid account.")
    hosts = sum(1 for user in account.users if user.licensed)
    base = {"type": _PLAN_TYPES[account.spec.plan], "hosts": hosts, "usage": hosts, "active_hosts": hosts, "pending": 0}
    storage = {"free_storage": f"{hosts * 5} GB", "free_storage_usage": "0", "plan_storage": "0",
               "plan_storage_usage": "0", "plan_storage_exceed": "0"}  # fmt: skip
    return Answer(200, {"plan_base": base, "plan_recording": storage})


def _roles(call: Call) -> Answer:
    if not call.account.paid:
        raise paid_only(400, "Only available for Paid account.")
    roles = [{"id": str(number), "name": name, "description": "", "total_members": 0}
             for number, name in enumerate(("Owner", "Admin", "Member"))]  # fmt: skip
    return Answer(200, {"roles": roles, "total_records": len(roles)})


def _groups(call: Call) -> Answer:
    if not call.account.paid:
        raise paid_only(200, "Only available for Paid account.")
    return call.page("groups", [])


def _participants(call: Call) -> Answer:
    if not call.account.paid:
        raise paid_only(400, "Only available for Paid account.")
    meeting = call.platform.past_meeting(call.path["meetingId"], call.account)
    people = [
        {"id": user.user_id, "name": user.display_name, "user_email": user.spec.email} for user in meeting.present
    ]
    return call.page("participants", people)


def _recordings(call: Call) -> Answer:
    if not call.subject(call.path["userId"]).account.paid:
        raise paid_only(400, "Only available for Paid account.")
    return call.page("meetings", [])


def _pac(call: Call) -> Answer:
    if not call.subject(call.path["userId"]).account.paid:
        raise paid_only(400, "Only available for Paid account.")
    return Answer(200, {"pac_accounts": []})


def _metrics(call: Call) -> Answer:
    if call.account.spec.plan not in _BUSINESS:
        raise RefusedError(200, 400, "This API is only available for ZMP and Business or higher accounts.")
    return call.page("meetings", [])


_ACCOUNT = ("account:read:settings:admin", "account:read:settings:master", "account:read:admin")
ACCOUNT_ENDPOINTS = (
    Endpoint("GET", "/accounts/{accountId}/settings", "Medium", _ACCOUNT, _settings),
    Endpoint("GET", "/accounts/{accountId}/lock_settings", "Medium",
             ("account:read:lock_settings:master", "account:read:admin"), _locks),
    Endpoint("GET", "/accounts/{accountId}/trusted_domains", "Light",
             ("account:read:trusted_domains:master", "account:read:admin"), _domains),
    Endpoint("GET", "/accounts/{accountId}", "Light",
             ("account:read:sub_account:admin", "account:read:sub_account:master", "account:master"), _partners_only),
    Endpoint("GET", "/accounts", "Medium", ("account:read:list_sub_accounts:master", "account:master"), _partners_only),
    Endpoint("GET", "/accounts/{accountId}/plans", "Medium",
             ("billing:read:plan_information:admin", "billing:read:plan_information:master", "billing:master"),
             _partners_only),
    Endpoint("GET", "/accounts/{accountId}/plans/usage", "Heavy",
             ("billing:read:plan_usage:admin", "billing:read:plan_usage:master", "account:read:admin"), _usage),
    Endpoint("GET", "/roles", "Medium", both("role:read:list_roles", "role:read:admin"), _roles, family="4700"),
    Endpoint("GET", "/groups", "Medium", ("group:read:list_groups:admin", "group:read:admin"), _groups),
    Endpoint("GET", "/past_meetings/{meetingId}/participants", "Medium",
             both("meeting:read:list_past_participants", "meeting:read", "meeting:read:admin"), _participants),
    Endpoint("GET", "/users/{userId}/recordings", "Medium",
             both("cloud_recording:read:list_user_recordings", "recording:read", "recording:read:admin"), _recordings),
    Endpoint("GET", "/users/{userId}/pac", "Light",
             both("pac:read:list_pac_accounts", "pac:read", "pac:read:admin"), _pac),
    Endpoint("GET", "/metrics/meetings", "Resource-intensive",
             ("dashboard:read:list_meetings:admin", "dashboard_meetings:read:admin"), _metrics),
)  # fmt: skip
