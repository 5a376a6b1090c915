"""The app is a user-managed General app.

Why it matters: for meetings and webinars other kinds of app cannot add the RTMS events and scopes. A
Server-to-Server app may still *start* the stream of another, General app, so the kind alone proves nothing.

Remedy: make a user-managed General app and move scopes and events to it.

Source: https://developers.zoom.us/docs/rtms/meetings/add-features (2026-11), https://devforum.zoom.us/t/140368
"""

from rtms_audit.core.checks.check import Answer, Subject, answer, does_not_apply, likely, possible, seen
from rtms_audit.core.checks.scopes import is_rtms
from rtms_audit.core.model import Usage

CAUSES = ("app-type-unsupported",)
VIDEO_ONLY = "only available for video sdk"


def decide(subject: Subject) -> Answer:
    """Compare the app's kind with the one that RTMS for meetings asks for."""
    situation = subject.situation
    usage = situation.app.usage
    if subject.flow.refused and VIDEO_ONLY in subject.flow.refused[0].message.lower():
        reason = f"Zoom answered: {subject.flow.refused[0].message}"
        return answer([likely("app-type-unsupported", reason, *subject.refusal_evidence)], "")
    if situation.word("meeting.kind") in ("contact-center", "video-sdk", "phone"):
        return does_not_apply(f"RTMS for {situation.word('meeting.kind')} has rules of its own for the kind of app")
    if usage is None:
        return answer([], "nobody has said what kind of app it is")
    if usage is Usage.USER_MANAGED:
        return answer([], "the app is said to be user-managed, as it must be")
    reason = f"the app is {usage}; RTMS for meetings asks for a user-managed General app"
    if situation.word("app.scopes_selectable") == "false":
        evidence = situation.evidence("app.scopes_selectable")
        return answer([likely("app-type-unsupported", f"{reason}, and its scopes cannot be selected", *evidence)], "")
    scopes = situation.value("app.scopes")
    if subject.awaited and isinstance(scopes, list) and not any(is_rtms(str(scope)) for scope in scopes):
        evidence = (*situation.evidence("app.scopes"), *seen(subject.flow.watch))
        return answer([likely("app-type-unsupported", f"{reason}, and it has none of its scopes", *evidence)], "")
    return answer([possible("app-type-unsupported", reason)], "")
