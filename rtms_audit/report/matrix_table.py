"""The matrix for a terminal, in its two layouts."""

from collections.abc import Mapping, Sequence

from rtms_audit.core.matrix import Cell, Pivot, Requirements
from rtms_audit.core.verdicts import Decision, Verdict
from rtms_audit.report.table import (
    BOLD,
    BORDERS,
    DIM,
    GREEN,
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
EMPTY = "No installs are known yet: `rtms-audit account add` and `rtms-audit install` come first."


def pivot_table(pivot: Pivot, style: Style = PLAIN) -> str:
    """Return accounts × environments, grouped by plan, each cell the outcome and its first cause."""
    accounts = [plain(row.account) for _, rows in pivot.groups for row in rows]
    if not accounts:
        return EMPTY
    fixed = [_widest(accounts, "account", 24), _widest([str(r.plan) for _, g in pivot.groups for r in g], "plan", 12)]
    room = _share(style.width, fixed, len(pivot.environments))
    body = []
    for title, rows in pivot.groups:
        body.append([style.paint(line, BOLD) for line in _full_row(title, len(pivot.environments) + 2)])
        for row in rows:
            cells = [_cell(row.cells.get(environment), room, style) for environment in pivot.environments]
            body.append([wrapped(row.account, fixed[0]), str(row.plan), *cells])
    return grid(["account", "plan", *map(str, pivot.environments)], body)


def _full_row(title: str, count: int) -> list[str]:
    return [plain(title), *[""] * (count - 1)]


def _cell(cell: Cell | None, room: int, style: Style) -> str:
    if cell is None:
        return style.paint(MARKS["none"], DIM)
    lines = wrap(cell.text, room, first=f"{MARKS[cell.mark]} ", rest="  ", most=6)
    return "\n".join(style.paint(line, MARK_COLOURS[cell.mark]) for line in lines)


def requirements_table(requirements: Requirements, style: Style = PLAIN) -> str:
    """Return installs × links of the causal chain: a mark for each, and under it what blocks and what is not known."""
    if not requirements.rows:
        return EMPTY
    installs = [str(row.install) for row in requirements.rows]
    letters = [str(number) for number in range(1, len(installs) + 1)]
    body = [
        [plain(title), *(_verdict(row.cells, check, style) for row in requirements.rows)]
        for check, title in requirements.checks
    ]
    legend = [f"{number:>3}  {plain(install)}" for number, install in zip(letters, installs, strict=True)]
    title_room = max(NARROWEST, style.width - 6 * len(installs) - 4)
    body = [[wrapped(row[0], title_room), *row[1:]] for row in body]
    table = outline(["requirement", *letters], body)
    return "\n".join([table, LEGEND, "", *legend, *_open_links(requirements, style)])


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
    return min(most, max(map(columns, [header, *texts])))


def _share(width: int, fixed: Sequence[int], count: int) -> int:
    borders = BORDERS * (len(fixed) + count) + 1
    return max(NARROWEST, (width - sum(fixed) - borders) // max(count, 1))
