"""The support ticket: one zip that explains an install, holds its evidence, and shows whether it was altered.

The bytes depend on the contents alone: fixed times, a fixed order, and no compression, whose output differs between
builds of zlib. `manifest.json` holds the SHA-256 sum of every other file, and the zip's comment that of the manifest.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from rtms_audit import __version__
from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.report.explain import explanation
from rtms_audit.report.json_ import json_diagnoses, json_text
from rtms_audit.report.markdown import markdown_explanation, markdown_timeline

FORMAT = "rtms-audit/ticket@1"
MANIFEST = "manifest.json"
MOST_FILES = 64
MOST_BYTES = 64 * 1024 * 1024
"""How many files, and how many bytes of them together, a ticket may hold; anything larger is refused unread."""

REPACKED = "it was packed again; every file in it is as its manifest says"
"""The one finding that casts no doubt on the contents: some other program made the zip around them."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED = 0x1


def ticket_bundle(diagnosis: Diagnosis, evidence: str, *, judged_alike: bool = True) -> bytes:
    """Return the ticket of one install.

    `evidence` is the redacted evidence file that the diagnosis was made from; `judged_alike` says whether the evidence
    before redaction is judged the same.
    """
    files = {
        "explanation.md": markdown_explanation(diagnosis, level=1).encode(),
        "explanation.txt": explanation(diagnosis).encode(),
        "timeline.md": markdown_timeline(diagnosis).encode(),
        "evidence.yaml": evidence.encode(),
        "diagnosis.json": json_diagnoses([diagnosis]).encode(),
    }
    return pack(files, install=str(diagnosis.install), judged_alike=judged_alike)


def pack(files: Mapping[str, bytes], **about: object) -> bytes:
    """Return a zip of the files with a manifest of their sums; `about` goes into the manifest as it is."""
    manifest = json_text(
        {
            "format": FORMAT,
            "tool": "rtms-audit",
            "version": __version__,
            **about,
            "files": {name: {"sha256": _sum(data), "bytes": len(data)} for name, data in sorted(files.items())},
        }
    ).encode()
    return _zip({MANIFEST: manifest, **files})


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Return the zip of the files, manifest included; the same files always make the same bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items(), key=lambda item: (item[0] != MANIFEST, item[0])):
            archive.writestr(_entry(name), data)
        archive.comment = _sum(files[MANIFEST]).encode()
    return whole.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    return entry


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def ticket_problems(data: bytes) -> tuple[str, ...]:
    """Return what is wrong with a ticket, as sentences; none where every file is as it was packed.

    Nothing is unpacked to disk, and no more than `MOST_BYTES` are read, whatever the zip claims.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _archive_problems(archive, data)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as error:
        return (f"it is not a zip file that can be read ({error})",)


def _archive_problems(archive: zipfile.ZipFile, data: bytes) -> tuple[str, ...]:
    entries = archive.infolist()
    unsafe = _unsafe(entries)
    if unsafe:
        return unsafe
    contents = {entry.filename: _read(archive, entry) for entry in entries}
    problems = _file_problems(contents, archive.comment)
    if not problems and _zip(contents) != data:
        return (REPACKED,)
    return problems


def _file_problems(contents: Mapping[str, bytes], comment: bytes) -> tuple[str, ...]:
    """Compare the files with the manifest, and the manifest with its sum in the zip's comment.

    A zip without a comment was made by another program, which says nothing of the manifest.
    """
    if MANIFEST not in contents:
        return (f"{MANIFEST} is missing",)
    problems = [f"{MANIFEST} was changed"] if comment not in (b"", _sum(contents[MANIFEST]).encode()) else []
    sums = _manifest_sums(contents[MANIFEST])
    if sums is None:
        return (*problems, f"{MANIFEST} is not the manifest of a ticket")
    contents = {name: data for name, data in contents.items() if name != MANIFEST}
    problems += [f"{name} is missing" for name in sorted(sums.keys() - contents.keys())]
    problems += [f"{name} was added" for name in sorted(contents.keys() - sums.keys())]
    problems += [
        f"{name} was changed" for name in sorted(sums.keys() & contents.keys()) if _sum(contents[name]) != sums[name]
    ]
    return tuple(problems)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read one file, never more than it said it holds; what cannot be unpacked counts as changed contents."""
    try:
        with archive.open(entry) as file:
            return file.read(entry.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return b""


def _unsafe(entries: list[zipfile.ZipInfo]) -> tuple[str, ...]:
    """Return why a zip must not even be read."""
    names = [entry.filename for entry in entries]
    if len(names) > MOST_FILES:
        return (f"it holds {len(names)} files, more than the {MOST_FILES} that a ticket may hold",)
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        return (f"it unpacks to more than the {MOST_BYTES // 1024 // 1024} MiB that a ticket may hold",)
    problems = [f"{name!r} stands in it twice" for name in sorted({name for name in names if names.count(name) > 1})]
    problems += [f"{name!r} is not a plain file name" for name in names if not _plain_name(name)]
    problems += [f"{entry.filename!r} is encrypted" for entry in entries if entry.flag_bits & _ENCRYPTED]
    return tuple(problems)


def _plain_name(name: str) -> bool:
    return bool(name) and name == PurePosixPath(name).name and "\\" not in name and ":" not in name and name != ".."


def _manifest_sums(manifest: bytes) -> dict[str, str] | None:
    """Return each file's sum, or None where this is not a manifest of ours."""
    try:
        document = json.loads(manifest)
        if document["format"] != FORMAT:
            return None
        return {str(name): str(about["sha256"]) for name, about in document["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
