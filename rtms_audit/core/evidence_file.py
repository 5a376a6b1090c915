"""Evidence files: everything somebody knows about one or more installs, as one document.

`read_case` turns a document (what YAML or JSON was parsed into) into a Case, strictly; `write_case` is its inverse. The
format is `rtms-audit/evidence@1`, described in docs/evidence-files.md. Absent always means "not known", never "no".
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from rtms_audit.core import evidence_shapes as shapes
from rtms_audit.core.evidence_fields import fact_value, read_fields
from rtms_audit.core.evidence_shapes import ShapeError, joined
from rtms_audit.core.model import (
    Account,
    App,
    AppEnvironment,
    Case,
    Distribution,
    Environment,
    Install,
    InstallKey,
    InstallStatus,
    Kind,
    Observation,
    Plan,
    Usage,
)
from rtms_audit.errors import EvidenceFileError

__all__ = ["FORMAT", "check_fields", "fact_value", "in_time_order", "read_case", "read_time", "write_case"]

FORMAT = "rtms-audit/evidence@1"
"""What the key `format` of an evidence file says."""

KEYS = ("format", "title", "source", "app", "accounts", "installs", "observations")
NEXT_STEP = "correct that place; docs/evidence-files.md describes the format. Nothing of the file was used."


def read_case(document: object, *, name: str) -> Case:
    """Return the case that an evidence document holds.

    Observations get the ids `o1`, `o2`, … by their place in the file and stand in the order of their time. Raises
    EvidenceFileError, naming the file, the place and the reason, for an unknown key or a value of the wrong shape.
    """
    try:
        return _case(document, name)
    except ShapeError as error:
        place = f"{error.place}: " if error.place else ""
        raise EvidenceFileError(f"{name}: {place}{error.reason}", next_step=NEXT_STEP) from None


def check_fields(kind: Kind, fields: Mapping[str, object]) -> None:
    """Raise ValueError where the fields are not those that the format knows for this kind of observation."""
    read_fields(kind, fields)


def read_time(value: object) -> datetime:
    """Return the aware UTC time that a field such as a watch's `from` holds; ValueError where it holds none."""
    return shapes.time(value, "")


def _case(document: object, name: str) -> Case:
    found = shapes.mapping(document, "")
    if found.get("format") != FORMAT:
        raise ShapeError("format", f"must be {FORMAT}, is {shapes.described(found.get('format'))}")
    shapes.fields(found, "", dict.fromkeys(KEYS, _as_it_is))
    if found.get("installs") is None:
        raise ShapeError("installs", "must be there: it lists who has, or should have, which environment of the app")
    installs = _installs(found["installs"])
    return Case(
        installs=installs,
        observations=_observations(_or(found.get("observations"), []), [install.key for install in installs], name),
        app=_app(_or(found.get("app"), {})),
        accounts=_accounts(_or(found.get("accounts"), {})),
        title=shapes.text(_or(found.get("title"), ""), "title"),
        source=shapes.text(_or(found.get("source"), ""), "source"),
    )


def _or(value: object, otherwise: object) -> object:
    return otherwise if value is None else value


def _as_it_is(value: object, _place: str) -> object:
    return value


def _app(value: object) -> App:
    found = shapes.fields(value, "app", dict.fromkeys(("name", "owner", "usage", "environments"), _as_it_is))
    return App(
        name=shapes.text(found["name"], "app.name") if "name" in found else None,
        owner=shapes.label(found["owner"], "app.owner") if "owner" in found else None,
        usage=shapes.choice(Usage, found["usage"], "app.usage") if "usage" in found else None,
        environments=_environments(found.get("environments", {})),
    )


def _environments(value: object) -> Mapping[Environment, AppEnvironment]:
    environments = {}
    for key, inner in shapes.mapping(value, "app.environments").items():
        place = joined("app.environments", key)
        environments[shapes.choice(Environment, key, place)] = _environment(_or(inner, {}), place)
    return MappingProxyType(environments)


def _environment(value: object, place: str) -> AppEnvironment:
    found = shapes.fields(value, place, {"client_id": shapes.text, "distribution": shapes.word(*Distribution)})
    client_id, distribution = found.get("client_id"), found.get("distribution")
    return AppEnvironment(
        client_id=None if client_id is None else str(client_id),
        distribution=None if distribution is None else Distribution(str(distribution)),
    )


def _accounts(value: object) -> Mapping[str, Account]:
    accounts = {}
    for label, entry in shapes.mapping(value, "accounts").items():
        place = joined("accounts", label)
        found = shapes.fields(_or(entry, {}), place, {"plan": shapes.word(*Plan)})
        accounts[shapes.label(label, place)] = Account(label, Plan(str(found.get("plan", Plan.UNKNOWN))))
    return MappingProxyType(accounts)


def _installs(value: object) -> tuple[Install, ...]:
    installs: dict[InstallKey, Install] = {}
    for index, entry in enumerate(shapes.items(value, "installs")):
        install = _install(entry, f"installs[{index}]")
        if install.key in installs:
            raise ShapeError(f"installs[{index}]", f"names {install.key} a second time")
        installs[install.key] = install
    return tuple(installs.values())


def _install(value: object, place: str) -> Install:
    readers = {"account": shapes.label, "environment": shapes.word(*Environment), "status": shapes.word(*InstallStatus)}
    found = shapes.fields(value, place, readers)
    if "account" not in found:
        raise ShapeError(joined(place, "account"), "must be there: it says whose install this is")
    environment = Environment(str(found.get("environment", Environment.UNKNOWN)))
    status = InstallStatus(str(found.get("status", InstallStatus.INSTALLED)))
    return Install(InstallKey(str(found["account"]), environment), status)


def _observations(value: object, installs: list[InstallKey], name: str) -> tuple[Observation, ...]:
    entries = enumerate(shapes.items(value, "observations"))
    known = {str(key): key for key in installs}
    return in_time_order(_observation(entry, index, known, name) for index, entry in entries)


def _observation(value: object, index: int, installs: Mapping[str, InstallKey], name: str) -> Observation:
    place = f"observations[{index}]"
    found = shapes.mapping(value, place)
    if found.get("kind") is None:
        raise ShapeError(joined(place, "kind"), "must be there: it says what was observed")
    kind = shapes.choice(Kind, found.pop("kind"), joined(place, "kind"))
    at, install = found.pop("at", None), found.pop("install", None)
    return Observation(
        kind=kind,
        fields=read_fields(kind, found, place),
        at=None if at is None else shapes.time(at, joined(place, "at")),
        install=_install_key(install, joined(place, "install"), installs),
        id=f"o{index + 1}",
        source=name,
    )


def _install_key(value: object, place: str, installs: Mapping[str, InstallKey]) -> InstallKey:
    if value is None and len(installs) == 1:
        return next(iter(installs.values()))
    if value is None:
        names = ", ".join(installs) or "none"
        raise ShapeError(place, f"must be there, since the file has {len(installs)} installs: {names}")
    wanted = shapes.text(value, place)
    if wanted not in installs:
        names = ", ".join(installs) or "none"
        raise ShapeError(place, f"must be one of the file's installs ({names}), is {shapes.described(wanted)}")
    return installs[wanted]


def in_time_order(observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return the observations by time; those of the same time keep their order.

    An observation without a time goes with the one before it, at the beginning with the first that has a time.
    """
    found = list(observations)
    last = next((observation.at for observation in found if observation.at), datetime.min.replace(tzinfo=UTC))
    moments = [last := observation.at or last for observation in found]
    order = sorted(range(len(found)), key=moments.__getitem__)
    return tuple(found[index] for index in order)


def write_case(case: Case) -> dict[str, object]:
    """Return the document of a case, the inverse of `read_case`: plain dicts, lists, texts, numbers and booleans.

    What the format has no place for is left out: raw bytes, durations, tracking ids, ids that are not places.
    """
    document: dict[str, object] = {
        "format": FORMAT,
        "title": case.title,
        "source": case.source,
        "app": _app_document(case.app),
        "accounts": {label: {"plan": str(account.plan)} for label, account in case.accounts.items()},
    }
    document = {key: value for key, value in document.items() if value}
    document["installs"] = [_install_document(install) for install in case.installs]
    if case.observations:
        document["observations"] = [_observation_document(observation) for observation in _file_order(case)]
    return document


def _app_document(app: App) -> dict[str, object]:
    environments = {
        str(environment): _known(client_id=details.client_id, distribution=details.distribution)
        for environment, details in app.environments.items()
    }
    return _known(name=app.name, owner=app.owner, usage=app.usage, environments=environments or None)


def _known(**values: object) -> dict[str, object]:
    return {key: str(v) if isinstance(v, Usage | Distribution) else v for key, v in values.items() if v is not None}


def _install_document(install: Install) -> dict[str, object]:
    document: dict[str, object] = {"account": install.key.account, "environment": str(install.key.environment)}
    if install.status is not InstallStatus.INSTALLED:
        document["status"] = str(install.status)
    return document


def _observation_document(observation: Observation) -> dict[str, object]:
    document: dict[str, object] = {}
    if observation.at:
        document["at"] = shapes.write_time(observation.at)
    if observation.install:
        document["install"] = str(observation.install)
    document["kind"] = str(observation.kind)
    return document | {key: value for key, value in observation.fields.items() if value is not None}


def _file_order(case: Case) -> Iterable[Observation]:
    """Return the observations as their file had them, where their ids still tell it."""
    by_id = {observation.id: observation for observation in case.observations}
    ids = [f"o{index + 1}" for index in range(len(case.observations))]
    return [by_id[id_] for id_ in ids] if by_id.keys() == set(ids) else case.observations
