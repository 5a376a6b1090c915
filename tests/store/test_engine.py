"""Addresses of databases, and what is said of those that cannot be used."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

import rtms_audit.store
from rtms_audit.errors import DatabaseError, UserError
from rtms_audit.store import engine
from rtms_audit.store.store import Store, open_store, utc_now


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg"),
        ("sqlite:////tmp/a.db", "sqlite"),
        ("a.db", "sqlite"),
    ],
)
def test_addresses(given: str, driver: str) -> None:
    """Plain PostgreSQL addresses go through psycopg; others as they say."""
    assert engine.read_url(given).drivername == driver


@pytest.mark.parametrize("given", ["sqlite://", "sqlite:///:memory:", "postgresql://h:port/d", "hello:there", ""])
def test_malformed_addresses(given: str) -> None:
    """An address that cannot be used is an error with an example."""
    with pytest.raises(UserError) as caught:
        engine.read_url(given)
    assert caught.value.next_step


def test_unknown_driver() -> None:
    """A kind of database without a driver is an error that says what to install."""
    with pytest.raises(UserError, match="no driver for databases of the kind oracle9"):
        engine.connect(engine.read_url("oracle9://h/d"))
    with pytest.raises(UserError, match="no driver for databases of the kind postgresql"):
        engine.connect(engine.read_url("postgresql+pg8000://h/d"))


def test_passwords_are_not_described() -> None:
    """A database is named without its password."""
    assert "hush" not in engine.describe(engine.read_url("postgresql://u:hush@h/d"))


def test_unreachable_server(clock: Any) -> None:
    """A server that does not answer is an error of one sentence, without the password."""
    with pytest.raises(DatabaseError, match=r"cannot be used") as caught:
        open_store("postgresql://u:hush@127.0.0.1:1/d?connect_timeout=2", clock=clock)
    assert "hush" not in f"{caught.value} {caught.value.next_step}"


def test_place_that_cannot_be_made(tmp_path: Path, clock: Any) -> None:
    """A file where no file can be is an error that says where to name another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="cannot be made") as caught:
        open_store(f"sqlite:///{tmp_path}/file/audit.db", clock=clock)
    assert "--database" in str(caught.value.next_step)


def test_parameters_never_show(sqlite_store: Store) -> None:
    """An error of the database does not repeat the values that were written."""
    with (
        pytest.raises(DatabaseError) as caught,
        engine.clear_errors(sqlite_store._url),
        Session(sqlite_store._engine) as session,
    ):
        session.connection().execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": "planted"})
    shown = f"{caught.value!r} {caught.value.__cause__}"
    assert "no such table" in shown
    assert "planted" not in shown


def test_default_place(clock: Any) -> None:
    """Without an address the database lies in the user's data directory, and its key is read from the environment."""
    with open_store(clock=clock) as store:
        assert store.place.endswith("rtms-audit/audit.db")
        assert Path(store.place).exists()
    assert utc_now().utcoffset() is not None
    assert "rtms_audit.store.store" in sys.modules


def test_records_load_no_database_library() -> None:
    """Whoever needs the records alone does not load SQLModel; whoever asks for `open_store` gets it there."""
    program = (
        "import sys; import rtms_audit.store.records; assert 'sqlalchemy' not in sys.modules;"
        "from rtms_audit.store import Store, open_store; assert open_store.__annotations__['return'] is Store"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="no attribute 'Stoer'"):
        _ = rtms_audit.store.Stoer  # type: ignore[attr-defined]
