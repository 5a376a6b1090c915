"""Taking files into the store."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rtms_audit.core.model import Distribution, Environment, InstallKey, InstallStatus, Plan
from rtms_audit.errors import EvidenceFileError, UserError
from rtms_audit.store import Store, open_store
from rtms_audit.workflows.ingest import UNNAMED_APP, take_files

NOW = datetime(2026, 3, 10, tzinfo=UTC)
PROD = InstallKey("dev-co", Environment.PRODUCTION)
EVIDENCE = """\
format: rtms-audit/evidence@1
app: {name: Notes, owner: dev-co, environments: {production: {client_id: PRODID, distribution: beta}}}
accounts: {dev-co: {plan: pro}}
installs: [{account: dev-co, environment: production, status: revoked}]
observations:
  - {kind: keepalive, missed: 3, at: 2026-03-02T10:00:00Z}
  - {kind: statement, about: trigger, value: rest}
"""
DUMP = '{"event": "meeting.rtms_started", "event_ts": 1772445600000, "payload": {"rtms_stream_id": "s9"}}\nnonsense\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    with open_store(f"sqlite:///{tmp_path / 'audit.db'}", clock=lambda: NOW) as store:
        yield store


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Give an evidence file."""
    file = tmp_path / "case.yaml"
    file.write_text(EVIDENCE, encoding="utf-8")
    return file


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Give a dump of webhooks."""
    file = tmp_path / "hooks.jsonl"
    file.write_text(DUMP, encoding="utf-8")
    return file


def test_evidence_file_brings_app_accounts_installs_and_observations(store: Store, evidence: Path) -> None:
    """Everything a file says is in the store afterwards."""
    (taken,) = take_files(store, [evidence])
    assert (taken.app, taken.found, taken.new, taken.installs) == ("Notes", 2, 2, (PROD,))
    case = store.case(app="Notes")
    assert case.app.owner == "dev-co"
    assert case.app.environments[Environment.PRODUCTION].client_id == "PRODID"
    assert case.app.environments[Environment.PRODUCTION].distribution is Distribution.BETA
    assert case.accounts["dev-co"].plan is Plan.PRO
    assert [(one.key, one.status) for one in case.installs] == [(PROD, InstallStatus.REVOKED)]
    assert [one.kind for one in case.observations] == ["keepalive", "statement"]


def test_same_file_twice_adds_nothing(store: Store, evidence: Path, dump: Path) -> None:
    """Importing is repeatable, for evidence files and for dumps."""
    take_files(store, [evidence, dump], install=PROD)
    again = take_files(store, [evidence, dump], install=PROD)
    assert [one.new for one in again] == [0, 0]
    assert len(store.observations(app="Notes")) == 3


def test_plan_that_is_believed_already_stays(store: Store, evidence: Path) -> None:
    """What somebody entered by hand is not overwritten by a file."""
    store.put_account(label="dev-co", expected_plan=Plan.FREE)
    take_files(store, [evidence])
    assert store.account("dev-co").expected_plan is Plan.FREE


def test_dump_goes_to_the_only_app_or_one_without_a_name(store: Store, evidence: Path, dump: Path) -> None:
    """A dump names no app: the only one is meant, or one is made."""
    (first,) = take_files(store, [dump], install=PROD)
    assert first.app == UNNAMED_APP
    assert [line.number for line in first.not_understood] == [2]
    assert store.observations(app=UNNAMED_APP)[0].source == "hooks.jsonl"
    take_files(store, [evidence])
    with pytest.raises(UserError, match="several apps"):
        take_files(store, [dump], install=PROD)


def test_dump_needs_an_install(store: Store, evidence: Path, dump: Path) -> None:
    """Where a dump comes without an install, nothing is taken in, of other files either."""
    with pytest.raises(UserError, match="does not say what install"):
        take_files(store, [evidence, dump])
    assert store.apps() == ()


def test_file_that_cannot_be_read_keeps_all_out(store: Store, evidence: Path, tmp_path: Path) -> None:
    """All files are read before the first one is taken in."""
    with pytest.raises(EvidenceFileError, match="cannot be read"):
        take_files(store, [evidence, tmp_path / "nowhere.yaml"])
    assert store.apps() == ()


def test_app_can_be_named(store: Store, evidence: Path) -> None:
    """A name given wins over the file's."""
    assert take_files(store, [evidence], app="Other")[0].app == "Other"
    assert [app.name for app in store.apps()] == ["Other"]
