"""Starting and stopping, the ready line, scripted meetings, time."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from rtms_audit.errors import UserError
from rtms_audit.sandbox.scenario import load_scenario, read_scenario
from rtms_audit.sandbox.server import Sandbox

Desk: TypeAlias = Any  # the class stands in conftest.py, which only pytest imports


def test_ready_line_has_the_documented_keys(desk: Desk) -> None:
    """Addresses, apps with two pairs, accounts with their people; all of it is JSON on one line."""
    ready = desk.ready
    assert {"oauth_url", "api_url", "rtms_url", "control_url", "apps", "accounts"} <= ready.keys()
    assert "\n" not in json.dumps(ready)
    environments = ready["apps"][0]["environments"]
    assert environments.keys() == {"development", "production"}
    assert {"client_id", "client_secret", "webhook_secret"} <= environments["production"].keys()
    assert environments["production"]["client_id"] != environments["development"]["client_id"]
    assert {"label", "account_id", "plan", "users"} <= ready["accounts"][0].keys()


def test_seed_makes_identifiers_stable() -> None:
    """Two sandboxes of one scenario have the same identifiers; another seed has others."""

    def shown(seed: str) -> Any:
        scenario = load_scenario().model_copy(update={"seed": seed})
        with Sandbox(scenario) as sandbox:
            ready: Any = sandbox.ready()
            return ready["apps"], [account["users"] for account in ready["accounts"]]

    assert shown("one") == shown("one")
    assert shown("one") != shown("two")


def test_port_in_use() -> None:
    """A port that is taken is one sentence with the next step."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sandbox = Sandbox(load_scenario(), port=taken.getsockname()[1])
        with pytest.raises(UserError, match="cannot be used") as caught:
            sandbox.start()
    assert "--port" in (caught.value.next_step or "")


def test_scenario_that_asks_for_tls_needs_it(tmp_path: Path) -> None:
    """A scenario with `transport: wss` does not start without TLS, and a folder that cannot be written is named."""
    scenario = load_scenario()
    scenario = scenario.model_copy(update={"settings": scenario.settings.changed({"transport": "wss"})})
    with pytest.raises(UserError, match="asks for wss"):
        Sandbox(scenario).start()
    occupied = tmp_path / "file"
    occupied.touch()
    with pytest.raises(UserError, match="cannot be written"):
        Sandbox(scenario, tls_folder=occupied).start()


def test_missing_trustme_is_told(tmp_path: Path) -> None:
    """Without the package trustme a sandbox with TLS says what to install."""
    program = (
        "import sys, pathlib; sys.modules['trustme'] = None\n"
        "from rtms_audit.sandbox.tls import make_certificate\n"
        "try: make_certificate(pathlib.Path('.'))\n"
        "except Exception as error: print(error.next_step)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "pip install trustme" in done.stdout


def test_broken_world_is_told() -> None:
    """A fault that is none keeps the sandbox from starting, and the start says so instead of hanging."""
    scenario = load_scenario().model_copy(update={"faults": ({"nonsense": 1},)})
    with pytest.raises(UserError, match="did not come up"):
        Sandbox(scenario).start()


def test_stop_without_start() -> None:
    """Stopping what never started, or twice, does nothing."""
    sandbox = Sandbox(load_scenario())
    sandbox.stop()
    sandbox.start()
    sandbox.stop()
    sandbox.stop()


def test_ipv6() -> None:
    """The sandbox listens on the IPv6 loopback too, and writes the address as a URL needs it."""
    with Sandbox(load_scenario(), host="::1") as sandbox, httpx.Client(verify=False) as http:
        ready: Any = sandbox.ready()
        assert ready["api_url"].startswith("http://[::1]:")
        assert http.get(ready["control_url"] + "/state").status_code == 200


def test_scripted_meetings_come_and_go(desk_for: Callable[[str], Desk]) -> None:
    """A scripted meeting begins at its time and ends after its minutes, on the driven clock."""
    desk = desk_for("signature-closed")
    desk.order("/clock", advance=2)
    (stream,) = desk.eventually(lambda: desk.state()["streams"])
    assert stream["account"] == "developer"
    desk.order("/clock", advance=3601)
    desk.eventually(lambda: desk.state()["meetings"][0]["status"] == "ended")


def test_clock_is_a_parameter() -> None:
    """A clock passed in dates everything, and may jump by itself."""
    moment = [datetime(2026, 3, 2, 10, tzinfo=UTC)]
    with Sandbox(load_scenario(), clock=lambda: moment[0]) as sandbox, httpx.Client(verify=False) as http:
        control = str(sandbox.ready()["control_url"])
        order = {"account": "developer", "environment": "production"}
        http.post(control + "/installs", json={**order, "action": "install"})
        http.post(control + "/meetings", json={**order, "trigger": "auto-start"})
        moment[0] += timedelta(seconds=61)
        time.sleep(0.6)
        (stream,) = http.get(control + "/state").json()["streams"]
    assert stream["started_at"] == "2026-03-02T10:00:00+00:00"
    assert stream["stop_reason"] == 11


def test_webhook_addresses_of_the_scenario_are_validated_at_once(desk_for: Callable[[str], Desk]) -> None:
    """An address that the scenario sets is validated when the story begins."""
    desk = desk_for("""
title: set
apps: [{name: notes, owner: dev}]
accounts: [{label: dev, plan: pro, users: [{email: a@example.com}]}]
settings: {webhook_url: "http://127.0.0.1:9/none"}
""")
    validations = desk.eventually(lambda: len(desk.state()["validations"]) == 2 and desk.state()["validations"])
    assert {v["event"] for v in validations} == {"endpoint.url_validation"}


def test_many_streams_at_once_stay_quick() -> None:
    """Two hundred meetings start and end within seconds, and the threads are gone afterwards."""
    scenario = read_scenario(
        """
title: many
apps: [{name: notes, owner: dev}]
accounts: [{label: dev, plan: pro, developer_pack: active, auto_start: all, users: [{email: a@example.com}]}]
""",
        name="many",
    )
    before = threading.active_count()
    with Sandbox(scenario) as sandbox, httpx.Client(verify=False) as http:
        control = str(sandbox.ready()["control_url"])
        order = {"account": "dev", "environment": "production"}
        http.post(control + "/installs", json={**order, "action": "install"})
        for _ in range(200):
            http.post(control + "/meetings", json={**order, "trigger": "auto-start"})
        assert len(http.get(control + "/state").json()["streams"]) == 200
    assert threading.active_count() <= before
