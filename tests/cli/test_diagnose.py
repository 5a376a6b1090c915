"""`rtms-audit diagnose`: an evidence file judged without store or network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rtms_audit.cli.main import main
from rtms_audit.errors import ExitCode

Captured = pytest.CaptureFixture[str]

CASE = """\
format: rtms-audit/evidence@1
title: a stream that stopped
app: {name: Notes, owner: dev-co}
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
"""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Give an evidence file of two installs."""
    file = tmp_path / "case.yaml"
    file.write_text(CASE, encoding="utf-8")
    return file


def test_table_shows_the_matrix_and_both_explanations(case: Path, capsys: Captured) -> None:
    """The result stands on standard output, and the exit code says that something is blocked and explained."""
    assert main(["diagnose", str(case)]) == ExitCode.BLOCKED
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "dev-co/production: stopped early" in captured.out
    assert "outsider/production: " in captured.out
    assert "credentials-mismatch" in captured.out


def test_json_has_the_promised_shape(case: Path, capsys: Captured) -> None:
    """Scripts get the records they may rely on."""
    assert main(["diagnose", str(case), "--format", "json"]) == ExitCode.BLOCKED
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "rtms-audit/diagnosis@1"
    first = document["installs"][0]
    assert (first["install"], first["account"], first["environment"]) == ("dev-co/production", "dev-co", "production")
    assert first["outcome"] == "stopped-early"
    cause = first["causes"][0]
    assert {"id", "category", "status", "reason", "evidence", "remedy", "source"} <= set(cause)
    assert {"who", "what", "where"} == set(cause["remedy"])
    assert all({"fact", "how", "who"} == set(step) for step in first["next"])


def test_one_install_can_be_chosen(case: Path, capsys: Captured) -> None:
    """`--install` judges one install, and the exit code is that of it."""
    assert main(["diagnose", str(case), "--install", "outsider/production"]) == ExitCode.INCOMPLETE
    assert capsys.readouterr().out.startswith("outsider/production: ")


def test_markdown_goes_into_a_file_that_says_so(case: Path, tmp_path: Path, capsys: Captured) -> None:
    """The ending of the output file chooses the format, and standard output stays empty."""
    output = tmp_path / "answer.md"
    assert main(["diagnose", str(case), "-o", str(output)]) == ExitCode.BLOCKED
    assert capsys.readouterr().out == ""
    assert output.read_text(encoding="utf-8").startswith("| account |")
    assert list(tmp_path.glob(".*")) == []


def test_exit_zero_is_for_scripts(case: Path) -> None:
    """With `--exit-zero` a judgement never ends a script."""
    assert main(["diagnose", str(case), "--exit-zero"]) == ExitCode.OK


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format: other", "case.yaml: format: must be rtms-audit/evidence@1"),
        ("format: rtms-audit/evidence@1", "installs"),
        ("a: [", "not valid YAML"),
        ("", "case.yaml"),
    ],
)
def test_file_of_another_shape_names_file_and_place(case: Path, capsys: Captured, text: str, message: str) -> None:
    """A file that cannot be judged says where and why, with exit code 2 and nothing on standard output."""
    case.write_text(text, encoding="utf-8")
    assert main(["diagnose", str(case)]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_missing_file_is_usage(tmp_path: Path, capsys: Captured) -> None:
    """A file that is not there is one sentence."""
    assert main(["diagnose", str(tmp_path / "nowhere.yaml")]) == ExitCode.USAGE
    assert "nowhere.yaml cannot be read" in capsys.readouterr().err


def test_unknown_install_names_those_in_the_file(case: Path, capsys: Captured) -> None:
    """A wrong `--install` is met with the right ones."""
    assert main(["diagnose", str(case), "--install", "nobody/production"]) == ExitCode.USAGE
    assert "dev-co/production, outsider/production" in capsys.readouterr().err


def test_output_into_no_folder_leaves_nothing(case: Path, tmp_path: Path, capsys: Captured) -> None:
    """A file that cannot be written is a user's error that names it."""
    assert main(["diagnose", str(case), "-o", str(tmp_path / "no" / "x.json")]) == ExitCode.USAGE
    assert "x.json cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("format_", ["json", "table", "markdown"])
def test_neither_store_nor_network_is_loaded(case: Path, format_: str) -> None:
    """Judging a file loads no database, no web framework and no HTTP client."""
    program = (
        "import sys; from rtms_audit.cli.main import main; "
        f"main(['diagnose', {str(case)!r}, '--format', '{format_}']); "
        "heavy = {'sqlmodel', 'sqlalchemy', 'authlib', 'fastapi', 'requests', 'cryptography', 'jinja2', 'pydantic'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_file_without_installs_is_told(tmp_path: Path, capsys: Captured) -> None:
    """Where a file names no install, one sentence says why the result is empty."""
    file = tmp_path / "empty.yaml"
    file.write_text("format: rtms-audit/evidence@1\ninstalls: []\n", encoding="utf-8")
    main(["diagnose", str(file)])
    assert "names no install" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "step"),
    [
        ("bad.yaml", b"format: [rtms-audit/evidence@1\n", "Next: mend the file"),
        ("bad.json", b"{", "Next: mend the file"),
        ("ticket.zip", b"PK\x03\x04rest", "Next: unzip it and diagnose the evidence.yaml"),
    ],
)
def test_unreadable_file_gets_a_next_step(
    tmp_path: Path, capsys: Captured, name: str, content: bytes, step: str
) -> None:
    """Whoever gives a broken file or a whole ticket learns what to do."""
    (tmp_path / name).write_bytes(content)
    assert main(["diagnose", str(tmp_path / name)]) == ExitCode.USAGE
    assert step.lower() in capsys.readouterr().err.lower()
