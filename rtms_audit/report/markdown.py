"""Markdown that renders the same on code hosts and in forums; text from elsewhere cannot add markup."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rtms_audit.core.verdicts import Diagnosis, TimelineEntry
from rtms_audit.report.explain import (
    cause_sentence,
    contradiction_sentences,
    no_cause_sentence,
    plan_sentence,
    questions,
    remedies,
    ruled_out_sentences,
)
from rtms_audit.report.words import (
    HYPOTHESIS_WORDS,
    LEGEND,
    MARKS,
    OUTCOME_WORDS,
    VERDICT_MARKS,
    evidence_note,
    moment,
    plain,
    sentence,
    stopped,
)

if TYPE_CHECKING:
    from rtms_audit.core.matrix import Pivot, Requirements


def escape(text: str) -> str:
    """Return text as one line in which no character is markup, HTML or a table's border."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", plain(text)).replace("&", "&amp;")


def markdown_rows(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return headed rows as a Markdown table."""
    lines = [_row(headers), "|" + " --- |" * len(headers)]
    lines += [_row(["" if value is None else str(value) for value in row]) for row in rows]
    return "\n".join(lines) + "\n"


def _row(values: Sequence[str]) -> str:
    return "| " + " | ".join(escape(value) for value in values) + " |"


def markdown_pivot(pivot: "Pivot") -> str:
    """Return accounts × environments as a Markdown table, with the plan of each account."""
    rows = (
        [row.account, str(row.plan)]
        + [f"{MARKS[cell.mark]} {cell.text}" if (cell := row.cells.get(one)) else "–" for one in pivot.environments]
        for _, group in pivot.groups
        for row in group
    )
    return markdown_rows(["account", "plan", *map(str, pivot.environments)], rows)


def markdown_requirements(requirements: "Requirements") -> str:
    """Return checks × installs as a Markdown table of marks with its legend."""
    rows = (
        [title, *(VERDICT_MARKS[one.verdict] if (one := row.cells.get(check)) else "–" for row in requirements.rows)]
        for check, title in requirements.checks
    )
    table = markdown_rows(["requirement", *(str(row.install) for row in requirements.rows)], rows)
    return f"{table}\n{LEGEND}\n"


def markdown_explanation(diagnosis: Diagnosis, *, level: int = 2) -> str:
    """Return the explanation of one install as Markdown; `level` is that of its heading."""
    mark = "#" * level
    title = f"{mark} {escape(str(diagnosis.install))}: {OUTCOME_WORDS[diagnosis.outcome]}"
    intro = [sentence(diagnosis.summary)] if diagnosis.summary else []
    parts = [title, *map(escape, [*intro, plan_sentence(diagnosis)])]
    for heading, items in explanation_parts(diagnosis):
        if items:
            parts += [f"{mark}# {heading}", "\n".join(f"- {escape(item)}" for item in items)]
    return "\n\n".join(parts) + "\n"


def explanation_parts(diagnosis: Diagnosis) -> list[tuple[str, list[str]]]:
    """Return the headings of an explanation, each with its sentences, complete and in reading order."""
    causes = [cause_sentence(cause) for cause in diagnosis.causes] or [no_cause_sentence(diagnosis)]
    return [
        ("What happened", [timeline_sentence(entry) for entry in diagnosis.timeline]),
        ("Why", causes),
        ("What contradicts itself", contradiction_sentences(diagnosis)),
        ("What speaks against the others", ruled_out_sentences(diagnosis)),
        (
            "The four hypotheses",
            [f"{one.title}, {HYPOTHESIS_WORDS[one.status]}: {stopped(one.reason)}" for one in diagnosis.hypotheses],
        ),
        ("What to do", remedies(diagnosis)),
        ("What to find out next", questions(diagnosis)),
    ]


def timeline_sentence(entry: TimelineEntry) -> str:
    """Return one step: time, evidence id, what was seen, and what its code means."""
    reading = f": {entry.reading}" if entry.reading else ""
    return f"{moment(entry.at)}{evidence_note([entry.id])} {entry.text}{reading}"


def markdown_timeline(diagnosis: Diagnosis) -> str:
    """Return every step that was seen of an install, in the order of time, as a Markdown page."""
    rows = ((entry.id, moment(entry.at), entry.text, entry.reading, entry.source) for entry in diagnosis.timeline)
    table = markdown_rows(["evidence", "time", "what was seen", "what it means", "source"], rows)
    return f"# Timeline of {escape(str(diagnosis.install))}\n\n{table}"


def markdown_report(pivot: "Pivot", requirements: "Requirements", diagnoses: Iterable[Diagnosis], *, title: str) -> str:
    """Return the whole audit as one Markdown page: matrix, explanations, requirements."""
    parts = [f"# {escape(title)}", "## Matrix", markdown_pivot(pivot).rstrip()]
    parts += [markdown_explanation(one).rstrip() for one in diagnoses]
    parts += ["## Requirements", markdown_requirements(requirements).rstrip()]
    return "\n\n".join(parts) + "\n"
