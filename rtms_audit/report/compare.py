"""Comparisons in words: what differs, what changed, what would flip."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rtms_audit.core.verdicts import Diagnosis, Fact, Known, NotApplicable
from rtms_audit.report.rows import rows_text
from rtms_audit.report.table import PLAIN, Style
from rtms_audit.report.words import OUTCOME_WORDS, evidence_note

if TYPE_CHECKING:
    from rtms_audit.core.compare import Change, Difference, Flip


def contrast_text(
    left: Diagnosis,
    right: Diagnosis,
    differences: "Sequence[Difference]",
    *,
    everything: bool = False,
    format_: str,
    style: Style = PLAIN,
) -> str:
    """Return the facts that differ between two installs, those that matter first; `everything` shows the rest too."""
    shown = [one for one in differences if one.matters or everything]
    headers = ("fact", str(left.install), str(right.install), "matters")
    rows = [
        ("outcome", verdict_words(left), verdict_words(right), "yes"),
        *((one.fact, fact_words(one.left), fact_words(one.right), "yes" if one.matters else "no") for one in shown),
    ]
    text = rows_text(headers, rows, format_=format_, style=style)
    hidden = len(differences) - len(shown)
    if hidden and format_ == "table":
        what = "1 other fact differs" if hidden == 1 else f"{hidden} other facts differ"
        text += f"\n{what} without bearing on the outcome; --all shows more."
    return text


def changes_text(changes: "Sequence[Change]", *, format_: str, style: Style = PLAIN) -> str:
    """Return the installs that two audits judge differently."""
    if not changes and format_ == "table":
        return "Nothing changed."
    rows = [(str(one.install), verdict_words(one.before), verdict_words(one.after)) for one in changes]
    return rows_text(("install", "before", "after"), rows, format_=format_, style=style)


def flips_text(flips: "Sequence[Flip]", *, format_: str, style: Style = PLAIN) -> str:
    """Return the cells of the matrix that would be judged otherwise."""
    if not flips and format_ == "table":
        return "Nothing flips: every install would be judged as it is now."
    rows = [(str(one.install), verdict_words(one.before), verdict_words(one.after)) for one in flips]
    return rows_text(("install", "now", "then"), rows, format_=format_, style=style)


def verdict_words(diagnosis: Diagnosis | None) -> str:
    """Return an outcome with its first cause, in a few words."""
    if diagnosis is None:
        return "not there"
    words = OUTCOME_WORDS[diagnosis.outcome]
    return f"{words}: {diagnosis.leading.status} {diagnosis.leading.id}" if diagnosis.leading else words


def fact_words(fact: Fact | None) -> str:
    """Return what is known of a fact, with its evidence, or why it is not known."""
    if isinstance(fact, Known):
        value = ", ".join(map(str, fact.value)) if isinstance(fact.value, list | tuple) else fact.value
        return f"{value}{evidence_note(fact.evidence)}"
    if fact is None:
        return "not known"
    return f"does not apply: {fact.why}" if isinstance(fact, NotApplicable) else f"not known: {fact.why}"
