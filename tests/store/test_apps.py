"""Apps, accounts and their credentials."""

from collections.abc import Callable
from typing import Any

import pytest

from rtms_audit.core.model import (
    App,
    AppEnvironment,
    Distribution,
    Environment,
    Install,
    InstallKey,
    InstallStatus,
    Plan,
    Usage,
)
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.records import GrantRecord, GrantStatus
from rtms_audit.store.store import Store

DEVELOPMENT, PRODUCTION = Environment.DEVELOPMENT, Environment.PRODUCTION


def put(store: Store, app: str = "Notes", environment: Environment = PRODUCTION, **changes: Any) -> None:
    """Add an app with a pair."""
    values: dict[str, Any] = {"client_id": "ID", "client_secret": Secret("s")}
    store.put_app(app=app, environment=environment, **(values | changes))


def test_app_comes_back(store: Store) -> None:
    """An app is kept with both environments, and its credentials come back as they were given."""
    put(
        store, client_id="PRODID", client_secret=Secret("hush"), webhook_secret=Secret("hook"), app_id="app-1",
        redirect_uri="https://example.com/cb", owner="dev-co", usage=Usage.USER_MANAGED, distribution=Distribution.BETA,
    )  # fmt: skip
    put(store, environment=DEVELOPMENT, client_id="DEVID", client_secret=Secret("dev"))
    app = store.app()
    assert (app.name, app.owner, app.usage) == ("Notes", "dev-co", Usage.USER_MANAGED)
    production = app.environments[PRODUCTION]
    assert (production.client_id, production.app_id, production.distribution) == ("PRODID", "app-1", Distribution.BETA)
    assert (production.has_credentials, production.has_webhook_secret) == (True, True)
    assert not app.environments[DEVELOPMENT].has_webhook_secret
    credentials = store.credentials(app="Notes", environment=PRODUCTION)
    assert credentials.client_secret == Secret("hush")
    assert credentials.webhook_secret == Secret("hook")
    assert credentials.redirect_uri == "https://example.com/cb"
    assert store.credentials(app="Notes", environment=DEVELOPMENT).webhook_secret is None


def test_change_keeps_what_is_not_said(store: Store) -> None:
    """Adding an environment again changes what is said, and leaves the rest as it was."""
    put(store, webhook_secret=Secret("hook"), owner="dev-co", redirect_uri="https://example.com/cb")
    put(store, client_secret=Secret("new"))
    credentials = store.credentials(app="Notes", environment=PRODUCTION)
    assert (credentials.client_secret, credentials.webhook_secret) == (Secret("new"), Secret("hook"))
    assert store.app("Notes").owner == "dev-co"


def test_app_by_name(sqlite_store: Store) -> None:
    """An app that is not named must be the only one, and an unknown name is answered with the known ones."""
    with pytest.raises(UserError, match="No app is known yet"):
        sqlite_store.app()
    put(sqlite_store, "Notes")
    put(sqlite_store, "Talks")
    assert sqlite_store.app("Talks").name == "Talks"
    with pytest.raises(UserError, match="several apps: Notes, Talks") as caught:
        sqlite_store.app()
    assert "--app NAME, or NAME" in str(caught.value.next_step), "some commands take NAME, others --app"
    with pytest.raises(UserError, match="no app 'Nots'; known are Notes, Talks"):
        sqlite_store.app("Nots")


def test_missing_credentials(sqlite_store: Store) -> None:
    """Credentials that were never entered are an error that says how to enter them."""
    put(sqlite_store)
    with pytest.raises(UserError, match="no development credentials") as caught:
        sqlite_store.credentials(app="Notes", environment=DEVELOPMENT)
    assert "rtms-audit app add" in str(caught.value.next_step)


def test_remove_app(store: Store, add_grant: Callable[..., GrantRecord]) -> None:
    """An app goes with its secrets, but not while an install of it is active at Zoom."""
    put(store)
    grant = add_grant(store)
    with pytest.raises(UserError, match=r"active installs \(outsider/production\)"):
        store.remove_app("Notes")
    store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason="revoked", wipe=True)
    store.remove_app("Notes")
    assert store.apps() == ()
    assert sum(record.rows for record in tuple(store.keys())) == 0


def test_accounts(store: Store) -> None:
    """Accounts are kept, changed and listed by label; what is not said again stays."""
    store.put_account(label="b")
    store.put_account(label="a", email="a@example.com", account_id="acc", expected_plan=Plan.FREE)
    changed = store.put_account(label="a", email="new@example.com")
    assert (changed.email, changed.account_id, changed.expected_plan) == ("new@example.com", "acc", Plan.FREE)
    assert [account.label for account in store.accounts()] == ["a", "b"]
    assert store.account("a") == changed
    with pytest.raises(UserError, match="no account 'c'; known are a, b"):
        store.account("c")


def test_auditor(store: Store) -> None:
    """An account's auditor connection comes back whole, and only for an account that is known."""
    with pytest.raises(UserError, match="none is known yet"):
        store.put_auditor(account="a", client_id="S2S", client_secret=Secret("s"), zoom_account_id="acc")
    store.put_account(label="a")
    assert store.auditor(account="a") is None
    store.put_auditor(account="a", client_id="S2S", client_secret=Secret("s"), zoom_account_id="acc")
    store.put_auditor(account="a", client_id="S2S", client_secret=Secret("t"), zoom_account_id="acc")
    auditor = store.auditor(account="a")
    assert auditor is not None
    assert (auditor.client_id, auditor.client_secret, auditor.zoom_account_id) == ("S2S", Secret("t"), "acc")
    assert store.account("a").has_auditor


def test_remove_account(store: Store, add_grant: Callable[..., GrantRecord], clock: Callable[[], Any]) -> None:
    """An account goes with its auditor connection and its pending states, but not while it holds an active install."""
    store.put_account(label="outsider")
    store.put_auditor(account="outsider", client_id="S2S", client_secret=Secret("s"), zoom_account_id="acc")
    store.add_state(
        state="st", app="Notes", environment=PRODUCTION, account="outsider", client_id="PRODID", redirect_uri="r",
        code_verifier=Secret("v"), expires_at=clock(),
    )  # fmt: skip
    grant = add_grant(store)
    with pytest.raises(UserError, match="active installs"):
        store.remove_account("outsider")
    store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason="revoked", wipe=True)
    store.remove_account("outsider")
    assert store.accounts() == ()
    assert sum(record.rows for record in tuple(store.keys())) == 0


def test_noted_app_does_not_overwrite(store: Store) -> None:
    """What an evidence file says of an app fills gaps, and never replaces what was registered."""
    put(store, owner="dev-co", client_id="REAL")
    told = {
        PRODUCTION: AppEnvironment("TOLD", Distribution.BETA),
        DEVELOPMENT: AppEnvironment(None, Distribution.PRIVATE),
    }
    store.note_app(App(name="Notes", owner="other", usage=Usage.USER_MANAGED, environments=told))
    app = store.app("Notes")
    assert (app.owner, app.usage) == ("dev-co", Usage.USER_MANAGED)
    assert app.environments[PRODUCTION].client_id == "REAL"
    assert app.environments[PRODUCTION].distribution is Distribution.BETA
    assert app.environments[DEVELOPMENT].client_id == ""
    assert not app.environments[DEVELOPMENT].has_credentials
    store.note_app(App(name="Fresh", owner="x"))
    assert store.app("Fresh").owner == "x"
    with pytest.raises(ValueError, match="without a name"):
        store.note_app(App())


def test_noted_install(store: Store) -> None:
    """What an evidence file says of an install is kept, the later word counting."""
    key = InstallKey("outsider", PRODUCTION)
    store.note_install(app="Notes", install=Install(key))
    store.note_install(app="Notes", install=Install(key, InstallStatus.MISSING))
    assert store.case(app="Notes").installs == (Install(key, InstallStatus.MISSING),)
