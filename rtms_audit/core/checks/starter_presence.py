"""The app's user is in the main meeting.

Why it matters: the stream belongs to the user who started it. It does not start without that user, not in a
breakout room, and it ends with reason 3 when the user leaves.

Remedy: keep that user in the meeting, or let another user with the app start a stream.

Source: https://www.recall.ai/blog/understanding-zoom-rtms-behavior-and-its-constraints (observed, 2026-01-22),
https://developers.zoom.us/docs/rtms/data-types/ (stop reason 3)
"""

from rtms_audit.core.checks.check import START, STREAM, Answer, Subject, answer, likely, possible, seen

CAUSES = ("starter-absent",)
USER_LEFT = 3


def decide(subject: Subject) -> Answer:
    """Read stop reason 3, and what people say of the starter's whereabouts."""
    situation, flow = subject.situation, subject.flow
    evidence = situation.evidence("starter.present", "starter.in_breakout_room")
    if flow.stop_reason == USER_LEFT:
        reason = "the stream stopped with reason 3: the app's user left the meeting"
        return answer([likely("starter-absent", reason, *seen(flow.stop), *evidence, phase=STREAM)], "")
    away = _away(subject)
    if away:
        ended_unexplained = bool(flow.stops) and flow.stop_reason is None
        lost = flow.media is False or ended_unexplained
        phase = STREAM if flow.existed else START
        make = likely if flow.prevented or lost or flow.meeting is False else possible
        if flow.existed and not lost:
            return answer([], f"{away}, and the stream went on")
        return answer([make("starter-absent", away, *evidence, phase=phase)], "")
    if situation.word("starter.present") == "true":
        return answer([], "", fine="the app's user was in the meeting", evidence=evidence)
    return answer([], "whether the app's user was in the meeting is not known")


def _away(subject: Subject) -> str:
    if subject.situation.word("starter.in_breakout_room") == "true":
        return "the app's user was in a breakout room"
    return "the app's user was not in the meeting" if subject.situation.word("starter.present") == "false" else ""
