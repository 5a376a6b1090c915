"""What Zoom's SDKs write, read from real output and from shapes that people paste."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.evidence_file import check_fields
from rtms_audit.core.model import Environment, InstallKey, Kind, Observation
from rtms_audit.core.sdk_log import read_sdk_log

OUTPUT = Path(__file__).parent / "sdk_output"
"""Output of Zoom's RTMS SDK for Python 1.1.0 against loopback servers, recorded on 2026-11-23; of the native files the
library's own chatter is left out."""
KEY = InstallKey("dev-co", Environment.PRODUCTION)


def output(name: str) -> str:
    """Return recorded output."""
    return (OUTPUT / f"{name}.txt").read_text(encoding="utf-8")


def reasons(observations: tuple[Observation, ...], callback: str) -> list[object]:
    """Return the reasons of a callback, in order."""
    return [o.fields.get("reason") for o in observations if o.fields.get("callback") == callback]


def only(line: str) -> Observation:
    """Return the one observation of a line."""
    (found,) = read_sdk_log(line).observations
    return found


@pytest.mark.parametrize("kind", ["console", "native"])
@pytest.mark.parametrize(
    ("name", "join", "leave"),
    [
        ("join-ok", [0], []),
        ("closed-before-join", [960], []),
        ("signature-refused", [3], []),
        ("stopped-18", [0], [18]),
        ("tls-unknown-ca", [610], []),
    ],
)
def test_real_output_gives_the_right_reasons(name: str, kind: str, join: list[int], leave: list[int]) -> None:
    """Console and native log of each recording give the callbacks' reasons, and every line is accounted for."""
    text = output(f"{name}.{kind}")
    readout = read_sdk_log(text, install=KEY, source="log")
    assert reasons(readout.observations, "onJoinConfirm") == join
    assert reasons(readout.observations, "onLeave") == leave
    assert readout.not_understood == ()
    assert readout.understood + readout.routine == len([line for line in text.splitlines() if line])
    assert {(o.install, o.source) for o in readout.observations} == {(KEY, "log")}
    for observation in readout.observations:
        check_fields(observation.kind, observation.fields)


@pytest.mark.parametrize("name", ["join-ok", "closed-before-join", "signature-refused", "stopped-18", "tls-unknown-ca"])
def test_successfully_joined_is_no_success(name: str) -> None:
    """The SDK prints it when a join is queued: it is kept, without a reason."""
    first = read_sdk_log(output(f"{name}.console")).observations[0]
    assert dict(first.fields) == {"sdk": "rtms-python", "callback": "join", "message": "Successfully joined"}


def test_native_log_gives_the_handshakes_without_signatures() -> None:
    """Both handshakes come with their requests and answers, in UTC, and no signature is kept."""
    readout = read_sdk_log(output("join-ok.native"))
    signaling, media, confirm = readout.observations
    assert (signaling.kind, signaling.fields["socket"]) == (Kind.HANDSHAKE, "signaling")
    assert signaling.fields["request"] == {
        "meeting_uuid": "uu==",
        "msg_type": 1,
        "protocol_version": 1,
        "rtms_client_agent": "rtms_sdk_cpp-.0.20260319-python-rtms",
        "rtms_stream_id": "sid",
    }
    answer = signaling.fields["response"]
    assert isinstance(answer, dict)
    assert answer["status_code"] == 0
    assert set(answer["media_server"]["server_urls"]) == {"audio", "video", "transcript", "all"}
    request = media.fields["request"]
    assert isinstance(request, dict)
    assert (media.fields["socket"], request["media_type"]) == ("media", 1)
    assert (confirm.fields["sdk"], confirm.fields["reason"]) == ("rtms-python", 0)
    assert confirm.at == datetime(2026, 11, 23, 2, 7, 20, 301000 + 10000, tzinfo=UTC)
    assert "f64f9e0a" not in repr(readout)


def test_a_socket_closed_before_the_answer_is_a_handshake_that_ended() -> None:
    """The request that nobody answered is kept, with the closing."""
    seen = read_sdk_log(output("closed-before-join.native")).observations[0]
    assert seen.fields["socket"] == "signaling"
    assert "request" in seen.fields
    assert "response" not in seen.fields
    assert "960" in repr(seen.fields["closed"])


def test_a_connection_refused_at_an_ip_address_is_a_handshake_that_failed() -> None:
    """The library tries an IP address again and again; its tries are no reasons of the join."""
    lines = [
        "11/23/2026 17:06:50:708\tZSSGW_SDK\t[1:2:3]\tERROR\twss_signal_t::on_connect failed, reason: 500, this = 0x01",
        "11/23/2026 17:06:50:708\tZSSGW_SDK\t[1:2:3]\tINFO\t"
        "rtms_sdk_impl::on_session_start, failed, reason: 500, this = 0x02",
    ]
    seen = read_sdk_log("\n".join(lines)).observations
    assert [one.fields["error"] for one in seen] == ["address unreachable: could not connect (SDK reason 500)"]


def test_a_handshake_that_meets_silence_is_told() -> None:
    """When the join's time is over, the request that still waits was not answered; without one there is no news."""
    stop = "11/23/2026 17:06:41:965\tZSSGW_SDK\t[1:2:3]\tINFO\twss_signal_t::stop, reason: 1, this = 0x01"
    request = '11/23/2026 17:06:40:460\tZSSGW_SDK\t[1:2:3]\tINFO\tsend, req: {\n\t"msg_type" : 1\n}\n, this = 0x01'
    assert read_sdk_log(stop).observations == ()
    assert [one.fields["error"] for one in read_sdk_log(f"{request}\n{stop}").observations] == ["no answer in time"]


def test_the_end_of_a_stream_comes_with_its_stop_reason() -> None:
    """The state update on the signaling socket and the leave callback both say 18."""
    *_, state, leave = read_sdk_log(output("stopped-18.native")).observations
    assert state.fields["response"] == {
        "msg_type": 8,
        "rtms_stream_id": "s",
        "timestamp": 1,
        "state": 4,
        "reason": 18,
        "stop_reason": 18,
    }
    assert leave.fields["reason"] == 18


def test_a_refused_certificate_is_named() -> None:
    """The native log says why TLS failed."""
    seen = read_sdk_log(output("tls-unknown-ca.native")).observations[0]
    assert "unable to get local issuer certificate" in str(seen.fields["error"])


@pytest.mark.parametrize(
    ("line", "callback", "reason"),
    [
        ("RTMS joined successfully (reason 960 / 0x3c0)", "onJoinConfirm", 960),
        ("JOINCONFIRM 960 0x3c0 0.03", "onJoinConfirm", 960),
        ("[10:00:01] onJoinConfirm reason: 0x3c0", "onJoinConfirm", 960),
        ("on_join_confirm(reason=3)", "onJoinConfirm", 3),
        ("onJoinConfirm {\n  reason: 960\n}", "onJoinConfirm", 960),
        ("\x1b[32mJoin confirmed with reason 0\x1b[0m", "onJoinConfirm", 0),
        ("app-1  | 2026-03-02T10:00:00Z on_join_confirm: 0", "onJoinConfirm", 0),
        ("Failed to join: reason 504", "onJoinConfirm", 504),
        ("rtms_sdk_impl::on_session_start, failed, reason: 8", "onJoinConfirm", 8),
        ('{"level": "info", "msg": "onJoinConfirm", "reason": 960}', "onJoinConfirm", 960),
        ("LEAVE 18 1.06", "onLeave", 18),
        ("onLeave called with reason code 960", "onLeave", 960),
        ("client | 2026-11-23 02:07:30 | INFO  | Left meeting with reason 6", "onLeave", 6),
    ],
)
def test_callbacks_are_read_however_they_are_printed(line: str, callback: str, reason: int) -> None:
    """Every program prints the callback's reason in its own words."""
    seen = only(line)
    assert (seen.kind, seen.fields["callback"], seen.fields["reason"]) == (Kind.SDK, callback, reason)


@pytest.mark.parametrize(
    ("line", "sdk", "callback"),
    [
        ("OSError: Client ID cannot be blank", "rtms-python", "join"),
        ("ZM_RTMS_CLIENT is not set", None, "join"),
        ("client | 2026-11-23 02:07:30 | ERROR | Failed to join: Invalid status", None, "join"),
        ("code: 'ERR_DLOPEN_FAILED'", "rtms-node", "import"),
        ("Error: version `GLIBC_2.34' not found", None, "import"),
        ("Zoom RTMS SDK not installed", None, "import"),
        ("ModuleNotFoundError: No module named 'rtms'", None, "import"),
        ("Error: Cannot find module '@zoom/rtms'", "rtms-node", "import"),
        ("RTMS joined successfully", None, "join"),
    ],
)
def test_what_keeps_the_sdk_from_working_is_kept(line: str, sdk: str | None, callback: str) -> None:
    """Missing credentials and an SDK that cannot be loaded become observations without a reason."""
    seen = only(line)
    assert (seen.fields.get("sdk"), seen.fields["callback"]) == (sdk, callback)
    assert "reason" not in seen.fields


def test_refused_panel_calls_are_read() -> None:
    """The Zoom Apps SDK's code and call are kept."""
    seen = only("startRTMS failed: No Permission for this API. [code:80004, reason:app_not_support]")
    assert (seen.fields["sdk"], seen.fields["callback"], seen.fields["reason"]) == ("zoom-apps-sdk", "startRTMS", 80004)
    assert only("error 10308").fields["reason"] == 10308


def test_sockets_of_other_clients_are_read() -> None:
    """A closed signaling socket, a refused connection and missed keep-alives are read from a client's own words."""
    closed = only("Signaling WebSocket closed: 1000 Normal close")
    assert (closed.fields["socket"], closed.fields["closed"]) == ("signaling", {"code": 1000, "reason": "Normal close"})
    assert only("Error: connect ECONNREFUSED wss://x.example.com").fields["error"]
    assert only("media socket: certificate has expired").fields["socket"] == "media"
    assert only("signaling keep-alive missed: 3").fields == {"missed": 3}


def test_a_socket_closed_after_an_accepted_handshake_is_routine() -> None:
    """An ordinary end of a stream must not look like a refused handshake."""
    text = 'Signaling: {"msg_type": 2, "status_code": 0}\nSignaling WebSocket closed: 1000 bye'
    readout = read_sdk_log(text)
    assert [o.fields["response"] for o in readout.observations] == [{"msg_type": 2, "status_code": 0}]
    assert readout.routine == 1


def test_a_close_is_news_again_once_another_handshake_waits() -> None:
    """A refused handshake closes its socket as a matter of course; the next one's bare close is told."""
    refused = 'sent {"msg_type": 1}\nSignaling: {"msg_type": 2, "status_code": 3}\nSignaling WebSocket closed: 1000'
    assert [o.fields.get("closed") for o in read_sdk_log(refused).observations] == [None]
    again = read_sdk_log(f'{refused}\nsent {{"msg_type": 1}}\nSignaling WebSocket closed: 1000').observations
    assert [o.fields.get("closed") for o in again] == [None, {"code": 1000, "reason": ""}]


def test_a_medium_without_address_is_a_handshake_that_failed() -> None:
    """The library looks for the medium's key among the addresses and says which one it missed."""
    line = (
        "11/23/2026 17:06:38:100\tZSSGW_SDK\t[1:2:3]\tERROR\t"
        "wss_session_t::connect_data, could not get media url, media_type: 8, this = 0x01"
    )
    seen = only(line)
    assert seen.fields == {
        "socket": "media", "request": {"media_type": 8}, "error": "no address in the signaling answer"
    }  # fmt: skip


def test_keep_alives_that_the_library_cannot_answer_are_counted() -> None:
    """The SDK does not answer keep-alives without a sequence."""
    line = "wss_signal_t::handle_keep_alive_req, get sequence failed, ret: 2"
    assert only(f"{line}\n{line}\n{line}").fields == {"missed": 3}


def test_events_that_a_receiver_printed_are_read() -> None:
    """JSON, JSON lines of a logger, and what Python prints: an event is an event."""
    event = {"event": "meeting.rtms_started", "event_ts": 1772445600000, "payload": {"rtms_stream_id": "s"}}
    for line in (
        f"Received webhook: {json.dumps(event)}",
        f"Received webhook: {event!r}",
        json.dumps(event, indent=2),
        json.dumps({"level": 30, "time": 1772445600500, "msg": "webhook", "body": event}),
    ):
        seen = only(line)
        assert (seen.kind, seen.fields["body"], seen.fields["signature"]) == (Kind.WEBHOOK, event, "unchecked")
        assert seen.at is not None
    stopped = only("meeting.rtms_stopped stop_reason=18")
    assert stopped.fields["body"] == {"event": "meeting.rtms_stopped", "payload": {"stop_reason": 18}}


def test_printed_messages_that_json_cannot_hold_are_not_understood() -> None:
    """A set inside a printed event is no reason to fail, and none to guess."""
    readout = read_sdk_log("{'event': 'meeting.rtms_started', 'payload': {'x': {1, 2}}}\n{'msg_type': 2, 'x': {1}}")
    assert (readout.observations, [line.number for line in readout.not_understood]) == ((), [1, 2])


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "Bob left the meeting 2",
        "please leave 5 minutes",
        "User joined with reason 3",
        "a participant joined the meeting",
        "onJoinConfirm called",
        "client | 2026-11-23 02:07:30 | ERROR | something odd",
        "11/23/2026 02:07:30:567\tZSSGW_SDK\t[1:2:3]\tINFO\tsomething_new::happened",
        "11/23/2026 02:07:30:567\tUTIL\t[1:2:3]\tERROR\tsomething_new failed",
        "media type 5 unsupported",
    ],
)
def test_other_lines_are_shown_as_not_understood(line: str) -> None:
    """What the reader does not know it does not guess."""
    readout = read_sdk_log(f"\n{line}")
    assert readout.observations == ()
    assert [shown.number for shown in readout.not_understood] == [2]


def test_lines_that_are_shown_hold_no_secrets() -> None:
    """A client secret in a foreign line is masked before anybody sees it."""
    readout = read_sdk_log("client_secret=s3cretS3cretS3cretS3cret12 was loaded " + "x" * 900)
    assert "s3cretS3cret" not in readout.not_understood[0].text
    assert readout.not_understood[0].text.endswith("…")


def test_times_without_a_zone_are_left_out() -> None:
    """The console does not say its zone: the order is kept, and no time is claimed."""
    assert {o.at for o in read_sdk_log(output("stopped-18.console")).observations} == {None}


def test_a_given_zone_places_the_times() -> None:
    """With the zone of the machine, its times become UTC."""
    first = read_sdk_log(output("join-ok.console"), timezone=timezone(timedelta(hours=2))).observations[0]
    assert first.at == datetime(2026, 11, 23, 0, 7, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "hour"),
    [
        ("thread_mgr_t(),Mon,23 Nov 2026 01:07:30 GMT, x", 1),
        ("thread_mgr_t(),Mon,23 Nov 2026 07:37:30 GMT, x", 7),
        ("thread_mgr_t(),Mon,99 Nov 2026 07:37:30 GMT, x", None),
        ("no time in GMT", None),
    ],
)
def test_the_native_library_gives_its_zone_away(head: str, hour: int | None) -> None:
    """Its first line holds the local time and the time in GMT; without them its times are left out."""
    text = "\n".join(
        f"11/23/2026 02:07:30:500\tUTIL\t[1:2:3]\tINFO\t{message}" for message in (head, "on_session_start, reason: 0")
    )
    at = only(text).at
    assert (at.hour if at else None) == hour


def test_braces_that_are_never_closed_swallow_nothing() -> None:
    """A callback after an open brace is still read."""
    text = "function () {\n" + "JOINCONFIRM 960\n" + "x\n" * 200
    assert reasons(read_sdk_log(text).observations, "onJoinConfirm") == [960]
    native = "send data handshake: {\n11/23/2026 02:07:30:500\tX\t[1:2:3]\tINFO\ton_session_start, reason: 3\n}"
    assert reasons(read_sdk_log(native).observations, "onJoinConfirm") == [3]


def test_other_protocol_messages_say_nothing() -> None:
    """Keep-alives, events and states in between are routine."""
    text = "\n".join(json.dumps({"msg_type": number, "state": 1, "level": "info"}) for number in (5, 6, 8, 9, 12, 14))
    readout = read_sdk_log(f'{text}\n{{"msg_type": "2"}}')
    assert (readout.observations, readout.routine) == ((), 6)


PIECES = st.sampled_from(
    [
        "onJoinConfirm",
        "reason",
        " 960 ",
        "0x",
        "{",
        "}",
        "'",
        '"event": "x", "payload": {}',
        "msg_type",
        ": 2",
        "11/23/2026 02:07:30:567\tUTIL\t[1:2:3]\tERROR\t",
        "13/99/2026 99:07:30:567\tZSSGW_SDK\t[1:2:3]\tINFO\t",
        "2026-13-45 10:00:00.1Z",
        "signaling closed 1000",
        "\n",
        "\\",
        "this = 0x1",
        "Mon,31 Feb 2026 01:07:30 GMT",
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join))
def test_no_text_raises(text: str) -> None:
    """Whatever a file holds, it is read, and what comes out fits the evidence format."""
    for observation in read_sdk_log(text, timezone=UTC).observations:
        check_fields(observation.kind, observation.fields)


@given(st.binary(max_size=300))
def test_no_bytes_raise(raw: bytes) -> None:
    """Bytes that are no text are read as far as they go."""
    assert read_sdk_log(raw.decode("utf-8", "replace")).understood >= 0
