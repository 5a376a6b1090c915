"""What to find out next."""

from collections.abc import Callable

from rtms_audit.core.causes import CAUSES
from rtms_audit.core.questions import MOST, QUESTIONS
from rtms_audit.core.verdicts import Category, Diagnosis

Judge = Callable[..., Diagnosis]


def asked(diagnosis: Diagnosis) -> list[str]:
    """Return the facts asked for."""
    return [step.fact for step in diagnosis.next]


def test_every_question_of_a_cause_can_be_answered_by_somebody() -> None:
    """Each fact that a cause asks for says how it is found out and who can; each cause but ordinary ends asks."""
    assert {fact for cause in CAUSES.values() for fact in cause.asks} - set(QUESTIONS) == set()
    assert all(how and who for how, who in QUESTIONS.values())
    assert all(cause.asks for cause in CAUSES.values() if cause.category is not Category.ORDINARY)


def test_the_strongest_cause_asks_first(judge: Judge) -> None:
    """Its most telling fact leads."""
    assert asked(judge("started", "join 960", "stopped 18"))[0] == "receiver.signing_environment"
    assert asked(judge("start 2310"))[0] == "account.developer_pack"


def test_what_is_known_is_not_asked(judge: Judge) -> None:
    """A fact that was stated or shown is left out."""
    assert "setting.share_realtime_content" in asked(judge("silent"))
    assert "setting.share_realtime_content" not in asked(judge("silent", {"setting.share_realtime_content": "on"}))


def test_what_is_disputed_is_asked_again(judge: Judge) -> None:
    """A statement that Zoom's answer contradicts settles nothing."""
    assert asked(judge({"setting.app_allowed": True}, "start 13262")) == ["setting.app_allowed"]


def test_a_stream_that_ran_asks_for_what_is_likely_only(judge: Judge) -> None:
    """Mere possibilities are of no interest then, nor are ordinary ends."""
    assert asked(judge("started", "join 0", "keepalives missed 1", "stopped 6")) == []
    assert asked(judge("started", "join 0", "stopped 3")) == ["starter.present", "starter.in_breakout_room"]


def test_nobody_is_asked_everything(judge: Judge) -> None:
    """The list has an end, and holds no fact twice."""
    found = asked(judge("silent", status="unknown", plan="free"))
    assert len(found) == MOST == len(set(found))
