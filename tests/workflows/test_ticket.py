"""What goes into a support ticket, and what stays out of it."""

import io
import json
import string
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.model import (
    Account,
    App,
    AppEnvironment,
    Case,
    Environment,
    Install,
    InstallKey,
    Kind,
    Observation,
    Plan,
)
from rtms_audit.core.redact import Level
from rtms_audit.errors import UserError
from rtms_audit.report.ticket import MOST_BYTES
from rtms_audit.workflows.evidence_io import read_evidence
from rtms_audit.workflows.ticket import prepare_ticket, selected, verify_ticket

PROD = InstallKey("customer", Environment.PRODUCTION)
DEV = InstallKey("customer", Environment.DEVELOPMENT)
OWNER = InstallKey("dev-co", Environment.PRODUCTION)
OTHER = InstallKey("stranger", Environment.PRODUCTION)
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
EMAIL = "jane.doe@example.com"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def webhook(id_: str, install: InstallKey, **payload: object) -> Observation:
    """Build a verified webhook of a stream."""
    event = "meeting.rtms_stopped" if "stop_reason" in payload else "meeting.rtms_started"
    body = {"event": event, "payload": {"rtms_stream_id": "s1", "server_urls": "wss://rtms.example.com", **payload}}
    fields = {"signature": "verified", "verified_with": "production", "body": body}
    return Observation(kind=Kind.WEBHOOK, fields=fields, at=AT, install=install, id=id_)


def statement(id_: str, install: InstallKey, note: str) -> Observation:
    """Build something that a person said."""
    fields = {"about": "receiver.running", "value": True, "by": EMAIL, "note": note}
    return Observation(kind=Kind.STATEMENT, fields=fields, at=AT, install=install, id=id_)


CASE = Case(
    installs=tuple(Install(key) for key in (PROD, DEV, OWNER, OTHER)),
    observations=(
        webhook("o1", PROD, operator_id="usrSecretPerson01"),
        webhook("o2", PROD, stop_reason=18),
        statement("o3", PROD, f"call me, {EMAIL}; my token is {TOKEN}"),
        statement("o4", OTHER, "our own business"),
        statement("o5", OWNER, "we own it"),
    ),
    app=App(name="Notes", owner="dev-co"),
    accounts={name: Account(name, Plan.PRO) for name in ("customer", "dev-co", "stranger")},
    title=f"asked by {EMAIL}",
)


def contents(data: bytes) -> dict[str, bytes]:
    """Unpack a ticket."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_whoever_is_sent_a_ticket_gets_the_same_answer(tmp_path: Path) -> None:
    """The evidence in a ticket is judged exactly as the diagnosis in it says, with the same evidence ids."""
    files = contents(prepare_ticket(CASE, PROD).bundle)
    evidence = tmp_path / "evidence.yaml"
    evidence.write_bytes(files["evidence.yaml"])
    told = json.loads(files["diagnosis.json"])["installs"][0]
    again = diagnose(read_evidence(evidence), PROD)
    assert told["outcome"] == again.outcome == "stopped-early"
    assert [cause["id"] for cause in told["causes"]] == [cause.id for cause in again.causes]
    assert [tuple(cause["evidence"]) for cause in told["causes"]] == [cause.evidence for cause in again.causes]


def test_ticket_says_whether_redaction_changed_the_judgement() -> None:
    """The judgement before redaction is compared with the one after it."""
    ticket = prepare_ticket(CASE, PROD)
    assert ticket.judged_alike
    assert json.loads(contents(ticket.bundle)["manifest.json"])["judged_alike"] is True


def test_ticket_owns_up_to_what_redaction_hid() -> None:
    """Where a masked value was what the judgement rested on, the manifest says that the ticket tells less."""
    mixed = "jane.doe@example.com"
    environments = {Environment.DEVELOPMENT: AppEnvironment(mixed), Environment.PRODUCTION: AppEnvironment("PRODID")}
    fields = {"about": "receiver.client_id", "value": mixed}
    said = Observation(kind=Kind.STATEMENT, fields=fields, at=AT, install=PROD, id="o6")
    app = App(name="Notes", environments=environments)
    case = replace(CASE, app=app, observations=(*CASE.observations[:2], said))
    ticket = prepare_ticket(case, PROD)
    assert not ticket.judged_alike
    assert json.loads(contents(ticket.bundle)["manifest.json"])["judged_alike"] is False


def test_no_secret_and_no_person_is_in_a_ticket() -> None:
    """Tokens, addresses and user ids are masked in every file."""
    whole = b"".join(contents(prepare_ticket(CASE, PROD).bundle).values()).decode()
    for private in (TOKEN, EMAIL, "jane", "usrSecretPerson01"):
        assert private not in whole


@given(
    id_=st.text(string.ascii_letters + string.digits, min_size=22, max_size=22).filter(lambda text: not text.islower()),
    meeting=st.integers(10**10, 10**11 - 1),
)
def test_planted_ids_survive_in_no_file_of_a_ticket(id_: str, meeting: int) -> None:
    """An id that a field of one install holds is masked in the prose of every other, in every file."""
    fields = {
        "request": {"method": "GET", "path": f"/v2/users/{id_}/settings"},
        "response": {"status": 404, "body": {"code": 3001, "message": f"Meeting does not exist: {meeting}."}},
    }
    case = replace(
        CASE,
        observations=(
            webhook("o1", PROD, operator_id=id_, object={"meeting_id": meeting}),
            webhook("o2", PROD, stop_reason=18),
            Observation(kind=Kind.REST, fields=fields, at=AT, install=PROD, id="o3"),
            statement("o4", OWNER, f"seen {id_} in {meeting}"),
        ),
        title=f"{id_} cannot join {meeting}",
    )
    files = contents(prepare_ticket(case, PROD).bundle)
    for name, data in files.items():
        assert id_.encode() not in data, name
        assert str(meeting).encode() not in data, name


def test_names_may_stay_where_only_secrets_are_to_go() -> None:
    """At the lower level people stay readable, tokens never."""
    whole = b"".join(contents(prepare_ticket(CASE, PROD, level=Level.SECRETS).bundle).values()).decode()
    assert EMAIL in whole
    assert TOKEN not in whole


def test_other_accounts_stay_out_of_a_ticket() -> None:
    """Only the account itself and the app's owner are in it."""
    whole = b"".join(contents(prepare_ticket(CASE, PROD).bundle).values()).decode()
    assert "stranger" not in whole
    assert "our own business" not in whole
    assert "we own it" in whole


def test_case_without_owner_makes_a_ticket_too() -> None:
    """Where nobody knows who owns the app, the account stands alone."""
    case = Case(installs=(Install(PROD), Install(OTHER)), observations=CASE.observations[:2])
    assert b"other" not in contents(prepare_ticket(case, PROD).bundle)["evidence.yaml"]


def test_same_case_makes_the_same_ticket() -> None:
    """Neither time nor chance gets into a ticket."""
    assert prepare_ticket(CASE, PROD).bundle == prepare_ticket(CASE, PROD).bundle


def test_fresh_ticket_verifies_and_a_changed_one_does_not(tmp_path: Path) -> None:
    """The file is checked from the disk."""
    file = tmp_path / "ticket.zip"
    bundle = prepare_ticket(CASE, PROD).bundle
    file.write_bytes(bundle)
    assert verify_ticket(file) == ()
    file.write_bytes(bundle[:-1] + b"x")
    assert verify_ticket(file) != ()


def test_huge_file_is_not_even_read(tmp_path: Path) -> None:
    """A file far larger than a ticket is refused by its size."""
    file = tmp_path / "huge.zip"
    with file.open("wb") as sparse:
        sparse.truncate(2 * MOST_BYTES + 1)
    (problem,) = verify_ticket(file)
    assert "128 MiB" in problem


def test_missing_file_is_a_user_error(tmp_path: Path) -> None:
    """A ticket that is not there is named."""
    with pytest.raises(UserError, match=r"nowhere\.zip cannot be read"):
        verify_ticket(tmp_path / "nowhere.zip")


def test_accounts_of_a_case_are_selected() -> None:
    """A selection holds installs, observations and accounts of those named, and names an unknown one."""
    case = selected(CASE, ["stranger"])
    assert [one.key for one in case.installs] == [OTHER]
    assert [one.id for one in case.observations] == ["o4"]
    assert list(case.accounts) == ["stranger"]
    with pytest.raises(UserError, match="no install of 'nobody'"):
        selected(CASE, ["stranger", "nobody"])
