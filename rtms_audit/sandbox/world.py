"""The sandbox's state: accounts, apps, grants, meetings and streams, and what was asked of it.

Only the server's event loop touches a world, so nothing here is locked.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from rtms_audit.sandbox.clock import DrivenClock, Timers
from rtms_audit.sandbox.ids import Ids
from rtms_audit.sandbox.scenario import AccountSpec, AppSpec, EnvironmentSpec, Scenario, UserSpec

if TYPE_CHECKING:
    from rtms_audit.sandbox.stream import Stream

PAID_PLANS = frozenset({"pro", "business", "enterprise", "education"})


@dataclass(eq=False)
class User:
    """A person; `removed` once they no longer exist at Zoom."""

    spec: UserSpec
    user_id: str
    account: "Account"
    removed: bool = False

    @property
    def licensed(self) -> bool:
        """Whether the user holds a meeting licence (type 2), not whether the account pays."""
        kind = self.spec.type or ("licensed" if self.account.paid else "basic")
        return kind == "licensed"

    @property
    def is_admin(self) -> bool:
        """Whether the user may act for the account."""
        return self.spec.role in ("owner", "admin")

    @property
    def display_name(self) -> str:
        """Return the name shown to others."""
        return self.spec.name or self.spec.email.partition("@")[0].replace(".", " ").title()


@dataclass(eq=False)
class Account:
    """An account; `spec` is replaced when its settings are changed."""

    spec: AccountSpec
    account_id: str
    number: int
    auditor_id: str
    auditor_secret: str
    users: list[User] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Return the name the scenario gives the account."""
        return self.spec.label

    @property
    def paid(self) -> bool:
        """Whether the account is on a paid plan."""
        return self.spec.plan in PAID_PLANS

    def lists(self, field_name: str, key: str) -> bool:
        """Whether one of the account's lists of apps holds `name/environment`."""
        names = getattr(self.spec, field_name)
        return names == "all" or key in names


@dataclass(eq=False)
class AppEnvironment:
    """One credential pair, with its own event subscription."""

    app: "App"
    name: str
    spec: EnvironmentSpec
    client_id: str
    client_secret: str
    webhook_secret: str
    subscription_id: str
    validation_failures: int = 0
    subscription_enabled: bool = True

    @property
    def key(self) -> str:
        """Return `app/environment`."""
        return f"{self.app.spec.name}/{self.name}"

    @property
    def is_public(self) -> bool:
        """Whether the environment is shared outside its owner's account."""
        return self.spec.distribution != "private"


@dataclass(eq=False)
class App:
    """A General app."""

    spec: AppSpec
    app_id: str
    owner: Account
    environments: dict[str, AppEnvironment] = field(default_factory=dict)


@dataclass(eq=False)
class Grant:
    """That a user let an app environment act for them; ends with a `dead_reason` (a Zoom code) or lives."""

    grant_id: str
    client: AppEnvironment
    user: User
    scopes: tuple[str, ...]
    created_at: datetime
    dead_code: int | None = None
    refresh_uses: Counter[str] = field(default_factory=Counter)

    @property
    def alive(self) -> bool:
        """Whether tokens of this grant are honoured."""
        return self.dead_code is None


@dataclass(eq=False)
class Meeting:
    """A meeting; `status` is waiting, started or ended, as Zoom's own words."""

    meeting_id: int
    uuid: str
    host: User
    kind: str
    status: str
    started_at: datetime
    alternative_hosts: list[User] = field(default_factory=list)
    invited: list[User] = field(default_factory=list)
    guests: list[User] = field(default_factory=list)
    present: list[User] = field(default_factory=list)
    approvals: dict[str, str] = field(default_factory=dict)
    """Client id → pending, approved or denied, where the host has to approve."""
    waiting_starts: list[Callable[[], object]] = field(default_factory=list)


@dataclass
class CallLogEntry:
    """One REST call, as `api_call_logs` shows it."""

    client_id: str
    url_pattern: str
    method: str
    http_status: int
    at: datetime
    trace_id: str
    spent_ms: int


class World:
    """Everything there is, built anew from a scenario by each reset."""

    def __init__(
        self,
        scenario: Scenario,
        clock: DrivenClock,
        timers: Timers,
        *,
        token_urlsafe: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self.scenario = scenario
        self.clock = clock
        self.timers = timers
        self.token_urlsafe = token_urlsafe
        self.ids = Ids(scenario.seed)
        self.settings = scenario.settings
        self.api_url = ""
        """The REST base without `/v2`, as token answers name it."""
        self.calls: Counter[str] = Counter()
        self.token_calls: Counter[str] = Counter()
        self.call_log: list[CallLogEntry] = []
        self.decisions: list[dict[str, object]] = []
        self.app_requests: list[dict[str, object]] = []
        self.crashes: list[str] = []
        """Defects of the sandbox itself, as tracebacks."""
        self.grants: list[Grant] = []
        self.meetings: dict[int, Meeting] = {}
        self.streams: dict[str, Stream] = {}
        self.accounts = {spec.label: self._account(spec) for spec in scenario.accounts}
        self.apps = {spec.name: self._app(spec) for spec in scenario.apps}
        for account in self.accounts.values():
            for key in account.spec.installs:
                self.add_grant(self.environment(key), account.users[0])

    def _account(self, spec: AccountSpec) -> Account:
        ids, label = self.ids, spec.label
        account = Account(
            spec,
            account_id=ids.text("account", label),
            number=ids.number("account-number", label, 8),
            auditor_id=ids.text("auditor-id", label),
            auditor_secret=ids.text("auditor-secret", label, 32),
        )
        account.users = [User(user, ids.text("user", user.email), account) for user in spec.users]
        return account

    def _app(self, spec: AppSpec) -> App:
        app = App(spec, self.ids.text("app", spec.name), self.accounts[spec.owner])
        for name, environment in spec.environments.items():
            key = f"{spec.name}/{name}"
            app.environments[name] = AppEnvironment(
                app,
                name,
                environment,
                client_id=environment.client_id or self.ids.text("client-id", key),
                client_secret=environment.client_secret or self.ids.text("client-secret", key, 32),
                webhook_secret=environment.webhook_secret or self.ids.text("webhook-secret", key),
                subscription_id=self.ids.text("subscription", key),
            )
        return app

    def environments(self) -> Iterator[AppEnvironment]:
        """Yield every environment of every app."""
        for app in self.apps.values():
            yield from app.environments.values()

    def environment(self, key: str) -> AppEnvironment:
        """Return the environment of `app/environment`; KeyError where there is none."""
        app, _, name = key.rpartition("/")
        return self.apps[app].environments[name]

    def client(self, client_id: str | None) -> AppEnvironment | None:
        """Return the environment that a client id belongs to."""
        return next((item for item in self.environments() if item.client_id == client_id), None)

    def users(self) -> Iterator[User]:
        """Yield every user who has not been removed."""
        for account in self.accounts.values():
            yield from (user for user in account.users if not user.removed)

    def user(self, name: str) -> User | None:
        """Return the user with this id or e-mail."""
        return next((user for user in self.users() if name in (user.user_id, user.spec.email)), None)

    def add_grant(self, client: AppEnvironment, user: User, scopes: tuple[str, ...] | None = None) -> Grant:
        """Record that a user installed an app; an earlier grant of the same pair is superseded (code 4741).

        `scopes` None means all that the app is configured with, less what the account's people decline.
        """
        if self.settings.supersede == "on":
            for old in self.grants:
                if old.alive and old.client is client and old.user is user:
                    old.dead_code = 4741
        declined = user.account.spec.declined_scopes
        wanted = client.app.spec.scopes if scopes is None else scopes
        given = tuple(scope for scope in wanted if scope not in declined)
        grant_id = self.ids.text("grant", self.ids.next_name("grant"))
        grant = Grant(grant_id, client, user, given, self.clock.wall())
        self.grants.append(grant)
        return grant

    def live_grant(self, client: AppEnvironment, user: User) -> Grant | None:
        """Return the newest living grant of this user to this app environment."""
        return next((g for g in reversed(self.grants) if g.alive and g.client is client and g.user is user), None)
