"""What every command shares: streams, progress, files that appear whole."""

import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from rtms_audit.cli.common import Context, echo_result, format_option, output_option, progress, talk, write_result
from rtms_audit.errors import UserError

Captured = pytest.CaptureFixture[str]


def within(context: Context, body: Callable[[], object]) -> None:
    """Call a function as a command with that context would."""
    with click.Context(click.Command("test"), obj=context):
        body()


@pytest.mark.parametrize(
    ("context", "level", "said"),
    [
        (Context(), 0, True),
        (Context(quiet=True), 0, False),
        (Context(), 1, False),
        (Context(verbosity=1), 1, True),
    ],
)
def test_talk_heeds_quiet_and_verbose(capsys: Captured, context: Context, level: int, said: bool) -> None:
    """Talk goes to standard error, not at all with -q, and the rest only with -v."""
    within(context, lambda: talk("hello", level=level))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == ("hello\n" if said else "")


def test_talk_works_without_a_command(capsys: Captured) -> None:
    """A function that talks can be called from anywhere."""
    talk("hello")
    assert capsys.readouterr().err == "hello\n"


def test_results_end_with_one_newline(capsys: Captured) -> None:
    """A text that ends its last line gets no second end."""
    echo_result("a")
    echo_result("b\n")
    echo_result("c", newline=False)
    assert capsys.readouterr().out == "a\nb\nc"


@pytest.mark.parametrize("quiet", [True, False])
def test_progress_takes_a_line_per_part_where_there_is_no_terminal(capsys: Captured, quiet: bool) -> None:
    """A log shows each finished part by itself, and nothing with -q."""

    def work() -> None:
        with progress("collecting", 2) as step:
            step("dev-co")
            step("outsider")

    within(Context(quiet=quiet), work)
    expected = "" if quiet else "collecting 1/2 dev-co\ncollecting 2/2 outsider\n"
    assert capsys.readouterr().err == expected


def test_bytes_and_text_are_written_whole(tmp_path: Path, capsys: Captured) -> None:
    """A file holds the result to its last newline; bytes stay as they are; the talk names the file."""
    write_result("text", tmp_path / "a.txt")
    write_result(b"\x00\x01", tmp_path / "b.bin")
    assert (tmp_path / "a.txt").read_bytes() == b"text\n"
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\x01"
    assert f"Wrote {tmp_path / 'a.txt'}." in capsys.readouterr().err


def test_bytes_can_go_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Without a file bytes are printed as they are."""
    write_result(b"PK\x03", None)
    assert capfdbinary.readouterr().out == b"PK\x03"


def test_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """A failure leaves neither half a file nor a temporary one."""
    folder = tmp_path / "folder.txt"
    folder.mkdir()
    with pytest.raises(UserError, match=r"folder\.txt cannot be written"):
        write_result("x", folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_database_is_named_by_option_or_environment_or_lies_in_the_data_directory() -> None:
    """The option wins; a path of a SQLite file will do; without any the user's data directory is meant."""
    assert Context(database="audit.db").database_url == "sqlite:///audit.db"
    assert Context().database_url == Context().settings.database_url
    assert Context().database_url.startswith("sqlite:///")


def test_progress_rewrites_its_line_on_a_terminal() -> None:
    """On a terminal one line is rewritten, and ended when all is done."""
    program = (
        "from rtms_audit.cli.common import progress\n"
        "with progress('collecting', 2) as step:\n    step('dev-co')\n    step('outsider')\n"
    )
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", program], check=True, stderr=theirs, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert shown == "\r\x1b[Kcollecting 1/2 dev-co\r\x1b[Kcollecting 2/2 outsider\r\n"


def test_output_is_neither_coloured_nor_narrow_without_a_terminal() -> None:
    """In a pipe there are no colours and lines are wide."""
    assert not Context().colour
    assert Context().width == 120


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ([], "table"),
        (["-o", "x.json"], "json"),
        (["-o", "x.HTM"], "table"),
        (["-o", "x.md"], "markdown"),
        (["-o", "x.json", "--format", "markdown"], "markdown"),
        (["-o", "plain"], "table"),
    ],
)
def test_format_follows_option_then_ending_then_default(arguments: list[str], chosen: str) -> None:
    """The option wins over the file's ending, which wins over the default."""
    seen: list[str] = []

    @click.command()
    @format_option("table", "json", "markdown")
    @output_option
    def command(format_: str, output: Path | None) -> None:
        seen.append(format_)

    command.main(arguments, standalone_mode=False)
    assert seen == [chosen]


def test_log_speaks_with_v_and_holds_no_secret(capsys: Captured) -> None:
    """With -v the program's log goes to standard error, secrets masked; other libraries stay silent."""
    from rtms_audit.cli.main import main

    logger = logging.getLogger("rtms_audit")
    level, handlers = logger.level, list(logger.handlers)
    try:
        assert main(["-v", "codes", "960"]) == 0
        logger.info("token is %s", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl")
        assert "INFO rtms_audit: token is [secret]" in capsys.readouterr().err
        logger.debug("detail")
        assert "detail" not in capsys.readouterr().err
        assert main(["-vv", "codes", "960"]) == 0
        logger.debug("detail")
        assert "DEBUG rtms_audit: detail" in capsys.readouterr().err
    finally:
        logger.setLevel(level)
        logger.handlers[:] = handlers
