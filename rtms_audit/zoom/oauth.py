"""Zoom's OAuth addresses, spoken to with Authlib: authorize, token and revoke.

Authlib builds addresses and bodies, makes the PKCE challenge and the Basic header and reads tokens; this module adds
what is Zoom's own (`{reason, error}` bodies, HTML error pages) and keeps secrets out of everything that is kept.
"""

import base64
import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from rtms_audit.core.answers import parse_body
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.zoom.addresses import check_redirect, checked_address
from rtms_audit.zoom.exchange import Exchange, kept_headers
from rtms_audit.zoom.masking import mask_arguments, mask_body, mask_text
from rtms_audit.zoom.oauth_problems import OAuthProblem, ProblemKind, read_problem
from rtms_audit.zoom.token_reading import Tokens, is_printable, read_tokens
from rtms_audit.zoom.transport import bind, describe, restate

__all__ = ["OAuthProblem", "Pair", "ProblemKind", "TokenAnswer", "Tokens", "ZoomOAuth"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One environment's client id and secret, and its redirect address where the app has one."""

    client_id: str
    client_secret: Secret
    redirect_uri: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot stand in a Basic header; the message never holds the secret."""
        if not is_printable(self.client_id) or ":" in self.client_id:
            raise UserError(
                f"{self.client_id!r} is not a client id",
                next_step="Copy the client id from the app's page on marketplace.zoom.us.",
            )
        if not is_printable(self.client_secret.reveal()):
            raise UserError(
                f"the client secret of {self.client_id} is empty or holds characters that a client secret never has",
                next_step="Copy the client secret from the app's page on marketplace.zoom.us again.",
            )

    def secrets(self) -> tuple[str, str]:
        """Return what an answer that repeats the request could give away: the secret, alone and as the Basic header."""
        secret = self.client_secret.reveal()
        return secret, base64.b64encode(f"{self.client_id}:{secret}".encode()).decode()


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """One call to the token or revoke address; on success `problem` is None.

    `tokens` is None where there is a problem, and after a revocation.
    """

    exchange: Exchange
    tokens: Tokens | None
    problem: OAuthProblem | None
    grant: str = ""

    def oauth_fields(self) -> dict[str, object]:
        """Return the fields of an `oauth` observation, free of secrets."""
        exchange = self.exchange
        response: dict[str, object] = {"body": exchange.error or "no answer"}
        if exchange.status is not None:
            response = {"status": exchange.status, "body": exchange.parsed}
        return {"grant": self.grant, "request": dict(exchange.request_body or {}), "response": response}


@dataclass(slots=True)
class _Call:
    """A call under way: what was sent that may not be kept, and the answer as the hook saw it."""

    grant: str
    secrets: Collection[str]
    arguments: dict[str, str]
    address: str
    answer: requests.Response | None = None
    error: str | None = None
    token: Mapping[str, object] = field(default_factory=dict)


class ZoomOAuth:
    """A client of the OAuth addresses under `base_url` (`https://zoom.us/oauth`).

    `timeout` is in seconds and per socket operation; a whole exchange takes three times that at most. `transport`
    is a session whose adapters, proxies and certificate settings are used instead of the usual ones. No method
    raises for what Zoom answers or for network trouble: both come back as a `problem`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Callable[[], datetime],
        timeout: float = 10.0,
        transport: requests.Session | None = None,
    ) -> None:
        self._base = checked_address(base_url, "address of Zoom's OAuth").rstrip("/")
        self._clock = clock
        self._timeout = timeout
        self._transport = transport or requests.Session()
        if transport is None:
            bind(self._transport, timeout=timeout)

    def authorize_url(self, client_id: str, redirect_uri: str, state: str, code_verifier: Secret) -> str:
        """Return the address that the account's user opens in a browser; PKCE S256, no `scope`.

        Without `scope` the app's own set is asked for; naming scopes has broken authorizations
        (devforum.zoom.us/t/138714). UserError where the redirect address or the state cannot work.
        """
        check_redirect(redirect_uri)
        if not state or not client_id:
            raise UserError("the authorize address needs a client id and a state")
        verifier = code_verifier.reveal()
        if not 43 <= len(verifier) <= 128:
            raise UserError("a PKCE verifier has 43 to 128 characters (RFC 7636)")
        session = OAuth2Session(client_id=client_id, redirect_uri=redirect_uri, code_challenge_method="S256")
        url, _ = session.create_authorization_url(f"{self._base}/authorize", state=state, code_verifier=verifier)
        return str(url)

    def exchange_code(self, pair: Pair, code: Secret, code_verifier: Secret) -> TokenAnswer:
        """Trade the code of the browser's way back for tokens; it works once and for 5 minutes."""
        arguments = {"code": code.reveal(), "code_verifier": code_verifier.reveal()}
        if pair.redirect_uri is not None:
            arguments["redirect_uri"] = pair.redirect_uri
        return self._token(pair, "authorization_code", arguments)

    def refresh(self, pair: Pair, refresh_token: Secret) -> TokenAnswer:
        """Ask for a new pair of tokens. The old refresh token may be dead from this moment on, even without answer.

        An answer may lack a refresh token (reported by a connector); `tokens.refresh` is then the one that was sent.
        """
        return self._token(pair, "refresh_token", {"refresh_token": refresh_token.reveal()})

    def client_credentials(self, pair: Pair) -> TokenAnswer:
        """Ask for an app-owned token: the check of a credential pair that needs no user."""
        return self._token(pair, "client_credentials", {})

    def account_credentials(self, pair: Pair, account_id: str) -> TokenAnswer:
        """Ask for a Server-to-Server token of the account; a new one has been seen to end the one before."""
        return self._token(pair, "account_credentials", {"account_id": account_id})

    def revoke(self, pair: Pair, token: Secret) -> TokenAnswer:
        """Revoke an access token; access and refresh token die (zoom/skills, 2026-07-13). `tokens` is always None."""
        secrets = {token.reveal(), *pair.secrets()}
        call = _Call("revoke", secrets, {"token": token.reveal()}, f"{self._base}/revoke")

        def run(session: OAuth2Session) -> None:
            options = {"timeout": self._timeout, "allow_redirects": False}
            call.answer = session.revoke_token(call.address, token=token.reveal(), **options)

        exchange = self._perform(pair, call, run)
        body = parse_body(call.answer.content) if call.answer is not None else None
        status = exchange.status
        done = status is not None and status < 300 and not (isinstance(body, Mapping) and "error" in body)
        problem = None if done else self._problem(call, exchange, body)
        return TokenAnswer(exchange, None, problem, call.grant)

    def _token(self, pair: Pair, grant: str, arguments: dict[str, str]) -> TokenAnswer:
        secrets = {*pair.secrets(), *secret_arguments(arguments)}
        call = _Call(grant, secrets, {"grant_type": grant, **arguments}, f"{self._base}/token")

        def run(session: OAuth2Session) -> None:
            options = {"timeout": self._timeout, "allow_redirects": False}
            if grant == "refresh_token":
                call.token = session.refresh_token(call.address, **arguments, **options)
            else:
                call.token = session.fetch_token(call.address, grant_type=grant, **arguments, **options)

        exchange = self._perform(pair, call, run)
        body = parse_body(call.answer.content) if call.answer is not None else None
        tokens = read_tokens(call.token) if exchange.status is not None and exchange.status < 300 else None
        problem = None if tokens is not None else self._problem(call, exchange, body)
        return TokenAnswer(exchange, tokens, problem, grant)

    def _problem(self, call: _Call, exchange: Exchange, body: object) -> OAuthProblem:
        """Read the problem and take the secrets out of its text."""
        if call.answer is None:
            return OAuthProblem(ProblemKind.TRANSIENT, reason=exchange.error)
        found = read_problem(grant=call.grant, status=exchange.status, body=body)
        error = mask_text(found.error, call.secrets)[:200] if found.error else None
        reason = mask_text(found.reason, call.secrets)[:500] if found.reason else None
        return OAuthProblem(found.kind, found.status, error, reason, found.code)

    def _perform(self, pair: Pair, call: _Call, run: Callable[[OAuth2Session], None]) -> Exchange:
        """Run one call through a session of Authlib's that lives no longer than the call, and say what happened."""
        session = self._session(pair, call)
        at, started = self._clock(), time.monotonic()
        try:
            run(session)
        except requests.RequestException as error:
            call.error = None if call.answer is not None else describe(error)
        except (OAuthError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # Authlib's readers fail in several ways on an answer that is no token; the answer itself tells the problem.
            call.error = None if call.answer is not None else "ValueError: the answer could not be read"
        elapsed = (time.monotonic() - started) * 1000
        return _exchange_of(call, at, elapsed)

    def _session(self, pair: Pair, call: _Call) -> OAuth2Session:
        session = OAuth2Session(
            client_id=pair.client_id,
            client_secret=pair.client_secret.reveal(),
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - a method, not a secret
            revocation_endpoint_auth_method="client_secret_basic",
        )
        session.adapters = self._transport.adapters
        session.proxies, session.verify = self._transport.proxies, self._transport.verify
        session.cert, session.trust_env = self._transport.cert, self._transport.trust_env
        session.headers.update({"User-Agent": str(self._transport.headers.get("User-Agent"))})

        def keep(response: requests.Response) -> requests.Response:
            call.answer = response
            return with_description(response)

        session.register_compliance_hook("access_token_response", keep)
        session.register_compliance_hook("refresh_token_response", keep)
        return session


def _exchange_of(call: _Call, at: datetime, elapsed_ms: float) -> Exchange:
    """Build the exchange that may be kept: nothing in it is a secret."""
    answer = call.answer
    path = f"/oauth/{call.address.rsplit('/', 1)[1]}"
    request = mask_arguments(call.arguments)
    if answer is None:
        return Exchange(
            method="POST", url=call.address, path=path, at=at, duration_ms=elapsed_ms, request_body=request,
            error=call.error or "no answer",
        )  # fmt: skip
    known = {*call.secrets, *_tokens_in(parse_body(answer.content))}
    return Exchange(
        method="POST", url=call.address, path=path, at=at, duration_ms=elapsed_ms, request_body=request,
        status=answer.status_code, headers=kept_headers(answer.headers.items()), body=mask_body(answer.content, known),
    )  # fmt: skip


def _tokens_in(body: object) -> set[str]:
    if not isinstance(body, Mapping):
        return set()
    found = (body.get(name) for name in ("access_token", "refresh_token", "id_token"))
    return {value for value in found if isinstance(value, str) and value}


def secret_arguments(arguments: Mapping[str, str]) -> set[str]:
    """Return those argument values that are secrets; the redirect address and the account id are none."""
    return {value for name, value in arguments.items() if name not in ("redirect_uri", "account_id")}


def with_description(response: requests.Response) -> requests.Response:
    """Copy Zoom's `reason` to `error_description`, where Authlib looks for the text (RFC 6749 §5.2)."""
    body = parse_body(response.content)
    if not isinstance(body, dict) or "reason" not in body or "error_description" in body:
        return response
    return restate(response, json.dumps({**body, "error_description": body["reason"]}).encode())
