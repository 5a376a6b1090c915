"""`rtms-audit db`: the database and its version."""

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object
from rtms_audit.errors import DatabaseError


@click.group()
def db() -> None:
    """Upgrade or check the database."""


@db.command("upgrade")
@pass_context_object
def upgrade(context: Context) -> None:
    """Bring the database to this version's tables, all or nothing; a new SQLite file is made."""
    from rtms_audit.store.schema import upgrade as bring_up

    before = bring_up(_url(context))
    if before.is_current:
        echo_result(f"The database is at revision {before.head} already.")
    else:
        echo_result(f"The database went from {before.current or 'nothing'} to revision {before.head}.")


@db.command("check")
@pass_context_object
def check(context: Context) -> None:
    """Say whether the database is of this version; nothing is changed. Ends with 2 where it is not."""
    from rtms_audit.store.schema import check as look

    state = look(_url(context))
    if not state.is_current:
        found = f"at revision {state.current}" if state.current else "empty, or not there yet"
        raise DatabaseError(
            f"The database is {found}; this version needs {state.head}.", next_step="rtms-audit db upgrade"
        )
    echo_result(f"The database is at revision {state.head}, as this version needs it.")


def _url(context: Context) -> str:
    from rtms_audit.settings import check_database_url

    return check_database_url(context.database_url or "")
