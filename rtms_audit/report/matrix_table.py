"""The matrix for a terminal, in its two layouts."""

from collections.abc import Mapping, Sequence

from rtms_audit.core.matrix import Cell, Pivot, RequirementRow, Requirements
from rtms_audit.core.verdicts import Decision, Verdict
from rtms_audit.report.table import (
    BOLD,
    BORDERS,
    DIM,
    GREEN,
    HEADER,
    NARROWEST,
    PLAIN,
    RED,
    YELLOW,
    Style,
    grid,
    outline,
    wrapped,
)
from rtms_audit.report.words import LEGEND, MARKS, VERDICT_MARKS, columns, plain, wrap

MARK_COLOURS = {"ok": GREEN, "warn": YELLOW, "bad": RED, "none": DIM}
VERDICT_COLOURS = {
    Verdict.ALLOWS: GREEN,
    Verdict.BLOCKS: RED,
    Verdict.UNKNOWN: YELLOW,
    Verdict.NOT_APPLICABLE: DIM,
    Verdict.ERROR: RED,
}
TITLE_ROOM, NUMBER_ROOM = 48, 8
"""Columns for a requirement's title, and for each install beside it."""

EMPTY = "No installs are known yet: `rtms-audit account add` and `rtms-audit install` come first."
EMPTY_THEN = "No installs were known then: `rtms-audit matrix` without `--as-of` shows what is known now."


def pivot_table(pivot: Pivot, style: Style = PLAIN) -> str:
    """Return accounts × environments, grouped by plan, each cell the outcome and its first cause."""
    rows = [row for _, group in pivot.groups for row in group]
    if not rows:
        return EMPTY
    plan_room = _widest([str(row.plan) for row in rows], "plan", 12)
    account_room = _widest([plain(row.account) for row in rows], "account", 24)
    room = _share(style.width, [plan_room, account_room], len(pivot.environments))
    body = [
        [
            str(row.plan),
            style.paint(wrapped(row.account, account_room), BOLD),
            *(_cell(row.cells[environment], room, style) for environment in pivot.environments),
        ]
        for row in rows
    ]
    return grid(["plan", "account", *map(str, pivot.environments)], body)


def _cell(cell: Cell, room: int, style: Style) -> str:
    lines = wrap(cell.text, room, first=f"{MARKS[cell.mark]} ", rest="  ", most=4)
    if cell.diagnosis and cell.mark != "ok" and cell.diagnosis.leading:
        lines += wrap(cell.diagnosis.leading.reason, room, first="  ", rest="  ", most=5)
    return "\n".join(style.paint(line, MARK_COLOURS[cell.mark]) for line in lines)


def requirements_table(requirements: Requirements, style: Style = PLAIN) -> str:
    """Return links of the causal chain × installs: a mark for each, and under it in words what blocks.

    Installs stand as numbers with a legend; more than fit beside each other make several tables.
    """
    if not requirements.rows:
        return EMPTY
    numbered = list(enumerate(requirements.rows, start=1))
    beside = max(4, (style.width - TITLE_ROOM) // NUMBER_ROOM)
    tables = [_marks(requirements, numbered[at : at + beside], style) for at in range(0, len(numbered), beside)]
    legend = [f"{number:>4}  {plain(str(row.install))}" for number, row in numbered]
    return "\n".join([*tables, *wrap(LEGEND, style.width), "", *legend, *_open_links(requirements, style)])


def _marks(requirements: Requirements, rows: Sequence[tuple[int, RequirementRow]], style: Style) -> str:
    title_room = max(NARROWEST, style.width - NUMBER_ROOM * len(rows) - BORDERS - 1)
    body = [
        [wrapped(title, title_room), *(_verdict(row.cells, check, style) for _, row in rows)]
        for check, title in requirements.checks
    ]
    return outline(["requirement", *(str(number) for number, _ in rows)], body)


def _verdict(cells: Mapping[str, Decision], check: str, style: Style) -> str:
    decision = cells.get(check)
    verdict = decision.verdict if decision else Verdict.NOT_APPLICABLE
    return style.paint(VERDICT_MARKS[verdict], VERDICT_COLOURS[verdict])


def _open_links(requirements: Requirements, style: Style) -> list[str]:
    """Say in words, for each install, the links that block or broke."""
    lines: list[str] = []
    for row in requirements.rows:
        told = [one for one in row.cells.values() if one.verdict in (Verdict.BLOCKS, Verdict.ERROR)]
        if told:
            lines += ["", style.paint(plain(str(row.install)), BOLD)]
        for decision in told:
            text = f"{decision.title}: {decision.reason}"
            lines += wrap(text, style.width, first=f"  {VERDICT_MARKS[decision.verdict]} ", rest="    ", most=3)
    return lines


def _widest(texts: Sequence[str], header: str, most: int) -> int:
    return min(most, max(columns(header) + HEADER, *map(columns, texts)))


def _share(width: int, fixed: Sequence[int], count: int) -> int:
    borders = BORDERS * (len(fixed) + count) + 1
    return max(NARROWEST, (width - sum(fixed) - borders) // max(count, 1))
