"""Files of every kind, told apart by what they hold."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from rtms_audit.core.evidence_file import read_case
from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.errors import EvidenceFileError
from rtms_audit.workflows.evidence_io import FileKind, dump_json, dump_yaml, load_document, load_evidence, read_evidence

EVIDENCE = """\
format: rtms-audit/evidence@1
title: a title – with a dash
installs:
  - {account: dev-co, environment: production}
observations:
  - {at: 2026-03-02T10:00:00.600Z, kind: sdk, reason: 960}
  - kind: statement
    about: setting.auto_start
    value: off
"""
EVENT = {"event": "meeting.rtms_stopped", "event_ts": 1772445600000, "payload": {"stop_reason": 18}}
KEY = InstallKey("dev-co", Environment.PRODUCTION)
Put = Callable[[str, str | bytes], Path]


@pytest.fixture(name="put")
def _put(tmp_path: Path) -> Put:
    """Return a function that makes a file."""

    def make(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def complaint(read: Callable[[], object]) -> str:
    """Return what is said against a file."""
    with pytest.raises(EvidenceFileError) as caught:
        read()
    return caught.value.message


@pytest.mark.parametrize("name", ["case.yaml", "case.yml", "case.txt"])
def test_yaml_evidence_is_read(put: Put, name: str) -> None:
    """An evidence file is known by its name or by its first key."""
    path = put(name, EVIDENCE)
    case = read_evidence(path)
    assert case.title == "a title – with a dash"
    assert case.observations[0].at == datetime(2026, 3, 2, 10, 0, 0, 600000, tzinfo=UTC)
    assert case.observations[1].fields["value"] == "off"
    loaded = load_evidence(path, install=None)
    assert (loaded.kind, loaded.case, loaded.observations) == (FileKind.EVIDENCE, case, case.observations)
    assert (loaded.understood, loaded.routine, loaded.not_understood) == (2, 0, ())


@pytest.mark.parametrize("name", ["case.json", "case.yaml", "case"])
def test_json_evidence_is_read(put: Put, name: str) -> None:
    """JSON is read whatever the file's name, with its keys in any order, pretty-printed or not."""
    case = read_case(load_document(put("a.yaml", EVIDENCE)), name=name)
    document = json.loads(dump_json(case))
    turned = dict(reversed(document.items()))
    for text in (dump_json(case), json.dumps(document), json.dumps(turned)):
        assert load_evidence(put(name, text), install=None).case == case
        assert read_evidence(put(name, text)) == case


def test_what_is_written_is_read_back(put: Put) -> None:
    """Both writers give the same case back."""
    case = read_evidence(put("case.yaml", EVIDENCE))
    assert read_evidence(put("case.yaml", dump_yaml(case))) == case
    assert "title: a title – with a dash" in dump_yaml(case)
    again = read_evidence(put("case.json", dump_json(case)))
    assert [(o.at, o.fields) for o in again.observations] == [(o.at, o.fields) for o in case.observations]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_windows_are_read(put: Put, encoding: str) -> None:
    """Byte order marks do not matter."""
    assert read_evidence(put("case.yaml", EVIDENCE.encode(encoding))).title == "a title – with a dash"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dump.json", json.dumps([EVENT])),
        ("dump.txt", json.dumps(EVENT)),
        ("dump.jsonl", f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}\n"),
        ("dump.jsonl", f"{json.dumps({'body': EVENT})}\n\n{json.dumps({'other': 1})}\n"),
    ],
)
def test_webhook_dumps_are_read(put: Put, name: str, content: str) -> None:
    """A list, one event, JSON lines: all are webhooks about the install that was named."""
    loaded = load_evidence(put(name, content), install=KEY)
    assert (loaded.kind, loaded.case) == (FileKind.WEBHOOKS, None)
    assert {o.install for o in loaded.observations} == {KEY}
    assert loaded.observations[0].fields["body"] == EVENT


def test_sdk_logs_are_read(put: Put) -> None:
    """Any other text is a log; its times need a zone, and its foreign lines are counted."""
    text = "client | 2026-11-23 02:07:30 | INFO  | Joining meeting: x\nJOINCONFIRM 960 0x3c0 0.03\nhello\n"
    loaded = load_evidence(put("console.txt", text), install=KEY, timezone=timezone(timedelta(hours=1)))
    assert (loaded.kind, loaded.understood, loaded.routine) == (FileKind.SDK_LOG, 1, 1)
    assert loaded.observations[0].fields["reason"] == 960
    assert [line.text for line in loaded.not_understood] == ["hello"]


def test_json_logs_of_a_receiver_are_logs(put: Put) -> None:
    """JSON lines without an event in the first are a logger's, events in them are read nevertheless."""
    lines = [{"level": "info", "msg": "onJoinConfirm", "reason": 960}, {"level": "info", "msg": "x", "body": EVENT}]
    loaded = load_evidence(put("app.log", "\n".join(map(json.dumps, lines))), install=KEY)
    assert loaded.kind is FileKind.SDK_LOG
    assert [str(o.kind) for o in loaded.observations] == ["sdk", "webhook"]


@pytest.mark.parametrize("content", ["", "hello\nworld", "[1, 2]", '{"a": 1}', b"\x00\xff\xfe"])
def test_a_file_that_says_nothing_is_refused(put: Put, content: str | bytes) -> None:
    """Nothing understood is an error that says what can be read."""
    assert "nothing in it was understood" in complaint(lambda: load_evidence(put("file.txt", content), install=KEY))


def test_a_file_of_another_kind_is_no_evidence_file(put: Put) -> None:
    """Where an evidence file is needed, a dump is refused with the way to use it."""
    assert "is not an evidence file" in complaint(lambda: read_evidence(put("dump.txt", json.dumps(EVENT))))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", "format: rtms-audit/evidence@1\ninstalls: [\n", "not valid YAML: .* at line 3, column 1"),
        ("a.yaml", "format: x\n\tinstalls: 1", "not valid YAML: .* at line 2"),
        ("a.yaml", "format: rtms-audit/evidence@1\nformat: y\n", "the key format stands twice at line 2, column 1"),
        ("a.yaml", "a: 1\n---\nb: 2\n", "not valid YAML: .* at line 2"),
        ("a.yaml", "title: 2026-13-45T00:00:00Z", "not valid YAML: month"),
        ("a.yaml", "a: " + "[" * 200_000, "nested too deeply"),
        ("a.yaml", "a: !!python/object:os.system x", "not valid YAML"),
        ("a.yaml", "a: \x07", "not valid YAML"),
        ("a.yaml", "{a: 1}: x\n? [1]\n: y", "not valid YAML|as a key"),
        ("a.yaml", "just words", "must be a mapping"),
        ("a.json", '{"format": "rtms-audit/evidence@1", "installs": [}', "not valid JSON: .* line 1, column 50"),
        ("a.json", '{"format": 1, "format": 2}', "the key format stands twice"),
        ("a.json", '{"a": ' + "[" * 200_000, "nested too deeply"),
        ("a.json", '{"a": ' + "1" * 9000 + "}", "a number is too long"),
        ("a.json", "[]", "must be a mapping"),
        ("a.txt", "format: rtms-audit/evidence@7\ninstalls: []", "must be rtms-audit/evidence@1"),
    ],
)
def test_errors_name_the_file_and_the_place(put: Put, name: str, content: str, said: str) -> None:
    """What is no YAML or JSON, or not the right one, is said in one sentence with the place."""
    path = put(name, content)
    with pytest.raises(EvidenceFileError, match=said) as caught:
        read_evidence(path)
    assert caught.value.message.startswith(f"{name}: ")


def test_merged_keys_are_allowed(put: Put) -> None:
    """YAML's anchors and merge keys may be used, and may be overridden."""
    document = load_document(put("a.yaml", "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  <<: {r: 3}\n  p: 5\n"))
    assert document == {"a": {"p": 1, "q": 2}, "b": {"p": 5, "q": 2, "r": 3}}


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    """A missing file and a folder are errors for the user."""
    assert "No such file" in complaint(lambda: read_evidence(tmp_path / "none.yaml"))
    assert "cannot be read" in complaint(lambda: load_evidence(tmp_path, install=None))
