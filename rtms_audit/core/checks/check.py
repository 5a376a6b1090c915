"""What a check is: one link of the causal chain, one question to an install's situation, one answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from rtms_audit.core.flow import Flow
from rtms_audit.core.model import Observation
from rtms_audit.core.situation import Situation, ids
from rtms_audit.core.verdicts import Status, Verdict

START, STREAM = "start", "stream"
"""Whether a claim says why no stream came, or what befell a stream that came."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One cause that a check puts forward; weighing may lower or drop it."""

    cause: str
    status: Status
    reason: str
    evidence: tuple[str, ...] = ()
    phase: str = START


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check reads: the situation of an install and the course of its latest attempt."""

    situation: Situation
    flow: Flow

    @property
    def awaited(self) -> bool:
        """Whether a start was awaited in vain and no refusal says why: the case for the usual suspects."""
        return self.flow.silent and self.flow.refused is None

    @property
    def code(self) -> int | None:
        """The number in Zoom's refusal of the latest start call."""
        return self.flow.refused[0].code if self.flow.refused else None

    @property
    def refusal_evidence(self) -> tuple[str, ...]:
        """The id of the refused start call."""
        return ids(self.flow.refused[1]) if self.flow.refused else ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A check's verdict, the sentence that holds the values seen, and the causes it puts forward."""

    verdict: Verdict
    reason: str
    evidence: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()

    def __post_init__(self) -> None:
        if self.verdict is Verdict.ALLOWS and not self.evidence:
            raise ValueError(f"a check allowed without evidence: {self.reason}")


@dataclass(frozen=True, slots=True)
class Check:
    """A check with the causes it speaks of and the page that its module's docstring makes."""

    id: str
    title: str
    causes: tuple[str, ...]
    decide: Callable[[Subject], Answer]
    page: str


def from_module(module: ModuleType) -> Check:
    """Make a check of a module: its name, CAUSES, docstring and `decide`; the docstring's first line is the title."""
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    page = (module.__doc__ or "").strip()
    return Check(name, page.partition("\n")[0].rstrip("."), tuple(module.CAUSES), module.decide, page)


def possible(cause: str, reason: str, *evidence: str, phase: str = START) -> Claim:
    """Put a cause forward that fits, as others do."""
    return Claim(cause, Status.POSSIBLE, reason, evidence, phase)


def likely(cause: str, reason: str, *evidence: str, phase: str = START) -> Claim:
    """Put a cause forward that the evidence singles out."""
    return Claim(cause, Status.LIKELY, reason, evidence, phase)


def confirmed(cause: str, reason: str, *evidence: str, phase: str = START) -> Claim:
    """Put a cause forward that Zoom's own answer names."""
    return Claim(cause, Status.CONFIRMED, reason, evidence, phase)


def seen(*observations: Observation | None) -> tuple[str, ...]:
    """Return the ids of observations, as evidence."""
    return ids(*observations)


def answer(claims: Sequence[Claim], unknown: str, *, fine: str = "", evidence: Sequence[str] = ()) -> Answer:
    """Make the answer: blocked by the strongest claim, else fine where evidence shows it, else unknown.

    A merely possible claim gives way to evidence that the link holds.
    """
    strongest = max(claims, key=lambda claim: claim.status.strength, default=None)
    if strongest and strongest.status is not Status.POSSIBLE:
        return Answer(Verdict.BLOCKS, strongest.reason, strongest.evidence, tuple(claims))
    if fine and evidence:
        return Answer(Verdict.ALLOWS, fine, tuple(dict.fromkeys(evidence)))
    return Answer(Verdict.UNKNOWN, strongest.reason if strongest else unknown, (), tuple(claims))


def does_not_apply(reason: str) -> Answer:
    """Say that the question does not arise for this install."""
    return Answer(Verdict.NOT_APPLICABLE, reason)
