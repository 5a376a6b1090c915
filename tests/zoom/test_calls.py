"""The list of calls and scopes."""

import pytest

from rtms_audit.zoom.calls import (
    ALL_CALLS,
    APP,
    AUDITOR_CALLS,
    MEETING,
    OWNER_CALLS,
    REQUIRED,
    USER_CALLS,
    ScopeGroup,
    label_of,
    missing_scopes,
)
from rtms_audit.zoom.limits import Label


def test_each_connection_has_its_calls() -> None:
    """The three lists hold what the collector asks for, and no call of an admin stands among the user's."""
    assert [call.name for call in USER_CALLS] == [
        "user",
        "user-settings",
        "user-permissions",
        "app",
        "user-app-requests",
    ]
    assert [call.name for call in AUDITOR_CALLS] == ["plan-usage", "account-settings", "users-summary", "added-apps"]
    assert [call.name for call in OWNER_CALLS] == ["webhook-logs"]
    assert len({call.name for call in ALL_CALLS}) == len(ALL_CALLS)


@pytest.mark.parametrize(
    ("method", "path", "label"),
    [
        ("GET", "/users/me", Label.LIGHT),
        ("GET", "/accounts/me/plans/usage", Label.HEAVY),
        ("GET", "/marketplace/apps/abc", Label.MEDIUM),
        ("GET", "/meetings/81000000001", Label.LIGHT),
        ("PATCH", "/live_meetings/1/rtms_app/status", Label.MEDIUM),
        ("GET", "/never/heard/of", Label.MEDIUM),
    ],
)
def test_labels(method: str, path: str, label: Label) -> None:
    """A path finds its call's label, also with an id in it."""
    assert label_of(method, path) is label


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("81000000001", "/meetings/81000000001"),
        ("ab+c==", "/meetings/ab%2Bc%3D%3D"),
        ("/ab", "/meetings/%252Fab"),
        ("a//b", "/meetings/a%252F%252Fb"),
        ("a/b", "/meetings/a%2Fb"),
        ("../users", "/meetings/..%2Fusers"),
    ],
)
def test_ids_in_paths(value: str, path: str) -> None:
    """Ids are escaped; meeting UUIDs with leading or double slashes twice."""
    assert MEETING.path_for(meeting_id=value) == path


def test_a_missing_value_is_an_error() -> None:
    """A placeholder without a value does not go out."""
    with pytest.raises(KeyError):
        APP.path_for()


def test_missing_scopes() -> None:
    """Classic and admin names satisfy the needs that they cover; nothing granted misses all."""
    assert missing_scopes(()) == REQUIRED
    granted = {"meeting:read:meeting_audio", "rtms:read", "meeting:write"}
    missing = missing_scopes(granted)
    assert {need.group for need in missing} == {ScopeGroup.MEDIA}
    assert "meeting:read:meeting_transcript" in {need.scope for need in missing}
    assert missing_scopes([need.scope for need in REQUIRED]) == ()
