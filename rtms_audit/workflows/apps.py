"""Registering an app's credential pairs, and checking them without needing a user."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rtms_audit.core.model import Distribution, Environment, InstallKey, Usage
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.records import AppCredentials, AppRecord
from rtms_audit.store.store import Store
from rtms_audit.workflows import observe
from rtms_audit.workflows.services import Services
from rtms_audit.zoom.addresses import check_redirect
from rtms_audit.zoom.oauth import Pair, ProblemKind, TokenAnswer
from rtms_audit.zoom.token_reading import is_printable


class PairState(StrEnum):
    """What Zoom's token address says of one pair."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PairCheck:
    """What became known of one environment's pair; `reason` is Zoom's own words or ours."""

    environment: Environment
    client_id: str
    state: PairState
    reason: str


@dataclass(frozen=True, slots=True)
class AppCheck:
    """The pairs of an app, and what looks mixed up about them."""

    app: str
    pairs: tuple[PairCheck, ...]
    warnings: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether every pair is valid and nothing looks mixed up."""
        return not self.warnings and all(pair.state is PairState.VALID for pair in self.pairs)

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do about each pair that Zoom refuses."""
        return tuple(
            f"Compare client id and client secret with App Credentials, {pair.environment}, in the Marketplace, and "
            f"register them again: rtms-audit app add {self.app} --environment {pair.environment} --client-id ID"
            for pair in self.pairs
            if pair.state is PairState.INVALID
        )


def add_app(
    store: Store,
    *,
    app: str,
    environment: Environment,
    client_id: str,
    client_secret: Secret,
    webhook_secret: Secret | None = None,
    redirect_uri: str | None = None,
    app_id: str | None = None,
    owner: str | None = None,
    usage: Usage | None = None,
    distribution: Distribution | None = None,
) -> tuple[str, ...]:
    """Register, or replace, one environment of an app; give what looks mixed up about its values.

    UserError where a value cannot be right; nothing is stored then.
    """
    _check_name(app)
    if environment is Environment.UNKNOWN:
        raise UserError(
            "An app is registered per environment.", next_step="Give --environment development or production."
        )
    Pair(client_id, client_secret)
    if webhook_secret is not None and webhook_secret == client_secret:
        raise UserError(
            "The webhook secret token and the client secret are the same.",
            next_step="The secret token stands on the app's Access page (Marketplace), not beside the client secret.",
        )
    if redirect_uri is not None:
        check_redirect(redirect_uri)
    store.put_app(
        app=app,
        environment=environment,
        client_id=client_id,
        client_secret=client_secret,
        webhook_secret=webhook_secret,
        redirect_uri=redirect_uri,
        app_id=app_id,
        owner=owner,
        usage=usage,
        distribution=distribution,
    )
    return mixed_up(_credentials(store, store.app(app)))


def check_app(services: Services, *, app: str | None) -> AppCheck:
    """Ask Zoom for an app-owned token with each pair, and say which is valid and what looks swapped."""
    record = services.store.app(app)
    held = _credentials(services.store, record)
    pairs = tuple(_check_pair(services, record, found) for found in held)
    warnings = mixed_up(held) + _crossed(services, record, held, pairs)
    return AppCheck(record.name, pairs, warnings)


def mixed_up(held: Sequence[AppCredentials]) -> tuple[str, ...]:
    """Say what the registered values show by themselves: same ids, same secrets, a token that is a client secret."""
    by_environment = {found.environment: found for found in held}
    development = by_environment.get(Environment.DEVELOPMENT)
    production = by_environment.get(Environment.PRODUCTION)
    warnings = [
        f"The {found.environment} webhook secret token is also the client secret of {other.environment}."
        for found in held
        for other in held
        if found.webhook_secret is not None and found.webhook_secret == other.client_secret
    ]
    if development and production:
        if development.client_id == production.client_id:
            warnings.append(f"Development and production have the same client id, {production.client_id}.")
        if development.client_secret == production.client_secret:
            warnings.append("Development and production have the same client secret.")
    return tuple(warnings)


def _credentials(store: Store, record: AppRecord) -> tuple[AppCredentials, ...]:
    return tuple(store.credentials(app=record.name, environment=each) for each in sorted(record.environments))


def _check_pair(services: Services, record: AppRecord, found: AppCredentials) -> PairCheck:
    answer = services.oauth.client_credentials(Pair(found.client_id, found.client_secret, found.redirect_uri))
    install = InstallKey(record.owner, found.environment) if record.owner else None
    seen = observe.oauth(answer.exchange, grant="client_credentials", install=install, client_id=found.client_id)
    services.store.append(app=record.name, observations=[seen])
    state, reason = _reading(answer)
    return PairCheck(found.environment, found.client_id, state, reason)


def _reading(answer: TokenAnswer) -> tuple[PairState, str]:
    if answer.tokens is not None:
        return PairState.VALID, "Zoom gave a token for this pair"
    problem = answer.problem
    said = (problem.reason or problem.error or "no reason given") if problem else "no answer"
    if problem is not None and problem.kind is ProblemKind.CLIENT_INVALID:
        return PairState.INVALID, said
    return PairState.UNKNOWN, said


def _crossed(
    services: Services, record: AppRecord, held: Sequence[AppCredentials], pairs: Sequence[PairCheck]
) -> tuple[str, ...]:
    """Where a pair is refused, try the values that may stand in each other's place: one that works shows the swap."""
    refused = {pair.environment for pair in pairs if pair.state is PairState.INVALID}
    found = (_swap(services, record, one, held) for one in held if one.environment in refused)
    return tuple(warning for warning in found if warning is not None)


def _swap(services: Services, record: AppRecord, found: AppCredentials, held: Sequence[AppCredentials]) -> str | None:
    """Say which values of a refused pair stand in each other's place, if trying them the other way round works."""
    for client_id, secret, warning in _other_ways(record, found, held):
        if secret == found.client_secret or ":" in client_id or not is_printable(secret.reveal()):
            continue  # no pair could look like this
        if services.oauth.client_credentials(Pair(client_id, secret, found.redirect_uri)).tokens is not None:
            return warning
    return None


def _other_ways(
    record: AppRecord, found: AppCredentials, held: Sequence[AppCredentials]
) -> Iterator[tuple[str, Secret, str]]:
    """Give client ids and secrets that may be meant, each with the words for it; none of them holds a value."""
    for other in held:
        if other.environment is not found.environment:
            said = f"The {found.environment} client id works with the secret registered for {other.environment}"
            yield found.client_id, other.client_secret, f"{said}: the secrets of {record.name} are swapped."
    if found.webhook_secret is not None:
        said = f"The {found.environment} client id works with what is registered as its webhook secret token"
        yield found.client_id, found.webhook_secret, f"{said}: client secret and webhook secret token are swapped."
    said = f"The {found.environment} pair works the other way round: client id and client secret are swapped."
    yield found.client_secret.reveal(), Secret(found.client_id), said


def _check_name(app: str) -> None:
    if not app.strip() or not app.isprintable() or len(app) > 200:
        raise UserError(f"{app!r} cannot be the name of an app.", next_step="Give a short printable name.")
