"""The one door of secrets: what is stored is ciphertext that knows which row it belongs to.

Inside the ciphertext stand the secret and the identity of its row. Opening compares them, so that a row copied over
another one (an account's tokens into another account's grant) is refused instead of used.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from threading import Lock

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from rtms_audit.core.secret import Secret
from rtms_audit.errors import DatabaseError, VaultKeyError
from rtms_audit.store.keys import KeySource, Stamp, key_id

_READ_AGAIN: Stamp = b""  # the stamp of no key file


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose secret it is. `owner` names the row, `kind` the secret, `version` the pair of tokens it is part of."""

    owner: str
    kind: str
    app: str = ""
    environment: str = ""
    account: str = ""
    user: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An encrypted secret and the id of the key that opens it."""

    key_id: str
    ciphertext: str


class Vault:
    """Seals and opens secrets with the keys of a source.

    `needed` tells the key ids under which the database holds secrets; it is asked when keys are loaded, since a key may
    be made only where nothing was encrypted yet, and while `alone` keeps everybody else from doing so. A key
    file that changes is read again; keys once read go on opening.
    """

    def __init__(
        self,
        source: KeySource,
        *,
        needed: Callable[[], frozenset[str]],
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._source = source
        self._needed = needed
        self._alone = alone
        self._lock = Lock()
        self._stamp: Stamp = None
        self._current: tuple[str, ...] = ()
        self._keys: dict[str, Secret] = {}
        self._rotating = False

    @property
    def source(self) -> KeySource:
        """Where the keys come from."""
        return self._source

    def ready(self) -> None:
        """Load the keys, making the first one where that is allowed; VaultKeyError names the key that is missing."""
        with self._lock:
            if not self._current:
                self._load()

    def reload(self, *, force: bool = False) -> None:
        """Read the keys again if their file changed, or in any case."""
        with self._lock:
            if force or not self._current or self._source.stamp() != self._stamp:
                self._load()

    @contextmanager
    def rotating(self) -> Iterator[None]:
        """Let RTMS_AUDIT_KEY bring a key that protects nothing yet; otherwise it is taken for a stray one."""
        self._rotating = True
        try:
            yield
        finally:
            self._rotating, self._stamp = False, _READ_AGAIN

    def key_ids(self) -> tuple[str, ...]:
        """Return the ids of the keys at hand, the encrypting one first."""
        self.reload()
        return self._current

    def keys(self) -> tuple[Secret, ...]:
        """Return the keys at hand, the encrypting one first; for the rotation alone."""
        self.reload()
        return tuple(self._keys[name] for name in self._current)

    def seal(self, identity: Identity, secret: Secret) -> Sealed:
        """Encrypt a secret for its row."""
        fernet = self._fernet()
        text = json.dumps({"row": asdict(identity), "secret": secret.reveal()})
        return Sealed(key_id=self._current[0], ciphertext=fernet.encrypt(text.encode()).decode())

    def open(self, identity: Identity, sealed: Sealed) -> Secret:
        """Decrypt the secret of a row; VaultKeyError without its key, DatabaseError where it is not that row's."""
        envelope = json.loads(self._decrypted(sealed))
        if envelope["row"] != asdict(identity):
            raise DatabaseError(
                f"The stored {identity.kind} of {identity.owner} was written for another row and is not used",
                next_step="Somebody changed the database by hand; restore it from a copy, or install again.",
            )
        return Secret(envelope["secret"])

    def reseal(self, sealed: Sealed) -> Sealed:
        """Encrypt what is sealed under the first key, without looking into it."""
        fernet = self._fernet(sealed.key_id)
        try:
            ciphertext = fernet.rotate(sealed.ciphertext).decode()
        except InvalidToken:
            raise _damaged(sealed) from None
        return Sealed(key_id=self._current[0], ciphertext=ciphertext)

    def _decrypted(self, sealed: Sealed) -> bytes:
        try:
            return self._fernet(sealed.key_id).decrypt(sealed.ciphertext)
        except InvalidToken:
            raise _damaged(sealed) from None

    def _fernet(self, opens: str | None = None) -> MultiFernet:
        """Return the keys as they are now; with `opens` only after making sure that this key is among them."""
        self.reload()
        if opens is not None and opens not in self._keys:
            self.reload(force=True)
        if opens is not None and opens not in self._keys:
            raise missing_key(frozenset({opens}), self._current)
        others = [name for name in self._keys if name not in self._current]
        return MultiFernet([Fernet(self._keys[name].reveal()) for name in (*self._current, *others)])

    def _load(self) -> None:
        """Read the keys and look whether they fit the database, before anything is used."""
        stamp = self._source.stamp()
        found = self._source.load()
        if not found:
            found, stamp = self._first_key()
        names = tuple(key_id(key) for key in found)
        needed = self._needed()
        if needed and needed.isdisjoint({*names, *self._keys}):
            if self._source.stamp() != stamp:  # a rotation went by between our look at the keys and at the rows
                return self._load()
            raise missing_key(needed, names)
        given = tuple(key_id(key) for key in self._source.keys)
        if needed and given and not self._rotating and needed.isdisjoint(given):
            raise _stray_key(given[0], needed)
        self._keys.update(zip(names, found, strict=True))
        self._current, self._stamp = names, stamp
        return None

    def _first_key(self) -> tuple[tuple[Secret, ...], Stamp]:
        needed = self._needed()
        if needed:
            raise missing_key(needed, ())
        if not self._source.can_create():
            raise self._source.nowhere()
        with self._alone():
            if not self._source.load():
                self._source.create()
            return self._source.load(), self._source.stamp()


def missing_key(needed: frozenset[str], have: tuple[str, ...]) -> VaultKeyError:
    """Return the error that names the keys that are needed, and those that were given instead."""
    wanted = ", ".join(sorted(needed))
    given = f"the key given is {', '.join(have)}" if have else "no key was given"
    return VaultKeyError(
        f"The secrets in this database are protected by key {wanted}, and {given}; nothing was changed",
        next_step=f"Give key {wanted} by RTMS_AUDIT_KEY or RTMS_AUDIT_KEY_FILE, or put its key file back in place.",
    )


def _stray_key(given: str, needed: frozenset[str]) -> VaultKeyError:
    """Return the error of a key that would encrypt, though another place's key is the one of this database."""
    wanted = ", ".join(sorted(needed))
    return VaultKeyError(
        f"RTMS_AUDIT_KEY gives key {given}, but the secrets in this database are protected by key {wanted}; "
        "nothing was changed",
        next_step=f"Unset RTMS_AUDIT_KEY to go on with key {wanted}, or run `rtms-audit keys rotate` to move "
        f"everything under key {given}.",
    )


def _damaged(sealed: Sealed) -> DatabaseError:
    return DatabaseError(
        f"A stored secret (key {sealed.key_id}) is damaged and cannot be opened",
        next_step="Restore the database from a copy, or enter the credentials and install again.",
    )
