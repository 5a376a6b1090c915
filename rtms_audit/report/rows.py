"""Headed rows in every format that has them."""

from collections.abc import Iterable, Sequence

from rtms_audit.report.table import PLAIN, Style, rows_table


def rows_text(headers: Sequence[str], rows: Iterable[Sequence[object]], *, format_: str, style: Style = PLAIN) -> str:
    """Return headed rows; `format_` is table, csv, markdown, or json, which makes a list of objects."""
    if format_ == "json":
        from rtms_audit.report.json_ import json_text

        return json_text([dict(zip(headers, row, strict=True)) for row in rows])
    if format_ == "csv":
        from rtms_audit.report.csv_ import csv_rows

        return csv_rows(headers, rows)
    if format_ == "markdown":
        from rtms_audit.report.markdown import markdown_rows

        return markdown_rows(headers, rows)
    return rows_table(headers, rows, style)
