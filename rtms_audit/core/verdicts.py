"""What judging says: facts, decisions of the checks, and the diagnosis of an install."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from rtms_audit.core.model import InstallKey, Plan


@dataclass(frozen=True, slots=True)
class Known:
    """A fact with the value seen and the ids of the observations that show it."""

    value: object
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that nobody has shown; `why` says what was refused, missing or never asked."""

    why: str


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A question that does not arise for this install."""

    why: str


Fact: TypeAlias = Known | Unknown | NotApplicable


class Verdict(StrEnum):
    """What a check answers for its link of the causal chain."""

    ALLOWS = "allows"
    BLOCKS = "blocks"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"
    """The check itself crashed: a defect of the tool, shown loudly on its own row."""


class Status(StrEnum):
    """How sure a cause is."""

    POSSIBLE = "possible"
    LIKELY = "likely"
    CONFIRMED = "confirmed"

    @property
    def strength(self) -> int:
        """1 for possible, 2 for likely, 3 for confirmed."""
        return list(Status).index(self) + 1


class Outcome(StrEnum):
    """What happened in an install's latest attempt."""

    STARTED = "started"
    STOPPED_EARLY = "stopped-early"
    NOT_STARTED = "not-started"
    NOT_ATTEMPTED = "not-attempted"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"


class Category(StrEnum):
    """The sort of cause."""

    AUTHENTICATION = "authentication"
    ENTITLEMENT = "entitlement"
    ENVIRONMENT = "environment"
    DISTRIBUTION = "distribution"
    SETTINGS = "settings"
    PERMISSION = "permission"
    TRIGGER = "trigger"
    DELIVERY = "delivery"
    RECEIVER = "receiver"
    MEDIA = "media"
    ORDINARY = "ordinary"
    ZOOM = "zoom"


class HypothesisStatus(StrEnum):
    """How one of the four explanations of the seed question stands."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"
    RULED_OUT = "ruled-out"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Remedy:
    """Who can mend it, what to do, and where (a page or an address)."""

    who: str
    what: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation, how sure it is, and the evidence for it."""

    id: str
    category: Category
    status: Status
    reason: str
    evidence: tuple[str, ...]
    remedy: Remedy
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A cause that the evidence excludes, and by what."""

    id: str
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NextStep:
    """A fact that would decide more, how to find it out, and who can."""

    fact: str
    how: str
    who: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What one check says of one install; `reason` is a sentence that holds the values seen."""

    check: str
    title: str
    verdict: Verdict
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One of: authentication, entitlement, environments, service; and how it stands."""

    id: str
    title: str
    status: HypothesisStatus
    reason: str


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One observation in words; `reading` says what its code means and is empty where there is none."""

    id: str
    at: datetime | None
    text: str
    reading: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two pieces of evidence that cannot both be right, and which was believed."""

    fact: str
    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The judgement of one install."""

    install: InstallKey
    plan: Plan
    plan_reason: str
    outcome: Outcome
    summary: str
    causes: tuple[Cause, ...]
    ruled_out: tuple[RuledOut, ...]
    next: tuple[NextStep, ...]
    decisions: tuple[Decision, ...]
    hypotheses: tuple[Hypothesis, ...]
    timeline: tuple[TimelineEntry, ...]
    contradictions: tuple[Contradiction, ...]
    facts: Mapping[str, Fact]
    label: str = ""

    @property
    def leading(self) -> Cause | None:
        """The cause to name first: the strongest that is no ordinary end, else the strongest."""
        return leading(self.causes)


def leading(causes: Sequence[Cause]) -> Cause | None:
    """Return the strongest cause that is more than possible and no ordinary end, else the first, else None."""
    sure = (c for c in causes if c.status is not Status.POSSIBLE and c.category is not Category.ORDINARY)
    return next(sure, causes[0] if causes else None)
