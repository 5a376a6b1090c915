"""Finds Zoom's own messages in the lines of a log: events and protocol messages, as JSON or as Python prints them."""

import ast
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from rtms_audit.core.model import Kind, Observation
from rtms_audit.core.redact import redact_value

LONGEST = 20_000
"""How long a printed message may be."""
DROPPED = ("signature", "sequence")
"""What is left out of a kept message: the signature is as good as a password, the sequence says nothing."""

SIGNALING, MEDIA = "signaling", "media"
_REQUESTS = {1: SIGNALING, 3: MEDIA}
_ANSWERS = {2: SIGNALING, 4: MEDIA}
_STATES = {8: (3, 4), 9: (5,)}
_POINTER = re.compile(r"this = (0x[0-9a-f]+)")


def mapping_in(text: str) -> Mapping[str, object] | None:
    """Return the mapping that a line prints, from its first brace on; None where there is none that can be read."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start : start + LONGEST])
    except (ValueError, RecursionError):
        found = _printed_by_python(text[start : text.rfind("}") + 1])
    return found if isinstance(found, dict) and all(isinstance(key, str) for key in found) else None


def _printed_by_python(text: str) -> object:
    if len(text) > LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def pointer_in(text: str) -> str:
    """Return which object of the native library a line speaks of, empty where it does not say."""
    found = _POINTER.search(text)
    return found[1] if found else ""


@dataclass(slots=True)
class Conversation:
    """The handshakes of one log: requests wait here for their answers.

    Requests are told apart by the native library's pointer, and by socket where a log gives none.
    """

    waiting: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    answered: bool = False
    """Whether the latest handshake was answered, so that a close after it is no news."""

    def take(self, message: Mapping[str, object], pointer: str) -> list[Observation] | None:
        """Return what a message shows; an empty list where it shows nothing yet, None where it is no message."""
        number = message.get("msg_type")
        if not isinstance(number, int):
            return None
        if number in _REQUESTS:
            self.waiting[_REQUESTS[number], pointer] = _kept(message)
            self.answered = False
            return []
        if number in _ANSWERS:
            return [self._answer(_ANSWERS[number], pointer, message)]
        if number in _STATES and message.get("state") in _STATES[number]:
            return [Observation(kind=Kind.HANDSHAKE, fields={"socket": SIGNALING, "response": _kept(message)})]
        return []

    def _answer(self, socket: str, pointer: str, message: Mapping[str, object]) -> Observation:
        self.answered = True
        return self._handshake(socket, pointer, response=_kept(message))

    def closed(self, socket: str, pointer: str, closed: Mapping[str, object]) -> list[Observation]:
        """Return the handshake that ended with the socket closed, none where no request was waiting for its answer."""
        if (socket, pointer) not in self.waiting:
            return []
        return [self._handshake(socket, pointer, closed=dict(closed))]

    def unanswered(self, socket: str, pointer: str) -> list[Observation]:
        """Return the handshake that was given up, none where no request was waiting for its answer."""
        return self.failed(socket, pointer, "no answer in time") if (socket, pointer) in self.waiting else []

    def failed(self, socket: str, pointer: str, error: str) -> list[Observation]:
        """Return the handshake that did not come to pass."""
        return [self._handshake(socket, pointer, error=error)]

    def _handshake(self, socket: str, pointer: str, **what: object) -> Observation:
        request = self.waiting.pop((socket, pointer), None)
        fields = {"socket": socket, **({"request": request} if request else {}), **what}
        return Observation(kind=Kind.HANDSHAKE, fields=fields)


def _kept(message: Mapping[str, object]) -> dict[str, object]:
    kept = redact_value({key: value for key, value in message.items() if key not in DROPPED})
    assert isinstance(kept, dict)  # noqa: S101  a mapping comes back as dict
    return kept
