"""What Zoom's numbers and words mean, each with its source and date.

One module per kind; `lookup` finds one code, `search` looks through all kinds, `describe` says a code in a sentence and
never fails: a number that nobody knows is shown as unknown and kept.
"""

import datetime
from collections.abc import Mapping
from types import MappingProxyType

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault, normal
from rtms_audit.core.codes.event_type import CONTACT_CENTER_EVENT_TYPES, EVENT_TYPES
from rtms_audit.core.codes.handshake_status import HANDSHAKE_STATUSES
from rtms_audit.core.codes.handshake_status_preview import HANDSHAKE_STATUSES_PREVIEW
from rtms_audit.core.codes.media_type import MEDIA_TYPES
from rtms_audit.core.codes.message_type import MESSAGE_TYPES
from rtms_audit.core.codes.oauth import OAUTH_CODES
from rtms_audit.core.codes.rest import REST_CODES
from rtms_audit.core.codes.sdk_reason import SDK_REASONS
from rtms_audit.core.codes.sdk_return import SDK_RETURNS
from rtms_audit.core.codes.session_state import SESSION_STATES
from rtms_audit.core.codes.stop_reason import STOP_REASONS
from rtms_audit.core.codes.stream_state import STREAM_STATES
from rtms_audit.core.codes.webhook_retry import WEBHOOK_RETRIES
from rtms_audit.core.codes.zoom_apps import ZOOM_APPS_CODES

__all__ = ["KINDS", "Code", "CodeKind", "Confidence", "Fault", "describe", "lookup", "search"]

KINDS: Mapping[str, CodeKind] = MappingProxyType(
    {
        kind.id: kind
        for kind in (
            STOP_REASONS,
            HANDSHAKE_STATUSES,
            HANDSHAKE_STATUSES_PREVIEW,
            SDK_REASONS,
            SDK_RETURNS,
            REST_CODES,
            OAUTH_CODES,
            ZOOM_APPS_CODES,
            WEBHOOK_RETRIES,
            MESSAGE_TYPES,
            SESSION_STATES,
            STREAM_STATES,
            EVENT_TYPES,
            CONTACT_CENTER_EVENT_TYPES,
            MEDIA_TYPES,
        )
    }
)
"""Every kind by its id, those that explain a failure first."""


def lookup(kind: str, number: int | str, on: datetime.date | None = None) -> Code | None:
    """Return the code of a kind, None where the number is not known; ValueError where there is no such kind.

    Where Zoom changed a meaning, the one that held `on` a day is returned, by default the one that holds now.

    Numbers may be given as text, decimal or as 0x…; words are compared without regard to case.
    """
    return _kind(kind).find(number, on)


def describe(kind: str, number: int | str, on: datetime.date | None = None) -> str:
    """Return `960 PEER_CLOSED: …` for a known code, and words that say so for an unknown one."""
    code = lookup(kind, number, on)
    if code is None:
        return f"unknown {_kind(kind).id} {number}, kept as it is"
    return f"{code.number} {code.name}: {code.meaning}"


def search(text: int | str) -> tuple[Code, ...]:
    """Return the codes of all kinds with this number, or whose number, name or text holds all the words given."""
    wanted = normal(text)
    found = tuple(code for kind in KINDS.values() for code in kind.codes if normal(code.number) == wanted)
    if found or isinstance(wanted, int) or not wanted:
        return found
    return tuple(code for kind in KINDS.values() for code in kind.codes if _holds(code, wanted.split()))


def _kind(kind: str) -> CodeKind:
    found = KINDS.get(kind.strip().lower().replace("_", "-"))
    if found is None:
        raise ValueError(f"there is no kind of code named {kind!r}; known are {', '.join(KINDS)}")
    return found


def _holds(code: Code, words: list[str]) -> bool:
    text = f"{code.number} {code.name} {code.meaning} {code.remedy} {code.trap}".lower()
    return all(word in text for word in words)
