"""The client of Zoom's REST addresses, against a real HTTP server on the loopback."""

import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.secret import Secret
from rtms_audit.errors import ZoomError
from rtms_audit.zoom.api import ZoomApi, retry_after
from rtms_audit.zoom.limits import Label, Limits

TOKEN = Secret("canary-access-token")
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class OpenLimits:
    """Limits that allow everything and remember what was taken and closed."""

    def __init__(self) -> None:
        self.taken: list[Label] = []
        self.closed: list[tuple[Label, datetime]] = []

    def take(self, label: Label) -> float:
        """Count the call."""
        self.taken.append(label)
        return 0.0

    def close(self, label: Label, until: datetime) -> None:
        """Remember the end."""
        self.closed.append((label, until))


@pytest.fixture
def limits() -> OpenLimits:
    """Give limits that allow everything."""
    return OpenLimits()


@pytest.fixture
def make(server: Any, clock: Any, limits: OpenLimits) -> Callable[..., ZoomApi]:
    """Give a maker of clients of the local server."""

    def build(**changes: Any) -> ZoomApi:
        options: dict[str, Any] = {
            "token": lambda: TOKEN, "clock": clock, "limits": limits, "sleep": clock.sleep, "timeout": 2,
        }  # fmt: skip
        return ZoomApi(f"{server.url}/v2", **{**options, **changes})

    return build


class TestGet:
    """Reading."""

    def test_sends_the_token_and_keeps_the_answer(self, make: Any, server: Any, reply: Any, clock: Any) -> None:
        """The answer is kept with status, body, tracking id and time; the token is kept nowhere."""
        server.replies(reply({"id": "usrA", "type": 1}, headers={"X-Zm-TrackingId": "v=2.0;x", "Set-Cookie": "a=b"}))
        exchange = make().get("/users/me")
        assert server.requests[0].headers["authorization"] == "Bearer canary-access-token"
        assert server.requests[0].path == "/v2/users/me"
        assert exchange.ok
        assert exchange.tracking_id == "v=2.0;x"
        assert "set-cookie" not in exchange.headers
        assert exchange.at == clock.now
        assert exchange.duration_ms > 0
        assert "canary" not in repr(exchange)
        fields = exchange.rest_fields()
        assert fields["request"] == {"method": "GET", "path": "/v2/users/me"}
        assert fields["response"]["status"] == 200
        assert fields["response"]["body"] == {"id": "usrA", "type": 1}

    def test_a_given_transport_is_used(self, make: Any, server: Any) -> None:
        """A caller's session brings its own proxies and certificates."""
        with requests.Session() as transport:
            transport.headers["X-Mark"] = "ours"
            assert make(transport=transport).get("/users/me").ok
        assert server.requests[0].headers["x-mark"] == "ours"

    def test_the_query_is_part_of_the_path(self, make: Any, server: Any) -> None:
        """Arguments are escaped into the address, and the kept path shows them."""
        exchange = make().get("/marketplace/apps", {"type": "account_added", "page_size": 300})
        assert exchange.path == "/v2/marketplace/apps?type=account_added&page_size=300"
        assert server.requests[0].path == exchange.path

    def test_takes_its_place_by_the_calls_label(self, make: Any, limits: OpenLimits) -> None:
        """Known calls carry their label, others count as medium, and the caller may say better."""
        api = make()
        api.get("/users/me")
        api.get("/accounts/me/plans/usage")
        api.get("/unknown")
        api.get("/other", label=Label.RESOURCE_INTENSIVE)
        assert limits.taken == [Label.LIGHT, Label.HEAVY, Label.MEDIUM, Label.RESOURCE_INTENSIVE]

    @pytest.mark.parametrize(
        ("status", "body", "code", "scopes"),
        [
            (200, {"code": 200, "message": "Only available for paid accounts."}, 200, ()),
            (400, {"code": 200, "message": "Only available for paid account."}, 200, ()),
            (400, {"code": 4711, "message": "Invalid access token, does not contain scopes:[user:read:user, a:b]."},
             4711, ("user:read:user", "a:b")),
            (400, {"code": 4700, "message": "Invalid access token, does not contain role:read:admin scope."},
             4700, ("role:read:admin",)),
            (400, '{"code":104,"message":"Invalid access token, does not contain scopes:["zoom_events_basic:read"]"}',
             104, ("zoom_events_basic:read",)),
            (401, {"code": 201, "message": "Invalid access token, does not contain scopes:[a:b:c]"}, 201, ("a:b:c",)),
            (404, b"", None, ()),
            (403, "<html>denied</html>", None, ()),
        ],
    )  # fmt: skip
    def test_refusals_are_read(
        self, make: Any, server: Any, reply: Any, status: int, body: object, code: int | None, scopes: tuple[str, ...]
    ) -> None:
        """Errors behind HTTP 200, broken JSON, scope lists and empty bodies are all refusals, never successes."""
        server.replies(reply(body, status))
        exchange = make().get("/accounts/me/settings")
        assert not exchange.ok
        assert exchange.refusal is not None
        assert exchange.refusal.code == code
        assert exchange.refusal.scopes == scopes
        assert len(server.requests) == 1

    def test_a_refused_call_is_not_repeated(self, make: Any, server: Any, reply: Any) -> None:
        """The second time the answer comes from memory, unless a fresh one is asked for."""
        server.replies(reply({"code": 3001, "message": "Meeting does not exist: 1."}, 404))
        api = make()
        assert api.get("/meetings/1") is api.get("/meetings/1")
        assert len(server.requests) == 1
        api.get("/meetings/1", remember=False)
        assert len(server.requests) == 2

    def test_redirections_are_not_followed(self, make: Any, server: Any, reply: Any) -> None:
        """The token does not travel to wherever an answer points."""
        server.replies(reply(b"", 302, {"Location": "http://evil.example.com/?a=b"}))
        exchange = make().get("/users/me")
        assert exchange.status == 302
        assert not exchange.ok
        assert exchange.headers["location"] == "http://evil.example.com/"
        assert len(server.requests) == 1


REFUSED = {"code": 124, "message": "Access token is expired."}


class TestUnauthorized:
    """A token that Zoom refuses."""

    @pytest.mark.parametrize("status", [400, 401])
    def test_one_refresh_and_one_retry(self, make: Any, server: Any, reply: Any, status: int) -> None:
        """The callback's token is used for one more attempt."""
        server.replies(reply(REFUSED, status), reply({"id": "usrA"}))
        exchange = make(on_unauthorized=lambda: Secret("newer")).get("/users/me")
        assert exchange.ok
        assert [request.headers["authorization"] for request in server.requests] == [
            "Bearer canary-access-token", "Bearer newer",
        ]  # fmt: skip

    def test_never_a_loop(self, make: Any, server: Any, reply: Any) -> None:
        """Where the newer token is refused as well, nobody asks for a third one, in this call or the next."""
        server.replies(reply(REFUSED, 401))
        asked: list[int] = []

        def newer() -> Secret:
            asked.append(1)
            return Secret("newer")

        api = make(on_unauthorized=newer)
        assert api.get("/users/me").status == 401
        assert api.get("/users/me/settings").status == 401
        assert len(asked) == 1
        assert len(server.requests) == 3

    def test_a_failed_refresh_leaves_the_refusal(self, make: Any, server: Any, reply: Any) -> None:
        """When the refresh itself fails the 401 is the answer, and it is not tried for the next call."""
        server.replies(reply(REFUSED, 401))
        asked: list[int] = []

        def newer() -> Secret:
            asked.append(1)
            raise ZoomError("the grant is dead")

        api = make(on_unauthorized=newer)
        assert api.get("/users/me").status == 401
        assert api.get("/users/me/settings").status == 401
        assert len(asked) == 1

    def test_a_missing_scope_is_no_reason_to_refresh(self, make: Any, server: Any, reply: Any) -> None:
        """401 with code 201 is a scope's absence; a new token would not help."""
        server.replies(reply({"code": 201, "message": "Invalid access token, does not contain scopes:[a]"}, 401))
        make(on_unauthorized=lambda: pytest.fail("asked for a token")).get("/marketplace/apps/x")
        assert len(server.requests) == 1

    def test_without_a_callback_the_refusal_stands(self, make: Any, server: Any, reply: Any) -> None:
        """There need not be anybody to refresh."""
        server.replies(reply(b"", 401))
        assert make().get("/users/me").status == 401


class TestLimits:
    """429 and the account's allowance."""

    def test_a_per_second_limit_is_waited_for(self, make: Any, server: Any, reply: Any, clock: Any) -> None:
        """One second later the call goes through."""
        limited = reply({"code": 4001, "message": "You have reached the maximum per-second rate limit"}, 429)
        server.replies(limited, reply({"id": 1}))
        assert make().get("/users/me").ok
        assert clock.slept == [1.0]

    def test_gives_up_after_three(self, make: Any, server: Any, reply: Any) -> None:
        """A limit that does not lift ends the call, not the audit."""
        server.replies(reply({"code": 429, "message": "per-second"}, 429, {"X-RateLimit-Type": "QPS"}))
        assert make().get("/users/me").status == 429
        assert len(server.requests) == 3

    def test_a_near_retry_after_is_kept_to(self, make: Any, server: Any, reply: Any, clock: Any) -> None:
        """An ISO time within 15 s is waited for exactly."""
        server.replies(reply(b"", 429, {"Retry-After": "2026-03-02T10:00:07Z"}), reply({}))
        assert make().get("/users/me").ok
        assert clock.slept == [7.0]

    @pytest.mark.parametrize(
        ("headers", "body", "until"),
        [
            ({"Retry-After": "2026-03-03T00:00:00Z", "X-RateLimit-Type": "Daily-limit"}, b"",
             datetime(2026, 3, 3, tzinfo=UTC)),
            ({"Retry-After": "2026-03-02T18:00:00Z"}, b"", datetime(2026, 3, 2, 18, tzinfo=UTC)),
            ({}, {"code": 429, "message": "You have reached the maximum daily rate limit for this API."},
             datetime(2026, 3, 3, tzinfo=UTC)),
        ],
    )  # fmt: skip
    def test_the_daily_limit_is_not_waited_for(
        self, make: Any, server: Any, reply: Any, limits: OpenLimits, headers: Any, body: Any, until: datetime
    ) -> None:
        """It closes the label until Zoom's own time, or midnight UTC, and the call is not repeated."""
        server.replies(reply(body, 429, headers))
        assert make().get("/users/me").status == 429
        assert len(server.requests) == 1
        assert limits.closed == [(Label.LIGHT, until)]

    def test_a_used_up_allowance_sends_nothing(self, make: Any, server: Any, clock: Any) -> None:
        """Once the label is closed no call goes out, and the exchange says why."""
        closed = Limits(clock=clock, sleep=clock.sleep)
        closed.close(Label.LIGHT, clock.now + timedelta(hours=3))
        exchange = make(limits=closed).get("/users/me")
        assert exchange.error == "LimitReached: Zoom allows no more light calls before 2026-03-02T13:00:00+00:00"
        assert exchange.status is None
        assert server.requests == []

    @given(st.text())
    def test_any_retry_after_is_survived(self, value: str) -> None:
        """A header of whatever shape gives a time with a zone, or none."""
        moment = retry_after(value, now=NOW)
        assert moment is None or moment.tzinfo is not None

    def test_retry_after_in_seconds(self) -> None:
        """Seconds are understood as well, and a time without zone is UTC."""
        assert retry_after("9", now=NOW) == NOW + timedelta(seconds=9)
        assert retry_after("2026-03-02T11:00:00", now=NOW) == NOW + timedelta(hours=1)


class TestTrouble:
    """Networks and servers that fail."""

    def test_a_passing_failure_of_zoom_is_retried(self, make: Any, server: Any, reply: Any, clock: Any) -> None:
        """502 and a broken connection are followed by a success."""
        server.replies(reply(b"", 502), None, reply({"id": 1}))
        assert make().get("/users/me").ok
        assert clock.slept == [0.5, 1.0]

    def test_a_lasting_failure_is_told(self, closed_port: str, clock: Any, limits: OpenLimits) -> None:
        """After three attempts the exchange says what went wrong, in the shape of an observation."""
        api = ZoomApi(f"{closed_port}/v2", token=lambda: TOKEN, clock=clock, limits=limits, sleep=clock.sleep)
        exchange = api.get("/users/me")
        assert exchange.rest_fields()["response"] == {"status": None, "body": "ConnectionError: connection refused"}
        assert exchange.parsed is None
        assert exchange.refusal is None
        assert not exchange.ok
        assert len(limits.taken) == 3

    def test_a_change_is_not_repeated_after_trouble(self, make: Any, server: Any) -> None:
        """Nobody knows whether a PATCH that got no answer was done, so it is sent once."""
        server.replies(None)
        exchange = make().patch("/live_meetings/1/rtms_app/status", {"action": "start"})
        assert exchange.error is not None
        assert len(server.requests) == 1

    def test_a_change_sends_json(self, make: Any, server: Any, reply: Any) -> None:
        """A start goes out as JSON, is accepted with 204, and its body is kept."""
        body = {"action": "start", "settings": {"client_id": "ProdClientId"}}
        server.replies(reply(b"", 204))
        exchange = make().patch("/live_meetings/81000000001/rtms_app/status", body)
        assert exchange.ok
        assert json.loads(server.requests[0].body) == body
        assert exchange.rest_fields()["request"] == {
            "method": "PATCH", "path": "/v2/live_meetings/81000000001/rtms_app/status", "body": body,
        }  # fmt: skip

    def test_a_token_with_line_ends_goes_nowhere(self, make: Any, server: Any) -> None:
        """A token that would inject a header is not sent and not shown."""
        exchange = make(token=lambda: Secret("canary\r\nX-Injected: 1")).get("/users/me")
        assert exchange.error == "InvalidHeader: a header is not valid"
        assert server.requests == []

    def test_a_netrc_entry_does_not_replace_the_token(self, make: Any, server: Any, tmp_path: Any) -> None:
        """The bearer token is sent whatever the user's home holds for that host."""
        entry = Path.home() / ".netrc"
        entry.write_text("machine 127.0.0.1 login someone password else\n", encoding="utf-8")
        entry.chmod(0o600)
        try:
            make().get("/users/me")
        finally:
            entry.unlink()
        assert server.requests[0].headers["authorization"].startswith("Bearer ")

    def test_a_trickling_body_is_given_up(self, make: Any, server: Any) -> None:
        """A body that comes a byte at a time ends at the deadline."""

        def trickle(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(30):
                connection.sendall(b"{")
                time.sleep(0.05)

        server.raw = trickle
        exchange = make(timeout=0.1).patch("/x", {})
        assert exchange.error is not None
        assert "timed out" in exchange.error

    def test_a_lying_content_encoding(self, make: Any, server: Any, reply: Any) -> None:
        """A body that is not what its header says is an error, no crash."""
        server.replies(reply(b"plain", headers={"Content-Encoding": "gzip"}))
        assert make().patch("/x", {}).error is not None

    def test_a_body_that_breaks_off(self, make: Any, server: Any) -> None:
        """A shorter body than announced is an error."""
        server.raw = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}")
        error = make().patch("/x", {}).error
        assert error is not None
        assert "broke off" in error

    def test_noise_instead_of_http(self, make: Any, server: Any) -> None:
        """A server that does not speak HTTP is an error, no crash."""
        server.raw = lambda connection: connection.sendall(b"\x00\x01garbage\r\n\r\n")
        assert make().patch("/x", {}).error is not None
