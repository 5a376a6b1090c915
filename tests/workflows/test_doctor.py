"""The doctor: checks in order, each with one fix where something is wrong."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.errors import DatabaseError, VaultKeyError
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows import doctor
from rtms_audit.workflows.doctor import Finding, Health, store_findings
from rtms_audit.zoom.oauth import OAuthProblem, ProblemKind, TokenAnswer


def examine(world: Any, **more: Any) -> dict[str, Finding]:
    """Run the doctor; findings by subject."""
    found = doctor.examine(world.services, world.services, **{"app": None, "environ": {}, **more})
    return {one.subject: one for one in found}


def test_a_healthy_setup_is_good_in_order(world: Any) -> None:
    """The order is that in which things are to be mended."""
    world.grant()
    world.store.put_app(
        app="notes", environment=Environment.PRODUCTION, client_id="PRODID", client_secret=Secret("PRODID-secret"),
        webhook_secret=Secret("PRODID-token"), redirect_uri="https://audit.example.com/cb",
    )  # fmt: skip
    storage = [Finding("key", Health.GOOD, "k1"), Finding("database", Health.GOOD, "r1")]
    world.zoom.headers["date"] = format_datetime(world.clock(), usegmt=True)
    world.zoom.rest["/users/me"] = (401, {"code": 124, "message": "Invalid access token."})
    found = examine(world, storage=storage)
    assert list(found) == [
        "clock", "Zoom's OAuth address", "Zoom's API", "development credentials", "production credentials",
        "development redirect address", "production redirect address", "key", "database", "installs",
        "development webhook secret", "production webhook secret", "listener", "SDK variables",
    ]  # fmt: skip
    assert {one.health for one in found.values()} == {Health.GOOD}


@pytest.mark.parametrize(("seconds", "word"), [(120, "ahead of"), (-120, "behind")])
def test_a_wrong_clock_is_told_against_zooms(world: Any, seconds: int, word: str) -> None:
    """Signatures are trusted for 300 s only."""
    world.zoom.headers["date"] = format_datetime(world.clock() - timedelta(seconds=seconds), usegmt=True)
    clock = examine(world)["clock"]
    assert clock.health is Health.BAD
    assert f"120 s {word}" in clock.seen


def test_an_unreachable_zoom_is_told_with_what_to_check(world: Any) -> None:
    """The clock cannot be checked then; credentials are unknown, not wrong."""
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.TRANSIENT, status=None, reason="timed out")
    world.zoom.rest["/users/me"] = (None, None)
    found = examine(world)
    assert found["clock"].health is Health.SKIPPED
    assert found["Zoom's OAuth address"].health is Health.BAD
    assert "firewall" in found["Zoom's API"].fix
    assert found["production credentials"].health is Health.WARNING


def test_an_address_that_answers_html_is_not_zooms(world: Any) -> None:
    """A captive portal, or a wrong address in the environment."""
    world.zoom.rest["/users/me"] = (200, b"<html>Sign in to the hotel</html>")
    found = examine(world)["Zoom's API"]
    assert found.health is Health.BAD
    assert "RTMS_AUDIT_ZOOM_API_URL" in found.fix


def test_bad_pairs_missing_secrets_and_old_installs_are_told(world: Any) -> None:
    """Each with its own fix."""
    world.grant()
    world.clock.now += timedelta(days=81)
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.CLIENT_INVALID, reason="Invalid client_id")
    world.store.put_app(
        app="notes", environment=Environment.PRODUCTION, client_id="DEVID", client_secret=Secret("p"),
        redirect_uri="https://audit.example.com/cb",
    )  # fmt: skip
    found = examine(world, listener=lambda: "nothing answers")
    assert found["production credentials"].seen == "Invalid client_id"
    assert "same client id" in found["credentials"].seen
    assert "81 days old" in found["installs"].seen
    assert found["installs"].fix == "rtms-audit installs refresh"
    assert "https://audit.example.com/cb" in found["production redirect address"].seen
    assert found["listener"].fix == "rtms-audit serve"


def test_loopback_redirects_and_missing_webhook_secrets_are_named(world: Any) -> None:
    """Without its secret token nothing of an environment can be verified."""
    world.store.put_app(
        app="bare", environment=Environment.PRODUCTION, client_id="B", client_secret=Secret("s"),
        redirect_uri="http://127.0.0.1/cb",
    )  # fmt: skip
    found = examine(world, app="bare")
    assert found["production webhook secret"].health is Health.BAD
    assert "2026-09-28" in found["production redirect address"].seen
    assert found["installs"].health is Health.WARNING
    assert examine(world)["app"].health is Health.BAD, "two apps, none named"


def test_dead_installs_are_counted(world: Any) -> None:
    """Per state."""
    world.store.mark_grant(grant_id=world.grant().id, status=GrantStatus.DEAD, reason="4735")
    assert examine(world)["installs"].seen == "1 dead"


def test_leftover_sdk_variables_are_told_with_whose_they_are(world: Any) -> None:
    """Zoom's SDK takes them before what the code passes."""
    found = examine(world, environ={"ZM_RTMS_CLIENT": "DEVID", "ZM_RTMS_SECRET": "s"})["SDK variables"]
    assert found.health is Health.WARNING
    assert "signed with the development pair" in found.seen
    assert found.fix == "unset ZM_RTMS_CLIENT ZM_RTMS_SECRET"
    assert "signed with" not in examine(world, environ={"ZM_RTMS_CLIENT": "other"})["SDK variables"].seen


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("ProxyError: the proxy could not be reached or refused", "HTTPS_PROXY"),
        ("SSLError: the TLS certificate was rejected", "REQUESTS_CA_BUNDLE"),
        ("ConnectionError: the host name was not found", "name server"),
        ("ConnectTimeout: timed out", "firewall"),
    ],
)
def test_each_way_of_not_reaching_zoom_has_its_own_fix(world: Any, error: str, fix: str) -> None:
    """Proxy, certificates, name server, firewall."""
    failed = replace(world.zoom.exchange("POST", "/oauth/token", None, None), error=error)
    world.zoom.answer = lambda *_: TokenAnswer(failed, None, OAuthProblem(ProblemKind.TRANSIENT, reason=error))
    found = examine(world)["Zoom's OAuth address"]
    assert (found.health, fix in found.fix) == (Health.BAD, True)
    assert found.seen == f"zoom.example.com:443: {error}"


@pytest.mark.parametrize(("base", "address"), [("http://127.0.0.1:9", "127.0.0.1:9"), ("http://x", "x:80")])
def test_the_port_that_was_tried_is_named(world: Any, base: str, address: str) -> None:
    """Whoever opens a firewall must open the right port."""
    error = "ConnectTimeout: timed out"
    failed = replace(world.zoom.exchange("POST", "/oauth/token", None, None), error=error, url=f"{base}/oauth/token")
    world.zoom.answer = lambda *_: TokenAnswer(failed, None, OAuthProblem(ProblemKind.TRANSIENT, reason=error))
    assert f"Let {address} be reached" in examine(world)["Zoom's OAuth address"].fix


@pytest.mark.parametrize(
    ("environment", "address", "health", "said"),
    [
        (Environment.DEVELOPMENT, None, Health.GOOD, "127.0.0.1"),
        (Environment.DEVELOPMENT, "http://127.0.0.1:8000/cb", Health.GOOD, "this machine only"),
        (Environment.DEVELOPMENT, "http://localhost:8000/cb", Health.WARNING, "names 127.0.0.1 only"),
        (Environment.PRODUCTION, None, Health.WARNING, "keeps https"),
        (Environment.PRODUCTION, "http://127.0.0.1:8000/cb", Health.WARNING, "2026-09-28"),
        (Environment.PRODUCTION, "https://audit.example.com/cb", Health.GOOD, "serve"),
    ],
)
def test_redirect_addresses_are_held_against_zooms_rules(
    world: Any, environment: Environment, address: str | None, health: Health, said: str
) -> None:
    """Https for everybody, loopback for development and public clients."""
    world.store.put_app(
        app="bare", environment=environment, client_id="B", client_secret=Secret("s"), redirect_uri=address
    )
    found = examine(world, app="bare")[f"{environment} redirect address"]
    assert (found.health, said in found.seen) == (health, True)
    assert bool(found.fix) == (health is not Health.GOOD)


def test_without_a_store_the_network_is_still_checked(world: Any) -> None:
    """A missing key does not hide that the clock is wrong; what is registered is skipped, not guessed."""
    storage = [Finding("key", Health.BAD, "missing", "put it back")]
    found = list(doctor.examine(world.services, None, app=None, environ={"ZM_RTMS_CLIENT": "x"}, storage=storage))
    subjects = [one.subject for one in found]
    assert subjects == ["clock", "Zoom's OAuth address", "Zoom's API", "app", "key", "listener", "SDK variables"]
    assert found[3].health is Health.SKIPPED


def test_key_and_database_are_checked_before_the_store_is_opened() -> None:
    """Each error keeps its own next step."""

    def no_key() -> str:
        raise VaultKeyError("the key k1 is missing", next_step="put it back")

    def too_new() -> tuple[bool, str]:
        raise DatabaseError("too new", next_step="upgrade")

    def texts(findings: Iterator[Finding]) -> list[tuple[Health, str]]:
        return [(one.health, one.fix) for one in findings]

    assert texts(store_findings(key=lambda: "k1", schema=lambda: (True, "r1"))) == [(Health.GOOD, "")] * 2
    assert texts(store_findings(key=no_key, schema=too_new)) == [(Health.BAD, "put it back"), (Health.BAD, "upgrade")]
    behind = texts(store_findings(key=lambda: "k1", schema=lambda: (False, "1 behind")))
    assert behind[1] == (Health.BAD, "rtms-audit db upgrade")
