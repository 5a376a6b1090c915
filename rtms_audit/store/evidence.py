"""Observations, only ever added; the case that judging works on; and the audits that were run."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import Session, col, select

from rtms_audit.core.model import (
    Account,
    App,
    AppEnvironment,
    Case,
    Distribution,
    Environment,
    Install,
    InstallKey,
    InstallStatus,
    Kind,
    Observation,
    Plan,
    Usage,
)
from rtms_audit.core.redact import redact_bytes, redact_value
from rtms_audit.errors import UserError
from rtms_audit.store.base import Base
from rtms_audit.store.records import GrantStatus, RunRecord
from rtms_audit.store.tables import (
    AccountRow,
    AppEnvironmentRow,
    AppRow,
    GrantRow,
    NotedInstallRow,
    ObservationRow,
    RunRow,
)

_STATUS_OF_GRANT = {
    GrantStatus.ACTIVE: InstallStatus.INSTALLED,
    GrantStatus.SUPERSEDED: InstallStatus.INSTALLED,
    GrantStatus.REVOKED: InstallStatus.REVOKED,
    GrantStatus.DEAD: InstallStatus.UNKNOWN,
}
"""A dead grant says that its tokens no longer work, not that the app was taken out."""


class Evidence(Base):
    """What was seen."""

    def append(self, *, app: str, observations: Iterable[Observation], once: bool = False) -> tuple[str, ...]:
        """Add observations, secrets in their fields and raw bytes masked; return the ids given (`o1`, `o2`).

        With `once` those are skipped, and have no id in the answer, whose install, time, kind and fields are kept
        already.
        The SHA-256 that is kept is that of the raw bytes as they came.
        """
        rows = self._rows(app, tuple(observations))
        with self._writing() as session:
            if once:
                rows = _new_rows(session, app, rows)
            if not rows:
                return ()
            adding = insert(ObservationRow).returning(col(ObservationRow.id), sort_by_parameter_order=True)
            return tuple(f"o{number}" for number in session.connection().execute(adding, rows).scalars())

    def _rows(self, app: str, observations: Sequence[Observation]) -> list[dict[str, Any]]:
        """Turn observations into rows; one without a time stands where its neighbours of the same batch have it."""
        now = self._now()
        place = next((seen.at for seen in observations if seen.at is not None), now)
        rows = []
        for seen in observations:
            place = seen.at or place
            rows.append(_row(app, seen, placed_at=place, now=now))
        return rows

    def observations(
        self,
        *,
        app: str,
        account: str | None = None,
        environment: Environment | None = None,
        until: datetime | None = None,
    ) -> tuple[Observation, ...]:
        """Return what was seen, in the order of time; `until` is the last moment that counts."""
        chosen = select(ObservationRow).where(ObservationRow.app == app)
        if account is not None:
            chosen = chosen.where(ObservationRow.account == account)
        if environment is not None:
            chosen = chosen.where(ObservationRow.environment == str(environment))
        if until is not None:
            chosen = chosen.where(ObservationRow.placed_at <= until)
        with self._reading() as session:
            ordered = chosen.order_by(col(ObservationRow.placed_at), col(ObservationRow.id))
            return tuple(_observation(row) for row in session.exec(ordered))

    def observation(self, observation_id: str) -> Observation:
        """Return one observation by its id; UserError where there is none."""
        number = observation_id.removeprefix("o")
        with self._reading() as session:
            row = session.get(ObservationRow, int(number)) if number.isdecimal() and len(number) < 19 else None
            if row is None:
                raise UserError(f"There is no observation {observation_id}")
            return _observation(row)

    def case(self, *, app: str, account: str | None = None, as_of: datetime | None = None) -> Case:
        """Gather what is known of an app, or of one account's installs of it, as of a moment.

        An install is there if a grant, an evidence file or an observation speaks of it. Observations of no install
        (webhooks that nobody could attribute) are left out.
        """
        seen = [o for o in self.observations(app=app, account=account, until=as_of) if o.install is not None]
        with self._reading() as session:
            told = _noted(session, app, as_of)
            granted = _granted(session, app, as_of)
            keys = {key for key in (*told, *granted) if account in (None, key.account)}
            keys |= {o.install for o in seen if o.install is not None}
            installs = [Install(key, _status(key, granted, told, seen)) for key in sorted(keys)]
            return Case(
                installs=tuple(installs), observations=tuple(seen), app=_app(session, app),
                accounts=_accounts(session), source=f"store, as of {as_of:%Y-%m-%dT%H:%M:%SZ}" if as_of else "store",
            )  # fmt: skip


class Runs(Base):
    """The audits that were kept."""

    def add_run(self, *, app: str, kind: str, diagnoses_json: str) -> int:
        """Keep the outcome of an audit; returns its number."""
        row = RunRow(app=app, kind=kind, at=self._now(), diagnoses_json=diagnoses_json)
        with self._writing() as session:
            session.add(row)
            session.flush()
            return _run(row).id

    def runs(self, app: str) -> tuple[RunRecord, ...]:
        """Return the audits of an app, the oldest first."""
        with self._reading() as session:
            rows = session.exec(select(RunRow).where(RunRow.app == app).order_by(col(RunRow.id))).all()
            return tuple(_run(row) for row in rows)

    def run(self, run_id: int) -> RunRecord:
        """Return one audit; UserError where there is none of that number."""
        with self._reading() as session:
            row = session.get(RunRow, run_id)
            if row is None:
                raise UserError(f"There is no run of the number {run_id}")
            return _run(row)


def _row(app: str, seen: Observation, *, placed_at: datetime, now: datetime) -> dict[str, Any]:
    fields = redact_value(seen.fields)
    raw = redact_bytes(seen.raw) if seen.raw is not None else None
    key = seen.install
    return {
        "app": app, "account": key.account if key else None, "environment": str(key.environment) if key else None,
        "kind": str(seen.kind), "at": seen.at, "placed_at": placed_at, "recorded_at": now,
        "fields": _dump(fields), "fingerprint": _fingerprint(seen, fields), "source": seen.source.replace("\0", ""),
        "raw": raw, "raw_sha256": hashlib.sha256(seen.raw).hexdigest() if seen.raw is not None else None,
        "raw_redacted": raw != seen.raw, "http_status": _http_status(seen.fields), "duration_ms": seen.duration_ms,
        "tracking_id": seen.tracking_id.replace("\0", "") if seen.tracking_id else seen.tracking_id,
    }  # fmt: skip


def _dump(value: object, *, sort: bool = False) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=sort, separators=(",", ":"))


def _fingerprint(seen: Observation, fields: object) -> str:
    content = [
        str(seen.install) if seen.install else None,
        seen.at.timestamp() if seen.at else None,
        str(seen.kind),
        fields,
    ]
    return hashlib.sha256(_dump(content, sort=True).encode()).hexdigest()


def _http_status(fields: Mapping[str, object]) -> int | None:
    response = fields.get("response")
    status = response.get("status") if isinstance(response, Mapping) else None
    return status if isinstance(status, int) and 0 <= status < 1000 else None


def _new_rows(session: Session, app: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop the rows whose content is kept already, and doubles among themselves."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("LOCK TABLE observation IN SHARE ROW EXCLUSIVE MODE"))
    first = {row["fingerprint"]: row for row in reversed(rows)}
    prints = list(first)
    for start in range(0, len(prints), 500):
        some = col(ObservationRow.fingerprint).in_(prints[start : start + 500])
        for known in session.exec(select(ObservationRow.fingerprint).where(ObservationRow.app == app, some)):
            first.pop(known, None)
    return [row for row in rows if first.get(row["fingerprint"]) is row]


def _observation(row: ObservationRow) -> Observation:
    key = None
    if row.account is not None and row.environment is not None:
        key = InstallKey(row.account, Environment(row.environment))
    return Observation(
        kind=Kind(row.kind), fields=json.loads(row.fields), at=row.at, install=key, id=f"o{row.id}",
        source=row.source, raw=row.raw, duration_ms=row.duration_ms, tracking_id=row.tracking_id,
    )  # fmt: skip


def _run(row: RunRow) -> RunRecord:
    assert row.id is not None  # noqa: S101 - a row that was read or flushed has its number
    return RunRecord(id=row.id, app=row.app, kind=row.kind, at=row.at, diagnoses_json=row.diagnoses_json)


def _noted(session: Session, app: str, as_of: datetime | None) -> dict[InstallKey, InstallStatus]:
    rows = session.exec(select(NotedInstallRow).where(NotedInstallRow.app == app)).all()
    return {
        InstallKey(row.account, Environment(row.environment)): InstallStatus(row.status)
        for row in rows
        if as_of is None or row.noted_at <= as_of
    }


def _granted(session: Session, app: str, as_of: datetime | None) -> dict[InstallKey, InstallStatus]:
    """Return what the newest grant of each install says, as it stood at that moment."""
    rows = session.exec(select(GrantRow).where(GrantRow.app == app).order_by(col(GrantRow.id))).all()
    found = {}
    for row in rows:
        if as_of is not None and row.created_at > as_of:
            continue
        changed = row.changed_at is not None and (as_of is None or row.changed_at <= as_of)
        status = GrantStatus(row.status) if changed else GrantStatus.ACTIVE
        found[InstallKey(row.account, Environment(row.environment))] = _STATUS_OF_GRANT[status]
    return found


def _status(
    key: InstallKey,
    granted: Mapping[InstallKey, InstallStatus],
    told: Mapping[InstallKey, InstallStatus],
    seen: Iterable[Observation],
) -> InstallStatus:
    """Believe a grant, then what a file said, then an attempt that failed; otherwise nobody knows."""
    if key in granted or key in told:
        return granted.get(key) or told[key]
    if any(_is_failed_attempt(o) for o in seen if o.install == key and o.kind is Kind.OAUTH):
        return InstallStatus.MISSING
    return InstallStatus.UNKNOWN


def _is_failed_attempt(seen: Observation) -> bool:
    """Whether a browser came back from Zoom with anything but an install."""
    response = seen.fields.get("response")
    body = response.get("body") if isinstance(response, Mapping) else None
    outcome = body.get("outcome") if isinstance(body, Mapping) else None
    return seen.fields.get("step") == "redirect" and outcome not in (None, "installed")


def _app(session: Session, name: str) -> App:
    row = session.get(AppRow, name)
    if row is None:
        return App(name=name)
    environments = {
        Environment(found.environment): AppEnvironment(
            found.client_id, Distribution(found.distribution) if found.distribution else None
        )
        for found in session.exec(select(AppEnvironmentRow).where(AppEnvironmentRow.app == name)).all()
    }
    usage = Usage(row.usage) if row.usage else None
    return App(name=name, owner=row.owner, usage=usage, environments=MappingProxyType(environments))


def _accounts(session: Session) -> Mapping[str, Account]:
    rows = session.exec(select(AccountRow).order_by(col(AccountRow.label))).all()
    return MappingProxyType({row.label: Account(row.label, Plan(row.expected_plan)) for row in rows})
