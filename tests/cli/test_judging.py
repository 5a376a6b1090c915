"""The commands that take evidence in, judge the store and hand results over."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rtms_audit.cli.main import main
from rtms_audit.errors import ExitCode

Captured = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, str, str]]

CASE = """\
format: rtms-audit/evidence@1
title: a stream that stopped
app:
  name: Notes
  owner: dev-co
  environments: {production: {client_id: PRODID, distribution: beta}}
accounts: {outsider: {plan: free}}
installs:
  - {account: dev-co, environment: production}
  - {account: outsider, environment: production}
observations:
  - at: 2026-03-02T10:00:00Z
    install: dev-co/production
    kind: webhook
    signature: verified
    body: {event: meeting.rtms_started, payload: {rtms_stream_id: s1, server_urls: "wss://rtms.example.com"}}
  - at: 2026-03-02T10:00:01Z
    install: dev-co/production
    kind: webhook
    signature: verified
    body: {event: meeting.rtms_stopped, payload: {rtms_stream_id: s1, stop_reason: 18}}
  - at: 2026-03-02T11:30:00Z
    install: outsider/production
    kind: watch
    from: 2026-03-02T11:00:00Z
    until: 2026-03-02T11:30:00Z
    meeting_started: true
    events: []
"""
WEBHOOKS = """\
{"event": "meeting.rtms_started", "event_ts": 1772445600000, "payload": {"rtms_stream_id": "s9", "server_urls": "wss://x.example.com"}}
{"event": "meeting.rtms_stopped", "event_ts": 1772445601000, "payload": {"rtms_stream_id": "s9", "stop_reason": 18}}
this is no event
"""


@pytest.fixture
def run(tmp_path: Path, capsys: Captured) -> Run:
    """Give a function that runs the program on a store of this test, and returns exit code, result and talk."""
    database = f"sqlite:///{tmp_path / 'audit.db'}"

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(["--database", database, *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Give an evidence file of two installs."""
    file = tmp_path / "case.yaml"
    file.write_text(CASE, encoding="utf-8")
    return file


@pytest.fixture
def filled(run: Run, case: Path) -> Run:
    """Give the function of `run`, with the evidence file in the store."""
    assert run("import", case)[0] == ExitCode.OK
    return run


def rows(text: str) -> list[dict[str, str]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def test_import_takes_a_file_in_once(run: Run, case: Path) -> None:
    """Importing again adds nothing, and both times the counts are told."""
    code, first, _ = run("import", case, "--format", "csv")
    assert code == ExitCode.OK
    assert rows(first)[0] == {
        "file": "case.yaml",
        "app": "Notes",
        "observations": "3",
        "new": "3",
        "not understood": "0",
        "installs": "dev-co/production, outsider/production",
    }
    _, second, _ = run("import", case, "--format", "csv")
    assert rows(second)[0]["new"] == "0"
    assert run("matrix", "--format", "json")[0] == ExitCode.BLOCKED


def test_import_counts_and_shows_what_nobody_understood(run: Run, tmp_path: Path) -> None:
    """A line of a dump that says nothing known is counted in the result and shown in the talk."""
    dump = tmp_path / "webhooks.jsonl"
    dump.write_text(WEBHOOKS, encoding="utf-8")
    code, out, err = run("import", dump, "--install", "dev-co/production", "--format", "csv")
    assert code == ExitCode.OK
    assert (rows(out)[0]["observations"], rows(out)[0]["not understood"]) == ("2", "1")
    assert "webhooks.jsonl:3: not understood: this is no event" in err
    assert run("explain", "dev-co")[1].startswith("dev-co/production: stopped early")


def test_many_lines_not_understood_are_cut_unless_asked_for(run: Run, tmp_path: Path) -> None:
    """The talk stays short; -v shows every line."""
    dump = tmp_path / "webhooks.jsonl"
    dump.write_text(WEBHOOKS + "nonsense\n" * 9, encoding="utf-8")
    assert "5 more lines not understood" in run("import", dump, "--install", "a/production")[2]
    assert run("import", dump, "--install", "a/production", "-v")[2].count("nonsense") == 9


def test_import_without_install_asks_for_it(run: Run, tmp_path: Path) -> None:
    """A dump does not say whose it is, so the user must; nothing is taken in."""
    dump = tmp_path / "webhooks.jsonl"
    dump.write_text(WEBHOOKS, encoding="utf-8")
    code, _, err = run("import", dump)
    assert code == ExitCode.USAGE
    assert "--install ACCOUNT/development" in err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--install", "nobody", "not of the form account/environment"), ("--timezone", "Mars/Base", "is no time zone")],
)
def test_import_refuses_impossible_options(run: Run, case: Path, option: str, value: str, message: str) -> None:
    """An option that cannot be meant is named."""
    code, _, err = run("import", case, option, value)
    assert code == ExitCode.USAGE
    assert message in err


def test_one_bad_file_keeps_all_out(run: Run, case: Path, tmp_path: Path) -> None:
    """If one of several files cannot be read, none is taken in."""
    bad = tmp_path / "bad.yaml"
    bad.write_text("format: rtms-audit/evidence@1\ninstalls: 3\n", encoding="utf-8")
    code, _, err = run("import", case, bad)
    assert code == ExitCode.USAGE
    assert "bad.yaml: installs" in err
    assert run("matrix")[0] == ExitCode.USAGE


def test_matrix_of_nothing_says_what_comes_first(run: Run) -> None:
    """An empty store is a user's error with a next step."""
    code, out, err = run("matrix")
    assert code == ExitCode.USAGE
    assert out == ""
    assert "Next: " in err


def test_matrix_in_both_layouts_and_every_format(filled: Run, tmp_path: Path) -> None:
    """Each layout and format ends with the exit code of the judgement."""
    for layout in ("pivot", "requirements"):
        for format_ in ("table", "json", "csv", "markdown", "html"):
            code, out, _ = filled("matrix", "--layout", layout, "--format", format_)
            assert code == ExitCode.BLOCKED
            assert "dev-co" in out
    page = tmp_path / "matrix.html"
    assert filled("matrix", "-o", page, "--exit-zero")[0] == ExitCode.OK
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_matrix_and_diagnose_give_the_same_records(filled: Run, case: Path) -> None:
    """What the store says and what the file says is the same."""
    stored = json.loads(filled("matrix", "--format", "json")[1])
    judged = json.loads(filled("diagnose", case, "--format", "json")[1])
    told = [
        [(one["install"], one["outcome"], [c["id"] for c in one["causes"]]) for one in d["installs"]]
        for d in (stored, judged)
    ]
    assert told[0] == told[1]


def test_matrix_as_of_an_earlier_time_knows_less(filled: Run) -> None:
    """Before the stream was stopped, nothing was wrong with it."""
    now = json.loads(filled("matrix", "--format", "json")[1])
    then = json.loads(filled("matrix", "--format", "json", "--as-of", "2026-03-02T10:00:00Z")[1])
    outcome = {one["install"]: one["outcome"] for one in now["installs"]}
    before = {one["install"]: one["outcome"] for one in then["installs"]}
    assert outcome["dev-co/production"] == "stopped-early"
    assert before["dev-co/production"] != "stopped-early"
    assert "outsider/production" not in before
    assert filled("matrix", "--as-of", "yesterday-ish")[0] == ExitCode.USAGE


def test_explain_reads_like_an_answer(filled: Run) -> None:
    """One install is explained; the environment may be left out where there is one."""
    code, out, _ = filled("explain", "dev-co")
    assert code == ExitCode.BLOCKED
    assert out.startswith("dev-co/production: stopped early")
    assert len(out.splitlines()) <= 60
    assert filled("explain", "outsider", "--environment", "production")[0] == ExitCode.INCOMPLETE
    assert filled("explain", "dev-co", "--format", "markdown", "--as-of", "2026-03-03")[1].startswith("## dev-co")


def test_explain_of_an_unknown_account_names_the_known(filled: Run) -> None:
    """A wrong name is met with the right ones."""
    code, _, err = filled("explain", "nobody")
    assert code == ExitCode.USAGE
    assert "dev-co/production" in err


def test_attested_facts_count_at_once(filled: Run) -> None:
    """What a person says becomes evidence for every install of the account."""
    code, out, _ = filled("attest", "outsider", "trigger=none", "--by", "their admin", "--note", "asked on the phone")
    assert code == ExitCode.OK
    assert out.startswith("Kept o")
    told = json.loads(filled("explain", "outsider", "--format", "json")[1])["installs"][0]
    assert told["causes"][0]["id"] == "not-triggered"
    assert told["facts"]["trigger"]["value"] == "none"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "trigger=none"], "no account 'nobody'"),
        (["outsider", "trigger"], "not of the form KEY=VALUE"),
        (["outsider", "setting.share_realtime_content=3"], "must be on or off"),
    ],
)
def test_attest_refuses_what_cannot_be(filled: Run, arguments: list[str], message: str) -> None:
    """An unknown account, a word of another form and an impossible value each have their sentence."""
    code, _, err = filled("attest", *arguments, "--by", "me")
    assert code == ExitCode.USAGE
    assert message in err


def test_attest_for_one_environment_and_for_an_account_without_installs(filled: Run) -> None:
    """A statement goes to the environment named, or to both where no install is known."""
    assert filled("attest", "dev-co", "trigger=rest", "--by", "me", "--environment", "development")[1] == "Kept o4.\n"
    filled("import", "--help")
    code, out, _ = filled("contrast", "dev-co/development", "dev-co/production", "--all")
    assert code == ExitCode.OK
    assert "trigger" in out


def test_contrast_shows_the_difference(filled: Run) -> None:
    """Two installs are compared by the facts that matter."""
    code, out, _ = filled("contrast", "dev-co", "outsider", "--format", "csv", "--as-of", "2026-03-03")
    assert code == ExitCode.OK
    assert rows(out)[0]["fact"] == "outcome"
    assert rows(out)[0]["dev-co/production"].startswith("stopped early")


def test_what_if_flips_a_cell_and_stores_nothing(filled: Run) -> None:
    """A fact changed in thought flips the install, and the store stays as it was."""
    before = filled("matrix", "--format", "json")[1]
    code, out, _ = filled("what-if", "outsider", "trigger=none", "--format", "csv")
    assert code == ExitCode.OK
    assert rows(out)[0]["install"] == "outsider/production"
    assert filled("matrix", "--format", "json")[1] == before
    assert "Nothing flips" in filled("what-if", "outsider", "account.plan=free")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nobody", "trigger=none"], "Name one of: dev-co, outsider"), (["outsider", "account.plan=golden"], "golden")],
)
def test_what_if_refuses_what_cannot_be(filled: Run, arguments: list[str], message: str) -> None:
    """An unknown account or an impossible value is named."""
    code, _, err = filled("what-if", *arguments)
    assert code == ExitCode.USAGE
    assert message in err


def test_diff_compares_runs_times_and_now(filled: Run) -> None:
    """A run, the latest run, a time and the present can each stand on either side."""
    filled("matrix")
    filled("attest", "outsider", "trigger=none", "--by", "admin")
    assert rows(filled("diff", "1", "--format", "csv")[1])[0]["install"] == "outsider/production"
    filled("matrix")
    changes = rows(filled("diff", "1", "latest", "--format", "csv")[1])
    assert [one["install"] for one in changes] == ["outsider/production"]
    assert filled("diff", "2", "latest")[1] == "Nothing changed.\n"
    assert "not there" in filled("diff", "2026-03-01", "1")[1]


def test_diff_of_an_unknown_run_names_the_runs(filled: Run) -> None:
    """A number that no run has is met with those there are."""
    code, _, err = filled("diff", "latest")
    assert (code, "none was kept" in err) == (ExitCode.USAGE, True)
    filled("matrix")
    code, _, err = filled("diff", "7")
    assert (code, "the runs of Notes are 1" in err) == (ExitCode.USAGE, True)


def test_export_can_be_judged_and_imported_elsewhere(filled: Run, case: Path, tmp_path: Path) -> None:
    """What is exported is an evidence file that says what the store says."""
    exported = tmp_path / "out.yaml"
    assert filled("export", "-o", exported)[0] == ExitCode.OK
    assert filled("diagnose", exported)[0] == filled("diagnose", case)[0]
    one = json.loads(filled("export", "outsider", "--format", "json", "--redact", "personal")[1])
    assert [install["account"] for install in one["installs"]] == ["outsider"]
    assert filled("export", "nobody")[0] == ExitCode.USAGE
    assert filled("export", "--as-of", "2026-03-02T10:00:00Z")[1].count("kind: webhook") == 1


def test_report_follows_the_ending_of_its_file(filled: Run, tmp_path: Path) -> None:
    """`-o audit.html` makes HTML, nothing makes Markdown, and the page names the app."""
    page = tmp_path / "audit.html"
    assert filled("report", "-o", page)[0] == filled("matrix")[0] != ExitCode.OK
    assert filled("report", "-o", page, "--exit-zero")[0] == ExitCode.OK
    assert "<title>RTMS audit of Notes</title>" in page.read_text(encoding="utf-8")
    assert filled("report", "--title", "Ours", "--as-of", "2026-03-03")[1].startswith("# Ours\n")


def test_ticket_is_packed_and_verified(filled: Run, tmp_path: Path) -> None:
    """A ticket verifies, its evidence can be judged, and an altered one is refused."""
    file = tmp_path / "ticket.zip"
    assert filled("ticket", "dev-co", "--environment", "production", "-o", file)[0] == ExitCode.OK
    assert filled("ticket", "verify", file)[:2] == (ExitCode.OK, f"{file} is as it was packed.\n")
    with zipfile.ZipFile(file) as archive:
        (tmp_path / "evidence.yaml").write_bytes(archive.read("evidence.yaml"))
    assert filled("diagnose", tmp_path / "evidence.yaml", "--install", "dev-co/production")[0] == ExitCode.BLOCKED
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("extra.txt", "x")
    code, out, err = filled("ticket", "verify", file)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "extra.txt was added" in err


def test_ticket_packed_again_passes_and_is_told(filled: Run, tmp_path: Path) -> None:
    """A ticket whose files somebody's program zipped anew is as good as before, and that is said."""
    file, again = tmp_path / "ticket.zip", tmp_path / "again.zip"
    filled("ticket", "dev-co", "--environment", "production", "-o", file)
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in archive.namelist():
            copy.writestr(name, archive.read(name))
    code, out, _ = filled("ticket", "verify", again)
    assert code == ExitCode.OK
    assert "packed again; every file in it is as its manifest says" in out


@pytest.mark.parametrize("what", ["app", "account"])
def test_empty_list_names_the_first_step(run: Run, what: str) -> None:
    """A list of nothing says what comes first."""
    code, _, err = run(what, "list")
    assert code == ExitCode.OK
    assert f"rtms-audit {what} add" in err


def test_log_without_install_is_an_sdk_log(run: Run, tmp_path: Path) -> None:
    """A log that names no install is refused in a sentence that reads well."""
    run("app", "list")
    log = tmp_path / "sdk.log"
    log.write_text("2026-03-02 10:00:00 onLeave reason: 18\n", encoding="utf-8")
    assert "SDK log" in (err := run("import", log)[2])
    assert "is a SDK" not in err


def test_matrix_of_the_past_speaks_of_the_past(filled: Run) -> None:
    """Where nothing was known at the time asked for, that is said of then, not of now."""
    assert "No installs were known then" in filled("matrix", "--as-of", "2001-01-01")[1]


def test_ticket_says_where_redaction_hid_something(run: Run, tmp_path: Path) -> None:
    """Where a masked value was what the judgement rested on, the talk says so."""
    file = tmp_path / "mixed.yaml"
    mixed = CASE.replace("environments: {", "environments: {development: {client_id: jane@example.com}, ")
    file.write_text(
        mixed
        + "  - {install: dev-co/production, kind: statement, about: receiver.client_id, value: jane@example.com}\n",
        encoding="utf-8",
    )
    run("import", file)
    code, _, err = run("ticket", "dev-co", "-o", tmp_path / "t.zip")
    assert code == ExitCode.OK
    assert "redaction hid something" in err
    assert "redaction" not in run("ticket", "dev-co", "--redact", "secrets", "-o", tmp_path / "t.zip")[2]


def test_options_of_ticket_may_come_first(filled: Run, tmp_path: Path) -> None:
    """`ticket -o FILE ACCOUNT` is `ticket ACCOUNT -o FILE`."""
    assert filled("ticket", "-o", tmp_path / "t.zip", "dev-co")[0] == ExitCode.OK


@pytest.mark.parametrize(
    "arguments", [["ticket", "nobody", "-o", "x.zip"], ["ticket", "verify", "nowhere.zip"], ["ticket", "dev-co"]]
)
def test_ticket_called_wrongly_is_usage(filled: Run, arguments: list[str]) -> None:
    """An unknown account, a missing file and a missing output are errors of the call."""
    code, out, err = filled(*arguments)
    assert (code, out) == (ExitCode.USAGE, "")
    assert err
    assert not Path("x.zip").exists()


def test_ticket_help_shows_both_ways(run: Run) -> None:
    """The help shows packing, verifying and the options of packing."""
    code, out, _ = run("ticket", "--help")
    assert code == ExitCode.OK
    assert "ticket ACCOUNT" in out
    assert "ticket verify FILE.zip" in out
    assert "--redact" in out


def test_several_apps_must_be_told_apart(filled: Run, case: Path) -> None:
    """With two apps in the store each command asks which one is meant."""
    assert filled("import", case, "--app", "Other")[0] == ExitCode.OK
    code, _, err = filled("matrix")
    assert code == ExitCode.USAGE
    assert "--app" in err
    assert filled("matrix", "--app", "Other", "--format", "csv")[0] == ExitCode.BLOCKED
