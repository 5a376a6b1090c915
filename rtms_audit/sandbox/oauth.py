"""The OAuth addresses: authorize, token, revoke, devicecode and the device page.

After developers.zoom.us/docs/integrations/oauth/ and the token bodies reported in public (as of 2026-11): the token
address answers `{"reason", "error"}`, the authorize address stops on a page of its own instead of redirecting.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from rtms_audit.sandbox.consent import consent_page, device_page, refusal_page
from rtms_audit.sandbox.tokens import OAuthError, TokenBook
from rtms_audit.sandbox.world import Account, AppEnvironment, User, World

BookSource = Callable[[], TokenBook]
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


class PageError(Exception):
    """The authorize address stops here, with a page for the person at the browser."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def oauth_router(book_of: BookSource) -> APIRouter:
    """Return the routes under `/oauth`."""
    router = APIRouter()

    @router.get("/authorize")
    async def authorize(request: Request) -> Response:
        """Ask for consent, or give it at once by `login_hint`."""
        try:
            return _authorize(book_of(), dict(request.query_params))
        except PageError as refusal:
            page = refusal_page("This app cannot be added", refusal.sentence)
            return HTMLResponse(page, status_code=refusal.status)

    @router.post("/token")
    async def token(request: Request) -> Response:
        """Issue tokens by any grant type."""
        parameters = await _parameters(request)
        return _answer(lambda: _token(book_of(), _basic(request), parameters))

    @router.post("/revoke")
    async def revoke(request: Request) -> Response:
        """End a grant."""
        parameters = await _parameters(request)
        return _answer(lambda: _revoke(book_of(), _basic(request), parameters))

    @router.post("/devicecode")
    async def devicecode(request: Request) -> Response:
        """Begin a device authorization."""
        base = f"{request.url.scheme}://{request.url.netloc}/oauth/device"
        return _answer(lambda: _devicecode(book_of(), _basic(request), base))

    @router.get("/device")
    async def device(request: Request) -> Response:
        """Show who could allow a device, or allow it."""
        return _device(book_of(), dict(request.query_params))

    return router


def _answer(work: Callable[[], dict[str, object]]) -> Response:
    try:
        return JSONResponse(work())
    except OAuthError as refusal:
        return JSONResponse(refusal.body, status_code=refusal.status)


async def _parameters(request: Request) -> dict[str, str]:
    """Return query and form parameters together, as Zoom accepts both; a form wins."""
    form = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {**dict(request.query_params), **dict(form)}


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, separator, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (client_id, secret) if separator else None


# -- authorize ---------------------------------------------------------------------------------------------------------


def _authorize(book: TokenBook, query: dict[str, str]) -> Response:
    world = book.world
    client = world.client(query.get("client_id"))
    if client is None:
        raise PageError("Invalid client_id (4,702).")
    redirect_uri = query.get("redirect_uri", "")
    if not redirect_allowed(client, redirect_uri):
        raise PageError("Invalid redirect url (4,700).")
    scopes = _asked_scopes(client, query)
    method = query.get("code_challenge_method", "plain")
    if query.get("response_type") != "code" or method not in ("S256", "plain"):
        raise PageError("Invalid response type or code challenge method (4,700).")
    if query.get("decision") == "deny":
        return _back(redirect_uri, query, {"error": "access_denied"})
    if not query.get("login_hint"):
        return HTMLResponse(consent_page(world, client, query))
    user = _consenting_user(world, client, query["login_hint"])
    code = book.new_code(
        client, user, redirect_uri, challenge=query.get("code_challenge") or None, method=method, scopes=scopes
    )
    return _back(redirect_uri, query, {"code": code})


def _back(redirect_uri: str, query: dict[str, str], answer: dict[str, str]) -> Response:
    if "state" in query:
        answer = {**answer, "state": query["state"]}
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(redirect_uri + joint + urlencode(answer), status_code=302)


def _asked_scopes(client: AppEnvironment, query: dict[str, str]) -> tuple[str, ...] | None:
    """Return the scopes asked for in the address, which may not go beyond the app's; None where none are named."""
    asked = tuple(f"{query.get('scope', '')} {query.get('optional_scope', '')}".split())
    if any(scope not in client.app.spec.scopes for scope in asked):
        raise PageError("Invalid scope (4,700).")
    return asked or None


def redirect_allowed(client: AppEnvironment, redirect_uri: str) -> bool:
    """Whether an address passes the allow-list: full address or base address; a loopback's port does not count.

    developers.zoom.us/docs/build-flow/basic-info/oauth-info/; loopback ports since the changelog of 2026-09-28.
    """
    asked = _parts(redirect_uri)
    if asked is None:
        return False
    for entry in client.spec.redirect_uris:
        allowed = _parts(entry)
        if allowed == asked:
            return True
        is_base = allowed is not None and allowed[2] == "/" and not allowed[3]
        if is_base and client.spec.redirect_mode == "base" and allowed is not None and allowed[:2] == asked[:2]:
            return True
    return False


def _parts(address: str) -> tuple[str, str, str, str] | None:
    try:
        split = urlsplit(address)
        port = split.port
    except ValueError:
        return None
    host = split.hostname or ""
    if split.scheme not in ("http", "https") or not host or (split.scheme == "http" and host not in _LOOPBACK):
        return None
    place = host if host in _LOOPBACK else f"{host}:{port or ''}"
    return split.scheme, place, split.path or "/", split.query


def _consenting_user(world: World, client: AppEnvironment, hint: str) -> User:
    user = world.user(hint)
    if user is None:
        raise PageError(f"Nobody with the address {hint} is known here.")
    app = client.app
    if app.spec.status == "disabled":
        raise PageError("This app has been disabled by Zoom (4,717).", status=403)
    if not client.is_public and user.account is not app.owner:
        raise PageError(
            "This app is not published. Only users of its developer's account can add it for development.", status=403
        )
    if app.spec.usage == "admin-managed" and not user.is_admin:
        raise PageError("An account administrator must add this app.", status=403)
    if user.account.spec.require_pre_approval and not user.account.lists("approved_apps", client.key):
        _ask_for_approval(world, client, user)
        raise PageError("Your account requires admin approval for this app. A request has been sent.", status=403)
    return user


def _ask_for_approval(world: World, client: AppEnvironment, user: User) -> None:
    request: dict[str, object] = {
        "request_id": world.ids.text("app-request", world.ids.next_name("app-request")),
        "app": client.key,
        "user_id": user.user_id,
        "at": world.clock.wall(),
        "status": "pending",
    }
    if not any(r["app"] == client.key and r["user_id"] == user.user_id for r in world.app_requests):
        world.app_requests.append(request)


# -- token, revoke, device ---------------------------------------------------------------------------------------------


def _token(book: TokenBook, basic: tuple[str, str] | None, parameters: dict[str, str]) -> dict[str, object]:
    grant_type = parameters.get("grant_type", "")
    counted = "device_code" if grant_type == DEVICE_GRANT else grant_type
    book.world.token_calls[counted or "none"] += 1
    if not grant_type:
        raise OAuthError("Missing grant type", "invalid_request", code=4706)
    if grant_type == "account_credentials":
        return book.account_token(_auditor(book.world, basic, parameters.get("account_id", "")))
    client = _client(book.world, basic, parameters)
    if grant_type == "authorization_code":
        return book.exchange_code(
            client, parameters.get("code", ""), parameters.get("redirect_uri", ""), parameters.get("code_verifier", "")
        )
    if grant_type == "refresh_token":
        return book.refresh(client, parameters.get("refresh_token", ""))
    if grant_type == "client_credentials":
        return book.client_token(client)
    if grant_type == DEVICE_GRANT:
        return book.poll_device(client, parameters.get("device_code", ""))
    raise OAuthError("unsupported grant type", "unsupported_grant_type")


def _client(world: World, basic: tuple[str, str] | None, parameters: dict[str, str]) -> AppEnvironment:
    if basic is None:
        in_body = "client_secret" in parameters
        raise OAuthError("Invalid client credentials" if in_body else "Missing client credentials", "invalid_client")
    client = world.client(basic[0])
    if client is None or not hmac.compare_digest(client.client_secret.encode(), basic[1].encode()):
        raise OAuthError("Invalid client_id or client_secret", "invalid_client")
    if client.app.spec.status == "disabled":
        raise OAuthError("The app has been disabled by Zoom.", "invalid_request", code=4717)
    return client


def _auditor(world: World, basic: tuple[str, str] | None, account_id: str) -> Account:
    client_id, secret = basic or ("", "")
    app = next((a for a in world.accounts.values() if a.auditor_id == client_id), None)
    if app is None or not hmac.compare_digest(app.auditor_secret.encode(), secret.encode()):
        if basic and world.client(client_id):
            raise OAuthError("unsupported grant type", "unsupported_grant_type")
        raise OAuthError("Invalid client_id or client_secret", "invalid_client")
    if account_id != app.account_id:
        raise OAuthError("Account does not exist", "invalid_request")
    if not app.spec.auditor:
        raise OAuthError("The app is not activated", "invalid_request")
    return app


def _revoke(book: TokenBook, basic: tuple[str, str] | None, parameters: dict[str, str]) -> dict[str, object]:
    book.revoke(_client(book.world, basic, parameters), parameters.get("token", ""))
    return {"status": "success"}


def _devicecode(book: TokenBook, basic: tuple[str, str] | None, page: str) -> dict[str, object]:
    client = _client(book.world, basic, {})
    if not client.app.spec.device_flow:
        raise OAuthError("The app may not be used on devices", "unauthorized_client")
    answer = book.new_device(client)
    complete = f"{page}?{urlencode({'user_code': str(answer['user_code'])})}"
    return {**answer, "verification_uri": page, "verification_uri_complete": complete}


def _device(book: TokenBook, query: dict[str, str]) -> Response:
    device = next((d for d in book.devices.values() if d.user_code == query.get("user_code")), None)
    if device is None or not {"login_hint", "decision"} & query.keys():
        people = [user.spec.email for user in book.world.users()]
        waiting = [d.user_code for d in book.devices.values() if d.user is None]
        return HTMLResponse(device_page(waiting, people))
    if query.get("decision") == "deny":
        device.user = False
        return HTMLResponse(refusal_page("Declined", "The device has been refused."))
    try:
        device.user = _consenting_user(book.world, device.client, query["login_hint"])
    except PageError as refusal:
        return HTMLResponse(refusal_page("This app cannot be added", refusal.sentence), status_code=refusal.status)
    return HTMLResponse(refusal_page("Done", "The device may go on now."))
