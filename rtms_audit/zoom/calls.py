"""The calls an audit makes, with their rate labels and scopes, and the scopes that RTMS itself needs.

Labels and scopes are those of Zoom's OpenAPI of 2026-02 (https://developers.zoom.us/docs/api/), where no other source
is named.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote

from rtms_audit.zoom.limits import Label


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call: `path` has `{placeholders}`; any one of `scopes` is enough where there are several.

    `paid_only` marks a call that Zoom answers on paid accounts only, so that its refusal says something of the plan.
    """

    name: str
    method: str
    path: str
    label: Label
    scopes: tuple[str, ...]
    why: str
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    paid_only: bool = False

    def path_for(self, **values: str) -> str:
        """Return the path with its placeholders filled and escaped; KeyError where a value is missing."""
        return self.path.format(**{name: path_id(value) for name, value in values.items()})


def path_id(value: str) -> str:
    """Return an id as it stands in a path; one that starts with `/` or holds `//` is encoded twice (2026-02-07)."""
    once = quote(value, safe="")
    return quote(once, safe="") if value.startswith("/") or "//" in value else once


USER = Call(
    "user", "GET", "/users/me", Label.LIGHT, ("user:read:user", "user:read"), "who installed the app, and where"
)
USER_SETTINGS = Call(
    "user-settings", "GET", "/users/me/settings", Label.MEDIUM, ("user:read:settings", "user:read"),
    "features that hint at the plan",
)  # fmt: skip
USER_PERMISSIONS = Call(
    "user-permissions", "GET", "/users/me/permissions", Label.LIGHT, ("user:read:list_permissions", "user:read"),
    "whether this user could mend settings and approvals",
)  # fmt: skip
APP = Call(
    "app", "GET", "/marketplace/apps/{app_id}", Label.MEDIUM,
    ("marketplace:read:app", "marketplace:read:app:admin", "marketplace_app:read"),
    "whether the app is published, its scopes, and which account types may add it",
)  # fmt: skip
USER_APP_REQUESTS = Call(
    "user-app-requests", "GET", "/marketplace/users/me/apps", Label.MEDIUM,
    ("marketplace:read:list_user_app_requests", "marketplace_app:read"),
    "requests for approval that wait or were refused",
)  # fmt: skip

USER_CALLS: tuple[Call, ...] = (USER, USER_SETTINGS, USER_PERMISSIONS, APP, USER_APP_REQUESTS)
"""Asked with the token of the user who installed the app."""

PLAN_USAGE = Call(
    "plan-usage", "GET", "/accounts/me/plans/usage", Label.HEAVY,
    ("billing:read:plan_usage:admin", "account:read:admin"),
    "the plan's name; a refusal for paid accounts only says free", paid_only=True,
)  # fmt: skip
ACCOUNT_SETTINGS = Call(
    "account-settings", "GET", "/accounts/me/settings", Label.MEDIUM,
    ("account:read:settings:admin", "account:read:admin"),
    "answers on paid accounts only", paid_only=True,
)  # fmt: skip
USERS_SUMMARY = Call(
    "users-summary", "GET", "/users/summary", Label.MEDIUM, ("user:read:summary:admin", "user:read:admin"),
    "licensed users prove a paid account",
)  # fmt: skip
ADDED_APPS = Call(
    "added-apps", "GET", "/marketplace/apps", Label.MEDIUM,
    ("marketplace:read:list_apps:admin", "marketplace_app:read:admin"),
    "the apps that this account has added", params=MappingProxyType({"type": "account_added"}),
)  # fmt: skip

AUDITOR_CALLS: tuple[Call, ...] = (PLAN_USAGE, ACCOUNT_SETTINGS, USERS_SUMMARY, ADDED_APPS)
"""Asked with the account's auditor connection (Server-to-Server or admin-managed)."""

WEBHOOK_LOGS = Call(
    "webhook-logs", "GET", "/marketplace/apps/{app_id}/webhook_logs", Label.MEDIUM,
    ("marketplace_app:read", "marketplace_app:read:admin"),
    "which events Zoom tried to deliver in the last 7 days, and what our endpoint answered",
)  # fmt: skip

OWNER_CALLS: tuple[Call, ...] = (WEBHOOK_LOGS,)
"""Asked for the account that owns the app."""

MEETING = Call(
    "meeting", "GET", "/meetings/{meeting_id}", Label.LIGHT,
    ("meeting:read:meeting", "meeting:read:meeting:admin", "meeting:read"), "whether the meeting runs, and its host",
)  # fmt: skip
RTMS_STATUS = Call(
    "rtms-status", "PATCH", "/live_meetings/{meeting_id}/rtms_app/status", Label.MEDIUM,
    ("meeting:update:participant_rtms_app_status", "meeting:update:participant_rtms_app_status:admin", "meeting:write"),
    "starts or stops RTMS; 204 means accepted, not started",
)  # fmt: skip

ALL_CALLS: tuple[Call, ...] = (*USER_CALLS, *AUDITOR_CALLS, *OWNER_CALLS, MEETING, RTMS_STATUS)


def label_of(method: str, path: str) -> Label:
    """Return the rate label of a call that the audit knows; MEDIUM, the most common one, for any other."""
    for call in ALL_CALLS:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(call.path))
        if call.method == method and re.fullmatch(pattern, path):
            return call.label
    return Label.MEDIUM


class ScopeGroup(StrEnum):
    """What a scope lets an RTMS app do."""

    MEDIA = "media"
    EVENT = "event"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class ScopeNeed:
    """A scope that RTMS needs; any one of `accepted` satisfies it.

    Media scopes decide which addresses the signaling answer holds, event scopes which webhooks come, the control scope
    whether REST may start a stream. `required` is False for media that an app may do without.
    """

    scope: str
    group: ScopeGroup
    accepted: tuple[str, ...]
    source: str
    required: bool = True


_SCOPE_SOURCE = "https://developers.zoom.us/docs/api/rtms/events/ (2026-02); zoom/skills granular-scopes (2026-07-13)"


def _media(medium: str, *, required: bool) -> ScopeNeed:
    scope = f"meeting:read:meeting_{medium}"
    return ScopeNeed(scope, ScopeGroup.MEDIA, (scope,), _SCOPE_SOURCE, required)


def _event(name: str) -> ScopeNeed:
    scope = f"rtms:read:{name}"
    return ScopeNeed(scope, ScopeGroup.EVENT, (scope, f"{scope}:admin", "rtms:read"), _SCOPE_SOURCE)


REQUIRED: tuple[ScopeNeed, ...] = (
    _media("audio", required=True),
    _media("transcript", required=True),
    _media("video", required=False),
    _media("screenshare", required=False),
    _media("chat", required=False),
    _event("rtms_started"),
    _event("rtms_stopped"),
    ScopeNeed(
        "meeting:update:participant_rtms_app_status",
        ScopeGroup.CONTROL,
        (
            "meeting:update:participant_rtms_app_status",
            "meeting:update:participant_rtms_app_status:admin",
            "meeting:write",
            "meeting:write:admin",
        ),
        _SCOPE_SOURCE,
    ),
)
"""The scopes that an RTMS grant is held against; names as of https://developers.zoom.us/docs/rtms/ (2026-07-13)."""


def missing_scopes(granted: Collection[str], needs: tuple[ScopeNeed, ...] = REQUIRED) -> tuple[ScopeNeed, ...]:
    """Return the needs that no granted scope satisfies, also those that are not required."""
    return tuple(need for need in needs if not any(scope in granted for scope in need.accepted))
