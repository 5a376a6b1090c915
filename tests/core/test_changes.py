"""The days on which Zoom changed its rules."""

from datetime import timedelta

import pytest

from rtms_audit.core.changes import CHANGES, Change


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_a_rule_holds_from_its_day_on(change: Change) -> None:
    """The day before it does not hold, on the day it does, and without a day nobody knows."""
    assert change.holds(change.since - timedelta(days=1)) is False
    assert change.holds(change.since) is True
    assert change.holds(None) is None
    assert change.source.startswith("https://")


def test_the_changes_stand_in_the_order_of_their_days() -> None:
    """A reader finds them by date."""
    assert [change.since for change in CHANGES] == sorted(change.since for change in CHANGES)
