"""Checking what an audit stands on, in order, with one fix for each thing that is wrong."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

from rtms_audit.core.secret import Secret
from rtms_audit.errors import AuditError
from rtms_audit.store.records import AppRecord, GrantStatus
from rtms_audit.workflows.apps import PairState, check_app
from rtms_audit.workflows.loopback import is_loopback
from rtms_audit.workflows.services import Services
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


class Doctor:
    """Runs the checks over one app; without an app only what needs none."""

    def __init__(
        self,
        services: Services,
        *,
        app: str | None,
        environ: Mapping[str, str],
        listener: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._services = services
        self._environ = environ
        self._listener = listener
        apps = services.store.apps()
        self._app: AppRecord | None = services.store.app(app) if app or len(apps) == 1 else None

    def examine(self) -> Iterator[Finding]:
        """Give the findings, in the order in which they are to be mended."""
        probe = self._token_probe()
        yield self._clock(probe)
        yield _reach("Zoom's OAuth address", probe)
        yield _reach("Zoom's API", self._api_probe())
        yield from self._credentials()
        yield from self._redirects()
        yield from self._grants()
        yield from self._webhook_secrets()
        yield self._listening()
        yield self._sdk_variables()

    def _token_probe(self) -> Exchange:
        """Ask the token address with a pair that cannot be right: any answer shows time and reach."""
        return self._services.oauth.client_credentials(Pair("rtms-audit-doctor", Secret("none"))).exchange

    def _api_probe(self) -> Exchange:
        api = self._services.api(token=lambda: Secret("none"), on_unauthorized=None, account="")
        return api.get("/users/me")

    def _clock(self, probe: Exchange) -> Finding:
        subject = "clock"
        stated = {name.lower(): value for name, value in probe.headers.items()}.get("date")
        if stated is None:
            return Finding(subject, Health.SKIPPED, "Zoom's time is not known, since it did not answer")
        skew = probe.at - parsedate_to_datetime(stated)
        seconds = f"{abs(skew.total_seconds()):.0f} s {'ahead of' if skew > timedelta() else 'behind'} Zoom's"
        if abs(skew) > SKEW_LIMIT:
            return Finding(subject, Health.BAD, f"this clock is {seconds}", "Let the clock be set by a time server.")
        return Finding(subject, Health.GOOD, "this clock agrees with Zoom's")

    def _credentials(self) -> Iterator[Finding]:
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

    def _redirects(self) -> Iterator[Finding]:
        for environment, registered in sorted(self._app.environments.items()) if self._app else ():
            yield _redirect(f"{environment} redirect address", registered.redirect_uri)

    def _grants(self) -> Iterator[Finding]:
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

    def _webhook_secrets(self) -> Iterator[Finding]:
        for environment, registered in sorted(self._app.environments.items()) if self._app else ():
            subject = f"{environment} webhook secret"
            if registered.has_webhook_secret:
                yield Finding(subject, Health.GOOD, "registered")
            else:
                fix = "rtms-audit app add … --webhook-secret-file FILE (the secret token, not the client secret)"
                yield Finding(subject, Health.BAD, "not registered: no webhook can be verified", fix)

    def _listening(self) -> Finding:
        problem = self._listener()
        if problem is None:
            return Finding("listener", Health.GOOD, "answers")
        return Finding("listener", Health.WARNING, problem, "rtms-audit serve")

    def _sdk_variables(self) -> Finding:
        present = [name for name in SDK_VARIABLES if self._environ.get(name)]
        if not present:
            return Finding("SDK variables", Health.GOOD, "neither ZM_RTMS_CLIENT nor ZM_RTMS_SECRET is set here")
        seen = f"{' and '.join(present)} set here: Zoom's SDK takes them before what the code passes{self._whose()}"
        return Finding("SDK variables", Health.WARNING, seen, f"unset {' '.join(present)}")

    def _whose(self) -> str:
        client = self._environ.get("ZM_RTMS_CLIENT")
        for environment, registered in self._app.environments.items() if self._app else ():
            if client == registered.client_id:
                return f"; every stream is signed with the {environment} pair"
        return ""


def _reach(subject: str, exchange: Exchange) -> Finding:
    host = urlsplit(exchange.url).hostname
    if exchange.status is None:
        fix = "Check the network, the proxy (HTTPS_PROXY) and its certificates (REQUESTS_CA_BUNDLE)."
        return Finding(subject, Health.BAD, f"{host}: {exchange.error}", fix)
    if exchange.status >= 500 or isinstance(exchange.parsed, str):
        fix = "Check RTMS_AUDIT_ZOOM_OAUTH_URL and RTMS_AUDIT_ZOOM_API_URL, or try again later."
        return Finding(subject, Health.BAD, f"{host} answers HTTP {exchange.status}, not as Zoom does", fix)
    return Finding(subject, Health.GOOD, f"{host} answers")


def _redirect(subject: str, redirect_uri: str | None) -> Finding:
    """Zoom takes https, and loopback addresses of PKCE clients since 2026-09-28 (developers.zoom.us/changelog)."""
    if redirect_uri is None:
        return Finding(subject, Health.GOOD, "none: installs come back to 127.0.0.1")
    if is_loopback(redirect_uri):
        return Finding(subject, Health.GOOD, f"{redirect_uri}: this machine only, with PKCE, since 2026-09-28")
    return Finding(subject, Health.GOOD, f"{redirect_uri}: through `serve` or --paste")


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
