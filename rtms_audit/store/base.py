"""What all parts of the store share: transactions, and putting secrets away and taking them out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import URL, Engine, text
from sqlmodel import Session, col, delete, select

from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError, VaultKeyError
from rtms_audit.store.engine import clear_errors, reading, writing
from rtms_audit.store.keys import KeySource
from rtms_audit.store.tables import SealedRow
from rtms_audit.store.vault import Identity, Sealed, Vault


class Base:
    """A database, a vault and a clock; the parts of the store build on it."""

    def __init__(self, *, url: URL, engine: Engine, source: KeySource, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._engine = engine
        self._clock = clock
        self._vault = Vault(source, needed=self._needed_keys, alone=self._alone)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        """Open a transaction that sees one moment of the database."""
        with clear_errors(self._url), Session(reading(self._engine)) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Open a transaction that is committed at its end, or rolled back by an error.

        It begins at once, not with the first statement: what is read of the keys inside it holds until its end.
        """
        with (
            clear_errors(self._url),
            Session(writing(self._engine), expire_on_commit=False) as session,
            session.begin(),
        ):
            session.connection()
            yield session

    def _needed_keys(self) -> frozenset[str]:
        """Return the ids of the keys under which secrets are stored."""
        with self._reading() as session:
            return frozenset(session.exec(select(SealedRow.key_id).distinct()).all())

    def _now(self) -> datetime:
        return self._clock()

    def _put_secret(self, session: Session, identity: Identity, secret: Secret) -> None:
        """Encrypt a secret for its row, over the one that was there."""
        self._hold_keys(session)
        sealed = self._vault.seal(identity, secret)
        row = session.exec(_sealed(identity)).one_or_none() or SealedRow(
            owner=identity.owner, kind=identity.kind, key_id="", ciphertext=""
        )
        row.key_id, row.ciphertext = sealed.key_id, sealed.ciphertext
        session.add(row)
        session.flush()

    def _take_secret(self, session: Session, identity: Identity) -> Secret | None:
        """Decrypt the secret of a row; None where it has none.

        Where its key is gone, a rotation may have ended since the row was read: it is read once more.
        """
        row = session.exec(_sealed(identity)).one_or_none()
        if row is None:
            return None
        try:
            return self._vault.open(identity, Sealed(key_id=row.key_id, ciphertext=row.ciphertext))
        except VaultKeyError:
            with self._reading() as later:
                now = later.exec(_sealed(identity)).one_or_none()
            if now is None or now.key_id == row.key_id:
                raise
            return self._vault.open(identity, Sealed(key_id=now.key_id, ciphertext=now.ciphertext))

    def _need_secret(self, session: Session, identity: Identity) -> Secret:
        """Decrypt the secret of a row; UserError where it has none."""
        secret = self._take_secret(session, identity)
        if secret is None:
            raise UserError(f"No {identity.kind} is stored for {identity.owner}", next_step="Enter it again.")
        return secret

    def _wipe_secrets(self, session: Session, owner: str) -> None:
        """Remove the secrets of a row from the database."""
        session.exec(delete(SealedRow).where(col(SealedRow.owner) == owner))

    @contextmanager
    def _alone(self) -> Iterator[Session]:
        """Open a transaction during which nobody else puts a secret away: the keys may be changed."""
        with self._writing() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.connection().execute(text("LOCK TABLE sealed_secret IN SHARE ROW EXCLUSIVE MODE"))
            yield session

    def _hold_keys(self, session: Session) -> None:
        """Keep a rotation from retiring a key between our choice of it and our commit.

        SQLite has one writer at a time anyway; on PostgreSQL this lock and the one of the rotation exclude each other.
        """
        if session.get_bind().dialect.name == "postgresql":
            session.connection().execute(text("LOCK TABLE sealed_secret IN ROW EXCLUSIVE MODE"))


def _sealed(identity: Identity):  # type: ignore[no-untyped-def]
    return select(SealedRow).where(SealedRow.owner == identity.owner, SealedRow.kind == identity.kind)
