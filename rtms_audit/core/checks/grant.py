"""The install's grant lives, and the app is enabled.

Why it matters: a grant that was revoked, superseded by a later sign-in, or whose user was removed lets no call
through, and an account that removed the app gets no events.

Remedy: install again with the same user; where an administrator withdrew the approval, ask for it first.

Source: https://developers.zoom.us/docs/integrations/oauth-error-messages/ (2026-11),
https://developers.zoom.us/docs/integrations/end-user-auth
"""

from rtms_audit.core import reading
from rtms_audit.core.answers import ErrorAnswer
from rtms_audit.core.checks.check import Answer, Claim, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.model import InstallStatus, Kind, Observation

CAUSES = ("token-dead", "app-disabled")
DEAD = {
    4735: "the grant's user was removed from the account",
    4737: "no authorization is recorded for the grant",
    4738: "an administrator withdrew the approval of the app",
    4740: "the refresh token had been used before",
    4741: "a later authorization superseded this grant",
}
DISABLED = 4717
INVALID_TOKEN = 124


def decide(subject: Subject) -> Answer:
    """Read the latest sign of life or death of the grant."""
    signs = [(o, found) for o in subject.situation.own if (found := _sign(o)) is not None]
    claim = signs[-1][1] if signs else None
    if isinstance(claim, Claim):
        return answer([claim], "")
    status = subject.situation.install.status
    if signs and status is not InstallStatus.REVOKED:
        return answer([], "", fine="a call or refresh with this grant worked", evidence=seen(signs[-1][0]))
    if status is InstallStatus.REVOKED and subject.flow.existed:
        return answer([], "the install is marked as revoked, which does not explain a stream that came")
    if status is InstallStatus.REVOKED:
        reason = "the install is marked as revoked or removed"
        return answer([likely("token-dead", reason, *seen(subject.flow.watch))], "")
    return answer([], "no refresh and no call shows whether the grant lives")


def _sign(observation: Observation) -> Claim | bool | None:
    """Return a claim where an observation shows a dead grant, True where it shows a living one, else None."""
    if reading.event_name(observation) == "app_deauthorized" and observation.fields.get("signature") != "rejected":
        return confirmed("token-dead", "Zoom sent app_deauthorized: the user removed the app", observation.id)
    if observation.kind not in (Kind.OAUTH, Kind.REST):
        return None
    error = reading.refusal(observation)
    grant = reading.text(observation.fields.get("grant"))
    if error is None:
        good = (200 <= (reading.http_status(observation) or 0) < 300) and (
            observation.kind is Kind.REST or grant in ("authorization_code", "refresh_token", "device_code")
        )
        return True if good else None
    return _numbered(error, observation) or _worded(error, grant, observation)


def _numbered(error: ErrorAnswer, observation: Observation) -> Claim | None:
    if error.code == DISABLED:
        return confirmed("app-disabled", f"Zoom answered {DISABLED}: the app is disabled", observation.id)
    if error.code in DEAD and observation.kind is Kind.OAUTH:
        return confirmed("token-dead", f"Zoom answered {error.code}: {DEAD[error.code]}", observation.id)
    return None


def _worded(error: ErrorAnswer, grant: str, observation: Observation) -> Claim | None:
    if observation.kind is Kind.OAUTH:
        if grant == "refresh_token" and (error.error == "invalid_grant" or "invalid token" in error.message.lower()):
            return confirmed("token-dead", f"the refresh was refused: {error.reason or error.error}", observation.id)
        return None
    if error.status == 401 and error.code is None and not error.message:
        return possible("token-dead", "Zoom answered 401 without a word; a refresh tells more", observation.id)
    if error.code != INVALID_TOKEN and not (error.status == 401 and "invalid access token" in error.message.lower()):
        return None
    if error.scopes:
        return None
    if "expired" in error.message.lower():
        return possible(
            "token-dead", "Zoom said that the access token is expired; a refresh tells more", observation.id
        )
    return likely("token-dead", f"Zoom answered {error.status}/{error.code}: {error.message}", observation.id)
