"""Registering the accounts to audit, one by one or from a CSV file."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rtms_audit.core.model import Plan
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError, ZoomError
from rtms_audit.store.store import Store
from rtms_audit.workflows.auditor_tokens import keep_token, token_version
from rtms_audit.workflows.refusals import TRANSIENT, in_words
from rtms_audit.workflows.services import Services
from rtms_audit.zoom.oauth import Pair

COLUMNS = ("label", "email", "expect_plan", "account_id")
"""The columns of an accounts file; `label` must be there, the others may be left out, in any order."""

LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as a person describes it."""

    label: str
    email: str | None = None
    account_id: str | None = None
    plan: Plan = Plan.UNKNOWN


@dataclass(frozen=True, slots=True)
class Imported:
    """The labels that are new, and those whose account was there and has been brought up to date."""

    added: tuple[str, ...]
    updated: tuple[str, ...]


class _CellError(ValueError):
    """A value that cannot be right, and the column it stands in."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def add_account(store: Store, row: AccountRow) -> bool:
    """Register an account, or bring it up to date; True where it is new. UserError where a value cannot be right."""
    try:
        checked = _checked(row)
    except _CellError as error:
        raise UserError(f"{error.column}: {error}.", next_step="See `rtms-audit account add --help`.") from None
    is_new = checked.label not in {account.label for account in store.accounts()}
    _put(store, checked)
    return is_new


def import_accounts(store: Store, text: str, *, name: str) -> Imported:
    """Register all accounts of a CSV file, or none: UserError names every wrong line and column."""
    rows = read_accounts(text, name=name)
    known = {account.label for account in store.accounts()}
    for row in rows:
        _put(store, row)
    return Imported(
        tuple(row.label for row in rows if row.label not in known),
        tuple(row.label for row in rows if row.label in known),
    )


def read_accounts(text: str, *, name: str) -> tuple[AccountRow, ...]:
    """Read an accounts file strictly; UserError names every wrong line and column."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    lines = _lines(reader, name)
    if not lines:
        raise UserError(f"{name} is empty.", next_step=f"Its first line names the columns: {','.join(COLUMNS)}")
    header = _header(lines[0][1], name)
    rows: dict[str, AccountRow] = {}
    wrong: list[str] = []
    for number, cells in lines[1:]:
        try:
            row = _read_row(header, cells)
            if row.label in rows:
                raise _CellError("label", f"{row.label!r} stands there twice")
        except _CellError as error:
            wrong.append(f"line {number}, column {error.column}: {error}")
        else:
            rows[row.label] = row
    if wrong:
        raise UserError(f"{name}: {'; '.join(wrong)}.", next_step="Nothing was imported; mend the file and try again.")
    return tuple(rows.values())


def connect_auditor(
    services: Services, *, account: str, client_id: str, client_secret: Secret, zoom_account_id: str
) -> None:
    """Keep an account's own Server-to-Server app, after Zoom gave a token for it; the token is kept and used, too.

    UserError where the account is not known, where the Zoom account is another one, or where Zoom refuses, ZoomError
    where Zoom cannot be asked; nothing is stored then. The Zoom account id is kept with the label, so that an install
    elsewhere is noticed.
    """
    label = services.store.account(account).label
    _check_same_account(services.store, label, zoom_account_id)
    before = token_version(services, account=label)
    answer = services.oauth.account_credentials(Pair(client_id, client_secret), zoom_account_id)
    if answer.tokens is None:
        problem = answer.problem
        if problem is not None and problem.kind in TRANSIENT:
            raise ZoomError(
                f"Zoom did not answer for the auditor connection of {label}: {in_words(problem)}.",
                next_step="Nothing was stored. Check network and proxy with `rtms-audit doctor`, then try again.",
            )
        said = (problem.reason or problem.error or "no reason given") if problem else "no answer"
        raise UserError(
            f"Zoom gives no token for the auditor connection of {label}: {said}.",
            next_step="Compare client id, secret and account id with the Server-to-Server app's page.",
        )
    services.store.put_auditor(
        account=label, client_id=client_id, client_secret=client_secret, zoom_account_id=zoom_account_id
    )
    services.store.put_account(label=label, account_id=zoom_account_id)
    keep_token(services, account=label, tokens=answer.tokens, before=before)


def bound_elsewhere(store: Store, label: str, zoom_account_id: str) -> str | None:
    """Name another label that this Zoom account is known by: from what was registered, an install or an auditor."""
    others = (account.label for account in store.accounts() if account.label != label)
    return next((other for other in others if zoom_account_id in _known_ids(store, other)), None)


def installed_ids(store: Store, label: str) -> set[str]:
    """Return the Zoom account ids from which this label was installed."""
    return {grant.zoom_account_id for grant in store.grants() if grant.account == label and grant.zoom_account_id}


def _known_ids(store: Store, label: str) -> set[str]:
    auditor, told = store.auditor(account=label), store.account(label).account_id
    return installed_ids(store, label) | ({told} if told else set()) | ({auditor.zoom_account_id} if auditor else set())


def _check_same_account(store: Store, label: str, zoom_account_id: str) -> None:
    """Refuse the connection of another account: its plan and settings would be shown as this label's."""
    other = bound_elsewhere(store, label, zoom_account_id)
    if other is not None:
        raise UserError(
            f"Zoom account {zoom_account_id} is already known here as {other}, not {label}.",
            next_step=f"Use the account id and the Server-to-Server app of {label}'s own Zoom account.",
        )
    told = store.account(label).account_id
    known = {told} if told else installed_ids(store, label)
    if known and zoom_account_id not in known:
        raise UserError(
            f"{label} is Zoom account {', '.join(sorted(known))}, not {zoom_account_id}.",
            next_step=f"Use its own Server-to-Server app, or correct the id: rtms-audit account add {label} "
            "--account-id ID",
        )


def _lines(reader: Iterable[list[str]], name: str) -> list[tuple[int, list[str]]]:
    """Give the rows that hold something, each with the number of the line it ends in."""
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            number = getattr(reader, "line_num", len(lines) + 1)
            if any(cell.strip() for cell in cells):
                lines.append((number, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise UserError(
            f"{name}, line {getattr(reader, 'line_num', '?')}: {error}.", next_step="Nothing was imported."
        ) from None
    return lines


def _header(cells: list[str], name: str) -> list[str]:
    names = [cell.lower() for cell in cells]
    unknown = [cell for cell in names if cell not in COLUMNS]
    if "label" not in names or unknown or len(set(names)) != len(names):
        found = f"unknown: {', '.join(unknown)}" if unknown else f"it has: {', '.join(cells)}"
        raise UserError(
            f"{name}, line 1: the columns are not those of an accounts file ({found}).",
            next_step=f"Its first line names columns among {','.join(COLUMNS)}; label must be one of them.",
        )
    return names


def _read_row(header: list[str], cells: list[str]) -> AccountRow:
    if len(cells) > len(header):
        raise _CellError(str(len(header) + 1), "there are more values than columns")
    values: Mapping[str, str] = dict(zip(header, cells, strict=False))
    plan = values.get("expect_plan", "").lower()
    if plan and plan not in set(Plan):
        raise _CellError("expect_plan", f"{plan!r} is none of {', '.join(Plan)}")
    row = AccountRow(
        values.get("label", ""),
        values.get("email") or None,
        values.get("account_id") or None,
        Plan(plan) if plan else Plan.UNKNOWN,
    )
    return _checked(row)


def _checked(row: AccountRow) -> AccountRow:
    if not row.label or "/" in row.label or not row.label.isprintable() or len(row.label) > LONGEST_LABEL:
        raise _CellError("label", f"{row.label!r} cannot be a label (printable, without a slash, not empty)")
    if row.email is not None:
        user, at, host = row.email.partition("@")
        if not (user and at and host) or any(character.isspace() for character in row.email) or "@" in host:
            raise _CellError("email", f"{row.email!r} is not an e-mail address")
    if row.account_id is not None and any(character.isspace() for character in row.account_id):
        raise _CellError("account_id", f"{row.account_id!r} is not a Zoom account id")
    return row


def _put(store: Store, row: AccountRow) -> None:
    store.put_account(label=row.label, email=row.email, account_id=row.account_id, expected_plan=row.plan)
