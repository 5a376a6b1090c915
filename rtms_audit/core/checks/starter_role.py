"""The person who starts the stream may start it.

Why it matters: host and alternative host may; since 2026-07-04 also an invited participant who has joined. Whoever
came by a shared link without a name is refused with 2308.

Remedy: start as one of these, or let the host start.

Source: https://developers.zoom.us/docs/rtms/troubleshooting,
https://developers.zoom.us/changelog/rtms/july-04-2026, https://devforum.zoom.us/t/144673 (2026-07)
"""

from rtms_audit.core.changes import INVITED_MAY_START
from rtms_audit.core.checks.check import Answer, Subject, answer, confirmed, likely, possible

CAUSES = ("starter-not-permitted",)
FACT = "starter.role"
REFUSED = {2308: "not allowed to start the RTMS app", 2312: "participant_user_id is not one that may be started for"}


def decide(subject: Subject) -> Answer:
    """Read 2308 and 2312, and the starter's role with the rule of that day."""
    situation, flow = subject.situation, subject.flow
    if subject.code in REFUSED:
        return answer([likely("starter-not-permitted", _refusal(subject), *subject.refusal_evidence)], "")
    if flow.refused and "only the meeting host" in flow.refused[0].message.lower():
        reason = f"Zoom answered: {flow.refused[0].message}"
        return answer([confirmed("starter-not-permitted", reason, *subject.refusal_evidence)], "")
    role, evidence = situation.word(FACT), situation.evidence(FACT)
    if role in ("host", "alternative-host"):
        return answer([], "", fine=f"the starter is {role}", evidence=evidence)
    if role == "guest":
        make = likely if flow.prevented and not flow.refused else possible
        return answer([make("starter-not-permitted", "the starter is a guest, who may not start", *evidence)], "")
    if role == "invited":
        return _invited(subject, evidence)
    if subject.awaited and flow.trigger in ("rest", "zoom-app"):
        return answer([possible("starter-not-permitted", "the starter's role in the meeting is not known")], "")
    return answer([], "the starter's role in the meeting is not known")


def _refusal(subject: Subject) -> str:
    reason = f"Zoom answered {subject.code}: {REFUSED[subject.code or 0]}"
    if subject.code == 2308 and subject.situation.word(FACT) in ("host", "alternative-host"):
        reason += f", although the starter is said to be {subject.situation.word(FACT)}"
    return reason


def _invited(subject: Subject, evidence: tuple[str, ...]) -> Answer:
    when = subject.situation.when
    if INVITED_MAY_START.holds(when):
        fine = f"the starter was invited, which is enough since {INVITED_MAY_START.since}"
        return answer([], "", fine=fine, evidence=evidence)
    if when is None:
        return answer(
            [], f"the starter was invited; whether that is enough depends on the day ({INVITED_MAY_START.since})"
        )
    reason = f"the starter was invited, which was not enough before {INVITED_MAY_START.since}"
    make = likely if subject.flow.prevented and not subject.flow.refused else possible
    return answer([make("starter-not-permitted", reason, *evidence)], "")
