"""The door: one lazy group of commands, and what happens when one of them fails.

`--help` and `--version` load click and nothing else: the help lines below are a table, and the module of a command is
imported only when that command is called.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any, cast

import click

from rtms_audit import __version__
from rtms_audit.cli.common import Context, accept_global_options, set_database, set_quiet, set_verbosity
from rtms_audit.errors import AuditError, ExitCode

COMMANDS: Mapping[str, str] = {
    "demo": "rtms_audit.cli.demo:demo",
    "doctor": "rtms_audit.cli.doctor:doctor",
    "app": "rtms_audit.cli.app:app",
    "account": "rtms_audit.cli.account:account",
    "install": "rtms_audit.cli.install:install",
    "installs": "rtms_audit.cli.installs:installs",
    "collect": "rtms_audit.cli.collect:collect",
    "serve": "rtms_audit.cli.serve:serve",
    "probe": "rtms_audit.cli.probe:probe",
    "import": "rtms_audit.cli.import_:import_",
    "export": "rtms_audit.cli.export:export",
    "attest": "rtms_audit.cli.attest:attest",
    "matrix": "rtms_audit.cli.matrix:matrix",
    "explain": "rtms_audit.cli.explain:explain",
    "diagnose": "rtms_audit.cli.diagnose:diagnose",
    "contrast": "rtms_audit.cli.compare:contrast",
    "diff": "rtms_audit.cli.compare:diff",
    "what-if": "rtms_audit.cli.compare:what_if",
    "report": "rtms_audit.cli.report:report",
    "ticket": "rtms_audit.cli.ticket:ticket",
    "codes": "rtms_audit.cli.codes:codes",
    "checks": "rtms_audit.cli.checks:checks",
    "sandbox": "rtms_audit.cli.sandbox:sandbox",
    "keys": "rtms_audit.cli.keys:keys",
    "db": "rtms_audit.cli.db:db",
    "completion": "rtms_audit.cli.completion:completion",
}
"""Each command's name and where it lives, as `module:attribute`."""

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Start here": {
        "demo": "Run a whole audit against the built-in sandbox.",
        "doctor": "Check this machine, the credentials and the store.",
    },
    "Set up": {
        "app": "The app and its two credential pairs.",
        "account": "The accounts to audit.",
        "install": "Install the app into an account.",
        "installs": "List, refresh, revoke or remove installs.",
    },
    "Gather evidence": {
        "collect": "Ask Zoom about every installed account.",
        "serve": "Receive OAuth callbacks and webhooks.",
        "probe": "Start RTMS in a meeting and record each step.",
        "import": "Take evidence files, webhook dumps and SDK logs in.",
        "export": "Write what is known of accounts as an evidence file.",
        "attest": "Record what a person saw or did.",
    },
    "Judge": {
        "matrix": "Show every account and environment, and why.",
        "explain": "Explain one install, from its evidence.",
        "diagnose": "Judge an evidence file, without store or network.",
        "contrast": "Show what differs between two installs.",
        "diff": "Show what changed between two runs.",
        "what-if": "Change one fact and see which cells flip.",
    },
    "Hand over": {
        "report": "Write the whole audit as one page.",
        "ticket": "Pack a support ticket, or verify one.",
    },
    "Look up": {
        "codes": "Say what a number of Zoom's means.",
        "checks": "List the checks, or explain one.",
    },
    "Keep house": {
        "sandbox": "Serve a look-alike Zoom for tests.",
        "keys": "List and rotate the vault's keys.",
        "db": "Upgrade or check the database.",
        "completion": "Print the completion script of a shell.",
    },
}
"""What `--help` says of each command, under which heading."""

PIPE_CLOSED = 128 + 13
INTERRUPTED = 128 + 2


class _PipeClosedError(Exception):
    """Whoever read our standard output has gone away."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, None where there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        return accept_global_options(cast("click.Command", getattr(import_module(module), attribute)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where a name is not known."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"There is no command {name!r}.{_nearest(name)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(10), line) for name, line in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete command names from the table alone."""
        from click.shell_completion import CompletionItem

        items = [
            CompletionItem(name, help=line)
            for commands in SECTIONS.values()
            for name, line in commands.items()
            if name.startswith(incomplete)
        ]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that hung up is told apart from other errors of the system."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise _PipeClosedError from error
        return result


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    return f" Did you mean {near[0]!r}?" if near else " `rtms-audit --help` lists the commands."


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all started, 1 the tool broke, 2 usage, 3 evidence incomplete, "
    "10 blocked and explained, 11 contradicted or unexplained.",
)
@click.version_option(__version__, prog_name="rtms-audit", message="%(prog)s %(version)s")
@click.option(
    "--database",
    metavar="URL",
    expose_value=False,
    callback=set_database,
    help="The store: a SQLAlchemy URL or the path of a SQLite file. [env: RTMS_AUDIT_DATABASE_URL]",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv", "markdown", "html", "yaml"]),
    help="How the result is written, where a command has several ways.",
)
@click.option("-v", "--verbose", count=True, expose_value=False, callback=set_verbosity, help="Say more; -vv: all.")
@click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=set_quiet, help="Only the result and errors.")
@click.pass_context
def cli(ctx: click.Context, format_: str | None) -> None:
    """Tell why Zoom's Realtime Media Streams did or did not start, account by account.

    \b
    For example:
      rtms-audit demo                      see the answer on the built-in sandbox
      rtms-audit diagnose case.yaml        judge an evidence file
      rtms-audit matrix                    accounts × environments, and why
    """
    context = ctx.ensure_object(Context)
    context.format = format_
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are told on standard error."""
    context = Context()
    _show_what_can_be_shown()
    try:
        result = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="rtms-audit",
            standalone_mode=False,
            obj=context,
        )
    except Exception as error:  # noqa: BLE001  the one place where every error becomes a sentence and a number
        return tell_error(error, context)
    return int(result) if isinstance(result, int) else ExitCode.OK


def _show_what_can_be_shown() -> None:
    """Let letters that the output's encoding lacks become question marks instead of errors."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and "utf" not in stream.encoding.lower():
            stream.reconfigure(errors="replace")


def tell_error(error: Exception, context: Context) -> int:
    """Say what went wrong on standard error, and return the exit code for it."""
    if isinstance(error, _PipeClosedError):
        return _leave_closed_pipe()
    if isinstance(error, click.Abort):
        return _tell_abort(error)
    if isinstance(error, click.ClickException):
        error.show()
        return ExitCode.USAGE
    if context.verbosity > 1:
        _show_traceback(error)
    if isinstance(error, AuditError):
        click.echo(f"Error: {_sentence(error.message)}", err=True)
        if error.next_step:
            click.echo(f"Next: {_sentence(error.next_step)}", err=True)
        return error.exit_code
    hint = "" if context.verbosity > 1 else " (-vv shows where)"
    text = " ".join(_clean(f"{type(error).__name__}: {error}").split())
    click.echo(f"rtms-audit broke: {text}{hint}", err=True)
    return ExitCode.BROKEN


def _tell_abort(error: click.Abort) -> int:
    """Tell Ctrl-C from a question that nobody was there to answer."""
    if isinstance(error.__cause__ or error.__context__, EOFError):
        click.echo("Error: a question was asked, but standard input had ended.", err=True)
        click.echo("Next: pass the answer as an option, a file or an environment variable; see --help.", err=True)
        return ExitCode.USAGE
    click.echo("Interrupted.", err=True)
    return INTERRUPTED


def _leave_closed_pipe() -> int:
    """Point standard output at nothing, so that the interpreter's own flush at exit stays silent."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return PIPE_CLOSED


def _show_traceback(error: Exception) -> None:
    import traceback

    click.echo(_clean("".join(traceback.format_exception(error))), err=True, nl=False)


def _sentence(text: str) -> str:
    """Return a cleaned text on one line, with the stop of a sentence."""
    text = " ".join(_clean(text).split())
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def _clean(text: str) -> str:
    """Take anything that looks like a secret out of an error's text."""
    from rtms_audit.core.redact import redact_text

    return redact_text(text)
