"""Cuts the text of a log into records: one message each, with its time, over as many lines as it takes.

Known heads are those of the native library (`11/23/2026 02:07:30:567 UTIL [pid:tid:thread] INFO …`), of the SDKs' own
loggers (`client | 2026-11-23 02:07:30 | INFO | …`), of JSON logs, and any line with an ISO-like time near its start.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from rtms_audit.core.webhook_dump import is_event, moment

LONGEST_RECORD = 120
"""How many lines a record may have."""
LONGEST_LINE = 20_000
"""How much of a line is read."""
LOOKED_THROUGH = 2_000
"""In how many lines the zone of a native log is looked for; it stands in the library's first."""

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NATIVE = re.compile(
    r"(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d{4}) (?P<clock>\d\d:\d\d:\d\d)[:.](?P<ms>\d{3})\s+"
    r"(?P<module>\w+)\s+\[[\d:]+\]\s+(?P<level>[A-Z]+)\s+(?P<message>.*)",
    re.DOTALL,
)
_STAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,:](\d{1,6}))?\d*\s?(Z\b|[+-]\d\d:?\d\d\b|UTC\b|GMT\b)?"
)
_GMT = re.compile(r"(\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d) GMT")
_LOG_TIMES = ("timestamp", "time", "ts", "@timestamp", "date")
_LOG_MESSAGES = ("message", "msg", "log", "text")


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a log; `number` is its first line, counted from 1, `lines` how many it takes.

    `module` and `level` are those of the native library, empty for other logs. `document` is the mapping that a JSON
    line held, or None.
    """

    number: int
    lines: int
    message: str
    at: datetime | None = None
    module: str = ""
    level: str = ""
    document: Mapping[str, object] | None = None


def records(text: str, zone: tzinfo | None) -> Iterator[Record]:
    """Cut a log into records; blank lines are left out.

    Times without a zone are read in `zone`; where that is None, in the zone that the native library's first line gives
    away (it says the time of day in GMT too); where there is none, they are left out.
    """
    lines = [_COLOURS.sub("", line[:LONGEST_LINE].rstrip("\r")) for line in text.split("\n")]
    zone = zone or _native_zone(lines)
    balances = [line.count("{") - line.count("}") for line in lines]
    heads = [bool(_NATIVE.search(line[:200])) for line in lines]
    index = 0
    while index < len(lines):
        count = _extent(balances, heads, index)
        if count > 1 and "".join(lines[index + count : index + count + 1]).startswith(", this = "):
            count += 1  # the native library's tail of a message, on a line of its own
        whole = "\n".join(lines[index : index + count])
        if whole.strip():
            yield _record(whole, index + 1, count, zone)
        index += count


def _extent(balances: list[int], heads: list[bool], start: int) -> int:
    """Return how many lines a record has that begins here: on to where its braces are closed, else one."""
    balance = balances[start]
    if balance <= 0:
        return 1
    for index in range(start + 1, min(start + LONGEST_RECORD, len(balances))):
        balance += balances[index]
        if heads[index]:
            return 1
        if balance <= 0:
            return index - start + 1
    return 1


def _record(whole: str, number: int, count: int, zone: tzinfo | None) -> Record:
    native = _NATIVE.search(whole[: LONGEST_LINE * 2])
    if native and native.start() < 80:
        local = f"{native['year']}-{native['month']}-{native['day']}T{native['clock']}.{native['ms']}"
        return Record(number, count, native["message"], moment(local, zone), native["module"], native["level"])
    document = _json_line(whole)
    if document is not None:
        return _json_record(document, whole, number, count, zone)
    stamp = _STAMP.search(whole[:120])
    return Record(number, count, whole, moment(_iso(stamp), zone) if stamp else None)


def _iso(stamp: re.Match[str]) -> str:
    day, clock, fraction, zone = stamp.groups()
    zone = "+00:00" if zone in ("Z", "UTC", "GMT") else zone or ""
    return f"{day}T{clock}.{(fraction or '0').ljust(6, '0')}{zone}"


def _json_line(whole: str) -> Mapping[str, object] | None:
    if not whole.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(whole)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json_record(document: Mapping[str, object], whole: str, number: int, count: int, zone: tzinfo | None) -> Record:
    """Return a record of a JSON line: a log entry's message, or the line itself where it is a message of Zoom's."""
    said = next((value for key in _LOG_MESSAGES if isinstance(value := document.get(key), str)), whole)
    times = (moment(document[key], zone) for key in _LOG_TIMES if key in document)
    at = next((time for time in times if time), None)
    if is_event(document) or "msg_type" in document:
        said = whole
    return Record(number, count, said, at, document=document)


def _native_zone(lines: list[str]) -> tzinfo | None:
    """Return the zone of a native log: what a line's own time differs from the GMT that the same line holds."""
    for line in lines[:LOOKED_THROUGH]:
        native, gmt = _NATIVE.search(line[:400]), _GMT.search(line[:400])
        if native and gmt:
            return _difference(f"{native['year']}-{native['month']}-{native['day']}T{native['clock']}+00:00", gmt[1])
    return None


def _difference(here: str, there: str) -> tzinfo | None:
    try:
        gmt = datetime.strptime(there, "%d %b %Y %H:%M:%S").replace(tzinfo=UTC)
        quarters = round((datetime.fromisoformat(here) - gmt) / timedelta(minutes=15))
        return timezone(quarters * timedelta(minutes=15))
    except (ValueError, OverflowError):
        return None
