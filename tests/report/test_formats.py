"""The matrix, the explanations and the report in every format."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.report.formats import explanations_text, matrix_text, report_text
from rtms_audit.report.table import Style
from rtms_audit.report.words import columns

Snapshot = Callable[[str, str], None]
Changed = Callable[..., Diagnosis]
EVIL = "<script>alert(1)</script>|*x*\x1b[31m"


@pytest.fixture
def both(developer: Diagnosis, external: Diagnosis) -> tuple[Diagnosis, ...]:
    """Give both rows of the seed."""
    return developer, external


@pytest.mark.parametrize(
    ("layout", "format_", "name"),
    [
        ("pivot", "table", "pivot.txt"),
        ("requirements", "table", "requirements.txt"),
        ("pivot", "csv", "pivot.csv"),
        ("requirements", "csv", "requirements.csv"),
        ("pivot", "markdown", "pivot.md"),
        ("requirements", "markdown", "requirements.md"),
    ],
)
def test_matrix_reads_as_kept(
    both: tuple[Diagnosis, ...], snapshot: Snapshot, layout: str, format_: str, name: str
) -> None:
    """Each format of each layout is what a reviewer has seen."""
    snapshot(matrix_text(both, layout=layout, format_=format_), name)


@pytest.mark.parametrize("layout", ["pivot", "requirements"])
def test_both_layouts_give_the_same_json(both: tuple[Diagnosis, ...], layout: str) -> None:
    """Scripts get the same records under `installs`, whatever the layout."""
    document = json.loads(matrix_text(both, layout=layout, format_="json"))
    assert document["format"] == "rtms-audit/diagnosis@1"
    assert {one["install"] for one in document["installs"]} == {"developer/production", "external/production"}
    assert document == json.loads(explanations_text(both, format_="json"))


@pytest.mark.parametrize("width", [70, 80, 100, 120, 200])
@pytest.mark.parametrize("layout", ["pivot", "requirements"])
def test_matrix_keeps_to_the_terminal(both: tuple[Diagnosis, ...], layout: str, width: int) -> None:
    """No line is wider than the terminal."""
    text = matrix_text(both, layout=layout, format_="table", style=Style(width=width))
    assert max(map(columns, text.splitlines())) <= width


def test_colours_tell_what_marks_tell(both: tuple[Diagnosis, ...]) -> None:
    """Colour adds nothing that cannot be read without it."""
    coloured = matrix_text(both, layout="pivot", format_="table", style=Style(colour=True))
    assert "\x1b[31m✗" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == matrix_text(both, layout="pivot", format_="table")


def test_very_many_installs_make_several_tables(changed: Changed) -> None:
    """Requirements of more installs than fit beside each other are broken into tables."""
    many = [changed(install=InstallKey(f"a{n:03}", Environment.PRODUCTION)) for n in range(60)]
    text = matrix_text(many, layout="requirements", format_="table", style=Style(width=100))
    assert max(map(columns, text.splitlines())) <= 100
    assert text.count("requirement ") > 3
    assert "  60  a059/production" in text


@pytest.mark.parametrize("layout", ["pivot", "requirements"])
@pytest.mark.parametrize("format_", ["table", "json", "csv", "markdown", "html"])
def test_nothing_known_is_no_error(layout: str, format_: str) -> None:
    """An empty store makes an empty matrix that says what comes first."""
    text = matrix_text((), layout=layout, format_=format_)
    assert text
    assert ("account add" in text) == (format_ == "table")


def test_one_explanation_stands_alone_and_several_follow_their_matrix(
    both: tuple[Diagnosis, ...], developer: Diagnosis
) -> None:
    """The matrix comes first where there is more than one install."""
    assert explanations_text((developer,), format_="table").startswith("developer/production: stopped early\n")
    several = explanations_text(both, format_="table")
    assert several.startswith("┌")
    assert several.index("developer/production:") < several.index("external/production:")
    assert explanations_text(both, format_="markdown").startswith("| account |")
    assert explanations_text((developer,), format_="markdown").startswith("## developer/production")


def test_markdown_report_reads_as_kept(both: tuple[Diagnosis, ...], snapshot: Snapshot) -> None:
    """The whole Markdown page is what a reviewer has seen."""
    snapshot(report_text(both, format_="markdown", title="RTMS audit of Notes"), "report.md")


def test_html_report_reads_as_kept(both: tuple[Diagnosis, ...], snapshot: Snapshot) -> None:
    """The whole HTML page is what a reviewer has seen."""
    snapshot(report_text(both, format_="html", title="RTMS audit of Notes"), "report.html")


class Page(HTMLParser):
    """Collects what a browser would load or run, where links lead, and whether tags are closed in order."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and what it refers to."""
        self.tags.append(tag)
        self.open += [] if tag in self.VOID else [tag]
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name in ("src", "srcset", "action", "data") or name.startswith("on"):
                self.loads.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        """Hold that tags are closed in the order of their opening."""
        assert self.open.pop() == tag


def page_of(html: str) -> Page:
    """Parse a page to its end."""
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def test_html_shows_code_and_sentences(changed: Callable[..., Diagnosis]) -> None:
    """What stands between backticks is code on the page, still escaped, and a summary begins with a capital."""
    one = changed(summary="nothing came; set `webhook <url>`")
    html = report_text([one], format_="html", title="x")
    assert "Nothing came; set <code>webhook &lt;url&gt;</code>." in html
    assert "`" not in html.split("</style>")[1]


def test_html_page_is_self_contained(both: tuple[Diagnosis, ...]) -> None:
    """The page loads nothing and runs nothing, and every link leads to a place in it."""
    html = report_text(both, format_="html", title="x", made_at=datetime(2026, 3, 2, tzinfo=UTC))
    page = page_of(html)
    assert page.loads == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in html
    assert "@import" not in html
    assert "2026-03-02 00:00:00 UTC" in html


def test_html_page_serves_dark_light_print_and_readers(both: tuple[Diagnosis, ...]) -> None:
    """The page has both colour schemes, a print style, a language, headers of rows and columns, and a skip link."""
    html = report_text(both, format_="html", title="x")
    for piece in ('lang="en"', "prefers-color-scheme: dark", "@media print", 'scope="row"', 'scope="col"', "#matrix"):
        assert piece in html


@pytest.mark.parametrize("format_", ["markdown", "html"])
def test_evidence_cannot_write_markup(changed: Changed, format_: str) -> None:
    """Text of the evidence stays text in every page."""
    evil = changed(install=InstallKey(EVIL, Environment.PRODUCTION), summary=EVIL, plan_reason=EVIL)
    text = report_text((evil,), format_=format_, title=EVIL)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "*x*" not in text.replace("\\*x\\*", "") or format_ == "html"


def test_csv_cells_are_no_formulas(changed: Changed) -> None:
    """A spreadsheet that opens the file runs nothing of it, and line breaks stay within their cell."""
    evil = changed(install=InstallKey("=cmd()", Environment.PRODUCTION))
    text = matrix_text((evil,), layout="pivot", format_="csv")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["account"] == "'=cmd()"


def test_install_without_cause_has_empty_cells_in_csv(changed: Changed) -> None:
    """A started install has an outcome and no cause."""
    (row,) = csv.DictReader(io.StringIO(matrix_text((changed(causes=()),), layout="pivot", format_="csv")))
    assert row["cause"] == row["remedy_who"] == ""
