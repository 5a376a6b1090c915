"""The vault: rows cannot be swapped, keys cannot be confused, nothing is touched without the right one."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.errors import DatabaseError, VaultKeyError
from rtms_audit.store.base import Base
from rtms_audit.store.engine import read_url
from rtms_audit.store.keys import KeySource, key_id, new_key
from rtms_audit.store.records import GrantRecord, TokenPair
from rtms_audit.store.store import Store, open_store
from rtms_audit.store.vault import Identity, Vault

Add = Callable[..., GrantRecord]
SECRETS = "SELECT owner, kind, key_id, ciphertext FROM sealed_secret ORDER BY id"


def change(url: str, statement: str, **values: Any) -> None:
    """Change the database behind the store's back."""
    engine = create_engine(read_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def rows(url: str) -> list[Any]:
    """Read the ciphertexts behind the store's back."""
    engine = create_engine(read_url(url))
    with engine.connect() as connection:
        found = list(connection.execute(text(SECRETS)).all())
    engine.dispose()
    return found


def test_swapped_rows_are_refused(store: Store, url: str, add_grant: Add, pair: Callable[..., TokenPair]) -> None:
    """One account's tokens copied over another's row are not used, though the key opens them."""
    mine = add_grant(store, account="mine")
    theirs = add_grant(store, account="theirs", user_id="user-2", tokens=pair("stolen"))
    stolen = {(row[0], row[1]): row[3] for row in rows(url)}
    for kind in ("access token", "refresh token"):
        change(
            url, "UPDATE sealed_secret SET ciphertext = :text WHERE owner = :owner AND kind = :kind",
            text=stolen[f"grant:{theirs.id}", kind], owner=f"grant:{mine.id}", kind=kind,
        )  # fmt: skip
    with pytest.raises(DatabaseError, match=f"access token of grant:{mine.id} was written for another row"):
        store.tokens(grant_id=mine.id)
    assert store.tokens(grant_id=theirs.id).access == Secret("access-stolen")


@pytest.mark.parametrize("column", ["app", "environment", "account", "user_id", "version"])
def test_row_cannot_change_hands(sqlite_store: Store, sqlite_url: str, add_grant: Add, column: str) -> None:
    """A grant whose app, environment, account, user or version was changed by hand no longer opens."""
    grant = add_grant(sqlite_store)
    new = "7" if column == "version" else "development"
    change(sqlite_url, f"UPDATE oauth_grant SET {column} = :new", new=new)
    with pytest.raises(DatabaseError, match="written for another row"):
        sqlite_store.tokens(grant_id=grant.id)


def test_old_pair_cannot_be_put_back(
    sqlite_store: Store, sqlite_url: str, add_grant: Add, pair: Callable[..., TokenPair]
) -> None:
    """An earlier refresh token put back into its own row is noticed."""
    grant = add_grant(sqlite_store)
    old = {row[1]: row[3] for row in rows(sqlite_url)}
    sqlite_store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("second"))
    for kind, ciphertext in old.items():
        change(sqlite_url, "UPDATE sealed_secret SET ciphertext = :text WHERE kind = :kind", text=ciphertext, kind=kind)
    with pytest.raises(DatabaseError, match="written for another row"):
        sqlite_store.tokens(grant_id=grant.id)


def test_damaged_ciphertext(sqlite_url: str, clock: Any, add_grant: Add) -> None:
    """A ciphertext that was cut is an error of one sentence, on reading and on rotation."""
    sqlite_store = open_store(sqlite_url, key=KeySource(), clock=clock)
    grant = add_grant(sqlite_store)
    change(sqlite_url, "UPDATE sealed_secret SET ciphertext = substr(ciphertext, 1, 40)")
    with pytest.raises(DatabaseError, match="damaged"):
        sqlite_store.tokens(grant_id=grant.id)
    with pytest.raises(DatabaseError, match="damaged"):
        sqlite_store.rotate()
    sqlite_store.close()


def test_removed_row(sqlite_store: Store, sqlite_url: str, add_grant: Add) -> None:
    """A secret that somebody deleted is an error that says what is missing."""
    grant = add_grant(sqlite_store)
    change(sqlite_url, "DELETE FROM sealed_secret WHERE kind = 'refresh token'")
    with pytest.raises(Exception, match=f"No refresh token is stored for grant:{grant.id}"):
        sqlite_store.tokens(grant_id=grant.id)


def test_wrong_key_touches_nothing(url: str, key: KeySource, clock: Any, add_grant: Add) -> None:
    """With a wrong key neither reading nor writing happens, and the error names the key that is needed."""
    with open_store(url, key=key, clock=clock) as store:
        grant = add_grant(store)
    before = rows(url)
    other = KeySource(keys=(new_key(),))
    with open_store(url, key=other, clock=clock) as store:
        wanted = f"protected by key {key_id(key.keys[0])}, and the key given is {key_id(other.keys[0])}"
        for attempt in (
            lambda: store.tokens(grant_id=grant.id),
            lambda: add_grant(store),
            store.rotate,
            lambda: store.put_app(
                app="N", environment=Environment.PRODUCTION, client_id="i", client_secret=Secret("s")
            ),
        ):
            with pytest.raises(VaultKeyError, match=wanted):
                attempt()
        assert store.apps() == ()
        assert [(record.key_id, record.available) for record in tuple(store.keys())] == [
            (key_id(other.keys[0]), True), (key_id(key.keys[0]), False),
        ]  # fmt: skip
        assert len(store.grants()) == 1
    assert rows(url) == before


def test_stray_key_of_the_environment_seals_nothing(
    tmp_path: Path, clock: Any, add_grant: Add, pair: Callable[..., TokenPair]
) -> None:
    """A key that opens nothing is refused though the key file's would open everything, until a rotation brings it."""
    url = f"sqlite:///{tmp_path}/audit.db"
    with open_store(url, key=KeySource(), clock=clock) as store:
        grant = add_grant(store)
        needed = store.keys()[0].key_id
    before, stray = rows(url), new_key()
    with open_store(url, key=KeySource(keys=(stray,)), clock=clock) as store:
        wanted = f"RTMS_AUDIT_KEY gives key {key_id(stray)}, .* protected by key {needed}; nothing was changed"
        for attempt in (
            lambda: store.tokens(grant_id=grant.id),
            lambda: store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("second")),
            lambda: add_grant(store, account="b"),
        ):
            with pytest.raises(VaultKeyError, match=wanted) as caught:
                attempt()
            assert "Unset RTMS_AUDIT_KEY" in str(caught.value.next_step)
            assert "keys rotate" in str(caught.value.next_step)
        assert rows(url) == before
        assert store.rotate().key_id == key_id(stray)
        assert store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("second"))
    with open_store(url, key=KeySource(keys=(stray,)), clock=clock) as store:
        assert store.tokens(grant_id=grant.id).access == Secret("access-second")


def test_rotation_that_failed_leaves_a_stray_key_stray(tmp_path: Path, clock: Any, add_grant: Add) -> None:
    """What a rotation may do, nothing else may after it."""
    url = f"sqlite:///{tmp_path}/audit.db"
    with open_store(url, key=KeySource(), clock=clock) as store:
        add_grant(store)
    change(url, "UPDATE sealed_secret SET key_id = 'lost' WHERE kind = 'refresh token'")
    with open_store(url, key=KeySource(keys=(new_key(),)), clock=clock) as store:
        with pytest.raises(VaultKeyError, match="protected by key lost"):
            store.rotate()
        with pytest.raises(VaultKeyError, match="RTMS_AUDIT_KEY gives key"):
            add_grant(store, account="b")


def test_missing_key_file_is_not_replaced(tmp_path: Path, clock: Any, add_grant: Add) -> None:
    """Where secrets exist and their key file is gone, no new key is made; put back, it works again."""
    url = f"sqlite:///{tmp_path}/audit.db"
    with open_store(url, key=KeySource(), clock=clock) as store:
        grant = add_grant(store)
    key_file = tmp_path / "audit.db.key"
    needed = key_id(Secret(key_file.read_text().strip()))
    key_file.rename(tmp_path / "elsewhere")
    with open_store(url, key=KeySource(), clock=clock) as store:
        with pytest.raises(VaultKeyError, match=f"by key {needed}, and no key was given"):
            store.tokens(grant_id=grant.id)
        assert not key_file.exists()
        (tmp_path / "elsewhere").rename(key_file)
        assert store.tokens(grant_id=grant.id).access == Secret("access-first")


def test_no_key_and_no_place_for_one(postgres_template: str, postgres: Callable[[str | None], str], clock: Any) -> None:
    """A database that is not a file needs a key to be given, and says so before anything is written."""
    with open_store(postgres(postgres_template), key=KeySource(), clock=clock) as store:
        with pytest.raises(VaultKeyError, match="There is no key"):
            store.put_app(app="N", environment=Environment.PRODUCTION, client_id="i", client_secret=Secret("s"))
        assert store.apps() == ()


def test_reading_without_secrets_needs_no_key(sqlite_url: str, clock: Any, tmp_path: Path) -> None:
    """Whoever only looks at evidence needs no key, and none is made."""
    with open_store(sqlite_url, key=KeySource(), clock=clock) as store:
        store.case(app="Notes")
        store.keys()
    assert not (tmp_path / "audit.db.key").exists()


def test_no_secret_lies_in_the_file(tmp_path: Path, clock: Any, pair: Callable[..., TokenPair], add_grant: Add) -> None:
    """No secret of any kind can be found in the database, its log, or a dump of it."""
    path = tmp_path / "audit.db"
    with open_store(f"sqlite:///{path}", key=KeySource(), clock=clock) as store:
        for environment in (Environment.DEVELOPMENT, Environment.PRODUCTION):
            store.put_app(
                app="N", environment=environment, client_id="ID", client_secret=Secret("canary-client"),
                webhook_secret=Secret("canary-hook"),
            )  # fmt: skip
        store.put_account(label="a")
        store.put_auditor(account="a", client_id="S", client_secret=Secret("canary-s2s"), zoom_account_id="z")
        add_grant(store, tokens=pair("canary"))
        store.put_shared_token(name="n", expected_version=0, tokens=pair("canary"))
        store.add_state(
            state="canary-state", app="N", environment=Environment.PRODUCTION, account="a", client_id="ID",
            redirect_uri="r", code_verifier=Secret("canary-verifier"), expires_at=clock(),
        )  # fmt: skip
        files = [file.read_bytes() for file in tmp_path.glob("audit.db*")]
        with sqlite3.connect(path) as connection:
            files.append("\n".join(connection.iterdump()).encode())
        connection.close()
        texts = [repr(part) for part in (store.apps(), store.grants(), store.keys(), store.accounts())]
        texts.append(repr(store.credentials(app="N", environment=Environment.PRODUCTION)))
    assert len(files) >= 3
    assert not any(b"canary" in content for content in files)
    assert not any("canary" in shown for shown in texts)


@given(secret=st.text(), owner=st.text(), other=st.text())
def test_any_secret_survives_and_opens_for_its_row_alone(secret: str, owner: str, other: str) -> None:
    """Whatever text a secret is, it comes back as it was, and for no other row."""
    source = KeySource(keys=(Secret("A" * 43 + "="),))
    vault = Vault(source, needed=frozenset, alone=lambda: pytest.raises(AssertionError))
    mine = Identity(owner=owner, kind="token")
    sealed = vault.seal(mine, Secret(secret))
    assert vault.open(mine, sealed).reveal() == secret
    if other != owner:
        with pytest.raises(DatabaseError, match="another row"):
            vault.open(Identity(owner=other, kind="token"), sealed)


def test_secrets_leave_by_few_doors() -> None:
    """The methods that can return a secret are the five that are known to."""
    doors = set()
    for name in dir(Store):
        method = getattr(Store, name)
        returned = str(getattr(method, "__annotations__", {}).get("return", ""))
        if not name.startswith("_") and any(
            kind in returned for kind in ("Secret", "Credentials", "TokenPair", "State")
        ):
            doors.add(name)
    assert doors == {"credentials", "auditor", "tokens", "shared_token", "consume_state", "add_state"}
    assert "Secret" not in str(Store.add_state.__annotations__["return"].__annotations__)
    assert issubclass(Store, Base)
