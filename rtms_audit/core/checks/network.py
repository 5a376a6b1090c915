"""The receiver reaches the media address.

Why it matters: the address in server_urls is reached by WebSocket; a name that does not resolve, a closed route, a
proxy, or a guard of one's own against foreign addresses ends the join before Zoom can say anything.

Remedy: from the receiver's host, try name, route and proxy to that very address.

Source: https://github.com/zoom/rtms (reason 504: measured, 2026-11),
https://developers.zoom.us/docs/rtms/data-types/
"""

import re

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, likely, possible, seen
from rtms_audit.core.flow import Flow, Join

CAUSES = ("receiver-network",)
CANNOT_CONNECT = 504
SILENCE = "no answer"
"""How a client tells of a handshake that was sent and met silence."""
TIMED_OUT = 1
ABNORMAL_CLOSE = 1006
STOPS = {13: "the signaling link was lost", 14: "the media link was lost"}
SIGNS = re.compile(
    r"ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|getaddrinfo|"
    r"name or service not known|"
    r"name resolution|connection refused|connection reset|timed? ?out|no route|unreachable|proxy|SSRF|blocked address|"
    r"private address|EPIPE|dns",
    re.IGNORECASE,
)


def decide(subject: Subject) -> Answer:
    """Read failed connects, lost links and the words of the client."""
    flow, situation = subject.flow, subject.situation
    failures = [flow.failure, *_behind(flow), *(join for join in flow.refused_media if join.code is None)]
    claims = [claim for claim in (*(_failed(join, subject) for join in failures), _stopped(subject)) if claim]
    stated = situation.word("receiver.network_errors")
    if stated == "true" and not flow.joined:
        evidence = situation.evidence("receiver.network_errors")
        claims.append(
            likely("receiver-network", "the receiver is said to have network errors", *evidence, phase=STREAM)
        )
    reached = [j.observation for j in flow.joins if j.was_answered]
    fine = "Zoom answered the receiver's handshake, so the address was reached"
    return answer(
        claims, "whether the receiver reaches the address is not known", fine=fine, evidence=seen(*reached[:1])
    )


def _behind(flow: Flow) -> list[Join]:
    """Return the signaling handshake behind the SDK's reason 1, which says nothing itself of what failed."""
    if flow.failure is None or flow.failure.origin != "sdk" or flow.failure.code != TIMED_OUT:
        return []
    return [join for join in flow.joins if join.origin == "signaling"][-1:]


def _failed(join: Join | None, subject: Subject) -> Claim | None:
    if join is None:
        return None
    evidence = seen(join.observation)
    if join.code == CANNOT_CONNECT:
        reason = (
            "the SDK's join ended with reason 504: it could not connect (refused, name, route, or no WebSocket there)"
        )
        return likely("receiver-network", reason, *evidence, phase=STREAM)
    if join.code == TIMED_OUT and join.origin == "sdk":
        reason = "the SDK's join ended with reason 1, which is also its word for no answer in time"
        return possible("receiver-network", reason, *evidence, phase=STREAM)
    if join.code is not None:
        return None
    return _worded(join, subject)


def _worded(join: Join, subject: Subject) -> Claim | None:
    """Read the client's own words on a join that got no answer."""
    evidence = seen(join.observation)
    answered = any(other.code is not None for other in subject.flow.joins if other.origin == "signaling")
    if join.upgrade is not None and join.upgrade >= 400:
        reason = f"the WebSocket upgrade was answered with HTTP {join.upgrade}, by Zoom or by something on the way"
        return likely("receiver-network", reason, *evidence, phase=STREAM)
    if SIGNS.search(join.error) or (join.closed == ABNORMAL_CLOSE and not answered):
        what = join.error[:120] or f"closed with {join.closed}"
        sent = bool(reading.request(join.observation))
        make = possible if join.closed == ABNORMAL_CLOSE and sent and not SIGNS.search(join.error) else likely
        return make("receiver-network", f"the connection failed before Zoom answered: {what}", *evidence, phase=STREAM)
    if join.error.startswith(SILENCE):
        reason = f"the {join.origin} socket was opened and its handshake met silence: {join.error[:120]}"
        return possible("receiver-network", reason, *evidence, phase=STREAM)
    return None


def _stopped(subject: Subject) -> Claim | None:
    code = subject.flow.stop_reason
    if code not in STOPS:
        return None
    reason = f"the stream stopped with reason {code}: {STOPS[code]}"
    return likely("receiver-network", reason, *seen(subject.flow.stop), phase=STREAM)
