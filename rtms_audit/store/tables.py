"""The tables. Their shape is held equal to the migrations by a test on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, LargeBinary, String, Text, TypeDecorator, UniqueConstraint
from sqlmodel import Field, SQLModel


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC with microseconds; naive moments are refused, since nobody knows what they mean."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment of any zone into UTC; SQLite keeps it without a zone, so that texts sort as moments do."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment back with its zone, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(*, nullable: bool = False) -> Any:
    """Declare a column that holds a moment."""
    return Field(default=None, sa_type=UtcDateTime, nullable=nullable)


class AppRow(SQLModel, table=True):
    """An app under audit."""

    __tablename__ = "app"

    name: str = Field(primary_key=True)
    owner: str | None = None
    usage: str | None = None
    created_at: datetime = moment()


class AppEnvironmentRow(SQLModel, table=True):
    """One environment of an app; its secrets lie in `sealed_secret`."""

    __tablename__ = "app_environment"

    app: str = Field(sa_type=String, primary_key=True, sa_column_args=[ForeignKey("app.name", ondelete="CASCADE")])
    environment: str = Field(primary_key=True)
    client_id: str | None = None
    app_id: str | None = None
    redirect_uri: str | None = None
    distribution: str | None = None
    created_at: datetime = moment()
    updated_at: datetime = moment()


class AccountRow(SQLModel, table=True):
    """An account to audit."""

    __tablename__ = "account"

    label: str = Field(primary_key=True)
    email: str | None = None
    zoom_account_id: str | None = None
    expected_plan: str
    created_at: datetime = moment()


class AuditorRow(SQLModel, table=True):
    """An account's own app through which it can be read; its secret lies in `sealed_secret`."""

    __tablename__ = "auditor"

    account: str = Field(
        sa_type=String, primary_key=True, sa_column_args=[ForeignKey("account.label", ondelete="CASCADE")]
    )
    client_id: str
    zoom_account_id: str
    updated_at: datetime = moment()


class NotedInstallRow(SQLModel, table=True):
    """An install that somebody told of, in an evidence file for one, rather than one made through this program."""

    __tablename__ = "noted_install"

    app: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    environment: str = Field(primary_key=True)
    status: str
    noted_at: datetime = moment()


class SealedRow(SQLModel, table=True):
    """A secret, encrypted; `owner` and `kind` name the row it belongs to, and stand inside the ciphertext as well."""

    __tablename__ = "sealed_secret"
    __table_args__ = (UniqueConstraint("owner", "kind", name="uq_sealed_secret_owner_kind"),)

    id: int | None = Field(default=None, primary_key=True)
    owner: str
    kind: str
    key_id: str = Field(index=True)
    ciphertext: str = Field(sa_type=Text)


class StateRow(SQLModel, table=True):
    """One OAuth `state`, by its SHA-256."""

    __tablename__ = "oauth_state"

    state_hash: str = Field(primary_key=True)
    app: str
    environment: str
    account: str
    client_id: str
    redirect_uri: str
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class GrantRow(SQLModel, table=True):
    """One authorization; its tokens lie in `sealed_secret`."""

    __tablename__ = "oauth_grant"
    __table_args__ = (Index("ix_oauth_grant_install", "app", "environment", "account"),)

    id: int | None = Field(default=None, primary_key=True)
    app: str
    environment: str
    account: str
    client_id: str
    user_id: str | None = None
    email: str | None = None
    zoom_account_id: str | None = None
    scopes: str = Field(sa_type=Text)
    api_url: str | None = None
    status: str
    reason: str = ""
    created_at: datetime = moment()
    refreshed_at: datetime = moment()
    changed_at: datetime | None = moment(nullable=True)
    expires_at: datetime = moment()
    version: int = 1
    fencing: int = 0
    has_tokens: bool = True
    has_refresh: bool = True


class SharedTokenRow(SQLModel, table=True):
    """A token that belongs to no user (Server-to-Server, client credentials), shared by all callers under a name."""

    __tablename__ = "shared_token"

    name: str = Field(primary_key=True)
    refreshed_at: datetime = moment()
    expires_at: datetime = moment()
    version: int = 1
    fencing: int = 0


class LeaseRow(SQLModel, table=True):
    """Who may do the named thing alone, until when; the row stays, so that `fencing` never starts again."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    owner: str
    fencing: int
    expires_at: datetime = moment()


class IntentRow(SQLModel, table=True):
    """That a refresh was about to be tried."""

    __tablename__ = "refresh_intent"

    id: int | None = Field(default=None, primary_key=True)
    grant_id: int = Field(index=True, foreign_key="oauth_grant.id")
    refresh_hash: str
    owner: str
    fencing: int
    at: datetime = moment()
    closed_at: datetime | None = moment(nullable=True)
    outcome: str | None = None


class ObservationRow(SQLModel, table=True):
    """Something seen; rows are only ever added, which a trigger holds as well."""

    __tablename__ = "observation"
    __table_args__ = (
        Index("ix_observation_app_placed_at", "app", "placed_at", "id"),
        Index("ix_observation_app_fingerprint", "app", "fingerprint"),
    )

    id: int | None = Field(default=None, primary_key=True)
    app: str
    account: str | None = None
    environment: str | None = None
    kind: str
    at: datetime | None = moment(nullable=True)
    placed_at: datetime = moment()
    recorded_at: datetime = moment()
    fields: str = Field(sa_type=Text)
    fingerprint: str
    source: str = ""
    raw: bytes | None = Field(default=None, sa_type=LargeBinary)
    raw_sha256: str | None = None
    raw_redacted: bool = False
    http_status: int | None = None
    duration_ms: float | None = None
    tracking_id: str | None = None


class RunRow(SQLModel, table=True):
    """One audit that was kept."""

    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True)
    app: str = Field(index=True)
    kind: str
    at: datetime = moment()
    diagnoses_json: str = Field(sa_type=Text)
