"""The four explanations that people argue about, and how each stands for one install."""

from collections.abc import Iterable, Mapping

from rtms_audit.core.verdicts import Category, Cause, Hypothesis, HypothesisStatus, Outcome, RuledOut

_GROUPS: tuple[tuple[str, str, frozenset[str]], ...] = (
    (
        "authentication",
        "authentication",
        frozenset(("credentials-mismatch", "credentials-missing", "token-dead", "client-invalid")),
    ),
    ("entitlement", "entitlement or plan", frozenset(("entitlement-missing", "plan-unsupported"))),
    ("environments", "development/production interaction", frozenset(("environment-mixed",))),
    ("service", "RTMS service", frozenset(("zoom-internal",))),
)
_ENTITLEMENT_TOO = frozenset(("concurrency-limit", "account-not-verified"))


def hypotheses(outcome: Outcome, causes: Iterable[Cause], ruled_out: Iterable[RuledOut]) -> tuple[Hypothesis, ...]:
    """Return the four hypotheses with their status and the reason for it."""
    standing = {cause.id: cause for cause in causes}
    excluded = {found.id: found for found in ruled_out}
    return tuple(_judge(named, standing, excluded, outcome) for named in _GROUPS)


def _judge(
    named: tuple[str, str, frozenset[str]],
    standing: Mapping[str, Cause],
    excluded: Mapping[str, RuledOut],
    outcome: Outcome,
) -> Hypothesis:
    id_, title, group = named
    wider = group | (_ENTITLEMENT_TOO if id_ == "entitlement" else frozenset())
    found = [cause for cause in standing.values() if cause.id in wider]
    if found:
        strongest = max(found, key=lambda cause: cause.status.strength)
        return Hypothesis(id_, title, HypothesisStatus(strongest.status), strongest.reason)
    mismatch = standing.get("credentials-mismatch")
    if id_ == "environments" and mismatch and outcome is not Outcome.STARTED:
        reason = "a pair of the other environment is one way to a wrong signature; nothing seen shows which pair signed"
        return Hypothesis(id_, title, HypothesisStatus.POSSIBLE, reason)
    out = [excluded[cause] for cause in sorted(group) if cause in excluded]
    if len(out) == len(group) or (id_ == "authentication" and "credentials-mismatch" in excluded):
        return Hypothesis(id_, title, HypothesisStatus.RULED_OUT, out[0].reason)
    if outcome is Outcome.STARTED:
        return Hypothesis(id_, title, HypothesisStatus.RULED_OUT, "the stream ran")
    blamed = [c for c in standing.values() if c.status.strength > 1 and c.category is not Category.ORDINARY]
    reason = (
        f"nothing seen speaks for it; {blamed[0].id} is {blamed[0].status}" if blamed else "nothing seen decides it"
    )
    return Hypothesis(id_, title, HypothesisStatus.OPEN, reason)
