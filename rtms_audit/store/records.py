"""What the store hands out and takes in: plain records, free of any database type.

Only `AppCredentials`, `AuditorCredentials`, `TokenPair` and `StateTaken` hold secrets, each as a `Secret`; every other
record can be printed, logged and exported as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from rtms_audit.core.model import Distribution, Environment, Plan, Usage
from rtms_audit.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class AppEnvironmentRecord:
    """One environment of an app, without its secrets; `client_id` is empty where only its existence is known."""

    environment: Environment
    client_id: str
    app_id: str | None
    redirect_uri: str | None
    distribution: Distribution | None
    has_credentials: bool
    has_webhook_secret: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRecord:
    """An app under audit; `owner` is the label of the account that owns it."""

    name: str
    owner: str | None
    usage: Usage | None
    environments: Mapping[Environment, AppEnvironmentRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCredentials:
    """What an environment of an app signs and authenticates with."""

    app: str
    environment: Environment
    client_id: str
    client_secret: Secret
    webhook_secret: Secret | None
    redirect_uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """An account to audit: its label, what is expected of it, and the plan that somebody believes it has."""

    label: str
    email: str | None
    account_id: str | None
    expected_plan: Plan
    has_auditor: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditorCredentials:
    """An account's own Server-to-Server app, through which its plan and settings can be read."""

    account: str
    client_id: str
    client_secret: Secret
    zoom_account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecord:
    """What one OAuth `state` was made for; the state itself is kept as a hash only."""

    app: str
    environment: Environment
    account: str
    client_id: str
    redirect_uri: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTaken:
    """The state was good, and is used up now; the verifier belongs into the code exchange (PKCE)."""

    record: StateRecord
    code_verifier: Secret


class StateReason(StrEnum):
    """Why a state was refused."""

    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRefused:
    """The state was no good. `record` is what it had been made for, None where nobody made it.

    A state that comes back for another client id than its own is `unknown` with a record, and stays unused.
    """

    reason: StateReason
    record: StateRecord | None = None


StateAnswer: TypeAlias = StateTaken | StateRefused


class GrantStatus(StrEnum):
    """How a grant stands, as far as the store knows."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRecord:
    """One authorization of one account for one environment of an app, without its tokens.

    `expires_at` is the end of the access token; `version` counts the pairs saved, the first being 1; `fencing` is the
    lease under which the newest pair was saved (0: none); `has_tokens` is False once they were wiped.
    """

    id: int
    app: str
    environment: Environment
    account: str
    client_id: str
    user_id: str | None
    email: str | None
    zoom_account_id: str | None
    scopes: tuple[str, ...]
    api_url: str | None
    status: GrantStatus
    reason: str
    created_at: datetime
    refreshed_at: datetime
    changed_at: datetime | None
    expires_at: datetime
    version: int
    fencing: int
    has_tokens: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """An access token, the refresh token beside it, and when the access token ends (UTC).

    `version` is filled by the store on reading; on writing it is ignored.
    """

    access: Secret
    refresh: Secret | None
    expires_at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to do one thing alone until `expires_at`; `fencing` grows with every holder of the same name."""

    name: str
    owner: str
    fencing: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRecord:
    """That somebody was about to refresh a grant: with which refresh token (by hash), when, under which lease.

    An intent that was never closed belongs to a holder that died between its call and its save.
    """

    id: int
    grant_id: int
    refresh_hash: str
    owner: str
    fencing: int
    at: datetime
    closed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One audit that was run and kept: `diagnoses_json` is the text that the caller gave."""

    id: int
    app: str
    kind: str
    at: datetime
    diagnoses_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key of the vault by its id: how many stored secrets it protects, whether we hold it, whether it encrypts."""

    key_id: str
    rows: int
    available: bool
    encrypts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What `rotate` did: the key that protects everything now, and how many stored secrets were re-encrypted."""

    key_id: str
    rotated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """Where a database stands: its revision (None: empty), ours, and the revisions still to be applied, in order."""

    current: str | None
    head: str
    pending: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Whether nothing is to be done."""
        return self.current == self.head
