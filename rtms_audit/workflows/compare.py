"""Two installs beside each other, two times beside each other, and one fact changed in thought."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rtms_audit.core import compare
from rtms_audit.core.compare import Change, Difference, Flip
from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.evidence_file import fact_value
from rtms_audit.core.model import Case
from rtms_audit.core.verdicts import Diagnosis
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
        raise UserError(f"no install of {account!r} is known", next_step=f"Name one of: {', '.join(known) or 'none'}.")
    return compare.what_if(case, account, {key: _checked(key, value) for key, value in values.items()})


def _checked(key: str, value: object) -> object:
    try:
        return fact_value(key, value)
    except ValueError as error:
        raise UserError(f"{key}={value}: {error}", next_step="docs/evidence-files.md lists the values.") from None


def diff_runs(
    store: "Store", app: str | None, before: str, after: str | None, *, clock: Callable[[], datetime]
) -> tuple[Change, ...]:
    """Compare what was known at two runs or times, both judged by the rules of today; without `after`, with now.

    A run is named by its number or `latest`; a time as `audit.parse_time` reads it.
    """
    name = store.app(app).name
    earlier = _judged(store, name, _moment(store, name, before, clock))
    return compare.diff(earlier, _judged(store, name, _moment(store, name, after, clock) if after else None))


def _judged(store: "Store", app: str, at: datetime | None) -> tuple[Diagnosis, ...]:
    return judge(known_case(store, app, as_of=at))


def _moment(store: "Store", app: str, text: str, clock: Callable[[], datetime]) -> datetime:
    runs = {str(run.id): run.at for run in store.runs(app)}
    if text in runs:
        return runs[text]
    if text == "latest" and runs:
        return list(runs.values())[-1]
    if text == "latest" or re.fullmatch(r"\d{1,7}", text):
        raise UserError(
            f"there is no run {text}"
            + (f"; the runs of {app} are {_shown(list(runs))}" if runs else "; none was kept"),
            next_step="`rtms-audit matrix` keeps a run each time it is called.",
        )
    return parse_time(text, clock=clock)


def _shown(ids: list[str], most: int = 10) -> str:
    return ", ".join(ids) if len(ids) <= most else f"{ids[0]} to {ids[-1]}"
