"""The matrix in its two layouts: accounts × environments, and installs × links of the causal chain."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rtms_audit.core.model import Environment, InstallKey, Plan
from rtms_audit.core.verdicts import Category, Decision, Diagnosis, Outcome

Mark = Literal["ok", "warn", "bad", "none"]
"""How a cell is to be shown: it started, nobody knows or it is degraded, it failed, there is no install."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One account × environment; without an install both `install` and `diagnosis` are None."""

    install: InstallKey | None
    diagnosis: Diagnosis | None
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class PivotRow:
    """One account with a cell per environment."""

    account: str
    plan: Plan
    cells: Mapping[Environment, Cell]


@dataclass(frozen=True, slots=True)
class Pivot:
    """Accounts × environments, grouped by plan: pairs of title and rows, free accounts first."""

    environments: tuple[Environment, ...]
    groups: tuple[tuple[str, tuple[PivotRow, ...]], ...]


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One install with the decision of each check by its id."""

    install: InstallKey
    cells: Mapping[str, Decision]


@dataclass(frozen=True, slots=True)
class Requirements:
    """Installs × links of the causal chain; `checks` are pairs of id and title in causal order."""

    checks: tuple[tuple[str, str], ...]
    rows: tuple[RequirementRow, ...]


NO_INSTALL = Cell(None, None, "no install", "none")
_MARKS: Mapping[Outcome, Mark] = {
    Outcome.STARTED: "ok",
    Outcome.DEGRADED: "warn",
    Outcome.UNKNOWN: "warn",
    Outcome.NOT_ATTEMPTED: "warn",
    Outcome.NOT_STARTED: "bad",
    Outcome.STOPPED_EARLY: "bad",
}


def pivot(diagnoses: Iterable[Diagnosis]) -> Pivot:
    """Return accounts × environments; development and production always have a column, unknown where it is used."""
    found = list(diagnoses)
    used = {d.install.environment for d in found}
    shown = (Environment.DEVELOPMENT, Environment.PRODUCTION)
    environments = shown + ((Environment.UNKNOWN,) if Environment.UNKNOWN in used else ())
    accounts: dict[str, list[Diagnosis]] = {}
    for diagnosis in found:
        accounts.setdefault(diagnosis.install.account, []).append(diagnosis)
    rows = [_row(account, group, environments) for account, group in accounts.items()]
    titled = (
        ("free", [row for row in rows if row.plan is Plan.FREE]),
        ("paid", [row for row in rows if row.plan.is_paid]),
        ("plan not known", [row for row in rows if row.plan is Plan.UNKNOWN]),
    )
    return Pivot(environments, tuple((title, tuple(group)) for title, group in titled if group))


def requirements(diagnoses: Iterable[Diagnosis]) -> Requirements:
    """Return installs × checks."""
    found = list(diagnoses)
    checks = tuple((d.check, d.title) for d in found[0].decisions) if found else ()
    rows = tuple(RequirementRow(one.install, {d.check: d for d in one.decisions}) for one in found)
    return Requirements(checks, rows)


def _row(account: str, group: Sequence[Diagnosis], environments: Iterable[Environment]) -> PivotRow:
    cells = {d.install.environment: _cell(d) for d in group}
    plan = next((d.plan for d in group if d.plan is not Plan.UNKNOWN), Plan.UNKNOWN)
    return PivotRow(account, plan, {e: cells.get(e, NO_INSTALL) for e in environments})


def _cell(diagnosis: Diagnosis) -> Cell:
    return Cell(diagnosis.install, diagnosis, _text(diagnosis), _MARKS[diagnosis.outcome])


def _text(diagnosis: Diagnosis) -> str:
    """Return the outcome, and the causes that lead: those that are sure, else that several fit."""
    word = str(diagnosis.outcome)
    sure = [c for c in diagnosis.causes if c.status.strength > 1 and c.category is not Category.ORDINARY]
    if sure:
        others = f", {sure[1].id}" if len(sure) > 1 and sure[1].status is sure[0].status else ""
        return f"{word}: {sure[0].id} ({sure[0].status}){others}"
    if diagnosis.outcome is Outcome.STARTED or not diagnosis.causes:
        return word
    named = ", ".join(cause.id for cause in diagnosis.causes[:3])
    return f"{word}; possible: {named}{' and others' if len(diagnosis.causes) > 3 else ''}"
