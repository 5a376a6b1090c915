"""What every workflow is handed: the store, the ways to Zoom, and the clock, sleep and randomness."""

import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rtms_audit.core.model import Plan
from rtms_audit.core.secret import Secret
from rtms_audit.settings import Settings
from rtms_audit.store.store import Store
from rtms_audit.zoom.api import ZoomApi
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.limits import SharedLimits
from rtms_audit.zoom.oauth import Pair, TokenAnswer, ZoomOAuth


class OAuthClient(Protocol):
    """Zoom's OAuth addresses, as `zoom.oauth.ZoomOAuth` speaks to them."""

    def authorize_url(self, client_id: str, redirect_uri: str, state: str, code_verifier: Secret) -> str:
        """Give the address that a person opens to consent."""
        ...

    def exchange_code(self, pair: Pair, code: Secret, code_verifier: Secret) -> TokenAnswer:
        """Turn an authorization code into tokens."""
        ...

    def refresh(self, pair: Pair, refresh_token: Secret) -> TokenAnswer:
        """Turn a refresh token into a new pair of tokens."""
        ...

    def client_credentials(self, pair: Pair) -> TokenAnswer:
        """Ask for the app's own token: a check of id and secret that needs no user."""
        ...

    def account_credentials(self, pair: Pair, account_id: str) -> TokenAnswer:
        """Ask for a Server-to-Server token of an account."""
        ...

    def revoke(self, pair: Pair, token: Secret) -> TokenAnswer:
        """Make Zoom forget a grant."""
        ...


class ApiClient(Protocol):
    """Zoom's REST addresses with one token, as `zoom.api.ZoomApi` speaks to them."""

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Exchange:
        """Read; refusals and network trouble come back as exchanges."""
        ...

    def patch(self, path: str, json: Mapping[str, object]) -> Exchange:
        """Change; refusals and network trouble come back as exchanges."""
        ...


class ApiFactory(Protocol):
    """Makes an `ApiClient` that fetches its token when it needs one."""

    def __call__(
        self, *, token: Callable[[], Secret], on_unauthorized: Callable[[], Secret] | None, account: str
    ) -> ApiClient:
        """Make a client; `account` keys the rate limits, which Zoom counts per account."""
        ...


class Network(Protocol):
    """The ways to Zoom alone, as far as they need no store."""

    @property
    def oauth(self) -> OAuthClient:
        """Zoom's OAuth addresses."""
        ...

    @property
    def api(self) -> ApiFactory:
        """Zoom's REST addresses."""
        ...


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The hands of a workflow. Tests pass fakes for any of them."""

    store: Store
    oauth: OAuthClient
    api: ApiFactory
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    token_urlsafe: Callable[[int], str] = secrets.token_urlsafe
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveNetwork:
    """The ways to the Zoom addresses of the settings; see `live_network`."""

    oauth: OAuthClient
    api: ApiFactory


def live_network(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    plan_of: Callable[[str], Plan] = lambda _account: Plan.UNKNOWN,
) -> LiveNetwork:
    """Make the ways to Zoom; rate limits are shared per account, and depend on the plan that it is thought to have."""
    limits = SharedLimits(clock=clock, sleep=sleep)

    def api(*, token: Callable[[], Secret], on_unauthorized: Callable[[], Secret] | None, account: str) -> ZoomApi:
        return ZoomApi(
            settings.zoom_api_url,
            token=token,
            clock=clock,
            limits=limits.of(account, plan_of(account)),
            sleep=sleep,
            on_unauthorized=on_unauthorized,
        )

    return LiveNetwork(oauth=ZoomOAuth(settings.zoom_oauth_url, clock=clock), api=api)


def live_services(
    store: Store,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> Services:
    """Make the services that speak to the Zoom addresses of the settings."""

    def plan_of(account: str) -> Plan:
        expected = (known.expected_plan for known in store.accounts() if known.label == account)
        return next(expected, Plan.UNKNOWN)

    network = live_network(settings, clock=clock, sleep=sleep, plan_of=plan_of)
    return Services(store=store, oauth=network.oauth, api=network.api, clock=clock, sleep=sleep)
