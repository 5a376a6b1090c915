"""Readers of single values of an evidence file: each takes a value and its place, and returns what it stands for.

A reader raises ShapeError where the value is not of the shape it must have. Places are written as a user would point at
them: `observations[3].response.status`.
"""

import difflib
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader: TypeAlias = Callable[[object, str], object]

DEEPEST = 60
"""How deep free-form values may be nested."""
MOST_VALUES = 200_000
"""How many values one free-form value may hold; YAML aliases can otherwise unfold into millions."""
LARGEST = 10**40
"""Numbers from here on are refused: nothing of Zoom's is as large, and writing them out may fail."""
SHOWN = 24
"""The longest text that an error message repeats; longer ones may hold something secret."""


class ShapeError(ValueError):
    """A value does not have the shape it must have; `place` points at it, `reason` is the second half of a sentence."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


def described(value: object) -> str:
    """Return words for what a value is, without repeating long texts."""
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= SHOWN else f"a text of {len(value)} characters"
    if isinstance(value, int | float):
        return f"the number {value}" if abs(value) < LARGEST else "a very large number"
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    sorts: dict[type, str] = {Mapping: "a mapping", list: "a list", tuple: "a list", type(None): "empty"}
    named = (words for sort, words in sorts.items() if isinstance(value, sort))
    return next(named, f"a value of type {type(value).__name__}")


def joined(place: str, key: object) -> str:
    """Return the place of a key inside a place."""
    return f"{place}.{key}" if place else str(key)


def text(value: object, place: str) -> str:
    """Read a text; numbers and dates that YAML made of unquoted words are turned back into text."""
    match value:
        case str():
            return _encodable(value)
        case bool():
            raise ShapeError(place, f"must be a text, is {described(value)}; put the word in quotes")
        case int() | float() if abs(value) < LARGEST:
            return str(value)
        case datetime():
            return write_time(time(value, place))
        case date():
            return value.isoformat()
    raise ShapeError(place, f"must be a text, is {described(value)}")


def label(value: object, place: str) -> str:
    """Read a text that names something and so must not be empty."""
    name = text(value, place)
    if not name.strip():
        raise ShapeError(place, "must not be empty")
    return name


def whole(value: object, place: str) -> int:
    """Read a whole number; a text of digits is one too."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST and value == int(value):
        return int(value)
    if isinstance(value, str) and is_digits(value):
        return int(value)
    raise ShapeError(place, f"must be a whole number, is {described(value)}")


def is_digits(value: str) -> bool:
    """Whether a text is a whole decimal number of a reasonable length, such as `960` or `-1`."""
    digits = value.strip().removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= SHOWN


def number(value: object, place: str) -> int | float:
    """Read a finite number, whole or not."""
    if isinstance(value, float) and abs(value) < LARGEST:
        return value
    try:
        return whole(value, place)
    except ShapeError:
        raise ShapeError(place, f"must be a number, is {described(value)}") from None


def flag(value: object, place: str) -> bool:
    """Read a truth value; the words true, false, yes, no, on and off are read as one."""
    known = truth(value)
    if known is None:
        raise ShapeError(place, f"must be true or false, is {described(value)}")
    return known


def truth(value: object) -> bool | None:
    """Return the truth value that a boolean, 0, 1 or a word stands for, None where it stands for none."""
    if isinstance(value, str):
        return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(
            value.strip().lower()
        )
    return {0: False, 1: True}.get(value) if isinstance(value, int) else None


def time(value: object, place: str) -> datetime:
    """Read a time as an aware UTC datetime; one without a zone is UTC, a date alone is its first instant."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.strip())
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise ShapeError(place, f"must be a time such as 2026-03-02T10:00:00Z, is {described(value)}")


def time_text(value: object, place: str) -> str:
    """Read a time and return it as ISO text in UTC, as fields hold it."""
    return write_time(time(value, place))


def write_time(moment: datetime) -> str:
    """Return an aware time as ISO text in UTC that ends in `Z`."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def word(*words: str) -> Reader:
    """Return a reader of one of a closed set of words."""

    def read(value: object, place: str) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ShapeError(place, f"must be {listed(words)}, is {described(value)}")

    return read


def choice(kind: type[E], value: object, place: str) -> E:
    """Read one of the words of an enumeration."""
    return kind(str(word(*kind)(value, place)))


def listed(words: Collection[str]) -> str:
    """Return `a`, `a or b`, `a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def texts(value: object, place: str) -> list[str]:
    """Read a list of texts."""
    return [text(item, f"{place}[{index}]") for index, item in enumerate(items(value, place))]


def items(value: object, place: str) -> list[object]:
    """Read a list."""
    if not isinstance(value, list):
        raise ShapeError(place, f"must be a list, is {described(value)}")
    return value


def mapping(value: object, place: str) -> dict[str, object]:
    """Read a mapping whose keys are texts (numbers as keys are turned into text); its values are left as they are."""
    if not isinstance(value, Mapping):
        raise ShapeError(place, f"must be a mapping, is {described(value)}")
    found: dict[str, object] = {}
    for key, inner in value.items():
        name = _key(key, place)
        if name in found:
            raise ShapeError(joined(place, name), "stands there twice")
        found[name] = inner
    return found


def fields(value: object, place: str, readers: Mapping[str, Reader]) -> dict[str, object]:
    """Read a mapping with a closed set of keys; an empty value is an absent one and is left out."""
    found = mapping(value, place)
    for key in found:
        if key not in readers:
            raise ShapeError(joined(place, key), _unknown_key(key, readers))
    return {key: readers[key](inner, joined(place, key)) for key, inner in found.items() if inner is not None}


def closed_mapping(**readers: Reader) -> Reader:
    """Return a reader of a mapping with these keys and no others; empty values are kept, since they say "none came"."""

    def read(value: object, place: str) -> dict[str, object]:
        found = fields(value, place, readers)
        return {key: found.get(key) for key in mapping(value, place)}

    return read


def free_mapping(value: object, place: str) -> dict[str, object]:
    """Read a mapping of any JSON-like content."""
    read = free(mapping(value, place), place)
    assert isinstance(read, dict)  # noqa: S101  free() turns a mapping into a dict
    return read


def free(value: object, place: str) -> object:
    """Read any JSON-like value: times become ISO text, keys become text; what JSON cannot hold is refused."""
    return _free(value, place, 0, [MOST_VALUES])


def _free(value: object, place: str, depth: int, left: list[int]) -> object:
    left[0] -= 1
    if depth > DEEPEST or left[0] < 0:
        raise ShapeError(place, "is nested too deeply" if depth > DEEPEST else f"holds more than {MOST_VALUES} values")
    match value:
        case None:
            return value
        case int() | float() if abs(value) < LARGEST:
            return value
        case str():
            return _encodable(value)
        case date():
            return text(value, place)
        case Mapping():
            return {k: _free(v, joined(place, k), depth + 1, left) for k, v in mapping(value, place).items()}
        case list() | tuple():
            return [_free(inner, f"{place}[{index}]", depth + 1, left) for index, inner in enumerate(value)]
    raise ShapeError(place, f"must be something that JSON can hold, is {described(value)}")


def _key(key: object, place: str) -> str:
    if isinstance(key, bool) or not isinstance(key, str | int | float | date):
        raise ShapeError(place, f"has {described(key)} as a key; put the key in quotes")
    return text(key, place)


def _unknown_key(key: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return (
        f"is not a key that is known here; did you mean {near[0]}?"
        if near
        else (f"is not a key that is known here; known are {', '.join(known)}")
    )


def _encodable(value: str) -> str:
    """Return the text with lone surrogates replaced, which JSON can carry and no output can."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
