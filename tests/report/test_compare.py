"""Comparisons in words."""

from collections.abc import Callable

from rtms_audit.core.compare import Change, Difference, Flip
from rtms_audit.core.verdicts import Diagnosis, Known, NotApplicable, Outcome, Unknown
from rtms_audit.report.compare import changes_text, contrast_text, fact_words, flips_text, verdict_words
from rtms_audit.report.table import Style

DIFFERENCES = (
    Difference("setting.share_realtime_content", Known("on", ("o1",)), Unknown("never asked"), matters=True),
    Difference("account.colour", Known("red"), None, matters=False),
)


def test_contrast_shows_what_matters_and_counts_the_rest(developer: Diagnosis, external: Diagnosis) -> None:
    """Facts that do not bear on the outcome are counted and stay hidden."""
    text = contrast_text(developer, external, DIFFERENCES, format_="table", style=Style(width=200))
    assert "setting.share_realtime_content" in text
    assert "on [o1]" in text
    assert "not known: never asked" in text
    assert "account.colour" not in text
    assert "1 other fact differs" in text
    assert "stopped early: likely credentials-mismatch" in text


def test_contrast_shows_everything_when_asked(developer: Diagnosis, external: Diagnosis) -> None:
    """With --all the facts that do not matter stand there too, marked as such."""
    text = contrast_text(developer, external, DIFFERENCES, everything=True, format_="csv")
    assert "account.colour,red,not known,no" in text.splitlines()


def test_flips_name_both_verdicts(developer: Diagnosis, changed: Callable[..., Diagnosis]) -> None:
    """A flip shows the judgement now and then."""
    then = changed(outcome=Outcome.STARTED, causes=())
    text = flips_text([Flip(developer.install, developer, then)], format_="csv")
    assert text.splitlines()[1] == "developer/production,stopped early: likely credentials-mismatch,started"


def test_nothing_flips_and_nothing_changed_are_said() -> None:
    """An empty comparison is a sentence for people and an empty list for scripts."""
    assert flips_text([], format_="table").startswith("Nothing flips")
    assert changes_text([], format_="table") == "Nothing changed."
    assert changes_text([], format_="json") == "[]\n"


def test_install_that_came_or_went_is_said(developer: Diagnosis) -> None:
    """An install that one audit did not have is said to have been not there."""
    text = changes_text([Change(developer.install, None, developer)], format_="csv")
    assert text.splitlines()[1].startswith("developer/production,not there,stopped early")


def test_facts_in_words() -> None:
    """Lists, unknowns and facts that do not apply all have words."""
    assert fact_words(Known(["a", "b"])) == "a, b"
    assert fact_words(NotApplicable("no stream")) == "does not apply: no stream"
    assert fact_words(None) == "not known"


def test_verdict_without_cause_is_its_outcome(changed: Callable[..., Diagnosis]) -> None:
    """A started install is just that."""
    assert verdict_words(changed(outcome=Outcome.STARTED, causes=())) == "started"
