"""Judging what is known: of the store as it is or was, or of one evidence file."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from rtms_audit.core.diagnosis import diagnose, diagnose_case
from rtms_audit.core.model import Case, Environment, InstallKey
from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.errors import UserError
from rtms_audit.report.json_ import json_diagnoses

if TYPE_CHECKING:
    from rtms_audit.store import Store

_AGO = re.compile(r"(\d{1,5}) ?(minute|hour|day|week|[mhdw])s?( ago)?")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def judge(case: Case, only: InstallKey | None = None) -> tuple[Diagnosis, ...]:
    """Return the diagnosis of every install of a case, or of one."""
    return diagnose_case(case) if only is None else (diagnose(case, only),)


def known_case(store: "Store", app: str | None, *, as_of: datetime | None = None) -> Case:
    """Return everything the store knows of an app (None: the only one), as of a time; UserError names the apps."""
    return store.case(app=store.app(app).name, as_of=as_of)


def pick_install(case: Case, account: str, environment: str | None = None) -> InstallKey:
    """Return the install of an account; the environment may be left out where the account has one install.

    UserError names the installs that there are.
    """
    wanted = Environment(environment) if environment else None
    found = [one.key for one in case.installs if one.key.account == account and wanted in (None, one.key.environment)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{account} has several installs: {_names(found)}",
            next_step="Name one with --environment.",
        )
    raise _no_install(case, f"{account}/{wanted}" if wanted else account)


def parse_install(case: Case, text: str) -> InstallKey:
    """Return the install that `account/environment`, or an account with one install, names; UserError otherwise."""
    if any(one.key.account == text for one in case.installs):
        return pick_install(case, text)
    found = [one.key for one in case.installs if str(one.key) == text]
    if not found:
        raise _no_install(case, text)
    return found[0]


def _no_install(case: Case, text: str) -> UserError:
    known = _names([one.key for one in case.installs])
    return UserError(
        f"no install {text!r} is known",
        next_step=f"Name one of: {known}." if known else "Install the app, or import evidence, first.",
    )


def _names(keys: Sequence[InstallKey], most: int = 12) -> str:
    shown = ", ".join(str(key) for key in keys[:most])
    return f"{shown} and {len(keys) - most} more" if len(keys) > most else shown


def parse_time(text: str, *, clock: Callable[[], datetime]) -> datetime:
    """Return the time that a person wrote, in UTC.

    Understood are ISO 8601 times (UTC where they name no zone), dates (their end, so that the day counts in full) and
    ages such as `2d`, `3 hours ago`, `1 week`. UserError otherwise.
    """
    text = text.strip()
    age = _AGO.fullmatch(text)
    try:
        return clock() - timedelta(**{_UNITS[age[2][0]]: int(age[1])}) if age else _iso_time(text)
    except (ValueError, OverflowError):
        raise UserError(
            f"{text!r} is not a time", next_step="Write one like 2026-03-02, 2026-03-02T10:00:00Z or 2d (two days ago)."
        ) from None


def _iso_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if re.fullmatch(r"\d{4}-?\d\d-?\d\d", text):
        return datetime.combine(at.date(), time.max, UTC)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def parse_values(words: Sequence[str]) -> Mapping[str, object]:
    """Return what `KEY=VALUE` words say; `true`, `false` and whole numbers are read as such.

    UserError names a word that is of another form, or a key that stands twice.
    """
    values: dict[str, object] = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator or not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", key):
            raise UserError(
                f"{word!r} is not of the form KEY=VALUE",
                next_step="Write for example setting.share_realtime_content=on; docs/evidence-files.md lists the keys.",
            )
        if key in values:
            raise UserError(f"{key} is given twice", next_step="Give each key one value.")
        values[key] = _value(value)
    return values


def _value(text: str) -> object:
    words: Mapping[str, object] = {"true": True, "false": False}
    if text in words:
        return words[text]
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if "," in text:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def keep_run(store: "Store", app: str | None, diagnoses: Sequence[Diagnosis]) -> int:
    """Keep what was judged as a run, and return its number."""
    return store.add_run(app=store.app(app).name, kind="matrix", diagnoses_json=json_diagnoses(diagnoses))
