"""Keep-alives are answered on both kinds of socket.

Why it matters: Zoom sends message 12 about every ten seconds and ends the stream after three that were not answered
(reason 24).

Remedy: answer each with message 13, at once, on signaling and media sockets alike.

Source: https://developers.zoom.us/docs/rtms/data-types/, https://developers.zoom.us/docs/rtms/failover-reconnection
"""

from rtms_audit.core.attempts import missed_keepalives
from rtms_audit.core.checks.check import STREAM, Answer, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.model import Kind

CAUSES = ("keepalive-missed",)
TIMED_OUT = 24
LIMIT = 3


def decide(subject: Subject) -> Answer:
    """Read stop reason 24 and the count of missed keep-alives."""
    flow, attempt = subject.flow, subject.situation.attempt
    counts = attempt.of(Kind.KEEPALIVE) if attempt else []
    missed = missed_keepalives(attempt) if attempt else 0
    if flow.stop_reason == TIMED_OUT:
        reason = "the stream stopped with reason 24: three keep-alives were not answered"
        return answer([confirmed("keepalive-missed", reason, *seen(flow.stop, *counts), phase=STREAM)], "")
    if missed >= LIMIT:
        reason = f"{missed} keep-alives were not answered; three end the stream"
        return answer([likely("keepalive-missed", reason, *seen(*counts), phase=STREAM)], "")
    if subject.situation.word("receiver.keepalives_answered") == "false" and flow.stops and flow.stop_reason is None:
        evidence = subject.situation.evidence("receiver.keepalives_answered")
        return answer(
            [likely("keepalive-missed", "keep-alives are said not to be answered", *evidence, phase=STREAM)], ""
        )
    if missed:
        return answer(
            [possible("keepalive-missed", f"{missed} keep-alives were not answered", *seen(*counts), phase=STREAM)], ""
        )
    if counts:
        return answer([], "", fine="every keep-alive seen was answered", evidence=seen(*counts))
    return answer([], "nothing tells of keep-alives")
