"""The host's approval was given, or was not needed.

Why it matters: with 'Require host approval', and in a meeting that another account hosts, Zoom asks the host in the
meeting and starts nothing until the answer.

Remedy: let the host answer the request. Since 2026-10-30 the event rtms.request_status tells of it; what it holds
is not public.

Source: https://devforum.zoom.us/t/131203, https://developers.zoom.us/docs/rtms/meetings/ux-host-admin-tools-ctrls,
https://developers.zoom.us/changelog/rtms/october-30-2026; 2309: community, 2026
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import Answer, Claim, Subject, answer, likely, possible, seen
from rtms_audit.core.model import Observation

CAUSES = ("host-denied", "host-approval-pending")
REFUSED = 2309
GIVEN = ("approved", "not-required")


def decide(subject: Subject) -> Answer:
    """Read 2309 and rtms.request_status, and what people say of the host's answer."""
    situation = subject.situation
    event, word = _request_status(subject)
    said = situation.word("host.approval") or word
    evidence = (*situation.evidence("host.approval"), *seen(event))
    if said in ("denied", "declined", "rejected"):
        return answer([likely("host-denied", f"the host's answer was: {said}", *evidence)], "")
    if subject.code == REFUSED:
        reason = "Zoom answered 2309: the authorization by the external host is pending or needed"
        return answer([likely("host-approval-pending", reason, *subject.refusal_evidence)], "")
    if said in ("pending", "timeout"):
        return answer([likely("host-approval-pending", f"the host's answer is {said}", *evidence)], "")
    if said in GIVEN:
        return answer([], "", fine=f"the host's approval was {said}", evidence=evidence)
    if situation.word("setting.require_host_approval") == "off" and situation.word("host.account") != "external":
        evidence = situation.evidence("setting.require_host_approval")
        return answer([], "", fine="the host's approval is not required", evidence=evidence)
    return answer(_unasked(subject), "whether the host was asked, and answered, is not known")


def _unasked(subject: Subject) -> list[Claim]:
    """Keep the usual suspicion where approval is required, or an external host may have been asked."""
    situation = subject.situation
    if not subject.awaited:
        return []
    if situation.word("setting.require_host_approval") == "on":
        reason = "the host's approval is required, and whether it was given is not known"
        return [possible("host-approval-pending", reason, *situation.evidence("setting.require_host_approval"))]
    if situation.word("host.account") == "external":
        reason = "another account hosts the meeting, and what its host answered is not known"
        return [possible("host-approval-pending", reason, *situation.evidence("host.account"))]
    return []


def _request_status(subject: Subject) -> tuple[Observation | None, str]:
    """Return the latest rtms.request_status of the attempt and the word of approval in it."""
    attempt = subject.situation.attempt
    for observation in reversed(attempt.observations if attempt else []):
        if reading.event_name(observation) == "rtms.request_status":
            words = [reading.text(value).lower() for value in reading.payload(observation).values()]
            known = ("approved", "denied", "declined", "rejected", "pending", "timeout")
            return observation, next((word for word in known for value in words if word in value), "")
    return None, ""
