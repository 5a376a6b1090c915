"""Keys of the vault: which there are, and moving everything under a new one while others go on working."""

from collections.abc import Callable

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from rtms_audit.store.base import Base
from rtms_audit.store.keys import key_id, new_key
from rtms_audit.store.records import KeyRecord, Rotation
from rtms_audit.store.tables import SealedRow
from rtms_audit.store.vault import Sealed, missing_key


class Rotations(Base):
    """The keys, and their rotation."""

    def keys(self) -> tuple[KeyRecord, ...]:
        """Return every key that is at hand or needed, the encrypting one first, with the number of secrets under it."""
        rows = self._rows_by_key()
        have = tuple(key_id(key) for key in self._vault.source.load())
        names = (*have, *sorted(set(rows) - set(have)))
        return tuple(
            KeyRecord(
                key_id=name, rows=rows.get(name, 0), available=name in have, encrypts=name == names[0] and bool(have)
            )
            for name in names
        )

    def rotate(self, *, batch: int = 100, on_batch: Callable[[int, int], None] | None = None) -> Rotation:
        """Re-encrypt all secrets under the first key, `batch` rows a transaction; `on_batch` gets (done, left).

        Where the program keeps the key itself a new key is made first; the old one is thrown away from a key file once
        nothing needs it, and stays in a keyring, since other processes do not notice its change. Where
        RTMS_AUDIT_KEY gives it, put the new key in front there: `NEW,OLD`; OLD may also lie in the key file. A rotation
        that was interrupted goes on where it stopped. VaultKeyError, and nothing changed, where a key is missing.
        """
        with self._vault.rotating():
            self._vault.ready()
            self._begin()
            done = self._reseal_all(batch, on_batch)
            self._retire_keys()
        return Rotation(key_id=self._vault.key_ids()[0], rotated=done)

    def _begin(self) -> None:
        """Make sure that every key is at hand; put a new one in front if we keep them and no rotation is under way."""
        source = self._vault.source
        with self._alone() as session:
            keys = self._vault.keys()
            first, *others = have = tuple(key_id(key) for key in keys)
            used = frozenset(session.exec(select(SealedRow.key_id).distinct()).all())
            if not used <= set(have):
                raise missing_key(used - set(have), have)
            under_way = bool(others) if source.can_drop() else bool(used - {first})
            if source.can_create() and not under_way:
                source.store((new_key(), *keys))
        self._vault.reload(force=True)

    def _reseal_all(self, batch: int, on_batch: Callable[[int, int], None] | None) -> int:
        done = 0
        while True:
            first = self._vault.key_ids()[0]
            with self._writing() as session:
                self._hold_keys(session)
                done += self._reseal_some(session, first, batch)
            left = sum(count for name, count in self._rows_by_key().items() if name != first)
            if on_batch:
                on_batch(done, left)
            if not left:
                return done

    def _reseal_some(self, session: Session, first: str, batch: int) -> int:
        """Re-encrypt some rows; one that was replaced since it was read is left to the next round."""
        old = select(SealedRow).where(SealedRow.key_id != first).order_by(col(SealedRow.id)).limit(batch)
        done = 0
        for row in session.exec(old).all():
            sealed = self._vault.reseal(Sealed(key_id=row.key_id, ciphertext=row.ciphertext))
            swap = update(SealedRow).where(col(SealedRow.id) == row.id, col(SealedRow.ciphertext) == row.ciphertext)
            values = {"key_id": sealed.key_id, "ciphertext": sealed.ciphertext}
            done += session.connection().execute(swap.values(**values)).rowcount
        return done

    def _retire_keys(self) -> None:
        """Throw away the keys that protect nothing any more; nobody can seal under them while we look."""
        if not self._vault.source.can_drop():
            return
        with self._alone() as session:
            used = set(session.exec(select(SealedRow.key_id).distinct()).all())
            first, *others = self._vault.keys()
            kept = (first, *(key for key in others if key_id(key) in used))
            if len(kept) <= len(others):
                self._vault.source.store(kept)

    def _rows_by_key(self) -> dict[str, int]:
        counted = select(SealedRow.key_id, func.count()).group_by(col(SealedRow.key_id))
        with self._reading() as session:
            return {name: count for name, count in session.exec(counted).all()}  # noqa: C416 - rows, not pairs
