"""The meeting is of a kind that can stream.

Why it matters: breakout rooms do not stream; practice sessions and end-to-end encryption are not documented; a
meeting or session that cannot is refused with 13273, a contact-centre queue ends with stop reason 26.

Remedy: try an ordinary meeting in the main room.

Source: https://developers.zoom.us/docs/api/video-sdk/ (2026-02), https://docs.recall.ai,
https://developers.zoom.us/docs/rtms/data-types/
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Subject, answer, confirmed, likely, possible, seen

CAUSES = ("meeting-unsupported",)
FACT = "meeting.kind"
REFUSED = 13273
NOT_SUPPORTED = 26


def decide(subject: Subject) -> Answer:
    """Read 13273, stop reason 26, the kind of meeting and its encryption."""
    situation, flow = subject.situation, subject.flow
    if subject.code == REFUSED:
        reason = "Zoom answered 13273: this meeting or session does not support RTMS"
        return answer([confirmed("meeting-unsupported", reason, *subject.refusal_evidence)], "")
    if flow.stop_reason == NOT_SUPPORTED:
        reason = "the stream stopped with reason 26: streaming is not supported there"
        return answer([confirmed("meeting-unsupported", reason, *seen(flow.stop), phase=STREAM)], "")
    kind, evidence = situation.word(FACT), situation.evidence(FACT)
    if kind == "breakout":
        make = likely if flow.prevented else possible
        return answer(
            [make("meeting-unsupported", "the meeting is a breakout room, which does not stream", *evidence)], ""
        )
    if kind == "practice-session":
        reason = "the meeting is a practice session, for which nothing is documented"
        return answer([possible("meeting-unsupported", reason, *evidence)], "")
    encrypted = [
        o for o in situation.own if reading.mapping(reading.answer(o).get("settings")).get("encryption_type") == "e2ee"
    ]
    if encrypted and flow.prevented:
        reason = "the meeting is end-to-end encrypted, for which nothing is documented"
        return answer([possible("meeting-unsupported", reason, *seen(encrypted[-1]))], "")
    if kind in ("meeting", "webinar"):
        return answer([], "", fine=f"it is an ordinary {kind}", evidence=evidence)
    return answer([], f"the kind of meeting is {kind or 'not known'}")
