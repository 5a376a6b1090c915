"""Zoom's own service works.

Why it matters: Zoom says so itself when it does not: stop reasons 10 and 12, handshake status 45, or a 5xx answer
to a start.

Remedy: start again; where it comes back, give Zoom's support the tracking ids and times.

Source: https://developers.zoom.us/docs/rtms/data-types/, https://developers.zoom.us/docs/rtms/failover-reconnection
"""

from rtms_audit.core.checks.check import STREAM, Answer, Subject, answer, confirmed, likely, possible, seen

CAUSES = ("zoom-internal",)
STOPS = {10: "an internal exception", 12: "the link between RTMS and the meeting was lost"}
UNCLEAR = 17
PEER_CLOSED = 960
"""What the SDK reports where a server closes a socket of a joined stream, whoever is to blame (measured)."""
INTERNAL = 45


def decide(subject: Subject) -> Answer:
    """Read the codes by which Zoom reports a fault of its own."""
    flow = subject.flow
    if flow.stop_reason in STOPS:
        reason = f"the stream stopped with reason {flow.stop_reason}: {STOPS[flow.stop_reason]}"
        return answer([confirmed("zoom-internal", reason, *seen(flow.stop), phase=STREAM)], "")
    internal = [join for join in flow.joins if join.code == INTERNAL]
    if internal and not flow.joined:
        reason = "the handshake was answered with status 45: an internal exception"
        make = likely if internal[-1].is_assumed else confirmed
        return answer([make("zoom-internal", reason, *seen(internal[-1].observation), phase=STREAM)], "")
    if flow.refused and (flow.refused[0].status or 0) >= 500:
        reason = f"the start call was answered with HTTP {flow.refused[0].status}"
        return answer([likely("zoom-internal", reason, *subject.refusal_evidence)], "")
    if flow.stop_reason == UNCLEAR:
        reason = "the stream stopped with reason 17: an exit signal, of Zoom's side or the app's"
        return answer([possible("zoom-internal", reason, *seen(flow.stop), phase=STREAM)], "")
    if flow.stop_reason == PEER_CLOSED:
        reason = "the server closed a socket of the joined stream and gave no reason (SDK 960): a fail-over, or others"
        return answer([possible("zoom-internal", reason, *seen(flow.stop), phase=STREAM)], "")
    worked = [join.observation for join in flow.joins if join.succeeded]
    fine = "Zoom's RTMS servers answered and accepted a handshake"
    return answer([], "nothing that Zoom said tells of a fault of its own", fine=fine, evidence=seen(*worked[:1]))
