"""The handshake is signed with id and secret of the app and environment that own the stream.

Why it matters: Zoom refuses a foreign signature with status 3, or closes the socket without a word (SDK: reason
960), and stops the stream with reason 18 about a second later. 960 is no success, whatever a log line says; alone
it does not say why.

Remedy: sign with the pair of the stream's environment; unset ZM_RTMS_CLIENT and ZM_RTMS_SECRET, which win over the
code.

Source: https://developers.zoom.us/docs/rtms/data-types/ (status 3, stop reason 18),
https://devforum.zoom.us/t/142247, https://devforum.zoom.us/t/138941, https://github.com/zoom/rtms (SDK 1.1.0:
measured, 2026-11)
"""

import re

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.checks.environments import swapped
from rtms_audit.core.flow import Join

CAUSES = ("credentials-mismatch", "credentials-missing")
INVALID_SIGNATURE = 3
AUTHENTICATION_FAILURE = 18
PEER_CLOSED = 960
PREVIEW_INVALID_SIGNATURE = 15
"""What INVALID_SIGNATURE was in the table of the preview; samples of Zoom's still speak of it."""
MISSING = re.compile(
    r"(?:client[ _]?(?:id|secret)|credentials?|ZM_RTMS_(?:CLIENT|SECRET)|signature)\b.{0,40}\b"
    r"(?:blank|empty|missing|required|not set|undefined|none|not provided)|"
    r"(?:missing|no|without) (?:client[ _]?(?:id|secret)|credentials?)",
    re.IGNORECASE,
)
SAYS_SIGNATURE = re.compile(r"signature", re.IGNORECASE)


def decide(subject: Subject) -> Answer:
    """Read status 3, stop reason 18, sockets closed without a word, and what is known of the pair used."""
    missing = _missing(subject)
    claims = [missing] if missing else [claim for claim in (_mismatch(subject), _stated(subject)) if claim]
    accepted = [j.observation for j in subject.flow.joins if j.succeeded]
    fine = "Zoom accepted the handshake, so its signature was right"
    return answer(claims, "no handshake shows which pair signs", fine=fine, evidence=seen(*accepted[:1]))


def _missing(subject: Subject) -> Claim | None:
    """Read the SDK's own words that it has nothing to sign with, or a person's."""
    failure = subject.flow.failure
    if failure and MISSING.search(failure.error):
        reason = f"the SDK said: {failure.error[:120]}"
        return confirmed("credentials-missing", reason, *seen(failure.observation), phase=STREAM)
    fact = "receiver.credentials_present"
    if subject.situation.word(fact) != "false" or subject.flow.joined:
        return None
    make = likely if subject.flow.existed else possible
    reason = "the receiver is said to have no client id or secret"
    return make("credentials-missing", reason, *subject.situation.evidence(fact), phase=STREAM)


def _mismatch(subject: Subject) -> Claim | None:
    flow = subject.flow
    refused = _refused_signature(subject)
    if refused and not flow.joined:
        by_sdk = refused.origin == "sdk"
        answered = "the SDK's join ended with reason" if by_sdk else "the handshake was answered with status"
        how = f"{answered} {refused.code}"
        make = likely if refused.is_assumed else confirmed
        return make(
            "credentials-mismatch",
            f"{how}: invalid signature",
            *seen(refused.observation, flow.stop),
            phase=STREAM,
        )
    if flow.stop_reason == AUTHENTICATION_FAILURE:
        stopped = _stopped(subject)
        if not (proof := swapped(subject)):
            return stopped
        reason = f"{stopped.reason}; the pair used was the other environment's, and this one's own worked"
        return confirmed("credentials-mismatch", reason, *stopped.evidence, *seen(*proof), phase=STREAM)
    return _closed(flow.failure)


def _refused_signature(subject: Subject) -> Join | None:
    """Return the join that Zoom refused for its signature, by number or in words."""
    for join in reversed(subject.flow.joins):
        words = reading.text(reading.response(join.observation).get("reason"))
        if join.code == INVALID_SIGNATURE or (join.code not in (None, 0) and SAYS_SIGNATURE.search(words)):
            return join
    return None


def _stopped(subject: Subject) -> Claim:
    """Read stop reason 18, with the join before it."""
    flow, failure = subject.flow, subject.flow.failure
    reason = "the stream stopped with reason 18: the connecting app failed authentication"
    if failure and failure.code == PEER_CLOSED:
        reason += "; the join before it ended with reason 960, which is no success: the peer closed the socket"
    elif failure is None and flow.joins:
        reason += ", although a handshake had been accepted before"
    last = failure.observation if failure else None
    return likely("credentials-mismatch", reason, *seen(last, flow.stop), phase=STREAM)


def _closed(failure: Join | None) -> Claim | None:
    """Read an outdated number, or a socket that the peer closed before it answered: it fits, as other causes do."""
    if failure is None:
        return None
    if failure.code == PREVIEW_INVALID_SIGNATURE and failure.origin == "signaling":
        reason = "signaling was answered with status 15, which meant an invalid signature in the table of the preview"
        return possible("credentials-mismatch", reason, *seen(failure.observation), phase=STREAM)
    if failure.code == PEER_CLOSED:
        reason = "the SDK's join ended with reason 960: the peer closed the socket before the join was done"
        return possible("credentials-mismatch", reason, *seen(failure.observation), phase=STREAM)
    if failure.was_hung_up_on:
        reason = f"the socket was closed with {failure.closed} without an answer to the handshake"
        return possible("credentials-mismatch", reason, *seen(failure.observation), phase=STREAM)
    return None


def _stated(subject: Subject) -> Claim | None:
    """Compare a client id that is stated or seen with those of the app."""
    situation, flow = subject.situation, subject.flow
    used, own = situation.value("receiver.client_id"), situation.environment.client_id
    known = {e.client_id for e in situation.app.environments.values() if e.client_id}
    if not isinstance(used, str) or not own or used == own or flow.joined:
        return None
    whose = "that of the other environment" if used in known else "none of this app's"
    reason = f"the receiver signs as {used}, which is {whose}; this install's client id is {own}"
    make = likely if flow.existed else possible
    return make("credentials-mismatch", reason, *situation.evidence("receiver.client_id"), phase=STREAM)
