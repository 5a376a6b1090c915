"""Migrations, configured in code: where a database stands, and how it gets to the newest revision.

The scripts lie in `migrations/` of a checkout and in `rtms_audit/migrations/` of an installed wheel.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, inspect, text

from rtms_audit.errors import DatabaseError
from rtms_audit.store import engine as engines
from rtms_audit.store.records import SchemaState
from rtms_audit.store.tables import AppRow

METADATA = AppRow.metadata
"""The tables as the program uses them; `rtms_audit.store.tables` has filled it."""
_ADVISORY_LOCK = 0x72746D73
"""`rtms` in ASCII: the number under which two upgrades of one PostgreSQL database wait for each other."""


def scripts_folder() -> Path:
    """Find the migration scripts, in a wheel or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "migrations"
    return packaged if packaged.is_dir() else package.parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["metadata"] = METADATA
    return config


def check(url: str) -> SchemaState:
    """Say where the database stands and what is still to be applied; nothing is written, a missing file stays missing.

    DatabaseError where it is of a newer version, or not a database of this program.
    """
    parsed = engines.read_url(url)
    path = engines.sqlite_path(parsed)
    if path is not None and not path.exists():
        return _state(None)
    engine = engines.connect(parsed)
    try:
        with engines.clear_errors(parsed), engine.connect() as connection:
            return _state(_revision(connection, parsed), parsed)
    finally:
        engine.dispose()


def upgrade(url: str, *, to: str = "head") -> SchemaState:
    """Bring the database to the newest revision, all or nothing; a missing SQLite file is made, readable by its owner.

    Returns the state that was found. DatabaseError where it is newer than this program, which touches nothing.
    """
    before = check(url)
    parsed = engines.read_url(url)
    if before.pending:
        _apply(parsed, to)
    return before


def _apply(url: URL, to: str) -> None:
    path = engines.sqlite_path(url)
    if path is not None:
        engines.make_private_file(path)
    engine = engines.connect(url)
    try:
        with engines.clear_errors(url), engines.writing(engine).begin() as connection:
            _wait_for_other_upgrades(connection)
            if _state(_revision(connection, url), url).pending:
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, to)
    finally:
        engine.dispose()


def _wait_for_other_upgrades(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})


def _revision(connection: Connection, url: URL) -> str | None:
    """Read the revision a database is at; None where it is empty."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None and set(inspect(connection).get_table_names()) - {"alembic_version"}:
        raise DatabaseError(
            f"The database {engines.describe(url)} holds tables that are not of rtms-audit",
            next_step="Name an empty database or a new file with --database.",
        )
    return current


def _state(current: str | None, url: URL | None = None) -> SchemaState:
    known = [step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
    if current is not None and current not in known:
        raise _too_new(current, known[-1], url)
    pending = known[known.index(current) + 1 :] if current else known
    return SchemaState(current=current, head=known[-1], pending=tuple(pending))


def _too_new(current: str, head: str, url: URL | None) -> DatabaseError:
    return DatabaseError(
        f"The database {engines.describe(url) if url else ''} is at revision {current}, which a newer version of "
        f"rtms-audit made; this one knows revisions up to {head}. Nothing was changed",
        next_step="Upgrade rtms-audit, or name another database with --database.",
    )


def require_current(url: URL) -> None:
    """Make and fill a new SQLite file; DatabaseError where an existing database is not at the newest revision."""
    text_url = url.render_as_string(hide_password=False)
    state = check(text_url)
    if state.is_current:
        return
    if state.current is None and engines.sqlite_path(url) is not None:
        upgrade(text_url)
        return
    raise DatabaseError(
        f"The database {engines.describe(url)} is at revision {state.current or 'none'}, "
        f"and this version of rtms-audit needs {state.head}",
        next_step="Run `rtms-audit db upgrade` (make a copy first).",
    )
