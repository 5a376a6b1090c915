"""Collecting: every answer and every refusal is kept, and one account's failure stops no other."""

from typing import Any

import pytest

from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.collect import Collector, Round
from rtms_audit.zoom.oauth import ProblemKind

PRODUCTION = Environment.PRODUCTION


def collect(world: Any, **more: Any) -> Round:
    """Run the collector once."""
    return Collector(world.services, app=world.store.app("notes"), owner="me").run(**more)


def test_every_call_of_the_user_becomes_an_observation(world: Any) -> None:
    """Refusals too, with Zoom's code; the summary counts both."""
    world.grant(scopes=("user:read:user",))
    world.zoom.rest["/users/me/settings"] = (400, {"code": 4711, "message": "lacks scopes:[user:read:settings]"})
    world.zoom.rest["/users/me/permissions"] = (None, None)
    done = collect(world, environment=PRODUCTION).installs[0]
    paths = [one["request"]["path"] for one in world.seen("rest")]
    assert "/v2/users/me" in paths
    assert "/v2/marketplace/apps/APPID" in paths
    assert "/v2/marketplace/apps/APPID/webhook_logs" in paths, "the owner's own log"
    assert [one.problem for one in done.refused] == [
        "HTTP 400, code 4711: lacks scopes:[user:read:settings]",
    ]  # fmt: skip
    assert [one.problem for one in done.unanswered] == ["not reached: ConnectTimeout: timed out"]
    assert done.answered == len(done.asked) - 2
    assert any("the grant lacks" in text for text in done.missing)
    assert any("no auditor connection" in text for text in done.missing)


def test_a_200_that_is_an_error_is_a_refusal(world: Any) -> None:
    """Zoom hides `paid accounts only` behind HTTP 200."""
    world.grant()
    world.zoom.rest["/users/me/settings"] = (200, {"code": 200, "message": "Only available for paid accounts."})
    refused = collect(world, environment=PRODUCTION).installs[0].refused
    assert refused[0].problem == "HTTP 200, code 200: Only available for paid accounts."


def test_an_auditor_is_asked_once_for_both_environments(world: Any) -> None:
    """What concerns the account is asked once, and kept for each of its installs."""
    world.grant()
    world.grant(key=InstallKey("dev-co", Environment.DEVELOPMENT))
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")
    done = collect(world)
    called = [name for name, _ in world.zoom.calls]
    assert called.count("GET /accounts/me/plans/usage") == 1
    assert called.count("GET /marketplace/apps/APPID/webhook_logs") == 1
    kept = [one["request"]["path"] for one in world.seen("rest")]
    assert kept.count("/v2/accounts/me/plans/usage") == 2
    assert done.complete


def test_a_dead_grant_stops_only_its_own_round(world: Any) -> None:
    """The other account is collected all the same, and the run is told to be incomplete."""
    world.store.put_account(label="other")
    dead = world.grant()
    world.store.mark_grant(grant_id=dead.id, status=GrantStatus.DEAD, reason="4735")
    world.grant(key=InstallKey("other", PRODUCTION), user_id="u2", zoom_account_id="z2")
    done = collect(world, environment=PRODUCTION)
    assert not done.complete
    assert [bool(one.failure) for one in done.installs] == [True, False]
    assert "4735" in done.installs[0].failure


def test_a_refresh_that_fails_is_told_and_the_auditor_still_asked(world: Any) -> None:
    """Evidence of the account does not hang on the user's token."""
    world.grant(expires_in=0)
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")
    world.zoom.answer = lambda grant, *_: (
        world.zoom.refusal(ProblemKind.GRANT_DEAD) if grant == "refresh_token" else None
    )
    done = collect(world, environment=PRODUCTION).installs[0]
    assert "works no longer" in done.failure
    assert any(asked.call == "plan-usage" for asked in done.asked)


def test_a_refused_auditor_is_missing_not_fatal(world: Any) -> None:
    """The user's calls stand."""
    world.grant()
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.CLIENT_INVALID)
    done = collect(world, environment=PRODUCTION).installs[0]
    assert not done.failure
    assert any("auditor connection of dev-co" in text for text in done.missing)


def test_a_refused_token_is_renewed_once_in_the_middle(world: Any) -> None:
    """401 leads to one refresh for the user, and to one new token for the auditor."""
    world.grant()
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")

    def expired(token: str, _body: object) -> tuple[int, object]:
        return (401, {"code": 124, "message": "expired"}) if token in ("access-0", "access-2") else (200, {})

    world.zoom.rest["/users/me"] = expired
    world.zoom.rest["/users/summary"] = expired
    done = collect(world, environment=PRODUCTION).installs[0]
    assert not done.refused
    assert [grant for grant, _ in world.zoom.calls if grant == "refresh_token"] == ["refresh_token"]
    assert [grant for grant, _ in world.zoom.calls if grant == "account_credentials"] == ["account_credentials"] * 2


def test_accounts_that_are_not_installed_are_named(world: Any) -> None:
    """Nothing is asked for them."""
    done = collect(world)
    assert done.not_installed == (
        InstallKey("dev-co", Environment.DEVELOPMENT), InstallKey("dev-co", PRODUCTION),
    )  # fmt: skip
    assert world.zoom.calls == []


def test_a_missing_app_id_is_named_and_its_calls_left_out(world: Any) -> None:
    """The next step is in the sentence."""
    world.store.put_app(app="bare", environment=PRODUCTION, client_id="B", client_secret=Secret("s"))
    world.store.add_grant(
        app="bare", environment=PRODUCTION, account="dev-co", client_id="B", user_id=None, email=None,
        zoom_account_id=None, scopes=(), api_url=None, tokens=world.store.tokens(grant_id=world.grant().id),
    )  # fmt: skip
    done = Collector(world.services, app=world.store.app("bare"), owner="me").run(environment=PRODUCTION)
    assert any("--app-id" in text for text in done.installs[0].missing)


def test_an_unknown_account_is_a_usage_error(world: Any) -> None:
    """The known ones are named."""
    with pytest.raises(UserError, match="no account 'x'"):
        collect(world, accounts=["x"])


@pytest.mark.parametrize(("said", "whose"), [("zoom-2", "zoom-2"), (None, "zoom-1")])
def test_an_auditor_of_another_account_is_not_asked(world: Any, said: str | None, whose: str) -> None:
    """Its answers would be another account's plan: one sentence says so, and nothing of it is kept."""
    world.grant()
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-9")
    world.zoom.rest["/users/me"] = (200, {"account_id": said} if said else {})
    done = collect(world, environment=PRODUCTION).installs[0]
    assert any(f"connection is of Zoom account zoom-9, the install of {whose}:" in text for text in done.missing)
    assert not any("plans/usage" in name or name == "account_credentials" for name, _ in world.zoom.calls)
    assert not any("plans/usage" in one["request"]["path"] for one in world.seen("rest"))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (None, None, "not reached: ConnectTimeout: timed out"),
        (200, b"<html>Sign in</html>", "an HTML page came; is a proxy or login page in between?"),
        (407, b"<html>Sign in</html>", "an HTML page came; is a proxy or login page in between?"),
        (200, b"welcome", "text that is not JSON came; is a proxy or login page in between?"),
    ],
)
def test_what_zoom_itself_did_not_answer_is_neither_answer_nor_refusal(
    world: Any, status: int | None, body: bytes | None, said: str
) -> None:
    """The run is incomplete and says why; nothing of it is called Zoom's word."""
    world.grant()
    for path in ("/users/me", "/users/me/settings"):
        world.zoom.rest[path] = (status, body)
    done = collect(world, environment=PRODUCTION)
    (one,) = done.installs
    assert (one.refused, one.answered, len(one.unanswered)) == ((), len(one.asked) - 2, 2)
    assert one.silence == f"2 of {len(one.asked)} calls: {said}"
    assert not done.complete


def test_the_installs_to_ask_are_counted_as_they_are_asked(world: Any) -> None:
    """What is not installed does not count."""
    world.store.put_account(label="other")
    world.grant()
    collector = Collector(world.services, app=world.store.app("notes"), owner="me")
    assert (collector.count(), collector.count(accounts=["other"])) == (1, 0)
