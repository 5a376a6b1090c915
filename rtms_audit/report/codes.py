"""The tables of Zoom's codes, and one code in full, for people and scripts."""

from collections.abc import Sequence

from rtms_audit.core.codes import KINDS, Code, CodeKind
from rtms_audit.report.rows import rows_text
from rtms_audit.report.table import PLAIN, Style
from rtms_audit.report.words import capital, person, wrap

COLUMNS = ("kind", "number", "name", "meaning", "fault", "remedy", "trap", "source", "date", "confidence", "valid")


def kinds_text(*, format_: str, style: Style = PLAIN) -> str:
    """Return the list of kinds: id, title, how many codes."""
    rows = [(kind.id, kind.title, len(kind.codes)) for kind in KINDS.values()]
    return rows_text(("kind", "what it numbers", "codes"), rows, format_=format_, style=style)


def kind_text(kind: CodeKind, *, format_: str, style: Style = PLAIN) -> str:
    """Return one table of codes; as a terminal's table it is short and has the table's note above it."""
    if format_ != "table":
        return codes_text(kind.codes, format_=format_, style=style)
    rows = [(code.number, code.name, code.meaning) for code in kind.codes]
    table = rows_text(("number", "name", "meaning"), rows, format_="table", style=style)
    hint = f"`rtms-audit codes {kind.id} NUMBER` says what to do about one."
    return "\n".join([kind.title, *wrap(kind.note, style.width), table, hint])


def codes_text(codes: Sequence[Code], *, format_: str, style: Style = PLAIN) -> str:
    """Return codes in full: as paragraphs for a terminal, as rows for the other formats."""
    if format_ == "table":
        return "\n\n".join("\n".join(_paragraph(code, style.width)) for code in codes)
    return rows_text(COLUMNS, [_row(code) for code in codes], format_=format_, style=style)


def _row(code: Code) -> tuple[object, ...]:
    return (
        code.kind,
        code.number,
        code.name,
        code.meaning,
        str(code.fault),
        code.remedy,
        code.trap,
        " ".join(code.source),
        code.date,
        str(code.confidence),
        _valid(code),
    )


def _paragraph(code: Code, width: int) -> list[str]:
    lines = [f"{code.kind} {code.number}  {code.name}"]
    parts = {
        "means": code.meaning,
        "at fault": capital(person(code.fault)),
        "do": code.remedy,
        "trap": code.trap,
        "valid": _valid(code),
        "known": f"{code.confidence}, {code.date}, from {' '.join(code.source)}",
    }
    for name, text in parts.items():
        if text:
            lines += wrap(text, min(width, 100), first=f"  {name + ':':<10}", rest=" " * 12)
    return lines


def _valid(code: Code) -> str:
    since = f"from {code.valid_from}" if code.valid_from else ""
    until = f"until {code.valid_to}" if code.valid_to else ""
    return " ".join(part for part in (since, until) if part)
