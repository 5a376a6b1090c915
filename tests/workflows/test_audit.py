"""Naming installs, times and facts, and judging what is known."""

from datetime import UTC, datetime, timedelta

import pytest

from rtms_audit.core.model import Case, Environment, Install, InstallKey
from rtms_audit.errors import UserError
from rtms_audit.workflows.audit import judge, parse_install, parse_time, parse_values, pick_install

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DEV = InstallKey("dev-co", Environment.DEVELOPMENT)
PROD = InstallKey("dev-co", Environment.PRODUCTION)
OUT = InstallKey("outsider", Environment.PRODUCTION)
CASE = Case(installs=(Install(DEV), Install(PROD), Install(OUT)))


def clock() -> datetime:
    """Tell the time of these tests."""
    return NOW


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00+02:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02 10:00", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=UTC)),
        ("20260302", datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2d", NOW - timedelta(days=2)),
        ("3 hours ago", NOW - timedelta(hours=3)),
        ("1 week", NOW - timedelta(weeks=1)),
        (" 5m ", NOW - timedelta(minutes=5)),
    ],
)
def test_times_that_people_write_are_understood(text: str, at: datetime) -> None:
    """ISO times, whole days and ages all mean one moment in UTC."""
    assert parse_time(text, clock=clock) == at


@pytest.mark.parametrize("text", ["", "tuesday", "2026-13-01", "-2d", "99999999d", "0001-01-01T00:00+14:00"])
def test_other_times_are_refused_with_an_example(text: str) -> None:
    """What is no time is named, with one that is."""
    with pytest.raises(UserError, match="is not a time") as caught:
        parse_time(text, clock=clock)
    assert "2026-03-02T10:00:00Z" in (caught.value.next_step or "")


def test_values_become_what_they_mean() -> None:
    """Truth values, numbers and lists are read as such, all else is text."""
    words = ["a.b=on", "c=true", "d=false", "e=25", "f=x, y", "g=", "h=a=b", "i=-3"]
    assert parse_values(words) == {
        "a.b": "on",
        "c": True,
        "d": False,
        "e": 25,
        "f": ["x", "y"],
        "g": "",
        "h": "a=b",
        "i": -3,
    }


@pytest.mark.parametrize("word", ["novalue", "=x", "A.b=1", "a b=1", "a.=1"])
def test_word_of_another_form_is_refused(word: str) -> None:
    """A word that is not KEY=VALUE is named."""
    with pytest.raises(UserError, match="not of the form KEY=VALUE"):
        parse_values([word])


def test_key_given_twice_is_refused() -> None:
    """Two values for one key cannot both be meant."""
    with pytest.raises(UserError, match="given twice"):
        parse_values(["a=1", "a=2"])


def test_environment_may_be_left_out_where_there_is_one_install() -> None:
    """An account with one install needs no environment, with several it is asked for."""
    assert pick_install(CASE, "outsider") == OUT
    assert pick_install(CASE, "dev-co", "production") == PROD
    with pytest.raises(UserError, match="several installs: dev-co/development, dev-co/production"):
        pick_install(CASE, "dev-co")


def test_unknown_install_names_those_that_are() -> None:
    """A wrong account is met with the right ones, an empty store with what to do."""
    with pytest.raises(UserError, match="'nobody/production'") as caught:
        pick_install(CASE, "nobody", "production")
    assert "outsider/production" in (caught.value.next_step or "")
    with pytest.raises(UserError) as caught:
        pick_install(Case(installs=()), "nobody")
    assert "import evidence" in (caught.value.next_step or "")


def test_very_many_installs_are_not_all_listed() -> None:
    """An error stays readable in a store of thousands of accounts."""
    many = Case(installs=tuple(Install(InstallKey(f"a{n}", Environment.PRODUCTION)) for n in range(5000)))
    with pytest.raises(UserError) as caught:
        pick_install(many, "nobody")
    assert "and 4988 more" in (caught.value.next_step or "")


@pytest.mark.parametrize(("text", "key"), [("outsider", OUT), ("dev-co/development", DEV)])
def test_install_is_named_by_account_and_environment(text: str, key: InstallKey) -> None:
    """`account/environment` names an install, and so does an account that has one."""
    assert parse_install(CASE, text) == key


def test_install_of_no_such_name_is_refused() -> None:
    """A name that fits nothing is an error of the user's."""
    with pytest.raises(UserError, match="no install 'dev-co/unknown' is known"):
        parse_install(CASE, "dev-co/unknown")


def test_judging_gives_one_diagnosis_per_install() -> None:
    """Without a choice every install is judged, with one only that."""
    assert [one.install for one in judge(CASE)] == [DEV, PROD, OUT]
    assert [one.install for one in judge(CASE, OUT)] == [OUT]
