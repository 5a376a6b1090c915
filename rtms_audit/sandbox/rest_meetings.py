"""REST: meetings, and the RTMS start, stop, pause and resume of `rtms_app/status`."""

from rtms_audit.sandbox.answers import Answer, RefusedError, no_meeting
from rtms_audit.sandbox.calls import Call, Endpoint, both
from rtms_audit.sandbox.physics import not_allowed
from rtms_audit.sandbox.stream import StopReason
from rtms_audit.sandbox.world import Meeting, User

ACTIONS = ("start", "stop", "pause", "resume")


def meeting_body(call: Call, meeting: Meeting) -> dict[str, object]:
    """Return a meeting as `GET /meetings/{id}` shows it."""
    return {
        "uuid": meeting.uuid,
        "id": meeting.meeting_id,
        "host_id": meeting.host.user_id,
        "host_email": meeting.host.spec.email,
        "topic": f"{meeting.host.display_name}'s meeting",
        "type": 2,
        "status": meeting.status,
        "start_time": meeting.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "duration": 60,
        "timezone": "UTC",
        "created_at": meeting.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "settings": {
            "alternative_hosts": ";".join(user.spec.email for user in meeting.alternative_hosts),
            "approval_type": 2,
            "encryption_type": "e2ee" if meeting.kind == "e2ee" else "enhanced_encryption",
            "join_before_host": True,
            "meeting_authentication": False,
            "waiting_room": False,
        },
    }


def _meeting(call: Call) -> Answer:
    meeting = call.platform.current_meeting(call.path["meetingId"])
    own = call.caller in [meeting.host, *meeting.alternative_hosts]
    if not own and not (call.is_admin and meeting.host.account is call.account):
        raise no_meeting(call.path["meetingId"])
    return Answer(200, meeting_body(call, meeting))


def _status(call: Call) -> Answer:
    action, client_id, participant = _wish(call)
    meeting = call.platform.current_meeting(call.path["meetingId"])
    if meeting.status != "started":
        raise RefusedError(400, 3000, "Meeting has not started.")
    operator = _operator(call, meeting, participant)
    if action == "start":
        call.platform.physics.rest_start(meeting, client_id, operator)
    else:
        _control(call, meeting, client_id, operator, action)
    return Answer(204)


def _wish(call: Call) -> tuple[str, str, str | None]:
    """Return action, client id and participant of the body; refused with 300 where they are not there."""
    body = call.object_body()
    settings = body.get("settings")
    client_id = settings.get("client_id") if isinstance(settings, dict) else None
    participant = settings.get("participant_user_id") if isinstance(settings, dict) else None
    action = body.get("action")
    for field, value, good in (
        ("action", action, action in ACTIONS if isinstance(action, str) else False),
        ("settings.client_id", client_id, isinstance(client_id, str) and bool(client_id)),
        ("settings.participant_user_id", participant, participant is None or isinstance(participant, str)),
    ):
        if not good:
            raise RefusedError(400, 300, f"Validation Failed. Invalid field: {field} ({value!r:.40}).")
    return str(action), str(client_id), participant


def _operator(call: Call, meeting: Meeting, participant: str | None) -> User:
    """Return for whom the stream is: the named participant, the token's user, or the host for an account's token."""
    if participant is None:
        return call.caller or meeting.host
    user = call.world.user(participant)
    if user is None:
        raise RefusedError(400, 2312, f"The participant does not exist: {participant}.")
    if call.caller not in (None, user) and not call.is_admin:
        raise not_allowed()
    return user


def _control(call: Call, meeting: Meeting, client_id: str, operator: User, action: str) -> None:
    running = call.platform.physics.running(meeting, client_id, operator)
    if running is None:
        raise RefusedError(400, 13277, f"Unable to '{action}' the RTMS app because it has not been started.")
    keeper = call.platform.keeper
    if action == "stop":
        keeper.stop(running, StopReason.USER_TRIGGERED)
    elif action == "pause":
        keeper.pause(running)
    else:
        keeper.resume(running)


_READ = both("meeting:read:meeting", "meeting:read", "meeting:read:admin")
_UPDATE = both("meeting:update:participant_rtms_app_status", "meeting:write", "meeting:write:admin")
MEETING_ENDPOINTS = (
    Endpoint("GET", "/meetings/{meetingId}", "Light", _READ, _meeting),
    Endpoint("PATCH", "/live_meetings/{meetingId}/rtms_app/status", "Medium", _UPDATE, _status),
)
