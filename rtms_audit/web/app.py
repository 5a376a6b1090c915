"""The web app of `rtms-audit serve`: OAuth callback, webhooks, observations from backends, and the dashboard.

Zoom's side (`/oauth/callback`, `/webhooks`) is open to the world, since it stands behind a tunnel or proxy. The
audit's side (`/`, `/api/…`) holds personal data and answers only those who bring the local token: as
`Authorization: Bearer …`, or once as `/?token=…`, which leaves a cookie.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException

from rtms_audit import __version__
from rtms_audit.core.diagnosis import diagnose_case
from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.errors import AuditError, UserError
from rtms_audit.report.formats import matrix_text
from rtms_audit.web.body import BodyTooLargeError, read_body
from rtms_audit.workflows.backend_reports import read_reports
from rtms_audit.workflows.install import Callback, Installer
from rtms_audit.workflows.listen import Receiver
from rtms_audit.workflows.page import SECURITY_HEADERS, outcome_page, plain_page
from rtms_audit.workflows.services import Services

COOKIE = "rtms_audit_token"
CALLBACK_PATH = "/oauth/callback"
WEBHOOK_PATH = "/webhooks"
ENVIRONMENTS = {"development": Environment.DEVELOPMENT, "production": Environment.PRODUCTION}


@dataclass(frozen=True, slots=True)
class WebParts:
    """What the web app stands on: the workflows behind its addresses, and the token of its own side."""

    services: Services
    apps: Sequence[str]
    installer: Installer
    receiver: Receiver
    token: Secret


def create_app(parts: WebParts) -> FastAPI:
    """Make the web app; nothing is started and nothing is fetched."""
    app = FastAPI(title="rtms-audit", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    _add_errors(app)
    _add_zoom_side(app, parts)
    _add_own_side(app, parts, _token_check(parts.token))
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(BodyTooLargeError)
    async def too_large(_request: Request, _error: Exception) -> Response:
        return _problem(413, "The request is too large.", "Send at most 1 MiB.")

    @app.exception_handler(StarletteHTTPException)
    async def plain(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, StarletteHTTPException) else 500
        headers = getattr(error, "headers", None)
        return _problem(status, _SENTENCES.get(status, "That did not work."), _hint(status, request), headers)

    @app.exception_handler(UserError)
    async def wrong(_request: Request, error: Exception) -> Response:
        return _problem(422, str(error), getattr(error, "next_step", None) or "")


_SENTENCES = {
    401: "This address needs the local token.",
    404: "There is nothing at this address.",
    405: "This address takes another method.",
}


def _hint(status: int, request: Request) -> str:
    if status == 401:
        return "Send `Authorization: Bearer TOKEN`, or open the dashboard address that `rtms-audit serve` printed."
    if status == 405 and request.url.path.startswith(WEBHOOK_PATH):
        return "Zoom posts its events here; enter this address as event notification endpoint, not as redirect address."
    if status == 405 and request.url.path == CALLBACK_PATH:
        return "This is the redirect address; enter the address ending in /webhooks as event notification endpoint."
    return "See `rtms-audit serve --help` for the addresses."


def _problem(status: int, error: str, next_step: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error, "next_step": next_step}, status_code=status, headers=headers)


def _token_check(token: Secret) -> Callable[[Request], None]:
    def check(request: Request) -> None:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        brought = bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(brought.encode(), token.reveal().encode()):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})

    return check


def _add_zoom_side(app: FastAPI, parts: WebParts) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get(CALLBACK_PATH)
    async def callback(request: Request) -> Response:
        status, page = await run_in_threadpool(answer_callback, parts, dict(request.query_params))
        return HTMLResponse(page, status_code=status, headers=SECURITY_HEADERS)

    async def take(request: Request, hint: Environment | None) -> Response:
        body = await read_body(request)
        headers = dict(request.headers)
        reply = await run_in_threadpool(parts.receiver.receive, headers=headers, body=body, hint=hint)
        return (
            Response(status_code=reply.status) if reply.body is None else JSONResponse(dict(reply.body), reply.status)
        )

    @app.post(WEBHOOK_PATH)
    async def webhooks(request: Request) -> Response:
        return await take(request, None)

    @app.post(WEBHOOK_PATH + "/{environment}")
    async def environment_webhooks(request: Request, environment: str) -> Response:
        if environment not in ENVIRONMENTS:
            raise HTTPException(404)
        return await take(request, ENVIRONMENTS[environment])


def answer_callback(parts: WebParts, query: dict[str, str]) -> tuple[int, str]:
    """Take the browser's way back; give the status and the page to show."""
    callback = Callback.of(query)
    if callback.state is None and callback.code is None and callback.error is None:
        return 400, plain_page("Nothing came back", "The address has neither a code nor an error of Zoom's.")
    try:
        finished = parts.installer.finish(callback)
    except AuditError as error:
        return 502, plain_page("Not installed", error.message, error.next_step or "")
    return finished.http_status, outcome_page(finished)


def _add_own_side(app: FastAPI, parts: WebParts, check: Callable[[Request], None]) -> None:
    guarded = [Depends(check)]

    @app.get("/")
    async def dashboard(request: Request, token: str | None = None) -> Response:
        if token is not None:
            return _sign_in(token, parts.token)
        check(request)
        page = await run_in_threadpool(lambda: matrix_text(_judge(parts), layout="pivot", format_="html"))
        return HTMLResponse(page, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

    @app.get("/api/matrix", dependencies=guarded)
    async def matrix() -> Response:
        text = await run_in_threadpool(lambda: matrix_text(_judge(parts), layout="pivot", format_="json"))
        return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})

    @app.post("/api/observations", dependencies=guarded, status_code=201)
    async def observations(body: Annotated[bytes, Depends(read_body)], app: str | None = None) -> dict[str, object]:
        def keep() -> tuple[str, ...]:
            name = parts.services.store.app(app or (parts.apps[0] if len(parts.apps) == 1 else None)).name
            reports = read_reports(body, parts.services)
            return parts.services.store.append(app=name, observations=reports)

        return {"ids": list(await run_in_threadpool(keep))}


def _sign_in(brought: str, token: Secret) -> Response:
    if not hmac.compare_digest(brought.encode(), token.reveal().encode()):
        raise HTTPException(401)
    response = RedirectResponse("/", status_code=303, headers={"Referrer-Policy": "no-referrer"})
    response.set_cookie(COOKIE, brought, httponly=True, samesite="strict", path="/")
    return response


def _judge(parts: WebParts) -> tuple[Diagnosis, ...]:
    return tuple(one for app in parts.apps for one in diagnose_case(parts.services.store.case(app=app)))
