"""Installing: every outcome of the closed set, each kept as an observation, and the wrong-account guard."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.core.secret import Secret
from rtms_audit.errors import ExitCode, UserError, ZoomError
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.install import (
    Begun,
    Callback,
    Installer,
    InstallRefusedError,
    Outcome,
    wait_for_callback,
)
from rtms_audit.zoom.oauth import ProblemKind

ME = {"id": "user-1", "email": "dev@example.com", "account_id": "zoom-1", "type": 2}


def begin(world: Any, account: str = "dev-co", **more: Any) -> tuple[Installer, Begun, str]:
    """Begin an install; give its state too."""
    installer = Installer(world.services)
    begun = installer.begin(
        app=None, account=account, environment=Environment.PRODUCTION, redirect_uri="http://127.0.0.1:1/cb", **more
    )
    return installer, begun, parse_qs(urlsplit(begun.authorize_url).query)["state"][0]


def outcomes(world: Any) -> list[Mapping[str, Any]]:
    """Give what was kept of the browser's ways back."""
    return [one["response"]["body"] for one in world.seen("oauth") if one.get("step") == "redirect"]


def test_an_install_ends_with_a_grant_and_leaves_its_evidence(world: Any) -> None:
    """Code, exchange, /users/me and outcome are observations; the grant is bound to who signed in."""
    world.zoom.rest["/users/me"] = (200, ME)
    installer, begun, state = begin(world)
    assert "client_id=PRODID" in begun.authorize_url
    finished = installer.finish(Callback.of({"state": state, "code": "the-code"}))
    assert (finished.outcome, finished.http_status) == (Outcome.INSTALLED, 200)
    grant = world.store.grant(app="notes", environment=Environment.PRODUCTION, account="dev-co")
    assert (grant.user_id, grant.email, grant.zoom_account_id) == ("user-1", "dev@example.com", "zoom-1")
    steps = [one.get("step") or one["grant"] for one in world.seen("oauth")]
    assert steps == ["authorize", "authorization_code", "redirect"]
    assert world.seen("rest")[0]["request"]["path"] == "/v2/users/me"
    assert "the-code" not in str(world.seen())
    assert state not in str(world.seen())


def test_a_denied_consent_stores_nothing(world: Any) -> None:
    """The browser came back with an error instead of a code."""
    installer, _, state = begin(world)
    finished = installer.finish(Callback.of({"state": state, "error": "access_denied"}))
    assert finished.outcome is Outcome.DENIED
    assert "access_denied" in finished.message
    assert world.store.grants() == ()
    assert outcomes(world)[0]["outcome"] == "denied"


def test_a_foreign_state_is_refused_and_kept_without_an_install(world: Any) -> None:
    """A callback that nobody began here is evidence of something odd, and changes nothing."""
    finished = Installer(world.services).finish(Callback.of({"state": "foreign", "code": "c"}))
    assert (finished.outcome, finished.key) == (Outcome.STATE_UNKNOWN, None)
    assert finished.next_step == "Begin again: rtms-audit install ACCOUNT --environment ENV"
    assert world.zoom.calls == []
    assert outcomes(world)[0]["outcome"] == "state-unknown"


def test_a_callback_without_state_is_foreign_too(world: Any) -> None:
    """State is never optional."""
    assert Installer(world.services).finish(Callback.of({"code": "c"})).outcome is Outcome.STATE_UNKNOWN


def test_a_state_counts_once(world: Any) -> None:
    """A replayed callback is refused, and does not reach Zoom."""
    world.zoom.rest["/users/me"] = (200, ME)
    installer, _, state = begin(world)
    installer.finish(Callback.of({"state": state, "code": "c"}))
    calls = len(world.zoom.calls)
    assert installer.finish(Callback.of({"state": state, "code": "c"})).outcome is Outcome.STATE_USED
    assert len(world.zoom.calls) == calls


def test_a_late_callback_is_refused(world: Any) -> None:
    """After ten minutes a state is worth nothing."""
    installer, _, state = begin(world)
    world.clock.now += timedelta(minutes=11)
    assert installer.finish(Callback.of({"state": state, "code": "c"})).outcome is Outcome.STATE_EXPIRED


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (ProblemKind.CLIENT_INVALID, Outcome.CLIENT_REFUSED),
        (ProblemKind.CODE_REFUSED, Outcome.CODE_REFUSED),
        (ProblemKind.OTHER, Outcome.CODE_REFUSED),
    ],
)
def test_a_refused_exchange_says_what_was_refused(world: Any, kind: ProblemKind, outcome: Outcome) -> None:
    """Zoom's reason stands in the message; the exchange and the outcome are kept, no grant is."""
    world.zoom.answer = lambda *_: world.zoom.refusal(kind, reason="Zoom's words")
    installer, _, state = begin(world)
    finished = installer.finish(Callback.of({"state": state, "code": "c"}))
    assert finished.outcome is outcome
    assert "Zoom's words" in finished.message
    assert world.store.grants() == ()
    assert [one.get("grant") for one in world.seen("oauth")].count("authorization_code") == 1


def test_an_unreachable_token_address_is_no_outcome_but_an_error(world: Any) -> None:
    """Whether it was refused is not known; begin again."""
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.TRANSIENT, status=502, reason="<html>")
    installer, _, state = begin(world)
    with pytest.raises(ZoomError, match="did not answer properly"):
        installer.finish(Callback.of({"state": state, "code": "c"}))
    assert world.store.grants() == ()


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"email": "other@example.com"}, "dev-co is other@example.com"),
        ({"account_id": "zoom-9"}, "dev-co is Zoom account zoom-9"),
    ],
)
def test_the_wrong_account_is_named_and_its_token_given_back(world: Any, expected: dict[str, str], said: str) -> None:
    """Nothing of the other account is stored, not even its profile."""
    world.store.put_account(label="dev-co", **expected)
    world.zoom.rest["/users/me"] = (200, ME)
    installer, _, state = begin(world)
    finished = installer.finish(Callback.of({"state": state, "code": "c"}))
    assert (finished.outcome, finished.http_status) == (Outcome.WRONG_ACCOUNT, 409)
    assert "signed in to dev@example.com (Zoom account zoom-1)" in finished.message
    assert said in finished.message
    assert world.store.grants() == ()
    assert ("revoke", "access-1") in world.zoom.calls
    assert world.seen("rest") == []


def test_an_e_mail_address_may_differ_in_case(world: Any) -> None:
    """Zoom writes addresses in its own case."""
    world.store.put_account(label="dev-co", email="DEV@Example.com")
    world.zoom.rest["/users/me"] = (200, ME)
    installer, _, state = begin(world)
    assert installer.finish(Callback.of({"state": state, "code": "c"})).outcome is Outcome.INSTALLED


def test_an_account_that_is_known_under_another_label_is_refused(world: Any) -> None:
    """A browser that is still signed in to another audited account must not end up under this label."""
    world.store.put_account(label="other")
    world.grant(key=InstallKey("other", Environment.PRODUCTION), zoom_account_id="zoom-1")
    world.zoom.rest["/users/me"] = (200, ME)
    installer, _, state = begin(world)
    finished = installer.finish(Callback.of({"state": state, "code": "c"}))
    assert finished.outcome is Outcome.WRONG_ACCOUNT
    assert "already known here as other" in finished.message
    assert "The install other/production is that user's, and may have been superseded" in finished.message
    assert "rtms-audit installs refresh other. Then sign out of Zoom" in finished.next_step
    assert finished.next_step.endswith("begin again: rtms-audit install dev-co --environment production")


def test_an_install_of_somebody_else_is_not_said_to_be_superseded(world: Any) -> None:
    """Another user of the same account, or an install that ended, lost nothing by this consent."""
    world.store.put_account(label="dev-co", email="other@example.com")
    world.grant(key=InstallKey("dev-co", Environment.PRODUCTION), user_id="user-2", zoom_account_id="zoom-1")
    world.zoom.rest["/users/me"] = (200, ME)
    installer, _, state = begin(world)
    finished = installer.finish(Callback.of({"state": state, "code": "c"}))
    assert finished.outcome is Outcome.WRONG_ACCOUNT
    assert "superseded" not in finished.message
    assert finished.next_step.startswith("Sign out of Zoom")


def test_a_label_stays_with_the_account_it_was_first_installed_from(world: Any) -> None:
    """Without expectations the first install binds the label."""
    world.grant(zoom_account_id="zoom-7")
    world.zoom.rest["/users/me"] = (200, ME)
    installer, _, state = begin(world)
    finished = installer.finish(Callback.of({"state": state, "code": "c"}))
    assert "was installed from Zoom account zoom-7" in finished.message


@pytest.mark.parametrize("answer", [(400, {"code": 4711, "message": "lacks scopes"}), (None, None), (200, [1])])
def test_whoever_cannot_be_identified_is_not_stored(world: Any, answer: Any) -> None:
    """A token whose owner Zoom will not name is given back."""
    world.zoom.rest["/users/me"] = answer
    installer, _, state = begin(world)
    with pytest.raises(ZoomError, match="would not say whose it is"):
        installer.finish(Callback.of({"state": state, "code": "c"}))
    assert world.store.grants() == ()
    assert ("revoke", "access-1") in world.zoom.calls


def test_installing_again_appends_and_supersedes(world: Any) -> None:
    """History stays."""
    world.zoom.rest["/users/me"] = (200, ME)
    for _ in range(2):
        installer, _, state = begin(world)
        installer.finish(Callback.of({"state": state, "code": "c"}))
    assert [grant.status for grant in world.store.grants()] == [GrantStatus.SUPERSEDED, GrantStatus.ACTIVE]


def test_nobody_came_is_an_outcome_too(world: Any) -> None:
    """A time-out is recorded against the install that was begun."""
    installer, begun, _ = begin(world)
    assert installer.time_out(begun).outcome is Outcome.TIMED_OUT
    assert outcomes(world)[0]["outcome"] == "timed-out"
    assert all("status" not in one["response"] for one in world.seen("oauth") if one.get("step") == "redirect")


def test_a_callback_that_serve_received_ends_the_wait(world: Any) -> None:
    """With a hosted redirect address the command learns the outcome from the store."""
    world.zoom.rest["/users/me"] = (200, ME)
    installer, begun, state = begin(world)

    def nap(seconds: float) -> None:
        world.clock.sleep(seconds)
        installer.finish(Callback.of({"state": state, "code": "c"}))

    object.__setattr__(world.services, "sleep", nap)
    finished = wait_for_callback(installer, begun, world.services, timeout=30)
    assert finished.outcome is Outcome.INSTALLED
    assert finished.grant is not None


def test_a_wait_for_serve_times_out(world: Any) -> None:
    """Nobody came to the hosted address."""
    installer, begun, _ = begin(world)
    assert wait_for_callback(installer, begun, world.services, timeout=2).outcome is Outcome.TIMED_OUT


def test_an_unknown_account_or_missing_pair_begins_nothing(world: Any) -> None:
    """Each is one sentence that names what is known."""
    with pytest.raises(UserError, match="no account 'nobody'"):
        begin(world, account="nobody")
    world.store.put_app(app="half", environment=Environment.DEVELOPMENT, client_id="X", client_secret=Secret("y"))
    with pytest.raises(UserError, match="no production credentials"):
        Installer(world.services).begin(
            app="half", account="dev-co", environment=Environment.PRODUCTION, redirect_uri="https://example.com/cb"
        )


def test_the_exit_code_says_whose_fault_it_is() -> None:
    """A wrong account is for the caller to mend; a denied consent is missing evidence."""
    from rtms_audit.workflows.install import Finished

    wrong = InstallRefusedError(Finished(Outcome.WRONG_ACCOUNT, None, "m", "n"))
    denied = InstallRefusedError(Finished(Outcome.DENIED, None, "m", "n"))
    assert (wrong.exit_code, denied.exit_code) == (ExitCode.USAGE, ExitCode.INCOMPLETE)
