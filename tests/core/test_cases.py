"""Whole cases with what a careful expert would, and would not, conclude from them.

`cases/expected.yaml` holds the expectations; its keys: `outcome` (any of these), `blame` (the first cause is one of
these; empty: nothing but an ordinary cause is likely), `at_least` and `at_most` (how sure the first cause is), `never`
(not likely or confirmed), `limit` (a cause's greatest certainty), `consider` (named at all), `ask` (asked for next).
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.evidence_file import read_case
from rtms_audit.core.model import InstallKey
from rtms_audit.core.verdicts import Category, Diagnosis, Status

CASES = Path(__file__).with_name("cases")
EXPECTED: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load((CASES / "expected.yaml").read_text(encoding="utf-8"))
INSTALLS = [(name, install) for name, installs in EXPECTED.items() for install in installs]
SURE = (Status.LIKELY, Status.CONFIRMED)


@pytest.mark.parametrize(("name", "install"), INSTALLS, ids=str)
def test_the_judge_concludes_what_an_expert_would(name: str, install: str) -> None:
    """Every expectation for this install of this case is met."""
    document = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    diagnosis = diagnose(read_case(document, name=name), InstallKey.parse(install))
    wishes = EXPECTED[name][install]
    unmet = [f"{key} {wanted}" for key, wanted in wishes.items() if not _met(diagnosis, key, wanted)]
    assert not unmet, f"{diagnosis.outcome}; {[(c.id, str(c.status)) for c in diagnosis.causes]}"


def test_every_case_has_expectations() -> None:
    """No case lies here unread."""
    assert {path.stem for path in CASES.glob("*.yaml")} - {"expected"} == set(EXPECTED)


def _met(diagnosis: Diagnosis, key: str, wanted: Any) -> bool:
    """Whether one expectation is met."""
    causes = diagnosis.causes
    claimed = {cause.id: cause for cause in causes if cause.status in SURE}
    strength = causes[0].status.strength if causes else 0
    answers = {
        "outcome": lambda: diagnosis.outcome in wanted,
        "blame": lambda: (
            bool(causes) and causes[0].id in wanted
            if wanted
            else all(cause.category is Category.ORDINARY for cause in claimed.values())
        ),
        "at_most": lambda: strength <= Status(wanted).strength,
        "at_least": lambda: strength >= Status(wanted).strength,
        "never": lambda: not set(claimed) & set(wanted),
        "limit": lambda: all(c.status.strength <= Status(wanted[c.id]).strength for c in causes if c.id in wanted),
        "consider": lambda: set(wanted) <= {cause.id for cause in causes},
        "ask": lambda: set(wanted) <= {step.fact for step in diagnosis.next},
    }
    return answers[key]()
