"""OAuth `state`: made for one install, good once, for a while, for one client id."""

import hashlib
from datetime import datetime

from sqlmodel import Session, col, update

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.store.base import Base
from rtms_audit.store.records import StateAnswer, StateReason, StateRecord, StateRefused, StateTaken
from rtms_audit.store.tables import StateRow
from rtms_audit.store.vault import Identity


class States(Base):
    """The states that were given out."""

    def add_state(
        self,
        *,
        state: str,
        app: str,
        environment: Environment,
        account: str,
        client_id: str,
        redirect_uri: str,
        code_verifier: Secret,
        expires_at: datetime,
    ) -> StateRecord:
        """Keep a state, by its SHA-256, with everything that it is bound to."""
        self._vault.ready()
        row = StateRow(
            state_hash=_hash(state), app=app, environment=environment, account=account, client_id=client_id,
            redirect_uri=redirect_uri, created_at=self._now(), expires_at=expires_at,
        )  # fmt: skip
        with self._writing() as session:
            session.add(row)
            session.flush()
            self._put_secret(session, _verifier(row), code_verifier)
            return _record(row)

    def consume_state(self, *, state: str, client_id: str | None = None) -> StateAnswer:
        """Use a state up, which works once however many ask at the same moment; say why where it was no good.

        With `client_id` the state must have been made for it; where it was not, it stays unused and is `unknown`.
        """
        self._vault.ready()
        now, name = self._now(), _hash(state)
        unused = update(StateRow).where(
            col(StateRow.state_hash) == name, col(StateRow.used_at).is_(None), col(StateRow.expires_at) > now
        )
        if client_id is not None:
            unused = unused.where(col(StateRow.client_id) == client_id)
        with self._writing() as session:
            taken = session.connection().execute(unused.values(used_at=now))
            if taken.rowcount == 1:
                return self._taken(session, name)
            return _refused(session.get(StateRow, name), client_id)

    def _taken(self, session: Session, name: str) -> StateTaken:
        row = session.get_one(StateRow, name)
        verifier = self._need_secret(session, _verifier(row))
        self._wipe_secrets(session, _verifier(row).owner)
        return StateTaken(record=_record(row), code_verifier=verifier)


def _refused(row: StateRow | None, client_id: str | None) -> StateRefused:
    if row is None:
        return StateRefused(reason=StateReason.UNKNOWN)
    if client_id not in (None, row.client_id):
        return StateRefused(reason=StateReason.UNKNOWN, record=_record(row))
    reason = StateReason.USED if row.used_at is not None else StateReason.EXPIRED
    return StateRefused(reason=reason, record=_record(row))


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _verifier(row: StateRow) -> Identity:
    return Identity(
        owner=f"state:{row.state_hash}", kind="code verifier", app=row.app, environment=str(row.environment),
        account=row.account,
    )  # fmt: skip


def _record(row: StateRow) -> StateRecord:
    return StateRecord(
        app=row.app, environment=Environment(row.environment), account=row.account, client_id=row.client_id,
        redirect_uri=row.redirect_uri, created_at=row.created_at, expires_at=row.expires_at, used_at=row.used_at,
    )  # fmt: skip
