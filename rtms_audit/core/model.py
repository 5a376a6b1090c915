"""What is known before anybody judges: apps, accounts, installs and the observations made of them.

The field names and closed sets of words are those of the evidence file format `rtms-audit/evidence@1`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Fields: TypeAlias = Mapping[str, object]
"""A JSON-like mapping: str, int, float, bool, None, list and dict values."""


class Environment(StrEnum):
    """Which of an app's two credential pairs an install belongs to."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    UNKNOWN = "unknown"


class Plan(StrEnum):
    """What an account pays for, as far as anybody knows. `paid` is a paid plan of unknown name."""

    FREE = "free"
    PAID = "paid"
    PRO = "pro"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"
    EDUCATION = "education"
    UNKNOWN = "unknown"

    @property
    def is_paid(self) -> bool:
        """Whether the plan is known to be a paid one."""
        return self not in (Plan.FREE, Plan.UNKNOWN)


class Usage(StrEnum):
    """The kind of Zoom app."""

    USER_MANAGED = "user-managed"
    ADMIN_MANAGED = "admin-managed"
    SERVER_TO_SERVER = "server-to-server"


class Distribution(StrEnum):
    """How far an environment of an app is shared outside its owner's account."""

    PRIVATE = "private"
    BETA = "beta"
    UNLISTED = "unlisted"
    PUBLISHED = "published"


class InstallStatus(StrEnum):
    """Whether an account has put the app in, as far as is known."""

    INSTALLED = "installed"
    MISSING = "missing"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """The kinds of observation; their fields are described in docs/evidence-files.md."""

    WEBHOOK = "webhook"
    REST = "rest"
    OAUTH = "oauth"
    HANDSHAKE = "handshake"
    SDK = "sdk"
    KEEPALIVE = "keepalive"
    WATCH = "watch"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True, order=True)
class InstallKey:
    """One account × one environment of the app; written `account/environment`."""

    account: str
    environment: Environment

    def __str__(self) -> str:
        return f"{self.account}/{self.environment}"

    @classmethod
    def parse(cls, text: str) -> "InstallKey":
        """Read `account/environment`; ValueError where it is not of that form."""
        account, separator, environment = text.rpartition("/")
        if not separator or not account:
            raise ValueError(f"{text!r} is not of the form account/environment")
        return cls(account, Environment(environment))


@dataclass(frozen=True, slots=True)
class AppEnvironment:
    """One environment of the app: its client id and how far it is distributed, each None where not known."""

    client_id: str | None = None
    distribution: Distribution | None = None


@dataclass(frozen=True, slots=True)
class App:
    """The app under audit; `owner` is the label of the account that owns it."""

    name: str | None = None
    owner: str | None = None
    usage: Usage | None = None
    environments: Mapping[Environment, AppEnvironment] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Account:
    """An account and the plan that somebody believes it has."""

    label: str
    plan: Plan = Plan.UNKNOWN


@dataclass(frozen=True, slots=True)
class Install:
    """That an account has, or has not, put an environment of the app in."""

    key: InstallKey
    status: InstallStatus = InstallStatus.INSTALLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Something seen about an install, at a time, by a source, with its raw evidence.

    `fields` are those of the evidence format for this `kind`, without `kind`, `at` and `install`. `id` is given by
    whoever keeps the observation (the store, or the place in a file: `o1`, `o2`, …).
    """

    kind: Kind
    fields: Fields
    at: datetime | None = None
    install: InstallKey | None = None
    id: str = ""
    source: str = ""
    raw: bytes | None = None
    duration_ms: float | None = None
    tracking_id: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known of one app and its installs: the only input that judging has.

    `observations` stand in the order of their time, those without a time where their file has them.
    """

    installs: tuple[Install, ...]
    observations: tuple[Observation, ...] = ()
    app: App = App()
    accounts: Mapping[str, Account] = field(default_factory=lambda: MappingProxyType({}))
    title: str = ""
    source: str = ""
