"""What one of Zoom's numbers or words means, who has to act on it, and where that is known from."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How a meaning is known, strongest first."""

    DOCUMENTED = "documented"
    """Zoom's documentation, specification or SDK says so."""
    STAFF = "staff"
    """A Zoom employee said so on the developer forum."""
    MEASURED = "measured"
    """Measured with Zoom's RTMS SDK for Python 1.1.0 on a loopback server: the SDK's doing, not the servers'."""
    OBSERVED = "observed"
    """A named third party reports a live result."""
    COMMUNITY = "community"
    """Third-party code or text asserts it."""
    SECONDARY = "secondary"
    """A public document quotes a source whose own text was not read."""
    INFERENCE = "inference"
    """A conclusion of this project."""


class Fault(StrEnum):
    """Whose side the trouble is on."""

    NOBODY = "nobody"
    RECEIVER = "receiver"
    APP_OWNER = "app-owner"
    ADMIN = "account-admin"
    HOST = "host"
    STARTER = "starter"
    CALLER = "caller"
    ZOOM = "zoom"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One number or word of Zoom's.

    `date` is that of the source (a day, a month or a year). `valid_from` and `valid_to` are set where Zoom changed the
    meaning at a known day. `trap` says what the code is easily taken for.
    """

    kind: str
    number: int | str
    name: str
    meaning: str
    fault: Fault
    remedy: str
    source: tuple[str, ...]
    date: str
    confidence: Confidence = Confidence.DOCUMENTED
    trap: str = ""
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None

    def holds(self, on: datetime.date | None) -> bool:
        """Whether this meaning held on a day; without a day, whether it still holds."""
        if on is None:
            return self.valid_to is None
        return (self.valid_from or on) <= on <= (self.valid_to or on)


@dataclass(frozen=True, slots=True)
class CodeKind:
    """A table of codes: its id (as the command line takes it), its title, what to know about it, and its codes."""

    id: str
    title: str
    note: str
    codes: tuple[Code, ...]

    def find(self, number: int | str, on: datetime.date | None = None) -> Code | None:
        """Return the code of this table with this number or word as it held on a day, by default today's; else None."""
        wanted = normal(number)
        found = [code for code in self.codes if normal(code.number) == wanted]
        return next((code for code in found if code.holds(on)), found[0] if found else None)


def normal(number: int | str) -> int | str:
    """Return a number for a text that is one (decimal or 0x…), other texts in lower case."""
    if isinstance(number, int):
        return number
    text = number.strip().lower()
    try:
        return int(text, 16 if text.startswith("0x") else 10)
    except ValueError:
        return text


def table(kind: str, rows: Iterable[tuple[int, str, str]], *, source: tuple[str, ...], when: str) -> tuple[Code, ...]:
    """Return the codes of a table whose entries only name things: nobody is at fault and nothing is to be done."""
    return tuple(
        Code(
            kind=kind,
            number=number,
            name=name,
            meaning=meaning,
            fault=Fault.NOBODY,
            remedy="Nothing to do.",
            source=source,
            date=when,
        )
        for number, name, meaning in rows
    )
