"""The four explanations that people argue about."""

from collections.abc import Callable

import pytest

from rtms_audit.core.verdicts import Diagnosis

Judge = Callable[..., Diagnosis]
MIXED = {"receiver.signing_environment": "development"}


@pytest.mark.parametrize(
    ("observations", "authentication", "entitlement", "environments", "service"),
    [
        (["started", "join 960", "stopped 18"], "likely", "ruled-out", "possible", "open"),
        (["started", "signaling 3"], "confirmed", "ruled-out", "possible", "open"),
        (["started", "join 960", "stopped 18", MIXED], "likely", "ruled-out", "likely", "open"),
        (["started", "join 0"], "ruled-out", "ruled-out", "ruled-out", "ruled-out"),
        (["started", "join 0", "stopped 10"], "ruled-out", "ruled-out", "open", "confirmed"),
        (["start 2310"], "open", "likely", "open", "open"),
        (["silent"], "open", "possible", "open", "open"),
        ([], "open", "open", "open", "open"),
    ],
)
def test_each_hypothesis_stands_as_the_evidence_has_it(
    judge: Judge, observations: list[object], authentication: str, entitlement: str, environments: str, service: str
) -> None:
    """Confirmed, likely, possible, ruled out or open."""
    found = {h.id: str(h.status) for h in judge(*observations).hypotheses}
    assert found == {
        "authentication": authentication,
        "entitlement": entitlement,
        "environments": environments,
        "service": service,
    }


def test_what_was_not_decided_says_what_is_blamed_instead(judge: Judge) -> None:
    """An open hypothesis names the cause that is sure, or says that nothing decides it."""
    blamed = {h.id: h.reason for h in judge("start 13267").hypotheses}
    assert blamed["service"] == "nothing seen speaks for it; sharing-off is likely"
    assert {h.reason for h in judge().hypotheses} == {"nothing seen decides it"}


def test_limit_and_verification_count_as_entitlement(judge: Judge) -> None:
    """They are neither plan nor pack, and people mean them all the same."""
    limited = {"kind": "webhook", "body": {"event": "rtms.concurrency_limited", "payload": {}}}
    found = {h.id: h for h in judge(limited, "silent").hypotheses}
    assert found["entitlement"].status == "confirmed"
    assert "concurrency_limited" in found["entitlement"].reason


def test_a_free_plan_beside_a_stream_is_ruled_out(judge: Judge) -> None:
    """A stream came for this install, which neither pack nor plan prevented."""
    found = {h.id: str(h.status) for h in judge("started", "join 960", plan="free").hypotheses}
    assert found["entitlement"] == "ruled-out"
