"""Options that several of the judging commands take, and how they end."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rtms_audit.cli.common import Context
from rtms_audit.errors import ExitCode

if TYPE_CHECKING:
    from rtms_audit.core.verdicts import Diagnosis
    from rtms_audit.report.table import Style

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

ENVIRONMENTS = ("development", "production")


def app_option(function: AnyFunction) -> AnyFunction:
    """Give a command `--app NAME`; it receives `app`, None for the only one."""
    option = click.option("--app", metavar="NAME", help="The app; may be left out while there is one.")
    return option(function)


def environment_option(function: AnyFunction) -> AnyFunction:
    """Give a command `--environment ENV`; it receives `environment`, None where the account has one install."""
    option = click.option(
        "--environment",
        type=click.Choice([*ENVIRONMENTS, "unknown"]),
        help="The environment; may be left out where the account has one install.",
    )
    return option(function)


def as_of_option(function: AnyFunction) -> AnyFunction:
    """Give a command `--as-of TIME`; it receives `as_of`, the text or None."""
    option = click.option(
        "--as-of",
        metavar="TIME",
        help="Judge what was known then: 2026-03-02, 2026-03-02T10:00:00Z, or 2d for two days ago.",
    )
    return option(function)


def exit_zero_option(function: AnyFunction) -> AnyFunction:
    """Give a command `--exit-zero`; it receives `exit_zero`, for `verdict_code`."""
    option = click.option("--exit-zero", is_flag=True, help="End with 0 whatever was found, for scripts.")
    return option(function)


def verdict_code(diagnoses: "Sequence[Diagnosis]", *, exit_zero: bool = False) -> ExitCode:
    """Return the exit code that the diagnoses deserve, or 0 where that was asked for."""
    from rtms_audit.core.diagnosis import exit_code

    return ExitCode.OK if exit_zero else exit_code(diagnoses)


def style_of(context: Context, output: object = None) -> "Style":
    """Return how tables may look: as the terminal is, or plain and wide where they go into a file."""
    from rtms_audit.report.table import PLAIN, Style

    return PLAIN if output else Style(width=context.width, colour=context.colour)
