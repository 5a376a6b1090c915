"""Receiving webhooks: who signed them, whose they are, and what is kept of them."""

import json
import threading
from collections.abc import Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rtms_audit.core.model import Environment, InstallKey, Kind
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.forward import Forwarder
from rtms_audit.workflows.listen import Receiver
from rtms_audit.workflows.watch import Watch
from rtms_audit.zoom.webhooks import crc_answer, sign

STARTED = {
    "event": "meeting.rtms_started", "event_ts": 1780000000123,
    "payload": {"operator_id": "user-1", "meeting_uuid": "uuid==", "rtms_stream_id": "s1", "server_urls": "wss://x"},
}  # fmt: skip


def signed(world: Any, body: bytes, *, secret: str = "PRODID-token", request_id: str = "r1", age: int = 0) -> Any:
    """Make the headers that Zoom sends."""
    stamp = str(int(world.clock().timestamp()) - age)
    return {
        "X-Zm-Signature": sign(Secret(secret), stamp, body), "X-Zm-Request-Timestamp": stamp,
        "X-Zm-Request-Id": request_id, "Authorization": "legacy", "Content-Type": "application/json",
    }  # fmt: skip


def receiver(world: Any, **more: Any) -> Receiver:
    """Make a receiver of the app `notes`."""
    watch = more.pop("watch", None) or Watch(world.services, apps=("notes",))
    return Receiver(world.services, apps=("notes",), watch=watch, **more)


def webhooks(world: Any) -> list[Any]:
    """Give the webhook observations that were kept."""
    return [one for one in world.store.observations(app="notes") if one.kind is Kind.WEBHOOK]


def post(world: Any, to: Receiver, event: Mapping[str, object], **more: Any) -> int:
    """Send an event as Zoom does; give the status."""
    hint = more.pop("hint", None)
    body = json.dumps(event).encode()
    return to.receive(headers=signed(world, body, **more), body=body, hint=hint).status


def test_an_event_is_kept_with_the_environment_whose_secret_verified_it(world: Any) -> None:
    """Raw bytes, signature, environment, our answer; the legacy token is not kept."""
    world.grant()
    assert post(world, receiver(world), STARTED) == 200
    kept = webhooks(world)[0]
    assert kept.install == world.key
    assert (kept.fields["signature"], kept.fields["verified_with"]) == ("verified", "production")
    assert kept.fields["answered"] == 200
    assert kept.fields["body"]["event"] == "meeting.rtms_started"
    assert json.loads(kept.raw) == STARTED
    assert "authorization" not in kept.fields["headers"]


def test_the_other_environments_secret_routes_to_the_other_install(world: Any) -> None:
    """One address serves both; the signature tells them apart."""
    world.grant()
    world.grant(key=InstallKey("dev-co", Environment.DEVELOPMENT))
    post(world, receiver(world), STARTED, secret="DEVID-token")
    kept = webhooks(world)[0]
    assert kept.install == InstallKey("dev-co", Environment.DEVELOPMENT)
    assert kept.fields["verified_with"] == "development"


def test_a_wrong_signature_is_answered_401_and_kept_without_trust(world: Any) -> None:
    """It is evidence of a misconfiguration, under the environment that the address names."""
    world.grant()
    to = receiver(world)
    assert post(world, to, STARTED, secret="client-secret", hint=Environment.PRODUCTION) == 401
    kept = webhooks(world)[0]
    assert (kept.fields["signature"], kept.fields["answered"], kept.install) == ("rejected", 401, world.key)
    assert "verified_with" not in kept.fields
    assert kept.source == "webhook/production"


def test_an_unsigned_event_is_rejected(world: Any) -> None:
    """Anybody can post here."""
    body = json.dumps(STARTED).encode()
    assert receiver(world).receive(headers={}, body=body).status == 401


def test_a_body_that_is_no_event_is_refused_and_not_kept(world: Any) -> None:
    """Noise from the internet fills no database."""
    assert receiver(world).receive(headers={}, body=b"hello").status == 400
    assert webhooks(world) == []


def test_an_old_but_right_signature_is_answered_and_not_acted_upon(world: Any) -> None:
    """A retry keeps its stamp, or a clock is wrong: 200, unchecked, and no trust."""
    grant = world.grant()
    event = {"event": "app_deauthorized", "payload": {"user_id": "user-1", "account_id": "zoom-1"}}
    assert post(world, receiver(world), event, age=900) == 200
    assert webhooks(world)[0].fields["signature"] == "unchecked"
    assert world.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_a_second_delivery_of_the_same_request_is_answered_and_not_kept_twice(world: Any) -> None:
    """Zoom keeps the request id over its retries."""
    world.grant()
    to = receiver(world)
    assert [post(world, to, STARTED), post(world, to, STARTED)] == [200, 200]
    assert len(webhooks(world)) == 1


def test_a_forged_delivery_does_not_hide_the_true_one(world: Any) -> None:
    """Only verified requests count as seen."""
    world.grant()
    to = receiver(world)
    post(world, to, STARTED, secret="forged")
    assert post(world, to, STARTED) == 200
    assert [one.fields["signature"] for one in webhooks(world)] == ["rejected", "verified"]


def test_the_address_check_is_answered_with_the_secret_of_whoever_asks(world: Any) -> None:
    """Each environment gets its own answer."""
    to = receiver(world)
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}).encode()
    for secret in ("DEVID-token", "PRODID-token"):
        reply = to.receive(headers=signed(world, body, secret=secret), body=body)
        assert (reply.status, reply.body) == (200, crc_answer(Secret(secret), "abc"))
    unsigned = to.receive(headers={}, body=body, hint=Environment.DEVELOPMENT)
    assert unsigned.body == crc_answer(Secret("DEVID-token"), "abc")
    assert to.receive(headers={}, body=body).status == 400, "two secrets, and no way to tell"


def test_a_secret_that_was_registered_later_is_found(world: Any) -> None:
    """A rejected signature makes the secrets be read again, now and then."""
    world.grant()
    to = receiver(world)
    world.store.put_app(
        app="notes", environment=Environment.PRODUCTION, client_id="PRODID", client_secret=Secret("s"),
        webhook_secret=Secret("rotated"),
    )  # fmt: skip
    assert post(world, to, STARTED, secret="rotated") == 401
    world.clock.now += timedelta(seconds=6)
    assert post(world, to, STARTED, secret="rotated") == 200


def test_two_environments_with_one_secret_are_told_by_client_id_or_address(world: Any) -> None:
    """Where nothing tells them apart, no environment is claimed."""
    world.grant()
    world.grant(key=InstallKey("dev-co", Environment.DEVELOPMENT))
    world.store.put_app(
        app="notes", environment=Environment.DEVELOPMENT, client_id="DEVID", client_secret=Secret("s"),
        webhook_secret=Secret("PRODID-token"),
    )  # fmt: skip
    to = receiver(world)
    post(world, to, STARTED, request_id="1")
    post(world, to, STARTED, request_id="2", hint=Environment.DEVELOPMENT)
    post(world, to, {**STARTED, "payload": {**STARTED["payload"], "client_id": "PRODID"}}, request_id="3")  # type: ignore[dict-item]
    assert [one.fields.get("verified_with") for one in webhooks(world)] == [None, "development", "production"]
    assert webhooks(world)[0].install == InstallKey("dev-co", Environment.UNKNOWN)


def test_events_are_routed_by_user_account_stream_or_not_at_all(world: Any) -> None:
    """Stopped events carry the stream alone; what nobody knows is kept and shown."""
    world.grant()
    world.store.put_account(label="big", account_id="zoom-9")
    to = receiver(world)
    post(world, to, STARTED, request_id="1")
    stopped = {"event": "meeting.rtms_stopped", "payload": {"rtms_stream_id": "s1", "stop_reason": 18}}
    post(world, to, stopped, request_id="2")
    nested = {"event": "meeting.started", "payload": {"account_id": "zoom-9", "object": {"host_id": "h"}}}
    post(world, to, nested, request_id="3")
    post(world, to, {"event": "meeting.ended", "payload": {"operator_id": "stranger"}}, request_id="4")
    installs = [one.install for one in webhooks(world)]
    assert installs == [world.key, world.key, InstallKey("big", Environment.PRODUCTION), None]


def test_a_removed_app_marks_the_install_wipes_its_tokens_and_keeps_the_evidence(world: Any) -> None:
    """The time of the removal is kept; a second notice changes nothing."""
    grant = world.grant()
    to = receiver(world)
    world.clock.now += timedelta(minutes=5)
    event = {
        "event": "app_deauthorized",
        "payload": {
            "user_id": "user-1", "account_id": "zoom-1", "client_id": "PRODID",
            "deauthorization_time": "2026-11-01T12:04:00.000Z", "event_ts": "2026-11-01 12:04:01",
        },
    }  # fmt: skip
    for number in ("1", "2"):
        assert post(world, to, event, request_id=number) == 200
    marked = world.store.grant_by_id(grant.id)
    assert (marked.status, marked.has_tokens) == (GrantStatus.REVOKED, False)
    assert (marked.changed_at, marked.reason) == (world.clock() - timedelta(minutes=1), "the user removed the app")
    assert len(webhooks(world)) == 2


@pytest.mark.parametrize(
    ("times", "removed_at"),
    [
        ({"event_ts": "2026-11-01 12:04:00"}, timedelta(minutes=4)),
        ({"deauthorization_time": "2026-11-01T12:03:00"}, timedelta(minutes=3)),
        ({"deauthorization_time": "yesterday", "event_ts": 5}, None),
        ({}, timedelta(minutes=5)),
    ],
)
def test_the_time_of_a_removal_is_read_from_what_zoom_sends(
    world: Any, times: dict[str, Any], removed_at: timedelta | None
) -> None:
    """The odd date in words will do; without any time it is now; one before the install is about an earlier install."""
    grant, begun = world.grant(), world.clock()
    world.clock.now += timedelta(minutes=5)
    payload = {"user_id": "user-1", "account_id": "zoom-1", "client_id": "PRODID", **times}
    assert post(world, receiver(world), {"event": "app_deauthorized", "payload": payload}) == 200
    marked = world.store.grant_by_id(grant.id)
    assert marked.changed_at == (begun + removed_at if removed_at else None)
    assert marked.has_tokens == (removed_at is None)


def test_a_late_notice_of_a_removal_leaves_the_next_install_alone(world: Any) -> None:
    """Zoom repeats events for up to 85 minutes: who removed the app and installed it again keeps it."""
    world.grant()
    removed = world.clock.now
    world.clock.now += timedelta(minutes=60)
    again = world.grant()
    payload = {"user_id": "user-1", "client_id": "PRODID", "deauthorization_time": removed.isoformat()}
    assert post(world, receiver(world), {"event": "app_deauthorized", "payload": payload}) == 200
    assert world.store.grant_by_id(again.id).status is GrantStatus.ACTIVE
    assert world.store.tokens(grant_id=again.id).access == Secret("access-0")


def test_forwarded_events_arrive_byte_for_byte_and_their_answer_is_kept(world: Any) -> None:
    """Headers and raw bytes reach the developer's endpoint; its answer becomes evidence."""
    world.grant()
    got: list[tuple[bytes, str]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.rfile.read(int(self.headers["content-length"])), self.headers["x-zm-signature"]))
            self.send_response(405)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        forwarder = Forwarder(f"http://127.0.0.1:{server.server_port}/hook")
        assert post(world, receiver(world, forwarder=forwarder), STARTED) == 200
        forwarder.close()
        server.shutdown()
    assert got[0][0] == json.dumps(STARTED).encode()
    assert got[0][1].startswith("v0=")
    first, second = webhooks(world)
    assert "answered" not in first.fields
    assert second.fields["answered"] == 405


def test_an_endpoint_that_is_not_there_is_recorded_as_no_answer(world: Any) -> None:
    """Connection refused is evidence too."""
    world.grant()
    forwarder = Forwarder("http://127.0.0.1:9/hook")
    post(world, receiver(world, forwarder=forwarder), STARTED)
    forwarder.close()
    assert webhooks(world)[1].fields["answered"] == "none"


def test_only_web_addresses_are_forwarded_to() -> None:
    """A file is no endpoint."""
    with pytest.raises(UserError, match="not an address to forward to"):
        Forwarder("file:///etc/passwd")


def test_a_watched_window_names_what_came_for_each_install(world: Any) -> None:
    """An install without events was watched as well, once its environment has reached us."""
    world.store.put_account(label="quiet")
    world.grant()
    world.grant(key=InstallKey("quiet", Environment.PRODUCTION), user_id="u2", zoom_account_id="zoom-2")
    watch = Watch(world.services, apps=("notes",))
    to = receiver(world, watch=watch)
    post(world, to, STARTED, request_id="1")
    post(world, to, {"event": "meeting.started", "payload": {"account_id": "zoom-1"}}, request_id="2")
    world.clock.now += timedelta(minutes=5)
    assert watch.close() == 2
    kept = {one.install.account: one.fields for one in world.store.observations(app="notes") if one.kind is Kind.WATCH}
    assert kept["dev-co"]["events"] == ["meeting.rtms_started", "meeting.started"]
    assert kept["dev-co"]["meeting_started"] is True
    assert kept["quiet"]["events"] == []
    assert "meeting_started" not in kept["quiet"]


def test_silence_proves_nothing_where_zoom_never_reached_us(world: Any) -> None:
    """Without a verified request nothing was watched."""
    world.grant()
    assert Watch(world.services, apps=("notes",)).end_window() == 0


def test_an_earlier_validation_counts_for_three_days(world: Any) -> None:
    """Zoom validates every 72 hours, so an address that it reached yesterday is known to it."""
    world.grant()
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}).encode()
    receiver(world).receive(headers=signed(world, body), body=body)
    world.clock.now += timedelta(hours=71)
    assert Watch(world.services, apps=("notes",)).end_window() == 1
    world.clock.now += timedelta(hours=2)
    assert Watch(world.services, apps=("notes",)).end_window() == 0


def test_windows_close_by_themselves_in_time(world: Any) -> None:
    """A crash loses no more than one window."""
    world.grant()
    watch = Watch(world.services, apps=("notes",), every=timedelta(milliseconds=10))
    watch.reached("notes", Environment.PRODUCTION)
    watch.start()
    threading.Event().wait(0.3)
    watch.close()
    assert len(world.seen("watch")) >= 2
