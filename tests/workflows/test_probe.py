"""Probing: what blocks is said, each step is kept, a mix-up is shown, and what was started is stopped."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from rtms_audit.core.model import Environment, InstallKey, Kind, Observation, Plan
from rtms_audit.errors import UserError, ZoomError
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.probe import ProbePlan, Prober, Step
from rtms_audit.workflows.watch import Watch, listening
from rtms_audit.zoom import rtms_plan
from rtms_audit.zoom.calls import REQUIRED
from rtms_audit.zoom.rtms_messages import Medium

PATH = "PATCH /live_meetings/811/rtms_app/status"
SCOPES = tuple(need.scope for need in REQUIRED)


def started(
    world: Any, *, stream: str = "s1", urls: str = "wss://x", event: str = "meeting.rtms_started", **more: object
) -> None:
    """Let an event arrive in the store, as `serve` keeps it."""
    payload = {"meeting_id": "811", "meeting_uuid": "uuid==", "rtms_stream_id": stream, "server_urls": urls, **more}
    body = {"event": event, "event_ts": int(world.clock().timestamp() * 1000), "payload": payload}
    seen = Observation(
        kind=Kind.WEBHOOK, at=world.clock(), install=world.key, raw=json.dumps(body).encode(),
        fields={"body": body, "signature": "verified"},
    )  # fmt: skip
    world.store.append(app="notes", observations=[seen])


def joiner(*right: str) -> tuple[list[str], Any]:
    """Make a way to join that accepts some client ids, and note who tried."""
    tried: list[str] = []

    def join(plan: rtms_plan.JoinPlan, *, clock: Callable[[], datetime]) -> rtms_plan.JoinResult:
        tried.append(plan.client_id)
        good = plan.client_id in right
        fields = {"socket": "signaling", "request": {"client_id": plan.client_id}}
        return rtms_plan.JoinResult(
            steps=[rtms_plan.Step(clock(), Kind.HANDSHAKE, fields)],
            signaled=good, signaling_status=0 if good else 3, accepted=(Medium.AUDIO,) if good else (),
            without_address=(Medium.TRANSCRIPT,) if good else (), keep_alives=2,
            media={Medium.AUDIO: rtms_plan.MediaCount(clock())} if good else {},
        )  # fmt: skip

    return tried, join


def probe(world: Any, join: Any = None, **more: Any) -> list[Step]:
    """Run a probe of meeting 811."""
    plan = ProbePlan(app=None, key=world.key, meeting="811", **{"deadline": 2.0, **more})
    return list(Prober(world.services, plan, owner="me", join=join or joiner("PRODID")[1]).run())


def accepting(world: Any) -> None:
    """Let Zoom accept starts and send the event."""
    world.zoom.rest["/meetings/811"] = (200, {"status": "started"})

    def answer(_token: str, body: Any) -> tuple[int, object]:
        if body["action"] == "start":
            started(world)
        return 204, None

    world.zoom.rest[PATH] = answer


def names(steps: list[Step]) -> dict[str, bool | None]:
    """Give each step's name and how it went."""
    return {step.name: step.good for step in steps}


def test_a_good_install_is_started_joined_and_stopped(world: Any) -> None:
    """Every step is good, and every exchange is kept."""
    world.grant(scopes=SCOPES)
    accepting(world)
    steps = probe(world)
    assert names(steps) == {
        "scopes": True, "listener": None, "meeting": True, "start": True, "event": True, "join as production": True,
        "stop": True,
    }  # fmt: skip
    assert "no address for transcript" in steps[5].text
    assert [one["request"]["body"]["action"] for one in world.seen("rest") if "body" in one["request"]] == [
        "start", "stop",
    ]  # fmt: skip
    _answered, untried = world.seen("handshake")
    assert (untried["request"], untried["error"]) == ({"media_type": 8}, "no address in the signaling answer")


def test_a_mix_up_is_shown_by_joining_with_the_other_pair(world: Any) -> None:
    """The own pair is refused and the other accepted: that is proof."""
    world.grant(scopes=SCOPES)
    accepting(world)
    tried, join = joiner("DEVID")
    steps = probe(world, join, try_other=True)
    assert tried == ["PRODID", "DEVID"]
    assert "status 3" in steps[5].text
    assert "the pairs are mixed up" in steps[6].text
    assert steps[6].good is False


def test_the_other_pair_is_tried_only_when_asked(world: Any) -> None:
    """Without the option a refusal is the end; a refused other pair shows no mix-up."""
    world.grant(scopes=SCOPES)
    accepting(world)
    tried, join = joiner()
    probe(world, join)
    assert tried == ["PRODID"]
    steps = probe(world, join, try_other=True, take_over=True)
    assert not any("mixed up" in step.text for step in steps)


def test_a_refused_start_is_the_end_and_stops_nothing(world: Any) -> None:
    """Zoom's code and words stand in the step."""
    world.grant()
    world.zoom.rest[PATH] = (403, {"code": 13262, "message": "The app is not authorized"})
    steps = probe(world)
    assert names(steps)["start"] is False
    assert "code 13262: The app is not authorized" in steps[-1].text
    assert names(steps)["scopes"] is None, "the token answer named no scopes"


def test_missing_scopes_are_said_before_anything_is_started(world: Any) -> None:
    """What blocks already is the first step."""
    world.grant(scopes=("user:read:user",))
    steps = probe(world, dry_run=True)
    assert names(steps)["scopes"] is False
    assert world.zoom.calls == []


def test_a_dry_run_only_tells(world: Any) -> None:
    """The calls are named, none is made."""
    world.grant(scopes=SCOPES)
    text = " ".join(step.text for step in probe(world, dry_run=True, try_other=True))
    assert "would call PATCH /live_meetings/811/rtms_app/status" in text
    assert "then with the other pair" in text
    assert world.zoom.calls == []


def test_no_event_is_told_apart_by_whether_somebody_listened(world: Any) -> None:
    """Absence means something only if the listener took other events meanwhile."""
    world.grant(scopes=SCOPES)
    world.zoom.rest["/meetings/811"] = (200, {"status": "started"})
    world.zoom.rest[PATH] = (204, None)
    assert names(probe(world))["event"] is None
    assert world.seen("watch") == []

    def other_event(_token: str, body: Any) -> tuple[int, object]:
        if body["action"] == "start":
            started(world, event="meeting.started")
        return 204, None

    world.zoom.rest[PATH] = other_event
    assert names(probe(world))["event"] is False
    assert world.seen("watch")[0]["events"] == []


def test_an_event_without_address_is_not_joined(world: Any) -> None:
    """A trial that ended sends such events."""
    world.grant(scopes=SCOPES)

    def answer(_token: str, body: Any) -> tuple[int, object]:
        started(world, urls="")
        return 204, None

    world.zoom.rest[PATH] = answer
    tried, join = joiner("PRODID")
    assert names(probe(world, join))["event"] is False
    assert tried == []


def test_a_stream_that_runs_already_is_left_alone_unless_told(world: Any) -> None:
    """A second connection may end the first; taking over neither starts nor stops anything."""
    world.grant(scopes=SCOPES)
    started(world)
    world.zoom.rest[PATH] = (400, {"code": 10308, "message": "already running"})
    tried, join = joiner("PRODID")
    steps = probe(world, join)
    assert "--take-over" in steps[-1].text
    assert tried == []
    assert not any(name.startswith("PATCH") for name, _ in world.zoom.calls)
    assert names(probe(world, join, take_over=True))["join as production"] is True
    assert "stop" not in names(probe(world, join, take_over=True))


def test_a_stream_that_ended_counts_no_longer(world: Any) -> None:
    """A stopped event closes it."""
    world.grant(scopes=SCOPES)
    started(world)
    started(world, event="meeting.rtms_stopped")
    accepting(world)
    assert names(probe(world))["start"] is True


def test_a_token_that_expires_on_the_way_is_renewed(world: Any) -> None:
    """401 leads to one refresh."""
    world.grant(scopes=SCOPES)
    accepting(world)
    world.zoom.rest["/meetings/811"] = lambda token, _body: (
        (401, {"code": 124, "message": "expired"}) if token == "access-0" else (200, {"status": "started"})
    )
    steps = probe(world)
    assert steps[2].text == "the meeting is started"
    assert ("refresh_token", "refresh-0") in world.zoom.calls


def test_a_stop_that_is_refused_is_told(world: Any) -> None:
    """What could not be stopped is not called stopped."""
    world.grant(scopes=SCOPES)

    def answer(_token: str, body: Any) -> tuple[int, object]:
        if body["action"] == "start":
            started(world)
            return 204, None
        return 400, {"code": 13277, "message": "not started"}

    world.zoom.rest[PATH] = answer
    assert "13277" in probe(world)[-1].text


def test_an_install_without_a_live_grant_cannot_be_probed(world: Any) -> None:
    """The sentence says why, the next step how to mend it."""
    with pytest.raises(UserError, match="not installed"):
        probe(world)
    grant = world.grant()
    world.store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason="removed")
    with pytest.raises(UserError, match="revoked: removed"):
        probe(world)


def test_an_unregistered_other_pair_is_said(world: Any) -> None:
    """There is nothing to try with."""
    world.store.put_app(
        app="single", environment=Environment.PRODUCTION, client_id="ONLY",
        client_secret=world.store.credentials(app="notes", environment=Environment.PRODUCTION).client_secret,
    )  # fmt: skip
    world.store.add_grant(
        app="single", environment=Environment.PRODUCTION, account="dev-co", client_id="ONLY", user_id=None, email=None,
        zoom_account_id=None, scopes=(), api_url=None, tokens=world.store.tokens(grant_id=world.grant().id),
    )  # fmt: skip
    body = {"event": "meeting.rtms_started", "payload": {"rtms_stream_id": "s", "server_urls": "wss://x"}}
    seen = Observation(
        kind=Kind.WEBHOOK, at=world.clock(), install=InstallKey("dev-co", Environment.PRODUCTION),
        raw=json.dumps(body).encode(), fields={"body": body, "signature": "verified"},
    )  # fmt: skip
    world.store.append(app="single", observations=[seen])
    world.zoom.rest[PATH] = (204, None)
    plan = ProbePlan(app="single", key=world.key, meeting="811", try_other=True, take_over=True)
    steps = list(Prober(world.services, plan, owner="me", join=joiner()[1]).run())
    assert "the development pair is not registered" in steps[-1].text


def test_every_medium_is_asked_for_alone_and_its_first_message_kept(world: Any) -> None:
    """Five media are asked for, and those that came are a fact of the install with the time of the first message."""
    world.grant(scopes=SCOPES)
    accepting(world)
    asked: list[tuple[Medium, ...]] = []
    _, join = joiner("PRODID")

    def noting(plan: rtms_plan.JoinPlan, *, clock: Callable[[], datetime]) -> rtms_plan.JoinResult:
        asked.append(plan.media)
        result: rtms_plan.JoinResult = join(plan, clock=clock)
        return result

    probe(world, noting)
    assert asked == [(Medium.AUDIO, Medium.VIDEO, Medium.DESKSHARE, Medium.TRANSCRIPT, Medium.CHAT)]
    (heard,) = world.seen("statement")
    assert (heard["about"], heard["value"]) == ("media.kinds_received", ["audio"])
    assert "audio: 1, the first at 12:00:00" in heard["note"]


def test_a_participant_can_be_named(world: Any) -> None:
    """The start is asked for in the name of somebody else than the install's user; the dry run says so too."""
    world.grant(scopes=SCOPES)
    accepting(world)
    probe(world, participant="user-9")
    started_with = world.seen("rest")[1]["request"]["body"]["settings"]
    assert started_with == {"client_id": "PRODID", "participant_user_id": "user-9"}
    assert "for participant user-9" in " ".join(step.text for step in probe(world, participant="user-9", dry_run=True))


@pytest.mark.parametrize(
    ("host", "words"),
    [("user-1", "this user's own"), ("somebody", "alternative host or invited participant"), (None, "is started")],
)
def test_whose_meeting_it_is_is_said_before_the_start(world: Any, host: str | None, words: str) -> None:
    """Whoever starts in somebody else's meeting must have joined it."""
    world.grant(scopes=SCOPES)
    accepting(world)
    world.zoom.rest["/meetings/811"] = (200, {"status": "started", "host_id": host})
    meeting = next(step for step in probe(world) if step.name == "meeting")
    assert words in meeting.text


def test_what_the_evidence_already_names_is_said_before_the_start(world: Any) -> None:
    """An earlier refusal is quoted, also in a dry run, and keeps nobody from trying again."""
    world.grant(scopes=SCOPES)
    body = {"action": "start", "settings": {"client_id": "PRODID"}}
    request = {"method": "PATCH", "path": "/v2/live_meetings/811/rtms_app/status", "body": body}
    answer = {"status": 400, "body": {"code": 13267, "message": "RTMS app access has been disabled."}}
    seen = Observation(
        kind=Kind.REST, at=world.clock(), install=world.key, fields={"request": request, "response": answer}
    )
    world.store.append(app="notes", observations=[seen])
    known = next(step for step in probe(world, dry_run=True) if step.name == "known")
    assert known.good is None
    assert "sharing-off (likely)" in known.text


def listened(world: Any, *, reached: bool) -> Watch:
    """Let a listener be up, which Zoom has reached for production or not."""
    if reached:
        body = {"event": "endpoint.url_validation"}
        fields = {"body": body, "signature": "verified", "verified_with": "production"}
        world.store.append(app="notes", observations=[Observation(kind=Kind.WEBHOOK, at=world.clock(), fields=fields)])
    watch = Watch(world.services, apps=("notes",))
    watch.start()
    return watch


@pytest.mark.parametrize(("reached", "good"), [(True, True), (False, None)])
def test_a_listener_that_is_up_is_seen_in_the_store(world: Any, reached: bool, good: bool | None) -> None:
    """A listener that Zoom has reached lately makes silence mean something; one that it has not does not."""
    world.grant(scopes=SCOPES)
    world.zoom.rest["/meetings/811"] = (200, {"status": "started"})
    world.zoom.rest[PATH] = (204, None)
    world.clock.now += timedelta(hours=1)
    watch = listened(world, reached=reached)
    world.clock.now += timedelta(seconds=10)
    found = names(probe(world))
    watch.close()
    assert (found["listener"], found["event"]) == (good, False if reached else None)
    windows = [window for window in world.seen("watch") if "meeting_started" in window]
    assert [window["meeting_started"] for window in windows] == ([True] if reached else [])


def test_a_listener_that_closed_or_crashed_is_up_no_longer(world: Any) -> None:
    """It gives its lease back, and a lease that nobody renews ends by itself."""
    first, second = listened(world, reached=True), Watch(world.services, apps=("notes",))
    second.start()
    first.close()
    assert not world.store.is_leased(listening("notes"))
    second.close()
    listened(world, reached=True)
    assert world.store.is_leased(listening("notes"))
    world.clock.now += timedelta(minutes=2)
    assert not world.store.is_leased(listening("notes"))


def test_what_was_started_is_stopped_when_the_reader_goes_away(world: Any) -> None:
    """A closed pipe or Ctrl-C leaves no stream behind."""
    world.grant(scopes=SCOPES)
    accepting(world)
    plan = ProbePlan(app=None, key=world.key, meeting="811", deadline=2.0)
    steps = Prober(world.services, plan, owner="me", join=joiner("PRODID")[1]).run()
    while next(steps).name != "start":
        pass
    steps.close()  # type: ignore[attr-defined]  # it is a generator
    assert world.seen("rest")[-1]["request"]["body"]["action"] == "stop"


def test_a_stream_that_ended_while_staying_and_media_refused_are_told(world: Any) -> None:
    """Signaling alone is no join, and the reason of an end is said."""
    world.grant(scopes=SCOPES)
    accepting(world)

    def join(plan: rtms_plan.JoinPlan, *, clock: Callable[[], datetime]) -> rtms_plan.JoinResult:
        told = rtms_plan.Step(clock(), Kind.SDK, {"sdk": "rtms-python", "callback": "onJoinConfirm", "reason": 14})
        return rtms_plan.JoinResult(steps=[told], signaled=True, end=rtms_plan.StreamEnd(clock(), 16))

    step = next(step for step in probe(world, join) if step.name == "join as production")
    assert step.good is False
    assert step.text == (
        "signaling was accepted, no medium was; media received: none; the stream ended with reason 16; "
        "the SDK said onJoinConfirm 14"
    )


def test_a_medium_that_nobody_granted_is_not_missed(world: Any) -> None:
    """What no account granted the app does not ask for; what another account granted it does."""
    world.grant(scopes=tuple(scope for scope in SCOPES if "transcript" not in scope))
    accepting(world)
    probe(world)
    assert len(world.seen("handshake")) == 1
    world.store.put_account(label="other", expected_plan=Plan.FREE)
    world.grant(key=InstallKey("other", Environment.PRODUCTION), scopes=SCOPES)
    probe(world, take_over=True)
    assert len(world.seen("handshake")) == 3


def test_a_refused_handshake_is_given_time_to_say_why(world: Any) -> None:
    """Zoom's stop reason comes after a moment; the stream has then ended and is not stopped by us."""
    world.grant(scopes=SCOPES)
    accepting(world)

    def refused(plan: rtms_plan.JoinPlan, *, clock: Callable[[], datetime]) -> rtms_plan.JoinResult:
        started(world, event="meeting.rtms_stopped", stop_reason=18)
        return rtms_plan.JoinResult()

    steps = probe(world, refused)
    assert steps[-1] == Step("end", False, "Zoom stopped the stream with reason 18")
    assert world.seen("rest")[-1]["request"]["body"]["action"] == "start"


@pytest.mark.parametrize("path", ["/meetings/811", PATH])
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(None, None, "not reached: ConnectTimeout"), (200, b"<html>Sign in</html>", "an HTML page came")],
)
def test_what_zoom_itself_did_not_answer_ends_the_probe(
    world: Any, path: str, status: int | None, body: bytes | None, said: str
) -> None:
    """A closed port or a login page says nothing of the install; nothing is awaited and nothing stopped."""
    world.grant(scopes=SCOPES)
    world.zoom.rest[path] = (status, body)
    with pytest.raises(ZoomError, match=said):
        probe(world)
    assert len([name for name, _ in world.zoom.calls if name.startswith("PATCH")]) == (path == PATH)


@pytest.mark.parametrize(
    "answer",
    [
        (404, {"code": 3001, "message": "Meeting does not exist: 811."}),
        (200, {"status": "waiting", "host_id": "user-1"}),
    ],
)
def test_nothing_is_sent_into_a_meeting_that_does_not_run(world: Any, answer: tuple[int, object]) -> None:
    """A mistyped number must not leave a refusal that says nothing of the install."""
    world.grant(scopes=SCOPES)
    world.zoom.rest["/meetings/811"] = answer
    steps = probe(world)
    assert (steps[-1].name, steps[-1].good) == ("meeting", None)
    assert "give the number of a meeting that runs now" in steps[-1].text
    assert [one["request"]["method"] for one in world.seen("rest")] == ["GET"]
