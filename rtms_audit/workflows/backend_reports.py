"""Taking in what a developer's own backend reports: SDK callbacks, handshakes, keep-alives, statements."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from rtms_audit.core.evidence_fields import read_fields
from rtms_audit.core.evidence_shapes import ShapeError
from rtms_audit.core.model import InstallKey, Kind, Observation
from rtms_audit.core.redact import redact_value
from rtms_audit.errors import UserError
from rtms_audit.workflows.services import Services

REPORTABLE = (Kind.SDK, Kind.HANDSHAKE, Kind.KEEPALIVE, Kind.STATEMENT)
"""The kinds that a backend can know of; webhooks come from Zoom, `rest` and `oauth` from our own calls."""

MOST = 1000
"""How many observations one report may hold."""


def read_reports(body: bytes, services: Services) -> tuple[Observation, ...]:
    """Read one observation or a list of them, in the shape of evidence files; `at` is now where it is absent.

    UserError names the place and the reason; nothing is kept then.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UserError("The report is not JSON.", next_step="Send an observation or a list of them.") from None
    items = document if isinstance(document, list) else [document]
    if not 1 <= len(items) <= MOST:
        raise UserError(f"A report holds 1 to {MOST} observations, not {len(items)}.")
    known = {account.label for account in services.store.accounts()}
    return tuple(_read(item, f"observation {place}", known, services) for place, item in enumerate(items, start=1))


def _read(item: object, place: str, known: set[str], services: Services) -> Observation:
    if not isinstance(item, Mapping):
        raise UserError(f"{place} is not a mapping.", next_step="docs/evidence-files.md describes observations.")
    values = {str(key): value for key, value in item.items()}
    kind = _kind(values.pop("kind", None), place)
    install = _install(values.pop("install", None), place, known)
    at = _time(values.pop("at", None), place, services.clock())
    try:
        fields = read_fields(kind, redact_value(values))
    except ShapeError as error:
        raise UserError(f"{place}: {error}.", next_step="docs/evidence-files.md describes the fields.") from None
    return Observation(kind=kind, fields=fields, at=at, install=install, source="backend")


def _kind(value: object, place: str) -> Kind:
    if value not in REPORTABLE:
        raise UserError(f"{place}: kind {value!r} is none of {', '.join(REPORTABLE)}.")
    return Kind(str(value))


def _install(value: object, place: str, known: set[str]) -> InstallKey:
    try:
        key = InstallKey.parse(str(value))
    except ValueError:
        raise UserError(f"{place}: install {value!r} is not of the form account/environment.") from None
    if key.account not in known:
        raise UserError(
            f"{place}: there is no account {key.account!r}.", next_step="`rtms-audit account list` names them."
        )
    return key


def _time(value: object, place: str, now: datetime) -> datetime:
    if value is None:
        return now
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise UserError(f"{place}: at {value!r} is not a time.", next_step="Write 2026-03-02T10:00:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
