"""A case arranged for judging: put in time order once, and found again by install, account and environment.

Judging looks at each install alone; what it needs of the others is kept here, so that a case of many installs takes no
longer than its installs one by one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from rtms_audit.core import reading
from rtms_audit.core.model import Case, Environment, Install, InstallKey, Kind, Observation

SAME_DELIVERY = timedelta(seconds=60)
"""Zoom repeats a webhook after five minutes at the earliest; the same one within a minute was kept twice by us."""

_K = TypeVar("_K")
_KIND_ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Casebook:
    """A case in order.

    `streams` holds the latest started event with an address by environment, under None that of no known install;
    `loads` are the events that tell how many streams the owner's apps have.
    """

    case: Case
    installs: Mapping[InstallKey, Install]
    by_install: Mapping[InstallKey, tuple[Observation, ...]]
    by_account: Mapping[str, tuple[Observation, ...]]
    streams: Mapping[Environment | None, Observation]
    loads: tuple[Observation, ...]


def arrange(case: Case) -> Casebook:
    """Arrange a case; what names no install belongs to the only one, where there is only one."""
    installs = {install.key: install for install in case.installs}
    only = next(iter(installs)) if len(installs) == 1 else None
    by_install: dict[InstallKey, list[Observation]] = {}
    by_account: dict[str, list[Observation]] = {}
    streams: dict[Environment | None, Observation] = {}
    loads: list[Observation] = []
    for observation in in_order(case.observations):
        key = observation.install or only
        if key:
            by_install.setdefault(key, []).append(observation)
            by_account.setdefault(key.account, []).append(observation)
        if reading.is_rtms(observation, "started") and reading.payload(observation).get("server_urls"):
            streams[key.environment if key else None] = observation
        elif "concurrency" in reading.event_name(observation):
            loads.append(observation)
    return Casebook(case, installs, _fixed(by_install), _fixed(by_account), streams, tuple(loads))


def _fixed(groups: Mapping[_K, list[Observation]]) -> dict[_K, tuple[Observation, ...]]:
    return {key: tuple(group) for key, group in groups.items()}


def in_order(observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return the observations in time order, each content once; those of one moment in an order of their own.

    One without a time keeps its place after the one before it.
    """
    seen: set[tuple[object, ...]] = set()
    placed: list[tuple[datetime, int, str, Observation]] = []
    moment = datetime.min.replace(tzinfo=UTC)
    for observation in observations:
        content = _content(observation)
        if observation.at is not None:
            identity: tuple[object, ...] = (observation.install, observation.kind, observation.at, content)
            if identity in seen:
                continue
            seen.add(identity)
            moment = observation.at
        placed.append((moment, _KIND_ORDER[observation.kind], content, observation))
    timeless = any(observation.at is None for *_, observation in placed)
    placed.sort(key=(lambda item: item[0]) if timeless else (lambda item: item[:3]))
    return _without_echoes([observation for *_, observation in placed])


def _without_echoes(observations: list[Observation]) -> tuple[Observation, ...]:
    """Drop a webhook that was kept on arrival where it was kept again with the answer that it got."""
    answered = {_delivery(o): o.at for o in observations if o.kind is Kind.WEBHOOK and "answered" in o.fields}
    if not answered:
        return tuple(observations)
    return tuple(
        o
        for o in observations
        if o.kind is not Kind.WEBHOOK or "answered" in o.fields or not _is_near(o.at, answered.get(_delivery(o)))
    )


def _delivery(observation: Observation) -> tuple[object, ...]:
    body = reading.body(observation)
    return observation.install, _canonical([body.get("event"), body.get("event_ts"), _payload(observation)])


def _is_near(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(other - one) <= SAME_DELIVERY


def _content(observation: Observation) -> str:
    """Return the content of an observation as a text that does not depend on the order of keys or on nesting."""
    fields = observation.fields
    if observation.kind is Kind.WEBHOOK:
        fields = {**fields, "body": {**reading.body(observation), "payload": _payload(observation)}}
    return _canonical(fields)


def _payload(observation: Observation) -> dict[str, object]:
    return {key: value for key, value in reading.payload(observation).items() if key != "object"}


def _canonical(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{key!r}:{_canonical(inner)}" for key, inner in value.items())) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return repr(value)
