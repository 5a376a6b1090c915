"""Codes and tokens: what is issued, how long it lives, and how a used refresh token is treated.

Lifetimes and bodies after Zoom's OAuth pages and the reports collected in docs/sandbox.md (as of 2026-11).
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rtms_audit.sandbox.ids import token
from rtms_audit.sandbox.scopes import AUDITOR_SCOPES, CLIENT_SCOPES
from rtms_audit.sandbox.world import Account, AppEnvironment, Grant, User, World

CODE_TTL_S = 300
REFRESH_TTL_S = 90 * 24 * 3600
DEVICE_TTL_S = 900
DEVICE_INTERVAL_S = 5
DEAD_WORDS = {
    4717: "The app has been disabled by Zoom.",
    4735: "The owner of this token does not exist.",
    4737: "There is no authorization record for this token.",
    4738: "The token has been disabled by the account's admin.",
    4740: "The token id is outside the tolerance range.",
    4741: "The token has been revoked: a later authorization superseded it.",
}


class OAuthError(Exception):
    """The token address says no: HTTP status and Zoom's `{reason, error}`.

    `code` is one of Zoom's OAuth numbers. How those travel at the token address is not public; the sandbox adds the
    number as a key of its own and to the reason's text.
    """

    def __init__(self, reason: str, error: str, *, status: int = 400, code: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.body: dict[str, object] = {"reason": reason, "error": error}
        if code is not None:
            self.body = {"reason": f"{reason} ({code})", "error": error, "code": code}


@dataclass(eq=False)
class Code:
    """An authorization code, good once."""

    client: AppEnvironment
    user: User
    redirect_uri: str
    challenge: str | None
    method: str
    scopes: tuple[str, ...] | None
    expires_at: datetime


@dataclass(eq=False)
class Access:
    """An access token; exactly one of grant, account (Server-to-Server) and client (the app itself) is set."""

    scopes: tuple[str, ...]
    expires_at: datetime
    grant: Grant | None = None
    account: Account | None = None
    client: AppEnvironment | None = None
    revoked: bool = False

    @property
    def caller_id(self) -> str:
        """Return the client id that the token was given to."""
        if self.grant is not None:
            return self.grant.client.client_id
        if self.account is not None:
            return self.account.auditor_id
        return self.client.client_id if self.client else ""


@dataclass(eq=False)
class Refresh:
    """A refresh token and what was done with it."""

    grant: Grant
    expires_at: datetime
    used_at: datetime | None = None
    reuses: int = 0


@dataclass(eq=False)
class Device:
    """A device waiting for somebody to type its user code; `user` False means that they said no."""

    client: AppEnvironment
    user_code: str
    expires_at: datetime
    user: User | bool | None = None
    polled_at: datetime | None = None


@dataclass
class TokenBook:
    """Every code and token of one world."""

    world: World
    codes: dict[str, Code] = field(default_factory=dict)
    accesses: dict[str, Access] = field(default_factory=dict)
    refreshes: dict[str, Refresh] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)

    def _in(self, seconds: float) -> datetime:
        return self.world.clock.now() + timedelta(seconds=seconds)

    def _expired(self, moment: datetime) -> bool:
        return self.world.clock.now() >= moment

    def new_code(
        self, client: AppEnvironment, user: User, redirect_uri: str, *, challenge: str | None, method: str,
        scopes: tuple[str, ...] | None,
    ) -> str:  # fmt: skip
        """Return a code that is good once, for five minutes."""
        code = self.world.token_urlsafe(32)
        self.codes[code] = Code(client, user, redirect_uri, challenge, method, scopes, self._in(CODE_TTL_S))
        return code

    def exchange_code(self, client: AppEnvironment, code: str, redirect_uri: str, verifier: str) -> dict[str, object]:
        """Turn a code into a grant and its first tokens; OAuthError where it is not good."""
        found = self.codes.get(code)
        if found is None or found.client is not client:
            raise OAuthError("Invalid authorization code", "invalid_grant")
        if self._expired(found.expires_at):
            del self.codes[code]
            raise OAuthError("Invalid authorization code", "invalid_grant")
        if redirect_uri != found.redirect_uri:
            raise OAuthError("Redirect URI mismatch.", "invalid_request", code=4709)
        if found.challenge is not None and not _verifies(verifier, found.challenge, found.method):
            raise OAuthError("Invalid code verifier", "invalid_grant")
        del self.codes[code]
        return self.pair(self.world.add_grant(client, found.user, found.scopes))

    def pair(self, grant: Grant) -> dict[str, object]:
        """Issue an access and a refresh token for a living grant."""
        claims: dict[str, object] = {
            "ver": 7, "auid": grant.grant_id, "iss": f"zm:cid:{grant.client.client_id}", "gno": 0, "tid": 0,
            "aud": "https://oauth.zoom.us", "uid": grant.user.user_id, "aid": grant.user.account.account_id,
        }  # fmt: skip
        refresh = token({**claims, "type": 1}, self.world.token_urlsafe)
        self.refreshes[refresh] = Refresh(grant, self._in(REFRESH_TTL_S))
        answer = self._access(Access(grant.scopes, self._expiry(), grant=grant), {**claims, "type": 0})
        return {**answer, "refresh_token": refresh}

    def _expiry(self) -> datetime:
        return self._in(self.world.settings.access_token_ttl)

    def _access(self, access: Access, claims: dict[str, object]) -> dict[str, object]:
        text = token(claims, self.world.token_urlsafe)
        self.accesses[text] = access
        return {
            "access_token": text,
            "token_type": "bearer",
            "expires_in": int(self.world.settings.access_token_ttl),
            "scope": " ".join(access.scopes),
            "api_url": self.world.api_url,
        }

    def refresh(self, client: AppEnvironment, text: str) -> dict[str, object]:
        """Rotate a refresh token; OAuthError where it or its grant is dead."""
        found = self.refreshes.get(text)
        if found is None or found.grant.client is not client or self._expired(found.expires_at):
            raise OAuthError("Invalid Token!", "invalid_grant")
        self._refuse_dead(found.grant)
        if found.used_at is not None:
            self._allow_reuse(found)
        found.used_at = found.used_at or self.world.clock.now()
        return self.pair(found.grant)

    def _refuse_dead(self, grant: Grant) -> None:
        code = _dead_code(grant)
        if code == 0:
            raise OAuthError("Invalid Token!", "invalid_grant")
        if code is not None:
            raise OAuthError(DEAD_WORDS[code], "invalid_grant", code=code)

    def _allow_reuse(self, used: Refresh) -> None:
        settings = self.world.settings
        since = self.world.clock.now() - (used.used_at or self.world.clock.now())
        if settings.refresh_rotation == "grace" and since.total_seconds() <= settings.grace_s:
            return
        if settings.refresh_rotation == "tolerance":
            used.reuses += 1
            if used.reuses <= settings.tolerance:
                return
            raise OAuthError(DEAD_WORDS[4740], "invalid_grant", code=4740)
        raise OAuthError("Invalid Token!", "invalid_grant")

    def account_token(self, account: Account) -> dict[str, object]:
        """Issue a Server-to-Server token: no refresh token."""
        claims: dict[str, object] = {
            "ver": 9,
            "iss": f"zm:cid:{account.auditor_id}",
            "type": 3,
            "aid": account.account_id,
        }
        return self._access(Access(AUDITOR_SCOPES, self._expiry(), account=account), claims)

    def client_token(self, client: AppEnvironment) -> dict[str, object]:
        """Issue a token for the app itself: no user, no refresh token."""
        claims: dict[str, object] = {"ver": 9, "iss": f"zm:cid:{client.client_id}", "type": 3}
        return self._access(Access(CLIENT_SCOPES, self._expiry(), client=client), claims)

    def revoke(self, client: AppEnvironment, text: str) -> None:
        """End the grant behind an access or refresh token of this client; OAuthError where there is none."""
        access, refresh = self.accesses.get(text), self.refreshes.get(text)
        grant = (access.grant if access else None) or (refresh.grant if refresh else None)
        if access is not None and access.client is client:
            access.revoked = True
            return
        if grant is None or grant.client is not client:
            raise OAuthError("Invalid Token!", "invalid_request")
        grant.dead_code = grant.dead_code or 0

    def check(self, text: str) -> Access | str:
        """Return what a bearer token stands for, or Zoom's sentence for refusing it (401, code 124)."""
        access = self.accesses.get(text)
        if access is None or access.revoked or (access.grant and _dead_code(access.grant) is not None):
            return "Invalid access token."
        return "Access token is expired." if self._expired(access.expires_at) else access

    def new_device(self, client: AppEnvironment) -> dict[str, object]:
        """Begin a device authorization (15 minutes, a poll each 5 seconds)."""
        device_code, number = self.world.token_urlsafe(24), self.world.ids.next_name("device")
        user_code = self.world.ids.text("user-code", number, 8).lower()
        self.devices[device_code] = Device(client, user_code, self._in(DEVICE_TTL_S))
        return {"device_code": device_code, "user_code": user_code, "expires_in": DEVICE_TTL_S,
                "interval": DEVICE_INTERVAL_S}  # fmt: skip

    def poll_device(self, client: AppEnvironment, device_code: str) -> dict[str, object]:
        """Answer one poll of a waiting device; OAuthError with the pending states of RFC 8628."""
        device = self.devices.get(device_code)
        if device is None or device.client is not client:
            raise OAuthError("Invalid device code", "invalid_grant")
        if self._expired(device.expires_at):
            raise OAuthError("The device code has expired", "expired_token")
        if device.user is None:
            error = "slow_down" if self._too_soon(device) else "authorization_pending"
            device.polled_at = self.world.clock.now()
            raise OAuthError("The user has not finished the authorization", error)
        del self.devices[device_code]
        if not isinstance(device.user, User):
            raise OAuthError("The user refused", "access_denied")
        return self.pair(self.world.add_grant(client, device.user))

    def _too_soon(self, device: Device) -> bool:
        if device.polled_at is None:
            return False
        return (self.world.clock.now() - device.polled_at).total_seconds() < DEVICE_INTERVAL_S


def _dead_code(grant: Grant) -> int | None:
    """Return why a grant no longer works as a Zoom code (0: revoked, no number known), or None while it lives."""
    if grant.client.app.spec.status == "disabled":
        return 4717
    if grant.user.removed:
        return 4735
    return grant.dead_code


def _verifies(verifier: str, challenge: str, method: str) -> bool:
    if method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(verifier.encode(), challenge.encode())
