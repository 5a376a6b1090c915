"""One HTTP POST with a time limit, from the standard library: what the webhook sender speaks."""

import http.client
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

READ_TIMEOUT = -1
REFUSED = -2
UNRESOLVED = -13
NETWORK = -7
"""Zoom's internal codes for a delivery without an answer (webhook pages, 2026-02): all of them are retried."""
_BODY_LIMIT = 10_000


@dataclass(frozen=True)
class Posted:
    """What came of it: HTTP status, or one of the negative codes above."""

    status: int
    headers: dict[str, str]
    body: str
    duration_ms: float


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Posted:
    """Send `body` and wait at most `timeout_s` for connect and for the answer; never raises for network trouble."""
    begun = time.monotonic()
    try:
        status, answer_headers, text = _exchange(url, body, headers, timeout_s)
    except (OSError, http.client.HTTPException, ValueError) as error:
        status, answer_headers, text = _code(error), {}, ""
    return Posted(status, answer_headers, text, (time.monotonic() - begun) * 1000)


def _exchange(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        text = answer.read(_BODY_LIMIT).decode("utf-8", "replace")
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
    finally:
        connection.close()


def _code(error: Exception) -> int:
    if isinstance(error, TimeoutError):
        return READ_TIMEOUT
    if isinstance(error, ConnectionRefusedError):
        return REFUSED
    return UNRESOLVED if isinstance(error, socket.gaierror) else NETWORK
