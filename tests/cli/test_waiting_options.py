"""What the help says of options that make a command wait."""

import click
import pytest
from click.testing import CliRunner

from rtms_audit.cli.install import install
from rtms_audit.cli.probe import probe


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (probe, "Stay in the stream. [default: 0.0;"),
        (probe, "For the started event. [default: 60.0;"),
        (install, "Seconds to wait; --paste waits for you. [default: 300;"),
    ],
)
def test_the_help_says_how_long_a_command_waits(command: click.Command, said: str) -> None:
    """Nobody has to read the source for a default, or to learn that pasting has no end."""
    shown = CliRunner().invoke(command, ["--help"]).output
    assert said in " ".join(shown.split())
