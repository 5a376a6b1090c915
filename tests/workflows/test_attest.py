"""What people say, kept as statements."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rtms_audit.core.model import App, Environment, Install, InstallKey
from rtms_audit.errors import UserError
from rtms_audit.store import Store, open_store
from rtms_audit.workflows.attest import attest

NOW = datetime(2026, 3, 10, tzinfo=UTC)
PROD = InstallKey("dev-co", Environment.PRODUCTION)


def clock() -> datetime:
    """Tell the time of these tests."""
    return NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give a store with one app and two accounts, one of which has an install."""
    with open_store(f"sqlite:///{tmp_path / 'audit.db'}", clock=clock) as store:
        store.note_app(App("Notes"))
        store.put_account(label="dev-co")
        store.put_account(label="outsider")
        store.note_install(app="Notes", install=Install(PROD))
        yield store


def said(store: Store) -> list[tuple[str, object, object]]:
    """Give install, key and value of every statement."""
    seen = store.observations(app="Notes")
    return [(str(one.install), one.fields["about"], one.fields["value"]) for one in seen]


def test_statement_is_about_every_known_install(store: Store) -> None:
    """Without an environment the installs that are known are meant; the value is read as its key asks."""
    values = {"setting.share_realtime_content": True, "trigger": "rest"}
    ids = attest(
        store, app=None, account="dev-co", environment=None, values=values, by="admin", note="by phone", clock=clock
    )
    assert len(ids) == 2
    assert said(store) == [
        ("dev-co/production", "setting.share_realtime_content", "on"),
        ("dev-co/production", "trigger", "rest"),
    ]
    seen = store.observations(app="Notes")[0]
    assert (seen.at, seen.fields["by"], seen.fields["note"]) == (NOW, "admin", "by phone")


def test_statement_about_an_account_without_installs_is_about_both_environments(store: Store) -> None:
    """Where no install is known, the statement is kept for both."""
    attest(
        store,
        app="Notes",
        account="outsider",
        environment=None,
        values={"trigger": "none"},
        by="me",
        note=None,
        clock=clock,
    )
    assert [install for install, _, _ in said(store)] == ["outsider/development", "outsider/production"]


def test_statement_can_be_about_one_environment(store: Store) -> None:
    """An environment that is named is meant, whether an install is known or not."""
    environment = Environment.DEVELOPMENT
    values = {"trigger": "none"}
    attest(store, app=None, account="dev-co", environment=environment, values=values, by="me", note=None, clock=clock)
    assert [install for install, _, _ in said(store)] == ["dev-co/development"]


@pytest.mark.parametrize(
    ("account", "values", "message"),
    [
        ("nobody", {"trigger": "rest"}, "no account 'nobody'"),
        ("dev-co", {"trigger": "rest", "setting.auto_start": 3}, "setting.auto_start=3"),
    ],
)
def test_nothing_is_kept_of_a_statement_that_cannot_be(
    store: Store, account: str, values: dict[str, object], message: str
) -> None:
    """An unknown account or an impossible value keeps all of it out."""
    with pytest.raises(UserError, match=message):
        attest(store, app=None, account=account, environment=None, values=values, by="me", note=None, clock=clock)
    assert said(store) == []
