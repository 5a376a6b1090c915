"""What an install is while it is under way, and the closed set of what can come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rtms_audit.core.model import InstallKey
from rtms_audit.core.secret import Secret
from rtms_audit.errors import AuditError, UserError, ZoomError
from rtms_audit.store.records import GrantRecord, StateReason


class Outcome(StrEnum):
    """Everything that can come of an attempt to install."""

    INSTALLED = "installed"
    DENIED = "denied"
    STATE_UNKNOWN = "state-unknown"
    STATE_USED = "state-used"
    STATE_EXPIRED = "state-expired"
    CODE_REFUSED = "code-refused"
    CLIENT_REFUSED = "client-refused"
    WRONG_ACCOUNT = "wrong-account"
    TIMED_OUT = "timed-out"


STATE_OUTCOMES = {
    StateReason.UNKNOWN: Outcome.STATE_UNKNOWN,
    StateReason.USED: Outcome.STATE_USED,
    StateReason.EXPIRED: Outcome.STATE_EXPIRED,
}

STATE_WORDS = {
    Outcome.STATE_UNKNOWN: "This callback belongs to no install that was begun here.",
    Outcome.STATE_USED: "This callback was used before; each one counts once.",
    Outcome.STATE_EXPIRED: "This callback came too late: the install was begun more than ten minutes ago.",
}

HTTP_STATUS = {Outcome.INSTALLED: 200, Outcome.WRONG_ACCOUNT: 409}
"""The status of the page shown for an outcome; 400 for the others."""


def again(key: InstallKey | None) -> str:
    """Write the command that begins an install again; None where nobody knows which install it was."""
    account, environment = (key.account, key.environment) if key else ("ACCOUNT", "ENV")
    return f"rtms-audit install {account} --environment {environment}"


@dataclass(frozen=True, slots=True)
class Begun:
    """An install that waits for its callback at `redirect_uri`; `state_id` names its state without giving it away."""

    app: str
    key: InstallKey
    authorize_url: str
    redirect_uri: str
    state_id: str
    began_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Callback:
    """What the browser brought back to the redirect address."""

    state: str | None
    code: Secret | None
    error: str | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Callback":
        """Read the query of the redirected address."""
        code = query.get("code")
        return cls(query.get("state") or None, Secret(code) if code else None, query.get("error") or None)


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of an install; `message` and `next_step` are for people, `grant` is there where it was installed."""

    outcome: Outcome
    key: InstallKey | None
    message: str
    next_step: str
    grant: GrantRecord | None = None

    @property
    def http_status(self) -> int:
        """The status of the page that the browser is shown."""
        return HTTP_STATUS.get(self.outcome, 400)


class InstallRefusedError(AuditError):
    """An install that ended otherwise than installed; `finished` says how."""

    def __init__(self, finished: Finished) -> None:
        super().__init__(finished.message, next_step=finished.next_step)
        self.finished = finished
        self.exit_code = UserError.exit_code if finished.outcome in _OURS else ZoomError.exit_code


_OURS = frozenset(
    {Outcome.STATE_UNKNOWN, Outcome.STATE_USED, Outcome.STATE_EXPIRED, Outcome.CLIENT_REFUSED, Outcome.WRONG_ACCOUNT}
)
