"""The host is there when the start needs the host.

Why it matters: until 2026-01-18 a start by REST worked only with the host in the meeting. Since then it needs
joining before the host, or the host; where the host must approve, somebody must be there to do so. A meeting that
has not begun answers 3000.

Remedy: let the host join, or allow joining before the host.

Source: https://developers.zoom.us/changelog/rtms/january-18-2026, https://devforum.zoom.us/t/140368,
https://www.recall.ai/blog/understanding-zoom-rtms-behavior-and-its-constraints (observed, 2026-01-22)
"""

from rtms_audit.core.changes import CONTINUOUS_SHARING, HOST_NOT_NEEDED
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, likely, possible

CAUSES = ("host-absent",)
FACT = "host.present"
NOT_STARTED = 3000


def decide(subject: Subject) -> Answer:
    """Read 3000, and the host's presence with the settings and the rule of that day."""
    situation, flow = subject.situation, subject.flow
    present, evidence = situation.word(FACT), situation.evidence(FACT)
    if subject.code == NOT_STARTED:
        return answer([_not_begun(subject, present, evidence)], "")
    if present == "true":
        return answer([], "", fine="the host was in the meeting", evidence=evidence)
    if present != "false":
        return answer([], "whether the host was in the meeting is not known")
    if flow.existed:
        return _during(subject, evidence)
    return answer([_away(subject, evidence)], "")


def _not_begun(subject: Subject, present: str, evidence: tuple[str, ...]) -> Claim:
    reason = "Zoom answered 3000: the meeting had not started when the start was asked for"
    if present == "true":
        reason += ", although the host is said to have been there"
        return possible("host-absent", reason, *subject.refusal_evidence, *evidence)
    return likely("host-absent", reason, *subject.refusal_evidence, *evidence)


def _away(subject: Subject, evidence: tuple[str, ...]) -> Claim:
    """Say how much the host's absence explains: more where nobody could join, approve, or where the old rule held."""
    situation = subject.situation
    join, approval = situation.word("meeting.join_before_host"), situation.word("setting.require_host_approval")
    evidence += situation.evidence("meeting.join_before_host", "setting.require_host_approval")
    old_rule = HOST_NOT_NEEDED.holds(situation.when) is False and subject.flow.trigger != "auto-start"
    if join == "off":
        return likely("host-absent", "the host was away and nobody may join before the host", *evidence)
    if approval == "on":
        return likely("host-absent", "the host was away, and the host's approval is required", *evidence)
    if old_rule and (subject.flow.prevented or subject.flow.accepted):
        return likely(
            "host-absent", f"the host was away, and before {HOST_NOT_NEEDED.since} a start needed the host", *evidence
        )
    return possible("host-absent", "the host was away", *evidence)


def _during(subject: Subject, evidence: tuple[str, ...]) -> Answer:
    """Weigh the host's leaving during a stream, which ended it before 2026-10-30."""
    flow, when = subject.flow, subject.situation.when
    lost = flow.media is False or (bool(flow.stops) and flow.stop_reason is None)
    if not lost or CONTINUOUS_SHARING.holds(when):
        return answer([], "the host was away, and the stream came all the same")
    return answer([possible("host-absent", "the host left during the stream", *evidence, phase=STREAM)], "")
