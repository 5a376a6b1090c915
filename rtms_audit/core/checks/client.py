"""The token address knows the client id and secret.

Why it matters: a wrong pair lets no install, refresh or start through. The development secret on the production id
is the classic mistake. It is our own configuration that is wrong, and the grant stays as it is.

Remedy: copy both values of this very environment again.

Source: https://developers.zoom.us/docs/build-flow/basic-info/app-credentials,
https://developers.zoom.us/docs/integrations/oauth-error-messages/ (2026-11)
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import Answer, Subject, answer, confirmed, seen
from rtms_audit.core.model import Kind, Observation

CAUSES = ("client-invalid",)
NUMBERS: dict[int | None, str] = {
    4702: "client id wrong or app gone",
    4704: "client secret wrong or app gone",
    4706: "client id or secret missing",
}


def decide(subject: Subject) -> Answer:
    """Read the latest answer of the token address."""
    tokens = [o for o in subject.situation.own if o.kind is Kind.OAUTH and _is_about_client(o)]
    if not tokens:
        return answer([], "no token answer for this install tells whether the pair is right")
    latest = tokens[-1]
    error = reading.refusal(latest)
    if error is None:
        return answer([], "", fine="the token address accepted client id and secret", evidence=seen(latest))
    if _refuses_client(latest):
        words = error.reason or error.message or NUMBERS.get(error.code) or error.error
        return answer([confirmed("client-invalid", f"the token address answered: {words}", latest.id)], "")
    return answer([], "", fine="the token address refused the grant, not the client", evidence=seen(latest))


def _is_about_client(observation: Observation) -> bool:
    """Whether a token call says anything about the pair: a success, a refusal in Zoom's words, no time-out."""
    error = reading.refusal(observation)
    status = reading.http_status(observation)
    if error is None:
        return status == 200 and "grant" in observation.fields
    return _refuses_client(observation) or error.error == "invalid_grant"


def _refuses_client(observation: Observation) -> bool:
    error = reading.refusal(observation)
    return error is not None and (error.error == "invalid_client" or error.code in NUMBERS)
