"""The support ticket and the check that nobody altered it."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit import __version__
from rtms_audit.core.verdicts import Diagnosis
from rtms_audit.report import ticket
from rtms_audit.report.ticket import pack, ticket_bundle, ticket_problems

FILES = {"explanation.md": b"why", "evidence.yaml": b"format: x\n"}
GOOD = pack(FILES, install="dev-co/production")


def rewritten(change: Callable[[dict[str, bytes]], object], *, comment: bytes | None = None) -> bytes:
    """Give the good ticket with its files changed by a function, as a zip made by somebody else."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
        kept = archive.comment
    change(contents)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
        archive.comment = kept if comment is None else comment
    return whole.getvalue()


def test_ticket_holds_what_a_support_engineer_needs(developer: Diagnosis) -> None:
    """The bundle has explanation, timeline, evidence, diagnosis and a manifest that names the tool's version."""
    data = ticket_bundle(developer, "format: rtms-audit/evidence@1\n")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        diagnosis = json.loads(archive.read("diagnosis.json"))
    assert names == [
        "manifest.json",
        "diagnosis.json",
        "evidence.yaml",
        "explanation.md",
        "explanation.txt",
        "timeline.md",
    ]
    assert manifest["version"] == __version__
    assert manifest["install"] == "developer/production"
    assert manifest["judged_alike"] is True
    assert set(manifest["files"]) == set(names) - {"manifest.json"}
    assert diagnosis["installs"][0]["outcome"] == "stopped-early"


def test_same_contents_make_the_same_bytes() -> None:
    """Nothing of the time, the machine or the order of the files gets into a ticket."""
    assert pack(dict(reversed(FILES.items())), install="dev-co/production") == GOOD


def test_ticket_as_packed_has_no_problem() -> None:
    """A fresh ticket verifies."""
    assert ticket_problems(GOOD) == ()


def test_changed_file_is_named() -> None:
    """One other byte in a file is found, and the file is named."""
    assert ticket_problems(rewritten(lambda files: files.update({"explanation.md": b"who"}))) == (
        "explanation.md was changed",
    )


def test_missing_file_is_named() -> None:
    """A file that was taken out is found."""
    assert ticket_problems(rewritten(lambda files: files.pop("evidence.yaml"))) == ("evidence.yaml is missing",)


def test_added_file_is_named() -> None:
    """A file that was put in is found."""
    assert ticket_problems(rewritten(lambda files: files.update({"extra": b""}))) == ("extra was added",)


def test_manifest_that_was_adapted_is_found() -> None:
    """Who changes a file and its sum in the manifest is betrayed by the sum of the manifest."""

    def forge(files: dict[str, bytes]) -> None:
        manifest = json.loads(files["manifest.json"])
        manifest["install"] = "somebody/production"
        files["manifest.json"] = json.dumps(manifest).encode()

    assert ticket_problems(rewritten(forge)) == ("manifest.json was changed",)


@pytest.mark.parametrize("manifest", [b"no json", b"[]", b'{"format": "other"}', b'{"format": "rtms-audit/ticket@1"}'])
def test_manifest_of_another_shape_is_none_of_ours(manifest: bytes) -> None:
    """A manifest that cannot be read as ours is said to be none."""
    problems = ticket_problems(rewritten(lambda files: files.update({"manifest.json": manifest})))
    assert problems[-1] == "manifest.json is not the manifest of a ticket"


def test_missing_manifest_is_named() -> None:
    """Without a manifest nothing can be verified."""
    assert ticket_problems(rewritten(lambda files: files.pop("manifest.json"))) == ("manifest.json is missing",)


@pytest.mark.parametrize("comment", [None, b""])
def test_repacked_zip_is_told_apart(comment: bytes | None) -> None:
    """The same files in a zip of somebody else's making are said to be just that."""
    assert ticket_problems(rewritten(lambda _files: None, comment=comment)) == (ticket.REPACKED,)


def test_finding_in_a_repacked_zip_stands_alone() -> None:
    """A changed file in a zip without our comment is named, and nothing is said of the manifest, which is unchanged."""
    changed = rewritten(lambda files: files.update({"explanation.md": b"who"}), comment=b"")
    assert ticket_problems(changed) == ("explanation.md was changed",)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/b", "c:evil", "a\\b", ".."])
def test_name_that_leaves_the_folder_is_refused(name: str) -> None:
    """A file name that could land elsewhere is refused before anything is read."""
    (problem,) = ticket_problems(rewritten(lambda files: files.update({name: b""})))
    assert problem.endswith("is not a plain file name")


def test_bomb_is_refused_unread() -> None:
    """A zip that would unpack to more than a ticket may hold is refused by its own claim."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(ticket.MOST_BYTES + 1))
    (problem,) = ticket_problems(whole.getvalue())
    assert "64 MiB" in problem


def test_bomb_that_lies_about_its_size_is_cut() -> None:
    """A zip whose claim is small and whose contents are huge is read no further than its claim."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(5_000_000))
    data = whole.getvalue().replace((5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert ticket_problems(data)


def test_too_many_files_are_refused() -> None:
    """A zip of thousands of files is no ticket."""
    (problem,) = ticket_problems(rewritten(lambda files: files.update({f"f{n}": b"" for n in range(100)})))
    assert problem == "it holds 103 files, more than the 64 that a ticket may hold"


def test_name_that_stands_twice_is_refused() -> None:
    """Two files of one name could be read differently by different programs."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"2")
    assert ticket_problems(whole.getvalue()) == ("'a' stands in it twice",)


def test_encrypted_file_is_refused() -> None:
    """An encrypted file cannot be verified, and is said to be encrypted."""
    data = bytearray(GOOD)
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    assert ticket_problems(bytes(data)) == ("'manifest.json' is encrypted",)


def test_other_file_is_no_zip() -> None:
    """Something else than a zip is said to be none."""
    (problem,) = ticket_problems(b"not a zip at all")
    assert problem.startswith("it is not a zip file that can be read")


@given(place=st.integers(0, len(GOOD) - 1), flip=st.integers(1, 255))
def test_any_changed_byte_is_found(place: int, flip: int) -> None:
    """There is no byte in a ticket that could be changed unnoticed, and no change that breaks the check."""
    data = bytearray(GOOD)
    data[place] ^= flip
    assert ticket_problems(bytes(data))


@given(length=st.integers(0, len(GOOD) - 1))
def test_any_cut_is_found(length: int) -> None:
    """A ticket that arrived incomplete does not verify."""
    assert ticket_problems(GOOD[:length])
