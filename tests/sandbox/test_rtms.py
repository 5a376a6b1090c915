"""The RTMS sockets, spoken to by a client of the websockets library, as Zoom's Node samples speak."""

import base64
import json
import time
from typing import Any, TypeAlias

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from rtms_audit.sandbox.server import Sandbox

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports


def stopped(desk: Desk, payload: Any) -> int:
    """Wait until a stream has stopped and return the reason."""
    desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["stop_reason"] is not None)
    return int(desk.stream(payload["rtms_stream_id"])["stop_reason"])


def _drain(socket: Any, *, seconds: float) -> None:
    """Read until nothing comes for so long (TimeoutError) or the socket closes."""
    while True:
        socket.recv(timeout=seconds)


def closed(socket: Any) -> tuple[int, str]:
    """Read until the socket is closed and return code and reason."""
    with pytest.raises(ConnectionClosed) as caught:
        _drain(socket, seconds=5)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


@pytest.mark.parametrize("binary", [True, False])
def test_whole_conversation(desk: Desk, binary: bool) -> None:
    """Signaling, one media socket for each kind, client-ready, media of every kind, and the first-packet event."""
    payload = desk.started()
    with desk.joined(payload, binary=binary) as (signaling, answer):
        assert (answer["status_code"], answer["reason"], answer["sequence"]) == (0, "", 7)
        urls = answer["media_server"]["server_urls"]
        assert set(urls) == {"audio", "video", "deskshare", "transcript", "chat", "all"}
        with (
            desk.socket(urls["audio"]) as audio,
            desk.socket(urls["transcript"]) as transcript,
            desk.socket(urls["chat"]) as chat,
            desk.socket(urls["video"]) as video,
            desk.socket(urls["deskshare"]) as share,
        ):
            for socket, number in ((audio, 1), (transcript, 8), (chat, 16), (video, 2), (share, 4)):
                desk.say(socket, desk.media(payload, number), binary=binary)
                assert desk.hear(socket, 4)["status_code"] == 0
            desk.say(signaling, {"msg_type": 7, "rtms_stream_id": payload["rtms_stream_id"]}, binary=binary)
            assert desk.hear(signaling, 8)["state"] == 1
            assert desk.hear(signaling, 9)["state"] == 2
            sound = desk.hear(audio, 14)["content"]
            assert len(base64.b64decode(sound["data"])) == sound["length"] == 640
            assert desk.hear(transcript, 17)["content"]["data"] == "Good morning, everybody."
            assert desk.hear(chat, 18)["content"]["data"] == "Hello!"
            assert desk.hear(video, 15)["content"]["data"]
            assert desk.hear(share, 16)["content"]["data"]
            assert desk.hear(signaling, 6)["event"]["event_type"] == 1
        assert desk.stream(payload["rtms_stream_id"])["attached"] is True


def test_frames_mirror_the_client(desk: Desk) -> None:
    """Text is answered by text, binary by binary, and a switch fixes one kind."""
    for binary, frames, expected in [(True, "mirror", bytes), (False, "mirror", str), (True, "text", str)]:
        desk.order("/settings", frames=frames)
        payload = desk.started()
        with desk.socket(payload["server_urls"]) as socket:
            desk.say(socket, desk.request(payload, 1), binary=binary)
            assert isinstance(socket.recv(timeout=5), expected)


def test_all_media_on_one_socket(desk: Desk) -> None:
    """Type 32 carries every granted medium."""
    payload = desk.started()
    with (
        desk.joined(payload) as (signaling, answer),
        desk.socket(answer["media_server"]["server_urls"]["all"]) as media,
    ):
        desk.say(media, desk.media(payload, 32))
        assert set(desk.hear(media, 4)["media_params"]) == {"audio", "video", "deskshare", "transcript", "chat"}
        desk.say(signaling, {"msg_type": 7, "rtms_stream_id": payload["rtms_stream_id"]})
        kinds = {desk.hear(media)["msg_type"] for _ in range(20)}
        assert kinds == {14, 15, 16, 17, 18}
        with desk.socket(f"{desk.ready['rtms_url']}/media/audio") as second:
            desk.say(second, desk.media(payload, 1))
            assert desk.hear(second, 4)["status_code"] == 15


def test_wrong_signature_answers_status_3_and_stops_with_18(desk: Desk) -> None:
    """The other environment's pair gets status 3 and a close; about a second later the stream stops with 18."""
    desk.order("/settings", auth_failure="status-3")
    payload = desk.started()
    begun = time.monotonic()
    with desk.socket(payload["server_urls"]) as socket:
        desk.say(socket, desk.request(payload, 1, "development"))
        answer = desk.hear(socket, 2)
        assert (answer["status_code"], answer["reason"]) == (3, "INVALID_SIGNATURE")
        assert "media_server" not in answer
        assert closed(socket)[0] == 1000
    assert stopped(desk, payload) == 18
    assert 0.8 < time.monotonic() - begun < 3


def test_wrong_signature_can_be_a_bare_close(desk: Desk) -> None:
    """In the other mode the socket closes with 1000 and no word, and the stream stops with 18 too."""
    desk.order("/settings", auth_failure="close-1000", auth_failure_stop_s=0)
    payload = desk.started()
    with desk.socket(payload["server_urls"]) as socket:
        desk.say(socket, desk.request(payload, 1, "development"))
        assert closed(socket)[0] == 1000
    assert stopped(desk, payload) == 18


def test_media_signature_is_checked(desk: Desk) -> None:
    """A wrong signature on a media socket is refused as on signaling."""
    desk.order("/settings", auth_failure="status-3")
    payload = desk.started()
    with desk.joined(payload) as (_, answer), desk.socket(answer["media_server"]["server_urls"]["audio"]) as media:
        desk.say(media, desk.media(payload, 1, signature="0" * 64))
        assert desk.hear(media, 4)["status_code"] == 3


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"rtms_stream_id": "0" * 32}, 2),
        ({"meeting_uuid": "other=="}, 2),
        ({"protocol_version": 2}, 4),
        ({"signature": None}, 4),
        ({"meeting_uuid": 5}, 4),
        ({"msg_type": 9}, 1),
        ({"msg_type": "1"}, 1),
    ],
)
def test_signaling_handshake_is_judged(desk: Desk, change: dict[str, object], status: int) -> None:
    """Unknown streams, wrong shapes and wrong message types have their own status, then a close."""
    payload = desk.started()
    with desk.socket(payload["server_urls"]) as socket:
        desk.say(socket, {**desk.request(payload, 1), **change})
        assert desk.hear(socket, 2)["status_code"] == status
        assert closed(socket)[0] == 1000


def test_what_is_no_json_is_an_invalid_payload(desk: Desk) -> None:
    """Garbage gets status 4 on signaling and on media addresses, answered in the message type of the address."""
    for place, kind in (("signaling", 2), ("media/audio", 4)):
        with desk.socket(f"{desk.ready['rtms_url']}/{place}") as socket:
            socket.send(b"\xff\x00 not json")
            answer = desk.hear(socket)
            assert (answer["msg_type"], answer["status_code"]) == (kind, 4)


def test_stopped_stream_cannot_be_joined(desk: Desk) -> None:
    """After the end a stream is not known any more (status 2)."""
    payload = desk.started()
    desk.order(f"/streams/{payload['rtms_stream_id']}", action="stop")
    with desk.joined(payload) as (_, answer):
        assert answer["status_code"] == 2


def test_second_connection_is_refused_or_kicks(desk: Desk) -> None:
    """By default a second signaling connection gets status 8; in the other mode it replaces the first."""
    payload = desk.started()
    with desk.joined(payload) as (first, _):
        with desk.joined(payload) as (second, answer):
            assert answer["status_code"] == 8
            assert closed(second)[0] == 1000
        desk.order("/settings", duplicate_connection="kick-first")
        with desk.joined(payload) as (third, answer):
            assert answer["status_code"] == 0
            assert closed(first) == (1000, "replaced by another connection")
            desk.say(third, {"msg_type": 19, "rtms_stream_id": payload["rtms_stream_id"]})
            assert desk.hear(third, 20)["state"] == 1


@pytest.mark.parametrize("mask", [17, 25, 9, 0, 64, "1", None, True, 1.5])
def test_combined_media_are_refused_with_14(desk: Desk, mask: object) -> None:
    """A mask that is no single type is status 14, and the stream is stopped soon after."""
    desk.order("/settings", auth_failure_stop_s=0)
    payload = desk.started()
    with desk.joined(payload) as (_, answer), desk.socket(answer["media_server"]["server_urls"]["audio"]) as media:
        desk.say(media, desk.media(payload, mask))
        assert desk.hear(media, 4)["status_code"] == 14
        assert stopped(desk, payload) == 16


def test_medium_without_its_scope(desk: Desk) -> None:
    """A medium whose scope was not granted has no address, and asking for it anyway is refused by its own number."""
    payload = desk.started("partial")
    with desk.joined(payload) as (_, answer):
        urls = answer["media_server"]["server_urls"]
        assert "transcript" not in urls
        with desk.socket(urls["audio"]) as media:
            desk.say(media, desk.media(payload, 8))
            assert desk.hear(media, 4)["status_code"] == 12


def test_one_socket_per_medium(desk: Desk) -> None:
    """A second socket for the same medium is status 16; all media beside a single one too."""
    payload = desk.started()
    with desk.joined(payload) as (_, answer):
        url = answer["media_server"]["server_urls"]["audio"]
        with desk.socket(url) as first, desk.socket(url) as second, desk.socket(url) as third:
            for socket, number, status in ((first, 1, 0), (second, 1, 16), (third, 32, 16)):
                desk.say(socket, desk.media(payload, number))
                assert desk.hear(socket, 4)["status_code"] == status


def test_media_need_a_signaling_connection(desk: Desk) -> None:
    """Media without signaling are refused."""
    payload = desk.started()
    with desk.socket(f"{desk.ready['rtms_url']}/media/audio") as media:
        desk.say(media, desk.media(payload, 1))
        assert desk.hear(media, 4)["status_code"] == 2


def test_nobody_attaches(desk: Desk) -> None:
    """A minute after the start a stream that nobody joined stops with reason 11."""
    payload = desk.started()
    desk.order("/clock", advance=59)
    time.sleep(0.05)
    assert desk.stream(payload["rtms_stream_id"])["stop_reason"] is None
    desk.order("/clock", advance=2)
    assert stopped(desk, payload) == 11


def test_client_that_says_nothing(desk: Desk) -> None:
    """A connection without a handshake is closed after the attach window."""
    with desk.socket(f"{desk.ready['rtms_url']}/signaling") as socket:
        desk.order("/clock", advance=61)
        assert closed(socket)[0] == 1000


def test_keep_alives_that_are_answered(desk: Desk) -> None:
    """Both kinds of socket are asked every ten seconds, with sequence and timestamp; answers keep them alive."""
    payload = desk.started()
    with (
        desk.joined(payload) as (signaling, answer),
        desk.socket(answer["media_server"]["server_urls"]["audio"]) as media,
    ):
        desk.say(media, desk.media(payload, 1))
        desk.hear(media, 4)
        for number in range(1, 6):
            desk.order("/clock", advance=10.5)
            for socket in (signaling, media):
                asked = desk.hear(socket, 12)
                assert asked["sequence"] == number
                desk.say(socket, {"msg_type": 13, "timestamp": asked["timestamp"], "sequence": number})
            time.sleep(0.03)
        desk.say(signaling, {"msg_type": 12, "timestamp": 1, "sequence": 9})
        assert desk.hear(signaling, 13)["sequence"] == 9
        assert desk.stream(payload["rtms_stream_id"])["stop_reason"] is None


def test_three_missed_keep_alives_stop_with_24(desk: Desk) -> None:
    """Three questions without an answer end the stream with reason 24, told before the close."""
    desk.order("/settings", keepalive_sequence="off")
    payload = desk.started()
    with desk.joined(payload) as (signaling, _):
        for _ in range(4):
            desk.order("/clock", advance=10.5)
            time.sleep(0.05)
        assert "sequence" not in desk.hear(signaling, 12)
        state = desk.hear(signaling, 8)
        assert (state["state"], state["reason"]) == (4, 24)
        assert desk.hear(signaling, 9)["stop_reason"] == 24
        assert closed(signaling)[0] == 1000
    assert stopped(desk, payload) == 24


def test_client_asks_to_close(desk: Desk) -> None:
    """A close request is answered and stops the stream with reason 20; for another stream it is refused."""
    payload = desk.started()
    with desk.joined(payload) as (signaling, _):
        desk.say(signaling, {"msg_type": 21, "rtms_stream_id": "other"})
        assert desk.hear(signaling, 22)["status_code"] == 2
        desk.say(signaling, {"msg_type": 21, "rtms_stream_id": payload["rtms_stream_id"]})
        assert desk.hear(signaling, 22)["status_code"] == 0
        assert desk.hear(signaling, 8)["reason"] == 20
    assert stopped(desk, payload) == 20


def test_events_states_and_video_subscription(desk: Desk) -> None:
    """Subscribed events tell who speaks and who is there; states and video subscriptions are answered."""
    payload = desk.started()
    with desk.joined(payload) as (signaling, _):
        events = [{"event_type": number, "subscribe": True} for number in (2, 3, 5, "x")]
        desk.say(signaling, {"msg_type": 5, "events": [*events, "nonsense"]})
        assert desk.hear(signaling, 6)["event"]["user_name"] == "Dana Developer"
        joined = desk.hear(signaling, 6)["event"]
        assert [person["user_name"] for person in joined["participants"]] == ["Dana Developer"]
        desk.say(signaling, {"msg_type": 5, "events": [{"event_type": 3, "subscribe": False}]})
        desk.say(signaling, {"msg_type": 5, "events": None})
        desk.say(signaling, {"msg_type": 10})
        assert desk.hear(signaling, 11)["state"] == 1
        user = joined["participants"][0]["user_id"]
        for body, status in [
            ({"user_id": user, "subscribe": True}, 0),
            ({"user_id": user, "subscribe": True}, 44),
            ({"user_id": user, "subscribe": False}, 0),
            ({"user_id": "x"}, 4),
        ]:
            desk.say(signaling, {"msg_type": 28, **body})
            assert desk.hear(signaling, 29)["status_code"] == status
        desk.say(signaling, {"msg_type": 7, "rtms_stream_id": "other"})
        desk.say(signaling, {"msg_type": ["strange"]})
        desk.say(signaling, {"msg_type": 10})
        assert desk.hear(signaling, 11)["state"] == 1


def test_pause_rests_media(desk: Desk) -> None:
    """While a stream is paused no media come; after resuming they come again."""
    payload = desk.started()
    place = f"/streams/{payload['rtms_stream_id']}"
    with (
        desk.joined(payload) as (signaling, answer),
        desk.socket(answer["media_server"]["server_urls"]["audio"]) as media,
    ):
        desk.say(media, desk.media(payload, 1))
        desk.say(signaling, {"msg_type": 7, "rtms_stream_id": payload["rtms_stream_id"]})
        desk.hear(media, 14)
        desk.order(place, action="pause")
        paused = [desk.hear(signaling, 9)["state"] for _ in range(2)]
        assert paused == [2, 3]
        time.sleep(0.1)
        with pytest.raises(TimeoutError):
            _drain(media, seconds=0.2)
        desk.order(place, action="resume")
        assert desk.hear(media, 14)["content"]["data"]


def test_lost_signaling_may_come_back(desk: Desk) -> None:
    """A client that went away is told by webhook, may come back within a minute, and is given up after it (19)."""
    payload = desk.started()
    with desk.joined(payload):
        pass
    desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["state"] == "interrupted")
    with desk.joined(payload) as (_, answer):
        assert answer["status_code"] == 0
        desk.order("/clock", advance=61)
        assert desk.stream(payload["rtms_stream_id"])["state"] == "active"
    desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["state"] == "interrupted")
    desk.order("/clock", advance=61)
    assert stopped(desk, payload) == 19


def test_lost_media_may_come_back(desk: Desk) -> None:
    """When the last media socket has gone the stream waits 65 seconds for another."""
    payload = desk.started()
    with desk.joined(payload) as (_, answer):
        url = answer["media_server"]["server_urls"]["audio"]
        for advance in (40, 70):
            with desk.socket(url) as media:
                desk.say(media, desk.media(payload, 1))
                assert desk.hear(media, 4)["status_code"] == 0
            desk.eventually(lambda: desk.stream(payload["rtms_stream_id"])["media"] == [])
            desk.order("/clock", advance=advance)
        assert stopped(desk, payload) == 19


def test_interruption_and_fail_over(desk: Desk) -> None:
    """Zoom's side can drop the sockets, the media alone (event 7), or move the stream (a second started event)."""
    desk.order("/settings", webhook_url="http://127.0.0.1:9/none")
    payload = desk.started()
    place = f"/streams/{payload['rtms_stream_id']}"
    with (
        desk.joined(payload) as (signaling, answer),
        desk.socket(answer["media_server"]["server_urls"]["audio"]) as media,
    ):
        desk.say(media, desk.media(payload, 1))
        desk.hear(media, 4)
        desk.order(place, action="interrupt-media")
        assert desk.hear(signaling, 6)["event"]["event_type"] == 7
        assert closed(media) == (1001, "interrupted")
        desk.order(place, action="interrupt")
        assert closed(signaling) == (1001, "interrupted")
    desk.order(place, action="interrupt")
    with desk.joined(payload) as (signaling, _):
        desk.order(place, action="fail-over")
        assert closed(signaling) == (1001, "fail-over")
    desk.order(place, action="repeat-started")

    def told() -> list[str]:
        return [d["event"] for d in desk.state()["deliveries"]]

    desk.eventually(lambda: told().count("meeting.rtms_started") == 3)
    assert "meeting.rtms_interrupted" in told()


@pytest.mark.parametrize(("kinds", "expected"), [("all-only", {"all"}), ("none", set())])
def test_addresses_can_be_withheld(desk: Desk, kinds: str, expected: set[str]) -> None:
    """The answer can name `all` alone, or nothing, as some clients have to survive."""
    desk.order("/settings", media_url_kinds=kinds)
    with desk.joined(desk.started()) as (_, answer):
        assert set(answer["media_server"]["server_urls"]) == expected


def test_no_reply(desk: Desk) -> None:
    """With replies off the socket opens and stays silent."""
    desk.order("/settings", handshake_reply="off")
    payload = desk.started()
    with desk.socket(payload["server_urls"]) as socket:
        desk.say(socket, desk.request(payload, 1))
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.2)


def test_upgrade_can_be_refused_or_dropped(desk: Desk) -> None:
    """A fault on the socket's path refuses the upgrade with a status, or tears the connection."""
    payload = desk.started()
    desk.order("/faults", match={"path": "/signaling"}, answer={"status": 403}, times=1)
    with pytest.raises(InvalidStatus) as caught, desk.socket(payload["server_urls"]):
        pass
    assert caught.value.response.status_code == 403
    desk.order("/faults", match={"path": "/rtms/*"}, drop=True, times=1)
    with pytest.raises((ConnectionError, InvalidMessage)), desk.socket(payload["server_urls"]):
        pass
    with desk.joined(payload) as (_, answer):
        assert answer["status_code"] == 0


def test_a_reset_ends_what_is_joined(desk: Desk) -> None:
    """A reset closes the sockets and forgets the stream."""
    payload = desk.started()
    with desk.joined(payload) as (signaling, _):
        desk.order("/reset")
        assert desk.hear(signaling, 8)["reason"] == 6
        assert closed(signaling)[0] == 1000
    assert desk.state()["streams"] == []


def test_stopping_the_sandbox_lets_go(desk: Desk) -> None:
    """A sandbox stops within moments though clients are joined."""
    own = Sandbox(desk.sandbox.scenario).start()
    ready: Any = own.ready()
    with httpx.Client(verify=False) as http:
        control = ready["control_url"]
        http.post(
            control + "/installs", json={"account": "developer", "environment": "production", "action": "install"}
        )
        body = {"account": "developer", "environment": "production", "trigger": "auto-start"}
        (payload,) = http.post(control + "/meetings", json=body).json()["streams"]
    with desk.joined(payload) as (signaling, answer):
        assert answer["status_code"] == 0
        begun = time.monotonic()
        own.stop()
        assert time.monotonic() - begun < 5
        closed(signaling)


def test_reading_of_json_frames(desk: Desk) -> None:
    """A frame of more than 256 KiB is not read: it counts as no message."""
    with desk.socket(f"{desk.ready['rtms_url']}/signaling") as socket:
        socket.send(json.dumps({"msg_type": 1, "pad": "x" * 300_000}))
        assert desk.hear(socket)["status_code"] == 4


@pytest.mark.parametrize(("place", "kind"), [("signaling", 2), ("media", 4)])
def test_any_status_can_be_forced(desk: Desk, place: str, kind: int) -> None:
    """A script can have every handshake answered with one status, known or not."""
    payload = desk.started()
    for status, reason in ((14, "MEDIA_TYPE_INVALID_VALUE"), (99, "STATUS_99")):
        desk.order("/settings", forced_status={place: status})
        with desk.socket(payload["server_urls"]) as socket:
            desk.say(socket, desk.request(payload, kind - 1))
            answer = desk.hear(socket, kind)
            assert (answer["status_code"], answer["reason"]) == (status, reason)
