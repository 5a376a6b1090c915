"""Leases and intents: one at a time, and a trace of whoever died."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from rtms_audit.errors import UserError
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import GrantRecord, Lease
from rtms_audit.store.store import Store, open_store

TTL = timedelta(seconds=30)
Add = Callable[..., GrantRecord]


def take(store: Store, owner: str) -> Lease:
    """Take the lease `grant:1`, which must be free."""
    lease = store.acquire_lease(name="grant:1", owner=owner, ttl=TTL)
    assert lease is not None
    return lease


def test_one_holder_at_a_time(store: Store, clock: Any) -> None:
    """A lease is somebody's until it is released or expires; each holder has a higher number than the one before."""
    first = take(store, "a")
    assert store.acquire_lease(name="grant:1", owner="b", ttl=TTL) is None
    assert store.acquire_lease(name="grant:1", owner="a", ttl=TTL) is None
    assert store.acquire_lease(name="grant:2", owner="b", ttl=TTL) is not None
    assert store.release_lease(first)
    second = take(store, "b")
    clock.forward(seconds=30)
    third = take(store, "c")
    assert [lease.fencing for lease in (first, second, third)] == [1, 2, 3]
    assert third.expires_at == clock() + TTL


def test_release_is_the_owners(store: Store, clock: Any) -> None:
    """A holder that slept through its lease cannot release or prolong its successor's, even under the same name."""
    old = take(store, "a")
    clock.forward(seconds=31)
    new = take(store, "a")
    assert not store.release_lease(old)
    assert store.renew_lease(old, ttl=TTL) is None
    assert store.acquire_lease(name="grant:1", owner="b", ttl=TTL) is None
    assert store.release_lease(new)
    assert not store.release_lease(new)


def test_renewal(store: Store, clock: Any) -> None:
    """A lease can be prolonged while nobody else has taken it."""
    lease = take(store, "a")
    clock.forward(seconds=40)
    renewed = store.renew_lease(lease, ttl=TTL)
    assert renewed is not None
    assert (renewed.fencing, renewed.expires_at) == (1, clock() + TTL)
    assert store.acquire_lease(name="grant:1", owner="b", ttl=TTL) is None


def test_intent_is_seen_by_the_successor(store: Store, add_grant: Add, clock: Any) -> None:
    """Who died between call and save leaves an open intent, which its successor reads."""
    grant = add_grant(store)
    lease = take(store, "a")
    intent = store.record_intent(grant_id=grant.id, refresh_hash="h4sh", owner="a", fencing=lease.fencing)
    assert intent is not None
    assert (intent.refresh_hash, intent.at, intent.closed_at) == ("h4sh", clock(), None)
    clock.forward(seconds=31)
    take(store, "b")
    assert store.intents(grant.id, open_only=True) == (intent,)
    store.close_intent(intent_id=intent.id, outcome="interrupted")
    store.close_intent(intent_id=intent.id, outcome="saved")
    assert store.intents(grant.id, open_only=True) == ()
    assert [found.outcome for found in store.intents(grant.id)] == ["interrupted"]


def test_no_intent_without_a_live_lease(store: Store, add_grant: Add, clock: Any) -> None:
    """Who woke up after its lease is told not to call Zoom."""
    grant = add_grant(store)
    lease = take(store, "a")
    clock.forward(seconds=30)
    assert store.record_intent(grant_id=grant.id, refresh_hash="h", owner="a", fencing=lease.fencing) is None
    take(store, "b")
    assert store.record_intent(grant_id=grant.id, refresh_hash="h", owner="a", fencing=lease.fencing) is None
    assert store.intents(grant.id) == ()


def test_unknown_intent(sqlite_store: Store) -> None:
    """Closing what was never begun is an error."""
    with pytest.raises(UserError, match="no refresh of the number 9"):
        sqlite_store.close_intent(intent_id=9, outcome="saved")


def test_one_of_eight_takers_wins(url: str, key: KeySource, clock: Any) -> None:
    """Of eight that take a lease at the same moment one gets it: first, expired and released ones alike."""
    stores = [open_store(url, key=key, clock=clock) for _ in range(8)]
    gate = threading.Barrier(8)

    def grab(number: int, turn: int) -> Lease | None:
        gate.wait()
        return stores[number].acquire_lease(name=f"n{turn // 3}", owner=str(number), ttl=TTL)

    with ThreadPoolExecutor(8) as pool:
        for turn in range(30):
            got = [lease for lease in pool.map(grab, range(8), [turn] * 8) if lease]
            assert [lease.fencing for lease in got] == [turn % 3 + 1]
            if turn % 2:
                assert stores[0].release_lease(got[0])
            else:
                clock.forward(seconds=31)
    for store in stores:
        store.close()
