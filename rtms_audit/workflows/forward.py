"""Passing webhooks on, byte for byte, to the developer's own endpoint, and noting what that endpoint answers.

Zoom wants its answer within 3 seconds, so that passing on happens beside it, never before it.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from rtms_audit.errors import UserError

TIME_LIMIT = 10.0
"""Seconds that the endpoint may take; Zoom itself gives up after 3."""

WORKERS = 8

NOT_PASSED_ON = frozenset({"host", "content-length", "connection", "transfer-encoding", "keep-alive", "upgrade", "te"})
"""Headers that belong to one hop only."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the endpoint answered: its HTTP status, or None where there was none, and how long that took."""

    status: int | None
    duration_ms: float


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An endpoint that redirects has not taken the event: a 3xx is a failed delivery for Zoom too.

    Source: developers.zoom.us/docs/api/webhooks, 2026-02.
    """

    def redirect_request(self, *_arguments: object) -> None:
        """Follow nothing."""
        return


class Forwarder:
    """Passes requests on to one endpoint, several at a time. UserError where `url` is no web address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(
                f"{url!r} is not an address to forward to.", next_step="Give one like http://127.0.0.1:3000/webhook."
            )
        self._url = url
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="forward")

    def pass_on(self, headers: Mapping[str, str], body: bytes, done: Callable[[Answered], None]) -> None:
        """Send the request in the background; `done` is called with the answer, on a thread of the forwarder."""
        self._pool.submit(lambda: done(self._send(headers, body)))

    def close(self) -> None:
        """Wait for what is under way and stop."""
        self._pool.shutdown(wait=True)

    def _send(self, headers: Mapping[str, str], body: bytes) -> Answered:
        kept = {name: value for name, value in headers.items() if name.lower() not in NOT_PASSED_ON}
        request = urllib.request.Request(self._url, data=body, headers=kept, method="POST")  # noqa: S310  checked
        began = time.monotonic()
        try:
            with self._opener.open(request, timeout=TIME_LIMIT) as answer:
                status: int | None = answer.status
        except urllib.error.HTTPError as error:
            with error:
                status = error.code
        except (OSError, ValueError):
            status = None
        return Answered(status, (time.monotonic() - began) * 1000)
