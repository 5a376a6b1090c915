"""Which addresses can be used: those of Zoom, and redirect addresses. Pure."""

from urllib.parse import urlsplit

from rtms_audit.errors import UserError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def scheme_and_host(address: str) -> tuple[str, str] | None:
    """Return scheme and host of a usable http(s) address, else None."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    clean = not any(character.isspace() or not character.isprintable() for character in address)
    return (parts.scheme, host) if clean and host and parts.scheme in ("http", "https") else None


def checked_address(address: str, what: str) -> str:
    """Return the address; UserError where it is not an http(s) address, or holds a user name, query or fragment."""
    if scheme_and_host(address) is None or any(mark in address for mark in "@?#"):
        raise UserError(
            f"{address!r} is not a usable {what}", next_step="Give an address such as https://zoom.us/oauth."
        )
    return address


def check_redirect(redirect_uri: str) -> None:
    """Raise UserError where Zoom would not redirect there: https, or plain http on a loopback address, no fragment.

    Loopback addresses: https://developers.zoom.us/changelog/, loopback redirect URIs for PKCE (2026-09-28).
    """
    parts = scheme_and_host(redirect_uri)
    if parts is None or "#" in redirect_uri or (parts[0] == "http" and parts[1] not in _LOOPBACK):
        raise UserError(
            f"{redirect_uri!r} cannot be a redirect address",
            next_step="Use https://… or, for development, http://127.0.0.1:PORT/PATH, exactly as the app has it.",
        )
