"""A receiver runs and joins within about 60 seconds of the event.

Why it matters: Zoom gives a stream up that nobody joins, and one whose receiver goes away and does not come back in
time.

Remedy: keep a receiver running, join at once, and after stop reasons 10 to 19 or 24 start the stream again.

Source: https://devforum.zoom.us/t/144332 (staff), https://developers.zoom.us/docs/rtms/data-types/,
https://developers.zoom.us/docs/rtms/failover-reconnection
"""

from rtms_audit.core import flow as flows
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, likely, possible, seen

CAUSES = ("receiver-unavailable",)
FACT = "receiver.running"
ATTACH_SECONDS = 60
"""How long Zoom waits for the first connection: staff, https://devforum.zoom.us/t/144332."""
LATE_CODES = (2, 504, 960, None)
NO_CONNECTION = 11
STOPS = {
    NO_CONNECTION: "no connection in time (the name says connection time-out)",
    15: "the signaling connection was closed abnormally from the app's side",
    16: "the media connection was closed abnormally from the app's side",
    19: "the reconnection did not come in time",
}
UNCLEAR = {17: "an exit signal was received"}


def decide(subject: Subject) -> Answer:
    """Read the stop reasons of a lost receiver, the delay of the join, and what people say."""
    situation, flow = subject.situation, subject.flow
    claims = [claim for claim in (_late(subject), _stopped(subject)) if claim]
    if situation.word(FACT) == "false" and not flow.joined:
        reason = "the receiver is said not to have been running"
        make = likely if flow.existed else possible
        claims.append(make("receiver-unavailable", reason, *situation.evidence(FACT), phase=STREAM))
    joined = [join.observation for join in flow.joins if join.succeeded]
    return answer(
        claims, "whether a receiver was running is not known", fine="a receiver joined", evidence=seen(*joined[:1])
    )


def _late(subject: Subject) -> Claim | None:
    """Claim a join that came after the time Zoom waits, where it failed as late joins do."""
    delay, failure = flows.delay(subject.situation, subject.flow), subject.flow.failure
    if delay is None or failure is None or delay <= ATTACH_SECONDS or failure.code not in LATE_CODES:
        return None
    reason = f"the first join came {delay:.0f} s after the started event; Zoom waits about {ATTACH_SECONDS} s"
    return likely("receiver-unavailable", reason, *seen(subject.flow.announced, failure.observation), phase=STREAM)


def _stopped(subject: Subject) -> Claim | None:
    code, stop = subject.flow.stop_reason, subject.flow.stop
    if code in STOPS:
        reason = f"the stream stopped with reason {code}: {STOPS[code]}"
        tried = subject.flow.failure or next(iter(subject.flow.refused_media), None)
        make = possible if code == NO_CONNECTION and tried else likely
        return make("receiver-unavailable", reason, *seen(stop), phase=STREAM)
    if code in UNCLEAR:
        reason = f"the stream stopped with reason {code}: {UNCLEAR[code]}"
        return possible("receiver-unavailable", reason, *seen(stop), phase=STREAM)
    if subject.flow.failure and subject.flow.failure.code == 2:
        reason = "the handshake was answered with status 2: no such stream, as for one that was given up"
        return possible("receiver-unavailable", reason, *seen(subject.flow.failure.observation), phase=STREAM)
    return None
