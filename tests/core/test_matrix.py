"""The matrix in its two layouts."""

from collections.abc import Callable

import pytest

from rtms_audit.core.checks import CHECKS
from rtms_audit.core.diagnosis import diagnose_case
from rtms_audit.core.matrix import NO_INSTALL, pivot, requirements
from rtms_audit.core.model import Case, Environment
from rtms_audit.core.verdicts import Diagnosis, Verdict

CaseOf = Callable[..., Case]
Judge = Callable[..., Diagnosis]
DEVELOPMENT, PRODUCTION, UNKNOWN = Environment.DEVELOPMENT, Environment.PRODUCTION, Environment.UNKNOWN


def test_accounts_stand_by_plan_and_environment(case_of: CaseOf) -> None:
    """Free accounts first, then paid ones, then the others; an environment that is not installed says so."""
    names = [("a", "production"), ("b", "development"), ("b", "production"), ("c", "production")]
    installs = [{"account": account, "environment": environment} for account, environment in names]
    case = case_of(installs=installs, accounts={"b": {"plan": "free"}, "a": {"plan": "pro"}})
    found = pivot(diagnose_case(case))
    assert found.environments == (DEVELOPMENT, PRODUCTION)
    assert [(title, [row.account for row in rows]) for title, rows in found.groups] == [
        ("free", ["b"]),
        ("paid", ["a"]),
        ("plan not known", ["c"]),
    ]
    (_, (row,)) = found.groups[1]
    assert row.cells[DEVELOPMENT] == NO_INSTALL
    assert str(row.cells[PRODUCTION].install) == "a/production"


def test_an_unknown_environment_has_a_column_where_it_is_used(judge: Judge) -> None:
    """It is left out otherwise."""
    assert pivot([judge(environment="unknown")]).environments == (DEVELOPMENT, PRODUCTION, UNKNOWN)
    assert pivot([]).groups == ()


@pytest.mark.parametrize(
    ("observations", "text", "mark"),
    [
        (["started", "join 0", "stopped 6"], "started", "ok"),
        (["started", "join 0", "stopped 3"], "started: starter-absent (likely)", "ok"),
        (["start 13267"], "not-started: sharing-off (likely)", "bad"),
        (["started", "stopped 18"], "stopped-early: credentials-mismatch (likely)", "bad"),
        (["silent"], "unknown; possible: not-triggered, sharing-off, app-not-allowed and others", "warn"),
        ([], "unknown", "warn"),
        ([{"trigger": "none"}], "not-attempted: not-triggered (likely)", "warn"),
        (["started", "join 504"], "stopped-early: receiver-network (likely)", "bad"),
        (["started", "join 0", {"media.received": False}], "degraded; possible: media-not-configured", "warn"),
    ],
)
def test_a_cell_says_what_happened_and_why(judge: Judge, observations: list[object], text: str, mark: str) -> None:
    """The outcome with the causes that are sure, else those that fit; a mark for the eye."""
    (_, (row,)) = pivot([judge(*observations)]).groups[0]
    assert (row.cells[PRODUCTION].text, row.cells[PRODUCTION].mark) == (text, mark)


def test_two_causes_of_one_certainty_stand_together(judge: Judge) -> None:
    """Neither is hidden behind the other."""
    found = judge({"setting.share_realtime_content": "off"}, {"setting.app_allowed": False}, "silent")
    (_, (row,)) = pivot([found]).groups[0]
    assert row.cells[PRODUCTION].text.endswith("sharing-off (likely), app-not-allowed")


def test_requirements_hold_the_decision_of_each_check(judge: Judge) -> None:
    """One row per install, one column per link of the chain, in causal order."""
    found = requirements([judge("start 13267")])
    assert [id_ for id_, _ in found.checks] == [check.id for check in CHECKS]
    assert found.rows[0].cells["sharing"].verdict is Verdict.BLOCKS
    assert requirements([]).rows == ()
