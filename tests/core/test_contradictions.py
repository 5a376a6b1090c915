"""Evidence that cannot all be right."""

from collections.abc import Callable

import pytest

from rtms_audit.core.verdicts import Diagnosis

Judge = Callable[..., Diagnosis]


@pytest.mark.parametrize(
    ("fact", "value", "code"),
    [
        ("setting.share_realtime_content", "on", 13267),
        ("setting.app_allowed", True, 13262),
        ("account.developer_pack", "active", 2310),
        ("account.rtms_enabled", True, 2310),
        ("starter.role", "host", 2308),
        ("host.approval", "approved", 2309),
        ("host.present", True, 3000),
    ],
)
def test_a_person_and_a_refusal_contradict_each_other(judge: Judge, fact: str, value: object, code: int) -> None:
    """Both are named, and Zoom is believed."""
    (found,) = judge({fact: value}, f"start {code}").contradictions
    assert (found.fact, found.evidence) == (fact, ("o1", "o2"))
    assert f"Zoom answered {code}; Zoom was believed" in found.text


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("setting.share_realtime_content", "off"),
        ("setting.app_allowed", False),
        ("account.developer_pack", "none"),
        ("account.rtms_enabled", False),
        ("account.verified", False),
        ("trigger", "none"),
        ("host.approval", "denied"),
        ("starter.has_installed_app", False),
        ("app.scopes_selectable", False),
    ],
)
def test_a_person_and_a_stream_contradict_each_other(judge: Judge, fact: str, value: object) -> None:
    """A stream that came after the word disproves it; one that came before may have changed since."""
    (found,) = judge({fact: value}, "started").contradictions
    assert (found.fact, found.evidence) == (fact, ("o1", "o2"))
    assert not judge("started", {fact: value}).contradictions


@pytest.mark.parametrize(
    "observations",
    [
        [{"setting.share_realtime_content": "off"}, "start 13267"],
        [{"setting.share_realtime_content": "on"}, "start 13262"],
        [{"setting.share_realtime_content": "on"}, "started"],
        [{"setting.share_realtime_content": "off"}, "started without address"],
        ["started", "join 960", "stopped 18"],
        ["silent"],
    ],
)
def test_what_agrees_is_no_contradiction(judge: Judge, observations: list[object]) -> None:
    """Words that fit, and events too thin to disprove them, are left alone."""
    assert not judge(*observations).contradictions


def test_a_handshake_that_was_accepted_and_a_stop_for_authentication(judge: Judge) -> None:
    """Zoom's own words contradict each other here, and both are shown."""
    (found,) = judge("started", "join 0", "stopped 18").contradictions
    assert (found.fact, found.evidence) == ("stream.stop_reason", ("o2", "o3"))


@pytest.mark.parametrize(("believed", "contradicted"), [("free", True), ("pro", False), ("unknown", False)])
def test_a_plan_that_is_believed_and_one_that_is_shown(judge: Judge, believed: str, contradicted: bool) -> None:
    """Free against paid is a contradiction; one paid plan against another is not."""
    request = {"method": "GET", "path": "/v2/users/me"}
    licensed = {"kind": "rest", "request": request, "response": {"status": 200, "body": {"type": 2}}}
    found = judge(licensed, plan=believed).contradictions
    assert [c.fact for c in found] == (["account.plan"] if contradicted else [])
