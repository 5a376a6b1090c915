"""Asking Zoom about every install: each answer and each refusal is kept, and one account's failure stops no other.

A call that needs what is not there (an app id, an auditor connection) is not made but named in the summary. A refusal
is an answer: it is asked once per run and kept like any other.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from rtms_audit.core import reading
from rtms_audit.core.model import Environment, InstallKey, Observation
from rtms_audit.core.secret import Secret
from rtms_audit.errors import AuditError, UserError, VaultKeyError
from rtms_audit.store.records import AppRecord, GrantRecord, GrantStatus
from rtms_audit.workflows import observe
from rtms_audit.workflows.auditor_tokens import AuditorTokens
from rtms_audit.workflows.services import ApiClient, Services
from rtms_audit.workflows.tokens import TokenKeeper
from rtms_audit.zoom.calls import AUDITOR_CALLS, OWNER_CALLS, USER, USER_CALLS, Call, missing_scopes
from rtms_audit.zoom.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the list and what came of it; `problem` is empty where Zoom answered as hoped.

    `unanswered` says that the problem is not Zoom's word: it was not reached, or something in between answered.
    """

    call: str
    path: str
    problem: str = ""
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class Collected:
    """What one install's round of calls brought: the calls made, what could not be asked, and what is missing.

    `failure` is the sentence of what stopped the round (a dead grant, Zoom unreachable), empty where nothing did.
    """

    install: InstallKey
    asked: tuple[Asked, ...] = ()
    missing: tuple[str, ...] = ()
    failure: str = ""

    @property
    def answered(self) -> int:
        """How many calls Zoom answered as hoped."""
        return sum(1 for asked in self.asked if not asked.problem)

    @property
    def refused(self) -> tuple[Asked, ...]:
        """The calls that Zoom refused."""
        return tuple(asked for asked in self.asked if asked.problem and not asked.unanswered)

    @property
    def unanswered(self) -> tuple[Asked, ...]:
        """The calls that Zoom itself did not answer."""
        return tuple(asked for asked in self.asked if asked.unanswered)

    @property
    def silence(self) -> str:
        """Say how many calls Zoom did not answer and why the first of them; empty where it answered all."""
        if not self.unanswered:
            return ""
        return f"{len(self.unanswered)} of {len(self.asked)} calls: {self.unanswered[0].problem}"


@dataclass(frozen=True, slots=True)
class Round:
    """All that a run of the collector did."""

    installs: tuple[Collected, ...] = ()
    not_installed: tuple[InstallKey, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no install's round was stopped, and Zoom itself answered every call."""
        return not any(collected.failure or collected.unanswered for collected in self.installs)


@dataclass
class _Notes:
    """What one install's round has brought so far."""

    asked: list[Asked] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass
class _AccountAnswers:
    """What was asked of an account as a whole: once per run, however many environments it has installed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: dict[str, Exchange] = field(default_factory=dict)


class Collector:
    """Asks Zoom about the installs of one app; make a new one for each run, since it remembers answers."""

    def __init__(self, services: Services, *, app: AppRecord, owner: str) -> None:
        self._services = services
        self._store = services.store
        self._app = app
        self._keeper = TokenKeeper(services, owner=owner)
        self._auditors = AuditorTokens(services, owner=owner)
        self._by_account = {account.label: _AccountAnswers() for account in services.store.accounts()}

    def run(
        self,
        *,
        accounts: Sequence[str] = (),
        environment: Environment | None = None,
        jobs: int = 4,
        on_done: Callable[[Collected], None] = lambda _collected: None,
    ) -> Round:
        """Ask about the accounts named (all of them where none is), `jobs` at a time.

        UserError where an account is not known, VaultKeyError without the right key; what Zoom refuses stands in the
        result.
        """
        grants = self._grants(accounts, environment)
        rounds = self._in_parallel([grant for grant in grants.values() if grant is not None], jobs, on_done)
        absent = tuple(key for key, grant in grants.items() if grant is None)
        return Round(tuple(sorted(rounds, key=lambda collected: collected.install)), absent)

    def count(self, *, accounts: Sequence[str] = (), environment: Environment | None = None) -> int:
        """Return how many installs `run` would ask about; UserError where an account is not known."""
        return sum(1 for grant in self._grants(accounts, environment).values() if grant is not None)

    def _grants(
        self, accounts: Sequence[str], environment: Environment | None
    ) -> Mapping[InstallKey, GrantRecord | None]:
        labels = [self._store.account(label).label for label in accounts] or [
            account.label for account in self._store.accounts()
        ]
        environments = [environment] if environment else list(self._app.environments)
        keys = [InstallKey(label, each) for label in labels for each in environments]
        return {key: self._grant(key) for key in keys}

    def _grant(self, key: InstallKey) -> GrantRecord | None:
        return self._store.grant(app=self._app.name, environment=key.environment, account=key.account)

    def _in_parallel(
        self, grants: Iterable[GrantRecord], jobs: int, on_done: Callable[[Collected], None]
    ) -> list[Collected]:
        done: list[Collected] = []
        with ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="collect") as pool:
            for future in as_completed([pool.submit(self._collect, grant) for grant in grants]):
                collected = future.result()
                on_done(collected)
                done.append(collected)
        return done

    def _collect(self, grant: GrantRecord) -> Collected:
        key = InstallKey(grant.account, grant.environment)
        notes = _Notes()
        try:
            failure = self._failure_of(self._as_user, grant, key, notes)
            without_auditor = self._failure_of(self._as_auditor, grant, key, notes)
        finally:
            self._store.append(app=self._app.name, observations=notes.seen)
        missing = (*notes.missing, without_auditor) if without_auditor else tuple(notes.missing)
        return Collected(key, tuple(notes.asked), missing, failure)

    @staticmethod
    def _failure_of(
        ask: Callable[[GrantRecord, InstallKey, _Notes], None],
        grant: GrantRecord,
        key: InstallKey,
        notes: _Notes,
    ) -> str:
        """Ask, and return the sentence of what stopped it; a wrong key of the vault is no one install's trouble."""
        try:
            ask(grant, key, notes)
        except VaultKeyError:
            raise
        except AuditError as error:
            return error.message
        return ""

    def _as_user(self, grant: GrantRecord, key: InstallKey, notes: _Notes) -> None:
        if grant.status is not GrantStatus.ACTIVE:
            raise UserError(f"{key} is {grant.status}: {grant.reason}", next_step="Install again.")
        held = self._keeper.access(grant)

        def renewed() -> Secret:
            nonlocal held
            held = self._keeper.after_refusal(grant, held)
            return held

        api = self._services.api(token=lambda: held, on_unauthorized=renewed, account=grant.account)
        self._ask_all(api, USER_CALLS, key, notes)
        if grant.account == self._app.owner and self._store.auditor(account=grant.account) is None:
            self._ask_all(api, OWNER_CALLS, key, notes)
        lacking = [need.scope for need in missing_scopes(grant.scopes) if need.required]
        if grant.scopes and lacking:
            notes.missing.append(f"the grant lacks {', '.join(lacking)}")

    def _as_auditor(self, grant: GrantRecord, key: InstallKey, notes: _Notes) -> None:
        auditor = self._store.auditor(account=grant.account)
        if auditor is None:
            notes.missing.append("no auditor connection: plan and account settings cannot be read")
            return
        installed = _zoom_account(notes) or grant.zoom_account_id
        if installed not in (None, auditor.zoom_account_id):
            notes.missing.append(
                f"the auditor connection is of Zoom account {auditor.zoom_account_id}, the install of {installed}: "
                f"it was not asked; connect {grant.account}'s own (`account connect`)"
            )
            return
        held = self._auditors.access(app=self._app.name, account=grant.account)

        def renewed() -> Secret:
            nonlocal held
            held = self._auditors.access(app=self._app.name, account=grant.account, refused=held)
            return held

        api = self._services.api(token=lambda: held, on_unauthorized=renewed, account=grant.account)
        known = self._by_account[grant.account]
        with known.lock:
            self._ask_all(api, AUDITOR_CALLS, key, notes, known.answers)
            if grant.account == self._app.owner:
                self._ask_all(api, OWNER_CALLS, key, notes, known.answers)

    def _ask_all(
        self,
        api: ApiClient,
        calls: Iterable[Call],
        key: InstallKey,
        notes: _Notes,
        known: dict[str, Exchange] | None = None,
    ) -> None:
        """Make the calls, and note them for this install; what `known` holds is not asked again."""
        registered = self._app.environments.get(key.environment)
        app_id = registered.app_id if registered else None
        for call in calls:
            if "{app_id}" in call.path and app_id is None:
                notes.missing.append(f"{call.name}: the {key.environment} app id is not known (`app add … --app-id`)")
                continue
            path = call.path_for(app_id=app_id) if app_id else call.path
            exchange = (known or {}).get(path) or api.get(path, call.params or None)
            if known is not None:
                known[path] = exchange
            notes.seen.append(observe.rest(exchange, install=key))
            notes.asked.append(Asked(call.name, path, problem_of(exchange), bool(exchange.unanswered)))


def _zoom_account(notes: _Notes) -> str | None:
    """Return the Zoom account that the install's user belongs to, as Zoom just said; None where it did not."""
    for seen in notes.seen:
        if reading.path(seen) == f"/v2{USER.path}":
            return reading.text(reading.answer(seen).get("account_id")) or None
    return None


def problem_of(exchange: Exchange) -> str:
    """Say in a few words why a call brought nothing; empty where it did."""
    if exchange.unanswered:
        return exchange.unanswered
    refusal = exchange.refusal
    if refusal is None:
        return "" if exchange.ok else f"HTTP {exchange.status}"
    code = f"code {refusal.code}" if refusal.code is not None else "no code"
    return f"HTTP {exchange.status}, {code}: {refusal.message[:160]}"
