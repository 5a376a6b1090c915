"""An install's observations in words, in time order, with the reading of each code."""

from collections.abc import Callable, Iterable
from datetime import date

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.attempts import JOIN_CALLBACKS, LEAVE_CALLBACKS, watched_events
from rtms_audit.core.codes import describe, lookup
from rtms_audit.core.model import Kind, Observation
from rtms_audit.core.verdicts import TimelineEntry


def timeline(observations: Iterable[Observation]) -> tuple[TimelineEntry, ...]:
    """Return one entry per observation."""
    return tuple(_entry(observation) for observation in observations)


def _entry(observation: Observation) -> TimelineEntry:
    text, said = _WORDS[observation.kind](observation)
    return TimelineEntry(observation.id, observation.at, text, said, observation.source)


def _webhook(observation: Observation) -> tuple[str, str]:
    payload = reading.payload(observation)
    parts = [reading.event_name(observation) or "a webhook without an event name"]
    if stream := reading.stream_id(observation):
        parts.append(f"stream {stream[:8]}…")
    if reading.is_rtms(observation, "started"):
        parts.append("with server_urls" if payload.get("server_urls") else "without server_urls")
    if signature := reading.text(observation.fields.get("signature")):
        by = reading.text(observation.fields.get("verified_with"))
        parts.append(f"signature {signature}{f' with the {by} secret token' if by else ''}")
    if "answered" in observation.fields:
        ms = observation.fields.get("answer_ms")
        parts.append(f"answered {observation.fields['answered']}{f' after {ms} ms' if ms else ''}")
    code = as_int(payload.get("stop_reason"))
    if code is None:
        return ", ".join(parts), ""
    return ", ".join([*parts, f"stop_reason {code}"]), f"stop reason {_said('stop-reason', code)}"


def _rest(observation: Observation) -> tuple[str, str]:
    error = reading.refusal(observation)
    status = reading.http_status(observation)
    call = f"{reading.method(observation) or 'call of'} {reading.path(observation) or 'an address not told'}"
    if error is None:
        return f"{call} answered {status if status is not None else 'nothing'}", ""
    told = f"{call} answered {status or 'an error'}"
    if error.code is None:
        return f"{told}: {error.message[:120]}", ""
    return (
        f"{told}, code {error.code}: {error.message[:120]}",
        f"code {_said('rest', error.code, observation.at.date() if observation.at else None)}",
    )


def _oauth(observation: Observation) -> tuple[str, str]:
    what = reading.text(observation.fields.get("grant") or observation.fields.get("step")) or "an OAuth step"
    error = reading.refusal(observation)
    status = reading.http_status(observation)
    if error is None:
        outcome = reading.text(reading.answer(observation).get("outcome"))
        answered = f"answered {status}" if status else "opened"
        return f"OAuth {what}: {outcome or answered}", ""
    word = error.code if error.code is not None else error.error
    return f"OAuth {what} answered {status}: {error.reason or error.message}"[:200], _said(
        "oauth", word
    ) if word else ""


def _handshake(observation: Observation) -> tuple[str, str]:
    socket = reading.text(observation.fields.get("socket")) or "a socket"
    signer = reading.text(reading.request(observation).get("client_id"))
    medium = as_int(reading.request(observation).get("media_type"))
    begin = (
        f"{socket} handshake{f' signed as {signer}' if signer else ''}{f' for media type {medium}' if medium else ''}"
    )
    code = reading.status_code(observation)
    said = reading.response(observation)
    if code is None and said.get("msg_type") in (8, 9):
        what = "stream" if said["msg_type"] == 8 else "session"
        number = as_int(said.get("stop_reason", said.get("reason")))
        told = f" reason {number}" if number is not None else ""
        text = f"{socket} socket: the {what} is in state {said.get('state', 'not told')}{told}"
        return text, f"stop reason {_said('stop-reason', number)}" if number is not None else ""
    if code is not None:
        return f"{begin} answered status {code}", f"status {_said('handshake-status', code)}" if code else ""
    closed = reading.mapping(observation.fields.get("closed"))
    error = reading.text(observation.fields.get("error"))
    upgrade = observation.fields.get("upgrade_status")
    if closed:
        word = closed.get("code") or closed.get("reason") or "no code"
        return f"{begin}: closed with {word}{f' ({error[:80]})' if error else ''}", ""
    if upgrade:
        return f"{begin}: the upgrade was answered HTTP {upgrade}", ""
    return f"{begin}: {error[:120] or 'no answer told'}", ""


def _sdk(observation: Observation) -> tuple[str, str]:
    name = reading.text(observation.fields.get("sdk")) or "SDK"
    called = reading.text(observation.fields.get("callback")) or "report"
    message, code = reading.text(observation.fields.get("message")), reading.reason(observation)
    text = f"{name} {called}{f' reason {code}' if code is not None else ''}{f': {message[:120]}' if message else ''}"
    if code is None:
        queued = "successfully joined" in message.lower()
        return text, "The SDK says so when the join is queued; it is no success yet." if queued else ""
    if name == "zoom-apps-sdk":
        return text, _said("zoom-apps", code)
    if reading.callback(observation) in JOIN_CALLBACKS:
        return text, f"{_said('sdk-reason', code)}{'' if code == 0 else ' No success.'}"
    if reading.callback(observation) in LEAVE_CALLBACKS:
        return text, _said("stop-reason" if lookup("stop-reason", code) else "sdk-reason", code)
    return text, ""


def _keepalive(observation: Observation) -> tuple[str, str]:
    return f"keep-alives left unanswered: {observation.fields.get('missed', 'not told')}", ""


def _watch(observation: Observation) -> tuple[str, str]:
    names = watched_events(observation)
    ran = {True: "a meeting ran", False: "no meeting ran"}.get(observation.fields.get("meeting_started") is True)
    if observation.fields.get("meeting_started") is None:
        ran = "whether a meeting ran is not told"
    begin, end = (reading.moment(observation.fields.get(key)) for key in ("from", "until"))
    span = f" {begin:%H:%M}-{end:%H:%M}" if begin and end else ""
    return f"watched{span}: {ran}; events: {', '.join(names) or 'none'}", ""


def _statement(observation: Observation) -> tuple[str, str]:
    by = reading.text(observation.fields.get("by")) or "somebody"
    value = observation.fields.get("value")
    words = ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
    words = words.lower() if isinstance(value, bool) else words
    return f"{by} says: {reading.text(observation.fields.get('about'))} is {words}", ""


def _said(kind: str, number: int | str, on: date | None = None) -> str:
    return f"{describe(kind, number, on)}".rstrip(".") + "."


_WORDS: dict[Kind, Callable[[Observation], tuple[str, str]]] = {
    Kind.WEBHOOK: _webhook,
    Kind.REST: _rest,
    Kind.OAUTH: _oauth,
    Kind.HANDSHAKE: _handshake,
    Kind.SDK: _sdk,
    Kind.KEEPALIVE: _keepalive,
    Kind.WATCH: _watch,
    Kind.STATEMENT: _statement,
}
