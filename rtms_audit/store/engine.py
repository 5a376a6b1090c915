"""Connections: SQLite files made private and durable, PostgreSQL through psycopg, errors turned into sentences."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from rtms_audit.errors import DatabaseError, UserError
from rtms_audit.settings import check_database_url

BUSY_TIMEOUT_S = 30
WRITES = "rtms_audit_writes"
"""The execution option of transactions that will write: on SQLite they take the write lock at their beginning."""


def read_url(text: str) -> URL:
    """Parse a database address; UserError where it is none, or of a kind that cannot be used."""
    try:
        url = make_url(check_database_url(text))
    except (ArgumentError, ValueError):
        raise UserError(
            "The database address cannot be read",
            next_step="Give one like sqlite:////home/me/audit.db or postgresql://USER@HOST/DATABASE.",
        ) from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if sqlite_path(url) is None and url.get_backend_name() == "sqlite":
        raise UserError("A SQLite database in memory cannot be shared or kept", next_step="Name a file.")
    return url


def sqlite_path(url: URL) -> Path | None:
    """Return the file of a SQLite database, None for any other database."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database)).expanduser()


def describe(url: URL) -> str:
    """Name a database in a sentence, without its password."""
    path = sqlite_path(url)
    return str(path) if path else url.render_as_string(hide_password=True)


def make_private_file(path: Path) -> None:
    """Make an empty file that only its owner can read, in a private folder; a file that exists stays as it is."""
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseError(
            f"The database {path} cannot be made: {error.strerror}",
            next_step="Name another place with --database or RTMS_AUDIT_DATABASE_URL.",
        ) from None


def connect(url: URL) -> Engine:
    """Make the engine; nothing is opened yet. UserError where the driver is missing or unknown."""
    path = sqlite_path(url)
    options: dict[str, Any] = {"hide_parameters": True}
    if path is not None:
        url = url.set(database=str(path))
        options |= {"connect_args": {"timeout": BUSY_TIMEOUT_S}, "max_overflow": -1}
    else:
        options |= {"pool_pre_ping": True, "max_overflow": 20}
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ImportError) as error:
        raise UserError(
            f"There is no driver for databases of the kind {url.get_backend_name()} ({error})",
            next_step="For PostgreSQL: pip install 'rtms-audit[postgresql]'.",
        ) from None
    if path is not None:
        _tune_sqlite(engine)
    return engine


def _tune_sqlite(engine: Engine) -> None:
    """Let SQLAlchemy, not the driver, begin transactions, and let writers take the lock before they read."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def reading(engine: Engine) -> Engine:
    """Return the engine for transactions that see one moment of the database throughout."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def writing(engine: Engine) -> Engine:
    """Return the engine for transactions that write."""
    return engine.execution_options(**{WRITES: True})


@contextmanager
def clear_errors(url: URL) -> Iterator[None]:
    """Turn what a driver says into a DatabaseError of one sentence; its parameters are never shown."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()
        raise DatabaseError(
            f"The database {describe(url)} cannot be used: {said[0] if said else type(error.orig).__name__}",
            next_step="Check its address, its permissions, and that it is a database of rtms-audit.",
        ) from error


def use_wal(path: Path) -> None:
    """Turn on write-ahead logging, which a SQLite file keeps from then on: readers never wait for the writer.

    Where another process is just at it, it is left to that one.
    """
    import sqlite3

    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
