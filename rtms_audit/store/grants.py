"""Grants and their tokens: appended by installs, replaced by compare-and-swap, never deleted.

When two refreshers of one grant meet, the pair that Zoom gave out last must win: a save goes through if nobody saved
since the saver read (`expected_version`), or if whoever did held an older lease (`fencing`) than the saver does. So a
holder that slept through its lease can hand in its pair as long as no successor has saved one, and can never overwrite
a successor's.
"""

from datetime import datetime

from sqlalchemy import Update, or_
from sqlmodel import Session, col, select, update

from rtms_audit.core.model import Environment
from rtms_audit.errors import UserError
from rtms_audit.store.base import Base
from rtms_audit.store.records import GrantRecord, GrantStatus, Lease, TokenPair
from rtms_audit.store.tables import GrantRow
from rtms_audit.store.vault import Identity

ACCESS = "access token"
REFRESH = "refresh token"


class Grants(Base):
    """The authorizations that accounts gave."""

    def add_grant(
        self,
        *,
        app: str,
        environment: Environment,
        account: str,
        client_id: str,
        user_id: str | None,
        email: str | None,
        zoom_account_id: str | None,
        scopes: tuple[str, ...],
        api_url: str | None,
        tokens: TokenPair,
    ) -> GrantRecord:
        """Append a grant; an earlier active one of the same install becomes superseded."""
        self._vault.ready()
        now = self._now()
        row = GrantRow(
            app=app, environment=environment, account=account, client_id=client_id, user_id=user_id, email=email,
            zoom_account_id=zoom_account_id, scopes=" ".join(scopes), api_url=api_url, status=GrantStatus.ACTIVE,
            created_at=now, refreshed_at=now, expires_at=tokens.expires_at,
        )  # fmt: skip
        with self._writing() as session:
            session.connection().execute(_supersede(row, now))
            session.add(row)
            session.flush()
            self._put_tokens(session, row, tokens)
            return _record(row)

    def grant(self, *, app: str, environment: Environment, account: str) -> GrantRecord | None:
        """Return the newest grant of an install, whatever its status; None where there never was one."""
        chosen = select(GrantRow).where(
            GrantRow.app == app, GrantRow.environment == str(environment), GrantRow.account == account
        )
        with self._reading() as session:
            row = session.exec(chosen.order_by(col(GrantRow.id).desc()).limit(1)).one_or_none()
            return _record(row) if row else None

    def grants(self, *, app: str | None = None) -> tuple[GrantRecord, ...]:
        """Return all grants, of one app or of all, the oldest first."""
        chosen = select(GrantRow).order_by(col(GrantRow.id))
        with self._reading() as session:
            rows = session.exec(chosen if app is None else chosen.where(GrantRow.app == app)).all()
            return tuple(_record(row) for row in rows)

    def grant_by_id(self, grant_id: int) -> GrantRecord:
        """Return a grant; UserError where there is none of that number."""
        with self._reading() as session:
            return _record(_row(session, grant_id))

    def tokens(self, *, grant_id: int) -> TokenPair:
        """Return the newest tokens of a grant, all of one version; UserError where they were wiped."""
        self._vault.ready()
        with self._reading() as session:
            row = _row(session, grant_id)
            if not row.has_tokens:
                raise UserError(
                    f"The tokens of {row.account}/{row.environment} were wiped ({row.status}: {row.reason})",
                    next_step=f"Install again: rtms-audit install {row.account} --environment {row.environment}",
                )
            return TokenPair(
                access=self._need_secret(session, _identity(row, ACCESS)),
                refresh=self._need_secret(session, _identity(row, REFRESH)) if row.has_refresh else None,
                expires_at=row.expires_at, version=row.version,
            )  # fmt: skip

    def replace_tokens(
        self,
        *,
        grant_id: int,
        expected_version: int,
        tokens: TokenPair,
        scopes: tuple[str, ...] | None = None,
        lease: Lease | None = None,
    ) -> bool:
        """Save a new pair if it is the newest there is; False, and nothing changed, where somebody saved a newer one.

        A dead grant becomes active again, since somebody just showed that it lives; a revoked one is left alone.
        `scopes` None leaves them as they are; a missing refresh token keeps the one that is stored.
        """
        self._vault.ready()
        with self._writing() as session:
            swap = _swap(grant_id, expected_version, lease).values(
                version=GrantRow.version + 1, fencing=lease.fencing if lease else GrantRow.fencing,
                refreshed_at=self._now(), expires_at=tokens.expires_at,
            )  # fmt: skip
            if session.connection().execute(swap).rowcount != 1:
                return False
            row = _row(session, grant_id)
            if scopes is not None:
                row.scopes = " ".join(scopes)
            if row.status == GrantStatus.DEAD:
                row.status, row.reason, row.changed_at = GrantStatus.ACTIVE, "", self._now()
            session.add(row)
            self._put_tokens(session, row, self._with_refresh(session, row, tokens))
            return True

    def mark_grant(
        self,
        *,
        grant_id: int,
        status: GrantStatus,
        reason: str,
        wipe: bool = False,
        expected_version: int | None = None,
        at: datetime | None = None,
    ) -> bool:
        """Set what a grant is worth now, and why; with `wipe` its tokens are removed for good.

        With `expected_version` it is marked only if nobody saved newer tokens meanwhile: then False, nothing changed.
        `at` is when it happened, where that is not now.
        """
        chosen = update(GrantRow).where(col(GrantRow.id) == grant_id)
        if expected_version is not None:
            chosen = chosen.where(col(GrantRow.version) == expected_version)
        values = {"status": str(status), "reason": reason, "changed_at": at or self._now()}
        with self._writing() as session:
            row = _row(session, grant_id)
            if session.connection().execute(chosen.values(**values)).rowcount != 1:
                return False
            if wipe:
                self._wipe_secrets(session, _identity(row, "").owner)
                session.connection().execute(chosen.values(has_tokens=False))
            return True

    def _put_tokens(self, session: Session, row: GrantRow, tokens: TokenPair) -> None:
        row.has_tokens, row.has_refresh = True, tokens.refresh is not None
        session.add(row)
        session.flush()
        self._put_secret(session, _identity(row, ACCESS), tokens.access)
        if tokens.refresh is not None:
            self._put_secret(session, _identity(row, REFRESH), tokens.refresh)

    def _with_refresh(self, session: Session, row: GrantRow, tokens: TokenPair) -> TokenPair:
        """Carry the stored refresh token over into the new pair where Zoom's answer had none."""
        if tokens.refresh is not None or not row.has_refresh:
            return tokens
        kept = self._need_secret(session, _identity(row, REFRESH, version=row.version - 1))
        return TokenPair(access=tokens.access, refresh=kept, expires_at=tokens.expires_at)


def _supersede(row: GrantRow, now: datetime) -> Update:
    return (
        update(GrantRow)
        .where(
            col(GrantRow.app) == row.app, col(GrantRow.environment) == str(row.environment),
            col(GrantRow.account) == row.account, col(GrantRow.status) == GrantStatus.ACTIVE,
        )
        .values(status=str(GrantStatus.SUPERSEDED), reason="installed again", changed_at=now)
    )  # fmt: skip


def _swap(grant_id: int, expected_version: int, lease: Lease | None) -> Update:
    newest = col(GrantRow.version) == expected_version
    if lease is not None:
        newest = or_(newest, col(GrantRow.fencing) < lease.fencing)
    return update(GrantRow).where(
        col(GrantRow.id) == grant_id, col(GrantRow.status) != GrantStatus.REVOKED, col(GrantRow.has_tokens), newest
    )


def _row(session: Session, grant_id: int) -> GrantRow:
    row = session.get(GrantRow, grant_id)
    if row is None:
        raise UserError(f"There is no grant of the number {grant_id}", next_step="See: rtms-audit installs list")
    return row


def _identity(row: GrantRow, kind: str, *, version: int | None = None) -> Identity:
    return Identity(
        owner=f"grant:{row.id}", kind=kind, app=row.app, environment=str(row.environment), account=row.account,
        user=row.user_id or "", version=row.version if version is None else version,
    )  # fmt: skip


def _record(row: GrantRow) -> GrantRecord:
    assert row.id is not None  # noqa: S101 - a row that was read or flushed has its number
    return GrantRecord(
        id=row.id, app=row.app, environment=Environment(row.environment), account=row.account,
        client_id=row.client_id, user_id=row.user_id, email=row.email, zoom_account_id=row.zoom_account_id,
        scopes=tuple(row.scopes.split()), api_url=row.api_url, status=GrantStatus(row.status), reason=row.reason,
        created_at=row.created_at, refreshed_at=row.refreshed_at, changed_at=row.changed_at,
        expires_at=row.expires_at, version=row.version, fencing=row.fencing, has_tokens=row.has_tokens,
    )  # fmt: skip
