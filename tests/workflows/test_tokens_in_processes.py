"""One grant, many processes, and refreshers that are killed: never two token calls, never a grant lost in silence."""

import json
import os
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.sandbox.server import Sandbox, load_scenario
from rtms_audit.settings import Settings, sqlite_url
from rtms_audit.store.records import GrantRecord, GrantStatus
from rtms_audit.store.store import Store, open_store
from rtms_audit.workflows.install import Callback, Installer
from rtms_audit.workflows.services import live_services
from rtms_audit.workflows.tokens import GrantEndedError, Patience, TokenKeeper

PROCESSES, THREADS = 4, 8
PATIENCE = Patience(margin=timedelta(0), lease_ttl=timedelta(seconds=2), wait=timedelta(seconds=30), poll=0.02)

STEPS = ["before refresh", "after refresh", "before replace_tokens", "after replace_tokens", "before release_lease"]

CALLER = textwrap.dedent(
    """
    import hashlib, os, signal, sys
    from concurrent.futures import ThreadPoolExecutor
    from datetime import timedelta
    from rtms_audit.settings import Settings
    from rtms_audit.store.store import open_store
    from rtms_audit.workflows.services import live_services
    from rtms_audit.workflows.tokens import Patience, TokenKeeper

    database, oauth_url, grant_id, threads, die_at = sys.argv[1:]

    class Dying:
        '''Passes everything on, and kills the process at one step.'''
        def __init__(self, inner): self.inner = inner
        def __getattr__(self, name):
            found = getattr(self.inner, name)
            def step(*positional, **named):
                if die_at == f"before {name}": os.kill(os.getpid(), signal.SIGKILL)
                result = found(*positional, **named)
                if die_at == f"after {name}": os.kill(os.getpid(), signal.SIGKILL)
                return result
            return step

    with open_store(database) as store:
        settings = Settings(database_url=database, zoom_oauth_url=oauth_url)
        services = live_services(store, settings)
        object.__setattr__(services, "oauth", Dying(services.oauth))
        object.__setattr__(services, "store", Dying(store))
        patience = Patience(margin=timedelta(0), lease_ttl=timedelta(seconds=2), wait=timedelta(seconds=30), poll=0.02)
        grant = store.grant_by_id(int(grant_id))
        def ask(_):
            return TokenKeeper(services, owner=str(os.getpid()), patience=patience).access(grant).reveal()
        with ThreadPoolExecutor(int(threads)) as pool:
            for token in pool.map(ask, range(int(threads))):
                print(hashlib.sha256(token.encode()).hexdigest())
    """
)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that stops where it is sent back."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


@pytest.fixture(scope="module")
def zoom() -> Iterator[dict[str, Any]]:
    """Start the sandbox."""
    with Sandbox(load_scenario()) as running:
        yield running.ready()


def control(zoom: dict[str, Any], path: str, body: dict[str, object] | None = None) -> Any:
    """Call the control address."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{zoom['control_url']}{path}", data=data)) as answer:
        return json.load(answer)


def expired_grant(zoom: dict[str, Any], store: Store, **settings: object) -> GrantRecord:
    """Install through the real flow, with an access token that has just expired."""
    control(zoom, "/settings", {"access_token_ttl": 1, **settings})
    pair = zoom["apps"][0]["environments"]["production"]
    store.put_app(
        app="notes",
        environment=Environment.PRODUCTION,
        client_id=pair["client_id"],
        client_secret=Secret(pair["client_secret"]),
    )
    store.put_account(label="customer")
    live = live_services(store, settings_of(zoom, "unused"))
    begun = Installer(live).begin(
        app=None, account="customer", environment=Environment.PRODUCTION, redirect_uri="http://127.0.0.1/cb"
    )
    email = next(one["users"][0]["email"] for one in zoom["accounts"] if one["label"] == "customer")
    try:
        urllib.request.build_opener(NoRedirect).open(f"{begun.authorize_url}&login_hint={quote(email)}")
    except urllib.error.HTTPError as error:
        with error:
            back = dict(parse_qsl(urlsplit(error.headers["location"]).query))
    grant = Installer(live).finish(Callback.of(back)).grant
    assert grant is not None
    time.sleep(1.1)
    control(zoom, "/settings", {"access_token_ttl": 3599})
    return grant


def settings_of(zoom: dict[str, Any], database: str) -> Settings:
    """Give the settings that lead to the sandbox."""
    return Settings(database_url=database, zoom_oauth_url=zoom["oauth_url"], zoom_api_url=zoom["api_url"])


def start(zoom: dict[str, Any], database: str, grant: GrantRecord, *, threads: int, die_at: str = "") -> Any:
    """Start a process of callers."""
    command = [sys.executable, "-c", CALLER, database, zoom["oauth_url"], str(grant.id), str(threads), die_at]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})


def refreshes(zoom: dict[str, Any]) -> int:
    """Count the refresh calls that Zoom has seen."""
    return int(control(zoom, "/state")["token_calls"]["refresh_token"])


def test_many_processes_make_one_token_call(zoom: dict[str, Any], tmp_path: Path) -> None:
    """Every caller gets the one new token, in strict rotation."""
    database = sqlite_url(tmp_path / "audit.db")
    with open_store(database) as store:
        grant = expired_grant(zoom, store, refresh_rotation="strict")
        before = refreshes(zoom)
        callers = [start(zoom, database, grant, threads=THREADS) for _ in range(PROCESSES)]
        tokens: set[str] = set()
        for caller in callers:
            out, said = caller.communicate(timeout=90)
            assert caller.returncode == 0, said
            tokens.update(out.split())
        assert len(tokens) == 1
        assert refreshes(zoom) - before == 1
        assert store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


@pytest.mark.parametrize("rotation", ["strict", "grace"])
@pytest.mark.parametrize(
    "die_at",
    ["before refresh", "after refresh", "before replace_tokens", "after replace_tokens", "before release_lease"],
)
def test_a_killed_refresher_loses_no_grant_in_silence(
    zoom: dict[str, Any], tmp_path: Path, rotation: str, die_at: str
) -> None:
    """The successor has a token, or says that the refresh was interrupted and what to do."""
    database = sqlite_url(tmp_path / "audit.db")
    with open_store(database) as store:
        grant = expired_grant(zoom, store, refresh_rotation=rotation, grace_s=60)
        caller = start(zoom, database, grant, threads=1, die_at=die_at)
        assert caller.communicate(timeout=60)[0] == ""
        assert caller.returncode == -9
        heir = TokenKeeper(live_services(store, settings_of(zoom, database)), owner="heir", patience=PATIENCE)
        lost = rotation == "strict" and die_at in ("after refresh", "before replace_tokens")
        if lost:
            with pytest.raises(GrantEndedError, match="earlier refresh was interrupted") as caught:
                heir.access(grant)
            assert "rtms-audit install customer" in (caught.value.next_step or "")
            assert store.grant_by_id(grant.id).status is GrantStatus.DEAD
        else:
            assert heir.access(grant)
            assert store.grant_by_id(grant.id).status is GrantStatus.ACTIVE
