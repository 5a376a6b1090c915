"""Tokens that belong to no user."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rtms_audit.core.secret import Secret
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import Lease, TokenPair
from rtms_audit.store.store import Store, open_store

Pair = Callable[..., TokenPair]


def test_shared_token_is_swapped(store: Store, pair: Pair, clock: Any) -> None:
    """A shared token is found by its name, and replaced over the version that was read or by a later lease."""
    assert store.shared_token(name="auditor:a") is None
    assert store.put_shared_token(name="auditor:a", expected_version=0, tokens=pair("1"))
    assert not store.put_shared_token(name="auditor:a", expected_version=0, tokens=pair("2"))
    assert store.put_shared_token(name="auditor:a", expected_version=1, tokens=pair("3"))
    later = Lease(name="auditor:a", owner="o", fencing=4, expires_at=clock())
    assert store.put_shared_token(name="auditor:a", expected_version=0, tokens=pair("4"), lease=later)
    assert not store.put_shared_token(name="auditor:a", expected_version=0, tokens=pair("5"), lease=later)
    found = store.shared_token(name="auditor:a")
    assert found is not None
    assert (found.access, found.refresh, found.version) == (Secret("access-4"), None, 3)


def test_first_shared_token_is_saved_once(url: str, key: KeySource, clock: Any, pair: Pair) -> None:
    """Of eight first tokens saved under one name at the same moment one is kept."""
    stores = [open_store(url, key=key, clock=clock) for _ in range(8)]
    gate = threading.Barrier(8)

    def put(number: int) -> bool:
        gate.wait()
        return stores[number].put_shared_token(name="n", expected_version=0, tokens=pair(str(number)))

    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(put, range(8)))
    assert saved.count(True) == 1
    found = stores[0].shared_token(name="n")
    assert found is not None
    assert found.access == Secret(f"access-{saved.index(True)}")
    for store in stores:
        store.close()
