"""Which renderer writes what: one table per command instead of branches."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from rtms_audit.core.matrix import pivot, requirements
from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.report.explain import explanation
from rtms_audit.report.matrix_table import pivot_table, requirements_table
from rtms_audit.report.table import PLAIN, Style

Diagnoses: TypeAlias = Sequence[Diagnosis]


def matrix_text(diagnoses: Diagnoses, *, layout: str, format_: str, style: Style = PLAIN) -> str:
    """Return the matrix; `layout` is `pivot` or `requirements`, `format_` table, json, csv, markdown or html."""
    writers: Mapping[tuple[str, str], Callable[[Diagnoses, Style], str]] = {
        ("pivot", "table"): lambda judged, style: pivot_table(pivot(judged), style),
        ("requirements", "table"): lambda judged, style: requirements_table(requirements(judged), style),
        ("pivot", "csv"): _csv_pivot,
        ("requirements", "csv"): _csv_requirements,
        ("pivot", "markdown"): _markdown_pivot,
        ("requirements", "markdown"): _markdown_requirements,
        ("pivot", "json"): _json,
        ("requirements", "json"): _json,
        ("pivot", "html"): _html,
        ("requirements", "html"): _html,
    }
    return writers[layout, format_](diagnoses, style)


def explanations_text(diagnoses: Diagnoses, *, format_: str, style: Style = PLAIN) -> str:
    """Return the explanations of installs, with the matrix before them where there are several.

    `format_` is table (which is plain text), json or markdown.
    """
    if format_ == "json":
        return _json(diagnoses, style)
    if format_ == "markdown":
        return _markdown_explanations(diagnoses)
    parts = [pivot_table(pivot(diagnoses), style) + "\n"] if len(diagnoses) > 1 else []
    return "\n\n".join([*parts, *(explanation(one, width=style.width) for one in diagnoses)])


def report_text(diagnoses: Diagnoses, *, format_: str, title: str, made_at: datetime | None = None) -> str:
    """Return the whole audit as one page; `format_` is markdown or html."""
    if format_ == "html":
        from rtms_audit.report.html import html_report

        return html_report(pivot(diagnoses), requirements(diagnoses), diagnoses, title=title, made_at=made_at)
    from rtms_audit.report.markdown import markdown_report

    return markdown_report(pivot(diagnoses), requirements(diagnoses), diagnoses, title=title)


def _json(diagnoses: Diagnoses, _style: Style) -> str:
    from rtms_audit.report.json_ import json_diagnoses

    return json_diagnoses(diagnoses)


def _html(diagnoses: Diagnoses, _style: Style) -> str:
    return report_text(diagnoses, format_="html", title="RTMS audit")


def _csv_pivot(diagnoses: Diagnoses, _style: Style) -> str:
    from rtms_audit.report.csv_ import csv_diagnoses

    return csv_diagnoses(diagnoses)


def _csv_requirements(diagnoses: Diagnoses, _style: Style) -> str:
    from rtms_audit.report.csv_ import csv_requirements

    return csv_requirements(requirements(diagnoses))


def _markdown_pivot(diagnoses: Diagnoses, _style: Style) -> str:
    from rtms_audit.report.markdown import markdown_pivot

    return markdown_pivot(pivot(diagnoses))


def _markdown_requirements(diagnoses: Diagnoses, _style: Style) -> str:
    from rtms_audit.report.markdown import markdown_requirements

    return markdown_requirements(requirements(diagnoses))


def _markdown_explanations(diagnoses: Diagnoses) -> str:
    from rtms_audit.report.markdown import markdown_explanation, markdown_pivot

    parts = [markdown_pivot(pivot(diagnoses))] if len(diagnoses) > 1 else []
    return "\n".join([*parts, *(markdown_explanation(one) for one in diagnoses)])
