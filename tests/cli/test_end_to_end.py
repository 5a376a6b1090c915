"""The real program, as processes, against the sandbox, as a process: install, collect, serve, a meeting, the matrix."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

PROGRAM = [sys.executable, "-m", "rtms_audit"]


@dataclass
class Stage:
    """A running sandbox, and the program with a store of its own."""

    ready: Mapping[str, Any]
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """The surroundings of the program."""
        return {
            **os.environ,
            "RTMS_AUDIT_DATABASE_URL": f"sqlite:///{self.folder / 'audit.db'}",
            "RTMS_AUDIT_ZOOM_OAUTH_URL": self.ready["oauth_url"],
            "RTMS_AUDIT_ZOOM_API_URL": self.ready["api_url"],
            "RTMS_AUDIT_LOCAL_TOKEN": "local-token",
        }

    def run(self, *arguments: str, ends: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, and hold its exit code."""
        done = subprocess.run(
            [*PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60,
            env={**self.environ, **environ}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == ends, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the program and leave it running."""
        return subprocess.Popen(
            [*PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environ,
        )  # fmt: skip

    def email(self, label: str) -> str:
        """Give the address of the person who installs for an account."""
        return next(str(one["users"][0]["email"]) for one in self.ready["accounts"] if one["label"] == label)

    def control(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Call the sandbox's control address."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.ready['control_url']}{path}", data=data)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def add_app(self, environment: str) -> None:
        """Register one environment of the sandbox's app, its secrets in files."""
        pair = self.ready["apps"][0]["environments"][environment]
        for name in ("client_secret", "webhook_secret"):
            (self.folder / name).write_text(pair[name] + "\n", encoding="utf-8")
        self.run(
            "app", "add", "notes", "--environment", environment, "--client-id", pair["client_id"],
            "--client-secret-file", str(self.folder / "client_secret"), "--owner", "developer",
            "--webhook-secret-file", str(self.folder / "webhook_secret"), "--app-id", self.ready["apps"][0]["app_id"],
        )  # fmt: skip


def stop(process: subprocess.Popen[str]) -> str:
    """Send SIGINT, as Ctrl-C does, and give what was said on standard error."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    return said


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start `sandbox serve` as a process; its ready line tells everything else."""
    sandbox = subprocess.Popen(
        [*PROGRAM, "sandbox", "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert sandbox.stdout is not None
    stage = Stage(json.loads(sandbox.stdout.readline()), tmp_path_factory.mktemp("audit"))
    stage.control("/settings", {"rate_limits": "off"})
    stage.add_app("development")
    stage.add_app("production")
    yield stage
    said = stop(sandbox)
    assert "Traceback" not in said
    assert sandbox.returncode == 0


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that stops where Zoom sends it back."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def way_back(authorize_url: str, email: str) -> str:
    """Consent, and give the address that the browser would have opened next."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        opener.open(f"{authorize_url}&login_hint={quote(email)}", timeout=10)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers["location"])
    raise AssertionError("the sandbox did not send the browser back")


def install(stage: Stage, label: str, *, consenting: str | None = None) -> tuple[int, str, str]:
    """Install with `--no-browser`, following the address that is printed; give exit code, page and talk."""
    process = stage.start("install", label, "--environment", "production", "--no-browser", "--timeout", "30")
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith(stage.ready["oauth_url"])
    page = ""
    try:
        with urllib.request.urlopen(f"{address}&login_hint={quote(consenting or stage.email(label))}") as answer:
            page = answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            page = error.read().decode()
    rest, said = process.communicate(timeout=30)
    assert rest == "", "standard output holds the address alone"
    return process.returncode, page, said


def wait_for(what: Callable[[], bool], *, seconds: float = 15) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_from_nothing_to_the_matrix(stage: Stage) -> None:
    """App, account, install, collect, serve, a meeting with a webhook, probe, matrix: with the real program only."""
    for label in ("customer", "cautious"):
        stage.run("account", "add", label, "--email", stage.email(label), "--expect-plan", "paid")
        code, page, said = install(stage, label)
        assert code == 0, said
        assert "Installed" in page
    listed = json.loads(stage.run("installs", "list", "--format", "json").stdout)
    assert {(one["account"], one["state"]) for one in listed if one["environment"] == "production"} >= {
        ("customer", "installed"),
        ("cautious", "installed"),
    }
    collected = stage.run("collect", "--environment", "production", "--jobs", "2", "--format", "json")
    assert all(one["answered"] for one in json.loads(collected.stdout))

    serving = stage.start("serve", "--port", "0")
    try:
        assert serving.stdout is not None
        addresses = json.loads(serving.stdout.readline())
        stage.control("/settings", {"webhook_url": addresses["webhooks"]})
        meeting = stage.control("/meetings", {"account": "customer", "environment": "production", "trigger": "none"})[
            "meeting_id"
        ]
        probed = stage.run(
            "probe", "customer", "--environment", "production", "--meeting", str(meeting), "--wait", "20"
        )  # fmt: skip
        assert (
            "+ join as production: joined; media received: audio, video, deskshare, transcript, chat" in probed.stdout
        )
        again = stage.control("/meetings", {"account": "customer", "environment": "production", "trigger": "none"})
        by_sdk = stage.run(
            "probe", "customer", "--environment", "production", "--meeting", str(again["meeting_id"]), "--sdk",
            ZM_RTMS_CLIENT="left-over",
        )  # fmt: skip
        assert "joined; media received: audio, video, deskshare, transcript; the SDK said" in by_sdk.stdout
        assert "ZM_RTMS_CLIENT is set here" in by_sdk.stderr
        refused = stage.control("/meetings", {"account": "cautious", "environment": "production", "trigger": "none"})[
            "meeting_id"
        ]
        blocked = stage.run(
            "probe", "cautious", "--environment", "production", "--meeting", str(refused), ends=10
        )  # fmt: skip
        assert "13262" in blocked.stdout
        wait_for(lambda: not stage.control("/state")["under_way"])
        request = urllib.request.Request(
            f"{addresses['url']}/api/matrix", headers={"Authorization": "Bearer local-token"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert {one["install"] for one in json.load(answer)["installs"]} == {
                "customer/production",
                "cautious/production",
            }
        doctored = stage.run("doctor", "--listener", addresses["url"])
        assert "+ listener: answers" in doctored.stdout
        assert "+ production credentials" in doctored.stdout
    finally:
        said = stop(serving)
    assert serving.returncode == 0, said
    assert "the watched window is recorded" in said
    judged = json.loads(stage.run("matrix", "--format", "json", "--exit-zero").stdout)["installs"]
    outcomes = {one["install"]: (one["outcome"], [cause["id"] for cause in one["causes"]][:1]) for one in judged}
    assert outcomes["cautious/production"] == ("not-started", ["app-not-allowed"])
    assert outcomes["customer/production"][0] == "started"


def test_the_wrong_account_is_refused_by_the_real_program(stage: Stage) -> None:
    """The browser was signed in to somebody else: exit 2, a page that says so, no grant."""
    stage.run("account", "add", "partial", "--email", stage.email("partial"))
    code, page, said = install(stage, "partial", consenting=stage.email("developer"))
    assert code == 2
    assert "Wrong account" in page
    assert stage.email("developer") in said
    lines = json.loads(stage.run("installs", "list", "--format", "json").stdout)
    states = {one["account"]: (one["state"], one["reason"]) for one in lines if one["environment"] == "production"}
    assert states["partial"] == ("unknown", "last try: wrong-account")


def test_an_address_can_be_pasted(stage: Stage) -> None:
    """For a redirect address that nothing listens at; refresh and revoke then work on the grant."""
    stage.run("account", "add", "freelancer")
    process = stage.start("install", "freelancer", "--environment", "production", "--paste")
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    rest, said = process.communicate(way_back(address, stage.email("freelancer")) + "\n", timeout=30)
    assert process.returncode == 0, said
    assert "installed for freelancer/production" in rest
    assert "good until" in stage.run("installs", "refresh", "freelancer").stdout
    stage.run("installs", "list", "--live")
    assert "revoked from here" in stage.run("installs", "revoke", "freelancer", "--environment", "production").stdout
    stage.run("installs", "remove", "freelancer", "--environment", "production")
    assert "is revoked" in stage.run("collect", "freelancer", "--environment", "production", ends=3).stdout


def test_a_pasted_address_without_a_code_is_a_usage_error(stage: Stage) -> None:
    """Somebody pasted the wrong line."""
    stage.run("account", "add", "external-free")
    process = stage.start("install", "external-free", "--environment", "production", "--paste")
    _, said = process.communicate("https://example.com/\n", timeout=30)
    assert process.returncode == 2
    assert "neither a code nor an error" in said


def test_nobody_came_in_time(stage: Stage) -> None:
    """The outcome is recorded, and the exit code says that evidence is missing."""
    stage.run("account", "add", "external-free")
    done = stage.run(
        "install", "external-free", "--environment", "production", "--no-browser", "--timeout", "1", ends=3
    )
    assert "Nobody consented" in done.stderr
    assert "Next: Begin again" in done.stderr


def test_pairs_are_checked_and_crossed_secrets_named(stage: Stage, tmp_path: Path) -> None:
    """`app check` needs no user."""
    assert "valid" in stage.run("app", "check").stdout
    other = Stage(stage.ready, tmp_path)
    pairs = stage.ready["apps"][0]["environments"]
    for environment, crossed in (("development", "production"), ("production", "development")):
        other.run(
            "app", "add", "notes", "--environment", environment, "--client-id", pairs[environment]["client_id"],
            RTMS_AUDIT_CLIENT_SECRET=pairs[crossed]["client_secret"],
        )  # fmt: skip
    done = other.run("app", "check", ends=2)
    assert "swapped" in done.stderr
    assert pairs["production"]["client_secret"] not in done.stdout + done.stderr


def test_an_auditor_is_connected_and_used(stage: Stage) -> None:
    """Plan and settings are asked once there is one."""
    stage.run("account", "add", "customer", "--email", stage.email("customer"))
    auditor = next(one["auditor"] for one in stage.ready["accounts"] if one["label"] == "customer")
    secret = stage.folder / "auditor"
    secret.write_text(auditor["client_secret"], encoding="utf-8")
    arguments = ["--client-id", auditor["client_id"], "--account-id", auditor["account_id"]]
    stage.run("account", "connect", "customer", *arguments, "--client-secret-file", str(secret))
    refused = stage.run("account", "connect", "customer", *arguments, ends=2, RTMS_AUDIT_AUDITOR_SECRET="wrong")
    assert "Zoom gives no token" in refused.stderr


def test_a_callback_that_serve_receives_installs_too(stage: Stage, tmp_path: Path) -> None:
    """State and verifier lie in the store; a grant that ended is told by `installs refresh`, with exit code 3."""
    other = Stage(stage.ready, tmp_path)
    serving = None
    try:
        other.add_app("production")
        other.run("account", "add", "customer", "--email", stage.email("customer"))
        serving = other.start("serve", "--port", "0")
        assert serving.stdout is not None
        callback = json.loads(serving.stdout.readline())["callback"]
        process = other.start("install", "customer", "--environment", "production", "--no-browser", "--timeout", "30")
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        # The loopback address that was registered by default is the command's own; its state is good for `serve` too.
        back = way_back(address, stage.email("customer"))
        with urllib.request.urlopen(f"{callback}?{back.partition('?')[2]}", timeout=10) as answer:
            assert "Installed" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        stage.control("/installs", {"account": "customer", "environment": "production", "action": "withdraw-approval"})
        dead = other.run("installs", "refresh", ends=3)
        assert "customer/production" in dead.stderr
        assert "Next: " in dead.stderr
        states = json.loads(other.run("installs", "list", "--format", "json").stdout)
        assert [one["state"] for one in states] == ["dead"]
    finally:
        if serving is not None:
            stop(serving)
