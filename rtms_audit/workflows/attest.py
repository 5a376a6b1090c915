"""What people say they saw or did, kept as statements beside what machines saw."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from rtms_audit.core.evidence_file import check_fields, fact_value
from rtms_audit.core.model import Environment, InstallKey, Kind, Observation
from rtms_audit.errors import UserError

if TYPE_CHECKING:
    from rtms_audit.store import Store


def attest(
    store: "Store",
    *,
    app: str | None,
    account: str,
    environment: Environment | None,
    values: Mapping[str, object],
    by: str,
    note: str | None,
    clock: Callable[[], datetime],
) -> tuple[str, ...]:
    """Keep one statement per key and install, and return their ids.

    Without an environment the statement is about every install of the account that is known, or about both
    environments where none is. UserError for an unknown account or a value that the key cannot have; nothing is kept
    then.
    """
    name = store.app(app).name
    label = store.account(account).label
    installs = [InstallKey(label, environment)] if environment else _installs(store, name, label)
    at = clock()
    statements = [
        Observation(kind=Kind.STATEMENT, fields=_fields(key, value, by, note), at=at, install=install, source="attest")
        for install in installs
        for key, value in values.items()
    ]
    return store.append(app=name, observations=statements)


def _installs(store: "Store", app: str, account: str) -> list[InstallKey]:
    known = [one.key for one in store.case(app=app, account=account).installs if one.key.account == account]
    return known or [InstallKey(account, one) for one in (Environment.DEVELOPMENT, Environment.PRODUCTION)]


def _fields(about: str, value: object, by: str, note: str | None) -> dict[str, object]:
    fields: dict[str, object] = {"about": about, "by": by, **({"note": note} if note else {})}
    try:
        fields["value"] = fact_value(about, value)
        check_fields(Kind.STATEMENT, fields)
    except ValueError as error:
        raise UserError(
            f"{about}={value}: {error}",
            next_step="docs/evidence-files.md lists the keys and the values each can have. Nothing was kept.",
        ) from None
    return fields
