"""The app owner's account is below its limit of concurrent streams.

Why it matters: the limit counts every stream of the owner's apps in all accounts (2000 by default, 5 reported for a
trial), and only the owner is told when it is reached. One customer's silence can be another customer's load.

Remedy: wait, stop streams, or ask Zoom for more.

Source: https://developers.zoom.us/docs/api/rtms/events/ (2026-02),
https://developers.zoom.us/docs/rtms/troubleshooting
"""

from datetime import timedelta

from rtms_audit.core import reading
from rtms_audit.core.attempts import window
from rtms_audit.core.checks.check import Answer, Subject, answer, confirmed, likely, possible
from rtms_audit.core.model import Observation

CAUSES = ("concurrency-limit",)
NEARNESS = timedelta(minutes=10)
"""How far from an attempt an event of the owner's account may lie and still speak of its load."""


def decide(subject: Subject) -> Answer:
    """Look for the two concurrency events, at this install and at every other of the app."""
    if not subject.flow.prevented and not subject.flow.accepted and not _own(subject):
        return answer([], "no event tells of the number of streams")
    limited = [o for o in _near(subject) if reading.event_name(o).endswith("concurrency_limited")]
    for event in reversed(limited):
        number = reading.payload(event).get("concurrency_number", "not said")
        reason = f"Zoom sent rtms.concurrency_limited (streams: {number}): no new stream can start"
        mine = event.install in (None, subject.situation.key)
        return answer([(confirmed if mine else likely)("concurrency-limit", reason, event.id)], "")
    near = [o for o in _near(subject) if reading.event_name(o).endswith("concurrency_near_limit")]
    if near:
        share = reading.payload(near[-1]).get("percentage", "not said")
        return answer(
            [possible("concurrency-limit", f"the owner's streams were near the limit ({share} %)", near[-1].id)], ""
        )
    return answer([], "no event tells of the number of streams")


def _own(subject: Subject) -> list[Observation]:
    attempt = subject.situation.attempt
    return [o for o in (attempt.observations if attempt else []) if "concurrency" in reading.event_name(o)]


def _near(subject: Subject) -> list[Observation]:
    """Return the concurrency events of any install that lie near the latest attempt."""
    attempt = subject.situation.attempt
    times = [t for o in (attempt.observations if attempt else []) for t in (o.at, *window(o)) if t]
    events = subject.situation.book.loads
    if not times:
        return [o for o in events if o.install in (None, subject.situation.key)]
    begin, end = min(times) - NEARNESS, max(times) + NEARNESS
    return [o for o in events if o.at is None or begin <= o.at <= end]
