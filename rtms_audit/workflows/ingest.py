"""Taking files into the store: evidence files, webhook dumps, SDK logs; the same file twice adds nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from rtms_audit.core.model import App, Case, InstallKey, Observation, Plan
from rtms_audit.core.readout import Line
from rtms_audit.errors import UserError
from rtms_audit.workflows.evidence_io import FileKind, Loaded, load_evidence

if TYPE_CHECKING:
    from rtms_audit.store import Store

UNNAMED_APP = "app"
"""What an app is called that no file and nobody names."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one file: how many observations it held, how many of them were new, and what nobody understood."""

    file: Path
    app: str
    installs: tuple[InstallKey, ...]
    found: int
    new: int
    routine: int = 0
    not_understood: tuple[Line, ...] = ()


def take_files(
    store: "Store",
    files: Iterable[Path],
    *,
    app: str | None = None,
    install: InstallKey | None = None,
    timezone: tzinfo | None = None,
) -> tuple[Taken, ...]:
    """Take files in, all of them or, where one cannot be read, none; `install` is for files that name none.

    EvidenceFileError or UserError names the file, the place and the reason.
    """
    read = [(file, load_evidence(file, install=install, timezone=timezone)) for file in files]
    for file, loaded in read:
        if loaded.case is None and install is None:
            article = "a" if loaded.kind is FileKind.WEBHOOKS else "an"
            raise UserError(
                f"{file} is {article} {loaded.kind}, which does not say what install it is about",
                next_step="Name it: --install ACCOUNT/development or --install ACCOUNT/production.",
            )
    return tuple(
        _take_case(store, file, loaded.case, app) if loaded.case else _take_foreign(store, file, loaded, app)
        for file, loaded in read
    )


def _take_case(store: "Store", file: Path, case: Case, app: str | None) -> Taken:
    name = app or case.app.name or _only_app(store)
    store.note_app(App(name, case.app.owner, case.app.usage, case.app.environments))
    labels = {install.key.account for install in case.installs} | set(case.accounts)
    for label in sorted(labels):
        store.put_account(label=label, expected_plan=_new_plan(store, case, label))
    for install in case.installs:
        store.note_install(app=name, install=install)
    new = store.append(app=name, observations=case.observations, once=True)
    keys = tuple(install.key for install in case.installs)
    return Taken(file, name, keys, len(case.observations), len(new))


def _take_foreign(store: "Store", file: Path, loaded: Loaded, app: str | None) -> Taken:
    name = app or _only_app(store)
    store.note_app(App(name))
    keys = tuple(dict.fromkeys(one.install for one in loaded.observations if one.install))
    for key in keys:
        store.put_account(label=key.account)
    new = store.append(app=name, observations=_placed(loaded.observations, file), once=True)
    return Taken(file, name, keys, len(loaded.observations), len(new), loaded.routine, loaded.not_understood)


def _placed(observations: Iterable[Observation], file: Path) -> tuple[Observation, ...]:
    """Return the observations; their source is the file's name without its folders, which may be personal."""
    return tuple(
        Observation(kind=one.kind, fields=one.fields, at=one.at, install=one.install, source=file.name, raw=one.raw)
        for one in observations
    )


def _only_app(store: "Store") -> str:
    """Return the name of the only app, a name of ours where there is none; UserError where there are several."""
    return store.app(None).name if store.apps() else UNNAMED_APP


def _new_plan(store: "Store", case: Case, label: str) -> Plan:
    """Return the plan that a file tells of an account, unless the store believes something already."""
    known = {account.label: account.expected_plan for account in store.accounts()}
    told = case.accounts[label].plan if label in case.accounts else Plan.UNKNOWN
    return told if known.get(label, Plan.UNKNOWN) is Plan.UNKNOWN else Plan.UNKNOWN
