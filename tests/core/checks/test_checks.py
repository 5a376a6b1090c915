"""Every check, asked about each line of its table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rtms_audit.core.causes import CAUSES
from rtms_audit.core.checks import CHECKS
from rtms_audit.core.checks.check import Check
from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.verdicts import Verdict

if TYPE_CHECKING:
    from tests.core.conftest import Entry

BY_ID = {check.id: check for check in CHECKS}
NEVER_MORE_THAN_POSSIBLE = {"plan-unsupported"}
"""Causes that no evidence makes likely, because Zoom's own sources disagree about them."""

CANNOT_ALLOW = {"app-type", "distribution", "connections", "concurrency", "ending"}
"""Checks of which no evidence shows the good state: only a fault can be shown."""


def test_a_check_says_what_its_table_says(entry: "Entry") -> None:
    """The verdict, each cause with its certainty, and where the table holds them the words and the evidence."""
    assert not entry.complaint(BY_ID[entry.check].decide(entry.subject))


def test_a_claim_stands_in_the_diagnosis_unless_it_is_overtaken(entry: "Entry") -> None:
    """Weighing keeps what a check found; only a stream that came drops what would have prevented it."""
    diagnosis = diagnose(entry.case, entry.case.installs[0].key)
    found = {cause.id: cause.status.strength for cause in diagnosis.causes}
    kept = {cause for cause, status in entry.causes.items() if found.get(cause, 0) >= status.strength}
    assert kept == (set() if entry.overtaken else set(entry.causes))


def test_a_check_names_the_values_it_saw(entry: "Entry") -> None:
    """A verdict has a reason, and one that blocks or allows has evidence, unless the plan or install itself says it."""
    answer = BY_ID[entry.check].decide(entry.subject)
    assert answer.reason
    assert answer.verdict is not Verdict.ALLOWS or answer.evidence
    assert all(claim.reason and claim.cause in BY_ID[entry.check].causes for claim in answer.claims)


def test_every_check_has_its_three(check: Check, table: list["Entry"]) -> None:
    """A table shows the link broken, unknown, and, where evidence can show that, whole."""
    blocks = Verdict.UNKNOWN if set(check.causes) <= NEVER_MORE_THAN_POSSIBLE else Verdict.BLOCKS
    wanted = {blocks, Verdict.UNKNOWN} | (set() if check.id in CANNOT_ALLOW else {Verdict.ALLOWS})
    assert wanted - {entry.verdict for entry in table} == set()
    assert any(not entry.causes and entry.verdict is Verdict.UNKNOWN for entry in table), "a near miss"


def test_every_cause_is_reached(all_tables: Mapping[str, list["Entry"]]) -> None:
    """Each cause is claimed by some table as likely at least, or as possible where it is never more."""
    reached: dict[str, int] = {}
    for table in all_tables.values():
        for entry in table:
            for cause, status in entry.causes.items():
                reached[cause] = max(reached.get(cause, 0), status.strength)
    wanted = {cause: 1 if cause in NEVER_MORE_THAN_POSSIBLE else 2 for cause in CAUSES}
    assert {cause for cause, strength in wanted.items() if reached.get(cause, 0) < strength} == set()
    assert all(reached[cause] == 1 for cause in NEVER_MORE_THAN_POSSIBLE)


def test_every_table_belongs_to_a_check(all_tables: Mapping[str, list["Entry"]]) -> None:
    """No table is left over from a check that is gone, and no title stands twice in one table."""
    assert set(all_tables) == set(BY_ID)
    for table in all_tables.values():
        titles = [entry.title for entry in table]
        assert len(titles) == len(set(titles))
