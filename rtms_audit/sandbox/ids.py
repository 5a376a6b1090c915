"""Identifiers that look like Zoom's: stable ones from the scenario's seed, and secrets from real randomness."""

import base64
import hashlib
import json
import string
from collections import Counter
from collections.abc import Callable, Mapping

_ALPHABET = string.ascii_letters + string.digits


class Ids:
    """Identifiers derived from a seed; the same seed and the same order of calls give the same identifiers."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._taken: Counter[str] = Counter()

    def text(self, kind: str, name: str, length: int = 22) -> str:
        """Return `length` letters and digits that belong to this kind and name for good."""
        digest = self._digest(kind, name)
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:length])

    def number(self, kind: str, name: str, digits: int = 11) -> int:
        """Return a number of exactly `digits` digits."""
        low = int(10 ** (digits - 1))
        return low + int.from_bytes(self._digest(kind, name)[:8], "big") % (9 * low)

    def next_name(self, kind: str) -> str:
        """Return "1", "2", … for each kind."""
        self._taken[kind] += 1
        return str(self._taken[kind])

    def meeting_uuid(self, name: str) -> str:
        """Return 16 bytes in base64, as Zoom writes a meeting's uuid."""
        return base64.b64encode(self._digest("meeting-uuid", name)[:16]).decode()

    def stream_id(self, name: str) -> str:
        """Return 32 hexadecimal digits."""
        return self._digest("stream", name).hex()[:32]

    def _digest(self, kind: str, name: str) -> bytes:
        return hashlib.sha512(f"{self._seed}\n{kind}\n{name}".encode()).digest()


def token(claims: Mapping[str, object], token_urlsafe: Callable[[int], str]) -> str:
    """Return an opaque token with the outside of Zoom's: three base64 parts, the first two JSON.

    The claim names are those that third parties have seen in "v7" tokens; Zoom calls its tokens opaque.
    """
    head = {"alg": "HS512", "v": "2.0", "kid": token_urlsafe(8)}
    return f"{_part(head)}.{_part({**claims, 'jti': token_urlsafe(12)})}.{token_urlsafe(48)}"


def _part(value: Mapping[str, object]) -> str:
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
