"""Leases: one refresher at a time across threads, processes and machines; and what it was about to do.

Expiry is measured by the clocks of those who take leases: keep machines that share a database within a second or two.
"""

from datetime import datetime, timedelta

from sqlalchemy import Update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update

from rtms_audit.errors import UserError
from rtms_audit.store.base import Base
from rtms_audit.store.records import IntentRecord, Lease
from rtms_audit.store.tables import IntentRow, LeaseRow


class Leases(Base):
    """Who may do what alone, and which refreshes were begun."""

    def acquire_lease(self, *, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take a lease that is free or has expired; None while somebody, the same owner included, holds it.

        `owner` must differ between all that may hold it at once (machine, process and thread).
        """
        now = self._now()
        if self._is_held(name, now):
            return None
        taken = (
            update(LeaseRow)
            .where(col(LeaseRow.name) == name, col(LeaseRow.expires_at) <= now)
            .values(owner=owner, expires_at=now + ttl, fencing=LeaseRow.fencing + 1)
            .returning(col(LeaseRow.fencing))
        )
        with self._writing() as session:
            fencing = session.connection().execute(taken).scalar()
        if fencing is None and not self._add_lease(LeaseRow(name=name, owner=owner, fencing=1, expires_at=now + ttl)):
            return None
        return Lease(name=name, owner=owner, fencing=fencing or 1, expires_at=now + ttl)

    def is_leased(self, name: str) -> bool:
        """Whether somebody holds a lease now."""
        return self._is_held(name, self._now())

    def _is_held(self, name: str, now: datetime) -> bool:
        """Look before writing: those who wait must not keep the holder from writing its new tokens down."""
        with self._reading() as session:
            row = session.get(LeaseRow, name)
            return row is not None and row.expires_at > now

    def _add_lease(self, row: LeaseRow) -> bool:
        """Add the row of a name that nobody ever held; False where there is one, made just now perhaps."""
        try:
            with self._writing() as session:
                if session.get(LeaseRow, row.name) is not None:
                    return False
                session.add(row)
        except IntegrityError:
            return False
        return True

    def renew_lease(self, lease: Lease, *, ttl: timedelta) -> Lease | None:
        """Prolong a lease that is still ours, even where it just expired; None once somebody else took it."""
        until = self._now() + ttl
        with self._writing() as session:
            if session.connection().execute(_held(lease).values(expires_at=until)).rowcount != 1:
                return None
        return Lease(name=lease.name, owner=lease.owner, fencing=lease.fencing, expires_at=until)

    def release_lease(self, lease: Lease) -> bool:
        """Give a lease back; False, and nothing changed, where it is somebody else's by now."""
        with self._writing() as session:
            given = _held(lease).values(owner="", expires_at=self._now())
            return session.connection().execute(given).rowcount == 1

    def record_intent(self, *, grant_id: int, refresh_hash: str, owner: str, fencing: int) -> IntentRecord | None:
        """Write down that a refresh is about to be tried; None where the lease of that owner and number is over.

        Whoever gets None must not call Zoom: a successor may be doing so.
        """
        now = self._now()
        row = IntentRow(grant_id=grant_id, refresh_hash=refresh_hash, owner=owner, fencing=fencing, at=now)
        live = select(LeaseRow).where(
            LeaseRow.owner == owner, LeaseRow.fencing == fencing, col(LeaseRow.expires_at) > now
        )
        with self._writing() as session:
            if session.exec(live.with_for_update()).first() is None:
                return None
            session.add(row)
            session.flush()
            return _record(row)

    def intents(self, grant_id: int, *, open_only: bool = False) -> tuple[IntentRecord, ...]:
        """Return the refreshes that were begun, the oldest first; with `open_only` those that nobody ended."""
        chosen = select(IntentRow).where(IntentRow.grant_id == grant_id).order_by(col(IntentRow.id))
        if open_only:
            chosen = chosen.where(col(IntentRow.closed_at).is_(None))
        with self._reading() as session:
            return tuple(_record(row) for row in session.exec(chosen).all())

    def close_intent(self, *, intent_id: int, outcome: str) -> None:
        """Write down how a refresh ended, in a word; the first word stays. UserError where there is no such intent."""
        with self._writing() as session:
            row = session.get(IntentRow, intent_id)
            if row is None:
                raise UserError(f"There is no refresh of the number {intent_id}")
            if row.closed_at is None:
                row.closed_at, row.outcome = self._now(), outcome
            session.add(row)


def _held(lease: Lease) -> Update:
    return update(LeaseRow).where(
        col(LeaseRow.name) == lease.name, col(LeaseRow.owner) == lease.owner, col(LeaseRow.fencing) == lease.fencing
    )


def _record(row: IntentRow) -> IntentRecord:
    assert row.id is not None  # noqa: S101 - a row that was read or flushed has its number
    return IntentRecord(
        id=row.id, grant_id=row.grant_id, refresh_hash=row.refresh_hash, owner=row.owner, fencing=row.fencing,
        at=row.at, closed_at=row.closed_at, outcome=row.outcome,
    )  # fmt: skip
