"""A diagnosis as a JSON-like record, in the shape `rtms-audit/diagnosis@1` that scripts may rely on."""

from rtms_audit.core.verdicts import Cause, Diagnosis, Fact, Known, NotApplicable

Record = dict[str, object]


def diagnosis_record(diagnosis: Diagnosis) -> Record:
    """Return one record of `installs`: texts, numbers, lists and dicts only."""
    return {
        "install": diagnosis.label or str(diagnosis.install),
        "account": diagnosis.install.account,
        "environment": str(diagnosis.install.environment),
        "plan": str(diagnosis.plan),
        "plan_reason": diagnosis.plan_reason,
        "outcome": str(diagnosis.outcome),
        "summary": diagnosis.summary,
        "causes": [_cause(cause) for cause in diagnosis.causes],
        "ruled_out": [{"id": r.id, "reason": r.reason, "evidence": list(r.evidence)} for r in diagnosis.ruled_out],
        "next": [{"fact": step.fact, "how": step.how, "who": step.who} for step in diagnosis.next],
        "hypotheses": [
            {"id": h.id, "title": h.title, "status": str(h.status), "reason": h.reason} for h in diagnosis.hypotheses
        ],
        "checks": [
            {
                "id": d.check,
                "title": d.title,
                "verdict": str(d.verdict),
                "reason": d.reason,
                "evidence": list(d.evidence),
            }
            for d in diagnosis.decisions
        ],
        "contradictions": [
            {"fact": c.fact, "text": c.text, "evidence": list(c.evidence)} for c in diagnosis.contradictions
        ],
        "timeline": [
            {
                "id": e.id,
                "at": e.at.isoformat().replace("+00:00", "Z") if e.at else None,
                "text": e.text,
                "reading": e.reading,
                "source": e.source,
            }
            for e in diagnosis.timeline
        ],
        "facts": {name: _fact(fact) for name, fact in sorted(diagnosis.facts.items())},
    }


def _cause(cause: Cause) -> Record:
    return {
        "id": cause.id,
        "category": str(cause.category),
        "status": str(cause.status),
        "reason": cause.reason,
        "evidence": list(cause.evidence),
        "remedy": {"who": cause.remedy.who, "what": cause.remedy.what, "where": cause.remedy.where},
        "source": list(cause.source),
    }


def _fact(fact: Fact) -> Record:
    if isinstance(fact, Known):
        return {"state": "known", "value": fact.value, "evidence": list(fact.evidence)}
    return {"state": "not-applicable" if isinstance(fact, NotApplicable) else "unknown", "why": fact.why}
