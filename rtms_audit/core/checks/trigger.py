"""Something starts RTMS: auto-start, the start call, or the app in the meeting.

Why it matters: a running meeting alone starts nothing. Without a trigger no event is due, and its absence proves
nothing.

Remedy: switch auto-start on for this app and these users, or start the stream by the REST call or in the meeting.

Source: https://developers.zoom.us/docs/rtms/meetings/ux-host-admin-tools-ctrls, https://devforum.zoom.us/t/140262
(2026-01)
"""

import re

from rtms_audit.core import reading
from rtms_audit.core.checks.check import Answer, Subject, answer, likely, possible
from rtms_audit.core.flow import TRIGGERS
from rtms_audit.core.model import Kind, Observation

CAUSES = ("not-triggered",)
OTHER_CALLS = re.compile(r"/meetings/[^/]+/(?:livestream(?:/status)?|rtms_app/status)$|/live_meetings/[^/]+/events$")
"""Calls that people take for the start of RTMS: https://devforum.zoom.us/t/140262; the right one is /live_meetings."""
GONE = 3001


def decide(subject: Subject) -> Answer:
    """Look for a start of any kind, and for calls that only look like one."""
    situation, flow = subject.situation, subject.flow
    if flow.trigger in TRIGGERS and situation.word("setting.auto_start") == "off" and flow.trigger == "auto-start":
        reason = "auto-start was expected to start it, but is said to be off"
        return answer([likely("not-triggered", reason, *situation.evidence("setting.auto_start"))], "")
    if subject.code == GONE:
        reason = "Zoom answered 3001: there is no such meeting, so that nothing was started in the one that was meant"
        return answer([likely("not-triggered", reason, *subject.refusal_evidence)], "")
    if flow.trigger in TRIGGERS:
        return answer([], "", fine=f"it was to be started by {flow.trigger}", evidence=flow.trigger_evidence)
    if flow.existed:
        return answer([], "a stream came, so something started it")
    mistaken = _mistaken(situation.own)
    if mistaken:
        reason = f"{reading.method(mistaken)} {reading.path(mistaken)} does not start RTMS, and no other start is known"
        return answer([likely("not-triggered", reason, mistaken.id)], "")
    if flow.trigger == "none":
        return answer([likely("not-triggered", "nothing is said to have started it", *flow.trigger_evidence)], "")
    if situation.word("setting.auto_start") == "off":
        reason = "auto-start is said to be off, and no start call is known"
        make = likely if subject.awaited else possible
        return answer([make("not-triggered", reason, *situation.evidence("setting.auto_start"))], "")
    if subject.awaited:
        return answer([possible("not-triggered", "the meeting ran, but no start of RTMS is known")], "")
    return answer([], "what was to start it is not known")


def _mistaken(own: tuple[Observation, ...]) -> Observation | None:
    """Return a call that people take for the start of RTMS."""
    calls = [o for o in own if o.kind is Kind.REST and OTHER_CALLS.search(reading.path(o))]
    return next((call for call in reversed(calls) if reading.method(call) not in ("GET", "")), None)
