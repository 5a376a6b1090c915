"""The rules of inference, in one place: what claims of the checks become causes, and how sure they may be.

1.  A cause is confirmed only where machine evidence names it: Zoom's own answer, or a fix that worked.
2.  A stream that came rules out what would have prevented it. What is seen of the grant after the stream stays.
3.  What a check shows to be in order is ruled out, with the evidence that shows it.
4.  Of several claims for one cause the strongest speaks; their evidence is kept together.
5.  Among causes of one certainty the earlier link of the causal chain leads. Where nothing singles a cause out, the
    usual suspects stand in the order in which they are found out to be right.
6.  A join reason other than 0 is no success; a stop reason speaks of the stream and not of the account; the absence of
    an event counts only in a watched window with a running meeting; verified webhooks say nothing about the client
    secret; evidence of one environment says nothing about the other. These live in the reading of attempts and in the
    checks, and are tested there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rtms_audit.core.causes import CAUSES, RANK
from rtms_audit.core.checks.check import START, Answer, Check, Claim, Subject
from rtms_audit.core.model import Kind, Observation
from rtms_audit.core.situation import merged
from rtms_audit.core.verdicts import Cause, RuledOut, Status, Verdict

OF_THE_GRANT = ("token-dead", "app-disabled", "client-invalid")
"""Causes that can come true after a stream, and then matter for the next one."""

PREVENTING = (
    "install-missing",
    "app-not-distributed",
    "entitlement-missing",
    "plan-unsupported",
    "account-not-verified",
    "sharing-off",
    "app-not-allowed",
    "not-triggered",
    "starter-not-installed",
    "starter-not-permitted",
    "host-approval-pending",
    "host-denied",
    "host-policy",
    "client-too-old",
    "concurrency-limit",
)
"""Causes that would have kept a stream from coming at all."""

USUAL = (
    "not-triggered",
    "sharing-off",
    "app-not-allowed",
    "app-not-distributed",
    "host-approval-pending",
    "host-policy",
    "account-not-verified",
    "starter-not-installed",
    "starter-not-permitted",
    "webhook-misconfigured",
    "entitlement-missing",
    "plan-unsupported",
    "client-too-old",
)
"""The order of merely possible causes: what is asked first of a silent account (inference from https://devforum.zoom.us/t/142247)."""


def weigh(subject: Subject, answers: Mapping[Check, Answer]) -> tuple[tuple[Cause, ...], tuple[RuledOut, ...]]:
    """Return the causes, strongest first, and those that are ruled out, from the answers of all checks."""
    claims = [_capped(claim, subject) for answer in answers.values() for claim in answer.claims]
    dropped = [claim for claim in claims if _is_overtaken(claim, subject)]
    kept = [claim for claim in claims if claim not in dropped]
    causes = sorted((_cause(group) for group in _by_cause(kept)), key=_place)
    standing = {cause.id for cause in causes}
    ruled_out = [*_by_stream(subject), *_by_checks(answers)]
    unique = {found.id: found for found in reversed(ruled_out) if found.id not in standing}
    return tuple(causes), tuple(sorted(unique.values(), key=lambda found: RANK[found.id]))


def _capped(claim: Claim, subject: Subject) -> Claim:
    """Rule 1: lower a confirmation that only statements, or a question of what if, carry."""
    if claim.status is not Status.CONFIRMED or any(o.id in claim.evidence for o in _machine(subject)):
        return claim
    return replace(claim, status=Status.LIKELY)


def _machine(subject: Subject) -> Iterable[Observation]:
    return (o for o in subject.situation.own if o.kind is not Kind.STATEMENT)


def _is_overtaken(claim: Claim, subject: Subject) -> bool:
    """Rule 2: whether the stream that came disproves a claim about why none would."""
    if claim.phase != START or not subject.flow.existed or CAUSES[claim.cause].category == "ordinary":
        return False
    return claim.cause not in OF_THE_GRANT or not _is_later(claim, subject)


def _is_later(claim: Claim, subject: Subject) -> bool:
    """Whether the evidence of a claim was seen after the latest attempt began."""
    begin = subject.situation.attempt.begins if subject.situation.attempt else None
    seen = [o.at for o in subject.situation.own if o.id in claim.evidence and o.at]
    return begin is not None and bool(seen) and max(seen) >= begin


def _by_cause(claims: Iterable[Claim]) -> list[list[Claim]]:
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.cause, []).append(claim)
    return list(groups.values())


def _cause(claims: list[Claim]) -> Cause:
    """Rule 4."""
    strongest = max(claims, key=lambda claim: claim.status.strength)
    info = CAUSES[strongest.cause]
    evidence = merged([strongest.evidence, *(claim.evidence for claim in claims)])
    return Cause(info.id, info.category, strongest.status, strongest.reason, evidence, info.remedy, info.source)


def _place(cause: Cause) -> tuple[int, int, int]:
    """Rule 5: a possible cause with evidence of its own leads the usual suspects; a plan alone is no evidence."""
    if cause.status is not Status.POSSIBLE:
        return -cause.status.strength, 0, RANK[cause.id]
    shown = bool(cause.evidence) and cause.id != "plan-unsupported"
    usual = USUAL.index(cause.id) if cause.id in USUAL else len(USUAL)
    return -cause.status.strength, 0 if shown else 1, RANK[cause.id] if shown else usual


def _by_stream(subject: Subject) -> list[RuledOut]:
    flow = subject.flow
    shown = flow.announced or (flow.joins[0].observation if flow.joins else flow.stop)
    if shown is None or not (flow.has_address or flow.joins):
        return []
    reason = "a stream came for this install, which this would have prevented"
    return [RuledOut(cause, reason, (shown.id,)) for cause in PREVENTING]


def _by_checks(answers: Mapping[Check, Answer]) -> list[RuledOut]:
    """Rule 3."""
    return [
        RuledOut(cause, answer.reason, answer.evidence)
        for check, answer in answers.items()
        if answer.verdict is Verdict.ALLOWS
        for cause in check.causes
    ]
