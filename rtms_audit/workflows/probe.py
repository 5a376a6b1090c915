"""Starting RTMS in one meeting and doing every step of it ourselves, so that the link that breaks is seen.

REST start, the started event in the store, the signaling and media handshakes with the install's own pair, and, where
they are refused and it was asked for, with the other environment's pair: then a mix-up is shown, not guessed. A second
connection may end the first one (zoom/skills rtms connection.md, 2026-07-13), so a stream that somebody else may hold
is not joined without being told to.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from rtms_audit.core.model import Environment, InstallKey, Kind, Observation
from rtms_audit.core.secret import Secret
from rtms_audit.errors import AuditError, UserError, ZoomError
from rtms_audit.store.records import AppCredentials, GrantRecord, GrantStatus
from rtms_audit.workflows import observe, probe_steps
from rtms_audit.workflows.collect import problem_of
from rtms_audit.workflows.probe_steps import Listener, Step
from rtms_audit.workflows.services import ApiClient, Services
from rtms_audit.workflows.tokens import TokenKeeper
from rtms_audit.zoom.calls import MEETING, RTMS_STATUS
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.rtms_messages import Medium
from rtms_audit.zoom.rtms_plan import JoinPlan, JoinResult
from rtms_audit.zoom.webhooks import Event, read_event

__all__ = ["EACH_MEDIUM", "EVENT_DEADLINE", "Joiner", "ProbePlan", "Prober", "Step"]

EVENT_DEADLINE = 60.0
"""Seconds to wait for the started event: a stream that nobody joins ends after as long (devforum.zoom.us/t/144332)."""

EACH_MEDIUM = (Medium.AUDIO, Medium.VIDEO, Medium.DESKSHARE, Medium.TRANSCRIPT, Medium.CHAT)
"""What is asked for, each on a socket of its own: combined masks are refused with status 14."""

END_DEADLINE = 3.0
"""Seconds to wait, after a refused handshake, for Zoom to stop the stream and say why: about 1 s was observed with
reason 18 (devforum.zoom.us/t/142247). A stop call of our own before that would hide the reason."""

SLACK = timedelta(seconds=5)
"""How much earlier than our call an event may be stamped and still belong to it."""

ALREADY_RUNNING = 10308

NOTHING_SENT = (
    "nothing was sent: give the number of a meeting that runs now; in a meeting of another account, which Zoom does "
    "not show, say in whose name to start with --participant"
)


class Joiner(Protocol):
    """Joins a stream, as `zoom.rtms_socket.join` and `zoom.sdk_join.join` do."""

    def __call__(self, plan: JoinPlan, *, clock: Callable[[], datetime]) -> JoinResult:
        """Do the handshakes of the plan and say what came of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePlan:
    """What to probe, and how far to go.

    `participant` is the user id in whose name to start, where it is not the install's own user. `stay` counts seconds
    in the stream, `deadline` seconds to wait for the started event. `take_over` joins a stream that was running
    before; `try_other` joins with the other environment's pair where the own one is refused.
    """

    app: str | None
    key: InstallKey
    meeting: str
    participant: str | None = None
    try_other: bool = False
    take_over: bool = False
    dry_run: bool = False
    stay: float = 0.0
    deadline: float = EVENT_DEADLINE
    media: tuple[Medium, ...] = EACH_MEDIUM
    ca_file: Path | None = None


@dataclass
class _Run:
    """What is known while a probe runs."""

    grant: GrantRecord
    api: ApiClient
    began: datetime
    listener: Listener
    started_by_us: bool = False
    meeting_runs: bool = False


class Prober:
    """Probes one install. Steps come out one by one; every exchange is kept as an observation."""

    def __init__(self, services: Services, plan: ProbePlan, *, owner: str, join: Joiner, poll: float = 0.25) -> None:
        self._services = services
        self._store = services.store
        self._plan = plan
        self._app = services.store.app(plan.app)
        self._keeper = TokenKeeper(services, owner=owner)
        self._join = join
        self._poll = poll

    def run(self) -> Iterator[Step]:
        """Do the probe. AuditError where it cannot go on (not installed, dead grant, Zoom itself does not answer).

        What was started is stopped also where whoever reads the steps goes away.
        """
        grant = self._grant()
        listener = self._listener()
        yield probe_steps.scopes_step(grant)
        yield listener.step
        yield from probe_steps.known_steps(self._store, self._app.name, self._plan.key)
        if self._plan.dry_run:
            yield from self._would_do()
            return
        run = _Run(grant, self._api(grant), self._services.clock(), listener)
        abandoned = False
        try:
            yield from self._steps(run)
        except GeneratorExit:
            abandoned = True
            raise
        finally:
            if run.started_by_us:
                stopped = self._stop(run)
                if not abandoned:
                    yield stopped

    def _steps(self, run: _Run) -> Iterator[Step]:
        meeting, runs = self._look_at_meeting(run)
        run.meeting_runs = runs is True
        if runs is False and self._running() is None and self._plan.participant is None:
            yield replace(meeting, text=f"{meeting.text}; {NOTHING_SENT}")
            return
        yield meeting
        start = self._start(run)
        yield start
        if start.good is not False:
            yield from self._follow(run)

    def _grant(self) -> GrantRecord:
        self._store.account(self._plan.key.account)
        key = self._plan.key
        grant = self._store.grant(app=self._app.name, environment=key.environment, account=key.account)
        if grant is None or grant.status is not GrantStatus.ACTIVE:
            state = f"{grant.status}: {grant.reason}" if grant else "not installed"
            raise UserError(
                f"{key} cannot be probed: it is {state}.",
                next_step=f"rtms-audit install {key.account} --environment {key.environment}",
            )
        return grant

    def _listener(self) -> Listener:
        environment = self._plan.key.environment
        return probe_steps.look_for_listener(self._store, self._app.name, environment, self._services.clock())

    def _would_do(self) -> Iterator[Step]:
        path = RTMS_STATUS.path_for(meeting_id=self._plan.meeting)
        named = f" for participant {self._plan.participant}" if self._plan.participant else ""
        yield Step("start", None, f"would call PATCH {path} with action start and client id {self._client_id()}{named}")
        yield Step("event", None, f"would wait {self._plan.deadline:g} s for meeting.rtms_started in the store")
        other = ", then with the other pair where it is refused" if self._plan.try_other else ""
        media = ", ".join(medium.key for medium in self._plan.media)
        yield Step("join", None, f"would join with the {self._plan.key.environment} pair{other}, each alone: {media}")
        yield Step("stop", None, "would stop what it started")

    def _client_id(self) -> str:
        return self._app.environments[self._plan.key.environment].client_id

    def _api(self, grant: GrantRecord) -> ApiClient:
        held = self._keeper.access(grant)

        def renewed() -> Secret:
            nonlocal held
            held = self._keeper.after_refusal(grant, held)
            return held

        return self._services.api(token=lambda: held, on_unauthorized=renewed, account=grant.account)

    def _look_at_meeting(self, run: _Run) -> tuple[Step, bool | None]:
        exchange = run.api.get(MEETING.path_for(meeting_id=self._plan.meeting))
        self._keep(observe.rest(exchange, install=self._plan.key))
        _need_answer(exchange)
        return probe_steps.meeting_step(exchange, run.grant.user_id)

    def _control(self, run: _Run, action: str) -> Exchange:
        settings = {"client_id": self._client_id()}
        if self._plan.participant:
            settings["participant_user_id"] = self._plan.participant
        body = {"action": action, "settings": settings}
        exchange = run.api.patch(RTMS_STATUS.path_for(meeting_id=self._plan.meeting), body)
        self._keep(observe.rest(exchange, install=self._plan.key))
        return exchange

    def _start(self, run: _Run) -> Step:
        before = self._running()
        if before is not None and not self._plan.take_over:
            return Step(
                "start",
                False,
                f"a stream of this install runs already ({before.stream_id}), and a second connection may end the "
                "first; --take-over joins it all the same",
            )
        if before is not None:  # it needs no start, and is not ours to stop
            return Step("start", None, f"a stream of this install runs already ({before.stream_id}); taking it over")
        exchange = self._control(run, "start")
        _need_answer(exchange)
        if exchange.ok:
            run.started_by_us = True
            return Step("start", True, f"Zoom accepted the start (HTTP {exchange.status}); that is no stream yet")
        refusal = exchange.refusal
        if refusal is not None and refusal.code == ALREADY_RUNNING and self._plan.take_over:
            return Step("start", None, "a stream runs already; taking it over")
        return Step("start", False, f"Zoom refused the start: {problem_of(exchange)}")

    def _running(self) -> Event | None:
        """Find a started event of this install and meeting that no stop has followed."""
        live: dict[str, Event] = {}
        for event in self._events():
            if event.stream_id is None:
                continue
            if event.name.endswith("rtms_started") and event.meeting_id in (None, self._plan.meeting):
                live[event.stream_id] = event
            elif event.name.endswith("rtms_stopped"):
                live.pop(event.stream_id, None)
        return next(reversed(live.values()), None)

    def _events(self) -> Iterator[Event]:
        key = self._plan.key
        for seen in self._store.observations(app=self._app.name, account=key.account, environment=key.environment):
            if seen.kind is Kind.WEBHOOK and seen.fields.get("signature") == "verified" and seen.raw is not None:
                event = read_event(seen.raw)
                if event is not None:
                    yield event

    def _follow(self, run: _Run) -> Iterator[Step]:
        event = self._await_started(run)
        if event is None:
            yield self._no_event(run)
            return
        address = "with" if event.addresses else "WITHOUT"
        yield Step("event", bool(event.addresses), f"{event.name} came {address} an address")
        if event.addresses:
            joined = yield from self._join_all(event)
            if not joined:
                yield from self._await_end(run, event)

    def _await_started(self, run: _Run) -> Event | None:
        deadline = self._services.clock() + timedelta(seconds=self._plan.deadline)
        while True:
            found = self._running()
            if found is not None and (self._plan.take_over or found.at is None or found.at >= run.began - SLACK):
                return found
            if self._services.clock() >= deadline:
                return None
            self._services.sleep(self._poll)

    def _no_event(self, run: _Run) -> Step:
        step, window = probe_steps.watched(
            self._store,
            self._app.name,
            run.listener,
            self._plan.key,
            began=run.began,
            now=self._services.clock(),
            running=run.meeting_runs,
        )
        if window is not None:
            self._keep(window)
        return step

    def _await_end(self, run: _Run, event: Event) -> Iterator[Step]:
        """Wait for the reason with which Zoom ends a stream that was not joined; a stream that ended needs no stop."""
        deadline = self._services.clock() + timedelta(seconds=END_DEADLINE)
        while self._services.clock() < deadline:
            reason = next((end.stop_reason for end in self._ends(event)), None)
            if reason is not None:
                run.started_by_us = False
                yield Step("end", False, f"Zoom stopped the stream with reason {reason}")
                return
            self._services.sleep(self._poll)

    def _ends(self, started: Event) -> Iterator[Event]:
        ends = (event for event in self._events() if event.name.endswith("rtms_stopped"))
        return (event for event in ends if event.stream_id == started.stream_id)

    def _join_all(self, event: Event) -> Generator[Step, None, bool]:
        """Join with the own pair, and with the other one where that is asked for; return whether signaling passed."""
        own = self._plan.key.environment
        result = self._join_with(event, own)
        yield probe_steps.joined_step(f"join as {own}", result)
        if result.signaled or not self._plan.try_other:
            return result.signaled
        other = Environment.PRODUCTION if own is Environment.DEVELOPMENT else Environment.DEVELOPMENT
        if other not in self._app.environments:
            yield Step("join", None, f"the {other} pair is not registered")
            return False
        crossed = self._join_with(event, other)
        step = probe_steps.joined_step(f"join as {other}", crossed)
        if crossed.signaled:
            step = Step(
                step.name, False, f"{step.text}: the stream belongs to the {other} pair, so the pairs are mixed up"
            )
        yield step
        return False

    def _join_with(self, event: Event, environment: Environment) -> JoinResult:
        pair: AppCredentials = self._store.credentials(app=self._app.name, environment=environment)
        plan = JoinPlan(
            client_id=pair.client_id,
            client_secret=pair.client_secret,
            stream_of=event.stream_of or "",
            stream_id=event.stream_id or "",
            server_urls=",".join(event.addresses),
            media=self._plan.media,
            id_field=event.id_field or "meeting_uuid",
            stay=self._plan.stay,
            ca_file=self._plan.ca_file,
            label=f"probe-{environment}",
        )
        result = self._join(plan, clock=self._services.clock)
        expected = probe_steps.expected_media(self._store.grants(app=self._app.name), self._plan.key.environment)
        seen = probe_steps.join_observations(result, self._plan.key, label=plan.label, expected=expected)
        self._keep(*seen)
        return result

    def _stop(self, run: _Run) -> Step:
        try:
            exchange = self._control(run, "stop")
        except AuditError as error:
            return Step("stop", False, f"what was started could not be stopped: {error.message}")
        if exchange.ok:
            return Step("stop", True, "stopped what was started")
        return Step("stop", None, f"Zoom answered the stop: {problem_of(exchange)}")

    def _keep(self, *observations: Observation) -> None:
        self._store.append(app=self._app.name, observations=observations)


def _need_answer(exchange: Exchange) -> None:
    """Raise ZoomError where Zoom itself did not answer: that tells nothing of the install."""
    if exchange.unanswered:
        said = f"Zoom was {exchange.unanswered}." if exchange.status is None else f"Not Zoom: {exchange.unanswered}"
        raise ZoomError(said, next_step="Check network and proxy: rtms-audit doctor")
