"""What every command shares: the context, the two streams, `--format`, `-o` and progress.

Standard output carries the result and nothing else; the talk goes to standard error and is silent with `-q`.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from rtms_audit.settings import Settings
    from rtms_audit.store import Store

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def utc_now() -> datetime:
    """Return the time now, in UTC: the clock that commands hand to workflows."""
    return datetime.now(UTC)


@dataclass
class Context:
    """What the global options say. `format` is None unless `--format` was given; `verbosity` counts `-v`."""

    database: str | None = None
    format: str | None = None
    verbosity: int = 0
    quiet: bool = False
    clock: Callable[[], datetime] = field(default=utc_now)

    @cached_property
    def settings(self) -> "Settings":
        """The settings of the environment; UserError where one of them is malformed."""
        from rtms_audit.settings import Settings

        return Settings.from_environment(os.environ)

    @property
    def database_url(self) -> str:
        """The database that `--database` or the environment names, or the default one; UserError for no address."""
        if self.database is None:
            return self.settings.database_url
        from rtms_audit.settings import check_database_url

        return check_database_url(self.database, name="--database")

    @contextmanager
    def open_store(self) -> "Iterator[Store]":
        """Open the store; DatabaseError or VaultKeyError where that cannot be done."""
        from rtms_audit.store import open_store

        with open_store(self.database_url, clock=self.clock) as store:
            yield store

    @property
    def colour(self) -> bool:
        """Whether standard output is a terminal that wants colour (NO_COLOR and TERM=dumb say no)."""
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """The columns that a table may take; wide where the output is no terminal."""
        import shutil

        return shutil.get_terminal_size().columns if sys.stdout.isatty() else 120


pass_context_object = click.make_pass_decorator(Context, ensure=True)
"""Decorator that hands the `Context` to a command as its first argument."""


def echo_result(text: str, *, newline: bool = True) -> None:
    """Write a result to standard output."""
    click.echo(text, nl=newline and not text.endswith("\n"), color=None)


def talk(text: str, *, level: int = 0) -> None:
    """Say something on standard error, secrets taken out; silent with `-q`. `level` is how many `-v` it takes."""
    context = _current()
    if not context.quiet and context.verbosity >= level:
        click.echo(_clean(text), err=True)


def _clean(text: str) -> str:
    from rtms_audit.core.redact import redact_text

    return redact_text(text)


def _current() -> Context:
    ctx = click.get_current_context(silent=True)
    found = ctx.find_object(Context) if ctx else None
    return found or Context()


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show how far a longer job is: call the function given with a word on each finished part.

    On a terminal one line is rewritten; elsewhere each part takes a line, so that logs stay readable.
    """
    done = 0
    terminal = sys.stderr.isatty()

    def step(text: str) -> None:
        nonlocal done
        done += 1
        line = _clean(f"{label} {done}/{total} {text}")
        if not _current().quiet:
            click.echo(f"\r\033[K{line}" if terminal else line, nl=not terminal, err=True)

    try:
        yield step
    finally:
        if terminal and done and not _current().quiet:
            click.echo(err=True)


def format_option(*names: str) -> Callable[[AnyFunction], AnyFunction]:
    """Give a command `--format`; it receives `format_`, one of `names`, the first being the default.

    A `--format` before the command's name counts too, and without any the ending of the `-o` file does; UsageError
    where the command cannot write that one.
    """

    def choose(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str:
        wanted = value or ctx.ensure_object(Context).format or _by_suffix(ctx.params.get("output"), names) or names[0]
        if wanted not in names:
            raise click.BadParameter(f"this command writes {', '.join(names)}, not {wanted}.", ctx)
        return wanted

    return click.option(
        "--format",
        "format_",
        type=click.Choice(names),
        callback=choose,
        help=f"How the result is written. [default: {names[0]}]",
    )


def _by_suffix(output: Path | None, names: Sequence[str]) -> str | None:
    endings = {".htm": "html", ".md": "markdown", ".yml": "yaml"}
    suffix = output.suffix.lower() if output else ""
    found = endings.get(suffix, suffix.removeprefix("."))
    return found if found in names else None


def output_option(function: AnyFunction) -> AnyFunction:
    """Give a command `-o FILE`; it receives `output`, a Path or None, for `write_result`."""
    option = click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        is_eager=True,
        help="Write the result to FILE, which appears only when it is complete.",
    )
    return option(function)


def write_result(content: str | bytes, output: Path | None) -> None:
    """Write a result to standard output, or to a file that appears only when all of it has been written.

    OSError of the file's place becomes a usage error that names it.
    """
    if output is None:
        if isinstance(content, bytes):
            click.echo(content, nl=False)
        else:
            echo_result(content)
        return
    data = content.encode() if isinstance(content, str) else content
    if isinstance(content, str) and not content.endswith("\n"):
        data += b"\n"
    _write_whole(data, output)
    talk(f"Wrote {output}.")


def _write_whole(data: bytes, output: Path) -> None:
    from rtms_audit.errors import UserError

    half = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        half.write_bytes(data)
        half.replace(output)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise UserError(
            f"{output} cannot be written: {error.strerror}.",
            next_step="Name a file in a folder that exists and that you may write to.",
        ) from error


def set_database(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Keep `--database` in the context."""
    if value is not None:
        ctx.ensure_object(Context).database = value


def set_verbosity(ctx: click.Context, _parameter: click.Parameter, value: int) -> None:
    """Keep how often `-v` was given, and let the log speak accordingly."""
    if value:
        context = ctx.ensure_object(Context)
        context.verbosity = max(context.verbosity, value)
        _let_log_speak(context.verbosity)


def set_quiet(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Keep `-q` in the context."""
    if value:
        ctx.ensure_object(Context).quiet = True


def _let_log_speak(verbosity: int) -> None:
    """Send the log of this program, with secrets taken out, to standard error."""
    import logging

    from rtms_audit.core.redact import redact_text

    class Redacting(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return redact_text(super().format(record))

    logger = logging.getLogger("rtms_audit")
    logger.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(Redacting("%(levelname)s %(name)s: %(message)s"))
    logger.handlers[:] = [handler]


def accept_global_options(command: click.Command) -> click.Command:
    """Let `--database`, `-v` and `-q` stand after a command's name as well as before it."""
    taken = {name for parameter in command.params for name in parameter.opts}
    for option in _late_global_options():
        if not taken & set(option.opts):
            command.params.append(option)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            accept_global_options(below)
    return command


def _late_global_options() -> tuple[click.Option, ...]:
    common = cast("dict[str, Any]", {"expose_value": False, "hidden": True})
    return (
        click.Option(["--database"], callback=set_database, **common),
        click.Option(["-v", "--verbose"], count=True, callback=set_verbosity, **common),
        click.Option(["-q", "--quiet"], is_flag=True, callback=set_quiet, **common),
    )
