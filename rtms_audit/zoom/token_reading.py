"""Reading what a successful token answer gives. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from rtms_audit.core.answers import as_int
from rtms_audit.core.secret import Secret
from rtms_audit.zoom.addresses import scheme_and_host

DEFAULT_LIFETIME = 3600
"""Seconds an access token lives when the answer does not say: 1 h for all flows (zoom/skills, 2026-07-13)."""

LONGEST_LIFETIME = 90 * 24 * 3600
"""Seconds that are believed at most, the lifetime of a refresh token (@zoom/rivet 0.4.0, 2026-05-06)."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a successful token answer gives.

    `expires_in` counts seconds. `refresh` is None for client and account credentials. `scopes` is None, not empty,
    where the answer names none: Server-to-Server answers have been seen without (zoom/skills, 2026-07-13).
    """

    access: Secret
    refresh: Secret | None
    expires_in: int
    scopes: tuple[str, ...] | None
    api_url: str | None


def read_tokens(answer: Mapping[str, object]) -> Tokens | None:
    """Read a successful token answer; None where it holds no usable access token.

    Only `access_token` must be there. `scope` is space-delimited, `expires_in` 3600 or 3599 (zoom/skills, 2026-07-13).
    """
    access, refresh = _token_text(answer.get("access_token")), _token_text(answer.get("refresh_token"))
    if access is None or ("refresh_token" in answer and answer["refresh_token"] is not None and refresh is None):
        return None
    lifetime = as_int(answer.get("expires_in"))
    api_url = answer.get("api_url")
    return Tokens(
        access=Secret(access),
        refresh=Secret(refresh) if refresh is not None else None,
        expires_in=min(max(lifetime, 0), LONGEST_LIFETIME) if lifetime is not None else DEFAULT_LIFETIME,
        scopes=_scopes(answer.get("scope")),
        api_url=api_url if isinstance(api_url, str) and scheme_and_host(api_url) else None,
    )


def _scopes(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _token_text(value: object) -> str | None:
    """Return a token that can stand in a header: anything else would break the next request, or inject one."""
    return value if isinstance(value, str) and is_printable(value) else None


def is_printable(text: str) -> bool:
    """Whether a text can stand in a header: visible ASCII and not empty."""
    return bool(text) and all("!" <= character <= "~" for character in text)
