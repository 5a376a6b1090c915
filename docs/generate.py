"""Writes docs/checks.md and docs/codes.md from the checks and codes themselves; `make docs` runs it."""

import sys
from collections.abc import Iterator
from pathlib import Path

from rtms_audit.core.checks import CHECKS
from rtms_audit.core.codes import KINDS
from rtms_audit.report.checks import checks_text
from rtms_audit.report.codes import kind_text

_GENERATED = "<!-- `make docs` writes this page from the source; edit there. -->"


def checks_page() -> str:
    """Return every check in causal order: a list, then each one's page."""
    return _page(
        "Checks",
        "The links between an installed app and received media, in causal order. All of them are looked at, always; "
        "the first that blocks leads the explanation.",
        checks_text(CHECKS, format_="markdown"),
        *(part for check in CHECKS for part in (f"## {check.id}", check.page, _causes(check.causes))),
    )


def _causes(causes: tuple[str, ...]) -> str:
    return "Causes it can find: " + ", ".join(f"`{cause}`" for cause in causes) + "."


def codes_page() -> str:
    """Return every code of Zoom's that the program knows, kind by kind, each with its source and date."""
    return _page(
        "Codes",
        "What Zoom's numbers and words mean. A number means nothing without its kind: stop reason 18, status 18 and "
        "message type 18 are three things. Numbers that are not here are kept and shown, never rejected.",
        *_kinds(),
    )


def _kinds() -> Iterator[str]:
    for kind in KINDS.values():
        yield f"## {kind.title} (`{kind.id}`)"
        yield kind.note
        yield kind_text(kind, format_="markdown")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", _GENERATED, *(part.strip() for part in parts if part.strip())]) + "\n"


def main(folder: Path) -> None:
    """Write both pages to a folder."""
    (folder / "checks.md").write_text(checks_page(), encoding="utf-8")
    (folder / "codes.md").write_text(codes_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
