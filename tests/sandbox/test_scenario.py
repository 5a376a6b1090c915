"""Scenario files: the shipped ones, and what is said about broken ones."""

from pathlib import Path

import pytest

from rtms_audit.errors import ExitCode, UserError
from rtms_audit.sandbox.scenario import Scenario, list_scenarios, load_scenario, read_scenario

SMALL = """
title: small
apps: [{name: notes, owner: dev}]
accounts: [{label: dev, plan: pro, users: [{email: a@example.com}]}]
"""


def test_a_dozen_scenarios_are_shipped() -> None:
    """At least twelve scenarios exist, each with one line, and each can be read."""
    listed = list_scenarios()
    assert len(listed) >= 12
    assert [name for name, _ in listed] == sorted(name for name, _ in listed)
    assert all(line and "\n" not in line and len(line) < 125 for _, line in listed)


def test_seed_is_the_public_question() -> None:
    """The default scenario holds the accounts of the question and its neighbours."""
    seed = load_scenario()
    assert seed == load_scenario("devforum-142247")
    plans = {account.label: account.plan for account in seed.accounts}
    assert plans == {
        "developer": "pro",
        "external-free": "free",
        "customer": "business",
        "freelancer": "free",
        "cautious": "pro",
        "partial": "pro",
    }


def test_switches_read_as_people_write_them() -> None:
    """`on`, `off`, `none` and lists of apps mean what they say."""
    text = SMALL.replace("plan: pro", "plan: pro, sharing: off, auto_start: on, allowed_apps: none, approved_apps: off")
    (account,) = read_scenario(text, name="x").accounts
    assert (account.sharing, account.auto_start, account.allowed_apps, account.approved_apps) == (False, "all", (), ())


def test_scenario_from_a_file(tmp_path: Path) -> None:
    """A path leads to a scenario that is named after the file."""
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL, encoding="utf-8")
    assert load_scenario(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not readable as YAML"),
        ("- a", "must hold a mapping"),
        ("title: x", "apps: Field required"),
        (SMALL + "extra: 1\n", "extra: Extra inputs"),
        (SMALL.replace("plan: pro", "plan: golden"), "accounts.0.plan"),
        (SMALL.replace("owner: dev", "owner: nobody"), "owner of app notes: 'nobody' is not one of dev"),
        (SMALL.replace("plan: pro", "plan: pro, auto_start: [x/production]"), "auto_start of account dev"),
        (SMALL + "meetings: [{account: nobody}]\n", "account of a meeting: 'nobody'"),
        (SMALL + "settings: {latency_ms: soon}\n", "settings.latency_ms"),
        (SMALL.replace("{email: a@example.com}", "{email: a@example.com}, {email: a@example.com}"), "twice"),
        (SMALL.replace("a@example.com", "nonsense"), "users.0.email"),
    ],
)
def test_broken_scenarios_name_place_and_reason(text: str, words: str) -> None:
    """Every mistake is one sentence with the place."""
    with pytest.raises(UserError, match="Scenario broken: ") as caught:
        read_scenario(text, name="broken")
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("name", ["no-such", "../scenario", "/no/such/file.yaml", "."])
def test_unknown_scenario(name: str) -> None:
    """A name that is neither shipped nor a file says how to list them."""
    with pytest.raises(UserError, match="There is no scenario") as caught:
        load_scenario(name)
    assert "sandbox scenarios" in (caught.value.next_step or "")


def test_names_must_agree_after_a_change() -> None:
    """Two accounts of one label are refused."""
    seed = load_scenario()
    with pytest.raises(ValueError, match="account label 'developer' stands there twice"):
        Scenario.model_validate({**seed.model_dump(), "accounts": [seed.accounts[0], seed.accounts[0]]})


def test_bare_on_and_off_are_words_in_settings() -> None:
    """YAML makes truth values of them, which nobody who writes a scenario means."""
    text = """
title: bare words
settings: {rate_limits: off, supersede: on}
apps: [{name: notes, owner: dev}]
accounts: [{label: dev, users: [{email: dev@example.com}]}]
"""
    settings = read_scenario(text, name="bare").settings
    assert (settings.rate_limits, settings.supersede) == ("off", "on")
