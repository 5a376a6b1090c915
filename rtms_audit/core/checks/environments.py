"""Each environment meets its own credentials, endpoint and client id only.

Why it matters: one app has two pairs, and streams, webhooks and settings are kept apart by client id. What one
environment shows says nothing of the other, unless a value of the one is seen to have met the other's install.

Remedy: give each environment's backend its own values, and no shared variables.

Source: https://developers.zoom.us/docs/build-flow/basic-info/app-credentials, https://github.com/zoom/rtms
(environment variables win over arguments; measured 2026-11)
"""

from rtms_audit.core import flow as flows
from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.flow import Join
from rtms_audit.core.model import Environment, Kind, Observation
from rtms_audit.core.situation import Situation

CAUSES = ("environment-mixed",)
AUTHENTICATION_FAILURE = 18
INVALID_SIGNATURE = 3
PEER_CLOSED = 960
FACT = "receiver.signing_environment"


def decide(subject: Subject) -> Answer:
    """Look for a value of the other environment at this install."""
    situation = subject.situation
    if situation.key.environment is Environment.UNKNOWN:
        return answer([], "the environment of this install is not known")
    found = (_handshakes(subject), _signing(subject), _receiver_id(subject), _start(situation), _webhook(subject))
    claims = [claim for claim in found if claim]
    own = [j for j in subject.flow.joins if j.succeeded and _client(j) == (situation.environment.client_id or object())]
    fine = "the pair of this environment was accepted"
    return answer(claims, "nothing shows a value of the other environment here", fine=fine, evidence=seen(*_of(own)))


def _handshakes(subject: Subject) -> Claim | None:
    """Read which pair signed: the other one, refused; or the other one accepted after this one was refused."""
    situation, joins = subject.situation, subject.flow.joins
    other = situation.other_client_id
    with_other = [join for join in joins if other and _client(join) == other]
    if not with_other:
        return None
    accepted = [join for join in with_other if join.succeeded]
    refused = [join for join in joins if _client(join) == situation.environment.client_id and _is_refused(join)]
    if accepted and refused:
        reason = (
            f"Zoom refused the pair of {situation.environment.client_id} and accepted that of {other} for this stream"
        )
        return confirmed("environment-mixed", reason, *seen(*_of(refused), *_of(accepted)), phase=STREAM)
    reason = f"the handshake was signed as {other}, the other environment's client id"
    if proof := swapped(subject):
        reason += (
            f"; as {situation.environment.client_id}, this environment's own, another stream of this install was joined"
        )
        return confirmed("environment-mixed", reason, *seen(*proof), phase=STREAM)
    if accepted:
        return likely(
            "environment-mixed",
            f"{reason}, and accepted: the stream is that environment's",
            *seen(*_of(accepted)),
            phase=STREAM,
        )
    make = likely if not subject.flow.joined else possible
    return make("environment-mixed", reason, *seen(*_of(with_other)), phase=STREAM)


def swapped(subject: Subject) -> list[Observation]:
    """Return the proof of a mix-up: the other pair failed here, and this environment's own worked at another time."""
    situation, other = subject.situation, subject.situation.other_client_id
    tries = [join for join in subject.flow.joins if join.origin == "signaling"]
    failed = [join for join in tries if other and _client(join) == other and _is_refused(join)]
    own = situation.environment.client_id
    if not failed or not own or any(_client(join) == own for join in tries):
        return []
    past = [join for attempt in situation.history for join in flows.read(situation, attempt).joins]
    worked = [join for join in past if join.succeeded and _client(join) == own]
    return _of([failed[-1], worked[-1]]) if worked else []


def _signing(subject: Subject) -> Claim | None:
    """Compare the environment whose pair is said to sign with that of the install."""
    situation = subject.situation
    said = situation.word(FACT)
    if said not in ("development", "production") or said == situation.key.environment or subject.flow.joined:
        return None
    reason = f"the receiver is said to sign with the {said} pair; this install is {situation.key.environment}"
    make = likely if _failed_authentication(subject) else possible
    return make("environment-mixed", reason, *situation.evidence(FACT), *seen(subject.flow.stop), phase=STREAM)


def _receiver_id(subject: Subject) -> Claim | None:
    situation = subject.situation
    used = situation.value("receiver.client_id")
    if not situation.other_client_id or used != situation.other_client_id or subject.flow.joined:
        return None
    reason = f"the receiver is said to use {used}, the other environment's client id"
    make = likely if subject.flow.existed else possible
    return make("environment-mixed", reason, *situation.evidence("receiver.client_id"), phase=STREAM)


def _start(situation: Situation) -> Claim | None:
    """Read a start call that names the other environment's client id."""
    calls = situation.attempt.start_calls if situation.attempt else []
    for call in reversed(calls):
        named = reading.mapping(reading.mapping(reading.request(call).get("body")).get("settings")).get("client_id")
        if named and named == situation.other_client_id:
            return likely(
                "environment-mixed", f"the start call names {named}, the other environment's client id", call.id
            )
    return None


def _webhook(subject: Subject) -> Claim | None:
    """Read an event that the other environment's secret token verified."""
    situation = subject.situation
    for event in reversed(situation.own):
        by = reading.text(event.fields.get("verified_with"))
        if (
            event.kind is Kind.WEBHOOK
            and "rtms" in reading.event_name(event)
            and by
            and by != situation.key.environment
        ):
            reason = f"the event was verified with the {by} secret token; this install is {situation.key.environment}"
            make = likely if _failed_authentication(subject) else possible
            return make("environment-mixed", reason, event.id, phase=STREAM)
    return None


def _failed_authentication(subject: Subject) -> bool:
    flow = subject.flow
    return flow.stop_reason == AUTHENTICATION_FAILURE or (flow.failure is not None and _is_refused(flow.failure))


def _is_refused(join: Join) -> bool:
    """Whether a join failed as one with a wrong pair does: status 3, or a socket that the peer closed."""
    return join.code in (INVALID_SIGNATURE, PEER_CLOSED) or join.was_hung_up_on


def _client(join: Join) -> object:
    return reading.request(join.observation).get("client_id")


def _of(joins: list[Join]) -> list[Observation]:
    return [join.observation for join in joins]
