"""Comparing: two installs, two times, and what would be if one fact were another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rtms_audit.core.casebook import arrange
from rtms_audit.core.causes import CAUSES
from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.model import (
    Account,
    AppEnvironment,
    Case,
    Distribution,
    Install,
    InstallKey,
    InstallStatus,
    Plan,
)
from rtms_audit.core.verdicts import Diagnosis, Fact, Known


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that differs between two installs, None where one does not know it; `matters`: a cause asks for it."""

    fact: str
    left: Fact | None
    right: Fact | None
    matters: bool


@dataclass(frozen=True, slots=True)
class Change:
    """An install whose outcome or leading causes changed; None where it was not there."""

    install: InstallKey
    before: Diagnosis | None
    after: Diagnosis | None


@dataclass(frozen=True, slots=True)
class Flip:
    """An install whose diagnosis changes with the facts that were changed."""

    install: InstallKey
    before: Diagnosis
    after: Diagnosis


def contrast(a: Diagnosis, b: Diagnosis) -> tuple[Difference, ...]:
    """Return the facts that differ, those that a cause of either install asks for or rests on first."""
    telling = _telling(a) | _telling(b)
    names = sorted(set(a.facts) | set(b.facts))
    found = [Difference(n, a.facts.get(n), b.facts.get(n), n in telling) for n in names if _differs(a, b, n)]
    return tuple(sorted(found, key=lambda difference: (not difference.matters, difference.fact)))


def diff(before: Iterable[Diagnosis], after: Iterable[Diagnosis]) -> tuple[Change, ...]:
    """Return what changed between two audits."""
    old, new = ({d.install: d for d in group} for group in (before, after))
    keys = dict.fromkeys((*old, *new))
    return tuple(Change(k, old.get(k), new.get(k)) for k in keys if _said(old.get(k)) != _said(new.get(k)))


def what_if(case: Case, account: str, changes: Mapping[str, object]) -> tuple[Flip, ...]:
    """Judge again with facts of one account changed; return the installs whose answer flips.

    `install.status`, `account.plan` and `app.distribution` change what the case says; every other key replaces what was
    seen of that fact. ValueError for a value that such a key cannot have.
    """
    changed = _changed(case, account, changes)
    overrides = {key: value for key, value in changes.items() if key not in _CASE_KEYS}
    flips = []
    book, changed_book = arrange(case), arrange(changed)
    for install in case.installs:
        mine = overrides if install.key.account == account else _of_owner(case, account, overrides)
        before = diagnose(case, install.key, book=book)
        after = diagnose(changed, install.key, overrides=mine, book=changed_book)
        if _said(before) != _said(after):
            flips.append(Flip(install.key, before, after))
    return tuple(flips)


_CASE_KEYS = ("install.status", "account.plan", "app.distribution")


def _of_owner(case: Case, account: str, overrides: Mapping[str, object]) -> dict[str, object]:
    """Return the facts that count for every install, since they are facts of the app's owner."""
    counts = ("account.developer_pack", "account.rtms_enabled")
    return {key: value for key, value in overrides.items() if key in counts} if case.app.owner == account else {}


def _changed(case: Case, account: str, changes: Mapping[str, object]) -> Case:
    if "install.status" in changes:
        status = InstallStatus(str(changes["install.status"]))
        installs = tuple(Install(i.key, status) if i.key.account == account else i for i in case.installs)
        case = replace(case, installs=installs)
    if "account.plan" in changes:
        plan = Plan(str(changes["account.plan"]))
        case = replace(case, accounts={**case.accounts, account: Account(account, plan)})
    if "app.distribution" in changes:
        distribution = Distribution(str(changes["app.distribution"]))
        shared = {i.key.environment for i in case.installs if i.key.account == account}
        known = case.app.environments
        environments = {e: replace(known.get(e, AppEnvironment()), distribution=distribution) for e in shared}
        case = replace(case, app=replace(case.app, environments={**known, **environments}))
    return case


def _telling(diagnosis: Diagnosis) -> set[str]:
    """Return the facts that the causes ask for, and those whose evidence they rest on."""
    asked = {fact for cause in diagnosis.causes for fact in CAUSES[cause.id].asks}
    used = {id_ for cause in diagnosis.causes for id_ in cause.evidence}
    shown = {n for n, f in diagnosis.facts.items() if isinstance(f, Known) and used & set(f.evidence)}
    return asked | shown


def _differs(a: Diagnosis, b: Diagnosis, name: str) -> bool:
    left, right = a.facts.get(name), b.facts.get(name)
    if isinstance(left, Known) and isinstance(right, Known):
        return left.value != right.value
    return type(left) is not type(right)


def _said(diagnosis: Diagnosis | None) -> object:
    if diagnosis is None:
        return None
    return diagnosis.outcome, tuple((cause.id, cause.status) for cause in diagnosis.causes)
