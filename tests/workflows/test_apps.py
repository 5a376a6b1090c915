"""Apps: pairs are registered only if they can be right, and checked without a user."""

from typing import Any

import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.workflows.apps import PairState, add_app, check_app
from rtms_audit.zoom.oauth import ProblemKind


def add(world: Any, **changed: Any) -> tuple[str, ...]:
    """Add a production pair of a new app."""
    values: dict[str, Any] = {
        "app": "new", "environment": Environment.PRODUCTION, "client_id": "NEWID", "client_secret": Secret("s-1"),
    }  # fmt: skip
    return add_app(world.store, **{**values, **changed})


def test_a_pair_is_registered(world: Any) -> None:
    """A good pair raises no warning."""
    assert add(world, webhook_secret=Secret("token")) == ()
    assert world.store.credentials(app="new", environment=Environment.PRODUCTION).client_secret == Secret("s-1")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"app": " "}, "cannot be the name"),
        ({"environment": Environment.UNKNOWN}, "per environment"),
        ({"client_id": "a b"}, "not a client id"),
        ({"client_secret": Secret("")}, "client secret"),
        ({"webhook_secret": Secret("s-1")}, "are the same"),
        ({"redirect_uri": "http://audit.example.com/cb"}, "redirect address"),
    ],
)
def test_what_cannot_be_right_is_refused_and_not_stored(world: Any, changed: dict[str, Any], said: str) -> None:
    """One sentence, no secret in it, nothing half-written."""
    with pytest.raises(UserError, match=said) as caught:
        add(world, **changed)
    assert "s-1" not in str(caught.value)
    assert [app.name for app in world.store.apps()] == ["notes"]


def test_mixed_up_values_are_told_at_once(world: Any) -> None:
    """Same id, same secret, and a token that is the other environment's client secret."""
    add(world)
    warnings = add(world, environment=Environment.DEVELOPMENT, webhook_secret=None)
    assert any("same client id" in warning for warning in warnings)
    assert any("same client secret" in warning for warning in warnings)
    warnings = add(
        world, environment=Environment.DEVELOPMENT, client_id="DEV", client_secret=Secret("s-2"),
        webhook_secret=Secret("s-1"),
    )  # fmt: skip
    assert warnings == ("The development webhook secret token is also the client secret of production.",)


def test_valid_pairs_are_shown_as_such(world: Any) -> None:
    """Each check is an observation of the owner's install."""
    checked = check_app(world.services, app=None)
    assert checked.good
    assert [pair.state for pair in checked.pairs] == [PairState.VALID, PairState.VALID]
    assert [one["grant"] for one in world.seen("oauth")] == ["client_credentials"] * 2


def test_swapped_secrets_are_shown_by_trying_them(world: Any) -> None:
    """A refused id that works with the other secret proves the swap."""

    def answer(_grant: str, pair: Any, _text: str) -> Any:
        crossed = {"DEVID": "PRODID-secret", "PRODID": "DEVID-secret"}
        right = crossed[pair.client_id] == pair.client_secret.reveal()
        return None if right else world.zoom.refusal(ProblemKind.CLIENT_INVALID)

    world.zoom.answer = answer
    checked = check_app(world.services, app="notes")
    assert [pair.state for pair in checked.pairs] == [PairState.INVALID, PairState.INVALID]
    assert len(checked.warnings) == 2
    assert "the secrets of notes are swapped" in checked.warnings[0]
    assert not checked.good


@pytest.mark.parametrize(
    ("client_id", "client_secret", "webhook_secret", "said"),
    [
        ("THE-SECRET", "THE-ID", "THE-TOKEN", "client id and client secret are swapped"),
        ("THE-ID", "THE-TOKEN", "THE-SECRET", "client secret and webhook secret token are swapped"),
    ],
)
def test_values_of_one_pair_in_each_others_place_are_shown_by_trying_them(
    world: Any, client_id: str, client_secret: str, webhook_secret: str, said: str
) -> None:
    """The warning names the fields, never what stands in them."""

    def answer(_grant: str, pair: Any, text: str) -> Any:
        return None if (pair.client_id, text) == ("THE-ID", "THE-SECRET") else refused

    refused = world.zoom.refusal(ProblemKind.CLIENT_INVALID)
    world.zoom.answer = answer
    add(world, client_id=client_id, client_secret=Secret(client_secret), webhook_secret=Secret(webhook_secret))
    (warning,) = check_app(world.services, app="new").warnings
    assert said in warning
    assert "THE-" not in warning


def test_an_invalid_pair_that_is_not_swapped_is_just_invalid(world: Any) -> None:
    """No warning without proof, but a next step for each pair; a secret that could be no client id is not tried so."""
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.CLIENT_INVALID)
    checked = check_app(world.services, app="notes")
    assert checked.warnings == ()
    assert ["App Credentials, development" in checked.next_steps[0], "production" in checked.next_steps[1]] == [
        True
    ] * 2
    add(world, client_secret=Secret("two:words"))
    tried = len(world.zoom.calls)
    assert check_app(world.services, app="new").warnings == ()
    assert len(world.zoom.calls) == tried + 1


def test_a_pair_that_could_not_be_checked_is_unknown(world: Any) -> None:
    """Unknown is not no."""
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.TRANSIENT, status=503, reason="busy")
    checked = check_app(world.services, app="notes")
    assert {pair.state for pair in checked.pairs} == {PairState.UNKNOWN}
