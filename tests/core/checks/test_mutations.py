"""Breaking a check's rule, in any of many small ways, makes its table fail."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from rtms_audit.core.checks.check import Answer, Check, Subject

if TYPE_CHECKING:
    from tests.core.conftest import Entry

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.GtE, ast.LtE),
    ast.LtE: (ast.Gt, ast.Lt),
    ast.Gt: (ast.LtE, ast.GtE),
    ast.GtE: (ast.Lt, ast.Gt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
"""What each comparison becomes: its negation, and for an order also its neighbour."""

CERTAINTIES = {"possible": ("likely",), "likely": ("possible", "confirmed"), "confirmed": ("likely",)}
"""What each certainty becomes."""


@dataclass(frozen=True)
class Mutation:
    """One change to a module's syntax tree, which can be done and taken back."""

    line: int
    text: str
    do: Callable[[], None]
    undo: Callable[[], None]


def replaced(node: ast.AST, name: str, new: object, text: str) -> Mutation:
    """Make the mutation that sets one attribute of a node."""
    old = getattr(node, name)
    line = getattr(node, "lineno", 0)
    return Mutation(line, text, lambda: setattr(node, name, new), lambda: setattr(node, name, old))


def mutations(tree: ast.Module) -> Iterator[Mutation]:
    """Yield every change to a module; words, slices and stand-ins for missing numbers are left alone."""
    for node in walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            for other in COMPARISONS[type(node.ops[0])]:
                yield replaced(node, "ops", [other()], f"{ast.unparse(node)} → {other.__name__}")
        elif isinstance(node, ast.BoolOp):
            other_word = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
            yield replaced(node, "op", other_word, f"{ast.unparse(node)} → {type(other_word).__name__}")
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield replaced(node, "op", ast.UAdd(), f"{ast.unparse(node)} → without not")
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            for step in (1, -1):
                yield replaced(node, "value", node.value + step, f"{node.value} → {node.value + step}")
        elif isinstance(node, ast.Name) and node.id in CERTAINTIES:
            for other_name in CERTAINTIES[node.id]:
                yield replaced(node, "id", other_name, f"{node.id} → {other_name}")


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree but those within sentences, slices, imports and types."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.JoinedStr | ast.Slice | ast.ImportFrom) or _is_stand_in(node, child):
                continue
            if isinstance(child, ast.AST):
                yield from walk(child)


def _is_stand_in(node: ast.AST, child: object) -> bool:
    """Whether a number is the one of `number or 0`: it stands for a number that is missing, and any other would do."""
    return isinstance(node, ast.BoolOp) and isinstance(child, ast.Constant)


def is_noticed(decide: Callable[[Subject], Answer], cases: Sequence[tuple[Subject, "Entry"]]) -> bool:
    """Whether the table tells a changed check from the original."""
    for subject, entry in cases:
        try:
            if entry.complaint(decide(subject)):
                return True
        except Exception:
            return True
    return False


def loaded(tree: ast.Module, name: str) -> ModuleType | None:
    """Return the module of a changed tree, None where it cannot even be loaded."""
    module = ModuleType(name)
    try:
        exec(compile(tree, f"<{name}, changed>", "exec"), module.__dict__)
    except Exception:
        return None
    return module


def test_every_change_to_a_check_is_noticed(check: Check, table: list["Entry"]) -> None:
    """No comparison, connective, number or certainty of a check can change without its table failing."""
    original = sys.modules[check.decide.__module__]
    tree = ast.parse(inspect.getsource(original))
    cases = [(entry.subject, entry) for entry in table]
    survivors = []
    for mutation in mutations(tree):
        mutation.do()
        changed = loaded(tree, original.__name__)
        mutation.undo()
        if changed and not is_noticed(changed.decide, cases):
            survivors.append(f"line {mutation.line}: {mutation.text}")
    assert not survivors, "\n".join(["changes that nobody noticed:", *survivors])


def test_a_check_that_never_claims_anything_is_noticed(check: Check, table: list["Entry"]) -> None:
    """A check that keeps its verdicts to itself, or its claims, fails its table."""
    cases = [(entry.subject, entry) for entry in table]

    def silent(subject: Subject) -> Answer:
        answer = check.decide(subject)
        return Answer(answer.verdict, answer.reason, answer.evidence)

    assert is_noticed(silent, cases)
    assert not is_noticed(check.decide, cases)
