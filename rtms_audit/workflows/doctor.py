"""Checking what an audit stands on, in order, with one fix for each thing that is wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.errors import AuditError
from rtms_audit.store.records import AppRecord, GrantStatus
from rtms_audit.workflows.apps import PairState, check_app
from rtms_audit.workflows.loopback import is_loopback
from rtms_audit.workflows.services import Network, Services
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.oauth import Pair

SKEW_LIMIT = timedelta(seconds=60)
"""Webhook signatures older than 300 s are not trusted; a clock that is a minute off is on its way there."""

OLDEST_REFRESH = timedelta(days=80)
"""Refresh tokens die after about 90 days (zoom/skills oauth/concepts/token-lifecycle.md, 2026-07-13)."""

SDK_VARIABLES = ("ZM_RTMS_CLIENT", "ZM_RTMS_SECRET")
"""Zoom's SDK takes these before what the code passes (github.com/zoom/rtms @7ae31ec, measured with rtms 1.1.0)."""


class Health(StrEnum):
    """How a checked thing stands."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing: what was seen, and the one fix where it is not good."""

    subject: str
    health: Health
    seen: str
    fix: str = ""


def examine(
    network: Network,
    services: Services | None,
    *,
    app: str | None,
    environ: Mapping[str, str],
    storage: Sequence[Finding] = (),
    listener: Callable[[], str | None] = lambda: None,
) -> Iterator[Finding]:
    """Give the findings, in the order in which they are to be mended.

    `storage` is what `store_findings` gave; `services` is None where the store cannot be opened, and then everything
    that is kept there is skipped.
    """
    probe = network.oauth.client_credentials(Pair("rtms-audit-doctor", Secret("none"))).exchange
    yield _clock(probe)
    yield _reach("Zoom's OAuth address", probe)
    api = network.api(token=lambda: Secret("none"), on_unauthorized=None, account="")
    yield _reach("Zoom's API", api.get("/users/me"))
    registered = Registered(services, app=app) if services else None
    if registered:
        yield from registered.credentials()
        yield from registered.redirects()
    else:
        yield Finding("app", Health.SKIPPED, "what is registered cannot be read before key and database are mended")
    yield from storage
    if registered:
        yield from registered.grants()
        yield from registered.webhook_secrets()
    yield _listening(listener)
    yield _sdk_variables(environ, registered.client_ids() if registered else {})


def _clock(probe: Exchange) -> Finding:
    subject = "clock"
    stated = {name.lower(): value for name, value in probe.headers.items()}.get("date")
    if stated is None:
        return Finding(subject, Health.SKIPPED, "Zoom's time is not known, since it did not answer")
    skew = probe.at - parsedate_to_datetime(stated)
    seconds = f"{abs(skew.total_seconds()):.0f} s {'ahead of' if skew > timedelta() else 'behind'} Zoom's"
    if abs(skew) > SKEW_LIMIT:
        return Finding(subject, Health.BAD, f"this clock is {seconds}", "Let the clock be set by a time server.")
    return Finding(subject, Health.GOOD, "this clock agrees with Zoom's")


class Registered:
    """The checks over what is registered of one app, and installed; without an app there is little to check."""

    def __init__(self, services: Services, *, app: str | None) -> None:
        self._services = services
        apps = services.store.apps()
        self._app: AppRecord | None = services.store.app(app) if app or len(apps) == 1 else None

    def client_ids(self) -> Mapping[str, str]:
        """Give the environment of each registered client id."""
        return {one.client_id: str(each) for each, one in self._app.environments.items()} if self._app else {}

    def credentials(self) -> Iterator[Finding]:
        """Say what Zoom says of each pair."""
        if self._app is None:
            yield Finding("app", Health.BAD, "no app is registered, or several and none named", "rtms-audit app add …")
            return
        checked = check_app(self._services, app=self._app.name)
        for pair in checked.pairs:
            subject = f"{pair.environment} credentials"
            if pair.state is PairState.VALID:
                yield Finding(subject, Health.GOOD, "Zoom accepts the client id and secret")
            elif pair.state is PairState.INVALID:
                fix = f"Copy id and secret again: rtms-audit app add {checked.app} --environment {pair.environment}"
                yield Finding(subject, Health.BAD, pair.reason, fix)
            else:
                yield Finding(subject, Health.WARNING, f"could not be checked: {pair.reason}", "Try again later.")
        for warning in checked.warnings:
            yield Finding("credentials", Health.BAD, warning, f"Register the pairs of {checked.app} again.")

    def redirects(self) -> Iterator[Finding]:
        """Say where each environment's installs come back to."""
        for environment, registered in sorted(self._app.environments.items()) if self._app else ():
            yield _redirect(environment, registered.redirect_uri)

    def grants(self) -> Iterator[Finding]:
        """Count the grants by state, and say how old the oldest refresh is."""
        grants = self._services.store.grants(app=self._app.name) if self._app else ()
        counts = {status: sum(1 for grant in grants if grant.status is status) for status in GrantStatus}
        told = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "none yet"
        active = [grant for grant in grants if grant.status is GrantStatus.ACTIVE]
        if not active:
            yield Finding("installs", Health.WARNING, told, "rtms-audit install ACCOUNT --environment ENV")
            return
        oldest = min(active, key=lambda grant: grant.refreshed_at)
        age = self._services.clock() - oldest.refreshed_at
        seen = f"{told}; the oldest refresh is {age.days} days old ({oldest.account}/{oldest.environment})"
        if age > OLDEST_REFRESH:
            yield Finding("installs", Health.BAD, seen, "rtms-audit installs refresh")
        else:
            yield Finding("installs", Health.GOOD, seen)

    def webhook_secrets(self) -> Iterator[Finding]:
        """Say which environment's webhooks can be verified."""
        for environment, registered in sorted(self._app.environments.items()) if self._app else ():
            subject = f"{environment} webhook secret"
            if registered.has_webhook_secret:
                yield Finding(subject, Health.GOOD, "registered")
            else:
                fix = "rtms-audit app add … --webhook-secret-file FILE (the secret token, not the client secret)"
                yield Finding(subject, Health.BAD, "not registered: no webhook can be verified", fix)


def _listening(listener: Callable[[], str | None]) -> Finding:
    problem = listener()
    if problem is None:
        return Finding("listener", Health.GOOD, "answers")
    return Finding("listener", Health.WARNING, problem, "rtms-audit serve")


def _sdk_variables(environ: Mapping[str, str], client_ids: Mapping[str, str]) -> Finding:
    present = [name for name in SDK_VARIABLES if environ.get(name)]
    if not present:
        return Finding("SDK variables", Health.GOOD, "neither ZM_RTMS_CLIENT nor ZM_RTMS_SECRET is set here")
    whose = client_ids.get(environ.get(SDK_VARIABLES[0], ""))
    effect = f"; every stream is signed with the {whose} pair" if whose else ""
    seen = f"{' and '.join(present)} set here: Zoom's SDK takes them before what the code passes{effect}"
    return Finding("SDK variables", Health.WARNING, seen, f"unset {' '.join(present)}")


def _reach(subject: str, exchange: Exchange) -> Finding:
    address = urlsplit(exchange.url)
    host = address.hostname or ""
    if exchange.status is None:
        port = address.port or (80 if address.scheme == "http" else 443)
        fix = _network_fix(exchange.error or "", host, port)
        return Finding(subject, Health.BAD, f"{host}:{port}: {exchange.error}", fix)
    if exchange.status >= 500 or isinstance(exchange.parsed, str):
        variable = "RTMS_AUDIT_ZOOM_OAUTH_URL" if "OAuth" in subject else "RTMS_AUDIT_ZOOM_API_URL"
        fix = f"Check {variable}, or try again later."
        return Finding(subject, Health.BAD, f"{host} answers HTTP {exchange.status}, not as Zoom does", fix)
    return Finding(subject, Health.GOOD, f"{host} answers")


def _network_fix(error: str, host: str, port: int) -> str:
    """Give the one thing to mend, by where the call broke off."""
    if "roxy" in error:
        return f"Mend the proxy that HTTPS_PROXY names, or add {host} to NO_PROXY."
    if "SSL" in error or "TLS" in error:
        return "Let REQUESTS_CA_BUNDLE name the certificates of whoever inspects TLS on the way."
    if "host name" in error:
        return f"Mend the name server: {host} has no address here."
    return f"Let {host}:{port} be reached through network and firewall."


def _redirect(environment: Environment, redirect_uri: str | None) -> Finding:
    """Zoom takes https from everybody, and loopback addresses for development.

    Since 2026-09-28 public PKCE clients may use `http://127.0.0.1:{any port}`; clients with a secret keep https
    (developers.zoom.us/changelog, "loopback redirect URIs for PKCE").
    """
    subject = f"{environment} redirect address"
    if redirect_uri is not None and not is_loopback(redirect_uri):
        return Finding(subject, Health.GOOD, f"{redirect_uri}: through `serve` or --paste")
    where = redirect_uri or "none: installs come back to 127.0.0.1"
    fix = f"rtms-audit app add … --environment {environment} --redirect-uri https://…"
    if urlsplit(redirect_uri or "http://127.0.0.1").hostname != "127.0.0.1":
        return Finding(
            subject, Health.WARNING, f"{where}: Zoom's loopback rule of 2026-09-28 names 127.0.0.1 only", fix
        )
    if environment is Environment.PRODUCTION:
        rule = (
            "loopback is for development and, since 2026-09-28, for public PKCE clients; a secret's client keeps https"
        )
        return Finding(subject, Health.WARNING, f"{where}; {rule}", fix)
    return Finding(subject, Health.GOOD, where if redirect_uri is None else f"{where}: this machine only")


def store_findings(*, key: Callable[[], str], schema: Callable[[], tuple[bool, str]]) -> Iterator[Finding]:
    """Check the key and the database, which come before the store can be opened."""
    try:
        yield Finding("key", Health.GOOD, key())
    except AuditError as error:
        yield Finding("key", Health.BAD, error.message, error.next_step or "")
    try:
        current, seen = schema()
        fix = "" if current else "rtms-audit db upgrade"
        yield Finding("database", Health.GOOD if current else Health.BAD, seen, fix)
    except AuditError as error:
        yield Finding("database", Health.BAD, error.message, error.next_step or "")
