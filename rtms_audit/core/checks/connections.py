"""One connection per stream.

Why it matters: a second one is refused with status 8 or 16, or takes the place of the first. Two started events, or
one that was repeated because the endpoint was slow, make a receiver connect twice.

Remedy: remember which streams are joined, and drop further started events for them.

Source: https://developers.zoom.us/docs/rtms/data-types/ (status 8, 15, 16), https://github.com/zoom/rtms-samples
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.flow import Join
from rtms_audit.core.model import Kind, Observation

CAUSES = ("duplicate-connection",)
# In the table of the preview 15 and 16 meant a wrong signature and a wrong stream: on signaling they are less sure.
DUPLICATES = {
    8: "duplicate signaling request",
    16: "duplicate media connection",
    15: "a connection for all media exists",
}
PEER_CLOSED = 960
"""The SDK's word for a socket that the other side closed (measured)."""


def decide(subject: Subject) -> Answer:
    """Read statuses 8, 15 and 16, and connections that were opened twice."""
    for join in reversed(subject.flow.joins):
        if join.code in DUPLICATES and not (join.code == 15 and join.origin == "signaling"):
            reason = f"Zoom answered {join.code}: {DUPLICATES[join.code]}"
            make = likely if join.is_assumed or (join.code == 16 and join.origin == "signaling") else confirmed
            return answer([make("duplicate-connection", reason, *seen(join.observation), phase=STREAM)], "")
    pair = _twice(subject)
    if pair:
        reason = "two signaling connections to one stream were accepted, and one of them was closed by the server"
        return answer([likely("duplicate-connection", reason, *seen(*pair), phase=STREAM)], "")
    if subject.flow.stop_reason == PEER_CLOSED:
        reason = "the server closed a socket of the joined stream without a reason, as a second connection makes it do"
        return answer([possible("duplicate-connection", reason, *seen(subject.flow.stop), phase=STREAM)], "")
    started = subject.situation.attempt.started if subject.situation.attempt else []
    if len(started) > 1 and _ended_oddly(subject):
        reason = f"{len(started)} started events came for one stream, and a join ended without an answer"
        return answer([possible("duplicate-connection", reason, *seen(*started), phase=STREAM)], "")
    return answer([], "nothing tells of a second connection")


def _twice(subject: Subject) -> list[Observation]:
    """Return two accepted signaling handshakes and the closing of a socket after them."""
    accepted = [j.observation for j in subject.flow.joins if j.origin == "signaling" and j.succeeded]
    attempt = subject.situation.attempt
    labels = {_label(observation) for observation in accepted}
    if len(accepted) < 2 or attempt is None or (len(labels) == 1 and "" not in labels):
        return []
    after = attempt.observations[attempt.observations.index(accepted[1]) + 1 :]
    closed = [o for o in after if o.kind is Kind.HANDSHAKE and o.fields.get("closed")]
    return [*accepted[:2], *closed[:1]] if closed else []


def _label(observation: Observation) -> str:
    return reading.text(observation.fields.get("connection"))


def _ended_oddly(subject: Subject) -> bool:
    failure: Join | None = subject.flow.failure
    return failure is not None and failure.code in (None, PEER_CLOSED)
