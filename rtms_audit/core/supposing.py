"""Supposing a fact: what was seen that could not have been seen if it were so."""

from collections.abc import Iterable, Mapping

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.model import InstallKey, Kind, Observation

DENIED_BY_REFUSAL: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "setting.share_realtime_content": (("on",), (13267,)),
    "setting.app_allowed": (("true",), (13262,)),
    "account.developer_pack": (("active",), (2310,)),
    "account.rtms_enabled": (("true",), (2310,)),
    "starter.role": (("host", "alternative-host"), (2308,)),
    "host.approval": (("approved", "not-required"), (2309,)),
    "host.present": (("true",), (3000,)),
}
"""Values of a fact, and the codes of Zoom's refusals that would not have come with them."""

SIGNER = "receiver.signing_environment"
SIGNATURE_REASONS = (3, 960)
AUTHENTICATION_FAILURE = 18


def without_disproved(
    observations: Iterable[Observation], key: InstallKey, supposed: Mapping[str, object]
) -> tuple[Observation, ...]:
    """Return the observations of an install less those that the supposed facts make impossible."""
    return tuple(o for o in observations if not _is_disproved(o, key, supposed))


def word(value: object) -> str:
    """Return a fact's value as a word in lower case."""
    return str(value).strip().lower()


def _is_disproved(observation: Observation, key: InstallKey, supposed: Mapping[str, object]) -> bool:
    if reading.is_start(observation):
        error = reading.refusal(observation)
        denied = [codes for fact, (words, codes) in DENIED_BY_REFUSAL.items() if word(supposed.get(fact)) in words]
        return error is not None and any(error.code in codes for codes in denied)
    return word(supposed.get(SIGNER)) == key.environment and _is_signature_failure(observation)


def _is_signature_failure(observation: Observation) -> bool:
    """Whether an observation tells of a signature that was refused."""
    if observation.kind is Kind.WEBHOOK:
        return as_int(reading.payload(observation).get("stop_reason")) == AUTHENTICATION_FAILURE
    if observation.kind is Kind.SDK:
        return reading.reason(observation) in (*SIGNATURE_REASONS, AUTHENTICATION_FAILURE)
    if observation.kind is not Kind.HANDSHAKE:
        return False
    return reading.status_code(observation) == SIGNATURE_REASONS[0] or (
        reading.status_code(observation) is None and "closed" in observation.fields
    )
