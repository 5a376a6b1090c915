"""Tables for a terminal: as wide as it is, coloured only where it is one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from rtms_audit.report.words import columns, plain, wrap

RED, GREEN, YELLOW, DIM, BOLD = "31", "32", "33", "2", "1"
HEADER = 2
"""Columns that tabulate adds to a header."""
NARROWEST = 18
BORDERS = 3
"""Columns that a table spends on each column's border and padding."""


@dataclass(frozen=True, slots=True)
class Style:
    """How wide the output is, in columns, and whether it may be coloured."""

    width: int = 120
    colour: bool = False

    def paint(self, text: str, colour: str) -> str:
        """Return the text in a colour, each line by itself, or as it is where colour is off."""
        if not self.colour or not text:
            return text
        return "\n".join(f"\033[{colour}m{line}\033[0m" for line in text.split("\n"))


PLAIN = Style()


def rows_table(headers: Sequence[str], rows: Iterable[Sequence[object]], style: Style = PLAIN) -> str:
    """Return rows as a table that fits the width: the widest column gives way first."""
    texts = [[plain("" if value is None else str(value)) for value in row] for row in rows]
    widths = [
        max([columns(head) + HEADER, *(columns(row[place]) for row in texts)]) for place, head in enumerate(headers)
    ]
    while sum(widths) + BORDERS * len(widths) + 1 > style.width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    body = [[wrapped(text, width) for text, width in zip(row, widths, strict=True)] for row in texts]
    several = any("\n" in text for row in body for text in row)
    return grid(headers, body) if several else outline(headers, body)


def wrapped(text: str, width: int) -> str:
    """Return a text as lines of a cell of that width."""
    return "\n".join(wrap(text, max(width, 4)))


def grid(headers: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table with lines between its rows, for cells of several lines."""
    return tabulate(body, list(headers), tablefmt="simple_grid", disable_numparse=True)


def outline(headers: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table with a line under its head only."""
    return tabulate(body, list(headers), tablefmt="simple_outline", disable_numparse=True)
