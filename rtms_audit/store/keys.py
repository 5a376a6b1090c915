"""Where the vault's keys come from: the environment, a key file beside the database, the OS keyring.

The first key encrypts, all of them decrypt. A key's id is a short hash of it, so that errors and rows can name it.
"""

import hashlib
import logging
import os
import secrets
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from cryptography.fernet import Fernet

from rtms_audit.core.secret import Secret
from rtms_audit.errors import VaultKeyError
from rtms_audit.settings import Settings

_logger = logging.getLogger(__name__)
_SERVICE = "rtms-audit"

Stamp: TypeAlias = bytes | None


class KeyringBackend(Protocol):
    """What is used of the library `keyring`."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return what is kept under the name, None where nothing is."""

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep it under the name."""


def key_id(key: Secret) -> str:
    """Return the short name of a key; it does not lead back to the key."""
    return hashlib.sha256(b"rtms-audit key " + key.reveal().encode()).hexdigest()[:8]


def new_key() -> Secret:
    """Make a fresh Fernet key."""
    return Secret(Fernet.generate_key().decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Which keys may be used. `file` None means the file beside a SQLite database, where there is one.

    The keyring is asked only if `keyring` is set, and for `keyring_timeout` seconds at most; without an answer a
    warning is logged and the file is used.
    """

    keys: tuple[Secret, ...] = ()
    file: Path | None = None
    keyring: bool = False
    keyring_backend: KeyringBackend | None = None
    keyring_timeout: float = 5.0
    keyring_name: str = "default"

    @classmethod
    def from_settings(cls, settings: Settings) -> "KeySource":
        """Take what the settings say."""
        return cls(keys=settings.keys, file=settings.key_file, keyring=settings.keyring)

    @property
    def place(self) -> str:
        """Where the key that encrypts is kept, for people."""
        if self.keys:
            return "RTMS_AUDIT_KEY"
        if self.keyring and self._from_keyring():
            return "the operating system's keyring"
        return str(self.file) if self.file else "nowhere"

    def beside(self, database: Path | None, *, name: str) -> "KeySource":
        """Fill in the file beside a SQLite database, and the name under which the keyring keeps this database's key."""
        beside = database.with_name(database.name + ".key") if database else None
        return replace(self, file=self.file or beside, keyring_name=name)

    def stamp(self) -> Stamp:
        """Return something that changes whenever the key file changes, None where there is no file.

        It is a hash of what the file holds: its time, size and inode can all be the same after a quick replacement, and
        a secret sealed under a key that was just thrown away would be lost.
        """
        if self.file is None:
            return None
        try:
            return hashlib.sha256(self.file.read_bytes()).digest()
        except OSError:
            return None

    def load(self) -> tuple[Secret, ...]:
        """Return every key, the encrypting one first; VaultKeyError where a place cannot be read or trusted."""
        found = [*self.keys, *self._from_keyring(), *(read_key_file(self.file) if self.file else ())]
        for number, key in enumerate(found, start=1):
            _require_fernet(key, number)
        return tuple({key_id(key): key for key in found}.values())

    def can_create(self) -> bool:
        """Whether a new key could be put somewhere: not where keys are given by the environment alone."""
        return not self.keys and (self.file is not None or self.keyring)

    def can_drop(self) -> bool:
        """Whether an old key may be thrown away: only from a file, whose change every process notices at once."""
        return self.can_create() and not self.keyring

    def create(self) -> None:
        """Make the first key and keep it; whoever else does so at the same moment, one key wins for both."""
        if self.keyring and self._to_keyring((new_key(),)):
            return
        if self.file is None:
            raise self.nowhere()
        _write_private(self.file, (new_key(),), replace_it=False)

    def store(self, keys: tuple[Secret, ...]) -> None:
        """Keep these keys in place of those that were kept, all or nothing."""
        if self.keyring and self._from_keyring():
            self._to_keyring(keys)
        elif self.file is not None:
            _write_private(self.file, keys, replace_it=True)

    def nowhere(self) -> VaultKeyError:
        """Return the error of having no key and no place for one."""
        return VaultKeyError(
            "There is no key for the secrets in this database",
            next_step="Set RTMS_AUDIT_KEY or RTMS_AUDIT_KEY_FILE (make a key: python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())').",
        )

    def _from_keyring(self) -> tuple[Secret, ...]:
        if not self.keyring:
            return ()
        kept = self._ask(lambda backend: backend.get_password(_SERVICE, self.keyring_name))
        return tuple(Secret(part) for part in (kept or "").split(",") if part)

    def _to_keyring(self, keys: tuple[Secret, ...]) -> bool:
        text = ",".join(key.reveal() for key in keys)

        def keep(backend: KeyringBackend) -> str:
            backend.set_password(_SERVICE, self.keyring_name, text)
            return "kept"

        return self._ask(keep) is not None

    def _ask(self, question: Callable[[KeyringBackend], str | None]) -> str | None:
        """Ask the keyring in a thread of its own, since a locked one may wait for a person for ever."""
        answers: list[str | None] = []
        problems: list[str] = []

        def ask() -> None:
            try:
                answers.append(question(self.keyring_backend or _system_keyring()))
            except Exception as error:  # noqa: BLE001 - every backend has errors of its own
                problems.append(type(error).__name__)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self.keyring_timeout)
        if answers:
            return answers[0]
        why = problems[0] if problems else f"no answer within {self.keyring_timeout:g} s"
        _logger.warning("The operating system's keyring is not available (%s); the key file is used.", why)
        return None


def _system_keyring() -> KeyringBackend:
    import keyring

    backend: KeyringBackend = keyring.get_keyring()
    return backend


def _require_fernet(key: Secret, number: int) -> None:
    try:
        Fernet(key.reveal())
    except ValueError:
        raise VaultKeyError(
            f"Key number {number} is not a key: 32 bytes in URL-safe base64 (44 characters) are needed",
            next_step="Check RTMS_AUDIT_KEY and the key file for cut or mixed-up text.",
        ) from None


def read_key_file(path: Path) -> tuple[Secret, ...]:
    """Read the keys of a file, one a line; none where there is no file.

    VaultKeyError where others than its owner may read it, or it cannot be read.
    """
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = file.read().split()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise VaultKeyError(
            f"The key file {path} cannot be read ({type(error).__name__})",
            next_step="Check its permissions and content.",
        ) from None
    if mode & 0o077:
        raise VaultKeyError(
            f"The key file {path} can be read by others (mode {mode:04o})", next_step=f"Run: chmod 600 {path}"
        )
    return tuple(Secret(line) for line in lines)


def _write_private(path: Path, keys: tuple[Secret, ...], *, replace_it: bool) -> None:
    """Write the file whole and readable by its owner only, then put it in place in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write("".join(f"{key.reveal()}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        if replace_it:
            draft.replace(path)
        else:
            _link_unless_there(draft, path)
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return


def _sync_folder(folder: Path) -> None:
    """Make sure that the file's name survives a power cut: a lost key is a lost vault."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
