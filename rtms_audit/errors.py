"""What can go wrong, as one small tree of errors, and the exit codes of the command line."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a run of `rtms-audit` ends with; scripts may rely on the numbers."""

    OK = 0
    """All streams started, or the command did what it was asked to."""
    BROKEN = 1
    """The tool itself broke: a defect, to be reported."""
    USAGE = 2
    """Called wrongly, or configured wrongly: wrong argument, file, key or database."""
    INCOMPLETE = 3
    """The evidence is incomplete: Zoom did not answer as needed, or nobody knows yet."""
    BLOCKED = 10
    """At least one install is blocked, and the evidence explains by what."""
    UNEXPLAINED = 11
    """At least one install is unexplained, or its evidence contradicts itself and nothing confirmed settles it."""


class AuditError(Exception):
    """An error that a user can act on: one clear sentence and, where there is one, the next step.

    The message must hold no token, secret or unredacted body.
    """

    exit_code = ExitCode.BROKEN

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class UserError(AuditError):
    """The call, a file, a name, a key or the configuration is wrong; nothing was changed."""

    exit_code = ExitCode.USAGE


class EvidenceFileError(UserError):
    """An evidence file does not have the shape it must have; the message names file, place and reason."""


class VaultKeyError(UserError):
    """The key that opens the vault is missing, unreadable or not the right one; nothing was touched."""


class DatabaseError(UserError):
    """The database cannot be used as it is (too new, too old and not ours to change, unreadable)."""


class ZoomError(AuditError):
    """Zoom could not be reached, or did not answer in a way that lets the work go on."""

    exit_code = ExitCode.INCOMPLETE
