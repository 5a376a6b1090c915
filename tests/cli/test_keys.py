"""The keys of the vault, through the real program: rotated, killed half-way, wrong, missing, in a keyring."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.settings import sqlite_url
from rtms_audit.store.keys import KeySource, new_key
from rtms_audit.store.records import TokenPair
from rtms_audit.store.store import open_store

PROGRAM = [sys.executable, "-m", "rtms_audit"]
GRANTS = 60
Run: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]

KEYRING = """
import json, pathlib
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    priority = 1
    place = pathlib.Path(__file__).with_name("ring.json")
    def _all(self):
        return json.loads(self.place.read_text()) if self.place.exists() else {}
    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")
    def set_password(self, service, username, password):
        self.place.write_text(json.dumps({**self._all(), f"{service} {username}": password}))
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a function that runs the program on a database of this test."""

    def call(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        surroundings = {**os.environ, "RTMS_AUDIT_DATABASE_URL": sqlite_url(tmp_path / "audit.db"), **environ}
        return subprocess.run(
            [*PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60, env=surroundings,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return call


def add_app(run: Run, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Register a pair, which puts a secret away."""
    add = ("app", "add", "notes", "--environment", "production", "--client-id", "ID")
    return run(*add, RTMS_AUDIT_CLIENT_SECRET="the-secret", **environ)


def fill(folder: Path) -> None:
    """Put many secrets away under a key file, as the program does by default."""
    with open_store(sqlite_url(folder / "audit.db"), key=KeySource()) as store:
        for number in range(GRANTS):
            store.add_grant(
                app="notes", environment=Environment.PRODUCTION, account=f"a{number}", client_id="ID", user_id=None,
                email=None, zoom_account_id=None, scopes=(), api_url=None,
                tokens=TokenPair(access=Secret(f"a-{number}"), refresh=Secret(f"r-{number}"),
                                 expires_at=datetime.now(UTC)),
            )  # fmt: skip


def listed(run: Run, **environ: str) -> list[tuple[str, int, str]]:
    """List the keys: id, number of secrets, whether at hand."""
    rows = json.loads(run("keys", "list", "--format", "json", **environ).stdout)
    return [(row["key"], row["secrets"], row["at hand"]) for row in rows]


def test_a_rotation_that_was_killed_goes_on_where_it_stopped(run: Run, tmp_path: Path) -> None:
    """In between everything stays readable under two keys; at the end one key is left, also in the file."""
    fill(tmp_path)
    ((old, secrets, _),) = listed(run)
    process = subprocess.Popen(
        [*PROGRAM, "keys", "rotate", "--batch", "1", "-v"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "RTMS_AUDIT_DATABASE_URL": sqlite_url(tmp_path / "audit.db")},
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == f"1 re-encrypted, {secrets - 1} to go\n"
    process.kill()
    process.communicate()
    half_way = listed(run)
    assert len(half_way) == 2
    assert sum(rows for _, rows, _ in half_way) == secrets
    assert all(rows > 0 for _, rows, _ in half_way), "it was killed half-way"
    with open_store(sqlite_url(tmp_path / "audit.db"), key=KeySource()) as store:
        assert [store.tokens(grant_id=one.id).refresh for one in store.grants()][-1] == Secret(f"r-{GRANTS - 1}")
    done = run("keys", "rotate")
    assert f"secrets are under key {half_way[0][0]} now" in done.stdout
    assert listed(run) == [(half_way[0][0], secrets, "yes")]
    assert old not in done.stdout
    assert len((tmp_path / "audit.db.key").read_text(encoding="ascii").split()) == 1


def test_a_wrong_or_missing_key_names_the_one_that_is_needed_and_touches_nothing(run: Run, tmp_path: Path) -> None:
    """With its key back, the database is as it was, byte for byte in what is sealed."""
    assert add_app(run).returncode == 0
    ((needed, _, _),) = listed(run)
    key = tmp_path / "audit.db.key"
    right = key.read_text(encoding="ascii")
    key.unlink()
    missing = add_app(run)
    wrong = add_app(run, RTMS_AUDIT_KEY=new_key().reveal())
    rotated = run("keys", "rotate", RTMS_AUDIT_KEY=new_key().reveal())
    for refused in (missing, wrong, rotated):
        assert refused.returncode == 2
        assert f"protected by key {needed}" in refused.stderr
        assert "nothing was changed" in refused.stderr
    assert not key.exists(), "no new key was made over the head of the old one"
    assert listed(run)[-1] == (needed, 1, "MISSING")
    key.write_text(right, encoding="ascii")
    key.chmod(0o600)
    assert add_app(run).returncode == 0
    assert listed(run) == [(needed, 1, "yes")]


def test_a_wrong_key_is_told_once_and_not_install_by_install(run: Run, tmp_path: Path) -> None:
    """It is a matter of configuration (exit code 2), not of what Zoom answers, and every token stays."""
    assert add_app(run).returncode == 0
    for label in ("a0", "a1"):
        assert run("account", "add", label).returncode == 0
    fill(tmp_path)
    before = listed(run)
    wrong = {
        "Key number 1 is not a key": {"RTMS_AUDIT_KEY": "garbage"},
        "RTMS_AUDIT_KEY gives key": {"RTMS_AUDIT_KEY": "A" * 43 + "="},
        "and no key was given": {"RTMS_AUDIT_KEY_FILE": "/nope"},
    }
    nowhere = {"RTMS_AUDIT_ZOOM_OAUTH_URL": "http://127.0.0.1:9", "RTMS_AUDIT_ZOOM_API_URL": "http://127.0.0.1:9/v2"}
    for (said, environ), command in zip(
        wrong.items(), (("installs", "refresh"), ("installs", "list", "--live"), ("collect",)), strict=True
    ):
        done = run(*command, **environ, **nowhere)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert (done.stderr.count(said), done.stderr.count("Next: ")) == (1, 1), done.stderr
    assert listed(run) == before


def test_a_key_from_the_environment_is_rotated_by_putting_the_new_one_in_front(run: Run) -> None:
    """`NEW,OLD`, then NEW alone."""
    old, new = new_key().reveal(), new_key().reveal()
    assert add_app(run, RTMS_AUDIT_KEY=old).returncode == 0
    assert "1 secrets are under" in run("keys", "rotate", RTMS_AUDIT_KEY=f"{new},{old}").stdout
    assert [row[1:] for row in listed(run, RTMS_AUDIT_KEY=new)] == [(1, "yes")]


def test_the_keyring_keeps_the_key_where_it_is_wanted(run: Run, tmp_path: Path) -> None:
    """No key file is made, and the doctor says where the key is."""
    (tmp_path / "filering.py").write_text(KEYRING, encoding="utf-8")
    ring = {
        "RTMS_AUDIT_KEYRING": "1", "PYTHON_KEYRING_BACKEND": "filering.Ring", "PYTHONPATH": str(tmp_path),
    }  # fmt: skip
    assert add_app(run, **ring).returncode == 0
    assert not (tmp_path / "audit.db.key").exists()
    assert [row[1:] for row in listed(run, **ring)] == [(1, "yes")]
    nowhere = "http://127.0.0.1:9"
    told = run("doctor", **ring, RTMS_AUDIT_ZOOM_OAUTH_URL=f"{nowhere}/oauth", RTMS_AUDIT_ZOOM_API_URL=f"{nowhere}/v2")
    assert "in the operating system's keyring protects 1 secrets" in told.stdout


def test_a_keyring_that_is_not_available_is_warned_of(run: Run, tmp_path: Path) -> None:
    """The key file is used then."""
    done = add_app(run, RTMS_AUDIT_KEYRING="1")
    assert done.returncode == 0
    assert "keyring is not available" in done.stderr
    assert (tmp_path / "audit.db.key").exists()
