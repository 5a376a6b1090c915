"""The webhook sender: signatures, retries, validation, order, and the log that tells of it."""

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest

Desk: TypeAlias = Any  # the classes stand in conftest.py, which only pytest imports
Listener: TypeAlias = Any


def test_events_are_signed_over_the_exact_bytes(desk: Desk, listener: Listener) -> None:
    """The signature, made with the environment's secret token, fits the bytes that arrive."""
    desk.started("developer")
    listener.heard("meeting.rtms_started")
    for headers, body in listener.requests:
        secret = listener.secrets[headers["clientid"]]
        text = b"v0:" + headers["x-zm-request-timestamp"].encode() + b":" + body
        assert headers["x-zm-signature"] == "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        assert abs(int(headers["x-zm-request-timestamp"]) - time.time()) < 60
        assert headers["user-agent"] == "Zoom Marketplace/1.0a"


def test_events_come_in_the_order_of_the_story(desk: Desk, listener: Listener) -> None:
    """A meeting begins, RTMS starts and stops with reason 6, the meeting ends."""
    desk.install("developer")
    meeting = desk.meeting("developer")
    desk.http.delete(f"{desk.ready['control_url']}/meetings/{meeting['meeting_id']}")
    listener.heard("meeting.ended")
    names = ["meeting.started", "meeting.rtms_started", "meeting.rtms_stopped", "meeting.ended"]
    assert [event["event"] for event in listener.events()] == names
    stopped = listener.events("meeting.rtms_stopped")[0]["payload"]
    assert stopped == {
        "meeting_uuid": meeting["meeting_uuid"],
        "rtms_stream_id": meeting["streams"][0]["rtms_stream_id"],
        "stop_reason": 6,
    }
    assert desk.http.delete(f"{desk.ready['control_url']}/meetings/{meeting['meeting_id']}").status_code == 200
    assert desk.http.delete(f"{desk.ready['control_url']}/meetings/77").status_code == 404


def test_payload_can_be_nested(desk: Desk, listener: Listener) -> None:
    """Flat by default; nested puts everything but the account under `object`."""
    desk.started("developer")
    flat = listener.heard("meeting.rtms_started")[0]["payload"]
    desk.order("/settings", payload_shape="nested")
    desk.started("developer")
    nested = listener.heard("meeting.rtms_started", 2)[1]["payload"]
    assert {"account_id", "meeting_id", "operator_id", "rtms_stream_id", "server_urls"} <= flat.keys()
    assert nested.keys() == {"account_id", "object"}
    assert nested["object"]["server_urls"] == flat["server_urls"]


def test_server_errors_are_retried_thrice(desk: Desk, listener: Listener) -> None:
    """A 500 is retried after 5, 20 and 60 minutes under the same request id; then it is given up."""
    desk.order("/settings", webhook_retry_clock="fast")
    listener.statuses = [500] * 10
    desk.started("developer")
    listener.heard("meeting.rtms_started", 4)
    desk.eventually(lambda: desk.state()["under_way"] == 0)
    attempts = [d for d in desk.state()["deliveries"] if d["event"] == "meeting.rtms_started"]
    assert [attempt["retry_num"] for attempt in attempts] == [0, 1, 2, 3]
    assert len({attempt["request_id"] for attempt in attempts}) == 1
    assert {attempt["status"] for attempt in attempts} == {500}


def test_retries_wait_on_the_driven_clock(desk: Desk, listener: Listener) -> None:
    """With the real clock a retry comes after five minutes, however they pass."""
    listener.statuses = [200, 503]
    desk.started("developer")
    listener.heard("meeting.rtms_started")
    desk.eventually(lambda: desk.state()["under_way"] == 0)
    desk.order("/clock", advance=299)
    time.sleep(0.05)
    assert len(listener.events("meeting.rtms_started")) == 1
    desk.order("/clock", advance=2)
    assert len(listener.heard("meeting.rtms_started", 2)) == 2


@pytest.mark.parametrize("status", [301, 401, 405])
def test_refusals_are_not_retried(desk: Desk, listener: Listener, status: int) -> None:
    """3xx and 4xx lose the event for good."""
    desk.order("/settings", webhook_retry_clock="fast")
    listener.statuses = [status] * 10
    desk.started("developer")
    listener.heard("meeting.rtms_started")
    time.sleep(0.2)
    assert len(listener.events("meeting.rtms_started")) == 1


@pytest.mark.parametrize(
    ("url", "status"),
    [("http://127.0.0.1:1/x", -2), ("http://no-such-host.invalid/x", -13), ("https://127.0.0.1:{port}/x", -7)],
)
def test_network_trouble_has_negative_numbers(desk: Desk, listener: Listener, url: str, status: int) -> None:
    """Refused connections, unknown names and broken TLS leave a negative status."""
    desk.order("/settings", webhook_url=url.replace("{port}", str(listener.server.server_port)))
    desk.started("developer")
    first = desk.eventually(lambda: [d for d in desk.state()["deliveries"] if d["status"] != 0])[0]
    assert first["status"] == status


def test_slow_endpoint_times_out_and_gets_it_twice(desk: Desk, listener: Listener) -> None:
    """An endpoint slower than the limit counts as failed, so that the event comes again."""
    desk.order("/settings", webhook_timeout_s=0.1, webhook_retry_clock="fast")
    listener.delay_s = 0.3
    desk.started("developer")
    listener.heard("meeting.rtms_started", 2)
    listener.delay_s = 0
    statuses = [d["status"] for d in desk.state()["deliveries"] if d["event"] == "meeting.rtms_started"]
    assert statuses[0] == -1


def test_duplicates_and_redelivery_share_the_request_id(desk: Desk, listener: Listener) -> None:
    """Duplicates by switch and a redelivery by order come under one request id."""
    desk.order("/settings", webhook_duplicates=1)
    desk.started("developer")
    listener.heard("meeting.rtms_started", 2)
    sent = [d["request_id"] for d in desk.state()["deliveries"] if d["event"] == "meeting.rtms_started"]
    assert len(set(sent)) == 1
    desk.order("/settings", webhook_duplicates=0)
    desk.order("/deliveries", repeat=sent[0])
    listener.heard("meeting.rtms_started", 3)
    url = desk.ready["control_url"] + "/deliveries"
    assert desk.http.post(url, json={"repeat": "nothing"}).status_code == 404


def test_events_can_arrive_out_of_order(desk: Desk, listener: Listener) -> None:
    """In reversed order the second event overtakes the first; the last one is not held for ever."""
    desk.order("/settings", webhook_order="reversed")
    payload = desk.started("developer")
    listener.heard("meeting.rtms_started")
    desk.order(f"/streams/{payload['rtms_stream_id']}", action="stop")
    listener.heard("meeting.rtms_stopped")
    listener.heard("meeting.started")
    names = [event["event"] for event in listener.events()]
    assert sorted(names[:2]) == ["meeting.rtms_started", "meeting.started"]
    assert names[2] == "meeting.rtms_stopped"


def test_validation_repeats_and_disables(desk: Desk, listener: Listener) -> None:
    """Every 72 hours the address is validated again; after six failures in a row events stop, until it is set anew."""
    for secret in list(listener.secrets):
        listener.secrets[secret] = "wrong"
    for round_ in range(1, 7):
        desk.order("/clock", advance=72 * 3600 + 1)
        desk.eventually(lambda r=round_: all(s["validation_failures"] == r for s in desk.state()["subscriptions"]))
    assert [s["enabled"] for s in desk.state()["subscriptions"]] == [False, False]
    desk.started("developer")
    assert desk.state()["deliveries"] == []
    desk.order("/settings", webhook_url=None)
    desk.order("/settings", webhook_url=listener.url)
    assert [s["enabled"] for s in desk.state()["subscriptions"]] == [True, True]
    desk.started("developer")
    listener.heard("meeting.rtms_started")


def test_address_per_environment_and_app(desk: Desk, listener: Listener) -> None:
    """Addresses can be given per environment, per app, or per app and environment; the narrowest counts."""
    for urls, expected in [
        ({"production": listener.url}, [None, listener.url]),
        ({"notes": {"development": listener.url}}, [listener.url, None]),
        ({"notes": listener.url}, [listener.url, listener.url]),
        ({"notes/production": listener.url, "development": None}, [None, listener.url]),
    ]:
        desk.order("/settings", webhook_url=urls)
        assert [s["url"] for s in desk.state()["subscriptions"]] == expected


def test_environment_without_subscription(desk_for: Callable[[str], Desk]) -> None:
    """An environment without an event subscription is sent nothing, whatever addresses are set."""
    desk = desk_for(
        """
title: unsubscribed
apps: [{name: notes, owner: dev, environments: {production: {webhook: false}}}]
accounts: [{label: dev, plan: pro, developer_pack: active, auto_start: all, users: [{email: a@example.com}]}]
settings: {webhook_url: "http://127.0.0.1:9/none"}
"""
    )
    assert len(desk.started("dev")["rtms_stream_id"]) == 32
    assert desk.state()["deliveries"] == []


def test_stop_event_needs_its_scope(desk_for: Callable[[str], Desk]) -> None:
    """A grant without the scope of the stopped event does not get it."""
    desk = desk_for(
        """
title: half
apps: [{name: notes, owner: dev, scopes: ["rtms:read:rtms_started"]}]
accounts: [{label: dev, plan: pro, developer_pack: active, auto_start: all, users: [{email: a@example.com}]}]
settings: {webhook_url: "http://127.0.0.1:9/none"}
"""
    )
    payload = desk.started("dev")
    desk.order(f"/streams/{payload['rtms_stream_id']}", action="stop", reason=5)
    events = [d["event"] for d in desk.state()["deliveries"]]
    assert "meeting.rtms_stopped" not in events
    assert desk.stream(payload["rtms_stream_id"])["stop_reason"] == 5


def test_deauthorization_is_told_to_shared_apps_alone(desk: Desk, listener: Listener) -> None:
    """Removing a shared app sends `app_deauthorized` with its odd `event_ts`; a private one is told nothing."""
    for environment in ("development", "production"):
        desk.order("/installs", account="developer", environment=environment, action="install")
        desk.order("/installs", account="developer", environment=environment, action="remove")
    (event,) = listener.heard("app_deauthorized")
    assert "event_ts" not in event
    assert event["payload"]["client_id"] == desk.pair("production")["client_id"]
    assert datetime.fromisoformat(event["payload"]["event_ts"] + "+00:00").tzinfo is UTC


def test_webhook_log_is_true(desk: Desk, listener: Listener) -> None:
    """The owner reads every attempt with status, bytes and answer; others and impossible ranges are refused."""
    listener.statuses = [200, 401]
    desk.started("developer")
    listener.heard("meeting.rtms_started")
    desk.eventually(lambda: desk.state()["under_way"] == 0)
    path, owner = f"/marketplace/apps/{desk.app_id()}/webhook_logs", desk.auditor("developer")
    logged = desk.call(owner, path).json()["webhook_logs"]
    assert [(item["event"], item["status"]) for item in logged] == [
        ("meeting.started", 200),
        ("meeting.rtms_started", 401),
    ]
    assert logged[1]["request_body"].encode() == listener.requests[-1][1]
    assert "x-zm-signature" in logged[1]["request_headers"]
    assert len(desk.call(owner, path + "?event=meeting.started&retry_num=0&type=1").json()["webhook_logs"]) == 1
    assert desk.call(desk.auditor("customer"), path).json()["code"] == 201
    now = datetime.now(UTC)

    def refused(start: datetime, end: datetime) -> int:
        span = {"from": f"{start:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
        return int(desk.call(owner, path, params=span).json()["code"])

    assert refused(now, now - timedelta(days=1)) == 1501
    assert refused(now - timedelta(days=9), now) == 1502
    assert desk.call(owner, path + "?from=yesterday").json()["code"] == 1503
    assert desk.call(owner, path + "?type=9").json()["code"] == 1504
