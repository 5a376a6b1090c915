"""The checks as a list, and one check as its page."""

from collections.abc import Sequence

from rtms_audit.core.checks.check import Check
from rtms_audit.report.rows import rows_text
from rtms_audit.report.table import PLAIN, Style


def checks_text(checks: Sequence[Check], *, format_: str, style: Style = PLAIN) -> str:
    """Return the checks in causal order: place, id, the good state, and the causes each can find."""
    rows = [(place, one.id, one.title, ", ".join(one.causes)) for place, one in enumerate(checks, start=1)]
    return rows_text(("link", "check", "good state", "causes"), rows, format_=format_, style=style)


def check_text(check: Check) -> str:
    """Return one check's page: its good state, why that matters, what to do, where it is known from."""
    causes = ", ".join(check.causes)
    return f"{check.id}\n{'=' * len(check.id)}\n{check.page}\n\nCauses it can find: {causes}\n"
