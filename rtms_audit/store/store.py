"""The store: one database, opened with `open_store`, holding all that the program knows.

    with open_store(None, clock=clock) as store:
        store.append(app="Notes", observations=seen)
        case = store.case(app="Notes")

Every method is one transaction: all of it happens, or nothing. A store may be used by many threads at once; another
process opens its own. No method returns a secret except `credentials`, `auditor`, `tokens`, `shared_token` and
`consume_state`, which return it as a `Secret`.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType

from rtms_audit.settings import Settings, default_database
from rtms_audit.store.apps import Accounts, Apps
from rtms_audit.store.engine import connect, describe, read_url, sqlite_path, use_wal
from rtms_audit.store.evidence import Evidence, Runs
from rtms_audit.store.grants import Grants
from rtms_audit.store.keys import KeySource
from rtms_audit.store.leases import Leases
from rtms_audit.store.rotation import Rotations
from rtms_audit.store.schema import require_current
from rtms_audit.store.shared import SharedTokens
from rtms_audit.store.states import States


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class Store(Apps, Accounts, States, Grants, SharedTokens, Leases, Evidence, Runs, Rotations):
    """All parts in one; close it, or use it as a context manager."""

    @property
    def place(self) -> str:
        """Where the data lie, for people: a file or an address without its password."""
        return describe(self._url)

    @property
    def key_place(self) -> str:
        """Where the key of the secrets is kept, for people."""
        return self._vault.source.place

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def open_store(
    url: str | None = None, *, key: KeySource | None = None, clock: Callable[[], datetime] = utc_now
) -> Store:
    """Open a database; without an address the SQLite file in the user's data directory.

    A SQLite file that is missing or empty is made (mode 0600, write-ahead log) and filled with tables. Keys are looked
    for when a secret is first needed; `key` None means as the environment says.

    Raises UserError for a malformed address, DatabaseError for a database that is too new, too old, or not ours.
    """
    parsed = read_url(url or default_database())
    require_current(parsed)
    path = sqlite_path(parsed)
    if path is not None:
        use_wal(path)
    source = key or KeySource.from_settings(Settings.from_environment(os.environ))
    source = source.beside(path, name=describe(parsed))
    return Store(url=parsed, engine=connect(parsed), source=source, clock=clock)
