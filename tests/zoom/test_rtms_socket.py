"""Joining streams, against real WebSocket servers on the loopback."""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from rtms_audit.core.evidence_fields import read_fields
from rtms_audit.core.model import Kind
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.zoom.rtms_messages import keep_alive_answer, read_message
from rtms_audit.zoom.rtms_socket import JoinPlan, JoinResult, Medium, join
from rtms_audit.zoom.signature import signature

SECRET = Secret("canary-client-secret")
EXPECTED = signature("CID", SECRET, "Zm9v==", "stream1")


class Zoom:
    """A stream's signaling and media server; a test bends its manners."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[dict[str, Any]] = []
        self.binary = False
        self.answer: dict[str, Any] | None = {"status_code": 0, "reason": ""}
        self.media_answer: dict[str, Any] | None = {"status_code": 0, "reason": ""}
        self.keys = ["audio", "transcript", "all"]
        self.before: Callable[[ServerConnection, dict[str, Any]], bool] = lambda *_: False
        self.after_ready: Callable[[Zoom, ServerConnection], None] = lambda *_: None
        self.after_media: Callable[[Zoom, ServerConnection, int], None] = lambda *_: None
        self.ready = threading.Event()
        self.frames: list[type] = []

    def say(self, connection: ServerConnection, message: dict[str, Any]) -> None:
        """Send a message as the frames this server uses."""
        text = json.dumps(message)
        connection.send(text.encode() if self.binary else text)

    def handle(self, connection: ServerConnection) -> None:
        """Serve one socket of either kind."""
        with suppress(ConnectionClosed):
            for frame in connection:
                self.frames.append(type(frame))
                message = json.loads(frame)
                self.received.append(message)
                if self.before(connection, message):
                    continue
                self.respond(connection, message)

    def respond(self, connection: ServerConnection, message: dict[str, Any]) -> None:
        """Answer as Zoom's documents say."""
        kind = message["msg_type"]
        if kind == 1 and self.answer is not None:
            urls = dict.fromkeys(self.keys, self.url)
            self.say(connection, {"msg_type": 2, "media_server": {"server_urls": urls}, **self.answer})
        elif kind == 3 and self.media_answer is not None:
            self.say(connection, {"msg_type": 4, **self.media_answer})
            if self.media_answer["status_code"] == 0:
                threading.Thread(target=self.feed, args=(connection, message["media_type"]), daemon=True).start()
        elif kind == 7:
            self.ready.set()
            self.after_ready(self, connection)
        elif kind == 21:
            self.say(connection, {"msg_type": 22, "status_code": 0})

    def feed(self, connection: ServerConnection, medium: int) -> None:
        """Wait for client-ready, then send what the test wants on this medium's socket."""
        if self.ready.wait(5):
            with suppress(ConnectionClosed):
                self.after_media(self, connection, medium)


@contextmanager
def served(zoom: Zoom, **options: Any) -> Iterator[Zoom]:
    """Run the server on a free loopback port."""
    server = serve(zoom.handle, "127.0.0.1", 0, close_timeout=1, **options)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    host = "localhost" if "ssl" in options else "127.0.0.1"
    zoom.url = f"{'wss' if 'ssl' in options else 'ws'}://{host}:{server.socket.getsockname()[1]}"
    yield zoom
    server.shutdown()
    thread.join()


@pytest.fixture
def zoom() -> Iterator[Zoom]:
    """Give a running server."""
    with served(Zoom()) as running:
        yield running


def plan(url: str, **changes: Any) -> JoinPlan:
    """Return a plan with short times."""
    given_: dict[str, Any] = {
        "client_id": "CID", "client_secret": SECRET, "stream_of": "Zm9v==", "stream_id": "stream1",
        "server_urls": url, "timeout": 2.0, "media_wait": 0.3,
    }  # fmt: skip
    return JoinPlan(**{**given_, **changes})


def run(url: str, clock: Callable[[], datetime], **changes: Any) -> JoinResult:
    """Join and check what holds for every join: observations are valid and hold no secret."""
    result = join(plan(url, **changes), clock=clock)
    for step in result.steps:
        assert read_fields(step.kind, step.fields) == step.fields
        assert EXPECTED not in repr(step)
        assert "canary" not in repr(step)
    return result


def media(zoom: Zoom, connection: ServerConnection, medium: int) -> None:
    """Send three messages of a medium."""
    for _ in range(3):
        zoom.say(
            connection, {"msg_type": {1: 14, 2: 15, 4: 16, 8: 17, 16: 18, 32: 14}[medium], "content": {"data": ""}}
        )


class TestAGoodJoin:
    """The whole protocol, as it should go."""

    @pytest.mark.parametrize("binary", [False, True])
    def test_both_handshakes_and_first_media(self, zoom: Zoom, clock: Any, binary: bool) -> None:
        """Text and binary frames alike: signaling, one socket per medium, client-ready, subscription, media."""
        zoom.binary, zoom.after_media = binary, media
        result = run(zoom.url, clock, binary=binary, media_wait=5.0)
        assert result.joined
        assert result.signaling_status == 0
        assert result.accepted == (Medium.AUDIO, Medium.TRANSCRIPT)
        assert set(result.media) == {Medium.AUDIO, Medium.TRANSCRIPT}
        assert set(zoom.frames) == {bytes if binary else str}
        kinds = [message["msg_type"] for message in zoom.received]
        assert kinds == [1, 3, 3, 7, 5]
        assert {message["signature"] for message in zoom.received[:3]} == {EXPECTED}
        assert [message["media_type"] for message in zoom.received[1:3]] == [1, 8]
        assert zoom.received[3] == {"msg_type": 7, "rtms_stream_id": "stream1"}
        assert [event["event_type"] for event in zoom.received[4]["events"]] == [2, 3, 4]

    def test_steps_can_be_judged(self, zoom: Zoom, clock: Any) -> None:
        """Each handshake is one observation with what was sent, by which client, and what came back."""
        result = run(zoom.url, clock, label="probe", media=(Medium.AUDIO,))
        assert [step.fields["socket"] for step in result.steps] == ["signaling", "media"]
        first = result.steps[0]
        assert first.kind is Kind.HANDSHAKE
        assert first.at == clock.now
        assert first.duration_ms is not None
        assert first.fields["connection"] == "probe"
        assert first.fields["request"] == {
            "msg_type": 1, "protocol_version": 1, "sequence": 1, "meeting_uuid": "Zm9v==",
            "rtms_stream_id": "stream1", "signature": "[secret]", "client_id": "CID",
        }  # fmt: skip
        response = first.fields["response"]
        assert isinstance(response, dict)
        assert response["status_code"] == 0

    def test_counts_media(self, zoom: Zoom, clock: Any) -> None:
        """Staying longer counts more messages."""
        zoom.after_media = media
        result = run(zoom.url, clock, media=(Medium.AUDIO,), stay=0.3)
        assert result.media[Medium.AUDIO].messages == 3
        assert result.media[Medium.AUDIO].first_at == clock.now

    def test_silence_is_not_waited_for_long(self, zoom: Zoom, clock: Any) -> None:
        """Where no media come the client leaves after its patience."""
        started = time.monotonic()
        result = run(zoom.url, clock, media_wait=0.2)
        assert result.joined
        assert result.media == {}
        assert time.monotonic() - started < 2

    def test_every_medium_has_its_parameters(self, zoom: Zoom, clock: Any) -> None:
        """Each medium is asked for alone, with its own parameters; `all` has those of each."""
        zoom.keys = ["audio", "video", "deskshare", "transcript", "chat", "all"]
        zoom.after_media = media
        result = run(zoom.url, clock, media=tuple(Medium), media_wait=3.0, stay=0.1)
        assert result.accepted == tuple(Medium)
        asked = {m["media_type"]: sorted(m["media_params"]) for m in zoom.received if m["msg_type"] == 3}
        assert asked == {
            1: ["audio"], 2: ["video"], 4: ["deskshare"], 8: ["transcript"], 16: ["chat"],
            32: ["audio", "chat", "deskshare", "transcript", "video"],
        }  # fmt: skip

    def test_other_products_sign_their_own_id(self, zoom: Zoom, clock: Any) -> None:
        """A session's id stands in its own field."""
        run(zoom.url, clock, id_field="session_id", stream_of="s1", media=())
        assert zoom.received[0]["session_id"] == "s1"
        assert "meeting_uuid" not in zoom.received[0]

    def test_a_ready_signature_is_used(self, zoom: Zoom, clock: Any) -> None:
        """A signature that came with the event replaces the computed one, and no pair is named for it."""
        result = run(zoom.url, clock, ready_signature=Secret("canary-ready"), media=())
        assert zoom.received[0]["signature"] == "canary-ready"
        request = result.steps[0].fields["request"]
        assert isinstance(request, dict)
        assert "client_id" not in request

    def test_asking_to_close(self, zoom: Zoom, clock: Any) -> None:
        """At the end Zoom can be asked to stop the stream."""
        result = run(zoom.url, clock, close_stream=True)
        assert result.stream_closed
        assert zoom.received[-1] == {"msg_type": 21, "rtms_stream_id": "stream1"}


def test_nothing_secret_is_logged(zoom: Zoom, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Even at the most talkative level the log holds neither the secret nor the signature."""
    with caplog.at_level(logging.DEBUG):
        run(zoom.url, clock, media_wait=0.1)
    ours = [record.getMessage() for record in caplog.records if "server" not in record.name]
    assert not [text for text in ours if EXPECTED in text or "canary" in text]


class TestKeepAlive:
    """Keep-alives on both kinds of socket."""

    def test_are_answered_with_their_sequence(self, zoom: Zoom, clock: Any) -> None:
        """What was sent comes back, on signaling and on media, and none is counted as missed."""

        def ask(zoom: Zoom, connection: ServerConnection, *_: int) -> None:
            zoom.say(connection, {"msg_type": 12, "timestamp": 17, "sequence": 5})

        zoom.after_ready = zoom.after_media = ask
        result = run(zoom.url, clock, media=(Medium.AUDIO,))
        assert result.keep_alives == 2
        answers = [message for message in zoom.received if message["msg_type"] == 13]
        assert answers == [{"msg_type": 13, "timestamp": 17, "sequence": 5}] * 2
        assert result.steps[-1].kind is Kind.KEEPALIVE
        assert result.steps[-1].fields == {"missed": 0}

    def test_without_a_sequence_none_is_made_up(self) -> None:
        """The documented shape has no sequence; the answer then has none either."""
        assert keep_alive_answer({"msg_type": 12, "timestamp": 1}) == {"msg_type": 13, "timestamp": 1}

    def test_before_the_answer(self, zoom: Zoom, clock: Any) -> None:
        """A keep-alive and noise before the handshake's answer do not stand in its way."""

        def first(connection: ServerConnection, message: dict[str, Any]) -> bool:
            if message["msg_type"] == 1:
                for frame in ("no json", b"\xff\xfe", "[]", json.dumps({"msg_type": 12}), json.dumps({"msg_type": 99})):
                    connection.send(frame)
            return False

        zoom.before = first
        result = run(zoom.url, clock, media=())
        assert result.signaled
        assert result.unreadable == 3
        assert result.keep_alives == 1

    def test_a_text_frame_that_is_no_text(self, zoom: Zoom, clock: Any) -> None:
        """Bytes that are no UTF-8 in a text frame break the WebSocket protocol; the socket's end is noted."""

        def noise(connection: ServerConnection, message: dict[str, Any]) -> bool:
            if message["msg_type"] == 1:
                connection.send(b"\xff\xfe", text=True)
            return False

        zoom.before = noise
        result = run(zoom.url, clock, media=())
        assert not result.signaled
        assert "1007" in str(result.steps[0].fields["error"])


class TestRefusals:
    """Handshakes that Zoom does not accept."""

    def test_status_3(self, zoom: Zoom, clock: Any) -> None:
        """A refused signature is one step with the status, and no media socket is opened."""
        zoom.answer = {"status_code": 3, "reason": "Invalid signature"}
        result = run(zoom.url, clock)
        assert not result.signaled
        assert result.signaling_status == 3
        assert len(result.steps) == 1
        assert len(zoom.received) == 1

    @pytest.mark.parametrize(("code", "reason"), [(1000, "Normal close"), (1001, ""), (1008, "policy"), (4401, "no")])
    def test_a_bare_close(self, zoom: Zoom, clock: Any, code: int, reason: str) -> None:
        """A close without an answer keeps its code and reason."""

        def close(connection: ServerConnection, message: dict[str, Any]) -> bool:
            connection.close(code, reason)
            return True

        zoom.before = close
        result = run(zoom.url, clock)
        assert [step.fields.get("closed") for step in result.steps] == [{"code": code, "reason": reason}]
        assert "response" not in result.steps[0].fields
        assert result.signaling_status is None

    def test_a_broken_connection(self, zoom: Zoom, clock: Any) -> None:
        """A connection that breaks has no close code, only an error."""

        def abort(connection: ServerConnection, message: dict[str, Any]) -> bool:
            connection.socket.shutdown(socket.SHUT_RDWR)
            return True

        zoom.before = abort
        fields = run(zoom.url, clock).steps[0].fields
        assert fields["error"] == "no close frame received or sent"
        assert "closed" not in fields

    def test_no_answer(self, zoom: Zoom, clock: Any) -> None:
        """Silence ends after the time-out and is told as that."""
        zoom.answer = None
        result = run(zoom.url, clock, timeout=0.2)
        assert result.steps[0].fields["error"] == "no answer within 0.2 s"

    def test_a_medium_is_refused(self, zoom: Zoom, clock: Any) -> None:
        """Signaling succeeded, the medium did not: two steps, no client-ready."""
        zoom.media_answer = {"status_code": 14, "reason": "Media type invalid value"}
        result = run(zoom.url, clock, media=(Medium.AUDIO,))
        assert result.signaled
        assert not result.joined
        assert [message["msg_type"] for message in zoom.received] == [1, 3]
        response = result.steps[1].fields["response"]
        assert isinstance(response, dict)
        assert response["status_code"] == 14

    def test_a_medium_without_an_address(self, zoom: Zoom, clock: Any) -> None:
        """A medium whose scope is missing has no address; the others are joined all the same."""
        zoom.keys = ["audio"]
        result = run(zoom.url, clock)
        assert result.without_address == (Medium.TRANSCRIPT,)
        assert result.accepted == (Medium.AUDIO,)

    @pytest.mark.parametrize("answer", [{"media_server": None}, {"media_server": {"server_urls": ["x"]}}])
    def test_addresses_of_another_shape(self, zoom: Zoom, clock: Any, answer: dict[str, Any]) -> None:
        """A signaling answer without usable addresses is joined as far as it goes."""
        zoom.answer = {"status_code": 0, **answer}
        result = run(zoom.url, clock)
        assert result.signaled
        assert not result.joined


class TestEnds:
    """Streams that end while one is there."""

    @pytest.mark.parametrize(
        "message",
        [{"msg_type": 8, "state": 4, "reason": 18}, {"msg_type": 9, "state": 5, "stop_reason": 18}],
    )
    def test_zoom_says_why(self, zoom: Zoom, clock: Any, message: dict[str, Any]) -> None:
        """The end's reason is kept, and becomes a step of its own."""

        def end(zoom: Zoom, connection: ServerConnection) -> None:
            zoom.say(connection, {"msg_type": 8, "state": 1})
            zoom.say(connection, message)

        zoom.after_ready = end
        result = run(zoom.url, clock, media_wait=5.0)
        assert result.end is not None
        assert result.end.reason == 18
        assert [step.fields["response"] for step in result.steps][-1] == message

    def test_a_close_in_the_middle_does_not_undo_the_handshake(self, zoom: Zoom, clock: Any) -> None:
        """The step of the close still has the handshake's status 0 beside the close code."""
        zoom.after_ready = lambda _, connection: connection.close(1001, "going away")
        last = run(zoom.url, clock, media_wait=5.0).steps[-1].fields
        assert last["closed"] == {"code": 1001, "reason": "going away"}
        assert last["response"]["status_code"] == 0  # type: ignore[index]

    def test_a_flood_does_not_keep_us(self, zoom: Zoom, clock: Any) -> None:
        """However much arrives, the client leaves when its time is over."""

        def flood(zoom: Zoom, connection: ServerConnection, medium: int) -> None:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                zoom.say(connection, {"msg_type": 14, "content": {"data": "x" * 10_000}})

        zoom.after_media = flood
        started = time.monotonic()
        result = run(zoom.url, clock, media=(Medium.AUDIO,), stay=0.3)
        assert time.monotonic() - started < 8
        assert result.media[Medium.AUDIO].messages > 10

    def test_a_giant_message_ends_the_socket(self, zoom: Zoom, clock: Any) -> None:
        """A message beyond the bound is not taken; the socket's end is noted."""
        zoom.after_media = lambda _, connection, __: connection.send(b"x" * (9 * 1024 * 1024))
        result = run(zoom.url, clock, media=(Medium.AUDIO,), media_wait=3.0)
        assert "error" in result.steps[-1].fields


class TestOpening:
    """Sockets that cannot be opened."""

    def test_nobody_listens(self, closed_port: str, clock: Any) -> None:
        """A refused connection is named with host and port, without the rest of the address."""
        url = closed_port.replace("http", "ws")
        error = run(f"{url}/path?token=hidden", clock).steps[0].fields["error"]
        assert error == f"connection refused by {url.removeprefix('ws://')}"

    def test_addresses_are_tried_in_turn(self, zoom: Zoom, closed_port: str, clock: Any) -> None:
        """The second address of `server_urls` is tried where the first cannot be reached."""
        result = run(f"{closed_port.replace('http', 'ws')},{zoom.url}", clock, media=())
        assert result.signaled
        assert [("error" in step.fields) for step in result.steps] == [True, False]

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("http://127.0.0.1:1", "not a WebSocket address"),
            ("ws://", "not a WebSocket address"),
            ("ws://nowhere.invalid:443", "host name not found: nowhere.invalid:443"),
            ("ws://127.0.0.1:99999", "not a WebSocket address"),
            ("ws://[::1", "address"),
        ],
    )
    def test_addresses_that_cannot_be(self, clock: Any, url: str, words: str) -> None:
        """A malformed address or an unknown host is told as that."""
        error = run(url, clock).steps[0].fields["error"]
        assert isinstance(error, str)
        assert words in error

    def test_many_addresses_do_not_take_for_ever(self, closed_port: str, clock: Any) -> None:
        """Once the whole deadline is over the rest is not tried, and that is told."""
        result = run(",".join([closed_port.replace("http", "ws")] * 3), clock, deadline=0.0)
        assert [step.fields["error"] for step in result.steps] == ["not tried: 0 s were over"] * 3

    def test_without_an_address_nothing_is_done(self, clock: Any) -> None:
        """An event without addresses gives no steps."""
        assert run("", clock).steps == []

    @pytest.mark.parametrize("status", [403, 502])
    def test_a_refused_upgrade(self, zoom: Zoom, clock: Any, status: int) -> None:
        """The HTTP status of a refused upgrade is kept."""
        with served(Zoom(), process_request=lambda c, _: c.respond(HTTPStatus(status), "no")) as refusing:
            fields = run(refusing.url, clock).steps[0].fields
        assert fields["upgrade_status"] == status
        assert str(fields["error"]).startswith(f"upgrade refused with HTTP {status}")

    def test_a_server_that_speaks_no_http(self, server: Any, clock: Any) -> None:
        """Noise instead of an upgrade is told as that."""
        server.raw = lambda connection: connection.sendall(b"noise\r\n\r\n")
        error = run(server.url.replace("http", "ws"), clock).steps[0].fields["error"]
        assert str(error).startswith("no valid WebSocket upgrade")

    def test_a_server_that_says_nothing(self, server: Any, clock: Any) -> None:
        """An upgrade that does not come ends at the time-out."""
        server.raw = lambda _: time.sleep(1)
        error = run(server.url.replace("http", "ws"), clock, timeout=0.2).steps[0].fields["error"]
        assert str(error).startswith("connect timed out after 0.2 s")

    def test_plain_where_tls_is_expected(self, zoom: Zoom, clock: Any) -> None:
        """Wss to a plain server is a TLS failure."""
        error = run(zoom.url.replace("ws://", "wss://"), clock).steps[0].fields["error"]
        assert str(error).startswith("TLS failed")

    def test_a_media_address_that_cannot_be_reached(self, zoom: Zoom, closed_port: str, clock: Any) -> None:
        """The media socket's failure is a step of its own."""
        zoom.answer = {
            "status_code": 0, "media_server": {"server_urls": {"audio": closed_port.replace("http", "ws")}},
        }  # fmt: skip
        result = run(zoom.url, clock, media=(Medium.AUDIO,))
        assert result.steps[1].fields["socket"] == "media"
        assert "refused" in str(result.steps[1].fields["error"])


class TestTls:
    """Encrypted streams."""

    @pytest.fixture
    def authority(self) -> trustme.CA:
        """Give a private certificate authority."""
        return trustme.CA()

    @pytest.fixture
    def options(self, authority: trustme.CA) -> dict[str, Any]:
        """Give a server's TLS settings for localhost."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        return {"ssl": context}

    def test_a_private_authority(self, authority: trustme.CA, options: Any, clock: Any, tmp_path: Path) -> None:
        """With the authority's file the join works."""
        file = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(file))
        with served(Zoom(), **options) as zoom:
            assert run(zoom.url, clock, ca_file=file, media_wait=0.1).joined

    def test_an_unknown_authority(self, options: Any, clock: Any) -> None:
        """Without it the certificate is rejected, which is told apart from a failed connection."""
        with served(Zoom(), **options) as zoom:
            error = run(zoom.url, clock).steps[0].fields["error"]
        assert str(error).startswith("TLS certificate rejected for localhost:")

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_an_unusable_file(self, clock: Any, tmp_path: Path, content: str | None) -> None:
        """A CA file that is missing or no PEM is the user's error."""
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match="cannot be used"):
            join(plan("wss://localhost:1", ca_file=file), clock=clock)


@given(st.text() | st.binary())
def test_any_frame(frame: str | bytes) -> None:
    """Whatever a frame holds, it is a JSON object or nothing."""
    assert read_message(frame) is None or isinstance(read_message(frame), dict)
