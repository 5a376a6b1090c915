"""The words, marks and times that every format shares, and how text from elsewhere is made safe to show."""

import re
import textwrap
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

from rtms_audit.core.verdicts import HypothesisStatus, Outcome, Status, Verdict

OUTCOME_WORDS = {
    Outcome.STARTED: "started",
    Outcome.STOPPED_EARLY: "stopped early",
    Outcome.NOT_STARTED: "did not start",
    Outcome.NOT_ATTEMPTED: "never tried",
    Outcome.DEGRADED: "ran, media missing",
    Outcome.UNKNOWN: "not known",
}
"""An outcome as people read it."""

MARKS = {"ok": "✓", "warn": "?", "bad": "✗", "none": "–"}
"""A cell's mark as one character."""

VERDICT_MARKS = {
    Verdict.ALLOWS: "✓",
    Verdict.BLOCKS: "✗",
    Verdict.UNKNOWN: "?",
    Verdict.NOT_APPLICABLE: "–",
    Verdict.ERROR: "!",
}
"""A check's verdict as one character."""

CERTAINTY_WORDS = {
    Status.CONFIRMED: "Confirmed",
    Status.LIKELY: "Likely",
    Status.POSSIBLE: "Possible",
}

HYPOTHESIS_WORDS = {
    HypothesisStatus.CONFIRMED: "confirmed",
    HypothesisStatus.LIKELY: "likely",
    HypothesisStatus.POSSIBLE: "possible",
    HypothesisStatus.RULED_OUT: "ruled out",
    HypothesisStatus.OPEN: "open",
}

LEGEND = "✓ allows   ✗ blocks   ? not known   – does not apply   ! the check itself broke"


def plain(text: str) -> str:
    """Return the text as one line without control or direction characters, so that evidence cannot drive a terminal."""
    shown = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": ""}
    return "".join(shown.get(unicodedata.category(letter), letter) for letter in text).strip()


def person(who: str) -> str:
    """Return a role such as `app-owner` as words."""
    return plain(who).replace("-", " ")


def capital(text: str) -> str:
    """Return the text with its first letter raised, unless it begins with a name such as `onLeave` or `dev-co`."""
    return text[:1].upper() + text[1:] if re.match(r"[a-z]+('s)?[,:;.]?(\s|$)", text) else text


def sentence(text: str) -> str:
    """Return the text with a capital at its beginning and a stop at its end."""
    return stopped(capital(text.strip()))


def stopped(text: str) -> str:
    """Return the text with a stop at its end."""
    text = text.rstrip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def evidence_note(evidence: Iterable[str], *, most: int = 6) -> str:
    """Return ` [o1, o3]`, or nothing where there is no evidence; beyond `most` ids it tells how many more there are."""
    ids = [plain(one) for one in evidence]
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return f" [{', '.join(ids[:most])}{more}]" if ids else ""


def moment(at: datetime | None) -> str:
    """Return a time in UTC with its date, to the millisecond where it has any."""
    if at is None:
        return "time unknown"
    return f"{at.astimezone(UTC):%Y-%m-%d} {clock_time(at)} UTC"


def clock_time(at: datetime | None) -> str:
    """Return the time of day in UTC, `hh:mm:ss` or `hh:mm:ss.mmm`; blank where it is not known."""
    if at is None:
        return ""
    at = at.astimezone(UTC)
    return f"{at:%H:%M:%S}" + (f".{at.microsecond // 1000:03d}" if at.microsecond else "")


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; East Asian wide letters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def wrap(text: str, width: int, *, first: str = "", rest: str = "", most: int = 0) -> list[str]:
    """Return a text as lines of at most `width` columns, the first and the others led by their own indent.

    With `most`, what goes beyond that many lines is cut and marked by `…`.
    """
    narrow = width - sum(columns(letter) - 1 for letter in text if columns(letter) == 2)
    room = max(narrow if narrow > width // 2 else width // 2, max(len(first), len(rest)) + 10)
    lines = textwrap.wrap(plain(text), room, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [
        first.rstrip()
    ]
    if most and len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: room - 2].rstrip() + " …"]
    return lines
