"""OAuth states: good once, for a while, for one client."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import create_engine, text

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.store.engine import read_url
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import StateReason, StateRefused, StateTaken
from rtms_audit.store.store import Store, open_store


def add(store: Store, clock: Callable[[], Any], state: str = "st4te", minutes: float = 10) -> None:
    """Keep a state."""
    store.add_state(
        state=state, app="Notes", environment=Environment.PRODUCTION, account="outsider", client_id="PRODID",
        redirect_uri="https://example.com/cb", code_verifier=Secret("verifier"),
        expires_at=clock() + timedelta(minutes=minutes),
    )  # fmt: skip


def test_state_is_good_once(store: Store, clock: Any) -> None:
    """The first to bring a state gets what it was made for; the second is told that it is used."""
    add(store, clock)
    taken = store.consume_state(state="st4te", client_id="PRODID")
    assert isinstance(taken, StateTaken)
    assert taken.code_verifier == Secret("verifier")
    record = taken.record
    assert (record.app, record.environment, record.account) == ("Notes", Environment.PRODUCTION, "outsider")
    assert (record.redirect_uri, record.used_at) == ("https://example.com/cb", clock())
    again = store.consume_state(state="st4te")
    assert isinstance(again, StateRefused)
    assert again.reason is StateReason.USED
    assert again.record == record


def test_unknown_state(store: Store) -> None:
    """A state that nobody made is unknown."""
    assert store.consume_state(state="forged") == StateRefused(reason=StateReason.UNKNOWN)


def test_state_expires(store: Store, clock: Any) -> None:
    """A state that comes back late is expired, to the second, and stays unused."""
    add(store, clock, minutes=10)
    clock.forward(minutes=10)
    refused = store.consume_state(state="st4te")
    assert isinstance(refused, StateRefused)
    assert refused.reason is StateReason.EXPIRED
    assert refused.record is not None
    assert refused.record.used_at is None


def test_state_of_another_client(store: Store, clock: Any) -> None:
    """A state that comes back for another client id is refused, and stays good for its own."""
    add(store, clock)
    refused = store.consume_state(state="st4te", client_id="DEVID")
    assert isinstance(refused, StateRefused)
    assert refused.reason is StateReason.UNKNOWN
    assert refused.record is not None
    assert isinstance(store.consume_state(state="st4te", client_id="PRODID"), StateTaken)


def test_state_is_kept_as_a_hash(store: Store, url: str, clock: Any) -> None:
    """Whoever reads the database finds neither the state nor the verifier."""
    add(store, clock, state="planted-state-value")
    engine = create_engine(read_url(url))
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in ("oauth_state", "sealed_secret")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    engine.dispose()
    assert rows
    assert not any("planted-state-value" in row or "verifier'" in row.replace("code verifier'", "") for row in rows)


def test_verifier_is_wiped_on_use(store: Store, clock: Any) -> None:
    """The verifier leaves the database with the state's use."""
    add(store, clock)
    assert [record.rows for record in tuple(store.keys())] == [1]
    store.consume_state(state="st4te")
    assert [record.rows for record in tuple(store.keys())] == [0]


def test_one_of_eight_concurrent_callbacks_wins(url: str, key: KeySource, clock: Any) -> None:
    """In 60 rounds of eight callbacks that bring one state at the same moment, exactly one is accepted each time."""
    stores = [open_store(url, key=key, clock=clock) for _ in range(8)]
    gate = threading.Barrier(8)

    def call(number: int, state: str) -> bool:
        gate.wait()
        return isinstance(stores[number].consume_state(state=state), StateTaken)

    with ThreadPoolExecutor(8) as pool:
        for turn in range(60):
            add(stores[0], clock, state=f"state-{turn}")
            accepted = list(pool.map(call, range(8), [f"state-{turn}"] * 8))
            assert accepted.count(True) == 1
    for store in stores:
        store.close()
