"""Removing and reinstalling an app, as the list of installs tells it: from the store at once, or with Zoom's word."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rtms_audit.sandbox.server import Sandbox, load_scenario

PROGRAM = [sys.executable, "-m", "rtms_audit"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that stops where it is sent back."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


class Stage:
    """The program in a folder of its own, and the sandbox."""

    def __init__(self, folder: Path, ready: Any) -> None:
        self.ready = ready
        self.environ: dict[str, str] = {
            **os.environ,
            "RTMS_AUDIT_DATABASE_URL": f"sqlite:///{folder / 'audit.db'}",
            "RTMS_AUDIT_ZOOM_OAUTH_URL": str(ready["oauth_url"]),
            "RTMS_AUDIT_ZOOM_API_URL": str(ready["api_url"]),
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the program."""
        return subprocess.Popen(
            [*PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environ,
        )  # fmt: skip

    def run(self, *arguments: str, **environ: str) -> str:
        """Run the program to its end; give its standard output."""
        done = subprocess.run(
            [*PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60,
            env={**self.environ, **environ},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def control(self, path: str, body: dict[str, object] | None = None) -> Any:
        """Call the sandbox's control address."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.ready['control_url']}{path}", data=data), timeout=10
        ) as answer:
            return json.load(answer)

    def install(self) -> None:
        """Install by pasting the address."""
        process = self.start("install", "customer", "--environment", "production", "--paste")
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        email = next(one["users"][0]["email"] for one in self.ready["accounts"] if one["label"] == "customer")
        try:
            urllib.request.build_opener(NoRedirect).open(f"{address}&login_hint={quote(email)}", timeout=10)
        except urllib.error.HTTPError as error:
            with error:
                _, said = process.communicate(error.headers["location"] + "\n", timeout=30)
        assert process.returncode == 0, said

    def line(self, *options: str) -> dict[str, str]:
        """Give the production line of the list."""
        lines: list[dict[str, str]] = json.loads(self.run("installs", "list", "--format", "json", *options))
        return next(one for one in lines if one["environment"] == "production")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Register a published app with one account."""
    with Sandbox(load_scenario()) as sandbox:
        stage = Stage(tmp_path, sandbox.ready())
        stage.control("/apps/notes", {"environments": {"production": {"distribution": "published"}}})
        pair = stage.ready["apps"][0]["environments"]["production"]
        stage.run(
            "app", "add", "notes", "--environment", "production", "--client-id", pair["client_id"],
            RTMS_AUDIT_CLIENT_SECRET=pair["client_secret"], RTMS_AUDIT_WEBHOOK_SECRET=pair["webhook_secret"],
        )  # fmt: skip
        stage.run("account", "add", "customer")
        yield stage


def calls(stage: Stage) -> int:
    """Count what Zoom was asked."""
    return sum(stage.control("/state")["calls"].values())


def test_an_app_that_its_user_removes_is_revoked_wiped_and_can_be_installed_again(stage: Stage) -> None:
    """Zoom's `app_deauthorized` does it; the list is from the store alone, and every fact has its age."""
    assert stage.line()["state"] == "unknown"
    stage.install()
    asked = calls(stage)
    installed = stage.line()
    assert (installed["state"], installed["known for"].split()[1]) == ("installed", "s")
    assert installed["refreshed"].endswith("s")
    assert calls(stage) == asked, "nobody asked Zoom"
    assert stage.line("--live")["state"] == "installed"
    assert calls(stage) > asked
    serving = stage.start("serve", "--port", "0")
    assert serving.stdout is not None
    try:
        stage.control("/settings", {"webhook_url": json.loads(serving.stdout.readline())["webhooks"]})
        stage.control("/installs", {"account": "customer", "environment": "production", "action": "remove"})
        deadline = time.monotonic() + 15
        while stage.line()["state"] == "installed":
            assert time.monotonic() < deadline, "the notice did not come"
        removed = stage.line()
        assert (removed["state"], removed["reason"]) == ("revoked", "the user removed the app")
    finally:
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=20)
    stage.install()
    assert stage.line()["state"] == "installed"


def test_a_grant_that_zoom_ended_is_found_by_asking(stage: Stage) -> None:
    """The store does not know it, `--live` finds out, and the list then says why."""
    stage.install()
    stage.control("/installs", {"account": "customer", "environment": "production", "action": "withdraw-approval"})
    assert stage.line()["state"] == "installed"
    dead = stage.line("--live")
    assert (dead["state"], "withdrew the approval" in dead["reason"]) == ("dead", True)
