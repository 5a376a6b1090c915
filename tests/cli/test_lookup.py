"""`rtms-audit codes` and `rtms-audit checks`."""

import json

import pytest

from rtms_audit.cli.main import main
from rtms_audit.core.checks import CHECKS
from rtms_audit.core.codes import KINDS
from rtms_audit.errors import ExitCode

Captured = pytest.CaptureFixture[str]


def said(capsys: Captured, *arguments: str) -> str:
    """Run a command that succeeds, and return what it prints."""
    assert main(arguments) == ExitCode.OK
    return capsys.readouterr().out


def test_kinds_are_listed(capsys: Captured) -> None:
    """Without arguments every kind of code stands in the list."""
    text = said(capsys, "codes")
    assert all(kind in text for kind in KINDS)


def test_a_kind_is_a_table_with_its_note(capsys: Captured) -> None:
    """A kind shows its codes, what to know about them, and how to see more."""
    text = said(capsys, "codes", "stop-reason")
    assert text.startswith("Stop reasons of a stream\n")
    assert "AUTHENTICATION_FAILURE" in text
    assert "`rtms-audit codes stop-reason NUMBER`" in text


def test_a_code_says_what_to_do_and_what_it_is_not(capsys: Captured) -> None:
    """One code shows meaning, fault, remedy, trap and source."""
    text = said(capsys, "codes", "stop-reason", "18")
    for part in ("means:", "at fault:", "do:", "trap:", "known:", "https://"):
        assert part in text


def test_a_number_alone_is_looked_for_everywhere(capsys: Captured) -> None:
    """18 is a stop reason, a status and a message type, and all are shown."""
    document = json.loads(said(capsys, "codes", "18", "--format", "json"))
    assert {"stop-reason", "handshake-status", "message-type"} <= {code["kind"] for code in document}
    assert "PEER_CLOSED" in said(capsys, "codes", "960")


@pytest.mark.parametrize("arguments", [["stop-reason", "777"], ["987654"], ["sdk-return", "-99"]])
def test_unknown_number_is_an_answer(capsys: Captured, arguments: list[str]) -> None:
    """A number that no table holds is said to be unknown, and breaks nothing."""
    assert "unknown" in said(capsys, "codes", *arguments)
    assert "Next: `rtms-audit codes`" in said(capsys, "codes", *arguments)
    assert said(capsys, "codes", *arguments, "--format", "json") == "[]\n"


def test_other_formats_hold_every_field(capsys: Captured) -> None:
    """CSV and Markdown have the source and the date too."""
    assert said(capsys, "codes", "stop-reason", "--format", "csv").startswith("kind,number,name,meaning")
    assert "| source |" in said(capsys, "codes", "stop-reason", "18", "--format", "markdown")


@pytest.mark.parametrize("arguments", [["no-such-kind", "1"], ["no such words anywhere"]])
def test_unknown_kind_names_the_way_to_the_list(capsys: Captured, arguments: list[str]) -> None:
    """A kind that does not exist is an error of the call."""
    assert main(["codes", *arguments]) == ExitCode.USAGE
    assert "`rtms-audit codes` lists the kinds" in capsys.readouterr().err


def test_checks_stand_in_causal_order(capsys: Captured) -> None:
    """The list has every check with its causes, in the order in which they are asked."""
    document = json.loads(said(capsys, "checks", "--format", "json"))
    assert [one["check"] for one in document] == [check.id for check in CHECKS]
    assert CHECKS[0].title.split()[0] in said(capsys, "checks")


def test_one_check_is_its_page(capsys: Captured) -> None:
    """A check is explained by its page, and can be found by a cause too."""
    check = CHECKS[0]
    assert check.page in said(capsys, "checks", check.id)
    assert check.page in said(capsys, "checks", check.causes[0])
    assert json.loads(said(capsys, "checks", check.id, "--format", "json"))[0]["check"] == check.id


def test_unknown_check_is_usage(capsys: Captured) -> None:
    """A check that does not exist is an error of the call."""
    assert main(["checks", "nothing"]) == ExitCode.USAGE
    assert "lists them" in capsys.readouterr().err
