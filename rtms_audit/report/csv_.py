"""Comma-separated values: one line per install, or any headed rows."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.report.words import plain

if TYPE_CHECKING:
    from rtms_audit.core.matrix import Requirements

INSTALL_COLUMNS = (
    "install",
    "account",
    "environment",
    "plan",
    "outcome",
    "cause",
    "category",
    "status",
    "reason",
    "remedy_who",
    "remedy_what",
    "remedy_where",
    "evidence",
    "next",
)


def csv_rows(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return headed rows as CSV (RFC 4180 with plain newlines); no cell can act as a formula in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([_harmless(value) for value in row] for row in rows)
    return text.getvalue()


def _harmless(value: object) -> str:
    text = plain("" if value is None else str(value))
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def csv_diagnoses(diagnoses: Iterable[Diagnosis]) -> str:
    """Return one line per install with its first cause; the JSON format holds all of them."""
    return csv_rows(INSTALL_COLUMNS, (_install_row(one) for one in diagnoses))


def _install_row(diagnosis: Diagnosis) -> list[object]:
    cause = diagnosis.leading
    return [
        str(diagnosis.install),
        diagnosis.install.account,
        diagnosis.install.environment,
        diagnosis.plan,
        diagnosis.outcome,
        *([cause.id, cause.category, cause.status, cause.reason] if cause else [None] * 4),
        *([cause.remedy.who, cause.remedy.what, cause.remedy.where] if cause else [None] * 3),
        " ".join(cause.evidence) if cause else None,
        "; ".join(step.fact for step in diagnosis.next),
    ]


def csv_requirements(requirements: "Requirements") -> str:
    """Return one line per install and check: the verdict, its reason and its evidence."""
    rows = (
        (row.install, check, title, decision.verdict, decision.reason, " ".join(decision.evidence))
        for row in requirements.rows
        for check, title in requirements.checks
        if (decision := row.cells.get(check)) is not None
    )
    return csv_rows(("install", "check", "title", "verdict", "reason", "evidence"), rows)
