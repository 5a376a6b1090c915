"""What a failed refresh means: for the grant, the list of installs and the diagnosis. Nothing is ever deleted."""

from typing import Any

import pytest

from rtms_audit.core.diagnosis import diagnose_case
from rtms_audit.core.model import Environment
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.installs import InstallKeeper, State, list_installs
from rtms_audit.workflows.refusals import GrantEndedError, RefreshFailedError

HTML = "<html><body>Sorry, something went wrong</body></html>"


def refused(reason: str, error: str = "invalid_grant", status: int = 400) -> dict[str, object]:
    """Give an answer of Zoom's token address."""
    return {"answer": {"status": status, "body": {"reason": reason, "error": error}}}


def numbered(code: int) -> dict[str, object]:
    """Give an answer that names one of Zoom's OAuth codes in its reason."""
    return refused(f"Invalid token ({code})")


MEANINGS: list[Any] = [
    # the answer, the install afterwards, a word of its reason or of the error, the remedy, the cause diagnosed
    pytest.param(refused("Invalid Token!"), State.DEAD, "invalid_grant", "Install again", "token-dead", id="dead"),
    pytest.param(refused("Invalid Token!", "invalid_request"), State.DEAD, "refresh token", "Install again",
                 "token-dead", id="dead-2021"),
    pytest.param(numbered(4735), State.DEAD, "user who installed was removed", "another user", "token-dead", id="4735"),
    pytest.param(numbered(4737), State.DEAD, "no authorization", "Install again", "token-dead", id="4737"),
    pytest.param(numbered(4738), State.DEAD, "withdrew the approval", "administrator", "token-dead", id="4738"),
    pytest.param(numbered(4740), State.DEAD, "used before", "Install again", "token-dead", id="4740"),
    pytest.param(numbered(4741), State.DEAD, "later authorization", "Install again", "token-dead", id="4741"),
    pytest.param(numbered(4717), State.DEAD, "disabled the app", "Ask Zoom", "app-disabled", id="4717"),
    pytest.param(refused("Invalid client_id or client_secret", "invalid_client"), State.INSTALLED, "id and secret",
                 "app check", "client-invalid", id="invalid-client"),
    pytest.param({"answer": {"status": 429, "body": {"code": 429, "message": "busy"}}}, State.INSTALLED, "busy",
                 "few minutes", None, id="429"),
    pytest.param({"answer": {"status": 503, "body": HTML}}, State.INSTALLED, "503", "few minutes", None, id="503"),
    pytest.param({"answer": {"status": 200, "body": HTML}}, State.INSTALLED, "200", "few minutes", None, id="html"),
    pytest.param({"drop": True}, State.INSTALLED, "did not answer properly", "few minutes", None, id="dropped"),
    pytest.param(refused("Odd", "odd_error"), State.INSTALLED, "Odd", "codes", None, id="unknown"),
]  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("fault", "state", "said", "remedy", "cause"), MEANINGS)
def test_a_failed_refresh_means_what_zoom_said_and_no_more(
    stage: Any, fault: dict[str, object], state: State, said: str, remedy: str, cause: str | None
) -> None:
    """The state of the grant, the line of the list, the error's next step and the diagnosed cause agree."""
    grant = stage.install()
    stage.zoom.control("/faults", {"match": {"path": "/token"}, **fault})
    with pytest.raises((GrantEndedError, RefreshFailedError)) as caught:
        stage.keeper(back_off=()).refresh(grant)
    assert isinstance(caught.value, GrantEndedError) == (state is State.DEAD)
    assert said in caught.value.message
    assert remedy in (caught.value.next_step or "")
    line = list_installs(stage.services, app=None)[0]
    assert (line.state, said in line.reason) == (state, state is State.DEAD)
    assert line.refreshed_at is not None
    diagnosed = diagnose_case(stage.store.case(app="notes"))[0]
    causes = [one.id for one in diagnosed.causes]
    assert (causes[:1] == [cause]) if cause else ("token-dead" not in causes and "client-invalid" not in causes)
    kept = stage.store.grant_by_id(grant.id)
    assert kept.has_tokens
    assert stage.store.tokens(grant_id=grant.id).refresh is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_grant_marked_dead_comes_back_when_zoom_takes_it_again(stage: Any) -> None:
    """An app that Zoom enables again needs no new install: the tokens were kept."""
    grant = stage.install()
    stage.zoom.control("/apps/notes", {"status": "disabled"})
    keeper = InstallKeeper(stage.services, app=None, owner="me")
    with pytest.raises(GrantEndedError, match="4717"):
        keeper.refresh(grant)
    stage.zoom.control("/apps/notes", {"status": "active"})
    keeper.refresh(grant)
    assert stage.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_quiet_429_is_no_interrupted_refresh(stage: Any) -> None:
    """Zoom did not carry the call out, so that a dead token later on is not blamed on it."""
    grant = stage.install()
    stage.zoom.trouble(answer={"status": 429, "body": {"code": 429, "message": "busy"}})
    with pytest.raises(RefreshFailedError):
        stage.keeper(back_off=()).refresh(grant)
    stage.zoom.trouble(**refused("Invalid Token!"))
    with pytest.raises(GrantEndedError) as caught:
        stage.keeper().refresh(grant)
    assert "interrupted" not in caught.value.message


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_removed_app_is_listed_with_the_time_and_installing_again_appends(stage: Any) -> None:
    """History stays: both grants are there, the newer one counts."""
    first = stage.install()
    keeper = InstallKeeper(stage.services, app=None, owner="me")
    keeper.revoke(first)
    line = list_installs(stage.services, app=None)[0]
    assert (line.state, line.reason) == (State.REVOKED, "revoked from here")
    assert not stage.store.grant_by_id(first.id).has_tokens
    second = stage.install()
    assert [grant.id for grant in stage.store.grants()] == [first.id, second.id]
    assert list_installs(stage.services, app=None)[0].state is State.INSTALLED
    assert keeper.newest("customer", Environment.PRODUCTION).id == second.id
