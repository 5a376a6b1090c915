"""Secrets planted in every field that holds one, and looked for in everything that the program leaves or says.

The whole job runs through the real program with `-vv`, against a sandbox that also answers with errors which repeat
secrets. What may hold a secret is left out by name: the key file, the files that secrets were read from, and the
authorize address on standard output, whose `state` the browser needs.
"""

import base64
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from cryptography.fernet import Fernet

from rtms_audit.sandbox.server import Sandbox, load_scenario

PROGRAM = [sys.executable, "-m", "rtms_audit", "-vv"]
PLANTED = {
    # Words, not random letters: nothing in their shape says that they are secret.
    "development client secret": "quiet meadow lantern one".replace(" ", ""),
    "production client secret": "quiet meadow lantern two".replace(" ", ""),
    "development webhook secret": "copper harbour whistle one".replace(" ", ""),
    "production webhook secret": "copper harbour whistle two".replace(" ", ""),
    "local token": "amber orchard ladder".replace(" ", ""),
    "wrong secret": "velvet ribbon compass".replace(" ", ""),
}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that stops where it is sent back."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


class Hall:
    """The program in a folder of its own, with everything that it said, and every secret there is."""

    def __init__(self, folder: Path, sandbox: Sandbox, given: list[str]) -> None:
        self.folder = folder
        self.ready: Any = sandbox.ready()
        self.given = given
        self.canaries = dict(PLANTED)
        self.said: dict[str, str] = {}
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        self.environ: dict[str, str] = {
            **os.environ,
            "RTMS_AUDIT_DATABASE_URL": f"sqlite:///{folder / 'audit.db'}",
            "RTMS_AUDIT_ZOOM_OAUTH_URL": str(self.ready["oauth_url"]),
            "RTMS_AUDIT_ZOOM_API_URL": str(self.ready["api_url"]),
            "RTMS_AUDIT_LOCAL_TOKEN": PLANTED["local token"],
        }

    def secret_file(self, text: str) -> str:
        """Write a secret where the program reads it from."""
        path = self.inputs / secrets.token_hex(4)
        path.write_text(text + "\n", encoding="utf-8")
        return str(path)

    def run(self, *arguments: str, ends: int | None = 0, typed: str = "", **environ: str) -> str:
        """Run the program to its end, keep what it said, and give its standard output."""
        done = subprocess.run(
            [*PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60, input=typed,
            env={**self.environ, **environ}, cwd=self.folder,
        )  # fmt: skip
        self.keep(f"{' '.join(arguments)} [{len(self.said)}]", done.stdout, done.stderr)
        assert ends is None or done.returncode == ends, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def keep(self, what: str, out: str, err: str) -> None:
        """Keep what a run said."""
        self.said[f"{what}: stdout"], self.said[f"{what}: stderr"] = out, err

    def control(self, path: str, body: dict[str, object]) -> Any:
        """Call the sandbox's control address."""
        request = urllib.request.Request(f"{self.ready['control_url']}{path}", data=json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def fault(self, path: str, status: int, body: object) -> None:
        """Order one answer of our own."""
        self.control("/faults", {"match": {"path": path}, "answer": {"status": status, "body": body}, "times": 1})

    def sealed(self, kind: str) -> list[str]:
        """Open what the vault holds of a kind, with the key file, as only its owner can."""
        opener = Fernet((self.folder / "audit.db.key").read_text(encoding="ascii").split()[0])
        database = sqlite3.connect(self.folder / "audit.db")
        rows = database.execute("select ciphertext from sealed_secret where kind = ?", (kind,)).fetchall()
        database.close()
        return [json.loads(opener.decrypt(row[0].encode()))["secret"] for row in rows]

    def install(self, label: str, *, replay: bool = False) -> None:
        """Install by pasting the address that the browser was sent back to; with `replay` come back a second time."""
        arguments = ("install", label, "--environment", "production", "--paste")
        process = subprocess.Popen(
            [*PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environ, cwd=self.folder,
        )  # fmt: skip
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        self.canaries[f"state of {label}"] = parse_qs(urlsplit(address).query)["state"][0]
        self.canaries[f"verifier of {label}"] = self.sealed("code verifier")[-1]
        back = self.way_back(address, label)
        self.canaries[f"code of {label}"] = parse_qs(urlsplit(back).query)["code"][0]
        rest, said = process.communicate(back + "\n", timeout=30)
        assert process.returncode == 0, said
        self.keep(f"install {label}", rest, said)
        if replay:
            process = subprocess.Popen(
                [*PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, env=self.environ, cwd=self.folder,
            )  # fmt: skip
            assert process.stdout is not None
            process.stdout.readline()
            rest, said = process.communicate(back + "\n", timeout=30)
            assert process.returncode == 2, said
            self.keep(f"replay {label}", rest, said)

    def way_back(self, address: str, label: str) -> str:
        """Consent; give the address that the browser would have opened next."""
        email = next(one["users"][0]["email"] for one in self.ready["accounts"] if one["label"] == label)
        try:
            urllib.request.build_opener(NoRedirect).open(f"{address}&login_hint={quote(email)}", timeout=10)
        except urllib.error.HTTPError as error:
            with error:
                return str(error.headers["location"])
        raise AssertionError("the browser was not sent back")

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Give everything that was said or left, packed files unpacked."""
        for name, text in self.said.items():
            yield name, text.encode()
        for path in self.folder.rglob("*"):
            if path.is_file() and self.inputs not in path.parents and path.suffix != ".key":
                yield path.name, path.read_bytes()
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as packed:
                    yield from ((f"{path.name}/{name}", packed.read(name)) for name in packed.namelist())


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """Start a sandbox whose app has the planted secrets, and which tells us every secret that it makes up."""
    given: list[str] = []

    def remembered(size: int) -> str:
        made = secrets.token_urlsafe(size)
        if size >= 24:
            given.append(made)
        return made

    with Sandbox(load_scenario(), token_urlsafe=remembered) as sandbox:
        hall = Hall(tmp_path, sandbox, given)
        hall.control("/settings", {"rate_limits": "off", "webhook_retry_clock": "fast"})
        planted = {
            environment: {name: PLANTED[f"{environment} {name.replace('_', ' ')}"]
                          for name in ("client_secret", "webhook_secret")}
            for environment in ("development", "production")
        }  # fmt: skip
        hall.control("/apps/notes", {"environments": planted})
        yield hall


def set_up(hall: Hall) -> None:
    """Register app, account and auditor; each with something wrong first."""
    app = hall.ready["apps"][0]
    for environment in ("development", "production"):
        secret, webhook = PLANTED[f"{environment} client secret"], PLANTED[f"{environment} webhook secret"]
        add = (
            "app", "add", "notes", "--environment", environment, "--app-id", app["app_id"], "--owner", "developer",
            "--client-id", app["environments"][environment]["client_id"],
        )  # fmt: skip
        hall.run(*add, ends=2, RTMS_AUDIT_CLIENT_SECRET=secret, RTMS_AUDIT_WEBHOOK_SECRET=secret)
        hall.run(*add, "--client-secret-file", hall.secret_file(secret),
                 "--webhook-secret-file", hall.secret_file(webhook))  # fmt: skip
    hall.run("app", "check")
    hall.run("app", "show")
    hall.run("account", "add", "customer", "--expect-plan", "paid")
    auditor = next(one["auditor"] for one in hall.ready["accounts"] if one["label"] == "customer")
    hall.canaries["auditor secret"] = auditor["client_secret"]
    connect = ("account", "connect", "customer", "--client-id", auditor["client_id"], "--account-id",
               auditor["account_id"])  # fmt: skip
    hall.run(*connect, ends=2, RTMS_AUDIT_AUDITOR_SECRET=PLANTED["wrong secret"])
    hall.run(*connect, "--client-secret-file", hall.secret_file(auditor["client_secret"]))
    hall.canaries["vault key"] = (hall.folder / "audit.db.key").read_text(encoding="ascii").strip()


def provoke(hall: Hall) -> None:
    """Let Zoom answer with errors that repeat what they were sent."""
    access, refresh = hall.sealed("access token")[0], hall.sealed("refresh token")[0]
    secret = PLANTED["production client secret"]
    pair = base64.b64encode(f"{hall.ready['apps'][0]['environments']['production']['client_id']}:{secret}".encode())
    told = f"refresh_token={refresh} client_secret={secret} Authorization: Basic {pair.decode()} {access}"
    hall.fault("/token", 400, {"reason": f"Invalid Token! {told}", "error": "odd"})
    hall.run("installs", "refresh", ends=3)
    hall.fault("/token", 200, f"<html>{told}</html>")
    hall.control("/settings", {"latency_ms": 0})
    hall.run("installs", "refresh", ends=None)
    hall.fault("/users/me", 400, {"code": 300, "message": f"Bearer {access} is odd; you sent {refresh}"})
    hall.fault("/users/me/settings", 500, f"Authorization: Bearer {access}")
    hall.run("collect", ends=None)
    hall.run("import", str(hall.folder / "nothing.yaml"), ends=2)


def serve_and_meet(hall: Hall) -> None:
    """Receive webhooks, see a meeting, probe one, and ask the served pages with and without the local token."""
    serving = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=hall.environ, cwd=hall.folder,
    )  # fmt: skip
    assert serving.stdout is not None
    line = serving.stdout.readline()
    addresses = json.loads(line)
    hall.control("/settings", {"webhook_url": addresses["webhooks"]})
    for token in (PLANTED["local token"], PLANTED["wrong secret"]):
        request = urllib.request.Request(f"{addresses['url']}/api/matrix", headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                hall.keep(f"page {token == PLANTED['local token']}", answer.read().decode(), "")
        except urllib.error.HTTPError as error:
            with error:
                hall.keep("refused page", error.read().decode(), "")
    meeting = hall.control("/meetings", {"account": "customer", "environment": "production", "trigger": "none"})
    hall.run("probe", "customer", "--environment", "production", "--meeting", str(meeting["meeting_id"]),
             "--wait", "15", ends=None)  # fmt: skip
    hall.run("doctor", "--listener", addresses["url"], ends=None, ZM_RTMS_CLIENT="left",
             ZM_RTMS_SECRET=PLANTED["wrong secret"])  # fmt: skip
    serving.send_signal(signal.SIGINT)
    out, err = serving.communicate(timeout=20)
    hall.keep("serve", line + out, err)


def hand_over(hall: Hall) -> None:
    """Write everything that can be written, and turn the keys."""
    hall.run("attest", "customer", "developer_pack=active", "--by", "Dana",
             "--note", f"the token was {hall.sealed('access token')[0]}", ends=None)  # fmt: skip
    hall.run("matrix", "--format", "json", "-o", "matrix.json", "--exit-zero")
    hall.run("matrix", "--exit-zero")
    hall.run("explain", "customer", "--environment", "production", ends=None)
    hall.run("report", "--format", "html", "-o", "report.html", "--exit-zero")
    hall.run("export", "-o", "export.yaml")
    hall.run("export", "--format", "json")
    hall.run("ticket", "customer", "--environment", "production", "-o", "ticket.zip")
    hall.run("keys", "list")
    hall.run("keys", "list", ends=2, RTMS_AUDIT_KEY=f"{hall.canaries['vault key'][:20]}")
    hall.run("keys", "rotate")
    hall.canaries["new vault key"] = (hall.folder / "audit.db.key").read_text(encoding="ascii").strip()
    hall.run("installs", "list", "--live", ends=None)
    hall.run("installs", "revoke", "customer", "--environment", "production")
    hall.run("account", "list", ends=2, RTMS_AUDIT_DATABASE_URL=f"nonsense:{PLANTED['wrong secret']}")
    unreachable = f"postgresql://audit:{PLANTED['wrong secret']}@127.0.0.1:9/audit"
    hall.run("account", "list", ends=2, RTMS_AUDIT_DATABASE_URL=unreachable)


def spellings(secret: str) -> set[bytes]:
    """Give the ways in which a secret may be written."""
    return {secret.encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}


def test_no_planted_secret_is_found_in_anything_that_is_said_or_left(hall: Hall) -> None:
    """Standard output and error at `-vv`, database with its log, exports, reports, tickets, errors, tracebacks."""
    set_up(hall)
    hall.install("customer", replay=True)
    provoke(hall)
    serve_and_meet(hall)
    for kind in ("access token", "refresh token"):
        hall.canaries |= {f"{kind} {number}": text for number, text in enumerate(hall.sealed(kind))}
    hand_over(hall)
    hall.canaries |= {f"made up by Zoom {number}": text for number, text in enumerate(hall.given)}
    for environment in ("development", "production"):
        pair = f"{hall.ready['apps'][0]['environments'][environment]['client_id']}:"
        pair += PLANTED[f"{environment} client secret"]
        hall.canaries[f"{environment} Basic header"] = base64.b64encode(pair.encode()).decode()
    assert len(hall.given) >= 6, "codes, states and tokens were made up on the way, and each is a canary"
    assert "Traceback" in "".join(hall.said.values()), "-vv shows where it failed, so tracebacks are searched too"
    left = dict(hall.left())
    assert {"audit.db", "export.yaml", "report.html", "ticket.zip", "matrix.json"} <= left.keys()
    found = [
        (canary, place)
        for canary, secret in hall.canaries.items()
        for place, content in left.items()
        if any(spelling in content for spelling in spellings(secret))
    ]
    assert found == []
