"""The receiver speaks the protocol as documented.

Why it matters: a wrong formula for the signature, text frames only, parameters in the wrong place or an old SDK
look like a fault of Zoom or of the account.

Remedy: update the SDK, accept binary frames, and compare message by message.

Source: https://developers.zoom.us/docs/rtms/meetings/work-with-streams,
https://developers.zoom.us/docs/rtms/data-types/, https://github.com/zoom/rtms (changelog: faults fixed in 1.0.2 and
1.0.3)
"""

import re

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.model import Kind, Observation

CAUSES = ("receiver-defect",)
MESSAGE_FAULTS = {
    1: "invalid message type",
    4: "invalid payload",
    5: "invalid events",
    6: "invalid event type",
    40: "invalid session id",
    41: "invalid client-ready message",
    42: "invalid event subscription",
    44: "duplicate video subscription",
}
HANGS = re.compile(
    r"never (?:returns|answers|resolves|calls)|hangs|no callback|invalid status|invalid args|wrong thread",
    re.IGNORECASE,
)
PEER_CLOSED = 960
MENDED = (1, 0, 3)
"""The SDK that no longer fails with session ids (1.0.2) and webinars (1.0.3): its changelog on GitHub."""
SDK_AGENT = "rtms_client_agent"
"""What Zoom's SDK alone puts into its handshakes: where it is kept, every handshake of that SDK is (measured)."""


def decide(subject: Subject) -> Answer:
    """Read statuses that blame the message, the SDK's own faults, the stated formula, and wordless closes."""
    claims = [
        claim
        for claim in (
            _status(subject),
            _sdk(subject),
            _formula(subject),
            _closed(subject),
            _unasked(subject),
            _old_sdk(subject),
        )
        if claim
    ]
    accepted = [j.observation for j in subject.flow.joins if j.succeeded]
    fine = "Zoom accepted the receiver's messages"
    return answer(claims, "no handshake shows how the receiver speaks", fine=fine, evidence=seen(*accepted[:1]))


def _status(subject: Subject) -> Claim | None:
    for join in reversed(subject.flow.joins):
        if join.origin != "sdk" and join.code in MESSAGE_FAULTS:
            reason = f"Zoom answered status {join.code}: {MESSAGE_FAULTS[join.code]}"
            return confirmed("receiver-defect", reason, *seen(join.observation), phase=STREAM)
        if join.origin == "sdk" and join.code in MESSAGE_FAULTS and join.code != 1:
            reason = f"the SDK's join ended with reason {join.code}: {MESSAGE_FAULTS[join.code]}"
            return likely("receiver-defect", reason, *seen(join.observation), phase=STREAM)
    return None


def _sdk(subject: Subject) -> Claim | None:
    """Read the SDK's messages of hanging or misused calls."""
    if subject.flow.joined:
        return None
    for observation in reversed(subject.situation.own):
        if observation.kind is not Kind.SDK or observation.fields.get("sdk") == "zoom-apps-sdk":
            continue
        message = reading.text(observation.fields.get("message"))
        if HANGS.search(message):
            return likely("receiver-defect", f"the SDK's caller reports: {message[:120]}", observation.id, phase=STREAM)
    return None


def _old_sdk(subject: Subject) -> Claim | None:
    """Keep an SDK in mind whose faults with session ids, webinars and webhooks were mended later."""
    failure = subject.flow.failure
    if failure is None or failure.origin != "sdk":
        return None
    version = reading.version(failure.observation.fields.get("version"))
    if not version or version >= MENDED:
        return None
    reason = f"the SDK is {reading.text(failure.observation.fields.get('version'))}; 1.0.3 mends faults of joining"
    return possible("receiver-defect", reason, *seen(failure.observation), phase=STREAM)


def _formula(subject: Subject) -> Claim | None:
    """Compare a stated formula for the signature with the documented one."""
    situation, fact = subject.situation, "receiver.signature_formula"
    stated = situation.value(fact)
    if not isinstance(stated, str) or is_right_formula(stated) or subject.flow.joined:
        return None
    make = likely if subject.flow.existed else possible
    reason = f"the signature is said to be made of {stated[:100]}, not of client id, meeting uuid and stream id"
    return make("receiver-defect", reason, *situation.evidence(fact), phase=STREAM)


def is_right_formula(formula: str) -> bool:
    """Whether a formula names client id, meeting uuid and stream id in this order, joined by commas."""
    found = re.search(r"client.?_?id.*(?:uuid|session|engagement|meeting).*stream", formula, re.IGNORECASE | re.DOTALL)
    return bool(found) and ":" not in formula.replace("'", '"').replace('","', "").replace('":"', ":")


def _closed(subject: Subject) -> Claim | None:
    """Keep a defect in mind where the peer closed the socket without a word."""
    failure = subject.flow.failure
    if failure is None:
        return None
    if not failure.was_hung_up_on and failure.code != PEER_CLOSED:
        return None
    return possible("receiver-defect", _words(failure.observation), *seen(failure.observation), phase=STREAM)


def _unasked(subject: Subject) -> Claim | None:
    """Read that Zoom's SDK passed signaling and asked for no medium: so it does without a media callback (measured)."""
    flow, failure = subject.flow, subject.flow.failure
    passed = [j.observation for j in flow.joins if j.origin == "signaling" and j.succeeded]
    whole = any(SDK_AGENT in reading.request(observation) for observation in passed)
    asked = any(join.origin == "media" for join in flow.joins)
    if failure is None or failure.code != PEER_CLOSED or not whole or asked:
        return None
    reason = "signaling was accepted, no media socket was opened, and the join ended with 960: no media callback"
    return likely("receiver-defect", reason, *seen(*passed[:1], failure.observation), phase=STREAM)


def _words(observation: Observation) -> str:
    if observation.kind is Kind.SDK:
        return (
            "the peer closed the socket before the join was done, as it also does where no media callback is registered"
        )
    return "the socket was closed without an answer, as it is where the message is malformed or its answer is not read"
