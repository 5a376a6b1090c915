"""The account's plan is one on which RTMS runs.

Why it matters: Zoom's sources disagree. Staff say that a host on a free account works when the Developer Pack is on
the app owner's account; the troubleshooting page lists Basic accounts under 2310 without saying whose. So a free
plan is never more than possible here.

Remedy: find out owner, sharing settings and trigger first; then ask Zoom.

Source: https://devforum.zoom.us/t/144455 (staff, 2026-06-26), https://devforum.zoom.us/t/142303 (staff,
2026-03-05), https://developers.zoom.us/docs/rtms/troubleshooting (2026-11)
"""

from rtms_audit.core.checks.check import Answer, Subject, answer, possible
from rtms_audit.core.model import Plan
from rtms_audit.core.verdicts import Known

CAUSES = ("plan-unsupported",)
REFUSED = 2310


def decide(subject: Subject) -> Answer:
    """Weigh the plan that evidence shows or somebody believes."""
    situation = subject.situation
    plan = situation.effective_plan
    shown = situation.plan
    evidence = shown.evidence if isinstance(shown, Known) else ()
    if plan is Plan.FREE:
        return _free(subject, evidence)
    if plan.is_paid:
        return answer([], f"the account is said to be {plan}", fine=f"Zoom showed a {plan} plan", evidence=evidence)
    return answer([], shown.why if not isinstance(shown, Known) else "the plan is not known")


def _free(subject: Subject, evidence: tuple[str, ...]) -> Answer:
    reason = f"{subject.situation.key.account} is free, and Zoom's sources disagree whether that matters"
    owns = subject.situation.is_owner is not False
    if subject.code == REFUSED and owns:
        reason = (
            f"Zoom answered 2310 and {subject.situation.key.account} is free; the page lists Basic accounts under 2310"
        )
        evidence = (*subject.refusal_evidence, *evidence)
    if subject.flow.refused and subject.code != REFUSED:
        return answer([], reason)
    return answer([possible("plan-unsupported", reason, *evidence)], reason)
