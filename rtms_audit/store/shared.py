"""Tokens of no user (Server-to-Server, client credentials): one for all callers, since a new one may kill the old."""

from sqlalchemy.exc import IntegrityError

from rtms_audit.store.base import Base
from rtms_audit.store.records import Lease, TokenPair
from rtms_audit.store.tables import SharedTokenRow
from rtms_audit.store.vault import Identity


class SharedTokens(Base):
    """Access tokens under a name of the caller's choosing, such as `auditor:ACCOUNT`."""

    def shared_token(self, *, name: str) -> TokenPair | None:
        """Return the newest token under that name, None where there never was one; it may have expired."""
        self._vault.ready()
        with self._reading() as session:
            row = session.get(SharedTokenRow, name)
            if row is None:
                return None
            access = self._need_secret(session, _identity(row))
            return TokenPair(access=access, refresh=None, expires_at=row.expires_at, version=row.version)

    def put_shared_token(
        self, *, name: str, expected_version: int, tokens: TokenPair, lease: Lease | None = None
    ) -> bool:
        """Save a newer token; `expected_version` is 0 for the first. False where somebody saved a newer one."""
        self._vault.ready()
        try:
            return self._swap_shared(name, expected_version, tokens, lease)
        except IntegrityError:
            return False

    def _swap_shared(self, name: str, expected_version: int, tokens: TokenPair, lease: Lease | None) -> bool:
        with self._writing() as session:
            row = session.get(SharedTokenRow, name, with_for_update=True)
            if row is None:
                row = SharedTokenRow(name=name, version=0)
            elif row.version != expected_version and not (lease and row.fencing < lease.fencing):
                return False
            row.version, row.expires_at, row.refreshed_at = row.version + 1, tokens.expires_at, self._now()
            row.fencing = lease.fencing if lease else row.fencing
            session.add(row)
            session.flush()
            self._put_secret(session, _identity(row), tokens.access)
            return True


def _identity(row: SharedTokenRow) -> Identity:
    return Identity(owner=f"shared:{row.name}", kind="access token", version=row.version)
