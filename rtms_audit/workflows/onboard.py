"""Bringing many accounts in: a CSV file in, a link for each that is not installed yet and the progress out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.errors import UserError
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.install import Installer
from rtms_audit.workflows.loopback import is_loopback
from rtms_audit.workflows.services import Services

LINK_LIFE = timedelta(days=7)
"""How long a link is good: long enough for a mail to be read."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """One install: already `installed`, or `invited` with the link that its user opens until `expires_at`."""

    key: InstallKey
    status: str
    email: str | None = None
    link: str = ""
    expires_at: datetime | None = None


def onboard(
    services: Services,
    *,
    app: str | None,
    labels: Sequence[str],
    environments: Sequence[Environment],
    life: timedelta = LINK_LIFE,
) -> tuple[Onboarding, ...]:
    """Make a link for every install that is missing; those that are there are named as such.

    UserError where an environment's redirect address is this machine's: other people's browsers cannot come back to it.
    """
    record = services.store.app(app)
    addresses = {each: _redirect(services, record.name, each) for each in environments}
    return tuple(
        _one(services, InstallKey(label, each), app=record.name, redirect_uri=addresses[each], life=life)
        for label in labels
        for each in environments
    )


def _one(services: Services, key: InstallKey, *, app: str, redirect_uri: str, life: timedelta) -> Onboarding:
    email = services.store.account(key.account).email
    grant = services.store.grant(app=app, environment=key.environment, account=key.account)
    if grant is not None and grant.status is GrantStatus.ACTIVE:
        return Onboarding(key, "installed", grant.email or email)
    begun = Installer(services).begin(
        app=app, account=key.account, environment=key.environment, redirect_uri=redirect_uri, life=life
    )
    return Onboarding(key, "invited", email, begun.authorize_url, begun.expires_at)


def check_redirects(services: Services, *, app: str | None, environments: Sequence[Environment]) -> None:
    """Raise UserError where an environment has no redirect address that other people's browsers can come back to."""
    record = services.store.app(app)
    for environment in environments:
        _redirect(services, record.name, environment)


def _redirect(services: Services, app: str, environment: Environment) -> str:
    redirect_uri = services.store.credentials(app=app, environment=environment).redirect_uri
    if redirect_uri is None or is_loopback(redirect_uri):
        raise UserError(
            f"The {environment} redirect address of {app} is {redirect_uri or 'not registered'}: other people's "
            "browsers cannot come back to it.",
            next_step=f"Serve one behind a tunnel and register it: rtms-audit app add {app} --redirect-uri https://…",
        )
    return redirect_uri
