"""Addresses that only work with a secret in them: install and serve show them whole, and show nothing else of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

PROGRAM = [sys.executable, "-m", "rtms_audit"]
BROWSERLESS = {"BROWSER": "false"}
ABSENT = ("DISPLAY", "WAYLAND_DISPLAY", "TERM", "RTMS_AUDIT_LOCAL_TOKEN")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give the surroundings of a machine without a browser, where one app and one account are registered."""
    surroundings = {name: value for name, value in os.environ.items() if name not in ABSENT}
    surroundings |= {**BROWSERLESS, "RTMS_AUDIT_DATABASE_URL": f"sqlite:///{tmp_path / 'audit.db'}"}
    run({**surroundings, "RTMS_AUDIT_CLIENT_SECRET": "one", "RTMS_AUDIT_WEBHOOK_SECRET": "two"},
        "app", "add", "notes", "--environment", "production", "--client-id", "PRODID")  # fmt: skip
    run(surroundings, "account", "add", "customer")
    return surroundings


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60, env=environ,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def serve(environ: dict[str, str], *options: str) -> str:
    """Start `serve`, end it once it said where the dashboard is, and give that line."""
    process = subprocess.Popen(
        [*PROGRAM, *options, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environ,
    )  # fmt: skip
    assert process.stderr is not None
    said = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    return said


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_without_a_browser_the_address_is_printed_whole(environ: dict[str, str], quiet: tuple[str, ...]) -> None:
    """Zoom sends back the state that it was given, so a blotted one could never be installed with."""
    done = run(environ, *quiet, "install", "customer", "--environment", "production", "--timeout", "1")
    (address,) = done.stdout.splitlines()
    assert len(parse_qs(urlsplit(address).query)["state"][0]) > 30
    assert "secret" not in address
    assert address not in done.stderr


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_token_made_for_this_run_is_shown(environ: dict[str, str], quiet: tuple[str, ...]) -> None:
    """Nobody could open the dashboard otherwise, `-q` or not."""
    line = serve(environ, *quiet)
    assert len(parse_qs(urlsplit(line.removeprefix("Dashboard: ").strip()).query)["token"][0]) > 30
    assert "secret" not in line


def test_a_token_that_was_given_is_not_repeated(environ: dict[str, str]) -> None:
    """Where it came from is said instead."""
    said = serve({**environ, "RTMS_AUDIT_LOCAL_TOKEN": "amberorchardladder"})
    assert "amberorchardladder" not in said
    assert "its token is that of RTMS_AUDIT_LOCAL_TOKEN" in said
