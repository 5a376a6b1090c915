"""The type in which every token, client secret and webhook secret lives."""

import hmac
from typing import Never


class Secret:
    """A secret text whose repr, str and format are masked and which cannot be pickled.

    `reveal()` is the one way to the text; call it only where the text leaves for Zoom, a signature or the vault.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    def __str__(self) -> str:
        return "****"

    def __format__(self, spec: str) -> str:
        return "****"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Never:
        raise TypeError("a Secret cannot be pickled")
