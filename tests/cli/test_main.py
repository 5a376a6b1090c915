"""The door: what is loaded, how errors are told, and what a run ends with."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
import pytest

from rtms_audit import __version__
from rtms_audit.cli.common import Context
from rtms_audit.cli.main import COMMANDS, INTERRUPTED, PIPE_CLOSED, SECTIONS, cli, main, tell_error
from rtms_audit.errors import ExitCode, UserError, ZoomError

Captured = pytest.CaptureFixture[str]
SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def run(arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "rtms_audit", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )


def helps(command: click.Command) -> list[str]:
    """Give the help texts of a command and of those below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [command.help or "", *(text for one in below for text in helps(one))]


def test_every_command_has_one_help_line_in_one_section() -> None:
    """The table of names and the table of help lines speak of the same commands."""
    told = [name for commands in SECTIONS.values() for name in commands]
    assert sorted(told) == sorted(COMMANDS)


def load(name: str) -> click.Command:
    """Import a command as the door does."""
    module, _, attribute = COMMANDS[name].partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_has_a_help(name: str) -> None:
    """Each name in the table leads to a command with a help text, and so does each name below it."""
    assert all(helps(load(name)))


@pytest.mark.parametrize("name", [*SECTIONS["Judge"], *SECTIONS["Hand over"], *SECTIONS["Look up"], "import", "export"])
def test_help_of_a_command_teaches_by_example(name: str) -> None:
    """The help of a command shows how it is called."""
    assert f"rtms-audit {name}" in "\n".join(helps(load(name)))


def test_help_lists_every_command(capsys: Captured) -> None:
    """The help is the way in, so every command stands there, with the exit codes."""
    assert main(["--help"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)
    assert "10 blocked and explained" in text


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_click_alone(option: str) -> None:
    """Nobody waits for a database or a web framework to read the help."""
    heavy = ("sqlmodel", "authlib", "fastapi", "requests", "jinja2", "tabulate", "yaml", "cryptography", "logging")
    program = (
        "import sys; from rtms_audit.cli.main import main; before = set(sys.modules); "
        f"code = main(['{option}']); ours = {{m for m in sys.modules if m.startswith('rtms_audit.')}}; "
        f"print(sorted(set({heavy!r}) & set(sys.modules)), sorted(ours), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    ours = ["rtms_audit.cli", "rtms_audit.cli.common", "rtms_audit.cli.main", "rtms_audit.errors"]
    assert done.stderr.strip() == f"[] {ours}"


def test_version_is_the_packages(capsys: Captured) -> None:
    """`--version` prints the program's name and version, nothing else."""
    assert main(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out == f"rtms-audit {__version__}\n"


def test_no_command_shows_the_help() -> None:
    """Called without a word, the program shows its help and ends as wrongly called."""
    done = run([])
    assert done.returncode == ExitCode.USAGE
    assert "Start here" in done.stderr + done.stdout


@pytest.mark.parametrize(("word", "hint"), [("matix", "Did you mean 'matrix'?"), ("zzz", "lists the commands")])
def test_unknown_command_names_the_nearest(capsys: Captured, word: str, hint: str) -> None:
    """A slip of the pen is met with the command that was meant."""
    assert main([word]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert hint in captured.err
    assert captured.out == ""


def test_unknown_option_is_usage(capsys: Captured) -> None:
    """An option that does not exist ends with 2 and names itself."""
    assert main(["--frobnicate"]) == ExitCode.USAGE
    assert "--frobnicate" in capsys.readouterr().err


def test_user_error_is_a_sentence_and_a_next_step(capsys: Captured) -> None:
    """An error that a user can act on says what is wrong and what to do, and nothing more."""
    code = tell_error(UserError("no app is known", next_step="Add one"), Context())
    assert code == ExitCode.USAGE
    assert capsys.readouterr().err == "Error: no app is known.\nNext: Add one.\n"


def test_error_without_next_step_is_one_sentence(capsys: Captured) -> None:
    """Where there is no next step, none is made up; the exit code is the error's own."""
    assert tell_error(ZoomError("Zoom did not answer!"), Context()) == ExitCode.INCOMPLETE
    assert capsys.readouterr().err == "Error: Zoom did not answer!\n"


def test_defect_is_one_line_without_traceback(capsys: Captured) -> None:
    """What breaks unexpectedly says so in one line and how to see more."""
    assert tell_error(ZeroDivisionError("by\nnought"), Context()) == ExitCode.BROKEN
    assert capsys.readouterr().err == "rtms-audit broke: ZeroDivisionError: by nought (-vv shows where)\n"


def test_defect_shows_its_traceback_when_asked(capsys: Captured) -> None:
    """With -vv the traceback comes before the line."""
    assert tell_error(ZeroDivisionError("by nought"), Context(verbosity=2)) == ExitCode.BROKEN
    assert "ZeroDivisionError: by nought\nrtms-audit broke:" in capsys.readouterr().err


def test_no_error_shows_a_secret(capsys: Captured) -> None:
    """A token in an error's text is masked, in the sentence, the next step and the traceback."""
    for error in (UserError(f"token {SECRET}", next_step=f"use {SECRET}"), ValueError(f"token {SECRET}")):
        tell_error(error, Context(verbosity=2))
    assert SECRET not in capsys.readouterr().err


def test_interrupt_ends_with_130(capsys: Captured) -> None:
    """Ctrl-C ends as shells expect it."""
    assert tell_error(click.Abort(), Context()) == INTERRUPTED
    assert capsys.readouterr().err == "Interrupted.\n"


def test_question_without_anybody_to_answer_is_usage(capsys: Captured) -> None:
    """Where standard input has ended, the program says so instead of claiming an interrupt."""
    error = click.Abort()
    error.__cause__ = EOFError()
    assert tell_error(error, Context()) == ExitCode.USAGE
    assert "standard input had ended" in capsys.readouterr().err


def test_reader_that_hangs_up_is_no_defect() -> None:
    """`rtms-audit … | head` ends silently."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "rtms_audit", "codes", "stop-reason"],
            check=False,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == PIPE_CLOSED
    assert done.stderr == ""


def test_output_that_cannot_show_a_letter_still_works() -> None:
    """On a terminal of another encoding letters are replaced, and nothing breaks."""
    done = run(["codes"], PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "stop-reason" in done.stdout


def in_terminal(arguments: Sequence[str], **environment: str) -> str:
    """Run the program on a terminal of 80 columns, and return what it shows there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "rtms_audit", *arguments],
        stdout=theirs,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal whose program is gone with an error
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    child.wait(60)
    return shown.decode()


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_want_it(tmp_path: Path, environment: dict[str, str], coloured: bool) -> None:
    """A terminal shows colour, unless NO_COLOR or its kind says otherwise, and no line is wider than it."""
    case = tmp_path / "case.yaml"
    installs = "{account: a, environment: production}, {account: b, environment: production}"
    case.write_text(f"format: rtms-audit/evidence@1\ninstalls: [{installs}]\n", encoding="utf-8")
    shown = in_terminal(["diagnose", str(case)], **environment)
    assert "did not start" in shown or "not known" in shown
    assert ("\x1b[" in shown) is coloured
    assert max(map(len, re.sub(r"\x1b\[\d+m", "", shown).splitlines())) <= 80


def test_group_lists_and_finds_its_commands() -> None:
    """Tools that walk the commands find those of the table, and nothing under another name."""
    ctx = click.Context(cli)
    assert cli.list_commands(ctx) == list(COMMANDS)
    assert cli.get_command(ctx, "nothing") is None


@pytest.mark.parametrize("place", [["-vv", "codes", "960"], ["codes", "960", "-vv"]])
def test_global_options_stand_before_and_after_the_command(capsys: Captured, place: list[str]) -> None:
    """Whoever adds -vv at the end is understood."""
    assert main(place) == ExitCode.OK
    assert "960" in capsys.readouterr().out


@pytest.mark.parametrize("place", [["--format", "json", "codes", "960"], ["codes", "960", "--format", "json"]])
def test_format_stands_before_and_after_the_command(capsys: Captured, place: list[str]) -> None:
    """`--format` is a global option and one of the commands."""
    assert main(place) == ExitCode.OK
    assert capsys.readouterr().out.startswith("[")


def test_format_that_a_command_cannot_write_is_refused(capsys: Captured) -> None:
    """A global format that does not exist for a command names those that do."""
    assert main(["--format", "html", "codes", "960"]) == ExitCode.USAGE
    assert "table, json, csv, markdown, not html" in capsys.readouterr().err


def test_malformed_database_is_usage(capsys: Captured) -> None:
    """A database address that is none is one sentence, before anything is opened."""
    assert main(["--database", "nonsense:database", "matrix"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "--database is not a database address" in told
    assert "postgresql://USER@HOST/DATABASE" in told, "the example is no secret"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_the_program(capsys: Captured, shell: str) -> None:
    """Each shell gets a script that asks this program."""
    assert main(["completion", shell]) == ExitCode.OK
    assert "_RTMS_AUDIT_COMPLETE" in capsys.readouterr().out


def test_completion_completes_commands_from_the_table() -> None:
    """The shell asks for commands that begin with `ma`, and gets matrix with its help line."""
    done = run([], _RTMS_AUDIT_COMPLETE="zsh_complete", COMP_WORDS="rtms-audit ma", COMP_CWORD="1")
    assert done.stdout.splitlines() == ["plain", "matrix", SECTIONS["Judge"]["matrix"]]


def test_completion_completes_options_of_a_command() -> None:
    """The shell asks for options of a command, and the command is loaded for it."""
    done = run([], _RTMS_AUDIT_COMPLETE="bash_complete", COMP_WORDS="rtms-audit codes --fo", COMP_CWORD="2")
    assert done.stdout == "plain,--format\n"
