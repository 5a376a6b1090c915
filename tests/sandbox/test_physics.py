"""What decides whether RTMS starts: each link broken by itself, seen through the control address and REST."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports


def outcome(answer: Any) -> tuple[int, int | None]:
    """Return status and code of a REST answer."""
    return answer.status_code, answer.json()["code"] if answer.content else None


def why(desk: Desk) -> str:
    """Return why the last start came or did not come."""
    return str(desk.state()["decisions"][-1]["why"])


def rest(desk: Desk, account: str, **more: object) -> tuple[int, int | None]:
    """Install, open a meeting and start RTMS in it by REST."""
    token = desk.install(account)["access_token"]
    return outcome(desk.rest_start(token, desk.meeting(account, "none")["meeting_id"], **more))


def test_auto_start_brings_a_stream(desk: Desk) -> None:
    """With every link in order a meeting that begins brings one stream of the installed app, with an address."""
    desk.install("freelancer")
    meeting = desk.meeting("freelancer")
    (payload,) = meeting["streams"]
    assert payload["meeting_uuid"] == meeting["meeting_uuid"]
    assert payload["operator_id"] == desk.account("freelancer")["users"][0]["user_id"]
    assert payload["is_original_host"] is True
    assert payload["server_urls"].startswith(desk.ready["rtms_url"])
    assert why(desk) == "every link holds"


def test_no_trigger_no_stream(desk: Desk) -> None:
    """Where auto-start is not set, nothing starts, and nothing was attempted by REST either."""
    desk.install("external-free")
    assert desk.meeting("external-free")["streams"] == []
    assert why(desk) == "auto-start is not set for this app"
    assert desk.meeting("external-free", "none")["streams"] == []
    assert desk.state()["streams"] == []


def test_starter_without_install(desk: Desk) -> None:
    """Without an install the start is silent, even by REST of somebody else's token."""
    assert desk.meeting("freelancer")["streams"] == []
    assert why(desk) == "the starter has not installed this app"
    answer = desk.rest_start(desk.auditor("customer"), desk.meeting("customer", "none")["meeting_id"])
    assert outcome(answer) == (204, None)
    assert why(desk) == "the starter has not installed this app"


def test_each_environment_has_its_own_stream(desk: Desk) -> None:
    """Where both environments are installed, one meeting brings two streams of different client ids."""
    desk.install("developer", "production")
    desk.install("developer", "development")
    body = {"account": "developer", "trigger": "auto-start"}
    streams = desk.http.post(desk.ready["control_url"] + "/meetings", json=body).json()["streams"]
    assert len({stream["rtms_stream_id"] for stream in streams}) == 2
    assert {s["client_id"] for s in desk.state()["streams"]} == {
        desk.pair("production")["client_id"],
        desk.pair("development")["client_id"],
    }


@pytest.mark.parametrize(
    ("scenario", "account", "answer", "reason"),
    [
        ("seed", "cautious", (403, 13262), "the app is not on the account's list"),
        ("sharing-off", "closed", (400, 13267), "sharing realtime content with apps is off"),
        ("sharing-off", "picky", (403, 13262), "the app is not on the account's list"),
        ("no-developer-pack", "customer", (400, 2310), "the app owner's Developer Pack is none"),
        ("trial-ended", "customer", (400, 2310), "the app owner's Developer Pack is expired"),
        ("host-decides", "asking", (400, 2309), "the host has not answered the request"),
        ("unverified-and-old", "unverified", (403, 2308), "the starter's account is not verified"),
        ("unverified-and-old", "old-clients", (204, None), "the Zoom client of old-clients is older than 6.5.5"),
        ("scopes-missing", "no-event", (204, None), "the grant lacks the scope for the started event"),
    ],
)
def test_broken_link_shows_its_symptom(
    desk_for: Callable[[str], Desk], scenario: str, account: str, answer: tuple[int, int | None], reason: str
) -> None:
    """By REST each broken link gives the documented code; by auto-start the same link gives silence."""
    desk = desk_for(scenario)
    assert rest(desk, account) == answer
    assert why(desk) == reason
    desk.meeting(account)
    assert [s for s in desk.state()["streams"] if s["account"] == account] == []


def test_13262_names_the_client_id(desk: Desk) -> None:
    """The message of 13262 quotes the client id that is not listed; an unknown id is not listed either."""
    token = desk.install("cautious")["access_token"]
    meeting = desk.meeting("cautious", "none")["meeting_id"]
    message = desk.rest_start(token, meeting).json()["message"]
    assert f"'{desk.pair()['client_id']}'" in message
    assert "Allow apps to access meeting content" in message
    answer = desk.rest_start(token, meeting, client_id="unheard-of")
    assert outcome(answer) == (403, 13262)


def test_rtms_not_enabled_for_the_app(desk: Desk) -> None:
    """An app id that Zoom has not enabled is 2310 too."""
    desk.order("/apps/notes", rtms_enabled=False)
    assert rest(desk, "customer") == (400, 2310)
    assert why(desk) == "RTMS is not enabled for the app"


def test_rest_start_needs_its_scope(desk_for: Callable[[str], Desk]) -> None:
    """Without the control scope the call is 400/4711 and names it."""
    desk = desk_for("scopes-missing")
    token = desk.install("no-control")["access_token"]
    answer = desk.rest_start(token, desk.meeting("no-control", "none")["meeting_id"])
    assert outcome(answer) == (400, 4711)
    assert "meeting:update:participant_rtms_app_status" in answer.json()["message"]


def test_trial_ended_event_has_no_address(desk_for: Callable[[str], Desk]) -> None:
    """After the trial, auto-start sends a started event without stream and address; no stream exists."""
    desk = desk_for("trial-ended")
    desk.order("/settings", webhook_url="http://127.0.0.1:9/none")
    desk.install("customer")
    assert desk.meeting("customer")["streams"] == []
    event = desk.eventually(lambda: [d for d in desk.state()["deliveries"] if d["event"] == "meeting.rtms_started"])[0]
    assert "server_urls" not in event["body"]["payload"]
    assert desk.state()["streams"] == []


def test_waiting_meeting_then_none(desk: Desk) -> None:
    """A meeting that has not begun is 3000, one that never was is 3001."""
    token = desk.install("customer")["access_token"]
    waiting = desk.meeting("customer", "rest", waiting=True)
    assert waiting["rest"] == {"status": 400, "body": {"code": 3000, "message": "Meeting has not started."}}
    assert outcome(desk.rest_start(token, waiting["meeting_id"])) == (400, 3000)
    assert outcome(desk.rest_start(token, 12345)) == (404, 3001)


@pytest.mark.parametrize(
    ("role", "answer"),
    [("alternative-host", (204, None)), ("invited", (204, None)), ("guest", (403, 2308))],
)
def test_who_may_start_in_anothers_meeting(desk: Desk, role: str, answer: tuple[int, int | None]) -> None:
    """Alternative hosts and invited participants may start; somebody who came by the link may not."""
    token = desk.install("customer")["access_token"]
    meeting = desk.meeting("customer", "none", host="freelancer", role=role)
    assert outcome(desk.rest_start(token, meeting["meeting_id"])) == answer


def test_host_organisation_keeps_outside_apps_out(desk_for: Callable[[str], Desk]) -> None:
    """A strict host organisation refuses an invited participant's app."""
    desk = desk_for("host-decides")
    token = desk.install("guest")["access_token"]
    meeting = desk.meeting("guest", "none", host="strict", role="invited")
    assert outcome(desk.rest_start(token, meeting["meeting_id"])) == (403, 2308)
    assert why(desk) == "the host's organisation does not allow outside apps"


def test_host_approves(desk_for: Callable[[str], Desk]) -> None:
    """A start that waits for the host begins once the host approves."""
    desk = desk_for("host-decides")
    desk.install("asking")
    meeting = desk.meeting("asking")
    assert meeting["streams"] == []
    approved = desk.order(f"/meetings/{meeting['meeting_id']}/approval", answer="approved")
    assert len(approved["streams"]) == 1


def test_host_denies(desk_for: Callable[[str], Desk]) -> None:
    """After a denial nothing starts, and a further start by REST is accepted and silent."""
    desk = desk_for("host-decides")
    token = desk.install("asking")["access_token"]
    meeting = desk.meeting("asking")
    denied = desk.order(f"/meetings/{meeting['meeting_id']}/approval", answer="denied")
    assert denied["streams"] == []
    assert outcome(desk.rest_start(token, meeting["meeting_id"])) == (204, None)
    assert why(desk) == "the host denied the request"


@pytest.mark.parametrize("kind", ["breakout", "practice-session", "e2ee"])
def test_kinds_of_meeting_that_cannot_stream(desk: Desk, kind: str) -> None:
    """Breakout rooms, practice sessions and end-to-end encrypted meetings are 13273."""
    desk.install("customer")
    answer = desk.meeting("customer", "rest", kind=kind)["rest"]
    assert (answer["status"], answer["body"]["code"]) == (403, 13273)


def test_participants_named_in_the_call(desk: Desk) -> None:
    """An account's token names the participant; an unknown one is 2312, a stranger to the caller 2308."""
    user = desk.account("customer")["users"][0]["user_id"]
    token = desk.install("customer")["access_token"]
    meeting = desk.meeting("customer", "none")["meeting_id"]
    stranger = desk.account("developer")["users"][0]["user_id"]
    assert outcome(desk.rest_start(token, meeting, participant_user_id="nobody")) == (400, 2312)
    assert outcome(desk.rest_start(token, meeting, participant_user_id=stranger)) == (403, 2308)
    answer = desk.rest_start(desk.auditor("customer"), meeting, participant_user_id=user)
    assert outcome(answer) == (204, None)
    assert len(desk.state()["streams"]) == 1


def test_second_start_is_no_second_stream(desk: Desk) -> None:
    """Starting what runs already is accepted and changes nothing."""
    token = desk.install("customer")["access_token"]
    meeting = desk.meeting("customer")
    assert outcome(desk.rest_start(token, meeting["meeting_id"])) == (204, None)
    assert len(desk.state()["streams"]) == 1


def test_pause_resume_and_stop_by_rest(desk: Desk) -> None:
    """A running stream can be paused, resumed and stopped (reason 2); without one it is 13277."""
    token = desk.install("customer")["access_token"]
    meeting = desk.meeting("customer")
    stream_id = meeting["streams"][0]["rtms_stream_id"]
    states = []
    for action in ("pause", "resume", "stop"):
        assert outcome(desk.rest_start(token, meeting["meeting_id"], action=action)) == (204, None)
        states.append(desk.stream(stream_id)["session_state"])
    assert states == ["paused", "resumed", "stopped"]
    assert desk.stream(stream_id)["stop_reason"] == 2
    answer = desk.rest_start(token, meeting["meeting_id"], action="pause")
    assert outcome(answer) == (400, 13277)
    assert "'pause'" in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"action":"start"}',
        b'{"action":"start","settings":{}}',
        b'{"action":"dance","settings":{"client_id":"x"}}',
        b'{"action":["start"],"settings":{"client_id":"x"}}',
        b'{"action":"start","settings":{"client_id":"x","participant_user_id":5}}',
    ],
)
def test_malformed_start(desk: Desk, body: bytes) -> None:
    """A body that is not what the address takes is 400/300."""
    token = desk.install("customer")["access_token"]
    meeting = desk.meeting("customer", "none")["meeting_id"]
    answer = desk.call(token, f"/live_meetings/{meeting}/rtms_app/status", "PATCH", content=body)
    assert outcome(answer) == (400, 300)


def test_concurrency(desk_for: Callable[[str], Desk]) -> None:
    """At the owner's limit no further stream starts, and the owner's app alone is told; near it there is a warning."""
    desk = desk_for("at-the-limit")
    desk.order("/settings", webhook_url="http://127.0.0.1:9/none")
    for account in ("developer", "one", "two"):
        desk.install(account)
    assert [len(desk.meeting(account)["streams"]) for account in ("developer", "one", "two")] == [1, 1, 0]
    assert why(desk) == "the app owner's account is at its limit of 2 streams"

    def told(event: str) -> list[Any]:
        return [d["body"]["payload"] for d in desk.state()["deliveries"] if d["event"] == event]

    near = desk.eventually(lambda: told("rtms.concurrency_near_limit"))
    assert near[0] == {"concurrency_limit": 2, "concurrency_number": 2, "percentage": 100}
    limited = desk.eventually(lambda: told("rtms.concurrency_limited"))
    assert limited[0]["concurrency_number"] == 3


def test_trial_runs_five_streams(desk: Desk) -> None:
    """A Developer Pack trial allows five streams at once."""
    desk.order("/accounts/developer", developer_pack="trial")
    desk.install("freelancer")
    assert [len(desk.meeting("freelancer")["streams"]) for _ in range(6)] == [1, 1, 1, 1, 1, 0]


def test_private_app_gives_nothing_outside(desk_for: Callable[[str], Desk]) -> None:
    """An install from before the app became private brings no stream outside the owner's account."""
    desk = desk_for("private-app")
    assert desk.meeting("earlier")["streams"] == []
    assert why(desk) == "the app is private and this is not its owner's account"


def test_two_apps_in_one_account(desk_for: Callable[[str], Desk]) -> None:
    """Each app's stream hangs on its own owner's entitlement."""
    desk = desk_for("two-apps")
    body = {"account": "customer", "environment": "production", "trigger": "auto-start"}
    desk.http.post(desk.ready["control_url"] + "/meetings", json=body)
    assert [stream["app"] for stream in desk.state()["streams"]] == ["notes"]
    desk.order("/accounts/rival", developer_pack="active")
    desk.http.post(desk.ready["control_url"] + "/meetings", json=body)
    assert [stream["app"] for stream in desk.state()["streams"]] == ["notes", "notes", "coach"]


def test_webinar_events_have_their_own_names(desk_for: Callable[[str], Desk]) -> None:
    """A webinar's stream is told with webinar names, and its media hang on the webinar scopes."""
    desk = desk_for(
        """
title: webinar
apps:
  - name: notes
    owner: dev
    scopes: [rtms:read, "webinar:read:webinar_audio"]
    events: [webinar.rtms_started]
accounts: [{label: dev, plan: pro, developer_pack: active, auto_start: all, users: [{email: a@example.com}]}]
settings: {webhook_url: "http://127.0.0.1:9/none"}
"""
    )
    desk.install("dev")
    (payload,) = desk.meeting("dev", kind="webinar")["streams"]
    assert "webinar_uuid" in payload
    assert desk.stream(payload["rtms_stream_id"])["kinds"] == ["audio"]
    desk.eventually(lambda: [d["event"] for d in desk.state()["deliveries"]] == ["webinar.rtms_started"])
