"""Something starts RTMS: auto-start, the start call, or the app in the meeting.

Why it matters: a running meeting alone starts nothing. Without a trigger no event is due, and its absence proves
nothing.

Remedy: switch auto-start on for this app and these users, or start the stream by the REST call or in the meeting.

Source: https://developers.zoom.us/docs/rtms/meetings/ux-host-admin-tools-ctrls, https://devforum.zoom.us/t/140262
(2026-01)
"""

import re

from rtms_audit.core import reading
from rtms_audit.core.checks.check import Answer, Claim, Subject, answer, likely, possible
from rtms_audit.core.flow import TRIGGERS
from rtms_audit.core.model import Kind, Observation

CAUSES = ("not-triggered",)
OTHER_CALLS = re.compile(r"/meetings/[^/]+/(?:livestream(?:/status)?|rtms_app/status)$|/live_meetings/[^/]+/events$")
"""Calls that people take for the start of RTMS: https://devforum.zoom.us/t/140262; the right one is /live_meetings."""
GONE = 3001
NOTHING_TO_STOP = 13277


def decide(subject: Subject) -> Answer:
    """Look for a start of any kind, and for calls that only look like one."""
    flow = subject.flow
    if flow.trigger in TRIGGERS or subject.code == GONE:
        claim = _in_vain(subject)
        if claim:
            return answer([claim], "")
        return answer([], "", fine=f"it was to be started by {flow.trigger}", evidence=flow.trigger_evidence)
    if flow.existed:
        return answer([], "a stream came, so something started it")
    claim = _untriggered(subject)
    return answer([claim] if claim else [], "what was to start it is not known")


def _in_vain(subject: Subject) -> Claim | None:
    """Weigh a trigger that is known, but that started nothing where it was meant to."""
    situation, flow = subject.situation, subject.flow
    if flow.trigger == "auto-start" and situation.word("setting.auto_start") == "off":
        reason = "auto-start was expected to start it, but is said to be off"
        return likely("not-triggered", reason, *situation.evidence("setting.auto_start"))
    if subject.code == GONE:
        reason = "Zoom answered 3001: there is no such meeting, so that nothing was started in the one that was meant"
        return likely("not-triggered", reason, *subject.refusal_evidence)
    panel = [fact for fact in ("host.client", "starter.client") if situation.word(fact) == "web"]
    if flow.trigger == "zoom-app" and panel and subject.awaited:
        reason = "it was to be started from the app in the meeting, which the web client is said not to have"
        return possible("not-triggered", reason, *situation.evidence(*panel))
    return None


def _untriggered(subject: Subject) -> Claim | None:
    """Weigh what speaks for nothing having started RTMS."""
    situation, flow = subject.situation, subject.flow
    if mistaken := _mistaken(situation.own):
        reason = f"{reading.method(mistaken)} {reading.path(mistaken)} does not start RTMS, and no other start is known"
        return likely("not-triggered", reason, mistaken.id)
    if flow.trigger == "none":
        return likely("not-triggered", "nothing is said to have started it", *flow.trigger_evidence)
    if situation.word("setting.auto_start") == "off":
        reason = "auto-start is said to be off, and no start call is known"
        make = likely if subject.awaited else possible
        return make("not-triggered", reason, *situation.evidence("setting.auto_start"))
    if stopped := [o for o in situation.own if o.kind is Kind.REST and _is_stop_of_nothing(o)]:
        reason = "a stop was asked for, and Zoom answered 13277: nothing had been started"
        return possible("not-triggered", reason, stopped[-1].id)
    return possible("not-triggered", "the meeting ran, but no start of RTMS is known") if subject.awaited else None


def _is_stop_of_nothing(call: Observation) -> bool:
    error = reading.refusal(call)
    return error is not None and error.code == NOTHING_TO_STOP


def _mistaken(own: tuple[Observation, ...]) -> Observation | None:
    """Return a call that people take for the start of RTMS."""
    calls = [o for o in own if o.kind is Kind.REST and OTHER_CALLS.search(reading.path(o))]
    return next((call for call in reversed(calls) if reading.method(call) not in ("GET", "")), None)
