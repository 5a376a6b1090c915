"""Taking secrets out of what the token address was sent and what it answered, before anybody keeps it."""

import json
import re
from collections.abc import Collection
from urllib.parse import quote, quote_plus

from rtms_audit.core.answers import as_int, parse_body
from rtms_audit.zoom.exchange import SECRET

SECRET_FIELDS = frozenset(
    {
        "access_token",
        "refresh_token",
        "id_token",
        "token",
        "code",
        "code_verifier",
        "client_secret",
        "device_code",
        "user_code",
    }
)
"""Fields of OAuth requests and answers whose text is a secret; a number under `code` is Zoom's error code."""

_TOKEN_SHAPE = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,4}")
_APPENDED_CODE = re.compile(r"(?i)(authorization code[\s:='\"]{1,4})(?!is\b|was\b|has\b)([\w.~-]{6,})")
_SHORTEST = 4


def mask_arguments(arguments: dict[str, str]) -> dict[str, object]:
    """Return the arguments of a token request without the secret ones."""
    return {name: SECRET if name in SECRET_FIELDS else value for name, value in arguments.items()}


def mask_body(body: bytes, known: Collection[str]) -> bytes:
    """Return the body without secret fields, without `known` secrets, and without anything shaped like a token.

    Zoom appends the code to the reason text (devforum.zoom.us/t/137623), so that text is masked wherever it stands.
    """
    document = parse_body(body)
    try:
        if isinstance(document, dict | list):
            return json.dumps(_mask(document, known), ensure_ascii=False).encode("utf-8", errors="replace")
        return mask_text(body.decode("utf-8", errors="replace"), known).encode("utf-8", errors="replace")
    except RecursionError:
        return SECRET.encode()


def mask_text(text: str, known: Collection[str]) -> str:
    """Return the text without the known secrets, written plainly or as in an address, and without token shapes."""
    for secret in known:
        if len(secret) >= _SHORTEST:
            for spelling in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(spelling, SECRET)
    return _APPENDED_CODE.sub(rf"\g<1>{SECRET}", _TOKEN_SHAPE.sub(SECRET, text))


def _mask(value: object, known: Collection[str]) -> object:
    if isinstance(value, dict):
        return {mask_text(name, known): _mask_field(name, item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [_mask(item, known) for item in value]
    return mask_text(value, known) if isinstance(value, str) else value


def _mask_field(name: str, value: object, known: Collection[str]) -> object:
    if name.lower() in SECRET_FIELDS and value is not None and as_int(value) is None:
        return SECRET
    return _mask(value, known)
