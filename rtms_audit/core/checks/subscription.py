"""The event subscription of this environment has the RTMS events, the right address and a valid secret token.

Why it matters: the events are chosen per subscription, the address is validated again every 72 hours and dropped
after six failures, and the secret token that signs webhooks is not the client secret.

Remedy: look at the subscription of this environment and validate its address again.

Source: https://developers.zoom.us/docs/api/webhooks (2026-02), https://developers.zoom.us/docs/api/rtms/events/
"""

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible
from rtms_audit.core.checks.endpoint import delivery_log
from rtms_audit.core.model import Kind, Observation

CAUSES = ("webhook-misconfigured",)
UNREACHED = (-1, -2, -4, -13, -15)
"""Zoom's internal delivery codes for an address it could not reach: developers.zoom.us/docs/api/webhooks."""


def decide(subject: Subject) -> Answer:
    """Read signatures, validations, Zoom's delivery log, and what people say of the subscription."""
    situation = subject.situation
    verified = [o for o in situation.own if o.fields.get("signature") == "verified" and "rtms" in reading.event_name(o)]
    since = situation.own[situation.own.index(verified[-1]) + 1 :] if verified else situation.own
    claims = [] if subject.flow.joined else [c for o in reversed(since) if (c := _seen(o))][:1]
    claims += _log(subject) + _stated(subject)
    if verified:
        fine = "RTMS webhooks reach the endpoint and their signature is right"
        return answer(claims, "", fine=fine, evidence=[verified[-1].id])
    if subject.awaited and not claims:
        reason = "whether the subscription of this environment has the RTMS events and a valid address is not known"
        claims.append(possible("webhook-misconfigured", reason))
    return answer(claims, "the event subscription is not known")


def _seen(observation: Observation) -> Claim | None:
    """Read a webhook whose signature our side refused, or a validation that was not answered well."""
    if observation.kind is not Kind.WEBHOOK:
        return None
    answered = as_int(observation.fields.get("answered"))
    if observation.fields.get("signature") == "rejected":
        reason = "the receiver refuses the signature: its secret token is not that of this subscription"
        return likely("webhook-misconfigured", reason, observation.id, phase=STREAM)
    if reading.event_name(observation) == "endpoint.url_validation" and answered and answered not in (200, 204):
        return likely("webhook-misconfigured", f"the validation of the address was answered {answered}", observation.id)
    return None


def _log(subject: Subject) -> list[Claim]:
    """Read Zoom's own delivery log for events whose address could not be reached or was not found."""
    for observation, status in delivery_log(subject):
        if status in UNREACHED or status in (404, 410):
            reason = f"Zoom's delivery log says {status} for the RTMS event"
            return [(confirmed if status in (404, 410) else likely)("webhook-misconfigured", reason, observation.id)]
    return []


def _stated(subject: Subject) -> list[Claim]:
    situation, flow = subject.situation, subject.flow
    if flow.existed:
        return []
    claims = []
    if situation.word("app.webhook_validated") == "false":
        reason = "the address of the event subscription is said not to be validated"
        claims.append(likely("webhook-misconfigured", reason, *situation.evidence("app.webhook_validated")))
    events = situation.value("app.events")
    if isinstance(events, list) and not any("rtms_started" in str(event) for event in events):
        reason = "no rtms_started event is among the events that the app is said to subscribe to"
        claims.append(likely("webhook-misconfigured", reason, *situation.evidence("app.events")))
    return claims
