"""What is installed where, from the store alone or with Zoom's word on it; and taking installs out again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rtms_audit.core.model import Environment, InstallKey, Kind, Observation
from rtms_audit.core.secret import Secret
from rtms_audit.errors import AuditError, UserError, VaultKeyError, ZoomError
from rtms_audit.store.records import AppRecord, GrantRecord, GrantStatus
from rtms_audit.workflows import observe
from rtms_audit.workflows.collect import problem_of
from rtms_audit.workflows.refusals import TRANSIENT, GrantEndedError
from rtms_audit.workflows.services import Services
from rtms_audit.workflows.tokens import TokenKeeper, pair_of
from rtms_audit.zoom.oauth import ProblemKind


class State(StrEnum):
    """How an install stands."""

    INSTALLED = "installed"
    REVOKED = "revoked"
    DEAD = "dead"
    PENDING = "pending"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InstallLine:
    """One account × environment: its state, since when that is known, why, and whose grant it is.

    `since` is None where nothing was ever seen; `email` and `refreshed_at` are those of the newest grant.
    """

    key: InstallKey
    state: State
    since: datetime | None
    reason: str = ""
    email: str | None = None
    refreshed_at: datetime | None = None


STATES: Mapping[GrantStatus, State] = {
    GrantStatus.ACTIVE: State.INSTALLED,
    GrantStatus.SUPERSEDED: State.REVOKED,
    GrantStatus.REVOKED: State.REVOKED,
    GrantStatus.DEAD: State.DEAD,
}


def list_installs(services: Services, *, app: str | None) -> tuple[InstallLine, ...]:
    """Say how every account × environment of the app stands, from the store alone."""
    record = services.store.app(app)
    newest = {InstallKey(grant.account, grant.environment): grant for grant in services.store.grants(app=record.name)}
    return tuple(
        _line(services, record, InstallKey(account.label, environment), newest)
        for account in services.store.accounts()
        for environment in sorted(record.environments)
    )


def _line(
    services: Services, record: AppRecord, key: InstallKey, newest: Mapping[InstallKey, GrantRecord]
) -> InstallLine:
    grant = newest.get(key)
    if grant is not None:
        since = grant.changed_at or grant.created_at
        return InstallLine(key, STATES[grant.status], since, grant.reason, grant.email, grant.refreshed_at)
    attempt = _latest_attempt(
        services.store.observations(app=record.name, account=key.account, environment=key.environment)
    )
    if attempt is None:
        return InstallLine(key, State.UNKNOWN, None, "never tried")
    if attempt.fields.get("step") == "redirect":
        return InstallLine(key, State.UNKNOWN, attempt.at, f"last try: {_outcome(attempt)}")
    expires = _expiry(attempt)
    if expires is not None and expires > services.clock():
        return InstallLine(key, State.PENDING, attempt.at, "waits for the consent")
    return InstallLine(key, State.UNKNOWN, attempt.at, "last try: nobody consented in time")


def _latest_attempt(observations: Iterable[Observation]) -> Observation | None:
    """Give the latest step of an attempt to install."""
    steps = [one for one in observations if one.kind is Kind.OAUTH and "step" in one.fields]
    return steps[-1] if steps else None


def _outcome(attempt: Observation) -> str:
    response = attempt.fields.get("response")
    body = response.get("body") if isinstance(response, Mapping) else None
    return str(body.get("outcome", "unknown")) if isinstance(body, Mapping) else "unknown"


def _expiry(attempt: Observation) -> datetime | None:
    request = attempt.fields.get("request")
    text = request.get("expires_at") if isinstance(request, Mapping) else None
    return datetime.fromisoformat(text) if isinstance(text, str) else None


class InstallKeeper:
    """Refreshes, verifies, revokes and removes installs of one app."""

    def __init__(self, services: Services, *, app: str | None, owner: str) -> None:
        self._services = services
        self._app = services.store.app(app)
        self._tokens = TokenKeeper(services, owner=owner)

    def grants(self, accounts: Iterable[str], environment: Environment | None) -> tuple[GrantRecord, ...]:
        """Give the newest grants of the accounts named (all where none is); UserError where one is not known."""
        labels = [self._services.store.account(label).label for label in accounts]
        wanted = labels or [account.label for account in self._services.store.accounts()]
        environments = [environment] if environment else sorted(self._app.environments)
        found = (
            self._services.store.grant(app=self._app.name, environment=each, account=label)
            for label in wanted
            for each in environments
        )
        return tuple(grant for grant in found if grant is not None)

    def newest(self, account: str, environment: Environment) -> GrantRecord:
        """Give the newest grant of one install; UserError where there never was one."""
        found = self.grants([account], environment)
        if not found:
            raise UserError(
                f"{account}/{environment} is not installed.",
                next_step=f"rtms-audit install {account} --environment {environment}",
            )
        return found[0]

    def refresh(self, grant: GrantRecord) -> datetime:
        """Refresh the tokens now, even of a grant marked dead; give the new expiry. AuditError where that fails."""
        return self._tokens.refresh(grant).expires_at

    def verify(self, grant: GrantRecord) -> str:
        """Ask Zoom whether the grant works; empty where it does, else what Zoom says."""
        key = InstallKey(grant.account, grant.environment)
        try:
            held = self._tokens.access(grant)
        except VaultKeyError:
            raise
        except AuditError as error:
            return error.message

        def renewed() -> Secret:
            return self._tokens.after_refusal(grant, held)

        api = self._services.api(token=lambda: held, on_unauthorized=renewed, account=grant.account)
        exchange = api.get("/users/me")
        self._services.store.append(app=grant.app, observations=[observe.rest(exchange, install=key)])
        return problem_of(exchange)

    def revoke(self, grant: GrantRecord) -> str:
        """Let Zoom forget the grant, then mark it and wipe its tokens; give the reason that was recorded.

        ZoomError where Zoom could not be asked: nothing is marked then. The evidence stays in any case.
        """
        if grant.status is GrantStatus.REVOKED or not grant.has_tokens:
            return grant.reason or "revoked before"
        key = InstallKey(grant.account, grant.environment)
        pair = pair_of(self._services, app=grant.app, key=key)
        answer = self._services.oauth.revoke(pair, self._live_token(grant))
        seen = observe.oauth(answer.exchange, grant="revoke", install=key, client_id=pair.client_id)
        self._services.store.append(app=grant.app, observations=[seen])
        problem = answer.problem
        if problem is not None and problem.kind in (TRANSIENT | {ProblemKind.CLIENT_INVALID}):
            raise ZoomError(
                f"Zoom did not revoke {key}: {problem.reason or problem.error or 'no answer'}.",
                next_step="Nothing was changed; try again, or `installs remove` to forget the tokens here only.",
            )
        reason = "revoked from here" if problem is None else f"revoked from here; Zoom said: {problem.reason}"
        self._mark(grant, reason)
        return reason

    def _live_token(self, grant: GrantRecord) -> Secret:
        """Give a token by which Zoom knows the grant; of a grant that is over, the last one we had."""
        try:
            return self._tokens.access(grant)
        except GrantEndedError:
            return self._services.store.tokens(grant_id=grant.id).access

    def remove(self, grant: GrantRecord) -> None:
        """Forget the tokens here, without asking Zoom; the history and the evidence stay."""
        self._mark(grant, "removed here, without asking Zoom")

    def _mark(self, grant: GrantRecord, reason: str) -> None:
        self._services.store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason=reason, wipe=True)
