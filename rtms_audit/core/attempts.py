"""Cutting an install's observations into attempts: each one start that was asked for, announced, joined or awaited.

The latest attempt decides the outcome; the earlier ones stay visible.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.model import Kind, Observation

JOIN_CALLBACKS = ("joinconfirm",)
LEAVE_CALLBACKS = ("leave", "sessionleave")
START_CALLBACKS = ("startrtms",)
MEETING_EVENTS = ("meeting.started", "webinar.started", "session.started")
LONGEST = timedelta(days=1)
"""How long a stream whose end was not seen is taken to run on: an assumption, not a limit of Zoom's."""

WINDOW_SLACK = timedelta(minutes=2)
"""How far outside a watched window an event may lie and still belong to it: clocks differ."""


@dataclass(slots=True)
class Attempt:
    """One attempt and the observations of it, in time order."""

    observations: list[Observation] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Observation]:
        """Return the observations of one kind."""
        return [o for o in self.observations if o.kind is kind]

    def events(self, what: str) -> list[Observation]:
        """Return the webhooks `*.rtms_<what>`."""
        return [o for o in self.observations if reading.is_rtms(o, what)]

    @property
    def started(self) -> list[Observation]:
        """The started events."""
        return self.events("started")

    @property
    def stopped(self) -> list[Observation]:
        """The stopped events."""
        return self.events("stopped")

    @property
    def start_calls(self) -> list[Observation]:
        """The REST calls that asked for a start."""
        return [o for o in self.observations if reading.is_start(o)]

    @property
    def app_starts(self) -> list[Observation]:
        """The starts by the Zoom Apps SDK."""
        return [o for o in self.of(Kind.SDK) if reading.callback(o) in START_CALLBACKS]

    @property
    def join_confirms(self) -> list[Observation]:
        """The SDK's join results that carry a number."""
        return [o for o in self.of(Kind.SDK) if reading.callback(o) in JOIN_CALLBACKS and reading.reason(o) is not None]

    @property
    def leaves(self) -> list[Observation]:
        """The SDK's leave callbacks."""
        return [o for o in self.of(Kind.SDK) if reading.callback(o) in LEAVE_CALLBACKS]

    def handshakes(self, socket: str) -> list[Observation]:
        """Return the handshakes on one kind of socket; one that does not say which counts as signaling."""
        return [o for o in self.of(Kind.HANDSHAKE) if reading.text(o.fields.get("socket")) in _sockets(socket)]

    @property
    def watches(self) -> list[Observation]:
        """The watched windows."""
        return self.of(Kind.WATCH)

    @property
    def streams(self) -> set[str]:
        """The stream ids seen."""
        return {found for o in self.observations if (found := reading.stream_id(o))}

    @property
    def meetings(self) -> set[str]:
        """The meetings seen."""
        return {found for o in self.observations if (found := reading.meeting_key(o))}

    @property
    def begins(self) -> datetime | None:
        """When the first observation was made; a watch counts from the window's begin."""
        return next((begin for o in self.observations if (begin := window(o)[0] or o.at)), None)

    @property
    def is_over(self) -> bool:
        """Whether the stream of this attempt was seen to end."""
        return bool(self.stopped or self.leaves)

    @property
    def saw_start(self) -> bool:
        """Whether a stream was announced, joined or tried to be joined."""
        return bool(
            self.started
            or self.stopped
            or self.join_confirms
            or self.leaves
            or self.of(Kind.HANDSHAKE)
            or any("rtms_started" in name for watch in self.watches for name in watched_events(watch))
        )

    @property
    def was_refused(self) -> bool:
        """Whether a start call was refused."""
        return any(reading.refusal(o) for o in self.start_calls)


def window(observation: Observation) -> tuple[datetime | None, datetime | None]:
    """Return begin and end of a watched window; the times are aware datetimes or not known."""
    if observation.kind is not Kind.WATCH:
        return None, None
    end = reading.moment(observation.fields.get("until"))
    return reading.moment(observation.fields.get("from")), end or observation.at


def watched_events(observation: Observation) -> tuple[str, ...]:
    """Return the names of the events seen in a watched window."""
    names = observation.fields.get("events")
    return tuple(reading.text(name) for name in names) if isinstance(names, list | tuple) else ()


def cut(observations: Iterable[Observation]) -> list[Attempt]:
    """Cut the observations of one install, in time order, into attempts, the latest last."""
    attempts: list[Attempt] = []
    by_stream: dict[str, Attempt] = {}
    for observation in filter(_belongs, observations):
        stream = reading.stream_id(observation)
        home = by_stream.get(stream) or _home(attempts, observation, stream)
        if home is None:
            home = Attempt()
            attempts.append(home)
        home.observations.append(observation)
        if stream:
            by_stream[stream] = home
    return _without_background(attempts)


def _home(attempts: list[Attempt], observation: Observation, stream: str) -> Attempt | None:
    """Find the attempt that an observation of no known stream belongs to; None where it opens one."""
    current = attempts[-1] if attempts else None
    if current is None:
        return None
    if observation.kind is Kind.WATCH:
        return _watched(attempts, observation)
    return current if _continues(current, observation, stream) else None


def _continues(current: Attempt, observation: Observation, stream: str) -> bool:
    """Whether an observation that names no known stream goes on with the current attempt."""
    if stream and current.streams:
        return False
    if reading.is_start(observation) or reading.callback(observation) in START_CALLBACKS:
        return (
            _is_of_one_day(current, observation)
            and current.saw_start
            and not current.is_over
            and bool(_accepted(current))
        )
    if reading.is_rtms(observation, "started"):
        return not (current.saw_start or current.was_refused or _was_awaited_in_vain(current))
    if reading.event_name(observation) in MEETING_EVENTS:
        return not (current.saw_start or current.watches)
    if observation.kind in (Kind.HANDSHAKE, Kind.SDK) and not _is_leave(observation):
        return not (current.join_confirms and current.is_over) and not _was_awaited_in_vain(current)
    return True


def _is_of_one_day(current: Attempt, observation: Observation) -> bool:
    """Whether a start follows within a day: no stream is taken to run longer unseen."""
    last = next((o.at for o in reversed(current.observations) if o.at), None)
    return last is None or observation.at is None or observation.at - last <= LONGEST


def _accepted(attempt: Attempt) -> bool:
    """Whether a join of this attempt was accepted."""
    return any(reading.reason(o) == 0 for o in attempt.join_confirms) or any(
        reading.status_code(o) == 0 for o in attempt.of(Kind.HANDSHAKE)
    )


def _is_leave(observation: Observation) -> bool:
    return reading.callback(observation) in LEAVE_CALLBACKS


def _was_awaited_in_vain(attempt: Attempt) -> bool:
    return bool(attempt.watches) and not attempt.saw_start


def _watched(attempts: list[Attempt], watch: Observation) -> Attempt | None:
    """Find the latest attempt that a watched window overlaps: one with a stream, where the window saw one start."""
    begin, end = window(watch)
    saw_start = any("rtms_started" in name for name in watched_events(watch))
    with_stream = [attempt for attempt in attempts if attempt.saw_start]
    for attempt in reversed(with_stream if saw_start and with_stream else attempts):
        times = [time for o in attempt.observations for time in (o.at, *window(o)) if time]
        if not times or begin is None or end is None:
            return attempt
        if any(begin - WINDOW_SLACK <= time <= end + WINDOW_SLACK for time in times):
            return attempt
    return None


def _belongs(observation: Observation) -> bool:
    """Whether an observation speaks of an attempt, and not of the install as such."""
    if observation.kind is Kind.WEBHOOK:
        name = reading.event_name(observation)
        return "rtms" in name or name in MEETING_EVENTS
    if observation.kind is Kind.SDK:
        watched = (*JOIN_CALLBACKS, *LEAVE_CALLBACKS, *START_CALLBACKS, "join")
        return reading.callback(observation) in watched
    if observation.kind is Kind.REST:
        return reading.is_start(observation)
    return observation.kind in (Kind.HANDSHAKE, Kind.KEEPALIVE, Kind.WATCH)


def _without_background(attempts: list[Attempt]) -> list[Attempt]:
    """Drop idle windows, and meetings of which nothing but their start is known, as long as anything else is known."""
    telling = [a for a in attempts if not all(_is_idle(o) for o in a.observations)]
    return telling or attempts[-1:]


def _is_idle(observation: Observation) -> bool:
    return reading.event_name(observation) in MEETING_EVENTS or (
        observation.kind is Kind.WATCH
        and observation.fields.get("meeting_started") is not True
        and not any("rtms" in name for name in watched_events(observation))
    )


def missed_keepalives(attempt: Attempt) -> int:
    """Return the largest number of keep-alives left unanswered."""
    return max((as_int(o.fields.get("missed")) or 0 for o in attempt.of(Kind.KEEPALIVE)), default=0)


def _sockets(socket: str) -> tuple[str, ...]:
    return ("signaling", "") if socket == "signaling" else (socket,)
