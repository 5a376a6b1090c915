"""Rotation of keys: while others read and write, and after being killed half-way."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtms_audit.core.secret import Secret
from rtms_audit.errors import VaultKeyError
from rtms_audit.store.keys import KeySource, key_id, new_key, read_key_file
from rtms_audit.store.records import GrantRecord, TokenPair
from rtms_audit.store.store import Store, open_store

Add = Callable[..., GrantRecord]

ROTATE = """
import sys
from pathlib import Path
from rtms_audit.store.keys import KeySource
from rtms_audit.store.store import open_store

def on_batch(done, left):
    print(done, left, flush=True)
    if done >= int(sys.argv[3]):
        sys.stdin.read()

with open_store(sys.argv[1], key=KeySource(file=Path(sys.argv[2]))) as store:
    store.rotate(batch=3, on_batch=on_batch)
"""


class Keyring:
    """A keyring with one place."""

    kept = ""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return what is kept."""
        return self.kept or None

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept = password


def fill(store: Store, add_grant: Add, pair: Callable[..., TokenPair], count: int = 10) -> list[GrantRecord]:
    """Add so many grants, each of its own account; each has two secrets."""
    return [add_grant(store, account=f"a{number}", tokens=pair(str(number))) for number in range(count)]


def all_readable(store: Store, grants: list[GrantRecord]) -> bool:
    """Whether every grant has its own tokens."""
    return all(
        store.tokens(grant_id=grant.id).access == Secret(f"access-{number}") for number, grant in enumerate(grants)
    )


def test_rotation_makes_a_new_key_and_drops_the_old(
    url: str, tmp_path: Path, clock: Any, add_grant: Add, pair: Callable[..., TokenPair]
) -> None:
    """A kept key is replaced: everything lies under the new one, and the file no longer holds the old one."""
    source = KeySource(file=tmp_path / "k")
    with open_store(url, key=source, clock=clock) as store:
        grants = fill(store, add_grant, pair)
        old = store.keys()[0]
        assert (old.rows, old.available, old.encrypts) == (20, True, True)
        batches: list[tuple[int, int]] = []
        rotation = store.rotate(batch=8, on_batch=lambda done, left: batches.append((done, left)))
        assert (rotation.rotated, batches) == (20, [(8, 12), (16, 4), (20, 0)])
        assert [(record.key_id, record.rows) for record in tuple(store.keys())] == [(rotation.key_id, 20)]
        assert rotation.key_id != old.key_id
        assert all_readable(store, grants)
    assert [key_id(key) for key in read_key_file(tmp_path / "k")] == [rotation.key_id]


def test_rotation_of_keys_from_the_environment(
    url: str, clock: Any, add_grant: Add, pair: Callable[..., TokenPair]
) -> None:
    """With `NEW,OLD` everything moves under NEW, and with NEW alone it opens afterwards."""
    old, new = new_key(), new_key()
    with open_store(url, key=KeySource(keys=(old,)), clock=clock) as store:
        grants = fill(store, add_grant, pair, 3)
    with open_store(url, key=KeySource(keys=(new, old)), clock=clock) as store:
        assert store.rotate().rotated == 6
        assert store.rotate().rotated == 0
    with open_store(url, key=KeySource(keys=(new,)), clock=clock) as store:
        assert all_readable(store, grants)


def test_rotation_in_the_keyring(tmp_path: Path, clock: Any, add_grant: Add) -> None:
    """A key that the keyring keeps gets a new one in front, again and again; the old ones stay."""
    keyring = Keyring()
    source = KeySource(keyring=True, keyring_backend=keyring)
    with open_store(f"sqlite:///{tmp_path}/a.db", key=source, clock=clock) as store:
        grant = add_grant(store)
        before = keyring.kept
        store.rotate()
        assert keyring.kept not in (before, "")
        assert keyring.kept.endswith(before)
        store.rotate()
        assert [record.rows for record in tuple(store.keys())] == [2, 0, 0]
    with open_store(f"sqlite:///{tmp_path}/a.db", key=source, clock=clock) as store:
        assert store.tokens(grant_id=grant.id).access == Secret("access-first")


def test_rotation_needs_every_key(sqlite_url: str, clock: Any, add_grant: Add) -> None:
    """Where a key is missing for some of the rows nothing is rotated, and the error names it."""
    first, second, third = new_key(), new_key(), new_key()
    with open_store(sqlite_url, key=KeySource(keys=(first,)), clock=clock) as store:
        add_grant(store)
    with open_store(sqlite_url, key=KeySource(keys=(second, first)), clock=clock) as store:
        add_grant(store, account="b")
    with open_store(sqlite_url, key=KeySource(keys=(third, second)), clock=clock) as store:
        with pytest.raises(VaultKeyError, match=f"by key {key_id(first)}"):
            store.rotate()
        assert sorted(record.rows for record in tuple(store.keys())) == [0, 2, 2]
        with pytest.raises(VaultKeyError, match=f"by key {key_id(first)}"):
            store.tokens(grant_id=1)


def test_readers_and_writers_go_on(
    url: str, tmp_path: Path, clock: Any, add_grant: Add, pair: Callable[..., TokenPair]
) -> None:
    """While keys are rotated again and again, another opener reads and saves tokens, and nothing is lost or refused."""
    source = KeySource(file=tmp_path / "k")
    store = open_store(url, key=source, clock=clock)
    other = open_store(url, key=source, clock=clock)
    grants = fill(store, add_grant, pair, 4)
    done = threading.Event()
    problems: list[Exception] = []

    def work() -> None:
        version = 1
        try:
            while not done.is_set():
                assert all_readable(other, grants)
                assert other.replace_tokens(grant_id=grants[0].id, expected_version=version, tokens=pair("0"))
                version += 1
        except Exception as error:
            problems.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(8):
        store.rotate(batch=3)
    done.set()
    worker.join()
    assert problems == []
    assert all_readable(store, grants)
    assert [record.available for record in tuple(store.keys())] == [True]
    store.close()
    other.close()


def test_two_rotations_at_once(
    url: str, tmp_path: Path, clock: Any, add_grant: Add, pair: Callable[..., TokenPair]
) -> None:
    """Rotations that run into each other lose no key and no row."""
    source = KeySource(file=tmp_path / "k")
    stores = [open_store(url, key=source, clock=clock) for _ in range(3)]
    grants = fill(stores[0], add_grant, pair, 6)
    threads = [threading.Thread(target=store.rotate, kwargs={"batch": 2}) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_store(url, key=source, clock=clock) as fresh:
        assert all_readable(fresh, grants)
        assert all(record.available for record in tuple(fresh.keys()))
    for store in stores:
        store.close()


@pytest.mark.parametrize("after", [3, 9, 20])
def test_killed_rotation_is_resumed(
    url: str, tmp_path: Path, clock: Any, add_grant: Add, pair: Callable[..., TokenPair], after: int
) -> None:
    """A rotation killed after some batches, or at its end, leaves everything readable, and goes on when run again."""
    source = KeySource(file=tmp_path / "k")
    with open_store(url, key=source, clock=clock) as store:
        grants = fill(store, add_grant, pair)
        process = subprocess.Popen(
            [sys.executable, "-c", ROTATE, url, str(tmp_path / "k"), str(after)],
            stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        while int(process.stdout.readline().split()[0]) < after:
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stdin.close()
        assert len(read_key_file(tmp_path / "k")) == 2
        assert all_readable(store, grants)
    with open_store(url, key=source, clock=clock) as store:
        rotation = store.rotate(batch=3)
        assert 0 <= rotation.rotated < 20
        assert [(record.key_id, record.rows) for record in tuple(store.keys())] == [(rotation.key_id, 20)]
        assert all_readable(store, grants)
    assert len(read_key_file(tmp_path / "k")) == 1


def test_key_added_in_a_keyring_is_found_by_others(tmp_path: Path, clock: Any, add_grant: Add) -> None:
    """A process that read the keyring before a rotation reads what was rotated, and what it writes stays readable."""
    keyring = Keyring()
    source = KeySource(keyring=True, keyring_backend=keyring)
    url = f"sqlite:///{tmp_path}/a.db"
    with open_store(url, key=source, clock=clock) as store, open_store(url, key=source, clock=clock) as other:
        first = add_grant(store)
        assert other.tokens(grant_id=first.id).access == Secret("access-first")
        second = add_grant(other, account="b")
        store.rotate()
        third = add_grant(other, account="c")
        for grant in (first, second, third):
            assert other.tokens(grant_id=grant.id) == store.tokens(grant_id=grant.id)


JOIN_IN = """
import sys
from datetime import UTC, datetime
from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import TokenPair
from rtms_audit.store.store import open_store

name = sys.argv[2]
print("ready", flush=True)
sys.stdin.read()
with open_store(sys.argv[1], key=KeySource()) as store:
    for turn in range(5):
        pair = TokenPair(access=Secret(f"access-{name}"), refresh=None, expires_at=datetime.now(UTC))
        store.add_grant(
            app="Notes", environment=Environment.PRODUCTION, account=name, client_id="ID", user_id=None, email=None,
            zoom_account_id=None, scopes=(), api_url=None, tokens=pair,
        )
        store.rotate(batch=2)
"""


def test_processes_that_begin_together(tmp_path: Path, clock: Any) -> None:
    """Processes that make file, tables and key at the same moment, and go on to rotate it, can all read everything."""
    url = f"sqlite:///{tmp_path}/audit.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", JOIN_IN, url, f"a{number}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 4
    with open_store(url, key=KeySource(), clock=clock) as store:
        grants = store.grants()
        assert len(grants) == 20
        for grant in grants:
            assert store.tokens(grant_id=grant.id).access == Secret(f"access-{grant.account}")
