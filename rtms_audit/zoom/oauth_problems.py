"""What a failed call to Zoom's token address means for the grant, the credentials or the network. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rtms_audit.core.answers import as_int
from rtms_audit.zoom.exchange import foreign


class ProblemKind(StrEnum):
    """The closed set of readings; only the first group says something about the grant itself."""

    GRANT_DEAD = "grant-dead"
    """`invalid_grant` on a refresh: expired, rotated away or revoked."""
    NO_AUTHORIZATION = "no-authorization"
    """4737: no authorization record for the token."""
    USER_REMOVED = "user-removed"
    """4735: the token's owner no longer exists in the account."""
    APPROVAL_WITHDRAWN = "approval-withdrawn"
    """4738: an administrator withdrew the app's pre-approval."""
    REUSED = "reused"
    """4740: the refresh token was used more often than tolerated."""
    SUPERSEDED = "superseded"
    """4741: a later authorization of the same user superseded the token."""

    APP_DISABLED = "app-disabled"
    """4717: Zoom disabled the app."""
    CLIENT_INVALID = "client-invalid"
    """The client id and secret are wrong: our configuration, never the grant's fault."""
    CODE_REFUSED = "code-refused"
    """The authorization code is expired, used or not meant for this client."""
    RATE_LIMITED = "rate-limited"
    TRANSIENT = "transient"
    """5xx, time-out, reset, HTML instead of JSON: says nothing about grant or credentials."""
    OTHER = "other"
    """Zoom named an error that says nothing of the above, such as `unsupported_grant_type`."""


BY_NUMBER: Mapping[int, ProblemKind] = {
    4702: ProblemKind.CLIENT_INVALID,
    4704: ProblemKind.CLIENT_INVALID,
    4706: ProblemKind.CLIENT_INVALID,
    4717: ProblemKind.APP_DISABLED,
    4733: ProblemKind.CODE_REFUSED,
    4734: ProblemKind.CODE_REFUSED,
    4735: ProblemKind.USER_REMOVED,
    4737: ProblemKind.NO_AUTHORIZATION,
    4738: ProblemKind.APPROVAL_WITHDRAWN,
    4740: ProblemKind.REUSED,
    4741: ProblemKind.SUPERSEDED,
}
"""Zoom's numeric OAuth codes, from https://developers.zoom.us/docs/integrations/oauth-error-messages/ (2026-07-13).

In which HTTP status and field they travel on a refresh is not documented, so they are looked for everywhere.
"""

_IN_PROSE = re.compile(r"\b(4,?7\d\d)\b")
_IN_PAGE = re.compile(r"\((4,?7\d\d)\)|(?i:error(?:\s+code)?)\s*:?\s*(4,?7\d\d)\b")


@dataclass(frozen=True, slots=True)
class OAuthProblem:
    """Why a call to the token address did not give what was asked for; holds no secret.

    `error` and `reason` are Zoom's own pair, `code` its numeric OAuth code where it gave one.
    """

    kind: ProblemKind
    status: int | None = None
    error: str | None = None
    reason: str | None = None
    code: int | None = None

    @property
    def ends_grant(self) -> bool:
        """Whether the grant itself no longer works, so that the account has to install again."""
        return self.kind in _ENDINGS


_ENDINGS = frozenset(
    {
        ProblemKind.GRANT_DEAD,
        ProblemKind.NO_AUTHORIZATION,
        ProblemKind.USER_REMOVED,
        ProblemKind.APPROVAL_WITHDRAWN,
        ProblemKind.REUSED,
        ProblemKind.SUPERSEDED,
    }
)


def read_problem(*, grant: str, status: int | None, body: object) -> OAuthProblem:
    """Read a failed answer of the token address: `grant` is the grant type asked for, `body` the parsed body.

    `{"reason", "error"}` is the usual shape (devforum.zoom.us/t/137623, github.com/raycast/extensions#10896); numbers
    stand in `code`, in the reason or, as `(4,702)`, on an HTML page.
    """
    document = body if isinstance(body, Mapping) else {}
    error, reason = _text(document.get("error")), _text(document.get("reason"))
    reason = reason or _text(document.get("error_description")) or _text(document.get("message"))
    code = oauth_number(body)
    kind = _kind(grant, status, error, reason, code)
    if kind is ProblemKind.TRANSIENT and isinstance(body, str):
        reason = foreign(body)
    return OAuthProblem(kind, status, error, reason, code)


def _kind(grant: str, status: int | None, error: str | None, reason: str | None, code: int | None) -> ProblemKind:
    if code is not None and code in BY_NUMBER:
        return BY_NUMBER[code]
    if status == 429:
        return ProblemKind.RATE_LIMITED
    if status is None or status >= 500 or (error is None and code is None):
        return ProblemKind.TRANSIENT
    if error == "invalid_client":
        return ProblemKind.CLIENT_INVALID
    if error == "invalid_grant" or _is_old_dead_token(error, reason):
        return ProblemKind.CODE_REFUSED if grant == "authorization_code" else ProblemKind.GRANT_DEAD
    return ProblemKind.OTHER


def _is_old_dead_token(error: str | None, reason: str | None) -> bool:
    """Whether this is the `invalid_request` of 2021 for a dead token (github.com/calcom/cal.diy PR#729)."""
    return error == "invalid_request" and "invalid token" in (reason or "").lower()


def oauth_number(body: object) -> int | None:
    """Return the numeric OAuth code in a parsed body, or None."""
    if isinstance(body, Mapping):
        number = as_int(body.get("code"))
        if number is not None:
            return number
        prose = " ".join(str(body.get(name, "")) for name in ("reason", "error", "error_description", "message"))
        return _number(_IN_PROSE.search(prose))
    return _number(_IN_PAGE.search(body)) if isinstance(body, str) else None


def _number(found: re.Match[str] | None) -> int | None:
    if found is None:
        return None
    return int(next(group for group in found.groups() if group).replace(",", ""))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
