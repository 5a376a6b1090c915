"""Saying why a WebSocket could not be opened, in words that name the kind of failure. Pure."""

import socket
import ssl
from urllib.parse import urlsplit

from websockets import exceptions as ws


def upgrade_status(error: Exception) -> int | None:
    """Return the HTTP status with which the server refused the upgrade, None for any other failure."""
    return error.response.status_code if isinstance(error, ws.InvalidStatus) else None


def why(error: Exception, url: str, timeout: float) -> str:
    """Return one phrase that starts with the kind of failure and names host and port, never the rest of the address.

    The kinds are those that Zoom's SDK lumps together as 504 (cannot connect) and 610 (certificate rejected).
    """
    place = host_of(url)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS certificate rejected for {place}: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed with {place}: {error.reason or 'handshake error'}"
    if isinstance(error, socket.gaierror):
        return f"host name not found: {place}"
    if isinstance(error, TimeoutError):
        return f"connect timed out after {timeout:.3g} s: {place}"
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused by {place}"
    return f"{_of_protocol(error)}: {place}"


_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (ws.InvalidURI, "not a WebSocket address"),
    (ws.InvalidHandshake, "no valid WebSocket upgrade"),
    (EOFError, "connection closed before the upgrade"),
    (ConnectionResetError, "connection reset"),
    (ValueError, "not a WebSocket address"),
    (ImportError, "the proxy in the environment is of a kind that is not supported"),
)


def _of_protocol(error: Exception) -> str:
    status = upgrade_status(error)
    if status is not None:
        return f"upgrade refused with HTTP {status}"
    return next((words for kind, words in _KINDS if isinstance(error, kind)), "cannot connect")


def host_of(url: str) -> str:
    """Return host and port of an address; a placeholder where it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an address that cannot be read"
    return f"{host}:{port}" if host and port else host or "an address without a host"
