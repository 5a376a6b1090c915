"""The values of fact keys, and what fields may hold."""

import datetime
from pathlib import Path

import pytest
import yaml

from rtms_audit.core.evidence_fields import (
    FIELDS,
    LIST_KEYS,
    ON_OFF_KEYS,
    TEXT_KEYS,
    TRUTH_KEYS,
    WORD_KEYS,
    fact_value,
    read_fields,
)
from rtms_audit.core.evidence_file import read_case
from rtms_audit.core.evidence_shapes import ShapeError
from rtms_audit.core.model import Kind


@pytest.mark.parametrize("written", [True, "true", "on", "On", "yes", 1])
def test_on_is_read_from_every_spelling(written: object) -> None:
    """Where a value is on or off, a boolean and the usual words are read as such."""
    assert fact_value("setting.auto_start", written) == "on"
    assert fact_value("host.present", written) is True


@pytest.mark.parametrize("written", [False, "false", "off", "No", 0])
def test_off_is_read_from_every_spelling(written: object) -> None:
    """The same holds for the other side."""
    assert fact_value("meeting.join_before_host", written) == "off"
    assert fact_value("media.received", written) is False


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("setting.share_realtime_content", "locked"),
        ("host.present", "partly"),
        ("trigger", "sip"),
        ("receiver.media_type", "audio"),
        ("receiver.transcript_language", -1),
        ("some.key", ["anything", {"x": 1}]),
        (None, 5),
    ],
)
def test_words_that_are_not_listed_are_kept(about: object, value: object) -> None:
    """People write words that the format does not list; they stay as they are."""
    assert fact_value(about, value) == value


@pytest.mark.parametrize(
    ("about", "written", "read"),
    [
        ("app.scopes", "a:b c:d", ["a:b", "c:d"]),
        ("app.events", "a, b", ["a", "b"]),
        ("media.kinds_received", ["audio"], ["audio"]),
        ("host.client_version", 6.4, "6.4"),
        ("receiver.media_type", "25", 25),
    ],
)
def test_values_take_the_shape_of_their_key(about: str, written: object, read: object) -> None:
    """Lists come as lists, versions as text, media types as numbers."""
    assert fact_value(about, written) == read


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("setting.auto_start", 7),
        ("host.present", ["yes"]),
        ("trigger", {"a": 1}),
        ("app.scopes", 5),
        ("app.scopes", [["x"]]),
        ("host.client_version", ["6.4"]),
    ],
)
def test_values_of_another_shape_are_refused(about: str, value: object) -> None:
    """A list where a word belongs, or the other way round, is an error that names the place."""
    with pytest.raises(ShapeError) as caught:
        read_fields(Kind.STATEMENT, {"about": about, "value": value}, "observations[2]")
    assert caught.value.place.startswith("observations[2].value")


def test_empty_fields_are_left_out() -> None:
    """A field without a value is an absent field; inside a response it says that none came."""
    assert read_fields(Kind.STATEMENT, {"about": "trigger", "value": None, "note": None}) == {"about": "trigger"}
    assert read_fields(Kind.REST, {"request": None, "response": {"status": None}}) == {"response": {"status": None}}


def test_answered_is_a_status_or_none() -> None:
    """Our answer to an event is an HTTP status, or the word none."""
    assert read_fields(Kind.WEBHOOK, {"answered": "none", "answer_ms": 2.5}) == {"answered": "none", "answer_ms": 2.5}
    assert read_fields(Kind.WEBHOOK, {"answered": "204", "answer_ms": 3}) == {"answered": 204, "answer_ms": 3}
    assert read_fields(Kind.WEBHOOK, {"answered": 200.0}) == {"answered": 200}


def test_dates_where_texts_belong_are_texts() -> None:
    """YAML makes dates of words that look like one; a text gets its words back."""
    day = datetime.date(2026, 3, 2)
    moment = datetime.datetime(2026, 3, 2, 10, tzinfo=datetime.UTC)
    assert read_fields(Kind.STATEMENT, {"about": "x", "by": day, "note": moment, "value": day}) == {
        "about": "x",
        "by": "2026-03-02",
        "note": "2026-03-02T10:00:00Z",
        "value": "2026-03-02",
    }


def test_errors_describe_dates_and_foreign_values() -> None:
    """The error says what stands there, whatever it is."""
    with pytest.raises(ShapeError, match="is the date 2026-03-02"):
        read_fields(Kind.SDK, {"reason": datetime.date(2026, 3, 2)})
    with pytest.raises(ShapeError, match="a value of type set"):
        read_fields(Kind.SDK, {"message": {1}})
    with pytest.raises(ShapeError, match="the truth value true"):
        read_fields(Kind.SDK, {"message": True})
    with pytest.raises(ShapeError, match="known are missed"):
        read_fields(Kind.KEEPALIVE, {"zzz": 1})


def test_the_page_names_every_field_and_key() -> None:
    """docs/evidence-files.md knows every kind, field and fact key that the reader knows, and its example is read."""
    page = (Path(__file__).parents[2] / "docs" / "evidence-files.md").read_text(encoding="utf-8")
    known = {*ON_OFF_KEYS, *TRUTH_KEYS, *LIST_KEYS, *TEXT_KEYS, *WORD_KEYS, *FIELDS}
    known |= {field for fields in FIELDS.values() for field in fields}
    assert {name for name in known if f"`{name}`" not in page} == set()
    example = page.split("```yaml\n")[1].split("```")[0]
    assert len(read_case(yaml.safe_load(example), name="page").observations) == 2
