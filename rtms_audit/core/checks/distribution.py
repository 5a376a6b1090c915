"""The app's environment is shared with this account.

Why it matters: a private or development app works for users of its owner's account only. Outside, the install is
refused or nothing ever comes; sharing it outside, listed or not, needs Zoom's review.

Remedy: share production as a beta or publish it, and install that environment.

Source: https://developers.zoom.us/docs/rtms/meetings/submit-app-review,
https://developers.zoom.us/docs/platform/key-concepts, https://devforum.zoom.us/t/143827 (2026-06)
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import Answer, Subject, answer, does_not_apply, likely, possible, seen
from rtms_audit.core.model import Distribution, Environment, Kind, Observation

CAUSES = ("app-not-distributed",)
NOT_REVIEWED = 40316
"""What `startRTMS` answers in an app that is not reviewed yet (community, 2026)."""


def decide(subject: Subject) -> Answer:
    """Weigh owner, environment and distribution, and Zoom's own words on an unapproved app."""
    situation = subject.situation
    told = _told(situation.own)
    if told:
        return answer([likely("app-not-distributed", *_sentence(told))], "")
    if situation.is_owner:
        return does_not_apply(f"{situation.key.account} owns the app, so the app need not be shared with it")
    distribution = situation.distribution
    private = distribution is Distribution.PRIVATE or (
        distribution is None and situation.key.environment is Environment.DEVELOPMENT
    )
    if distribution and not private:
        return answer([], f"the {situation.key.environment} app is said to be shared as {distribution}")
    if not subject.awaited and not situation.attempt_free:
        return answer([], "how far this environment is shared is not known")
    if private:
        return _private(subject, distribution)
    claims = [possible("app-not-distributed", "how far this environment is shared outside its owner is not known")]
    return answer(claims if subject.awaited else [], "how far this environment is shared is not known")


def _private(subject: Subject, distribution: Distribution | None) -> Answer:
    situation = subject.situation
    what = f"the {situation.key.environment} app is {distribution or 'private unless it was shared'}"
    evidence = (*situation.evidence("app.review"), *seen(subject.flow.watch))
    if situation.is_owner is None:
        reason = f"{what}, and whether {situation.key.account} owns it is not known"
        return answer([possible("app-not-distributed", reason, *evidence)] if subject.awaited else [], reason)
    reason = f"{what}, and {situation.key.account} is not {situation.app.owner}, which owns it"
    if subject.awaited:
        return answer([likely("app-not-distributed", f"{reason}; no event came", *evidence)], "")
    return answer([possible("app-not-distributed", reason, *evidence)], "")


def _told(own: tuple[Observation, ...]) -> Observation | None:
    """Find the latest words of Zoom that the app is not approved or reviewed."""
    for observation in reversed(own):
        if observation.kind is Kind.SDK and reading.reason(observation) == NOT_REVIEWED:
            return observation
        error = reading.refusal(observation) if observation.kind is Kind.OAUTH else None
        words = f"{error.message} {error.reason or ''} {error.error or ''}".lower() if error else ""
        if any(hint in words for hint in ("not approved", "not published", "cannot be added", "admin approval")):
            return observation
    return None


def _sentence(told: Observation) -> tuple[str, str]:
    if told.kind is Kind.SDK:
        return f"startRTMS answered {NOT_REVIEWED}, which apps meet that are not reviewed yet", told.id
    error = reading.refusal(told)
    return f"the install was refused: {error.message if error else 'not approved'}", told.id
