"""One grant, many processes, and refreshers that are killed or put to sleep.

Never two token calls, never a grant lost in silence. `KILLS=50 make test` kills fifty times at each
step; without it there are ten, and a fifth as many on PostgreSQL, where each takes longer.
"""

import hashlib
import os
import signal
from datetime import timedelta
from typing import Any

import pytest

from rtms_audit.core.secret import Secret
from rtms_audit.store.records import GrantRecord, GrantStatus
from rtms_audit.workflows.installs import State, list_installs
from rtms_audit.workflows.refusals import GrantEndedError
from rtms_audit.workflows.tokens import Step

DEFAULT_KILLS = 10
KILLS = int(os.environ.get("KILLS", DEFAULT_KILLS))
POSTGRES_SHARE = 5
"""Of so many kills on SQLite one is done on PostgreSQL, where each takes twice as long."""
ROUND = 60
"""Seconds by which the clock moves on with each killed caller, so that nobody has to wait for its lease to run out."""


def digest(token: Secret) -> str:
    """Name a token as the callers do."""
    return hashlib.sha256(token.reveal().encode()).hexdigest()


@pytest.mark.parametrize(
    ("rotation", "fault", "carried_out"),
    [
        ("strict", {}, 1),
        ("strict", {"delay_ms": 800}, 1),
        ("strict", {"drop": True}, 1),
        ("strict", {"answer": {"status": 503, "body": "<html>busy</html>"}}, 1),
        ("grace", {"lose": True}, 2),
        ("grace", {"twice": True}, 2),
    ],
    ids=["calm", "delayed", "dropped", "busy", "answer-lost", "answered-twice"],
)
def test_sixty_four_callers_of_one_expired_grant_make_one_token_call(
    stage: Any, rotation: str, fault: dict[str, object], carried_out: int
) -> None:
    """Nobody fails, all get the one pair that is stored, Zoom takes it; only Zoom's own trouble makes a second call."""
    stage.zoom.control("/settings", {"refresh_rotation": rotation})
    grant = stage.expired()
    if fault:
        stage.zoom.trouble(**fault)
    answers = stage.race(grant_id=grant.id)
    assert {answer.get("error") for answer in answers} == {None}
    stored = stage.store.tokens(grant_id=grant.id)
    assert {answer["token"] for answer in answers} == {digest(stored.access)}
    assert stage.zoom.calls() == carried_out
    assert stage.zoom.works(stored.access)
    assert stage.zoom.works(stage.keeper().refresh(grant).access), "the refresh token is the newest, too"
    assert stage.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_an_answer_lost_in_strict_rotation_is_told_to_all_sixty_four_alike(stage: Any) -> None:
    """Nothing can save that grant: two calls, one reason, the remedy in the list of installs."""
    grant = stage.expired()
    stage.zoom.trouble(lose=True)
    answers = stage.race(grant_id=grant.id)
    assert all("earlier refresh was interrupted" in answer["error"] for answer in answers)
    assert stage.zoom.requests() - 1 == 2, "the install, the refresh, its repetition"
    assert list_installs(stage.services, app=None)[0].state is State.DEAD


def test_an_outage_is_shared_instead_of_multiplied(stage: Any) -> None:
    """While Zoom is away the callers that wait share one failure; the grant is as it was, and works afterwards."""
    grant = stage.expired()
    before = stage.zoom.requests()
    stage.zoom.control("/faults", {"match": {"path": "/token"}, "answer": {"status": 502, "body": "<html>"}})
    answers = stage.race(grant_id=grant.id)
    assert all(answer["error"].startswith("RefreshFailedError") for answer in answers)
    assert stage.zoom.requests() - before < 10, "not 64 times three"
    assert stage.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_sixty_four_callers_of_one_auditor_make_one_token_call(stage: Any) -> None:
    """Server-to-Server tokens go the same way; a dropped call is repeated."""
    auditor = next(one["auditor"] for one in stage.zoom.ready["accounts"] if one["label"] == "customer")
    stage.store.put_auditor(
        account="customer", client_id=auditor["client_id"], client_secret=Secret(auditor["client_secret"]),
        zoom_account_id=auditor["account_id"],
    )  # fmt: skip
    stage.zoom.trouble(drop=True)
    answers = stage.race(auditor="customer")
    assert len({answer["token"] for answer in answers}) == 1
    assert stage.zoom.calls("account_credentials") == 1


def kill_and_succeed(stage: Any, grant: GrantRecord, step: Step) -> Secret | GrantEndedError:
    """Kill a refresher at a step; give what its successor gets, or what it is told."""
    stage.order(grant_id=grant.id, force=True, die_at=step)
    assert [one["killed"] for one in stage.report()] == [signal.SIGKILL]
    stage.clock.shift += ROUND
    try:
        found: Secret = stage.keeper().refresh(grant).access
    except GrantEndedError as error:
        return error
    return found


@pytest.mark.parametrize("rotation", ["strict", "grace"])
@pytest.mark.parametrize("step", list(Step))
def test_a_killed_refresher_loses_no_grant_in_silence(stage: Any, rotation: str, step: Step) -> None:
    """The successor gets tokens that work, or the grant is marked with what happened, and what to do."""
    stage.zoom.control("/settings", {"refresh_rotation": rotation, "grace_s": 3600})
    unsaveable = rotation == "strict" and step in (Step.AFTER_ANSWER, Step.BEFORE_SAVE)
    grant, lost = stage.install(), 0
    kills = KILLS if stage.database.startswith("sqlite") else KILLS // POSTGRES_SHARE
    for _ in range(kills):
        found = kill_and_succeed(stage, grant, step)
        line = list_installs(stage.services, app=None)[0]
        if isinstance(found, Secret):
            assert stage.zoom.works(found)
            assert line.state is State.INSTALLED
        else:
            lost += 1
            assert line.state is State.DEAD
            assert "an earlier refresh was interrupted at " in line.reason
            assert found.next_step == "Install again: rtms-audit install customer --environment production"
            grant = stage.install()
    assert lost == (kills if unsaveable else 0)


@pytest.mark.parametrize("rotation", ["strict", "grace"])
@pytest.mark.parametrize("step", [Step.AFTER_ANSWER, Step.BEFORE_SAVE, Step.AFTER_SAVE, Step.BEFORE_RELEASE])
def test_a_holder_that_slept_through_its_lease_harms_nothing(stage: Any, rotation: str, step: Step) -> None:
    """Its successor's pair stays; where only the sleeper has one, that is saved; its release frees nobody's lease."""
    stage.zoom.control("/settings", {"refresh_rotation": rotation, "grace_s": 3600})
    grant = stage.install()
    stage.order(grant_id=grant.id, force=True, sleep_at=step)
    asleep = stage.report()["asleep"]
    stage.clock.shift += ROUND
    only_sleeper_has_it = rotation == "strict" and step in (Step.AFTER_ANSWER, Step.BEFORE_SAVE)
    if only_sleeper_has_it:
        with pytest.raises(GrantEndedError, match="earlier refresh was interrupted"):
            stage.keeper().refresh(grant)
    else:
        stage.keeper().refresh(grant)
    successor = stage.store.tokens(grant_id=grant.id)
    held = stage.store.acquire_lease(name=f"refresh:{grant.id}", owner="next", ttl=timedelta(seconds=ROUND))
    os.kill(asleep, signal.SIGCONT)
    assert "token" in stage.report()[0]["answers"][0]
    after = stage.store.tokens(grant_id=grant.id)
    assert (after.version > successor.version) == only_sleeper_has_it
    assert stage.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE
    assert held is not None
    assert stage.store.acquire_lease(name=held.name, owner="another", ttl=timedelta(1)) is None
    assert stage.store.release_lease(held)
    assert stage.zoom.works(stage.keeper().refresh(grant).access)
