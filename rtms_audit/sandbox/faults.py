"""Faults that a script orders: an answer of its own, a dropped connection or a delay, for calls that match."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

_PREFIXES = ("/v2", "/oauth", "/rtms")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FaultMatch(_Strict):
    """Which calls; `path` may hold `*` and may leave out `/v2`, `/oauth` or `/rtms`."""

    method: str = "*"
    path: str = "*"


class FaultAnswer(_Strict):
    """The answer that is given instead; `body` is a JSON value or text that is sent as it is."""

    status: int = Field(default=500, ge=100, le=599)
    headers: dict[str, str] = {}
    body: object = None


class Fault(_Strict):
    """One order. Without `times` it holds until the next reset.

    `drop` hangs up before the call is carried out, `lose` after; `twice` carries it out twice and answers once.
    """

    match: FaultMatch = FaultMatch()
    answer: FaultAnswer | None = None
    drop: bool = False
    lose: bool = False
    twice: bool = False
    delay_ms: float = Field(default=0, ge=0)
    times: int | None = Field(default=None, ge=0)

    def fits(self, method: str, path: str) -> bool:
        """Whether this order is for such a call and not used up."""
        if self.times == 0 or self.match.method.upper() not in ("*", method.upper()):
            return False
        short = next((path.removeprefix(p) for p in _PREFIXES if path.startswith(p + "/")), path)
        return fnmatchcase(path, self.match.path) or fnmatchcase(short, self.match.path)


@dataclass
class Faults:
    """The orders in force, oldest first; the first that fits is used."""

    orders: list[Fault] = field(default_factory=list)

    @classmethod
    def read(cls, documents: Iterable[Mapping[str, object]]) -> "Faults":
        """Read orders; raises pydantic.ValidationError."""
        return cls([Fault.model_validate(document) for document in documents])

    def take(self, method: str, path: str) -> Fault | None:
        """Return the order for this call, and count it."""
        found = next((order for order in self.orders if order.fits(method, path)), None)
        if found is not None and found.times is not None:
            found.times -= 1
        return found
