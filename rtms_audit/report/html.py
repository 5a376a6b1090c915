"""The audit as one self-contained HTML page: the matrix, each install explained, the requirements."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rtms_audit import __version__
from rtms_audit.core.matrix import Pivot, Requirements
from rtms_audit.core.verdicts import Diagnosis, Outcome, Verdict
from rtms_audit.report.explain import plan_sentence
from rtms_audit.report.markdown import explanation_parts
from rtms_audit.report.words import LEGEND, MARKS, OUTCOME_WORDS, VERDICT_MARKS, moment, sentence

VERDICT_CLASSES = {
    Verdict.ALLOWS: "ok",
    Verdict.BLOCKS: "bad",
    Verdict.UNKNOWN: "warn",
    Verdict.NOT_APPLICABLE: "none",
    Verdict.ERROR: "bad",
}


def html_report(
    pivot: Pivot,
    requirements: Requirements,
    diagnoses: Iterable[Diagnosis],
    *,
    title: str,
    made_at: datetime | None = None,
) -> str:
    """Return the whole audit as one page that loads nothing; every text from elsewhere is escaped.

    `made_at` is the time of the knowledge that the page shows; left out, the page is the same at any time.
    """
    judged = tuple(diagnoses)
    page = _templates().get_template("report.html.j2")
    return page.render(
        title=title,
        version=__version__,
        made_at=made_at,
        pivot=pivot,
        requirements=requirements,
        diagnoses=judged,
        tally=_tally(judged),
        anchors={one.install: f"install-{number}" for number, one in enumerate(judged, start=1)},
        parts=explanation_parts,
        plan_sentence=plan_sentence,
        moment=moment,
        sentence=sentence,
        outcome_words=OUTCOME_WORDS,
        marks=MARKS,
        legend=LEGEND,
        verdict_marks=VERDICT_MARKS,
        verdict_classes=VERDICT_CLASSES,
    )


def _prose(text: str) -> Markup:
    """Return an escaped text in which what stands between backticks is shown as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped just before


def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("rtms_audit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["prose"] = _prose
    return templates


def _tally(diagnoses: tuple[Diagnosis, ...]) -> list[tuple[str, int]]:
    """Return how many installs ended how, in the order of the outcomes."""
    counts = Counter(one.outcome for one in diagnoses)
    return [(OUTCOME_WORDS[outcome], counts[outcome]) for outcome in Outcome if counts[outcome]]
