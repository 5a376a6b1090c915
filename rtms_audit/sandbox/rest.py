"""The REST addresses under `/v2`: who is calling, whether they may and how often, then the handler.

Envelopes, `me` rules, labels and scopes after Zoom's API pages of 2026-02.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rtms_audit.sandbox.answers import Answer, RefusedError, missing_scope
from rtms_audit.sandbox.calls import Call, Endpoint, account_of
from rtms_audit.sandbox.platform import Platform
from rtms_audit.sandbox.rest_accounts import ACCOUNT_ENDPOINTS
from rtms_audit.sandbox.rest_approvals import APPROVAL_ENDPOINTS
from rtms_audit.sandbox.rest_logs import LOG_ENDPOINTS
from rtms_audit.sandbox.rest_marketplace import MARKETPLACE_ENDPOINTS
from rtms_audit.sandbox.rest_meetings import MEETING_ENDPOINTS
from rtms_audit.sandbox.rest_users import USER_ENDPOINTS
from rtms_audit.sandbox.tokens import Access
from rtms_audit.sandbox.world import CallLogEntry

ENDPOINTS: tuple[Endpoint, ...] = (
    *USER_ENDPOINTS,
    *ACCOUNT_ENDPOINTS,
    *MEETING_ENDPOINTS,
    *MARKETPLACE_ENDPOINTS,
    *APPROVAL_ENDPOINTS,
    *LOG_ENDPOINTS,
)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class RawCall:
    """A REST call as it came in; `path` without `/v2`, still percent-encoded."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str
    body: bytes
    tracking_id: str


def rest_router(platform_of: Callable[[], Platform]) -> APIRouter:
    """Return the routes under `/v2`."""
    router = APIRouter()

    @router.api_route("/{path:path}", methods=_METHODS)
    async def rest(request: Request) -> Response:
        """Serve any address under `/v2`."""
        raw_path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        call = RawCall(
            method=request.method,
            path=raw_path.removeprefix("/v2"),
            query=dict(request.query_params),
            authorization=request.headers.get("authorization", ""),
            body=await request.body(),
            tracking_id=str(request.scope.get("tracking_id", "")),
        )
        return _response(serve(platform_of(), call))

    return router


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, answer.headers, media_type="application/json;charset=UTF-8")
    return JSONResponse(answer.body, answer.status, answer.headers)


def serve(platform: Platform, raw: RawCall) -> Answer:
    """Answer one REST call, and write it into the call log if a known app made it."""
    begun = time.monotonic()
    access: Access | None = None
    pattern, headers = raw.path, dict[str, str]()
    try:
        access = _authenticate(platform, raw.authorization)
        endpoint, path = _route(raw)
        pattern = f"/v2{endpoint.template}"
        headers = _limit(platform, access, endpoint)
        _require_scope(platform, access, endpoint)
        answer = endpoint.handler(Call(platform, access, path, raw.query, _json(raw.body)))
    except RefusedError as refused:
        answer = refused.answer
    if access is not None:
        spent_ms = int((time.monotonic() - begun) * 1000)
        now = platform.world.clock.wall()
        platform.world.call_log.append(
            CallLogEntry(access.caller_id, pattern, raw.method, answer.status, now, raw.tracking_id, spent_ms)
        )
    return Answer(answer.status, answer.body, {**headers, **answer.headers})


def _authenticate(platform: Platform, authorization: str) -> Access:
    scheme, _, token = authorization.partition(" ")
    checked = platform.book.check(token.strip()) if scheme.lower() == "bearer" else "Invalid access token."
    if isinstance(checked, str):
        raise RefusedError(401, 124, checked)
    if not account_of(checked).spec.api_access:
        raise RefusedError(403, 403, "Access to the Zoom REST API has been denied for this account.")
    return checked


def _route(raw: RawCall) -> tuple[Endpoint, dict[str, str]]:
    """Find the address; ids are decoded twice, since a meeting's uuid with a slash is encoded twice."""
    segments = [unquote(unquote(part)) for part in raw.path.strip("/").split("/")]
    for endpoint in ENDPOINTS:
        path = endpoint.match(raw.method, segments)
        if path is not None:
            return endpoint, path
    raise RefusedError(400, 2300, "This API endpoint is not recognized.")


def _limit(platform: Platform, access: Access, endpoint: Endpoint) -> dict[str, str]:
    account = account_of(access)
    verdict = platform.limiter.take(account.label, account.spec.plan, endpoint.label)
    if not verdict.allowed:
        refused = RefusedError(429, platform.world.settings.rate_limit_code, verdict.message)
        refused.answer = Answer(429, refused.answer.body, verdict.headers)
        raise refused
    return verdict.headers


def _require_scope(platform: Platform, access: Access, endpoint: Endpoint) -> None:
    if set(endpoint.scopes) & set(access.scopes):
        return
    told = platform.world.settings.scope_error
    granular = tuple(scope for scope in endpoint.scopes if _is_granular(scope))
    raise missing_scope(endpoint.family if told == "by-family" else told, granular or endpoint.scopes)


def _is_granular(scope: str) -> bool:
    """Whether a scope has the form service:action:data, with an optional `:admin`."""
    parts = scope.split(":")
    return len(parts) >= 3 and parts[2] not in ("admin", "master") and parts[-1] != "master"


def _json(body: bytes) -> object:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, 300, "Request Body should be a valid JSON object.") from error
