"""Secrets are typed unseen, piped, or taken from a file or the environment; none shows anywhere."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

CANARY = "canary-secret-4711-abcdefghijklmnop"


def program(folder: Path, *arguments: str, stdin: int, start_new_session: bool = False) -> "subprocess.Popen[str]":
    """Start the program on a store of this test."""
    return subprocess.Popen(
        [sys.executable, "-m", "rtms_audit", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RTMS_AUDIT_DATABASE_URL": f"sqlite:///{folder / 'audit.db'}"},
        start_new_session=start_new_session,
    )


def read_until(process: "subprocess.Popen[str]", prompt: str) -> str:
    """Read standard error up to a prompt."""
    shown = ""
    assert process.stderr is not None
    while prompt not in shown:
        letter = process.stderr.read(1)
        assert letter, shown
        shown += letter
    return shown


ADD = ("-vv", "app", "add", "notes", "--environment", "production", "--client-id", "P")


def test_a_person_at_a_terminal_is_asked_and_sees_nothing_of_it(tmp_path: Path) -> None:
    """Client secret and secret token are asked for; neither is echoed, nor stands in the database."""
    master, slave = pty.openpty()
    process = program(tmp_path, *ADD, stdin=slave, start_new_session=True)
    os.close(slave)
    shown = ""
    for number, prompt in enumerate(("Client secret", "Webhook secret token"), start=1):
        shown += read_until(process, prompt)
        # What was typed before the echo is off is thrown away, as at any password prompt.
        time.sleep(0.5)
        os.write(master, f"{CANARY}-{number}\n".encode())
    out, said = process.communicate(timeout=30)
    os.close(master)
    assert process.returncode == 0, said
    assert CANARY not in shown + out + said
    for file in tmp_path.iterdir():
        assert CANARY.encode() not in file.read_bytes(), file


def test_a_secret_can_be_piped(tmp_path: Path) -> None:
    """`-` is standard input; an empty pipe is an empty secret, and refused."""
    process = program(tmp_path, *ADD, "--client-secret-file", "-", stdin=subprocess.PIPE)
    out, said = process.communicate(f"{CANARY}\n", timeout=30)
    assert (process.returncode, CANARY in out + said) == (0, False), said
    process = program(tmp_path, *ADD, "--client-secret-file", "-", stdin=subprocess.PIPE)
    assert "is empty" in process.communicate("", timeout=30)[1]
    process = program(tmp_path, "account", "import", "-", stdin=subprocess.PIPE)
    assert "1 accounts added" in process.communicate("label\na\n", timeout=30)[0]


def test_mixed_up_values_are_warned_about_without_showing_them(tmp_path: Path) -> None:
    """A secret token equal to the client secret is refused; the same secret twice is a warning."""
    environ = {**os.environ, "RTMS_AUDIT_CLIENT_SECRET": CANARY, "RTMS_AUDIT_WEBHOOK_SECRET": CANARY}
    command = [sys.executable, "-m", "rtms_audit", "--database", f"sqlite:///{tmp_path / 'audit.db'}", *ADD]
    refused = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environ, stdin=subprocess.DEVNULL, timeout=30
    )
    assert refused.returncode == 2
    assert "are the same" in refused.stderr
    assert CANARY not in refused.stdout + refused.stderr
    del environ["RTMS_AUDIT_WEBHOOK_SECRET"]
    for name in ("production", "development"):
        command[command.index("--environment") + 1] = name
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environ, stdin=subprocess.DEVNULL, timeout=30
        )
    assert "Warning: Development and production have the same client secret." in done.stderr
    assert CANARY not in done.stdout + done.stderr
