"""One grant, many processes, and refreshers that are killed or put to sleep.

Never two token calls, never a grant lost in silence. `KILLS=n make test` kills n times at each step.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.sandbox.server import Sandbox, load_scenario
from rtms_audit.settings import Settings, sqlite_url
from rtms_audit.store import schema
from rtms_audit.store.keys import KeySource
from rtms_audit.store.records import GrantRecord, GrantStatus, TokenPair
from rtms_audit.store.store import Store, open_store
from rtms_audit.workflows.install import Callback, Installer
from rtms_audit.workflows.installs import State, list_installs
from rtms_audit.workflows.refusals import GrantEndedError
from rtms_audit.workflows.services import Services, live_services
from rtms_audit.workflows.tokens import Patience, Step, TokenKeeper

PROCESSES, THREADS = 8, 8
KILLS = int(os.environ.get("KILLS", "10"))
ROUND = 60
"""Seconds by which the clock moves on with each killed caller, so that nobody has to wait for its lease to run out."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that stops where it is sent back."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


class Zoom:
    """A running sandbox, with a script at its control address."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.ready = sandbox.ready()

    def control(self, path: str, body: dict[str, object] | None = None) -> Any:
        """Call the control address."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.ready['control_url']}{path}", data=data)) as answer:
            return json.load(answer)

    def calls(self, grant: str = "refresh_token") -> int:
        """Count the token calls of one kind that were carried out."""
        return int(self.control("/state")["token_calls"][grant])

    def requests(self) -> int:
        """Count the requests that came to the token address."""
        return int(self.control("/state")["calls"].get("POST /oauth/token", 0))

    def trouble(self, **fault: object) -> None:
        """Order trouble at the token address, once."""
        self.control("/faults", {"match": {"method": "POST", "path": "/token"}, "times": 1, **fault})

    def works(self, token: Secret) -> bool:
        """Whether Zoom takes an access token."""
        request = urllib.request.Request(
            f"{self.ready['api_url']}/users/me", headers={"Authorization": f"Bearer {token.reveal()}"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def way_back(self, authorize_url: str, label: str) -> dict[str, str]:
        """Consent as the account's user; give the query that the browser brings back."""
        email = next(one["users"][0]["email"] for one in self.ready["accounts"] if one["label"] == label)
        try:
            urllib.request.build_opener(NoRedirect).open(f"{authorize_url}&login_hint={quote(email)}")
        except urllib.error.HTTPError as error:
            with error:
                return dict(parse_qsl(urlsplit(error.headers["location"]).query))
        raise AssertionError("the browser was not sent back")


class Clock:
    """The time of day, moved on by so many seconds."""

    shift = 0.0

    def __call__(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + timedelta(seconds=self.shift)


@dataclass
class Stage:
    """A store with one app and one account, the sandbox, and the program that forks callers."""

    zoom: Zoom
    store: Store
    database: str
    key: Path
    clock: Clock
    forks: "subprocess.Popen[str]"
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        """Register the app and the account."""
        ready = self.zoom.ready
        settings = Settings(
            database_url=self.database, zoom_oauth_url=ready["oauth_url"], zoom_api_url=ready["api_url"]
        )
        self.services = live_services(self.store, settings, clock=self.clock)
        pair = ready["apps"][0]["environments"]["production"]
        self.store.put_app(
            app="notes", environment=Environment.PRODUCTION, client_id=pair["client_id"],
            client_secret=Secret(pair["client_secret"]),
        )  # fmt: skip
        self.store.put_account(label="customer")

    def install(self) -> GrantRecord:
        """Install through the real flow."""
        installer = Installer(self.services)
        begun = installer.begin(
            app=None, account="customer", environment=Environment.PRODUCTION, redirect_uri="http://127.0.0.1/cb"
        )
        grant = installer.finish(Callback.of(self.zoom.way_back(begun.authorize_url, "customer"))).grant
        assert grant is not None
        return grant

    def expired(self) -> GrantRecord:
        """Install, and let the access token expire here."""
        grant = self.install()
        tokens = self.store.tokens(grant_id=grant.id)
        past = TokenPair(access=tokens.access, refresh=tokens.refresh, expires_at=self.clock() - timedelta(hours=1))
        assert self.store.replace_tokens(grant_id=grant.id, expected_version=tokens.version, tokens=past)
        return grant

    def order(self, **what: object) -> None:
        """Order callers to be forked."""
        ready = self.zoom.ready
        order = {
            "database": self.database, "key": str(self.key), "oauth_url": ready["oauth_url"],
            "api_url": ready["api_url"], "shift": self.clock.shift, **what,
        }  # fmt: skip
        assert self.forks.stdin is not None
        self.forks.stdin.write(json.dumps(order) + "\n")
        self.forks.stdin.flush()

    def report(self) -> Any:
        """Wait for the next report."""
        assert self.forks.stdout is not None
        return json.loads(self.forks.stdout.readline())

    def race(self, **what: object) -> list[dict[str, str]]:
        """Let 8 processes of 8 threads ask at once; give the answer of every one."""
        self.order(processes=PROCESSES, threads=THREADS, **what)
        answers = [answer for caller in self.report() for answer in caller["answers"]]
        assert len(answers) == PROCESSES * THREADS
        return answers

    def keeper(self, **patience: Any) -> TokenKeeper:
        """Make another process's keeper."""
        return TokenKeeper(self.services, owner="heir", patience=Patience(**patience))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Start the sandbox."""
    with Sandbox(load_scenario()) as running:
        yield running


@pytest.fixture(scope="module")
def forks() -> Iterator["subprocess.Popen[str]"]:
    """Start the program that forks callers."""
    program = [sys.executable, str(Path(__file__).with_name("refreshers.py"))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()
        running.wait(timeout=20)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "audit.db")
    url = str(request.getfixturevalue("postgres")(None))
    schema.upgrade(url)
    return url


@pytest.fixture
def stage(database: str, tmp_path: Path, sandbox: Sandbox, forks: "subprocess.Popen[str]") -> Iterator[Stage]:
    """Set everything up on one kind of database; the sandbox begins anew, without rate limits."""
    zoom, clock, key = Zoom(sandbox), Clock(), tmp_path / "key"
    zoom.control("/reset", {})
    zoom.control("/settings", {"rate_limits": "off"})
    with open_store(database, key=KeySource(file=key), clock=clock) as store:
        yield Stage(zoom, store, database, key, clock, forks)


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
    stage: Stage, rotation: str, fault: dict[str, object], carried_out: int
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


def test_an_answer_lost_in_strict_rotation_is_told_to_all_sixty_four_alike(stage: Stage) -> None:
    """Nothing can save that grant: two calls, one reason, the remedy in the list of installs."""
    grant = stage.expired()
    stage.zoom.trouble(lose=True)
    answers = stage.race(grant_id=grant.id)
    assert all("earlier refresh was interrupted" in answer["error"] for answer in answers)
    assert stage.zoom.requests() - 1 == 2, "the install, the refresh, its repetition"
    assert list_installs(stage.services, app=None)[0].state is State.DEAD


def test_an_outage_is_shared_instead_of_multiplied(stage: Stage) -> None:
    """While Zoom is away the callers that wait share one failure; the grant is as it was, and works afterwards."""
    grant = stage.expired()
    before = stage.zoom.requests()
    stage.zoom.control("/faults", {"match": {"path": "/token"}, "answer": {"status": 502, "body": "<html>"}})
    answers = stage.race(grant_id=grant.id)
    assert all(answer["error"].startswith("RefreshFailedError") for answer in answers)
    assert stage.zoom.requests() - before < 10, "not 64 times three"
    assert stage.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_sixty_four_callers_of_one_auditor_make_one_token_call(stage: Stage) -> None:
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


def kill_and_succeed(stage: Stage, grant: GrantRecord, step: Step) -> Secret | GrantEndedError:
    """Kill a refresher at a step; give what its successor gets, or what it is told."""
    stage.order(grant_id=grant.id, force=True, die_at=step)
    assert [one["killed"] for one in stage.report()] == [signal.SIGKILL]
    stage.clock.shift += ROUND
    try:
        return stage.keeper().refresh(grant).access
    except GrantEndedError as error:
        return error


@pytest.mark.parametrize("rotation", ["strict", "grace"])
@pytest.mark.parametrize("step", list(Step))
def test_a_killed_refresher_loses_no_grant_in_silence(stage: Stage, rotation: str, step: Step) -> None:
    """The successor gets tokens that work, or the grant is marked with what happened, and what to do."""
    stage.zoom.control("/settings", {"refresh_rotation": rotation, "grace_s": 3600})
    unsaveable = rotation == "strict" and step in (Step.AFTER_ANSWER, Step.BEFORE_SAVE)
    grant, lost = stage.install(), 0
    for _ in range(KILLS):
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
    assert lost == (KILLS if unsaveable else 0)


@pytest.mark.parametrize("rotation", ["strict", "grace"])
@pytest.mark.parametrize("step", [Step.AFTER_ANSWER, Step.BEFORE_SAVE, Step.AFTER_SAVE, Step.BEFORE_RELEASE])
def test_a_holder_that_slept_through_its_lease_harms_nothing(stage: Stage, rotation: str, step: Step) -> None:
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
