"""The explanation of one install as plain text."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.model import Environment, InstallKey, Plan
from rtms_audit.core.verdicts import (
    Category,
    Cause,
    Diagnosis,
    Outcome,
    Remedy,
    RuledOut,
    Status,
    TimelineEntry,
)
from rtms_audit.report.explain import explanation, plan_sentence, remedies
from rtms_audit.report.words import columns

Snapshot = Callable[[str, str], None]
Changed = Callable[..., Diagnosis]


def test_explanation_of_a_stopped_stream_reads_as_kept(developer: Diagnosis, snapshot: Snapshot) -> None:
    """The whole text of the seed's first row is what a reviewer has seen."""
    snapshot(explanation(developer), "explain-developer.txt")


def test_explanation_of_a_silent_install_reads_as_kept(external: Diagnosis, snapshot: Snapshot) -> None:
    """The whole text of the seed's second row is what a reviewer has seen."""
    snapshot(explanation(external), "explain-external.txt")


def test_order_is_that_of_a_good_answer(developer: Diagnosis) -> None:
    """What happened comes first, then why, the others, the hypotheses, what to do and what to ask."""
    text = explanation(developer)
    headings = ["What happened", "Why", "What speaks against", "The four hypotheses", "What to do", "What to find out"]
    places = [text.index(f"\n{heading}") for heading in headings]
    assert places == sorted(places)


def test_long_story_hides_its_middle_and_says_how_much(changed: Changed) -> None:
    """A hundred observations shrink to both ends of the story, and the number hidden is told."""
    entries = tuple(
        TimelineEntry(f"o{n}", datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=n), f"event number {n}")
        for n in range(1, 101)
    )
    text = explanation(changed(timeline=entries))
    assert len(text.splitlines()) <= 60
    assert "event number 1\n" in text
    assert "event number 100" in text
    assert "event number 50\n" not in text
    assert " more (--format json shows them all)" in text


def test_story_keeps_what_the_causes_rest_on(changed: Changed, developer: Diagnosis) -> None:
    """Among many routine steps those that decide something are told, and the number left out is said."""
    routine = tuple(
        TimelineEntry(
            f"r{n}", datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(seconds=n), f"GET number {n} answered 200"
        )
        for n in range(40)
    )
    text = explanation(changed(timeline=(*routine[:20], *developer.timeline, *routine[20:])))
    story = text[: text.index("\nWhy")].splitlines()
    assert sum("GET number" in line for line in story) == 9
    assert "… 31 more (--format json shows them all)" in text
    for id_ in ("  o1  ", "  o2  ", "  o3  ", "  r0  ", "  r39 "):
        assert id_ in text


def test_reading_that_several_steps_share_is_told_once(changed: Changed, developer: Diagnosis) -> None:
    """The meaning of a code stands at the step that a cause rests on, not at every step with that code."""
    reading = developer.timeline[1].reading
    before = TimelineEntry("o0", None, "onJoinConfirm of an earlier try gave 960", reading)
    text = " ".join(explanation(changed(timeline=(before, *developer.timeline))).split())
    assert "an earlier try gave 960 10:00" in text
    assert text.count("960 PEER_CLOSED") == 1


def test_what_must_be_said_is_said_in_little_room(developer: Diagnosis) -> None:
    """With less room than the least that an answer needs, the least is given and nothing breaks."""
    text = explanation(developer, lines=10)
    assert "Likely credentials-mismatch" in text
    assert "The four hypotheses" in text


def test_several_days_show_their_dates(changed: Changed) -> None:
    """Where the story spans days, each line carries its date."""
    entries = (
        TimelineEntry("o1", datetime(2026, 3, 2, 10, tzinfo=UTC), "first"),
        TimelineEntry("o2", datetime(2026, 3, 4, 10, tzinfo=UTC), "second"),
        TimelineEntry("o3", None, "third"),
    )
    text = explanation(changed(timeline=entries))
    assert "2026-03-02 10:00:00  o1  first" in text
    assert "2026-03-04 10:00:00  o2  second" in text


@pytest.mark.parametrize("outcome", [Outcome.STARTED, Outcome.STOPPED_EARLY])
def test_no_cause_is_said_in_words(changed: Changed, outcome: Outcome) -> None:
    """An install without causes says so, differently where all went well."""
    text = explanation(changed(causes=(), outcome=outcome))
    assert ("Nothing went wrong" in text) == (outcome is Outcome.STARTED)
    assert ("names no cause" in text) == (outcome is Outcome.STOPPED_EARLY)


def test_only_possible_causes_are_acted_on_under_condition(external: Diagnosis) -> None:
    """A remedy for a merely possible cause begins with an if."""
    assert remedies(external) == [
        "Account admin: if it is not-triggered: Switch auto-start on for the app (Zoom web portal, Apps)."
    ]


def test_cause_without_remedy_adds_none(changed: Changed, developer: Diagnosis) -> None:
    """An ordinary end needs nothing done, so no empty bullet stands there."""
    cause = Cause("ended-normally", Category.ORDINARY, Status.CONFIRMED, "the host ended it", (), Remedy("", ""), ())
    assert remedies(changed(causes=(cause,))) == []


def test_plan_names_its_reason_where_there_is_one(changed: Changed) -> None:
    """The plan is told with what it was concluded from."""
    assert plan_sentence(changed(plan=Plan.PRO, plan_reason="")) == "Plan: pro."
    assert plan_sentence(changed()) == "Plan: not known (nobody has said or shown it)."


def test_label_and_control_characters_are_shown_safely(changed: Changed) -> None:
    """Text of the evidence can neither drive the terminal nor break a line."""
    text = explanation(changed(label="Acme \x1b[31mred\u202e", summary="Two\nlines\x07here"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "Two lines here." in text


_TEXT = st.text(max_size=400)


@given(
    texts=st.lists(_TEXT, min_size=3, max_size=30),
    width=st.integers(40, 200),
    account=st.text(min_size=1, max_size=80),
)
def test_it_never_exceeds_a_screen_and_a_half(texts: list[str], width: int, account: str) -> None:
    """Whatever the evidence says, an explanation has at most 60 lines of at most 100 columns."""
    diagnosis = Diagnosis(
        install=InstallKey(account, Environment.PRODUCTION),
        plan=Plan.UNKNOWN,
        plan_reason=texts[0],
        outcome=Outcome.UNKNOWN,
        summary=texts[1],
        causes=tuple(
            Cause("x", Category.ZOOM, Status.POSSIBLE, text, ("o1",), Remedy("zoom", text, text), ()) for text in texts
        ),
        ruled_out=tuple(RuledOut("y", text, ()) for text in texts),
        next=(),
        decisions=(),
        hypotheses=(),
        timeline=tuple(TimelineEntry(f"o{n}", None, text, text) for n, text in enumerate(texts)),
        contradictions=(),
        facts={},
    )
    lines = explanation(diagnosis, width=width).splitlines()
    assert len(lines) <= 60
    assert max(map(columns, lines)) <= 100
