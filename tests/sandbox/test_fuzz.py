"""Garbage at every door: the sandbox answers or closes, and neither crashes nor hangs."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import WebSocketException

from rtms_audit.sandbox.rest import ENDPOINTS

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["msg_type", "protocol_version", "sequence", "meeting_uuid", "rtms_stream_id", "signature", "media_type",
     "media_params", "events", "user_id", "subscribe", "timestamp"]
)  # fmt: skip
MESSAGES = st.dictionaries(FIELDS, JSON | st.integers(0, 33), max_size=6)
SEGMENT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=1, max_size=12)


@pytest.fixture
def at_work(desk_for: Callable[[str], Desk]) -> Any:
    """Give a desk, tokens of both kinds and a running meeting."""
    desk = desk_for("everything-works")
    desk.order("/settings", rate_limits="off", keepalive_s=3600, attach_window_s=100000, auth_failure_stop_s=100000)
    token = desk.install("paid")["access_token"]
    meeting = desk.meeting("paid")
    return desk, [token, desk.auditor("paid"), "garbage"], meeting


@SHARED
@given(data=st.data())
def test_rest_never_breaks(at_work: Any, data: st.DataObject) -> None:
    """Any path, query and body is answered below 500."""
    desk, tokens, meeting = at_work
    endpoint = data.draw(st.sampled_from(ENDPOINTS))
    known = ["me", str(meeting["meeting_id"]), meeting["meeting_uuid"], desk.app_id()]
    path = "/".join(
        data.draw(st.sampled_from(known) | SEGMENT) if part.startswith("{") else part
        for part in endpoint.template.split("/")
    )
    names = st.sampled_from(["page_size", "next_page_token", "type", "from", "to", "status", "duration", "x"])
    query = data.draw(st.dictionaries(names, st.text(max_size=10), max_size=3))
    body = data.draw(st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
    method = data.draw(st.sampled_from([endpoint.method, "POST", "PATCH"]))
    url = httpx.URL(desk.ready["api_url"]).copy_with(path=f"/v2{path}", params=query)
    headers = {"Authorization": f"Bearer {data.draw(st.sampled_from(tokens))}"}
    answer = desk.http.request(method, url, content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    assert answer.headers["x-zm-trackingid"]


@SHARED
@given(place=st.sampled_from(["token", "revoke", "devicecode"]), data=st.data())
def test_token_addresses_never_break(at_work: Any, place: str, data: st.DataObject) -> None:
    """Any form, query and header is answered below 500."""
    desk, _, _ = at_work
    kinds = st.sampled_from(["authorization_code", "refresh_token", "client_credentials", "account_credentials", "x"])
    form = {"grant_type": data.draw(kinds), data.draw(st.text(max_size=8)): data.draw(st.text(max_size=20))}
    pair = desk.pair()
    auth = data.draw(st.sampled_from([None, (pair["client_id"], pair["client_secret"]), ("x", "ä")]))
    answer = desk.http.post(f"{desk.ready['oauth_url']}/{place}", data=form, auth=auth)
    assert answer.status_code < 500, answer.text
    raw = desk.http.post(f"{desk.ready['oauth_url']}/{place}", content=data.draw(st.binary(max_size=30)))
    assert raw.status_code == 400


@SHARED
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["response_type", "redirect_uri", "state", "scope", "login_hint", "code_challenge", "decision"]
        ),
        st.text(max_size=20) | st.sampled_from(["code", "http://127.0.0.1:1/x", "admin@paid.example.com", "deny"]),
    )
)
def test_authorize_never_breaks(at_work: Any, query: dict[str, str]) -> None:
    """Any authorize address ends in a page or a redirect."""
    desk, _, _ = at_work
    assert desk.authorize(**query).status_code in (200, 302, 400, 403)


@SHARED
@given(
    path=st.sampled_from(["settings", "faults", "meetings", "clock", "installs", "apps/notes", "streams/x"]), body=JSON
)
def test_control_never_breaks(at_work: Any, path: str, body: object) -> None:
    """Any order is done or explained."""
    desk, _, _ = at_work
    assert desk.http.post(f"{desk.ready['control_url']}/{path}", json=body).status_code in (200, 400, 404)
    desk.order("/settings", rate_limits="off")


@SHARED
@given(
    messages=st.lists(MESSAGES, min_size=1, max_size=5), binary=st.booleans(), media=st.booleans(), join=st.booleans()
)
def test_sockets_never_break(
    at_work: Any, messages: list[dict[str, object]], binary: bool, media: bool, join: bool
) -> None:
    """Any conversation, after a good handshake or without, is answered or closed; the stream can still be joined."""
    desk, _, meeting = at_work
    (payload,) = meeting["streams"]
    desk.order("/settings", duplicate_connection="kick-first")
    place = "media/audio" if media else "signaling"
    with desk.socket(f"{desk.ready['rtms_url']}/{place}") as socket:
        try:
            if join:
                desk.say(socket, desk.request(payload, 1))
            for message in messages:
                if join and message.get("msg_type") == 21:
                    continue
                desk.say(socket, message, binary=binary)
            socket.send(b"\x00\xff" if binary else "{")
        except WebSocketException:
            pass
    with desk.joined(payload) as (_, answer):
        assert answer["status_code"] == 0
    assert desk.state()["crashes"] == []
