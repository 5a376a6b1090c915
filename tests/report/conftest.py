"""Hand-built diagnoses of the two installs that the project began with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rtms_audit.core.model import Environment, InstallKey, Plan
from rtms_audit.core.verdicts import (
    Category,
    Cause,
    Contradiction,
    Decision,
    Diagnosis,
    Hypothesis,
    HypothesisStatus,
    Known,
    NextStep,
    Outcome,
    Remedy,
    RuledOut,
    Status,
    TimelineEntry,
    Unknown,
    Verdict,
)

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DEVELOPER = InstallKey("developer", Environment.PRODUCTION)
EXTERNAL = InstallKey("external", Environment.PRODUCTION)


def build_developer() -> Diagnosis:
    """Build the row of the developer's own account: a stream that stopped with reason 18."""
    return Diagnosis(
        install=DEVELOPER,
        plan=Plan.UNKNOWN,
        plan_reason="nobody has said or shown it",
        outcome=Outcome.STOPPED_EARLY,
        summary="The stream started, the receiver's join failed with 960, and Zoom stopped the stream with reason 18.",
        causes=(
            Cause(
                id="credentials-mismatch",
                category=Category.AUTHENTICATION,
                status=Status.LIKELY,
                reason="stop reason 18 says that the handshake's signature was refused, 1.2 s after the start",
                evidence=("o2", "o3"),
                remedy=Remedy(
                    "app-owner",
                    "Sign with the production client id and secret, and unset ZM_RTMS_CLIENT and ZM_RTMS_SECRET.",
                    "the receiver's environment",
                ),
                source=("https://developers.zoom.us/docs/rtms/data-types/",),
            ),
            Cause(
                id="environment-mixed",
                category=Category.ENVIRONMENT,
                status=Status.POSSIBLE,
                reason="the development pair would be refused in the same way",
                evidence=("o3",),
                remedy=Remedy("app-owner", "Compare the client id that signs with that of the production app."),
                source=("https://devforum.zoom.us/t/142247",),
            ),
        ),
        ruled_out=(
            RuledOut("entitlement-missing", "a stream started, which needs the entitlement", ("o1",)),
            RuledOut("plan-unsupported", "a stream started on this account", ("o1",)),
        ),
        next=(NextStep("receiver.client_id", "log the client id that signs the handshake", "app-owner"),),
        decisions=(
            Decision("entitlement", "The app owner's account may stream", Verdict.ALLOWS, "a stream started", ("o1",)),
            Decision("handshake", "The handshake is signed for this app", Verdict.BLOCKS, "stop reason 18", ("o3",)),
            Decision("host-approval", "The host approved", Verdict.UNKNOWN, "nobody has said", ()),
        ),
        hypotheses=(
            Hypothesis("authentication", "authentication", HypothesisStatus.LIKELY, "stop reason 18 followed 960"),
            Hypothesis("entitlement", "entitlement or plan", HypothesisStatus.RULED_OUT, "a stream started"),
            Hypothesis("environments", "development/production", HypothesisStatus.POSSIBLE, "no client id was seen"),
            Hypothesis("service", "RTMS service", HypothesisStatus.OPEN, "nothing points at it"),
        ),
        timeline=(
            TimelineEntry("o1", START, "meeting.rtms_started, verified", "a stream was offered", "webhook"),
            TimelineEntry(
                "o2",
                START + timedelta(milliseconds=600),
                "onJoinConfirm of rtms-node gave 960",
                "960 PEER_CLOSED: the other side closed the socket; no success, whatever its text says",
                "sdk",
            ),
            TimelineEntry(
                "o3",
                START + timedelta(milliseconds=1300),
                "meeting.rtms_stopped with stop_reason 18",
                "18 AUTHENTICATION_FAILURE: the connecting app failed authentication",
                "webhook",
            ),
        ),
        contradictions=(),
        facts={"trigger": Unknown("nobody has said or shown it"), "media.received": Known(False, ("o2",))},
    )


def build_external() -> Diagnosis:
    """Build the row of the external free account: nothing ever started there."""
    return Diagnosis(
        install=EXTERNAL,
        plan=Plan.FREE,
        plan_reason="believed by whoever added the account",
        outcome=Outcome.UNKNOWN,
        summary="A meeting ran under watch and no event came; whether a start was due is not known.",
        causes=(
            Cause(
                id="not-triggered",
                category=Category.TRIGGER,
                status=Status.POSSIBLE,
                reason="no auto-start, start call or in-meeting start was seen",
                evidence=("o5",),
                remedy=Remedy("account-admin", "Switch auto-start on for the app.", "Zoom web portal, Apps"),
                source=("https://developers.zoom.us/docs/rtms/",),
            ),
        ),
        ruled_out=(),
        next=(
            NextStep("trigger", "ask how RTMS was meant to start", "account-user"),
            NextStep("setting.share_realtime_content", "look at the account's setting", "account-admin"),
        ),
        decisions=(
            Decision("entitlement", "The app owner's account may stream", Verdict.UNKNOWN, "nothing shows it"),
            Decision("handshake", "The handshake is signed for this app", Verdict.NOT_APPLICABLE, "no stream came"),
            Decision("host-approval", "The host approved", Verdict.ERROR, "ZeroDivisionError in this check"),
        ),
        hypotheses=(
            Hypothesis("authentication", "authentication", HypothesisStatus.OPEN, "no handshake was seen"),
            Hypothesis("entitlement", "entitlement or plan", HypothesisStatus.POSSIBLE, "a free plan is no proof"),
        ),
        timeline=(TimelineEntry("o5", None, "watched a meeting; no event came"),),
        contradictions=(Contradiction("trigger", "admin says auto-start, nothing came", ("o5", "o6")),),
        facts={},
    )


@pytest.fixture
def developer() -> Diagnosis:
    """Give the stopped install."""
    return build_developer()


@pytest.fixture
def external() -> Diagnosis:
    """Give the silent install."""
    return build_external()


@pytest.fixture
def changed() -> Callable[..., Diagnosis]:
    """Give a function that makes the stopped install with some fields changed."""

    def change(**fields: Any) -> Diagnosis:
        return replace(build_developer(), **fields)

    return change
