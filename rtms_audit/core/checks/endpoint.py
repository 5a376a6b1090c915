"""Our endpoint takes the event: 200 or 204 within three seconds.

Why it matters: what was answered with 3xx or 4xx is never repeated, and what is repeated after minutes is too late,
since the stream must be joined within about a minute.

Remedy: answer first, work afterwards; keep body parsers away from the raw bytes that the signature is made of.

Source: https://developers.zoom.us/docs/api/webhooks, https://developers.zoom.us/blog/webhook-delays,
https://devforum.zoom.us/t/144332 (staff)
"""

from collections.abc import Iterator, Mapping

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible
from rtms_audit.core.model import Observation

CAUSES = ("webhook-rejected",)
TIME_LIMIT_MS = 3000


def decide(subject: Subject) -> Answer:
    """Read how our side answered the started event, and what Zoom's delivery log says."""
    attempt = subject.situation.attempt
    events = attempt.started if attempt else []
    claims = [claim for event in events if (claim := _answered_badly(event, subject))] + _log(subject)
    good = [event.id for event in events if as_int(event.fields.get("answered")) in (200, 204)]
    if good and not claims:
        return answer([], "", fine="the started event was answered with 200 or 204 in time", evidence=good)
    return answer(claims[:1], "how our endpoint answered the event is not known")


def _answered_badly(event: Observation, subject: Subject) -> Claim | None:
    answered, ms = event.fields.get("answered"), event.fields.get("answer_ms")
    status = as_int(answered)
    slow = isinstance(ms, int | float) and ms > TIME_LIMIT_MS
    if subject.flow.joined:
        return None
    if answered == "none" or (status is not None and status not in (200, 204)):
        reason = f"our endpoint answered the started event with {answered}"
        down = answered == "none" and subject.situation.word("receiver.running") == "false"
        make = possible if down else likely
        return make("webhook-rejected", reason, event.id, phase=STREAM)
    if slow:
        reason = f"our endpoint took {ms} ms over the started event, and Zoom waits {TIME_LIMIT_MS} ms"
        return likely("webhook-rejected", reason, event.id, phase=STREAM)
    return None


def _log(subject: Subject) -> list[Claim]:
    if subject.flow.joined:
        return []
    for observation, status in delivery_log(subject):
        if 300 <= status < 600 and status not in (404, 410):
            reason = f"Zoom's delivery log says that our endpoint answered the RTMS event with {status}"
            return [confirmed("webhook-rejected", reason, observation.id)]
    return []


def delivery_log(subject: Subject) -> Iterator[tuple[Observation, int]]:
    """Yield the status of each RTMS start event in Zoom's own delivery log, the newest answer first."""
    for observation, entry in logged_starts(subject):
        status = as_int(entry.get("status"))
        if status is not None:
            yield observation, status


def logged_starts(subject: Subject) -> Iterator[tuple[Observation, Mapping[str, object]]]:
    """Yield each RTMS start event in Zoom's own delivery log as the log has it, the newest answer first."""
    for observation in reversed(subject.situation.rest("/webhook_logs")):
        entries = reading.answer(observation).get("webhook_logs")
        for entry in map(reading.mapping, entries if isinstance(entries, list) else []):
            if reading.text(entry.get("event")).endswith("rtms_started"):
                yield observation, entry
