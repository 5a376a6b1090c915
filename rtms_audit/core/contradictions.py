"""Evidence that cannot all be right, and which of it was believed: machines before people, later before earlier."""

from collections.abc import Iterator

from rtms_audit.core.checks.check import Subject, seen
from rtms_audit.core.flow import Flow
from rtms_audit.core.model import Plan
from rtms_audit.core.situation import Situation
from rtms_audit.core.supposing import DENIED_BY_REFUSAL
from rtms_audit.core.verdicts import Contradiction, Known

STREAM_DENIES: dict[str, tuple[str, ...]] = {
    "setting.share_realtime_content": ("off",),
    "setting.app_allowed": ("false",),
    "account.developer_pack": ("none", "expired"),
    "account.rtms_enabled": ("false",),
    "account.verified": ("false",),
    "trigger": ("none",),
    "host.approval": ("denied",),
    "starter.has_installed_app": ("false",),
    "app.scopes_selectable": ("false",),
}
"""What people state that a stream speaks against."""


def contradictions(subject: Subject) -> tuple[Contradiction, ...]:
    """Return the contradictions in what is known of an install."""
    situation, flow = subject.situation, subject.flow
    found = (_refusal(situation, flow), _stream(situation, flow), _plan(situation), _accepted_then_refused(flow))
    return tuple(contradiction for group in found for contradiction in group)


def _refusal(situation: Situation, flow: Flow) -> Iterator[Contradiction]:
    if flow.refused is None:
        return
    error, call = flow.refused
    for fact, (words, codes) in DENIED_BY_REFUSAL.items():
        if error.code in codes and situation.word(fact) in words:
            text = f"{fact} is said to be {situation.word(fact)}, but Zoom answered {error.code}; Zoom was believed"
            yield Contradiction(fact, text, (*situation.evidence(fact), call.id))


def _stream(situation: Situation, flow: Flow) -> Iterator[Contradiction]:
    shown = flow.announced if flow.has_address else None
    for fact, words in STREAM_DENIES.items() if shown else ():
        if situation.word(fact) in words and not _is_later(situation, fact, flow):
            text = f"{fact} is said to be {situation.word(fact)}, but a stream came; the stream was believed"
            yield Contradiction(fact, text, (*situation.evidence(fact), *seen(shown)))


def _is_later(situation: Situation, fact: str, flow: Flow) -> bool:
    """Whether a fact was stated after the stream came, and so may have changed since."""
    said = [o.at for o in situation.own if o.id in situation.evidence(fact) and o.at]
    came = flow.announced.at if flow.announced else None
    return came is not None and bool(said) and max(said) > came


def _plan(situation: Situation) -> Iterator[Contradiction]:
    shown, believed = situation.plan, situation.believed_plan
    if not isinstance(shown, Known) or believed is Plan.UNKNOWN:
        return
    if isinstance(shown.value, Plan) and (shown.value is Plan.FREE) != (believed is Plan.FREE):
        text = f"the plan is believed to be {believed}, but Zoom's answers show {shown.value}; Zoom was believed"
        yield Contradiction("account.plan", text, shown.evidence)


def _accepted_then_refused(flow: Flow) -> Iterator[Contradiction]:
    accepted = next((join.observation for join in flow.joins if join.succeeded), None)
    if accepted and flow.stop_reason == 18:
        text = "a handshake was accepted, and the stream stopped with reason 18, an authentication failure"
        yield Contradiction("stream.stop_reason", text, seen(accepted, flow.stop))
