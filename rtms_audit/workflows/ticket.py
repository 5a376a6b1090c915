"""What goes into a support ticket: one install's evidence, redacted, and judged again from exactly that."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.evidence_file import read_case, write_case
from rtms_audit.core.model import Case, InstallKey
from rtms_audit.core.pseudonyms import redact_document
from rtms_audit.core.redact import Level
from rtms_audit.core.verdicts import Diagnosis, Outcome, Status
from rtms_audit.errors import UserError
from rtms_audit.report.ticket import MOST_BYTES, ticket_bundle, ticket_problems
from rtms_audit.workflows.evidence_io import dump_yaml


@dataclass(frozen=True, slots=True)
class Ticket:
    """The zip, the diagnosis in it, and whether the evidence before redaction is judged the same."""

    bundle: bytes
    diagnosis: Diagnosis
    judged_alike: bool


def prepare_ticket(case: Case, install: InstallKey, *, level: Level = Level.PERSONAL) -> Ticket:
    """Return what a ticket about one install holds.

    Only evidence that can bear on that install goes in: its own, that of the same account's other environment, and
    that of the account that owns the app. The diagnosis is made from the redacted file, so that whoever is sent the
    ticket gets the same answer from it.
    """
    shown = redacted(narrowed(case, install), level)
    judged = diagnose(read_case(write_case(shown), name="evidence.yaml"), install)
    alike = _gist(judged) == _gist(diagnose(case, install))
    return Ticket(ticket_bundle(judged, dump_yaml(shown), judged_alike=alike), judged, alike)


def verify_ticket(path: Path) -> tuple[str, ...]:
    """Return what is wrong with a ticket, none where it is as it was packed; UserError where it cannot be read."""
    try:
        if path.stat().st_size > 2 * MOST_BYTES:
            return (f"it is larger than the {2 * MOST_BYTES // 1024 // 1024} MiB that a ticket may have",)
        return ticket_problems(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", next_step="Check its place and rights.") from None


def narrowed(case: Case, install: InstallKey) -> Case:
    """Return the part of a case that can bear on one install."""
    return _only(case, {install.account, case.app.owner})


def selected(case: Case, accounts: Iterable[str]) -> Case:
    """Return the part of a case that is about some accounts; UserError where one has no install."""
    labels = set(accounts)
    known = {one.key.account for one in case.installs}
    for label in sorted(labels - known):
        raise UserError(
            f"no install of {label!r} is known",
            next_step=f"Name some of: {', '.join(sorted(known))}." if known else "Import evidence or install first.",
        )
    return _only(case, labels)


def _only(case: Case, labels: Collection[str | None]) -> Case:
    return replace(
        case,
        installs=tuple(one for one in case.installs if one.key.account in labels),
        observations=tuple(one for one in case.observations if one.install and one.install.account in labels),
        accounts={label: account for label, account in case.accounts.items() if label in labels},
    )


def redacted(case: Case, level: Level) -> Case:
    """Return the case with secrets, and at `Level.PERSONAL` personal data, masked, in one pass over all of it.

    The pseudonyms are salted with the evidence itself: the same case gives the same ticket, and nobody can find an
    id by trying without having that evidence.
    """
    salt = hashlib.sha256(json.dumps(write_case(case), sort_keys=True, default=str).encode()).hexdigest()
    document = [case.title, case.source, *(dict(one.fields) for one in case.observations)]
    title, source, *fields = cast("list[Any]", redact_document(document, level=level, salt=salt))
    shown = zip(case.observations, fields, strict=True)
    observations = tuple(replace(one, fields=masked, raw=None) for one, masked in shown)
    return replace(case, observations=observations, title=title, source=source)


def _gist(diagnosis: Diagnosis) -> tuple[Outcome, tuple[tuple[str, Status], ...]]:
    """Return what of a diagnosis must survive redaction."""
    return diagnosis.outcome, tuple((cause.id, cause.status) for cause in diagnosis.causes)
