"""What a probe can say before anything is started, and the words for what came of a join."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from rtms_audit.core import reading
from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.model import Environment, InstallKey, Kind, Observation
from rtms_audit.core.verdicts import Status
from rtms_audit.store import Store
from rtms_audit.store.records import GrantRecord
from rtms_audit.workflows.collect import problem_of
from rtms_audit.workflows.watch import VALID_FOR, listening, reached
from rtms_audit.zoom.calls import missing_scopes
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.rtms_messages import Medium
from rtms_audit.zoom.rtms_plan import JoinResult

SCOPE_OF: Mapping[Medium, str] = MappingProxyType(
    {
        Medium.AUDIO: "meeting:read:meeting_audio",
        Medium.VIDEO: "meeting:read:meeting_video",
        Medium.DESKSHARE: "meeting:read:meeting_screenshare",
        Medium.TRANSCRIPT: "meeting:read:meeting_transcript",
        Medium.CHAT: "meeting:read:meeting_chat",
    }
)
"""The scope that gives each medium its address (zoom/skills rtms webhooks.md, 2026-07)."""

NOT_FOUND = 404

NO_ADDRESS = "no address in the signaling answer"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a probe: `good` is None where nothing was learnt either way."""

    name: str
    good: bool | None
    text: str


def scopes_step(grant: GrantRecord) -> Step:
    """Say whether the grant holds what RTMS needs."""
    lacking = [need.scope for need in missing_scopes(grant.scopes) if need.required]
    if not grant.scopes:
        return Step("scopes", None, "Zoom's token answer named no scopes")
    if lacking:
        return Step("scopes", False, f"the grant lacks {', '.join(lacking)}; they are given by installing again")
    return Step("scopes", True, "the grant holds the media, event and control scopes that RTMS needs")


def known_steps(store: Store, app: str, key: InstallKey) -> Iterator[Step]:
    """Say what the evidence so far names as a cause; none of it keeps the probe from finding out anew."""
    for cause in diagnose(store.case(app=app, account=key.account), key).causes:
        if cause.status is not Status.POSSIBLE and cause.category != "ordinary":
            yield Step("known", None, f"the evidence so far says {cause.id} ({cause.status}): {cause.reason}")


@dataclass(frozen=True, slots=True)
class Listener:
    """Whether somebody listens for an app's webhooks, and whether Zoom reached it for an environment of late."""

    up: bool
    reached: bool
    environment: Environment

    @property
    def step(self) -> Step:
        """What to expect of it; only a listener that Zoom is known to reach makes silence mean something."""
        if not self.up:
            return Step("listener", None, "no listener is up on this database, so no event will be seen: serve it")
        if not self.reached:
            what = f"a listener is up, but no request of Zoom's for {self.environment} has reached it in three days"
            return Step("listener", None, f"{what}: check the event subscription")
        return Step("listener", True, f"a listener is up, and Zoom has reached it for {self.environment}")


def look_for_listener(store: Store, app: str, environment: Environment, now: datetime) -> Listener:
    """Look whether a listener holds its lease, and whether a verified request of the environment came in 72 h."""
    known = reached(store.observations(app=app), since=now - VALID_FOR)
    return Listener(store.is_leased(listening(app)), environment in known, environment)


def meeting_step(exchange: Exchange, user_id: str | None) -> tuple[Step, bool | None]:
    """Say whether the meeting runs (None: Zoom did not tell), and whether the install's user is its host.

    A start in a meeting that does not run is refused whatever the install: 404 with 3001 (SferaDev/openapi-clients,
    zoom-api-js, 2026-02). Sending one would leave a refusal that says nothing of the install.
    """
    problem = problem_of(exchange)
    if problem and exchange.status == NOT_FOUND:
        return Step("meeting", None, problem), False
    if problem:
        return Step("meeting", None, f"the meeting could not be read: {problem}"), None
    meeting = reading.mapping(exchange.parsed)
    status, host = str(meeting.get("status", "unknown")), meeting.get("host_id")
    role = ""
    if host and user_id:
        others = "somebody else's: as alternative host or invited participant this user must have joined"
        role = ", and it is " + ("this user's own" if host == user_id else others)
    told = f"the meeting is {status}{role}"
    if status == "waiting":
        return Step("meeting", None, told), False
    runs = True if status == "started" else None
    return Step("meeting", runs, told), runs


def watched(
    store: Store, app: str, listener: Listener, key: InstallKey, *, began: datetime, now: datetime, running: bool
) -> tuple[Step, Observation | None]:
    """Say that no started event came and what that means; with a healthy listener the window is evidence."""
    took = any(
        seen.kind is Kind.WEBHOOK and seen.at is not None and seen.at >= began for seen in store.observations(app=app)
    )
    if not took and listener.step.good is not True:
        return Step("event", None, f"no started event came; {listener.step.text}"), None
    window: dict[str, object] = {"from": began.isoformat(), "until": now.isoformat(), "events": []}
    if running:
        window["meeting_started"] = True
    seen = Observation(kind=Kind.WATCH, fields=window, at=now, install=key, source="probe")
    why = "the listener took others meanwhile" if took else "a listener is up that Zoom reaches"
    return Step("event", False, f"no started event came, although {why}"), seen


def expected_media(grants: Iterable[GrantRecord], environment: Environment) -> tuple[Medium, ...]:
    """Return the media that some account granted to this environment of the app: those that the app asks for."""
    granted = {scope for grant in grants if grant.environment is environment for scope in grant.scopes}
    return tuple(medium for medium, scope in SCOPE_OF.items() if scope in granted)


def join_observations(
    result: JoinResult, key: InstallKey, *, label: str, expected: Collection[Medium] = ()
) -> tuple[Observation, ...]:
    """Write the steps of a join as observations, then the expected media without address, then the media that came."""
    steps = [
        Observation(
            kind=step.kind, fields=step.fields, at=step.at, install=key, source="probe", duration_ms=step.duration_ms
        )
        for step in result.steps
    ]
    for medium in result.without_address:
        if medium in expected and steps:
            request = {"media_type": int(medium)}
            fields = {"connection": label, "socket": "media", "request": request, "error": NO_ADDRESS}
            last = steps[-1].at
            steps.append(Observation(kind=Kind.HANDSHAKE, fields=fields, at=last, install=key, source="probe"))
    return (*steps, *_heard(result, key))


def _heard(result: JoinResult, key: InstallKey) -> Iterator[Observation]:
    if not result.media:
        return
    fields: dict[str, object] = {
        "about": "media.kinds_received",
        "value": [medium.key for medium in result.media],
        "by": "the probe",
        "note": "; ".join(
            f"{medium.key}: {count.messages}, the first at {count.first_at:%H:%M:%S.%f} UTC"
            for medium, count in result.media.items()
        ),
    }
    first = min(count.first_at for count in result.media.values())
    yield Observation(kind=Kind.STATEMENT, fields=fields, at=first, install=key, source="probe")


def joined_step(name: str, result: JoinResult) -> Step:
    """Say in words what came of a join."""
    if not result.signaled:
        status = result.signaling_status
        told = f"status {status}" if status is not None else "a closed or silent socket"
        return Step(name, False, f"the signaling handshake was answered by {told}{_reason(result)}")
    media = ", ".join(medium.key for medium in sorted(result.media)) or "none"
    missing = "".join(f"; no address for {medium.key} (scope not granted)" for medium in result.without_address)
    kept = f", {result.keep_alives} keep-alives answered" if result.keep_alives else ""
    end = f"; the stream ended with reason {result.end.reason}" if result.end else ""
    verb = "joined" if result.joined else "signaling was accepted, no medium was"
    return Step(name, result.joined, f"{verb}; media received: {media}{kept}{missing}{end}{_reason(result)}")


def _reason(result: JoinResult) -> str:
    """Return the SDK's own words, where it was the SDK that joined."""
    told = [
        f"{step.fields['callback']} {step.fields['reason']}"
        for step in result.steps
        if step.kind is Kind.SDK and "reason" in step.fields
    ]
    return f"; the SDK said {', '.join(told)}" if told else ""
