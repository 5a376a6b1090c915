"""Callbacks that race, come back, come late or come to the wrong place: one is accepted, and every other is kept."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import GrantStatus
from rtms_audit.store.store import open_store
from rtms_audit.workflows.install import Begun, Callback, Installer, Outcome
from rtms_audit.workflows.services import live_services

ROUNDS, CALLBACKS = 60, 8


def begin(stage: Any, environment: Environment = Environment.PRODUCTION) -> Begun:
    """Begin an install of the one account."""
    return Installer(stage.services).begin(
        app=None, account="customer", environment=environment, redirect_uri="http://127.0.0.1/cb"
    )


def way_back(stage: Any, begun: Begun) -> dict[str, str]:
    """Let the account's user consent; give what the browser brings back."""
    query: dict[str, str] = stage.zoom.way_back(begun.authorize_url, "customer")
    return query


def kept(stage: Any) -> Counter[str]:
    """Count the outcomes that were kept as observations."""
    seen = [one.fields for one in stage.store.observations(app="notes") if one.fields.get("step") == "redirect"]
    return Counter(one["response"]["body"]["outcome"] for one in seen)


def test_of_eight_callbacks_with_one_state_one_is_accepted_in_each_of_sixty_rounds(stage: Any) -> None:
    """Each callback comes to a store of its own, as to a process of its own; Zoom is asked once a round."""
    stores = [open_store(stage.database, key=KeySource(file=stage.key), clock=stage.clock) for _ in range(CALLBACKS)]
    installers = [Installer(live_services(store, stage.settings, clock=stage.clock)) for store in stores]
    gate = threading.Barrier(CALLBACKS)

    def come_back(installer: Installer, callback: Callback) -> Outcome:
        gate.wait()
        return installer.finish(callback).outcome

    with ThreadPoolExecutor(CALLBACKS) as pool:
        for _ in range(ROUNDS):
            callback = Callback.of(way_back(stage, begin(stage)))
            outcomes = Counter(pool.map(come_back, installers, [callback] * CALLBACKS))
            assert outcomes == {Outcome.INSTALLED: 1, Outcome.STATE_USED: CALLBACKS - 1}
    for store in stores:
        store.close()
    assert stage.zoom.calls("authorization_code") == ROUNDS
    assert kept(stage) == {"installed": ROUNDS, "state-used": ROUNDS * (CALLBACKS - 1)}
    assert [grant.status for grant in stage.store.grants()].count(GrantStatus.ACTIVE) == 1


def test_callbacks_that_do_not_belong_here_are_refused_and_kept(stage: Any) -> None:
    """Foreign, replayed and late ones never reach Zoom."""
    installer = Installer(stage.services)
    assert installer.finish(Callback.of({"state": "of-somebody-else", "code": "c"})).outcome is Outcome.STATE_UNKNOWN
    query = way_back(stage, begin(stage))
    assert installer.finish(Callback.of(query)).outcome is Outcome.INSTALLED
    assert installer.finish(Callback.of(query)).outcome is Outcome.STATE_USED
    late = way_back(stage, begin(stage))
    stage.clock.shift += 601
    assert installer.finish(Callback.of(late)).outcome is Outcome.STATE_EXPIRED
    assert stage.zoom.calls("authorization_code") == 1
    assert kept(stage) == {"state-unknown": 1, "installed": 1, "state-used": 1, "state-expired": 1}


def test_a_code_of_the_other_environment_is_refused(stage: Any) -> None:
    """The state says which pair the code must be meant for; nothing ends up under the wrong environment."""
    pair = stage.zoom.ready["apps"][0]["environments"]["development"]
    stage.store.put_app(
        app="notes", environment=Environment.DEVELOPMENT, client_id=pair["client_id"],
        client_secret=Secret(pair["client_secret"]),
    )  # fmt: skip
    stage.zoom.control("/apps/notes", {"environments": {"development": {"distribution": "beta"}}})
    production = way_back(stage, begin(stage))
    development = way_back(stage, begin(stage, Environment.DEVELOPMENT))
    crossed = Callback.of({"state": production["state"], "code": development["code"]})
    finished = Installer(stage.services).finish(crossed)
    assert (finished.outcome, str(finished.key)) == (Outcome.CODE_REFUSED, "customer/production")
    assert stage.store.grants() == ()
    assert kept(stage) == {"code-refused": 1}


def test_a_code_of_another_install_of_the_same_pair_is_refused(stage: Any) -> None:
    """The PKCE verifier belongs to the state: a code that was asked for under another one is worth nothing."""
    mine, other = way_back(stage, begin(stage)), way_back(stage, begin(stage))
    crossed = Callback.of({"state": mine["state"], "code": other["code"]})
    assert Installer(stage.services).finish(crossed).outcome is Outcome.CODE_REFUSED
    assert stage.store.grants() == ()


def test_a_pair_that_was_replaced_meanwhile_is_not_used_for_an_older_state(stage: Any, tmp_path: Path) -> None:
    """A state is bound to its client id: the code is not sent to Zoom with another one's secret."""
    query = way_back(stage, begin(stage))
    stage.store.put_app(
        app="notes", environment=Environment.PRODUCTION, client_id="ANOTHER", client_secret=Secret("another-secret")
    )
    finished = Installer(stage.services).finish(Callback.of(query))
    assert finished.outcome is Outcome.CLIENT_REFUSED
    assert "another client id" in finished.message
    assert stage.zoom.requests() == 0
    assert kept(stage) == {"client-refused": 1}
