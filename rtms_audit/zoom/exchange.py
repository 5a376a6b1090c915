"""One request to Zoom and what came back of it: the raw material of `rest` and `oauth` observations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from rtms_audit.core.answers import ErrorAnswer, error_of, parse_body

SECRET = "[secret]"  # noqa: S105 - the mask itself
"""What stands in an exchange or an observation where a secret was."""

KEPT_HEADERS = frozenset(
    {"content-type", "content-length", "date", "location", "retry-after", "server", "x-zm-trackingid"}
)
"""Answer headers worth keeping beside every `x-ratelimit-…`; cookies and the like are never kept."""


def kept_headers(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return the headers worth keeping, names in lower case; the query of a `location` may hold a code and is cut."""
    kept = {}
    for name, value in headers:
        key = name.lower()
        if key in KEPT_HEADERS or key.startswith("x-ratelimit-"):
            kept[key] = value.split("?", 1)[0] if key == "location" else value
    return MappingProxyType(kept)


def is_page(text: str) -> bool:
    """Whether a body is a page for people."""
    return text.lstrip().startswith("<")


def foreign(text: str) -> str:
    """Say what came in place of Zoom's JSON."""
    what = "an HTML page" if is_page(text) else "text that is not JSON"
    return f"{what} came; is a proxy or login page in between?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer, free of tokens and client secrets.

    `path` starts with `/v2` for REST calls (with the query, where there was one) and with `/oauth` for token calls.
    `status` is None where no whole answer came; `error` then says why (`ConnectTimeout: …`). `duration_ms` counts from
    sending to the last byte read.
    """

    method: str
    url: str
    path: str
    at: datetime
    duration_ms: float
    request_body: Mapping[str, object] | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""
    error: str | None = None

    @property
    def tracking_id(self) -> str | None:
        """Zoom's `x-zm-trackingid`, which its support asks for; None where the answer had none."""
        return self.headers.get("x-zm-trackingid")

    @property
    def parsed(self) -> object:
        """The body as a JSON value, or as text where it is not JSON; None for an empty body."""
        return parse_body(self.body)

    @property
    def refusal(self) -> ErrorAnswer | None:
        """What the answer refuses, also where an error hides behind HTTP 200; None where it refuses nothing."""
        return None if self.status is None else error_of(self.status, self.parsed)

    @property
    def unanswered(self) -> str:
        """Why no answer of Zoom's own came: it was not reached, or something else answered; empty where one came.

        Text that holds a number of Zoom's is Zoom's, and so is plain text that comes with an error status.
        """
        if self.status is None:
            return f"not reached: {self.error or 'no answer'}"
        body, refusal = self.parsed, self.refusal
        if not isinstance(body, str) or (refusal is not None and (refusal.code is not None or not is_page(body))):
            return ""
        return foreign(body)

    @property
    def ok(self) -> bool:
        """Whether a complete answer of Zoom's came and it is neither an error nor a redirection."""
        answered = self.error is None and self.status is not None and not self.unanswered
        return answered and (self.status or 0) < 300 and self.refusal is None

    def rest_fields(self) -> dict[str, object]:
        """Return the fields of a `rest` observation; a network failure is status None with the error as body."""
        request: dict[str, object] = {"method": self.method, "path": self.path}
        if self.request_body is not None:
            request["body"] = dict(self.request_body)
        return {"request": request, "response": self._response_fields()}

    def _response_fields(self) -> dict[str, object]:
        if self.status is None:
            return {"status": None, "body": self.error or "no answer"}
        return {"status": self.status, "body": self.parsed, "headers": dict(self.headers)}
