"""Runs that are kept and read back, and facts changed in thought."""

from datetime import UTC, datetime

import pytest

from rtms_audit.core.model import Case, Environment, Install, InstallKey, Kind, Observation
from rtms_audit.errors import UserError
from rtms_audit.report.json_ import json_diagnoses
from rtms_audit.workflows.audit import judge
from rtms_audit.workflows.compare import contrast, read_run, what_if

PROD = InstallKey("dev-co", Environment.PRODUCTION)
OUT = InstallKey("outsider", Environment.PRODUCTION)
STOP = Observation(
    kind=Kind.WEBHOOK,
    fields={"body": {"event": "meeting.rtms_stopped", "payload": {"rtms_stream_id": "s1", "stop_reason": 18}}},
    at=datetime(2026, 3, 2, 10, tzinfo=UTC),
    install=PROD,
    id="o1",
)
CASE = Case(installs=(Install(PROD), Install(OUT)), observations=(STOP,))


def test_run_is_read_back_as_it_was_kept() -> None:
    """What runs differ in survives being kept: install, plan, outcome and causes with all they hold."""
    judged = judge(CASE)
    for before, after in zip(judged, read_run(json_diagnoses(judged)), strict=True):
        assert (after.install, after.plan, after.outcome) == (before.install, before.plan, before.outcome)
        assert after.causes == before.causes


def test_contrast_names_both_installs() -> None:
    """Two installs are judged and their differing facts listed."""
    found = contrast(CASE, "dev-co", "outsider/production")
    assert (found.left.install, found.right.install) == (PROD, OUT)
    assert "stream.stop_reason" in {one.fact for one in found.differences}
    with pytest.raises(UserError, match="no install 'nobody'"):
        contrast(CASE, "dev-co", "nobody")


def test_what_if_names_the_accounts_there_are() -> None:
    """An unknown account is met with the known ones, an empty case with what to do."""
    with pytest.raises(UserError) as caught:
        what_if(CASE, "nobody", {"trigger": "none"})
    assert caught.value.next_step == "Name one of: dev-co, outsider."
    with pytest.raises(UserError) as caught:
        what_if(Case(installs=()), "nobody", {"trigger": "none"})
    assert "Import evidence" in (caught.value.next_step or "")


def test_what_if_refuses_a_value_of_another_shape() -> None:
    """A value that its key cannot have is an error of the user's."""
    with pytest.raises(UserError, match="must be on or off"):
        what_if(CASE, "outsider", {"setting.auto_start": 3})
