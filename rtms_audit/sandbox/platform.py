"""All rooms of the look-alike together, and the meetings that take place there."""

import secrets
from collections.abc import Callable
from concurrent.futures import Executor

from rtms_audit.sandbox.answers import RefusedError, no_meeting
from rtms_audit.sandbox.clock import DrivenClock, Timers
from rtms_audit.sandbox.faults import Faults
from rtms_audit.sandbox.limits import Limiter
from rtms_audit.sandbox.physics import Physics
from rtms_audit.sandbox.post import post
from rtms_audit.sandbox.scenario import MeetingSpec, Scenario
from rtms_audit.sandbox.stream import StopReason, Stream, StreamKeeper
from rtms_audit.sandbox.tokens import TokenBook
from rtms_audit.sandbox.webhooks import Courier, Poster
from rtms_audit.sandbox.world import Account, AppEnvironment, CallLogEntry, Grant, Meeting, User, World


class Platform:
    """One world with everything that acts in it; a reset builds a new one."""

    def __init__(
        self,
        scenario: Scenario,
        clock: DrivenClock,
        timers: Timers,
        executor: Executor,
        *,
        token_urlsafe: Callable[[int], str] = secrets.token_urlsafe,
        poster: Poster = post,
    ) -> None:
        self.world = World(scenario, clock, timers, token_urlsafe=token_urlsafe)
        self.book = TokenBook(self.world)
        self.limiter = Limiter(self.world)
        self.courier = Courier(self.world, executor, poster=poster)
        self.keeper = StreamKeeper(self.world, self.courier)
        self.physics = Physics(self.world, self.keeper, self.courier)
        self.faults = Faults.read(scenario.faults)

    def play(self) -> None:
        """Begin the story: validate webhook addresses and let the scripted meetings come."""
        for client in self.world.environments():
            self.courier.validate(client)
        for spec in self.world.scenario.meetings:
            self.world.timers.after(spec.after, lambda spec=spec: self._scripted(spec))  # type: ignore[misc]

    def _scripted(self, spec: MeetingSpec) -> None:
        self.open_meeting(spec)

    def stop(self) -> None:
        """End everything that is under way."""
        for stream in list(self.world.streams.values()):
            self.keeper.stop(stream, StopReason.MEETING_ENDED)
        self.courier.stop()

    # -- meetings ------------------------------------------------------------------------------------------------------

    def open_meeting(self, spec: MeetingSpec) -> tuple[Meeting, RefusedError | None]:
        """Begin a meeting and pull its trigger; a refused REST start comes back beside the meeting."""
        meeting, operator = self._new_meeting(spec)
        if spec.minutes is not None:
            self.world.timers.after(spec.minutes * 60, lambda: self.end_meeting(meeting))
        if meeting.status == "started":
            self._tell_meeting(meeting, "meeting.started")
        clients = self._clients(spec)
        if spec.trigger == "auto-start" and meeting.status == "started":
            for client in clients:
                self.physics.auto_start(meeting, client, operator)
        if spec.trigger == "rest" and clients:
            return meeting, self._start_by_rest(meeting, clients[0], operator)
        return meeting, None

    def _new_meeting(self, spec: MeetingSpec) -> tuple[Meeting, User]:
        world = self.world
        operator = world.accounts[spec.account].users[0]
        host = world.accounts[spec.host].users[0] if spec.host else operator
        number = world.ids.next_name("meeting")
        meeting = Meeting(
            world.ids.number("meeting", number),
            world.ids.meeting_uuid(number),
            host,
            spec.kind,
            "waiting" if spec.waiting else "started",
            world.clock.wall(),
            present=[] if spec.waiting else list(dict.fromkeys([host, operator])),
        )
        role = {"alternative-host": meeting.alternative_hosts, "invited": meeting.invited, "guest": meeting.guests}
        if operator is not host:
            role.get(spec.role, meeting.guests).append(operator)
        world.meetings[meeting.meeting_id] = meeting
        return meeting, operator

    def _clients(self, spec: MeetingSpec) -> list[AppEnvironment]:
        return [
            client
            for client in self.world.environments()
            if spec.environment in (None, client.name) and spec.app in (None, client.app.spec.name)
        ]

    def _start_by_rest(self, meeting: Meeting, client: AppEnvironment, operator: User) -> RefusedError | None:
        """Do what the app's backend would do with `PATCH …/rtms_app/status`, and log it as such a call."""
        refused: RefusedError | None = None
        try:
            if meeting.status != "started":
                raise RefusedError(400, 3000, "Meeting has not started.")
            self.physics.rest_start(meeting, client.client_id, operator)
        except RefusedError as error:
            refused = error
        status = refused.answer.status if refused else 204
        pattern = "/v2/live_meetings/{meetingId}/rtms_app/status"
        now = self.world.clock.wall()
        self.world.call_log.append(
            CallLogEntry(client.client_id, pattern, "PATCH", status, now, secrets.token_hex(16), 0)
        )
        return refused

    def end_meeting(self, meeting: Meeting) -> None:
        """End a meeting and every stream of it."""
        if meeting.status == "ended":
            return
        meeting.status = "ended"
        for stream in self.streams_of(meeting):
            self.keeper.stop(stream, StopReason.MEETING_ENDED)
        self._tell_meeting(meeting, "meeting.ended")

    def streams_of(self, meeting: Meeting) -> list[Stream]:
        """Return every stream the meeting has had."""
        return [stream for stream in self.world.streams.values() if stream.meeting is meeting]

    def _tell_meeting(self, meeting: Meeting, event: str) -> None:
        for client in self.world.environments():
            if self.world.live_grant(client, meeting.host) is not None:
                payload = {"account_id": meeting.host.account.account_id, "object": _meeting_object(meeting)}
                self.courier.send(client, event, payload, user_id=meeting.host.user_id, order=meeting.uuid)

    def current_meeting(self, name: str) -> Meeting:
        """Return the meeting with this id or uuid that waits or runs; 404/3001 otherwise."""
        for meeting in self.world.meetings.values():
            if name in (str(meeting.meeting_id), meeting.uuid) and meeting.status != "ended":
                return meeting
        raise no_meeting(name)

    def past_meeting(self, name: str, account: Account) -> Meeting:
        """Return an ended meeting of this account."""
        for meeting in self.world.meetings.values():
            same = name in (str(meeting.meeting_id), meeting.uuid) and meeting.host.account is account
            if same and meeting.status == "ended":
                return meeting
        raise no_meeting(name)

    # -- installs ------------------------------------------------------------------------------------------------------

    def remove_install(self, client: AppEnvironment, user: User) -> Grant | None:
        """Remove the app for a user: tokens die; a shared app hears `app_deauthorized`, a private one does not."""
        grant = self.world.live_grant(client, user)
        if grant is None:
            return None
        grant.dead_code = 4737
        if client.is_public:
            now = self.world.clock.wall()
            payload: dict[str, object] = {
                "account_id": user.account.account_id,
                "user_id": user.user_id,
                "signature": self.world.ids.stream_id(grant.grant_id),
                "deauthorization_time": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "client_id": client.client_id,
                "event_ts": now.strftime("%Y-%m-%d %H:%M:%S"),
            }
            self.courier.send(client, "app_deauthorized", payload, user_id=user.user_id)
        return grant


def _meeting_object(meeting: Meeting) -> dict[str, object]:
    return {
        "uuid": meeting.uuid,
        "id": str(meeting.meeting_id),
        "host_id": meeting.host.user_id,
        "topic": f"{meeting.host.display_name}'s meeting",
        "type": 2,
        "start_time": meeting.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timezone": "UTC",
        "duration": 60,
    }
