"""Judging: all checks on every install, their claims weighed, and the answer in one record."""

from collections.abc import Iterable, Mapping, Sequence

from rtms_audit.core import flow as flows
from rtms_audit.core import reading
from rtms_audit.core.casebook import Casebook, arrange
from rtms_audit.core.checks import CHECKS
from rtms_audit.core.checks.check import Answer, Check, Subject
from rtms_audit.core.contradictions import contradictions
from rtms_audit.core.hypotheses import hypotheses
from rtms_audit.core.model import Case, InstallKey, Plan
from rtms_audit.core.outcome import outcome
from rtms_audit.core.questions import next_steps
from rtms_audit.core.situation import Situation, gather
from rtms_audit.core.timeline import timeline
from rtms_audit.core.verdicts import (
    Category,
    Cause,
    Decision,
    Diagnosis,
    Fact,
    Known,
    Outcome,
    Status,
    Unknown,
    Verdict,
    leading,
)
from rtms_audit.core.weighing import weigh
from rtms_audit.errors import ExitCode


def diagnose_case(case: Case, *, checks: Sequence[Check] = CHECKS) -> tuple[Diagnosis, ...]:
    """Return the diagnosis of every install of a case, in the order of the case."""
    book = arrange(case)
    return tuple(diagnose(case, install.key, checks=checks, book=book) for install in case.installs)


def diagnose(
    case: Case,
    key: InstallKey,
    *,
    overrides: Mapping[str, object] | None = None,
    checks: Sequence[Check] = CHECKS,
    book: Casebook | None = None,
) -> Diagnosis:
    """Return the diagnosis of one install; `overrides` are facts to judge by whatever was seen (what if).

    `book` is the case arranged, which whoever asks for many installs makes once. Raises KeyError where the case has no
    such install. A check that crashes is an ERROR on its own row.
    """
    situation = gather(case, key, overrides, book=book)
    subject = Subject(situation, flows.read(situation))
    answers = {check: _ask(check, subject) for check in checks}
    causes, ruled_out = weigh(subject, answers)
    happened = outcome(subject, causes)
    ran = happened is Outcome.STARTED
    plan, plan_reason = _plan(situation)
    found = contradictions(subject)
    return Diagnosis(
        install=key,
        plan=plan,
        plan_reason=plan_reason,
        outcome=happened,
        summary=_summary(happened, causes),
        causes=causes,
        ruled_out=ruled_out,
        next=next_steps(
            situation,
            causes,
            ran=ran,
            announced=subject.flow.existed,
            disputed={contradiction.fact for contradiction in found},
        ),
        decisions=tuple(_decision(check, answer) for check, answer in answers.items()),
        hypotheses=hypotheses(happened, causes, ruled_out),
        timeline=timeline(situation.own),
        contradictions=found,
        facts=_facts(subject),
    )


def exit_code(diagnoses: Iterable[Diagnosis]) -> ExitCode:
    """Return the exit code of a run: broken check, unexplained, blocked, incomplete, or all started; worst first."""
    codes = {_code(diagnosis) for diagnosis in diagnoses}
    order = (ExitCode.BROKEN, ExitCode.UNEXPLAINED, ExitCode.BLOCKED, ExitCode.INCOMPLETE, ExitCode.OK)
    return next((code for code in order if code in codes), ExitCode.INCOMPLETE)


def _code(diagnosis: Diagnosis) -> ExitCode:
    if any(decision.verdict is Verdict.ERROR for decision in diagnosis.decisions):
        return ExitCode.BROKEN
    if diagnosis.outcome is Outcome.STARTED:
        return ExitCode.OK
    faults = [c.status for c in diagnosis.causes if c.category is not Category.ORDINARY]
    if diagnosis.contradictions and Status.CONFIRMED not in faults:
        return ExitCode.UNEXPLAINED
    if Status.CONFIRMED in faults or Status.LIKELY in faults:
        return ExitCode.BLOCKED
    if diagnosis.outcome in (Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED):
        return ExitCode.INCOMPLETE
    return ExitCode.UNEXPLAINED


def _ask(check: Check, subject: Subject) -> Answer:
    """Ask a check; a crash is a defect of the tool and stands on the check's own row."""
    try:
        return check.decide(subject)
    except Exception as error:  # noqa: BLE001
        return Answer(Verdict.ERROR, f"the check itself failed ({type(error).__name__}: {error}); please report it")


def _decision(check: Check, answer: Answer) -> Decision:
    return Decision(check.id, check.title, answer.verdict, answer.reason, answer.evidence)


def _plan(situation: Situation) -> tuple[Plan, str]:
    shown = situation.plan
    if isinstance(shown, Known):
        return situation.effective_plan, f"shown by {', '.join(shown.evidence)}"
    why = shown.why if isinstance(shown, Unknown) else ""
    if situation.believed_plan is not Plan.UNKNOWN:
        return situation.believed_plan, f"believed, not shown: {why}"
    return Plan.UNKNOWN, why


_HAPPENED = {
    Outcome.STARTED: "RTMS started",
    Outcome.STOPPED_EARLY: "a stream came and failed",
    Outcome.NOT_STARTED: "RTMS did not start",
    Outcome.NOT_ATTEMPTED: "nothing would have started RTMS",
    Outcome.DEGRADED: "RTMS ran, but part of the media never came",
    Outcome.UNKNOWN: "whether RTMS would start is not known",
}


def _summary(happened: Outcome, causes: Sequence[Cause]) -> str:
    """Return one sentence: what happened, and the leading cause with its certainty."""
    first = leading(causes)
    if first is None:
        return f"{_HAPPENED[happened]}."
    if happened is Outcome.STARTED and first.status.strength == 1:
        return f"{_HAPPENED[happened]}."
    return f"{_HAPPENED[happened]}; {first.status}: {first.reason}."


def _facts(subject: Subject) -> dict[str, Fact]:
    """Return the facts for comparing installs: stated, shown, and those of the latest attempt."""
    situation, flow = subject.situation, subject.flow
    failure = flow.failure
    shown: dict[str, Fact] = {
        "account.plan": Known(str(situation.effective_plan)),
        "install.status": Known(str(situation.install.status)),
        "install.environment": Known(str(situation.key.environment)),
    }
    if situation.distribution:
        shown["app.distribution"] = Known(str(situation.distribution))
    if situation.is_owner is not None:
        shown["account.owns_app"] = Known(situation.is_owner)
    if flow.trigger:
        shown["trigger"] = Known(flow.trigger, flow.trigger_evidence)
    if flow.stop_reason is not None and flow.stop:
        shown["stream.stop_reason"] = Known(flow.stop_reason, (flow.stop.id,))
    if failure is not None:
        shown["stream.join"] = Known(_failure(failure), (failure.observation.id,))
    elif flow.joins:
        shown["stream.join"] = Known("accepted", (flow.joins[0].observation.id,))
    if flow.announced:
        shown["stream.announced"] = Known(value=True, evidence=(flow.announced.id,))
    if flow.refused:
        shown["start.code"] = Known(flow.refused[0].code or flow.refused[0].status, (flow.refused[1].id,))
    elif flow.accepted:
        shown["start.code"] = Known(reading.http_status(flow.accepted), (flow.accepted.id,))
    return dict(situation.facts) | shown


def _failure(join: flows.Join) -> str:
    if join.code is not None:
        return f"{join.origin} {join.code}"
    return f"{join.origin} closed {join.closed}" if join.closed is not None else f"{join.origin} failed"
