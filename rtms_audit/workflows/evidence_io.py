"""Reads the files that people have, whatever kind they are of, and writes evidence files.

Three kinds are told apart by their content: evidence files (YAML or JSON), dumps of webhooks (JSON or JSON lines), and
logs of Zoom's SDKs (any other text).
"""

import json
import re
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from rtms_audit.core.evidence_file import FORMAT, read_case, write_case
from rtms_audit.core.model import Case, InstallKey, Observation
from rtms_audit.core.readout import Line, Readout
from rtms_audit.core.sdk_log import read_sdk_log
from rtms_audit.core.webhook_dump import is_event, parsed, read_webhook_lines, read_webhooks
from rtms_audit.errors import EvidenceFileError

DEEPEST = 100
"""How deep a YAML file may be nested; far deeper ones make the parser's C code overflow its stack."""
_FORMAT_LINE = re.compile(r"^[{,\s]*[\"']?format[\"']?[ \t]*:[ \t]*[\"']?rtms-audit/evidence", re.MULTILINE)
_REPAIR = "mend the file there; docs/evidence-files.md shows whole evidence files to compare it with"
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class FileKind(StrEnum):
    """What kind of file it was."""

    EVIDENCE = "evidence file"
    WEBHOOKS = "webhook dump"
    SDK_LOG = "SDK log"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file held.

    `case` is there for evidence files only; `observations` for all kinds. `understood`, `routine` and `not_understood`
    are those of a Readout; in an evidence file everything is understood, since anything else is an error.
    """

    kind: FileKind
    observations: tuple[Observation, ...]
    case: Case | None = None
    understood: int = 0
    routine: int = 0
    not_understood: tuple[Line, ...] = ()


def load_document(path: Path) -> object:
    """Return what a YAML or JSON file holds; EvidenceFileError with line and column where it is neither."""
    return _document(_text(path), path.name)


def read_evidence(path: Path) -> Case:
    """Return the case that an evidence file holds; EvidenceFileError where it is not one."""
    text = _text(path)
    if path.suffix.lower() == ".json" or _is_evidence(text, path):
        return read_case(_document(text, path.name), name=path.name)
    raise EvidenceFileError(
        f"{path.name} is not an evidence file: it does not say `format: {FORMAT}`",
        next_step="use `rtms-audit import` for webhook dumps and SDK logs; docs/evidence-files.md describes the format",
    )


def load_evidence(path: Path, *, install: InstallKey | None, timezone: tzinfo | None = None) -> Loaded:
    """Return what a file holds, of whichever kind it is.

    `install` is whom the observations of a webhook dump or a log are about; an evidence file says it itself. `timezone`
    is that of times without a zone in a dump or log. EvidenceFileError where nothing in the file was understood.
    """
    text = _text(path)
    if _is_evidence(text, path):
        case = read_case(_document(text, path.name), name=path.name)
        return Loaded(FileKind.EVIDENCE, case.observations, case, understood=len(case.observations))
    kind, readout = _foreign(text, path.name, install, timezone)
    if not readout.observations:
        raise EvidenceFileError(
            f"{path.name}: nothing in it was understood, neither as an evidence file nor as a webhook dump or SDK log "
            f"({len(readout.not_understood)} lines not understood, {readout.routine} without news)",
            next_step=f"an evidence file says `format: {FORMAT}`; docs/evidence-files.md lists what can be read",
        )
    return Loaded(
        kind,
        readout.observations,
        understood=readout.understood,
        routine=readout.routine,
        not_understood=readout.not_understood,
    )


def dump_yaml(case: Case) -> str:
    """Return the evidence file of a case as YAML, which `read_evidence` reads back to the same case."""
    return str(yaml.dump(write_case(case), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120))


def dump_json(case: Case) -> str:
    """Return the evidence file of a case as JSON, which `read_evidence` reads back to the same case."""
    return json.dumps(write_case(case), indent=2, ensure_ascii=False) + "\n"


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EvidenceFileError(f"{path} cannot be read: {reason}", next_step="check the path and its rights") from None
    if raw.startswith(b"PK\x03\x04"):
        raise EvidenceFileError(
            f"{path.name} is a zip file, such as a ticket, and no evidence file",
            next_step="unzip it and diagnose the evidence.yaml in it; `rtms-audit ticket verify` checks a ticket",
        )
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding, "replace")


def _is_evidence(text: str, path: Path) -> bool:
    """Whether a file is meant to be an evidence file: it says so, or nothing else has such a name or shape."""
    if path.suffix.lower() in (".yaml", ".yml") or _FORMAT_LINE.search(text):
        return True
    document = parsed(text) if text.lstrip().startswith("{") else None
    return isinstance(document, dict) and ("installs" in document or document.get("format") == FORMAT)


def _foreign(text: str, name: str, install: InstallKey | None, timezone: tzinfo | None) -> tuple[FileKind, Readout]:
    document = parsed(text)
    if isinstance(document, list | dict):
        readout = read_webhooks(document, install=install, timezone=timezone, source=name)
        if readout.observations:
            return FileKind.WEBHOOKS, readout
    if _is_json_lines(text):
        readout = read_webhook_lines(text, install=install, timezone=timezone, source=name)
        if readout.observations:
            return FileKind.WEBHOOKS, readout
    return FileKind.SDK_LOG, read_sdk_log(text, install=install, timezone=timezone, source=name)


def _is_json_lines(text: str) -> bool:
    """Whether every line is a JSON mapping, and one is an event or the first wraps one, unlike in a JSON log."""
    found = [parsed(line) for line in text.split("\n") if line.strip()]
    if not found or not all(isinstance(line, dict) for line in found):
        return False
    return any(is_event(line) for line in found) or bool(read_webhooks(found[0]).observations)


def _document(text: str, name: str) -> object:
    if text.lstrip().startswith("{") or name.lower().endswith(".json"):
        try:
            return json.loads(text, object_pairs_hook=_no_duplicates)
        except _DuplicateError as error:
            raise EvidenceFileError(f"{name}: the key {error} stands twice in one mapping") from None
        except RecursionError:
            raise EvidenceFileError(f"{name}: it is nested too deeply") from None
        except ValueError as error:
            if name.lower().endswith(".json"):
                raise EvidenceFileError(f"{name}: not valid JSON: {_place_of(error)}", next_step=_REPAIR) from None
    return _yaml_document(text, name)


class _DuplicateError(ValueError):
    """A key stands twice in one mapping."""


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateError(key)
        found[key] = value
    return found


def _place_of(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "a number is too long"


class _Loader(_LOADER):  # type: ignore[misc]  # whichever of PyYAML's safe loaders is there
    """PyYAML's safe loader, which refuses a key that stands twice in one mapping instead of dropping the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[object] = set()
        for key, _ in node.value:
            known = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
            if known in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
            seen.add(known)
        found: dict[object, object] = super().construct_mapping(node, deep=deep)
        return found


def _yaml_document(text: str, name: str) -> object:
    try:
        _check_depth(text, name)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  the loader is a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise EvidenceFileError(
            f"{name}: not valid YAML: {error.problem or error.context}{place}", next_step=_REPAIR
        ) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise EvidenceFileError(f"{name}: not valid YAML: {reason}", next_step=_REPAIR) from None


def _check_depth(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise EvidenceFileError(f"{name}: it is nested too deeply, in more than {DEEPEST} levels")
