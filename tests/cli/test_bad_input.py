"""Wrong calls and broken surroundings: one clear sentence, the next step, the exit code, nothing half-written."""

import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rtms_audit.cli.common import Context
from rtms_audit.cli.main import cli, tell_error
from rtms_audit.errors import ExitCode
from rtms_audit.settings import Settings, sqlite_url

Captured = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, str, str]]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def run(tmp_path: Path, capsys: Captured) -> Run:
    """Give a function that runs the program on a store of this test; Zoom is nowhere unless an address is given."""

    def call(*arguments: str | Path, zoom: str = NOWHERE, database: str | None = None) -> tuple[int, str, str]:
        context = Context()
        context.settings = Settings(
            database_url=database or sqlite_url(tmp_path / "audit.db"), zoom_oauth_url=f"{zoom}/oauth",
            zoom_api_url=f"{zoom}/v2",
        )  # fmt: skip
        try:
            result = cli.main(args=[str(one) for one in arguments], standalone_mode=False, obj=context)
            code = int(result) if isinstance(result, int) else 0
        except Exception as error:
            code = tell_error(error, context)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def ready(run: Run, tmp_path: Path) -> Run:
    """Register an app and an account first."""
    secret = tmp_path / "secret"
    for environment in ("development", "production"):
        secret.write_text(f"the-client-secret-of-{environment}\n", encoding="utf-8")
        code, _, _ = run(
            "app", "add", "notes", "--environment", environment, "--client-id", f"{environment}-id",
            "--client-secret-file", secret,
        )  # fmt: skip
        assert code == 0
    assert run("account", "add", "dev-co")[0] == 0
    return run


@pytest.fixture
def html() -> Iterator[str]:
    """Serve HTML wherever Zoom would serve JSON."""

    class Portal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            page = b"<html>Sign in to the hotel</html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def holds(answer: tuple[int, str, str], code: int, *texts: str) -> None:
    """Hold that an error was told properly."""
    assert answer[0] == code, answer
    assert answer[1] == ""
    assert "Next: " in answer[2] or "Usage:" in answer[2], answer[2]
    assert "Traceback" not in answer[2]
    for text in texts:
        assert text in answer[2], answer[2]


INSTALL = ("install", "dev-co", "--environment", "production")


def test_an_unknown_account(ready: Run) -> None:
    """Every command names the accounts that there are."""
    for command in (
        ("install", "nobody", "--environment", "production"),
        ("collect", "nobody"),
        ("probe", "nobody", "--environment", "production", "--meeting", "1"),
        ("installs", "refresh", "nobody"),
        ("installs", "revoke", "nobody", "--environment", "production"),
    ):
        holds(ready(*command), ExitCode.USAGE, "no account 'nobody'; known are dev-co")


def test_an_unknown_environment(ready: Run) -> None:
    """The two that there are stand in the sentence."""
    code, _, told = ready("install", "dev-co", "--environment", "staging")
    assert code == ExitCode.USAGE
    assert "'development', 'production'" in told


def test_no_app_at_all(run: Run) -> None:
    """The first thing to do is told."""
    assert run("account", "add", "dev-co")[0] == 0
    for command in (INSTALL, ("collect",), ("serve", "--port", "0"), ("installs", "list"), ("app", "check")):
        holds(run(*command), ExitCode.USAGE, "No app is known yet", "rtms-audit app add")


def test_a_missing_pair(run: Run, tmp_path: Path) -> None:
    """The environment that is missing is named."""
    secret = tmp_path / "secret"
    secret.write_text("s", encoding="utf-8")
    add = ("app", "add", "notes", "--environment", "development", "--client-id", "D", "--client-secret-file", secret)
    assert run(*add)[0] == 0
    assert run("account", "add", "dev-co")[0] == 0
    holds(run(*INSTALL), ExitCode.USAGE, "no production credentials")


@pytest.mark.parametrize("url", ["ftp://x.example.com/cb", "http://audit.example.com/cb", "not an address"])
def test_a_malformed_redirect_address(run: Run, tmp_path: Path, url: str) -> None:
    """Nothing is registered."""
    secret = tmp_path / "secret"
    secret.write_text("s", encoding="utf-8")
    add = ("app", "add", "notes", "--environment", "production", "--client-id", "P", "--client-secret-file", secret)
    holds(run(*add, "--redirect-uri", url), ExitCode.USAGE, "redirect address")
    assert "notes" not in run("app", "list")[1]


def test_a_malformed_database_address(run: Run) -> None:
    """The address is not repeated, since it may hold a password."""
    answer = run("account", "list", database="nonsense:hunter2")
    holds(answer, ExitCode.USAGE, "database address")
    assert "hunter2" not in answer[2]


def test_a_wrong_key_says_which_is_needed_and_destroys_nothing(ready: Run, tmp_path: Path) -> None:
    """With the right key back, everything is as it was."""
    key = tmp_path / "audit.db.key"
    right = key.read_text(encoding="utf-8")
    key.write_text("A" * 43 + "=\n", encoding="utf-8")
    holds(ready(*INSTALL, "--no-browser", "--timeout", "1"), ExitCode.USAGE, "key")
    code, listed, _ = ready("keys", "list")
    assert (code, "MISSING" in listed) == (ExitCode.USAGE, True)
    assert ready("doctor")[0] == ExitCode.USAGE
    key.write_text("rubbish", encoding="utf-8")
    holds(ready(*INSTALL, "--no-browser", "--timeout", "1"), ExitCode.USAGE, "key")
    key.write_text(right, encoding="utf-8")
    assert ready("keys", "list")[0] == 0
    assert ready("app", "show")[0] == 0


def test_keys_are_rotated_and_everything_stays_readable(ready: Run) -> None:
    """The result names the new key."""
    before = ready("keys", "list", "--format", "json")[1]
    code, told, _ = ready("keys", "rotate")
    assert code == 0
    assert "2 secrets are under key" in told
    assert ready("keys", "list", "--format", "json")[1] != before


def test_a_database_of_a_newer_version_is_left_alone(ready: Run, tmp_path: Path) -> None:
    """Upgrade the program, not the database."""
    with sqlite3.connect(tmp_path / "audit.db") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    holds(ready("account", "list"), ExitCode.USAGE, "9999", "newer version")
    holds(ready("db", "upgrade"), ExitCode.USAGE, "9999")
    holds(ready("db", "check"), ExitCode.USAGE, "9999")
    assert "9999" in ready("doctor")[1]


def test_a_new_database_is_checked_and_brought_up(run: Run) -> None:
    """`check` changes nothing; `upgrade` can be run twice."""
    holds(run("db", "check"), ExitCode.USAGE, "not there yet", "db upgrade")
    assert "from nothing to revision" in run("db", "upgrade")[1]
    assert "already" in run("db", "upgrade")[1]
    assert "as this version needs it" in run("db", "check")[1]


def test_a_port_in_use(ready: Run, tmp_path: Path) -> None:
    """For `serve`, for the sandbox, and for a redirect address of our own."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        holds(ready("serve", "--port", port), ExitCode.USAGE, "in use", "--port 0")
        holds(ready("sandbox", "serve", "--port", port), ExitCode.USAGE, port)
        secret = tmp_path / "secret"
        changed = ("--client-id", "P", "--client-secret-file", secret, "--redirect-uri", f"http://127.0.0.1:{port}/cb")
        assert ready("app", "add", "notes", "--environment", "production", *changed)[0] == 0
        holds(ready(*INSTALL, "--no-browser"), ExitCode.USAGE, port, "--paste")


def test_an_unreachable_zoom(ready: Run) -> None:
    """What could not be asked is unknown, with exit code 3; the doctor says where the trouble is."""
    code, out, _ = ready("app", "check")
    assert code == ExitCode.INCOMPLETE
    assert "unknown" in out
    code, out, _ = ready("doctor")
    assert code == ExitCode.USAGE
    assert "! Zoom's OAuth address: 127.0.0.1" in out
    assert "firewall" in out
    code, _, told = ready("collect")
    assert code == ExitCode.INCOMPLETE
    assert "Not installed: dev-co/development, dev-co/production" in told


def test_a_token_address_that_answers_html(ready: Run, html: str) -> None:
    """A portal of a hotel is not Zoom."""
    code, out, _ = ready("app", "check", zoom=html)
    assert (code, "invalid" in out) == (ExitCode.INCOMPLETE, False)
    assert "an HTML page came; is a proxy or login page in between?" in out
    assert "not as Zoom does" in ready("doctor", zoom=html)[1]


def test_secrets_come_from_files_or_the_environment_and_never_empty(run: Run, tmp_path: Path) -> None:
    """Without a terminal nothing is asked."""
    add = ("app", "add", "notes", "--environment", "production", "--client-id", "P")
    holds(run(*add), ExitCode.USAGE, "No client secret was given", "RTMS_AUDIT_CLIENT_SECRET")
    holds(run(*add, "--client-secret-file", tmp_path / "missing"), ExitCode.USAGE, "cannot be read")
    empty = tmp_path / "empty"
    empty.write_text("\n", encoding="utf-8")
    holds(run(*add, "--client-secret-file", empty), ExitCode.USAGE, "is empty")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\xff")
    holds(run(*add, "--client-secret-file", binary), ExitCode.USAGE, "not text")


def test_an_accounts_file_with_an_error_imports_nothing(run: Run, tmp_path: Path) -> None:
    """Line and column are named; a good file is imported whole, and again without harm."""
    file = tmp_path / "accounts.csv"
    file.write_text("label,expect_plan\ngood,free\nbad,gold\n", encoding="utf-8")
    holds(run("account", "import", file), ExitCode.USAGE, "line 3, column expect_plan")
    assert "good" not in run("account", "list")[1]
    file.write_text("label,expect_plan\ngood,free\n", encoding="utf-8")
    assert "1 accounts added" in run("account", "import", file)[1]
    assert "1 brought up to date" in run("account", "import", file)[1]
    holds(run("account", "import", tmp_path / "missing.csv"), ExitCode.USAGE, "cannot be read")


def test_onboarding_writes_links_only_where_others_can_come_back(ready: Run, tmp_path: Path) -> None:
    """Nothing is imported before that is clear."""
    file = tmp_path / "accounts.csv"
    file.write_text("label,email\nnew,n@example.com\n", encoding="utf-8")
    holds(ready("account", "onboard", file), ExitCode.USAGE, "cannot come back")
    assert "n@example.com" not in ready("account", "list")[1]
    hosted = (
        "--client-id",
        "P",
        "--client-secret-file",
        tmp_path / "secret",
        "--redirect-uri",
        "https://a.example.com/cb",
    )
    assert ready("app", "add", "notes", "--environment", "production", *hosted)[0] == 0
    code, out, told = ready("account", "onboard", file)
    assert (code, "invited" in out, "0 of 1 installed" in told) == (0, True, True)
    assert "/oauth/authorize?" in out


def test_two_ways_at_once_are_refused(ready: Run) -> None:
    """One way back is enough."""
    holds(ready(*INSTALL, "--no-browser", "--paste"), ExitCode.USAGE, "exclude each other")


def test_an_install_that_is_not_there_cannot_be_probed_or_revoked(ready: Run) -> None:
    """The next step is the install."""
    where = ("dev-co", "--environment", "production")
    holds(ready("probe", *where, "--meeting", "81"), ExitCode.USAGE, "not installed")
    holds(ready("installs", "revoke", *where), ExitCode.USAGE, "not installed")


def test_an_app_is_shown_without_its_secrets_and_removed(ready: Run) -> None:
    """Secrets are named, not shown."""
    shown = ready("app", "show")[1]
    assert "stored" in shown
    assert "the-client-secret" not in shown
    assert "is removed" in ready("app", "remove", "notes")[1]
    holds(ready("app", "show", "notes"), ExitCode.USAGE, "No app is known yet")


def test_the_demo_does_not_overwrite(run: Run, tmp_path: Path) -> None:
    """A folder with a database is somebody's audit."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "audit.db").write_text("mine", encoding="utf-8")
    holds(run("demo", "--keep", tmp_path / "kept"), ExitCode.USAGE, "holds a database already")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    holds(run("demo", "--keep", tmp_path / "file" / "below"), ExitCode.USAGE, "cannot be made")
    assert (tmp_path / "kept" / "audit.db").read_text(encoding="utf-8") == "mine"


def test_unknown_scenarios_and_listeners(run: Run) -> None:
    """The list of scenarios is one command away."""
    holds(run("sandbox", "serve", "--scenario", "nonsense"), ExitCode.USAGE, "sandbox scenarios")
    assert "devforum-142247" in run("sandbox", "scenarios")[1]
    assert "is not a web address" in run("doctor", "--listener", "nowhere")[1]


def test_the_environment_is_not_touched() -> None:
    """These tests bring their own settings."""
    assert not [name for name in os.environ if name.startswith("RTMS_AUDIT_")]


def test_a_meeting_is_named_by_its_number(ready: Run) -> None:
    """Anything else is refused before Zoom is asked; spaces and hyphens do no harm."""
    where = ("probe", "dev-co", "--environment", "production", "--meeting")
    for wrong in ("abc", "81x", "", "8/1"):
        holds(ready(*where, wrong), ExitCode.USAGE, "is not the number of a meeting")
    holds(ready(*where, "810 0000-0001"), ExitCode.USAGE, "not installed")
