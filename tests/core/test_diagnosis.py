"""Whole diagnoses: crashes of checks, exit codes, plan, summary and facts."""

from collections.abc import Callable

import pytest

from rtms_audit.core.checks.check import Answer, Check, Subject
from rtms_audit.core.diagnosis import diagnose, diagnose_case, exit_code
from rtms_audit.core.model import Case, Plan
from rtms_audit.core.verdicts import Diagnosis, Known, Status, Verdict
from rtms_audit.errors import ExitCode

CaseOf = Callable[..., Case]
Judge = Callable[..., Diagnosis]
SIGNED = {"kind": "handshake", "socket": "signaling", "request": {"client_id": "P"}, "response": {"status_code": 0}}


def crash(_subject: Subject) -> Answer:
    """Do what a defective check does."""
    raise ZeroDivisionError("a defect")


BROKEN = Check("broken", "It holds", ("sharing-off",), crash, "")


def test_a_check_that_crashes_stands_on_its_own_row(case_of: CaseOf) -> None:
    """The other checks answer as ever, the row names the defect, and the run's exit code is 1."""
    case = case_of("start 2310")
    good = Check("good", "It holds", (), lambda _: Answer(Verdict.UNKNOWN, "?"), "")
    found = diagnose(case, case.installs[0].key, checks=[BROKEN, good])
    assert [(d.check, d.verdict) for d in found.decisions] == [("broken", Verdict.ERROR), ("good", Verdict.UNKNOWN)]
    assert "ZeroDivisionError: a defect" in found.decisions[0].reason
    assert exit_code([found]) is ExitCode.BROKEN


@pytest.mark.parametrize(
    ("observations", "code"),
    [
        (["started", "join 0", "stopped 6"], ExitCode.OK),
        (["start 13267"], ExitCode.BLOCKED),
        (["started", "stopped 18"], ExitCode.BLOCKED),
        ([{"trigger": "none"}], ExitCode.BLOCKED),
        ([{"setting.share_realtime_content": "on"}, "start 13267"], ExitCode.UNEXPLAINED),
        ([{"setting.app_allowed": True}, "start 13262"], ExitCode.BLOCKED),
        ([], ExitCode.INCOMPLETE),
        (["silent"], ExitCode.INCOMPLETE),
        ([{"setting.auto_start": "on"}, "no meeting"], ExitCode.INCOMPLETE),
        ([{"setting.auto_start": "on"}, "silent"], ExitCode.UNEXPLAINED),
        (["start 99999"], ExitCode.UNEXPLAINED),
        (["started", "join 0", "stopped 99"], ExitCode.UNEXPLAINED),
        (["started", "join 960"], ExitCode.UNEXPLAINED),
        (["started", "join 0", {"media.received": False}], ExitCode.UNEXPLAINED),
    ],
)
def test_each_install_has_an_exit_code(judge: Judge, observations: list[object], code: ExitCode) -> None:
    """Started, blocked and explained, open for want of evidence, or unexplained or contradicted."""
    assert exit_code([judge(*observations)]) is code


def test_the_worst_install_decides_the_exit_code(judge: Judge) -> None:
    """Unexplained is worse than blocked, blocked than incomplete, incomplete than started; of none nothing is known."""
    started, incomplete = judge("started", "join 0"), judge("silent")
    blocked, unexplained = judge("start 13267"), judge("start 99999")
    assert exit_code([started, incomplete]) is ExitCode.INCOMPLETE
    assert exit_code([blocked, incomplete, started]) is ExitCode.BLOCKED
    assert exit_code([blocked, unexplained]) is ExitCode.UNEXPLAINED
    assert exit_code([]) is ExitCode.INCOMPLETE


def test_every_install_is_judged_in_the_order_of_the_case(case_of: CaseOf) -> None:
    """A case gives one diagnosis per install, the same as each asked for alone."""
    installs = [{"account": name, "environment": "production"} for name in ("b", "a")]
    case = case_of(
        {"kind": "watch", "install": "a/production", "meeting_started": True, "events": []}, installs=installs
    )
    found = diagnose_case(case)
    assert [str(d.install) for d in found] == ["b/production", "a/production"]
    assert found == tuple(diagnose(case, install.key) for install in case.installs)


def test_a_plan_is_shown_believed_or_unknown(judge: Judge) -> None:
    """Each with its reason; what Zoom showed beats what somebody believes."""
    licensed = {
        "kind": "rest",
        "request": {"method": "GET", "path": "/v2/users/me"},
        "response": {"status": 200, "body": {"type": 2}},
    }
    shown, believed, unknown = judge(licensed, plan="free"), judge(plan="pro"), judge()
    assert (shown.plan, shown.plan_reason) == (Plan.PAID, "shown by o1")
    assert (believed.plan, believed.plan_reason.startswith("believed, not shown")) == (Plan.PRO, True)
    assert (unknown.plan, unknown.plan_reason) == (Plan.UNKNOWN, "nothing that Zoom answered tells the plan")


@pytest.mark.parametrize(
    ("observations", "summary"),
    [
        (["started", "join 0"], "RTMS started."),
        (["started", "join 0", "keepalives missed 1"], "RTMS started."),
        ([], "whether RTMS would start is not known."),
        (["start 13267"], "RTMS did not start; likely: Zoom answered 13267"),
        (["started", "join 0", "stopped 6"], "RTMS started; confirmed: the stream stopped with reason 6"),
    ],
)
def test_a_summary_is_one_sentence(judge: Judge, observations: list[object], summary: str) -> None:
    """What happened, and the leading cause with its certainty; a mere possibility does not spoil a stream that ran."""
    assert judge(*observations).summary.startswith(summary)


def test_an_ordinary_end_does_not_lead_where_a_fault_is_likely(judge: Judge) -> None:
    """The strongest cause that is no ordinary end is named first; without causes there is none."""
    found = judge("started", "join 0", "stopped 3")
    assert (found.causes[0].id, found.leading.id if found.leading else "") == ("ended-normally", "starter-absent")
    assert judge().leading is None


@pytest.mark.parametrize(
    ("observations", "fact", "value"),
    [
        (["started", "join 960"], "stream.join", "sdk 960"),
        (["started", "signaling closed 1000"], "stream.join", "signaling closed 1000"),
        (["started", {"kind": "handshake", "error": "no"}], "stream.join", "signaling failed"),
        (["started", "join 0"], "stream.join", "accepted"),
        (["started", "stopped 18"], "stream.stop_reason", 18),
        (["started"], "stream.announced", True),
        (["start 13267"], "start.code", 13267),
        (["start 503"], "start.code", 503),
        (["start 204"], "start.code", 204),
        (["start 204"], "trigger", "rest"),
        (["silent"], "install.status", "installed"),
    ],
)
def test_the_facts_hold_what_was_seen_of_the_latest_attempt(
    judge: Judge, observations: list[object], fact: str, value: object
) -> None:
    """They are what two installs are compared by."""
    found = judge(*observations).facts[fact]
    assert isinstance(found, Known)
    assert found.value == value


def test_the_facts_hold_owner_and_distribution(judge: Judge) -> None:
    """What the file says of the app is a fact as well."""
    facts = judge(app={"owner": "acme", "environments": {"production": {"distribution": "beta"}}}).facts
    assert facts["account.owns_app"] == Known(value=True)
    assert facts["app.distribution"] == Known("beta")


def test_earlier_attempts_stay_visible(judge: Judge) -> None:
    """The latest attempt decides, and every observation stands in the timeline."""
    found = judge("start 13267", {"setting.share_realtime_content": "on"}, "start 204", "started", "join 0")
    assert not [c for c in found.causes if c.status is not Status.POSSIBLE]
    assert [entry.id for entry in found.timeline] == ["o1", "o2", "o3", "o4", "o5"]


def test_one_environments_stream_says_nothing_of_the_other(case_of: CaseOf) -> None:
    """Development ran; production in the same account stays as open as it was."""
    installs = [{"account": "acme", "environment": name} for name in ("production", "development")]
    event = {"event": "meeting.rtms_started", "payload": {"rtms_stream_id": "s1", "server_urls": "wss://a"}}
    silent = {"kind": "watch", "install": "acme/production", "meeting_started": True, "events": []}
    ran = {"kind": "webhook", "install": "acme/development", "body": event}
    alone = diagnose_case(case_of(silent, installs=installs))[0]
    beside = diagnose_case(case_of(silent, ran, installs=installs))[0]
    assert [(c.id, c.status) for c in alone.causes] == [(c.id, c.status) for c in beside.causes]
    assert alone.ruled_out == beside.ruled_out
