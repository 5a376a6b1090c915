"""REST: what was sent to an app and what it asked, for its owner to read. Fields after the OpenAPI of 2026-02."""

from datetime import UTC, datetime, timedelta

from rtms_audit.sandbox.answers import Answer, RefusedError
from rtms_audit.sandbox.calls import Call, Endpoint
from rtms_audit.sandbox.rest_marketplace import find_app, market
from rtms_audit.sandbox.webhooks import Attempt
from rtms_audit.sandbox.world import App

LOG_DAYS = 7
_FAILED = {-1: 1, -2: 2, -7: 6, -13: 12}


def _webhook_logs(call: Call) -> Answer:
    app = find_app(call, call.path["appId"])
    _owner_only(call, app)
    start, end = _span(call)
    event, retry = call.query.get("event"), call.query.get("retry_num")
    if call.query.get("type", "2") not in ("1", "2", "3"):
        raise RefusedError(404, 1504, "Invalid type.")
    items = [
        _log_item(attempt)
        for attempt in call.platform.courier.attempts
        if attempt.client.app is app
        and start <= attempt.at <= end
        and event in (None, attempt.event)
        and retry in (None, str(attempt.retry_num))
    ]
    return call.page("webhook_logs", items)


def _owner_only(call: Call, app: App) -> None:
    if app.owner is not call.account:
        raise RefusedError(401, 201, "You do not have permission to access the targeted resource.")


def _span(call: Call) -> tuple[datetime, datetime]:
    now = call.world.clock.wall()
    try:
        end = _moment(call.query["to"]) if "to" in call.query else now + timedelta(seconds=1)
        start = _moment(call.query["from"]) if "from" in call.query else end - timedelta(days=LOG_DAYS)
    except ValueError as error:
        raise RefusedError(404, 1503, "The date format is invalid; use yyyy-MM-dd'T'HH:mm:ss'Z'.") from error
    if end < start:
        raise RefusedError(404, 1501, "The 'to' date is before the 'from' date.")
    if end - start > timedelta(days=LOG_DAYS):
        raise RefusedError(404, 1502, "The date range exceeds 7 days.")
    return start, end


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _log_item(attempt: Attempt) -> dict[str, object]:
    return {
        "event": attempt.event,
        "status": attempt.status if attempt.status > 0 else -1,
        "failed_reason_type": _FAILED.get(attempt.status, 0 if attempt.status < 400 else 16),
        "user_id": attempt.user_id,
        "endpoint": attempt.url,
        "subscription_id": attempt.client.subscription_id,
        "request_headers": _headers(attempt.request_headers),
        "request_body": attempt.body.decode(),
        "response_headers": _headers(attempt.response_headers),
        "response_body": attempt.response_body,
        "date_time": attempt.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "trace_id": attempt.request_id.replace("-", ""),
        "request_id": attempt.request_id,
        "retry_num": attempt.retry_num,
    }


def _headers(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _api_call_logs(call: Call) -> Answer:
    app = find_app(call, call.path["appId"])
    _owner_only(call, app)
    if call.query.get("duration", "7") not in ("7", "14", "30"):
        raise RefusedError(400, 300, "The duration must be 7, 14 or 30.")
    ids = {environment.client_id for environment in app.environments.values()}
    method, status = call.query.get("method"), call.query.get("status_code")
    items = [
        {"url_pattern": entry.url_pattern, "time": entry.spent_ms, "http_status": entry.http_status,
         "method": entry.method, "trace_id": entry.trace_id}
        for entry in call.world.call_log
        if entry.client_id in ids
        and method in (None, entry.method)
        and status in (None, str(entry.http_status))
        and call.query.get("query", "") in entry.url_pattern
    ]  # fmt: skip
    return call.page("call_logs", items)


_APP = "/marketplace/apps/{appId}"
LOG_ENDPOINTS = (
    Endpoint("GET", f"{_APP}/webhook_logs", "Medium", market("app", "marketplace_app:read"), _webhook_logs, "201"),
    Endpoint(
        "GET", f"{_APP}/api_call_logs", "Medium", ("marketplace:read:list_api_logs:admin",), _api_call_logs, "201"
    ),
)
