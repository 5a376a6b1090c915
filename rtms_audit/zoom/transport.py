"""The HTTP transport under both Zoom clients: bounded in size and in time, whatever the other side does."""

import io
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

import requests
from requests.adapters import HTTPAdapter

from rtms_audit import __version__

MAX_BODY = 4 * 1024 * 1024
"""Bytes of an answer that are read at most; Zoom's largest pages of 300 entries stay far below."""

CHUNK = 65536
USER_AGENT = f"rtms-audit/{__version__}"
Answer = TypeVar("Answer")


class AnswerTooLargeError(requests.RequestException):
    """The answer was longer than the client is willing to read."""


class BoundedAdapter(HTTPAdapter):
    """An adapter that reads at most `max_body` bytes and takes at most `deadline` seconds for the whole exchange.

    requests' own timeout is per socket operation, so that a server which sends a byte now and then, or a name server
    that never answers, could hold an audit for hours. The exchange therefore runs on a daemon thread of its own; one
    that is still going at the deadline is left behind and ends with its peer.
    """

    def __init__(self, *, deadline: float, max_body: int = MAX_BODY) -> None:
        super().__init__()
        self.deadline = deadline
        self.max_body = max_body

    def send(  # noqa: PLR0917 - the signature is requests' own
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send and read the whole answer; raise a requests exception where that fails, takes too long or too much."""

        def fetch() -> requests.Response:
            response = super(BoundedAdapter, self).send(
                request, stream=True, timeout=timeout, verify=verify, cert=cert, proxies=proxies
            )
            return self._read(response)

        del stream  # the answer is always read here, so that both bounds hold for it
        return within(self.deadline, fetch)

    def _read(self, response: requests.Response) -> requests.Response:
        body = bytearray()
        with response:
            for chunk in response.iter_content(CHUNK):
                body += chunk
                if len(body) > self.max_body:
                    raise AnswerTooLargeError(f"the answer is longer than {self.max_body} bytes", response=response)
        return restate(response, bytes(body))


def restate(response: requests.Response, body: bytes) -> requests.Response:
    """Return a new response with the same status and headers and this body, already decoded."""
    copy = requests.Response()
    copy.status_code = response.status_code
    copy.reason = response.reason
    copy.url = response.url
    copy.headers = response.headers.copy()
    copy.headers.pop("Content-Encoding", None)
    copy.request = response.request
    copy.encoding = response.encoding
    copy.raw = io.BytesIO(body)
    return copy


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Return what `work` returns or raise what it raises; raise requests' ReadTimeout when it takes longer."""
    outcome: list[Answer] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread and raised there
            failure.append(error)

    worker = threading.Thread(target=run, name="zoom-exchange", daemon=True)
    worker.start()
    worker.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise requests.ReadTimeout(f"no complete answer within {seconds:g} s")
    return outcome[0]


def bind(session: requests.Session, *, timeout: float, max_body: int = MAX_BODY) -> None:
    """Mount a bounded adapter: the whole exchange may take three times `timeout`, each socket operation once."""
    adapter = BoundedAdapter(deadline=3 * timeout, max_body=max_body)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = USER_AGENT


def describe(error: Exception) -> str:
    """Say in a few words what went wrong on the way, without the address's query and without object dumps.

    The class name stands first (`ConnectTimeout`, `SSLError`, …), as in the `rest` observations of evidence files.
    """
    return f"{type(error).__name__}: {_cause(error)}"[:300]


_WORDS: tuple[tuple[str, str], ...] = (
    ("Unable to connect to proxy", "the proxy could not be reached or refused"),
    ("CERTIFICATE_VERIFY_FAILED", "the TLS certificate was rejected"),
    ("NameResolutionError", "the host name was not found"),
    ("Name or service not known", "the host name was not found"),
    ("Connection refused", "connection refused"),
    ("timed out", "timed out"),
    ("Connection reset", "the connection was reset"),
    ("Connection aborted", "the connection was closed before an answer came"),
    ("no complete answer", "timed out: no complete answer came in time"),
    ("longer than", "the answer is too large"),
    ("IncompleteRead", "the answer broke off"),
    ("WRONG_VERSION_NUMBER", "TLS failed: the other side does not speak TLS"),
    ("SSL", "TLS failed"),
    ("header value", "a header is not valid"),
)


def _cause(error: Exception) -> str:
    text = str(error)
    return next((words for mark, words in _WORDS if mark in text), "the exchange failed")
