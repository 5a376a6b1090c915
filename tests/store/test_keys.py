"""Where keys come from, and who may read them."""

import logging
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rtms_audit.core.secret import Secret
from rtms_audit.errors import VaultKeyError
from rtms_audit.settings import Settings
from rtms_audit.store.keys import KeySource, key_id, new_key, read_key_file


class Keyring:
    """A keyring that keeps passwords in a dict; `broken` raises, `locked` never answers."""

    def __init__(self, *, broken: bool = False, locked: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = broken
        self.wait = threading.Event()
        self.locked = locked

    def _fail(self) -> None:
        if self.broken:
            raise RuntimeError("No recommended backend was available")
        if self.locked:
            self.wait.wait()

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return what is kept."""
        self._fail()
        return self.kept.get((service_name, username))

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep it."""
        self._fail()
        self.kept[service_name, username] = password


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a key file."""
    path.write_text(text)
    path.chmod(mode)
    return path


def test_key_id_names_a_key_without_showing_it() -> None:
    """A key's id is short, stable, and no part of the key."""
    key = new_key()
    assert key_id(key) == key_id(Secret(key.reveal()))
    assert len(key_id(key)) == 8
    assert key_id(key) not in key.reveal()
    assert key_id(key) != key_id(new_key())


def test_file_is_made_private_from_its_first_moment(tmp_path: Path) -> None:
    """A key file is made with mode 0600 whatever the umask, in a private folder, and nothing is left beside it."""
    path = tmp_path / "deep" / "audit.db.key"
    before = os.umask(0)
    try:
        KeySource(file=path).create()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["audit.db.key"]


def test_making_a_key_never_replaces_one(tmp_path: Path) -> None:
    """Of eight that make the first key at the same moment one wins, and all of them read the same key."""
    source = KeySource(file=tmp_path / "k")
    gate = threading.Barrier(8)

    def create(_: int) -> str:
        gate.wait()
        source.create()
        return key_id(source.load()[0])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(8)))) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_loose_permissions_are_refused(tmp_path: Path, mode: int) -> None:
    """A key file that others can read is not used, and the error says how to mend it."""
    path = write(tmp_path / "k", new_key().reveal(), mode)
    with pytest.raises(VaultKeyError, match=f"can be read by others \\(mode {mode:04o}\\)") as caught:
        read_key_file(path)
    assert caught.value.next_step == f"Run: chmod 600 {path}"


def test_file_holds_several_keys(tmp_path: Path) -> None:
    """A key file has one key a line, the first one encrypting; a missing file has none."""
    keys = [new_key(), new_key()]
    path = write(tmp_path / "k", "\n".join(key.reveal() for key in keys) + "\n\n")
    assert list(read_key_file(path)) == keys
    assert read_key_file(tmp_path / "none") == ()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"short", b"x" * 44])
def test_unreadable_key(tmp_path: Path, content: bytes) -> None:
    """A file or a variable that holds no key is an error that does not repeat what it holds."""
    path = tmp_path / "k"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(VaultKeyError) as caught:
        KeySource(file=path).load()
    assert "short" not in str(caught.value)
    with pytest.raises(VaultKeyError, match="cannot be read"):
        read_key_file(tmp_path)


def test_environment_comes_first(tmp_path: Path) -> None:
    """The keys of the environment encrypt; those of the file still decrypt, and no key is named twice."""
    first, second, third = new_key(), new_key(), new_key()
    path = write(tmp_path / "k", f"{third.reveal()}\n{first.reveal()}\n")
    settings = Settings(database_url="sqlite:///x.db", keys=(first, second), key_file=path)
    source = KeySource.from_settings(settings)
    assert source.load() == (first, second, third)
    assert not source.can_create()


def test_file_beside_the_database(tmp_path: Path) -> None:
    """The key file of a SQLite database lies beside it, unless another one is named; other databases have none."""
    database = tmp_path / "audit.db"
    assert KeySource().beside(database, name="n").file == tmp_path / "audit.db.key"
    assert KeySource(file=tmp_path / "k").beside(database, name="n").file == tmp_path / "k"
    nowhere = KeySource().beside(None, name="n")
    assert (nowhere.file, nowhere.can_create(), nowhere.stamp()) == (None, False, None)
    with pytest.raises(VaultKeyError, match="no key"):
        nowhere.create()


def test_keyring_keeps_the_key(tmp_path: Path) -> None:
    """If asked for, the key is made in, and read from, the operating system's keyring, and no file is made."""
    keyring = Keyring()
    source = KeySource(keyring=True, keyring_backend=keyring, file=tmp_path / "k", keyring_name="db")
    assert source.load() == ()
    source.create()
    assert list(keyring.kept) == [("rtms-audit", "db")]
    assert len(source.load()) == 1
    assert not (tmp_path / "k").exists()
    keys = (new_key(), *source.load())
    source.store(keys)
    assert source.load() == keys


def test_keyring_is_not_asked_unasked(tmp_path: Path) -> None:
    """Without being told to, nothing touches the keyring."""
    source = KeySource(keyring_backend=Keyring(broken=True), file=tmp_path / "k")
    source.create()
    assert len(source.load()) == 1


def test_broken_keyring_warns_and_falls_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A keyring that is not available is warned of, and the file is used."""
    source = KeySource(keyring=True, keyring_backend=Keyring(broken=True), file=tmp_path / "k")
    with caplog.at_level(logging.WARNING):
        source.create()
        assert len(source.load()) == 1
    assert "keyring is not available (RuntimeError)" in caplog.text


def test_locked_keyring_has_a_time_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A keyring that waits for a person is given up after its time limit."""
    keyring = Keyring(locked=True)
    source = KeySource(keyring=True, keyring_backend=keyring, keyring_timeout=0.05, file=tmp_path / "k")
    with caplog.at_level(logging.WARNING):
        assert source.load() == ()
    keyring.wait.set()
    assert "no answer within 0.05 s" in caplog.text


def test_system_keyring_is_the_default(caplog: pytest.LogCaptureFixture) -> None:
    """Without another backend the library `keyring` is asked, which finds none on this machine."""
    source = KeySource(keyring=True)
    with caplog.at_level(logging.WARNING):
        assert source.load() == ()
        with pytest.raises(VaultKeyError, match="no key"):
            source.create()
    assert "keyring is not available" in caplog.text


def test_stamp_changes_with_the_file(tmp_path: Path) -> None:
    """A key file that was replaced is noticed, however quickly and by a file of whatever size."""
    source = KeySource(file=tmp_path / "k")
    stamps: list[object] = [source.stamp()]
    source.create()
    for _ in range(50):
        stamps.append(source.stamp())
        source.store((new_key(),))
    assert len(set(stamps)) == 51
