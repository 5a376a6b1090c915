"""Reading secrets from a file, the environment or a prompt; never from an argument, which every process may see."""

import os
import sys
from pathlib import Path

import click

from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError

LARGEST = 4096


def read_secret(*, file: Path | None, variable: str, prompt: str, optional: bool = False) -> Secret | None:
    """Return the secret from the file, else from the environment variable, else from the person at the terminal.

    `file` `-` is standard input. None only where `optional` and nothing was given. UserError where it is unreadable.
    """
    if file is not None:
        return _from_file(file)
    if os.environ.get(variable):
        return Secret(os.environ[variable].strip())
    if not sys.stdin.isatty():
        if optional:
            return None
        raise UserError(f"No {prompt.lower()} was given.", next_step=f"Name a file with it, or set {variable}.")
    typed = click.prompt(prompt, hide_input=True, default="" if optional else None, show_default=False, err=True)
    return Secret(typed.strip()) if typed.strip() else None


def need_secret(*, file: Path | None, variable: str, prompt: str) -> Secret:
    """Return the secret as `read_secret` does; UserError where none was given."""
    found = read_secret(file=file, variable=variable, prompt=prompt)
    if not found:
        raise UserError(f"The {prompt.lower()} is empty.", next_step=f"Name a file with it, or set {variable}.")
    return found


def _from_file(file: Path) -> Secret:
    try:
        if str(file) == "-":
            text = sys.stdin.read(LARGEST)
        else:
            with file.open(encoding="utf-8") as lines:
                text = lines.read(LARGEST)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UserError(
            f"The secret cannot be read from {file}: {reason}.", next_step="Name a readable file."
        ) from None
    if not text.strip():
        raise UserError(f"{file} is empty.", next_step="Put the secret into it, on one line.")
    return Secret(text.strip())
