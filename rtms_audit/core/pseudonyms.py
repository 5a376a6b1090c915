"""Masks a whole document at once, so that a value which one field gives away is masked in every text of it.

`redact_value` knows a personal value by its field or its shape; in prose neither may tell. Here all personal values of
the document are collected first, and then replaced wherever they occur, by one pseudonym each.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from rtms_audit.core.redact import Level, personal_fields, personal_in_text, pseudonym, redact_value

SHORTEST: Final = 6
"""How many characters a value must have to be looked for in prose: shorter ones are parts of anything."""
_COMMON = re.compile(r"[a-z]+(?:[-_.][a-z]+)*")
"""A role, an event or another word of somebody's vocabulary: it is masked in its field, and says nothing in prose."""
_LONG_NUMBER = 10**8


def redact_document(document: object, *, level: Level = Level.SECRETS, salt: str = "") -> object:
    """Mask a JSON-like document as `redact_value` does, and its personal values in all of its texts and keys too.

    Equal values become one pseudonym, whichever field or text they stand in. The document given stays as it is.
    """
    document = redact_value(document, level=Level.SECRETS, salt=salt)
    if level < Level.PERSONAL:
        return document
    shown = _shown(document, salt)
    return redact_value(_replaced(document, shown, _pattern(shown)), level=level, salt=salt)


def _shown(document: object, salt: str) -> dict[str, str]:
    """Return the pseudonym of each personal value, and of its forms in URLs; a field that says more than `id` wins."""
    shown: dict[str, str] = {}
    for prefix, value in sorted(set(_personal(document)), key=lambda found: (found[0] != "id", found)):
        if len(value) >= SHORTEST and not _COMMON.fullmatch(value):
            once = quote(value, safe="")
            shown |= dict.fromkeys((value, once, quote(once, safe="")), pseudonym(value, prefix, salt))
    return {value: mask for value, mask in shown.items() if value != mask}


def _personal(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from personal_in_text(value)
    elif isinstance(value, Mapping):
        yield from personal_fields(value)
        for key, item in value.items():
            yield from _personal(key)
            yield from _personal(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _personal(item)


def _pattern(shown: Mapping[str, str]) -> re.Pattern[str]:
    """Return what finds the values, the longest first; of no values, what finds nothing."""
    values = "|".join(re.escape(value) for value in sorted(shown, key=lambda value: (-len(value), value)))
    return re.compile(rf"(?<!\w)(?:{values})(?!\w)" if values else r"(?!)")


def _replaced(value: object, shown: Mapping[str, str], pattern: re.Pattern[str]) -> object:
    if isinstance(value, str):
        return pattern.sub(lambda match: shown[match[0]], value)
    if isinstance(value, Mapping):
        return {_replaced(key, shown, pattern): _replaced(item, shown, pattern) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_replaced(item, shown, pattern) for item in value)
    if isinstance(value, int) and value >= _LONG_NUMBER:
        return shown.get(str(value), value)
    return value
