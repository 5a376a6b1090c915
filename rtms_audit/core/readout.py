"""What came out of a file that was not made for this program: observations, and the lines nobody understood."""

from dataclasses import dataclass

from rtms_audit.core.model import Observation
from rtms_audit.core.redact import redact_text

LONGEST = 400
"""The longest piece of a line that is kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line (or an entry) by its number, counted from 1; `text` is shortened and holds no secrets."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Readout:
    """What a foreign file said.

    `understood` counts the lines (or entries) that became observations, `routine` those that are known to say nothing
    of how a join went, `not_understood` holds the others.
    """

    observations: tuple[Observation, ...]
    understood: int = 0
    routine: int = 0
    not_understood: tuple[Line, ...] = ()


def shown(text: str) -> str:
    """Return a piece of a foreign file as it may be kept and shown: one line, no secrets, of bounded length."""
    line = " ".join(redact_text(text[: 4 * LONGEST]).split())
    printable = "".join(letter for letter in line if letter.isprintable())
    return printable if len(printable) <= LONGEST else f"{printable[: LONGEST - 1]}…"
