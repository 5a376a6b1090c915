"""Installs: their states from the store alone, and refreshing, revoking and removing them."""

from datetime import timedelta
from typing import Any

import pytest

from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError, ZoomError
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.install import Callback, Installer
from rtms_audit.workflows.installs import InstallKeeper, State, list_installs
from rtms_audit.workflows.onboard import check_redirects, onboard
from rtms_audit.zoom.oauth import ProblemKind

PRODUCTION = Environment.PRODUCTION


def state(world: Any) -> tuple[State, str]:
    """Give state and reason of the production install."""
    line = next(one for one in list_installs(world.services, app=None) if one.key == world.key)
    return line.state, line.reason


def keeper(world: Any) -> InstallKeeper:
    """Make a keeper."""
    return InstallKeeper(world.services, app=None, owner="me")


def begin(world: Any) -> None:
    """Begin an install."""
    Installer(world.services).begin(
        app=None, account="dev-co", environment=PRODUCTION, redirect_uri="http://127.0.0.1/cb"
    )


def test_the_list_shows_every_state_without_asking_zoom(world: Any) -> None:
    """Unknown, pending, timed out, failed, installed, dead and revoked follow from what is stored."""
    assert state(world) == (State.UNKNOWN, "never tried")
    begin(world)
    assert state(world)[0] is State.PENDING
    world.clock.now += timedelta(minutes=11)
    assert state(world) == (State.UNKNOWN, "last try: nobody consented in time")
    begun = Installer(world.services).begin(
        app=None, account="dev-co", environment=PRODUCTION, redirect_uri="http://127.0.0.1/cb"
    )
    Installer(world.services).finish(Callback(begun.authorize_url.rpartition("state=")[2], None, "access_denied"))
    assert state(world) == (State.UNKNOWN, "last try: denied")
    grant = world.grant()
    assert state(world)[0] is State.INSTALLED
    world.store.mark_grant(grant_id=grant.id, status=GrantStatus.DEAD, reason="4735")
    assert state(world) == (State.DEAD, "4735")
    world.store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason="removed")
    assert state(world) == (State.REVOKED, "removed")
    assert world.zoom.calls == []


def test_a_refresh_gives_the_new_expiry(world: Any) -> None:
    """The tokens are replaced now."""
    grant = world.grant()
    assert keeper(world).refresh(grant) == world.clock() + timedelta(hours=1)
    assert world.store.tokens(grant_id=grant.id).access == Secret("access-1")


def test_asking_zoom_says_whether_an_install_works(world: Any) -> None:
    """A 401 is renewed once; a dead grant is told in its own words."""
    grant = world.grant()
    world.zoom.rest["/users/me"] = lambda token, _body: (401, {"code": 124}) if token == "access-0" else (200, {})
    assert keeper(world).verify(grant) == ""
    assert world.seen("rest")
    world.store.mark_grant(grant_id=grant.id, status=GrantStatus.DEAD, reason="4735")
    assert "4735" in keeper(world).verify(grant)


def test_revoking_tells_zoom_first_then_wipes(world: Any) -> None:
    """The evidence stays, the tokens do not; a second time there is nothing to do."""
    grant = world.grant()
    assert keeper(world).revoke(grant) == "revoked from here"
    assert ("revoke", "access-0") in world.zoom.calls
    marked = world.store.grant_by_id(grant.id)
    assert (marked.status, marked.has_tokens) == (GrantStatus.REVOKED, False)
    assert world.seen("oauth")[-1]["grant"] == "revoke"
    assert keeper(world).revoke(marked) == "revoked from here"


def test_a_revocation_that_zoom_did_not_take_changes_nothing(world: Any) -> None:
    """Unreachable is not revoked; a token that Zoom no longer knows is."""
    grant = world.grant()
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.TRANSIENT, status=502, reason="away")
    with pytest.raises(ZoomError, match="did not revoke"):
        keeper(world).revoke(grant)
    assert world.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.OTHER, reason="Invalid Token!")
    assert "Invalid Token!" in keeper(world).revoke(grant)


def test_removing_forgets_the_tokens_here_only(world: Any) -> None:
    """Zoom is not asked."""
    grant = world.grant()
    keeper(world).remove(grant)
    assert not world.store.grant_by_id(grant.id).has_tokens
    assert world.zoom.calls == []


def test_grants_are_found_by_account_and_environment(world: Any) -> None:
    """What was never installed is a usage error where one is asked for."""
    grant = world.grant()
    assert [one.id for one in keeper(world).grants([], None)] == [grant.id]
    assert keeper(world).newest("dev-co", PRODUCTION).id == grant.id
    with pytest.raises(UserError, match="not installed"):
        keeper(world).newest("dev-co", Environment.DEVELOPMENT)


def hosted(world: Any) -> None:
    """Register a hosted redirect address."""
    world.store.put_app(
        app="notes", environment=PRODUCTION, client_id="PRODID", client_secret=Secret("s"),
        redirect_uri="https://audit.example.com/oauth/callback",
    )  # fmt: skip


def test_onboarding_makes_links_for_what_is_missing(world: Any) -> None:
    """Who is installed is named as such; links are good for days."""
    hosted(world)
    world.store.put_account(label="new", email="n@example.com")
    world.grant()
    lines = onboard(world.services, app=None, labels=["dev-co", "new"], environments=[PRODUCTION])
    assert [(one.key, one.status) for one in lines] == [
        (world.key, "installed"), (InstallKey("new", PRODUCTION), "invited"),
    ]  # fmt: skip
    assert lines[1].link.startswith("https://zoom.example.com/oauth/authorize")
    assert lines[1].expires_at == world.clock() + timedelta(days=7)


def test_onboarding_needs_an_address_that_others_can_come_back_to(world: Any) -> None:
    """A loopback address is ours alone."""
    with pytest.raises(UserError, match="cannot come back"):
        check_redirects(world.services, app=None, environments=[PRODUCTION])
    hosted(world)
    check_redirects(world.services, app=None, environments=[PRODUCTION])
