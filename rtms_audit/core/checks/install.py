"""The account has put this environment of the app in.

Why it matters: Zoom sends RTMS events only for users who have added the app; development and production are added
apart.

Remedy: go through the install address of this environment to its end.

Source: https://developers.zoom.us/docs/integrations/oauth/, https://developers.zoom.us/docs/api/rtms/events/
(2026-02)
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import Answer, Claim, Subject, answer, likely, possible, seen
from rtms_audit.core.model import InstallStatus, Kind, Observation
from rtms_audit.core.situation import Situation

CAUSES = ("install-missing",)
CODE_GRANTS = ("authorization_code", "device_code")
OUTCOMES = (
    "denied",
    "state-unknown",
    "state-used",
    "state-expired",
    "code-refused",
    "client-refused",
    "wrong-account",
    "timed-out",
)


def decide(subject: Subject) -> Answer:
    """Follow the authorize, redirect and code steps to the last one seen."""
    situation = subject.situation
    worked = _worked(situation)
    broken = _broken(situation, worked)
    if broken:
        return answer([broken], "")
    if worked:
        return answer([], "", fine="the install's token was issued or worked", evidence=seen(worked))
    status = situation.install.status
    if status is InstallStatus.MISSING:
        reason = f"{situation.key.account} is known not to have installed the {situation.key.environment} app"
        return answer([likely("install-missing", reason, *seen(subject.flow.watch))], "")
    if status is InstallStatus.UNKNOWN and subject.awaited:
        return answer([possible("install-missing", "whether the app was ever installed here is not known")], "")
    if status is InstallStatus.INSTALLED:
        return answer([], "the install is said to be there; no token answer or call shows it")
    return answer([], f"the install is {status}")


def _worked(situation: Situation) -> Observation | None:
    """Return the latest sign that a grant of this install worked."""
    signs = [o for o in situation.own if _is_sign(o)]
    return signs[-1] if signs else None


def _is_sign(observation: Observation) -> bool:
    status = reading.http_status(observation)
    if observation.kind is Kind.OAUTH:
        grant = observation.fields.get("grant")
        good = grant in (*CODE_GRANTS, "refresh_token") and status == 200
        return (good and not reading.refusal(observation)) or _outcome(observation) == "installed"
    if observation.kind is not Kind.REST:
        return False
    return reading.path(observation).endswith("/users/me") and status == 200 and not reading.refusal(observation)


def _broken(situation: Situation, worked: Observation | None) -> Claim | None:
    """Return the claim of a way through the install that ended before a token, unless a later one worked."""
    for observation in reversed(situation.own):
        if observation is worked:
            return None
        if observation.kind is Kind.OAUTH and (reason := _failed_step(observation, situation)):
            return likely("install-missing", reason, observation.id, *situation.evidence("app.redirect_uri"))
    return None


def _failed_step(observation: Observation, situation: Situation) -> str:
    """Say how a step of the install failed; empty where it did not."""
    step, grant = reading.text(observation.fields.get("step")), reading.text(observation.fields.get("grant"))
    if (outcome := _outcome(observation)) in OUTCOMES:
        return f"the way back from the authorize page ended with: {outcome}"
    sent = reading.text(reading.request(observation).get("error"))
    error = reading.refusal(observation)
    if step and (error or sent):
        where = situation.word("app.redirect_uri")
        place = f" at {where}" if where else ""
        status = reading.http_status(observation)
        said = (error.message if error else "") or "an error"
        ended = f"came back with {sent}" if sent else f"answered {status or said}"
        return f"the {step} step{place} {ended}, so that no code was exchanged"
    if grant in CODE_GRANTS and error and error.error != "invalid_client":
        return f"the code was refused: {error.reason or error.message or error.error}"
    return ""


def _outcome(observation: Observation) -> str:
    return reading.text(reading.answer(observation).get("outcome"))
