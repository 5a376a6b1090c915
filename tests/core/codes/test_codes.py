"""What Zoom's codes mean, and how they are found."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core import codes
from rtms_audit.core.codes import KINDS, Code, Confidence, Fault

ALL = [pytest.param(code, id=f"{code.kind}-{code.number}") for kind in KINDS.values() for code in kind.codes]


@pytest.mark.parametrize("code", ALL)
def test_every_code_is_complete(code: Code) -> None:
    """Name, meaning, remedy, source and date are there, and the entry belongs to its table."""
    assert code.name
    assert code.meaning.endswith((".", "?"))
    assert code.remedy.endswith(".")
    assert code.source
    assert all(address for address in code.source)
    assert datetime.date.fromisoformat(f"{code.date}-01-01"[:10]).year >= 2021
    assert Confidence(code.confidence)
    assert Fault(code.fault)
    assert code in KINDS[code.kind].codes
    assert codes.lookup(code.kind, code.number, code.valid_to) == code
    assert code.meaning in codes.describe(code.kind, code.number, code.valid_to)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_every_table_is_complete(kind: codes.CodeKind) -> None:
    """A table has a title, a note and no number twice for one time."""
    numbers = [(code.number, code.valid_to) for code in kind.codes]
    assert kind.title
    assert kind.note.endswith(".")
    assert len(numbers) == len(set(numbers))
    assert {code.kind for code in kind.codes} == {kind.id}


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("stop-reason", range(27)),
        ("handshake-status", range(46)),
        ("sdk-reason", [*range(46), 504, 610, 960]),
        ("sdk-return", range(-1, 6)),
        ("message-type", range(30)),
        ("session-state", range(6)),
        ("stream-state", range(7)),
        ("event-type", range(15)),
        ("event-type-contact-center", range(8, 30)),
        ("media-type", [1, 2, 4, 8, 16, 32]),
        ("zoom-apps", [10308, 40316, 80004]),
        ("webhook-retry", [-1, -2, -3, -4, -5, -7, -8, -10, -13, -14, -15]),
    ],
)
def test_tables_hold_exactly_the_known_numbers(kind: str, numbers: range | list[int]) -> None:
    """No known number is missing, and none is made up."""
    assert {code.number for code in KINDS[kind].codes} == set(numbers)


@pytest.mark.parametrize(
    "number",
    [
        *(104, 124, 200, 201, 300, 1001, 1010, 1120, 1401, *range(1500, 1507), 2001, 2300, 2308, 2309, 2310, 2312),
        *(3000, 3001, 4700, 4711, 13262, 13267, 13273, 13277),
    ],
)
def test_rest_codes_of_the_calls_are_known(number: int) -> None:
    """Every code that RTMS' calls and the collector's may answer with has an entry."""
    assert codes.lookup("rest", number)


@pytest.mark.parametrize("number", [4717, 4735, 4737, 4738, 4740, 4741, "invalid_grant", "INVALID_CLIENT"])
def test_oauth_numbers_and_words_are_known(number: int | str) -> None:
    """Numbers and the words of the token address are found alike, whatever their case."""
    assert codes.lookup("oauth", number)


def test_eighteen_is_three_things() -> None:
    """Stop reason, handshake status and message type 18 are told apart, and each warns of the others."""
    stop, status, message = (
        found for kind in ("stop-reason", "handshake-status", "message-type") if (found := codes.lookup(kind, 18))
    )
    assert (stop.name, status.name, message.name) == (
        "AUTHENTICATION_FAILURE",
        "INVALID_MEDIA_AUDIO_PARAMS",
        "MEDIA_DATA_CHAT",
    )
    assert all("three things" in code.trap for code in (stop, status, message))


def test_960_is_no_success() -> None:
    """The join reason of the seed question says so, in decimal and in hexadecimal."""
    (found,) = codes.search("0x3c0")
    assert found == codes.lookup("sdk-reason", "960")
    assert "no success" in found.trap
    assert found.confidence is Confidence.MEASURED


def test_the_older_status_table_is_kept_apart() -> None:
    """Status 15 means different things in the two tables."""
    now, before = codes.lookup("handshake-status", 15), codes.lookup("handshake-status-preview", 15)
    assert now is not None
    assert before is not None
    assert before.name == "INVALID_SIGNATURE" != now.name
    assert codes.lookup("handshake-status-preview", 3) is None


def test_free_plan_is_never_said_to_be_the_cause_of_2310() -> None:
    """2310 has several causes, and the entry says that it does not tell them apart."""
    found = codes.lookup("rest", 2310)
    assert found is not None
    assert "does not say which" in found.trap


def test_meanings_carry_the_day_since_when_they_hold() -> None:
    """Where Zoom changed a rule, the entry says from which day its wording holds."""
    found = codes.lookup("rest", 2308)
    assert found is not None
    assert found.valid_from == datetime.date(2026, 7, 4)
    assert found.valid_to is None


@pytest.mark.parametrize(("number", "change"), [(2308, datetime.date(2026, 7, 4)), (3000, datetime.date(2026, 1, 18))])
def test_a_meaning_is_that_of_its_day(number: int, change: datetime.date) -> None:
    """The day before a change the old wording holds, on the day of the change the new one."""
    before, since = (codes.lookup("rest", number, change - datetime.timedelta(days=days)) for days in (1, 0))
    assert before is not None
    assert since is not None
    assert before.valid_to == change - datetime.timedelta(days=1)
    assert since == codes.lookup("rest", number)
    assert before.meaning != since.meaning


def test_unknown_numbers_are_said_to_be_kept() -> None:
    """Nobody knows stop reason 99; it breaks nothing."""
    assert codes.lookup("stop-reason", 99) is None
    assert codes.describe("stop_reason", 99) == "unknown stop-reason 99, kept as it is"
    assert codes.search(987654) == ()


def test_unknown_kinds_are_refused_with_the_known_ones() -> None:
    """A kind that does not exist is an error that lists those that do."""
    with pytest.raises(ValueError, match="stop-reason, handshake-status"):
        codes.lookup("stopreason", 1)


def test_search_goes_through_all_kinds() -> None:
    """A number is looked for exactly and everywhere, words in names and texts."""
    assert {code.kind for code in codes.search("18")} >= {"stop-reason", "handshake-status", "message-type"}
    assert all("signature" in f"{c.name} {c.meaning} {c.remedy} {c.trap}".lower() for c in codes.search("Signature"))
    assert codes.search("developer pack")[0].number == 2310 or len(codes.search("developer pack")) > 1
    assert codes.search("invalid_grant")[0].kind == "oauth"
    assert codes.search("  ") == ()


@given(st.text(max_size=20) | st.integers())
def test_no_number_or_word_breaks_the_tables(number: str | int) -> None:
    """Whatever somebody types is looked up, described and searched."""
    for kind in KINDS:
        assert codes.describe(kind, number)
    assert isinstance(codes.search(number), tuple)
