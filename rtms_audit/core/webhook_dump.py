"""Reads dumps of webhooks: events as Zoom sent them, alone, in lists or wrapped by whatever tool kept them.

Understood are a single event, a list of events, one event per line, entries that hold the event under `body`,
`request_body` or the like beside headers and a time, and the items of Zoom's own `webhook_logs`. Every event becomes a
`webhook` observation with `signature: unchecked`, since a dump cannot show that the event came from Zoom.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo

from rtms_audit.core.evidence_fields import read_fields
from rtms_audit.core.evidence_file import in_time_order
from rtms_audit.core.evidence_shapes import ShapeError
from rtms_audit.core.model import InstallKey, Kind, Observation
from rtms_audit.core.readout import Line, Readout, shown
from rtms_audit.core.redact import redact_value

LISTS = ("events", "webhooks", "requests", "entries", "items", "data", "webhook_logs", "logs")
BODIES = (
    "body",
    "request_body",
    "event_body",
    "rawBody",
    "raw_body",
    "raw",
    "json",
    "data",
    "content",
    "payload",
    "message",
)
TIMES = ("at", "received_at", "receivedAt", "date_time", "timestamp", "time", "created_at", "createdAt", "date", "ts")
HEADERS = ("headers", "request_headers")
DEEPEST = 4
"""How deep an event may be wrapped."""


def read_webhooks(
    document: object, *, install: InstallKey | None = None, timezone: tzinfo | None = None, source: str = ""
) -> Readout:
    """Return the webhooks in a parsed JSON document; entries that hold no event are listed as not understood.

    A time is taken from the entry, from Zoom's header or from `event_ts`. A time without a zone is read in `timezone`,
    and left out if none is given.
    """
    observations, foreign = [], []
    for number, entry in enumerate(_entries(document), start=1):
        found = webhook_observation(entry, timezone=timezone)
        if found is None:
            foreign.append(Line(number, shown(_text(entry))))
        else:
            observations.append(found)
    kept = numbered(observations, install=install, source=source)
    return Readout(kept, understood=len(kept), not_understood=tuple(foreign))


def read_webhook_lines(
    text: str, *, install: InstallKey | None = None, timezone: tzinfo | None = None, source: str = ""
) -> Readout:
    """Return the webhooks in JSON lines; lines that hold no event, or no JSON, are listed as not understood."""
    observations, foreign = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        found = webhook_observation(parsed(line), timezone=timezone)
        if found is not None:
            observations.append(found)
        elif line.strip():
            foreign.append(Line(number, shown(line)))
    kept = numbered(observations, install=install, source=source)
    return Readout(kept, understood=len(kept), not_understood=tuple(foreign))


def numbered(
    observations: Iterable[Observation], *, install: InstallKey | None, source: str
) -> tuple[Observation, ...]:
    """Return the observations in the order of their time, with ids by their place in the file."""
    return in_time_order(
        Observation(kind=o.kind, fields=o.fields, at=o.at, install=install, id=f"o{number}", source=source)
        for number, o in enumerate(observations, start=1)
    )


def webhook_observation(entry: object, *, timezone: tzinfo | None = None) -> Observation | None:
    """Return the webhook that an entry holds, None where it holds none."""
    event, wrappers = _unwrapped(entry)
    if event is None:
        return None
    fields: dict[str, object] = {"body": redact_value(event), "signature": "unchecked"}
    headers = _headers(wrappers)
    if headers:
        fields["headers"] = redact_value(headers)
    fields |= _delivery(wrappers)
    try:
        kept = read_fields(Kind.WEBHOOK, fields)
    except ShapeError:
        return None
    return Observation(kind=Kind.WEBHOOK, fields=kept, at=_time(event, headers, wrappers, timezone))


def parsed(text: str) -> object:
    """Return what a JSON text holds, None where it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def is_event(value: object) -> bool:
    """Whether a value is an event as Zoom sends it: a name such as `meeting.rtms_started`, and mostly a payload."""
    if not isinstance(value, Mapping) or not isinstance(value.get("event"), str):
        return False
    return isinstance(value.get("payload"), Mapping) or "event_ts" in value


def moment(value: object, timezone: tzinfo | None) -> datetime | None:
    """Return the aware UTC time of a text, or of a Unix time in s or ms; None where none is certain."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        value = int(value.strip()[:20])
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 10**11 else value, UTC) if value > 10**8 else None
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        if read is None or (read.tzinfo or timezone) is None:
            return None
        return (read if read.tzinfo else read.replace(tzinfo=timezone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _entries(document: object) -> Iterator[object]:
    if isinstance(document, list):
        yield from document
        return
    if isinstance(document, Mapping) and not is_event(document):
        lists = (document[key] for key in LISTS if isinstance(document.get(key), list))
        if (found := next(lists, None)) is not None:
            yield from found
            return
    yield document


def _unwrapped(entry: object) -> tuple[Mapping[str, object] | None, list[Mapping[str, object]]]:
    """Return the event in an entry and the mappings around it, outermost first."""
    wrappers: list[Mapping[str, object]] = []
    todo: list[tuple[object, int]] = [(entry, 0)]
    while todo:
        value, depth = todo.pop(0)
        value = parsed(value) if isinstance(value, str) else value
        if is_event(value):
            assert isinstance(value, Mapping)  # noqa: S101  is_event() says so
            return value, wrappers
        if isinstance(value, Mapping) and depth < DEEPEST:
            wrappers.append(value)
            todo += [(value[key], depth + 1) for key in (*BODIES, "request") if key in value]
    return None, wrappers


def _headers(wrappers: list[Mapping[str, object]]) -> dict[str, object]:
    for wrapper in wrappers:
        for key in HEADERS:
            found = wrapper.get(key)
            found = parsed(found) if isinstance(found, str) else found
            if isinstance(found, Mapping):
                return {str(name).lower(): value for name, value in found.items()}
    return {}


def _delivery(wrappers: list[Mapping[str, object]]) -> dict[str, object]:
    """Return what an item of Zoom's `webhook_logs` says about the endpoint's answer; −1 stands where none came."""
    for wrapper in wrappers:
        status = wrapper.get("status")
        if "request_body" in wrapper and isinstance(status, int) and not isinstance(status, bool):
            return {"answered": status if status > 0 else "none"}
    return {}


def _time(
    event: Mapping[str, object],
    headers: Mapping[str, object],
    wrappers: list[Mapping[str, object]],
    timezone: tzinfo | None,
) -> datetime | None:
    noted = [wrapper[key] for wrapper in wrappers for key in TIMES if key in wrapper]
    candidates = [*noted, headers.get("x-zm-request-timestamp"), event.get("event_ts")]
    return next((found for value in candidates if (found := moment(value, timezone))), None)


def _text(entry: object) -> str:
    return entry if isinstance(entry, str) else repr(entry)[:2000]
