"""Grants and their tokens: appended, swapped, marked, never lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import GrantRecord, GrantStatus, Lease, TokenPair
from rtms_audit.store.store import Store, open_store

Add = Callable[..., GrantRecord]
Pair = Callable[..., TokenPair]
PRODUCTION = Environment.PRODUCTION


def lease(fencing: int, clock: Any) -> Lease:
    """Make a lease as somebody would hold it."""
    return Lease(name="grant", owner=f"holder-{fencing}", fencing=fencing, expires_at=clock())


def refresh_of(store: Store, grant: GrantRecord) -> str:
    """Read the stored refresh token."""
    refresh = store.tokens(grant_id=grant.id).refresh
    assert refresh is not None
    return refresh.reveal()


def test_grant_comes_back(store: Store, add_grant: Add, clock: Any) -> None:
    """A grant is kept with whom it belongs to, and its tokens come back as they were given."""
    grant = add_grant(store)
    assert store.grant(app="Notes", environment=PRODUCTION, account="outsider") == grant
    assert store.grant_by_id(grant.id) == grant
    assert (grant.status, grant.version, grant.scopes) == (GrantStatus.ACTIVE, 1, ("meeting:read", "user:read"))
    assert (grant.created_at, grant.changed_at, grant.has_tokens) == (clock(), None, True)
    tokens = store.tokens(grant_id=grant.id)
    assert (tokens.access, tokens.refresh, tokens.version) == (Secret("access-first"), Secret("refresh-first"), 1)
    assert tokens.expires_at == clock() + timedelta(hours=1)


def test_installing_again_appends(store: Store, add_grant: Add) -> None:
    """A new grant supersedes the earlier one of the same install alone, and history stays."""
    first = add_grant(store)
    other = add_grant(store, environment=Environment.DEVELOPMENT)
    second = add_grant(store)
    assert [grant.id for grant in store.grants(app="Notes")] == [first.id, other.id, second.id]
    assert store.grants(app="Talks") == ()
    assert store.grant_by_id(first.id).status is GrantStatus.SUPERSEDED
    assert store.grant_by_id(other.id).status is GrantStatus.ACTIVE
    assert store.grant(app="Notes", environment=PRODUCTION, account="outsider") == second
    assert store.grant(app="Notes", environment=PRODUCTION, account="nobody") is None


def test_unknown_grant(sqlite_store: Store) -> None:
    """A number that no grant has is an error with the next step."""
    with pytest.raises(UserError, match="no grant of the number 7"):
        sqlite_store.grant_by_id(7)
    with pytest.raises(UserError, match="no grant of the number 7"):
        sqlite_store.mark_grant(grant_id=7, status=GrantStatus.DEAD, reason="")


def test_swap(store: Store, add_grant: Add, pair: Pair, clock: Any) -> None:
    """A pair is saved over the version that was read, and over no other."""
    grant = add_grant(store)
    clock.forward(minutes=5)
    assert store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("second"), scopes=("a", "b"))
    assert not store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("third"))
    saved = store.grant_by_id(grant.id)
    assert (saved.version, saved.scopes, saved.refreshed_at) == (2, ("a", "b"), clock())
    assert refresh_of(store, grant) == "refresh-second"


def test_missing_refresh_token_keeps_the_old_one(store: Store, add_grant: Add, pair: Pair) -> None:
    """An answer without a refresh token changes the access token alone."""
    grant = add_grant(store)
    assert store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("second", refresh=False))
    tokens = store.tokens(grant_id=grant.id)
    assert (tokens.access, tokens.refresh) == (Secret("access-second"), Secret("refresh-first"))
    bare = add_grant(store, account="b", tokens=pair("only", refresh=False))
    assert store.replace_tokens(grant_id=bare.id, expected_version=1, tokens=pair("next", refresh=False))
    assert store.tokens(grant_id=bare.id).refresh is None


def test_sleeper_cannot_overwrite_its_successor(store: Store, add_grant: Add, pair: Pair, clock: Any) -> None:
    """A holder that slept through its lease cannot put its pair over the one that its successor saved."""
    grant = add_grant(store)
    assert store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("new"), lease=lease(2, clock))
    assert not store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("old"), lease=lease(1, clock))
    assert refresh_of(store, grant) == "refresh-new"


def test_sleeper_hands_in_what_nobody_has(store: Store, add_grant: Add, pair: Pair, clock: Any) -> None:
    """A holder that wakes up late, with the only pair that Zoom honours, saves the grant even if it was given up."""
    grant = add_grant(store)
    assert store.mark_grant(grant_id=grant.id, status=GrantStatus.DEAD, reason="invalid_grant")
    assert store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("late"), lease=lease(1, clock))
    revived = store.grant_by_id(grant.id)
    assert (revived.status, revived.reason) == (GrantStatus.ACTIVE, "")
    assert refresh_of(store, grant) == "refresh-late"


def test_successor_overwrites_a_sleeper(store: Store, add_grant: Add, pair: Pair, clock: Any) -> None:
    """Where the sleeper saved first, the successor's pair, which Zoom gave out later, wins all the same."""
    grant = add_grant(store)
    assert store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("old"), lease=lease(1, clock))
    assert store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("new"), lease=lease(2, clock))
    assert refresh_of(store, grant) == "refresh-new"
    assert store.grant_by_id(grant.id).fencing == 2


def test_revoked_grant_takes_no_tokens(store: Store, add_grant: Add, pair: Pair) -> None:
    """A refresh that ends after the revocation does not bring the grant back."""
    grant = add_grant(store)
    store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason="uninstalled")
    assert not store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("late"))
    assert store.grant_by_id(grant.id).status is GrantStatus.REVOKED


def test_wipe_removes_tokens_and_keeps_the_grant(store: Store, add_grant: Add, clock: Any) -> None:
    """Wiped tokens are gone from the database; the grant says why, and since when."""
    grant = add_grant(store)
    at = clock() - timedelta(days=1)
    assert store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason="app_deauthorized", wipe=True, at=at)
    wiped = store.grant_by_id(grant.id)
    assert (wiped.status, wiped.changed_at, wiped.has_tokens) == (GrantStatus.REVOKED, at, False)
    assert sum(record.rows for record in tuple(store.keys())) == 0
    with pytest.raises(UserError, match=r"outsider/production were wiped \(revoked: app_deauthorized\)"):
        store.tokens(grant_id=grant.id)


def test_marking_dead_yields_to_newer_tokens(store: Store, add_grant: Add, pair: Pair) -> None:
    """Whoever was refused with an old refresh token does not mark a grant that got newer tokens meanwhile."""
    grant = add_grant(store)
    store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair("second"))
    marked = store.mark_grant(grant_id=grant.id, status=GrantStatus.DEAD, reason="x", expected_version=1)
    assert not marked
    assert store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_one_of_many_swaps_wins(url: str, key: KeySource, clock: Any, add_grant: Add, pair: Pair) -> None:
    """Of eight pairs saved over one version at the same moment one is kept, and it is kept whole."""
    stores = [open_store(url, key=key, clock=clock) for _ in range(8)]
    grant = add_grant(stores[0])
    gate = threading.Barrier(8)

    def swap(number: int, version: int) -> bool:
        gate.wait()
        return stores[number].replace_tokens(
            grant_id=grant.id, expected_version=version, tokens=pair(f"{version}-{number}")
        )

    with ThreadPoolExecutor(8) as pool:
        for version in range(1, 11):
            saved = list(pool.map(swap, range(8), [version] * 8))
            assert saved.count(True) == 1
            tokens = stores[0].tokens(grant_id=grant.id)
            word = f"{version}-{saved.index(True)}"
            assert (tokens.access, tokens.refresh) == (Secret(f"access-{word}"), Secret(f"refresh-{word}"))
    for store in stores:
        store.close()


def test_reader_never_sees_half_a_pair(url: str, key: KeySource, clock: Any, add_grant: Add, pair: Pair) -> None:
    """While pairs are saved over and over, every reader gets an access and a refresh token of the same answer."""
    store, reader = (open_store(url, key=key, clock=clock) for _ in range(2))
    grant = add_grant(store, tokens=pair("0"))
    done = threading.Event()

    def write() -> None:
        for version in range(1, 60):
            store.replace_tokens(grant_id=grant.id, expected_version=version, tokens=pair(str(version)))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        tokens = reader.tokens(grant_id=grant.id)
        word = str(tokens.version - 1)
        assert (tokens.access, tokens.refresh) == (Secret(f"access-{word}"), Secret(f"refresh-{word}"))
    writer.join()
    store.close()
    reader.close()
