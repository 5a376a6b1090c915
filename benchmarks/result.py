"""One measurement and the promise it is held against."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {"<": operator.lt, ">": operator.gt}


@dataclass(frozen=True)
class Result:
    """What was measured: `value` in `unit`, the `reference` it is seen beside, and the `goal`, such as `< 15`.

    `reference` is a number in the same unit with the words that say what it is, or None if nothing compares.
    """

    name: str
    value: float
    unit: str
    reference: str | None
    goal: str

    @property
    def met(self) -> bool:
        """Whether the value keeps the goal."""
        comparison, _, limit = self.goal.partition(" ")
        return _COMPARISONS[comparison](self.value, float(limit))

    def record(self) -> dict[str, object]:
        """Return the shape of an entry of `benchmarks/results.json`."""
        return {**asdict(self), "met": self.met}
