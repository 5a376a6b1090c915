"""What happened in one attempt: asked for, announced, joined, media, stopped; read from its observations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rtms_audit.core import reading
from rtms_audit.core.answers import ErrorAnswer, as_int
from rtms_audit.core.attempts import JOIN_CALLBACKS, MEETING_EVENTS, Attempt, watched_events
from rtms_audit.core.model import Kind, Observation
from rtms_audit.core.situation import Situation

LARGEST_STATUS = 45
"""The largest handshake status; an SDK's reason above it is one of its own for a lost connection (measured)."""
SDK_SILENCE = 1
ALREADY_RUNNING = 10308
TRIGGERS = ("auto-start", "rest", "zoom-app")
RESTART_REASONS = frozenset((*range(10, 20), 24))
"""Stop reasons after which the stream is gone and must be started anew: docs/rtms/failover-reconnection."""
FAILING_REASONS = RESTART_REASONS | {23, 26}
FAULT = re.compile(
    r"error|exception|cannot|can't|could not|unable|not available|unavailable|not allowed|not permitted|not supported|"
    r"fail|invalid|refused|denied|blank|not found|missing",
    re.IGNORECASE,
)
"""Words in an SDK's message that tell of a fault."""
ORDINARY_REASONS = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22, 25))


@dataclass(frozen=True, slots=True)
class Join:
    """One try to join: `origin` is sdk, signaling or media; `code` the status or SDK reason, 0 alone is success.

    A code of None means that no answer came; `closed` is then the close code, `error` what the client said.
    """

    origin: str
    code: int | None
    observation: Observation
    closed: int | None = None
    error: str = ""
    upgrade: int | None = None

    @property
    def succeeded(self) -> bool:
        """Whether Zoom accepted this handshake."""
        return self.code == 0

    @property
    def was_hung_up_on(self) -> bool:
        """Whether the peer closed the socket in order and without an answer; 1006 is a link that broke."""
        return self.code is None and self.closed not in (None, 1006) and not self.upgrade

    @property
    def is_assumed(self) -> bool:
        """Whether the code is thought to be Zoom's status without having been measured: the Node SDK's reasons."""
        return self.origin == "sdk" and "node" in reading.text(self.observation.fields.get("sdk"))

    @property
    def was_answered(self) -> bool:
        """Whether Zoom itself answered; the SDK's 1 is also its word for silence, and 504, 610 and 960 are its own."""
        silent = self.origin == "sdk" and self.code == SDK_SILENCE
        return self.code is not None and self.code <= LARGEST_STATUS and not silent


@dataclass(frozen=True, slots=True)
class Flow:
    """The course of an attempt; every field is None, empty or False where nothing is known of it."""

    announced: Observation | None = None
    has_address: bool = False
    joins: tuple[Join, ...] = ()
    stops: tuple[tuple[int | None, Observation], ...] = ()
    refused: tuple[ErrorAnswer, Observation] | None = None
    accepted: Observation | None = None
    app_start: Observation | None = None
    watch: Observation | None = None
    meeting: bool | None = None
    trigger: str = ""
    trigger_evidence: tuple[str, ...] = ()
    media: bool | None = None
    media_evidence: tuple[str, ...] = ()

    @property
    def joined(self) -> bool | None:
        """Whether the latest try to join succeeded; a media socket counts where signaling succeeded before."""
        if self.failure is None:
            return True if self.joins or self.media else None
        return self.media is True

    @property
    def failure(self) -> Join | None:
        """The join that failed where none succeeded: the SDK's own word first, then signaling, then media."""
        for origin in ("sdk", "signaling", "media"):
            tries = [join for join in self.joins if join.origin == origin]
            if tries:
                return None if any(join.succeeded for join in tries) else tries[-1]
        return None

    @property
    def refused_media(self) -> tuple[Join, ...]:
        """The media handshakes that failed and were not followed by one that succeeded for the same medium."""
        media = [join for join in self.joins if join.origin == "media"]
        accepted = {_medium(join.observation) for join in media if join.succeeded}
        return tuple(join for join in media if not join.succeeded and _medium(join.observation) not in accepted)

    @property
    def accepted_media(self) -> tuple[Join, ...]:
        """The media handshakes that succeeded."""
        return tuple(join for join in self.joins if join.origin == "media" and join.succeeded)

    @property
    def stop_reason(self) -> int | None:
        """The stop reason that Zoom gave, None where the stream did not stop or the reason was not kept."""
        return next((reason for reason, _ in self.stops if reason is not None), None)

    @property
    def stop(self) -> Observation | None:
        """The observation of the stop, the one with a reason first."""
        with_reason = [seen for reason, seen in self.stops if reason is not None]
        return next(iter(with_reason or [seen for _, seen in self.stops]), None)

    @property
    def silent(self) -> bool:
        """Whether a healthy listener watched a running meeting and no started event came."""
        return self.watch is not None and self.meeting is True and not self.existed

    @property
    def existed(self) -> bool:
        """Whether a stream is known to have existed."""
        return self.announced is not None or bool(self.stops) or bool(self.joins)

    @property
    def app_refused(self) -> bool:
        """Whether the start from the app in the meeting was refused; 10308 says that a stream runs already."""
        if self.app_start is None:
            return False
        code = reading.reason(self.app_start)
        words = reading.text(self.app_start.fields.get("message"))
        return code not in (None, 0, ALREADY_RUNNING) or (code is None and bool(FAULT.search(words)))

    @property
    def prevented(self) -> bool:
        """Whether a start was refused, or awaited in vain."""
        return not self.existed and (self.silent or self.refused is not None or self.app_refused)


NOTHING = Flow()


def read(situation: Situation, attempt: Attempt | None = None) -> Flow:
    """Read the course of an attempt, by default the latest."""
    attempt = attempt or situation.attempt
    trigger, trigger_evidence = _trigger(situation, attempt)
    media, media_evidence = _media(situation)
    if attempt is None:
        return Flow(trigger=trigger, trigger_evidence=trigger_evidence, media=media, media_evidence=media_evidence)
    calls = attempt.start_calls
    refusals = [(error, call) for call in calls if (error := reading.refusal(call))]
    accepted = [call for call in calls if _accepted(call)]
    started = attempt.started
    return Flow(
        announced=started[0] if started else _watched_start(attempt),
        has_address=any(reading.payload(event).get("server_urls") for event in started),
        joins=_joins(attempt),
        stops=_stops(attempt),
        refused=refusals[-1] if refusals and (not accepted or calls[-1] is refusals[-1][1]) else None,
        accepted=accepted[-1] if accepted else None,
        app_start=attempt.app_starts[-1] if attempt.app_starts else None,
        watch=attempt.watches[-1] if attempt.watches else None,
        meeting=_meeting(attempt),
        trigger=trigger,
        trigger_evidence=trigger_evidence,
        media=media,
        media_evidence=media_evidence,
    )


def _accepted(call: Observation) -> bool:
    """Whether Zoom accepted a start; Zoom's 204 has no body, so text came from something in between."""
    is_text = isinstance(body := reading.response(call).get("body"), str) and bool(body.strip())
    return 200 <= (reading.http_status(call) or 0) < 300 and not is_text and not reading.refusal(call)


def _watched_start(attempt: Attempt) -> Observation | None:
    return next((w for w in attempt.watches if any("rtms_started" in name for name in watched_events(w))), None)


def _meeting(attempt: Attempt) -> bool | None:
    """Return whether a meeting is known to have run during the attempt."""
    if any(reading.event_name(o) in MEETING_EVENTS for o in attempt.observations):
        return True
    said = [w.fields.get("meeting_started") for w in attempt.watches]
    if True in said:
        return True
    return False if False in said else None


def _trigger(situation: Situation, attempt: Attempt | None) -> tuple[str, tuple[str, ...]]:
    """Return what started, or should have started, the stream: a word of TRIGGERS, `none`, or empty."""
    if attempt and attempt.start_calls:
        return "rest", (attempt.start_calls[-1].id,)
    if attempt and attempt.app_starts:
        return "zoom-app", (attempt.app_starts[-1].id,)
    stated = situation.word("trigger")
    if stated in TRIGGERS:
        return stated, situation.evidence("trigger")
    if situation.word("setting.auto_start") == "on":
        return "auto-start", situation.evidence("setting.auto_start")
    return (stated, situation.evidence("trigger")) if stated else ("", ())


def _joins(attempt: Attempt) -> tuple[Join, ...]:
    found = []
    for seen in attempt.observations:
        join = _handshake(seen) if seen.kind is Kind.HANDSHAKE else _sdk_join(seen)
        if join:
            found.append(join)
    return tuple(found)


def _handshake(seen: Observation) -> Join | None:
    """Read a handshake; None where it was neither answered nor failed."""
    closed = as_int(reading.mapping(seen.fields.get("closed")).get("code"))
    error = reading.text(seen.fields.get("error"))
    upgrade = as_int(seen.fields.get("upgrade_status"))
    code = reading.status_code(seen)
    failed = "closed" in seen.fields or error or (upgrade is not None and upgrade >= 400)
    if code is None and not failed:
        return None
    socket = reading.text(seen.fields.get("socket"))
    return Join("media" if socket == "media" else "signaling", code, seen, closed, error, upgrade)


def _sdk_join(seen: Observation) -> Join | None:
    """Read what an SDK said of a join; `Successfully joined` only means that the join was queued (measured)."""
    if seen.kind is not Kind.SDK:
        return None
    message = reading.text(seen.fields.get("message"))
    if reading.callback(seen) in JOIN_CALLBACKS and reading.reason(seen) is not None:
        return Join("sdk", reading.reason(seen), seen, error=message)
    if reading.callback(seen) in (*JOIN_CALLBACKS, "join") and FAULT.search(message):
        return Join("sdk", None, seen, error=message)
    return None


def _stops(attempt: Attempt) -> tuple[tuple[int | None, Observation], ...]:
    """Return the stops seen with their reasons: webhook first, then the sockets' own messages, then the SDK."""
    webhooks = [(as_int(reading.payload(o).get("stop_reason")), o) for o in attempt.stopped]
    states = [(_state_reason(reading.response(o)), o) for o in attempt.of(Kind.HANDSHAKE) if _is_end(o)]
    leaves = [(reading.reason(o), o) for o in attempt.leaves]
    return (*webhooks, *states, *leaves)


def _is_end(seen: Observation) -> bool:
    """Whether a message says that the stream is terminating (8: 3, 4) or the session stopped (9: 5)."""
    said = reading.response(seen)
    kind, state = as_int(said.get("msg_type")), as_int(said.get("state"))
    return (kind == 8 and state in (3, 4)) or (kind == 9 and state == 5)


def _state_reason(said: Mapping[str, object]) -> int | None:
    given = as_int(said.get("stop_reason"))
    return given if given is not None else as_int(said.get("reason"))


def _media(situation: Situation) -> tuple[bool | None, tuple[str, ...]]:
    """Return whether media arrived, as people said."""
    received, kinds = situation.word("media.received"), situation.value("media.kinds_received")
    evidence = situation.evidence("media.received", "media.kinds_received")
    if received == "true" or (isinstance(kinds, list | tuple) and kinds):
        return True, evidence
    if received == "false" or isinstance(kinds, list | tuple):
        return False, evidence
    return None, ()


def _medium(seen: Observation) -> int | None:
    return as_int(reading.request(seen).get("media_type"))


def delay(situation: Situation, flow: Flow) -> float | None:
    """Return the seconds between the started event and the first try to join, None where a time is missing."""
    if flow.announced is None or flow.announced.kind is not Kind.WEBHOOK or not flow.joins:
        return None
    begun = reading.event_time(flow.announced)
    joined: datetime | None = next((join.observation.at for join in flow.joins if join.observation.at), None)
    return (joined - begun).total_seconds() if begun and joined else None
