"""Reading what Zoom answered: JSON where it is JSON, and the error in it, whatever shape it has."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_CODE = re.compile(r'"code"\s*:\s*(-?\d+)')
_MESSAGE = re.compile(r'"message"\s*:\s*"(.*?)"\s*(?:\}|$|,\s*"\w+"\s*:)', re.DOTALL)
_SCOPES = re.compile(r"scopes?:?\s*\[(.*?)\]", re.DOTALL)
_SCOPE_IN_PROSE = re.compile(r"does not contain ([a-z_]+(?::[a-z_]+)+)")
_SENTENCES = {
    "not authorized to access meeting content": 13262,
    "not allowed to start rtms": 2308,
    "failed to perform rtms app operation": 2310,
    "does not support the rtms app": 13273,
}
"""Sentences of Zoom's refusals, which people quote without the number: devforum.zoom.us/t/142847, 144673, 144213."""
_ERROR_PAGE = re.compile(r"\(4,?7\d\d\)")
_OAUTH_CODE = re.compile(r"\(?\b(4,?7\d\d)\b\)?")


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer of Zoom that is an error.

    `code` is Zoom's number (not the HTTP status), `scopes` those that it says are missing, `error` and `reason` the
    pair of the token address.
    """

    status: int | None
    code: int | None
    message: str
    scopes: tuple[str, ...] = ()
    reason: str | None = None
    error: str | None = None


def parse_body(raw: bytes) -> object:
    """Return the JSON value of a body, its text where it is not JSON, or None where it is empty."""
    text = raw.decode("utf-8", errors="replace")
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def error_of(status: int | None, body: object) -> ErrorAnswer | None:
    """Return the error in an answer, or None where the answer is a success.

    Zoom sends errors with HTTP 200 and a body `{"code", "message"}` (OpenAPI of accounts, users, 2026-02), bodies with
    code 104 that are not JSON because quotes stand unescaped in the message (devforum.zoom.us/t/115792),
    `{"reason", "error"}` from the token address, and an HTML page with a number such as `(4,700)` from the authorize
    address (docs/integrations/oauth-error-messages).
    """
    document = body if isinstance(body, Mapping) else _broken_json(body)
    code = as_int(document.get("code"))
    reason, error = _text(document.get("reason")), _text(document.get("error"))
    message = _text(document.get("message")) or reason or _prose(body) or ""
    in_words = next((number for words, number in _SENTENCES.items() if words in message.lower()), None)
    page = isinstance(body, str) and bool(_ERROR_PAGE.search(body))
    failed = (status is not None and status >= 400) or page or in_words is not None
    if not failed and error is None and (code is None or "message" not in document):
        return None
    if code is None and in_words is not None:
        code = in_words
    elif code is None:
        code = _oauth_number(f"{reason or ''} {_prose(body) or ''}")
    return ErrorAnswer(status, code, message, missing_scopes(message), reason, error)


def missing_scopes(message: str) -> tuple[str, ...]:
    """Return the scopes that an error message of Zoom names as missing."""
    listed = _SCOPES.search(message)
    if listed:
        names = (name.strip(" \"'\\") for name in listed[1].split(","))
        return tuple(name for name in names if name)
    return tuple(_SCOPE_IN_PROSE.findall(message))


def as_int(value: object) -> int | None:
    """Return an integer written as a number or as digits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip()):
        return int(value)
    return None


def _broken_json(body: object) -> dict[str, object]:
    """Read code and message out of a body that is nearly JSON."""
    if not isinstance(body, str) or not (code := _CODE.search(body)):
        return {}
    message = _MESSAGE.search(body)
    return {"code": int(code[1][:15]), "message": message[1] if message else body[code.end() :].strip(' ,"}')}


def _oauth_number(text: str) -> int | None:
    """Find Zoom's numeric OAuth code in prose, as its error page writes it: `(4,700)`."""
    found = _OAUTH_CODE.search(text)
    return int(found[1].replace(",", "")) if found else None


def _prose(body: object) -> str | None:
    return body[:300] if isinstance(body, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
