"""Tables for a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.report.rows import rows_text
from rtms_audit.report.table import NARROWEST, Style, rows_table
from rtms_audit.report.words import columns

ROWS = [("o1", "a short text", None), ("o2", "a text that is long enough to be broken into several lines", 3)]


def test_rows_fit_the_width() -> None:
    """The widest column gives way, and nothing of its text is lost."""
    text = rows_table(("id", "text", "n"), ROWS, Style(width=40))
    assert max(map(columns, text.splitlines())) <= 40
    assert " ".join(text.replace("│", " ").split()).count("several") == 1


def test_short_rows_make_a_light_table() -> None:
    """Without broken lines there are no lines between the rows."""
    text = rows_table(("id", "text"), [("o1", "a"), ("o2", "b")])
    assert text.splitlines() == [
        "┌──────┬────────┐",
        "│ id   │ text   │",
        "├──────┼────────┤",
        "│ o1   │ a      │",
        "│ o2   │ b      │",
        "└──────┴────────┘",
    ]


def test_colour_is_only_where_it_is_wanted() -> None:
    """A plain style leaves text alone, a coloured one colours each line by itself."""
    assert Style().paint("a\nb", "31") == "a\nb"
    assert Style(colour=True).paint("a\nb", "31") == "\033[31ma\033[0m\n\033[31mb\033[0m"
    assert Style(colour=True).paint("", "31") == ""


def test_evidence_cannot_drive_the_terminal() -> None:
    """Control characters of the evidence never reach the terminal."""
    assert "\x1b" not in rows_table(("a",), [("\x1b[2Jgone",)])


@given(
    rows=st.lists(st.tuples(st.text(max_size=200), st.text(max_size=30), st.integers()), max_size=8),
    width=st.integers(90, 200),
)
def test_any_rows_fit_any_terminal(rows: list[tuple[str, str, int]], width: int) -> None:
    """Whatever the rows hold, the table stays within the terminal."""
    text = rows_table(("first", "second", "third"), rows, Style(width=width))
    assert max(map(columns, text.splitlines())) <= max(width, 3 * NARROWEST)


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("json", '[\n  {\n    "id": "o1",\n    "n": null\n  }\n]\n'),
        ("csv", "id,n\no1,\n"),
        ("markdown", "| id | n |\n| --- | --- |\n| o1 |  |\n"),
    ],
)
def test_rows_in_other_formats(format_: str, expected: str) -> None:
    """The same rows are JSON objects, CSV lines or a Markdown table."""
    assert rows_text(("id", "n"), [("o1", None)], format_=format_) == expected
