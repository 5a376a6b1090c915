"""Databases to test on (a SQLite file, and a PostgreSQL server of the tests' own), a clock, and things to put in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.store import schema
from rtms_audit.store.keys import KeySource, new_key
from rtms_audit.store.records import GrantRecord, TokenPair
from rtms_audit.store.store import Store, open_store

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time of the moment."""
        return self.now

    def forward(self, **amount: float) -> None:
        """Move on."""
        self.now += timedelta(**amount)


@pytest.fixture
def clock() -> Clock:
    """Give a clock of 2026-03-02 10:00 UTC."""
    return Clock()


@pytest.fixture(scope="session")
def postgres_template(postgres: Callable[[str | None], str]) -> str:
    """Give the address of a PostgreSQL database at the newest revision, to copy."""
    url = postgres(None)
    schema.upgrade(url)
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the address of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path}/audit.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """Give the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("postgres")(None))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Give the address of a database at the newest revision, of each kind in turn."""
    if request.param == "sqlite":
        url = str(request.getfixturevalue("sqlite_url"))
        schema.upgrade(url)
        return url
    return str(request.getfixturevalue("postgres")(request.getfixturevalue("postgres_template")))


@pytest.fixture
def key() -> KeySource:
    """Give a key as `RTMS_AUDIT_KEY` would."""
    return KeySource(keys=(new_key(),))


@pytest.fixture
def store(url: str, key: KeySource, clock: Clock) -> Iterator[Store]:
    """Give an empty store, on each kind of database in turn."""
    with open_store(url, key=key, clock=clock) as opened:
        yield opened


@pytest.fixture
def sqlite_store(sqlite_url: str, key: KeySource, clock: Clock) -> Iterator[Store]:
    """Give an empty store on SQLite, where the kind of database makes no difference."""
    with open_store(sqlite_url, key=key, clock=clock) as opened:
        yield opened


@pytest.fixture
def pair() -> Callable[..., TokenPair]:
    """Give a function that makes tokens named after a word."""

    def make(word: str, *, refresh: bool = True) -> TokenPair:
        return TokenPair(
            access=Secret(f"access-{word}"),
            refresh=Secret(f"refresh-{word}") if refresh else None,
            expires_at=START + timedelta(hours=1),
        )

    return make


@pytest.fixture
def add_grant(pair: Callable[..., TokenPair]) -> Callable[..., GrantRecord]:
    """Give a function that adds a grant to a store."""

    def add(store: Store, **changes: Any) -> GrantRecord:
        values: dict[str, Any] = {
            "app": "Notes",
            "environment": Environment.PRODUCTION,
            "account": "outsider",
            "client_id": "PRODID",
            "user_id": "user-1",
            "email": "a@example.com",
            "zoom_account_id": "acc-1",
            "scopes": ("meeting:read", "user:read"),
            "api_url": "https://api.zoom.us",
            "tokens": pair("first"),
        }
        return store.add_grant(**(values | changes))

    return add
