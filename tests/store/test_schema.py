"""Migrations: from every revision to the newest, and nothing touched where they cannot go."""

import configparser
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from rtms_audit.errors import DatabaseError
from rtms_audit.store import schema
from rtms_audit.store.engine import read_url
from rtms_audit.store.store import open_store

REVISIONS = [step.revision for step in reversed(list(ScriptDirectory(schema.scripts_folder()).walk_revisions()))]
HEAD = REVISIONS[-1]
ROOT = Path(__file__).parents[2]


def run(url: str, statement: str) -> None:
    """Change a database by hand."""
    engine = create_engine(read_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_tables_are_those_of_the_migrations(url: str) -> None:
    """What the migrations make is what the program uses: nothing is missing, superfluous or of another type."""
    engine = create_engine(read_url(url))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.METADATA) == []
    engine.dispose()


@pytest.mark.parametrize("start", [None, *REVISIONS])
def test_upgrade_from_every_revision(empty_url: str, start: str | None, clock: Any) -> None:
    """From every revision there ever was a database gets to the newest, with what was in it, and works."""
    if start:
        schema.upgrade(empty_url, to=start)
        run(empty_url, "INSERT INTO app (name, owner, created_at) VALUES ('Notes', 'dev-co', '2026-03-02 10:00:00')")
    before = schema.check(empty_url)
    assert before.current == start
    assert list(before.pending) == REVISIONS[REVISIONS.index(start) + 1 if start else 0 :]
    assert before.is_current == (start == HEAD)
    assert schema.upgrade(empty_url) == before
    assert schema.check(empty_url) == schema.upgrade(empty_url)
    assert schema.check(empty_url).is_current
    with open_store(empty_url, clock=clock) as store:
        assert [app.owner for app in store.apps()] == (["dev-co"] if start else [])
    engine = create_engine(read_url(empty_url))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.METADATA) == []
    engine.dispose()


def test_failed_upgrade_leaves_the_old_revision(empty_url: str) -> None:
    """An upgrade that fails half-way changes nothing."""
    schema.upgrade(empty_url, to=REVISIONS[0])
    run(empty_url, "CREATE TABLE shared_token (name INTEGER)")
    with pytest.raises(DatabaseError):
        schema.upgrade(empty_url)
    assert schema.check(empty_url).current == REVISIONS[0]
    engine = create_engine(read_url(empty_url))
    with engine.connect() as connection, pytest.raises(Exception, match="noted_install"):
        connection.execute(text("SELECT * FROM noted_install"))
    engine.dispose()


def test_newer_database_is_not_touched(url: str, tmp_path: Path, clock: Any) -> None:
    """A database of a newer version is refused by everything, with a clear sentence, and no byte of it changes."""
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    before = [file.read_bytes() for file in tmp_path.glob("audit.db")]
    for attempt in (schema.check, schema.upgrade, lambda it: open_store(it, clock=clock)):
        with pytest.raises(DatabaseError, match=f"revision 9999, which a newer version .* up to {HEAD}") as caught:
            attempt(url)
        assert "Upgrade rtms-audit" in str(caught.value.next_step)
    assert [file.read_bytes() for file in tmp_path.glob("audit.db")] == before


def test_older_database_is_not_upgraded_unasked(empty_url: str, clock: Any) -> None:
    """An existing database of an older version is left to `db upgrade`."""
    schema.upgrade(empty_url, to=REVISIONS[0])
    with pytest.raises(DatabaseError, match=f"revision {REVISIONS[0]}, .* needs {HEAD}") as caught:
        open_store(empty_url, clock=clock)
    assert "rtms-audit db upgrade" in str(caught.value.next_step)
    assert schema.check(empty_url).current == REVISIONS[0]


def test_empty_postgresql_waits_for_upgrade(postgres: Callable[[str | None], str], clock: Any) -> None:
    """Tables are made in somebody's PostgreSQL only when asked for."""
    with pytest.raises(DatabaseError, match="revision none"):
        open_store(postgres(None), clock=clock)


def test_foreign_database_is_refused(empty_url: str, clock: Any) -> None:
    """A database with tables of something else is not ours to fill."""
    if empty_url.startswith("sqlite"):
        with sqlite3.connect(str(read_url(empty_url).database)) as connection:
            connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.close()
    else:
        run(empty_url, "CREATE TABLE recipes (name TEXT)")
    for attempt in (schema.upgrade, lambda it: open_store(it, clock=clock)):
        with pytest.raises(DatabaseError, match="not of rtms-audit"):
            attempt(empty_url)


def test_file_that_is_no_database(tmp_path: Path, clock: Any) -> None:
    """A file of another kind is an error of one sentence, and stays as it was."""
    path = tmp_path / "audit.db"
    path.write_text("Dear diary, " * 200)
    with pytest.raises(DatabaseError, match="cannot be used: file is not a database"):
        open_store(f"sqlite:///{path}", clock=clock)
    assert path.read_text() == "Dear diary, " * 200


def test_check_makes_nothing(tmp_path: Path) -> None:
    """Looking at a database that is not there does not make it."""
    state = schema.check(f"sqlite:///{tmp_path}/none/audit.db")
    assert (state.current, list(state.pending)) == (None, REVISIONS)
    assert list(tmp_path.iterdir()) == []


def test_new_file_is_private_and_durable(sqlite_url: str, tmp_path: Path, clock: Any) -> None:
    """A new SQLite file, its log and its index can be read by their owner only, and writers do not block readers."""
    with open_store(sqlite_url, clock=clock) as store:
        store.put_account(label="a")
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("audit.db*")}
        assert files == {"audit.db": 0o600, "audit.db-wal": 0o600, "audit.db-shm": 0o600}
    with sqlite3.connect(tmp_path / "audit.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_eight_openers_of_a_new_file(sqlite_url: str, clock: Any) -> None:
    """Whoever opens a new file first fills it, and the others wait and find it filled."""
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: open_store(sqlite_url, clock=clock), range(8)))
    for number, store in enumerate(stores):
        store.put_account(label=str(number))
        store.close()
    assert schema.check(sqlite_url).is_current


def test_two_upgrades_at_once(empty_url: str) -> None:
    """Two upgrades of one database wait for each other."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(schema.upgrade, [empty_url] * 4))
    assert schema.check(empty_url).is_current


def test_every_script_is_shipped() -> None:
    """The packaging rules cover every file of the migrations, which a wheel keeps inside the package."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = config["options.package_data"]["rtms_audit.migrations"].split()
    shipped = {file for pattern in patterns for file in (ROOT / "migrations").glob(pattern)}
    there = {file for file in (ROOT / "migrations").rglob("*") if file.is_file() and file.suffix != ".pyc"}
    assert there == shipped
    assert {f"{name}" for name in REVISIONS} <= {file.name[1:5] for file in shipped}


def test_scripts_are_found_in_an_installed_package(tmp_path: Path) -> None:
    """Where the migrations lie inside the package, as a wheel puts them, they are used from there."""
    site = tmp_path / "site"
    copies = {"rtms_audit": ROOT / "rtms_audit", "rtms_audit/migrations": ROOT / "migrations"}
    for name, source in copies.items():
        for file in source.rglob("*"):
            if file.suffix in (".py", ".mako"):
                target = site / name / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    program = (
        "from rtms_audit.store import schema; import sys; schema.upgrade(sys.argv[1]); print(schema.scripts_folder())"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path}/a.db"],
        cwd=site, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(result.stdout.strip()) == site / "rtms_audit" / "migrations"
    assert schema.check(f"sqlite:///{tmp_path}/a.db").is_current
