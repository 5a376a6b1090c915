"""Two installs beside each other, two times beside each other, and one fact changed in thought."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rtms_audit.core import compare
from rtms_audit.core.compare import Change, Difference, Flip
from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.evidence_file import fact_value
from rtms_audit.core.model import Case, Environment, InstallKey, Plan
from rtms_audit.core.verdicts import Category, Cause, Diagnosis, Outcome, Remedy, Status
from rtms_audit.errors import UserError
from rtms_audit.workflows.audit import judge, known_case, parse_install, parse_time

if TYPE_CHECKING:
    from rtms_audit.store import Store


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two installs and the facts that differ between them, those that matter first."""

    left: Diagnosis
    right: Diagnosis
    differences: tuple[Difference, ...]


def contrast(case: Case, first: str, second: str) -> Contrast:
    """Compare two installs of a case, each named `account/environment`; UserError where one is not known."""
    left, right = (diagnose(case, parse_install(case, text)) for text in (first, second))
    return Contrast(left, right, compare.contrast(left, right))


def what_if(case: Case, account: str, values: Mapping[str, object]) -> tuple[Flip, ...]:
    """Judge a case as if facts of one account were other; UserError for an unknown account or an impossible value."""
    known = sorted({install.key.account for install in case.installs})
    if account not in known:
        raise UserError(
            f"no install of {account!r} is known",
            next_step=f"Name one of: {', '.join(known)}." if known else "Import evidence or install the app first.",
        )
    try:
        return compare.what_if(case, account, {key: fact_value(key, value) for key, value in values.items()})
    except ValueError as error:
        raise UserError(str(error), next_step="docs/evidence-files.md lists the values of each key.") from None


def diff_runs(
    store: "Store", app: str | None, before: str, after: str | None, *, clock: Callable[[], datetime]
) -> tuple[Change, ...]:
    """Compare two audits of an app; without `after`, one with what is known now.

    An audit is named by the number of a run that was kept, by `latest`, or by a time as `audit.parse_time` reads it:
    then what is known of that time is judged by the rules of today.
    """
    name = store.app(app).name
    now = judge(known_case(store, name)) if after is None else _audit(store, name, after, clock)
    return compare.diff(_audit(store, name, before, clock), now)


def _audit(store: "Store", app: str, text: str, clock: Callable[[], datetime]) -> tuple[Diagnosis, ...]:
    kept = {str(run.id): run.diagnoses_json for run in store.runs(app)}
    if text in kept:
        return read_run(kept[text])
    if text == "latest" and kept:
        return read_run(list(kept.values())[-1])
    if text == "latest" or re.fullmatch(r"\d{1,7}", text):
        raise UserError(
            f"there is no run {text}; " + (f"the runs of {app} are {_shown(list(kept))}" if kept else "none was kept"),
            next_step="`rtms-audit matrix` keeps a run each time it is called.",
        )
    return judge(known_case(store, app, as_of=parse_time(text, clock=clock)))


def read_run(text: str) -> tuple[Diagnosis, ...]:
    """Return the diagnoses of a run that was kept: install, plan, outcome and causes, which is what runs differ in."""
    return tuple(_diagnosis(record) for record in json.loads(text)["installs"])


def _diagnosis(record: Mapping[str, Any]) -> Diagnosis:
    return Diagnosis(
        install=InstallKey(record["account"], Environment(record["environment"])),
        plan=Plan(record["plan"]),
        plan_reason=record["plan_reason"],
        outcome=Outcome(record["outcome"]),
        summary=record["summary"],
        causes=tuple(_cause(cause) for cause in record["causes"]),
        ruled_out=(),
        next=(),
        decisions=(),
        hypotheses=(),
        timeline=(),
        contradictions=(),
        facts={},
    )


def _cause(record: Mapping[str, Any]) -> Cause:
    return Cause(
        id=record["id"],
        category=Category(record["category"]),
        status=Status(record["status"]),
        reason=record["reason"],
        evidence=tuple(record["evidence"]),
        remedy=Remedy(**record["remedy"]),
        source=tuple(record["source"]),
    )


def _shown(ids: list[str], most: int = 10) -> str:
    return ", ".join(ids) if len(ids) <= most else f"{ids[0]} to {ids[-1]}"
