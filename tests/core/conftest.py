"""Short ways to write evidence down, and the tables of the checks that are written in them.

The tables lie in `checks/cases/`: small evidence documents with the verdict and the causes that a check owes them.

A table is a list of entries with `title`, `verdict`, optionally `causes` (cause id: status), `overtaken` (claims that
weighing drops), `says` (words of the verdict's sentence, or after `= ` the whole of it), `proof` (ids of its evidence),
and the evidence: `observations` with whatever of `app`, `accounts`, `installs`, `environment`, `status`, `plan` and
`day` matters. An observation is a mapping as in an evidence file, a single `fact.key: value` for a statement, or one of
the short forms of SHORT. Each is one minute after the one before it, from ten o'clock of `day`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtms_audit.core import flow as flows
from rtms_audit.core.checks import CHECKS
from rtms_audit.core.checks.check import Answer, Check, Subject
from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.evidence_file import read_case
from rtms_audit.core.model import Case
from rtms_audit.core.situation import Situation, gather
from rtms_audit.core.verdicts import Diagnosis, Status, Verdict

FOLDER = Path(__file__).parent / "checks" / "cases"
DAY = "2026-03-02"
STREAM = {"meeting_uuid": "bWVldGluZw==", "rtms_stream_id": "s1"}
START_PATH = "/v2/live_meetings/81000000001/rtms_app/status"


@dataclass(frozen=True)
class Entry:
    """One line of a table: the evidence, and what the check has to say of its first install."""

    check: str
    title: str
    case: Case
    verdict: Verdict
    causes: Mapping[str, Status]
    overtaken: bool
    says: str
    proof: tuple[str, ...] | None

    def complaint(self, answer: Answer) -> str:
        """Return how an answer differs from what the table says, empty where it does not."""
        claims: dict[str, Status] = {}
        for claim in sorted(answer.claims, key=lambda claim: claim.status.strength):
            claims[claim.cause] = claim.status
        if (answer.verdict, claims) != (self.verdict, dict(self.causes)):
            return f"{answer.verdict} with {claims}: {answer.reason}"
        if self.says != f"= {answer.reason}" and self.says not in answer.reason:
            return f"it says: {answer.reason}"
        shown = answer.evidence or next((claim.evidence for claim in answer.claims), ())
        return "" if self.proof in (None, shown) else f"its evidence is {shown}"

    @property
    def subject(self) -> Subject:
        """What the check is asked about."""
        situation = gather(self.case, self.case.installs[0].key)
        return Subject(situation, flows.read(situation))

    def __str__(self) -> str:
        return f"{self.check}: {self.title}"


def webhook(name: str, **payload: object) -> dict[str, Any]:
    """Make a webhook observation."""
    return {"kind": "webhook", "body": {"event": f"meeting.{name}", "payload": payload}}


def start_call(number: str) -> dict[str, Any]:
    """Make a start call that was accepted (204), answered with a code of Zoom's, or with a bare HTTP status."""
    request = {"method": "PATCH", "path": START_PATH, "body": {"action": "start", "settings": {"client_id": "PRODID"}}}
    if number.startswith(("2", "5")) and len(number) == 3:
        return {"kind": "rest", "request": request, "response": {"status": int(number)}}
    body = {"code": int(number), "message": "no"}
    return {"kind": "rest", "request": request, "response": {"status": 400, "body": body}}


def sdk(name: str, callback: str, number: str) -> dict[str, Any]:
    """Make an SDK's report of a number."""
    return {"kind": "sdk", "sdk": name, "callback": callback, "reason": int(number)}


def said(callback: str, message: str) -> dict[str, Any]:
    """Make an SDK's report in words."""
    return {"kind": "sdk", "sdk": "rtms-python", "callback": callback, "message": message}


def handshake(socket: str, number: str) -> dict[str, Any]:
    """Make a handshake that was answered with a status."""
    request = {**STREAM, "media_type": 1} if socket == "media" else dict(STREAM)
    return {"kind": "handshake", "socket": socket, "request": request, "response": {"status_code": int(number)}}


def closed(socket: str, number: str) -> dict[str, Any]:
    """Make a handshake whose socket was closed without an answer."""
    return {"kind": "handshake", "socket": socket, "request": dict(STREAM), "closed": {"code": int(number)}}


SHORT: Mapping[str, Callable[..., dict[str, Any]]] = {
    r"meeting": lambda: webhook("started", uuid="bWVldGluZw=="),
    r"started": lambda: webhook("rtms_started", **STREAM, operator_id="usrA", server_urls="wss://rtms.example.com"),
    r"started without address": lambda: webhook("rtms_started", meeting_uuid="bWVldGluZw==", operator_id="usrA"),
    r"stopped": lambda: webhook("rtms_stopped", **STREAM),
    r"stopped (\d+)": lambda reason: webhook("rtms_stopped", **STREAM, stop_reason=int(reason)),
    r"silent": lambda: {"kind": "watch", "meeting_started": True, "events": []},
    r"no meeting": lambda: {"kind": "watch", "meeting_started": False, "events": []},
    r"watched": lambda: {"kind": "watch", "events": []},
    r"start (\d+)": start_call,
    r"join (\d+)": lambda reason: sdk("rtms-python", "onJoinConfirm", reason),
    r"node join (\d+)": lambda reason: sdk("rtms-node", "onJoinConfirm", reason),
    r"leave (\d+)": lambda reason: sdk("rtms-python", "onLeave", reason),
    r"panel (\d+)": lambda reason: sdk("zoom-apps-sdk", "startRTMS", reason),
    r"sdk says (.+)": lambda message: said("join", message),
    r"import says (.+)": lambda message: said("import", message),
    r"(signaling|media) (\d+)": handshake,
    r"(signaling|media) closed (\d+)": closed,
    r"keepalives missed (\d+)": lambda count: {"kind": "keepalive", "missed": int(count)},
}
"""The short forms of observations, as patterns."""


def observation(given: object, place: int, day: date) -> dict[str, Any]:
    """Write an observation out in full, with its time."""
    if isinstance(given, str):
        found = next(
            (make(*match.groups()) for form, make in SHORT.items() if (match := re.fullmatch(form, given))), None
        )
        assert found, f"{given!r} is none of the short forms"
    else:
        assert isinstance(given, dict)
        about, value = next(iter(given.items()))
        found = (
            dict(given) if "kind" in given else {"kind": "statement", "about": about, "value": value, "by": "somebody"}
        )
    moment = datetime.combine(day, datetime.min.time()) + timedelta(hours=10, minutes=place)
    return {"at": f"{moment:%Y-%m-%dT%H:%M:%SZ}", **found}


def document(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence document of an entry."""
    install = {key: entry[key] for key in ("environment", "status") if key in entry}
    day = date.fromisoformat(str(entry.get("day", DAY)))
    made: dict[str, Any] = {
        "format": "rtms-audit/evidence@1",
        "installs": entry.get("installs", [{"account": "acme", "environment": "production", **install}]),
        "observations": [observation(given, place, day) for place, given in enumerate(entry["observations"])],
    }
    if "plan" in entry:
        made["accounts"] = {"acme": {"plan": entry["plan"]}}
    return made | {key: entry[key] for key in ("app", "accounts") if key in entry}


def tables() -> dict[str, list[Entry]]:
    """Read every table, by the id of its check."""
    return {path.stem: list(entries(path)) for path in sorted(FOLDER.glob("*.yaml"))}


def entries(path: Path) -> list[Entry]:
    """Read one table."""
    return [
        Entry(
            check=path.stem,
            title=raw["title"],
            case=read_case(document(raw), name=f"{path.name}, {raw['title']}"),
            verdict=Verdict(raw["verdict"]),
            causes={cause: Status(status) for cause, status in raw.get("causes", {}).items()},
            overtaken=raw.get("overtaken", False),
            says=raw.get("says", ""),
            proof=tuple(raw["proof"]) if "proof" in raw else None,
        )
        for raw in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


TABLES = tables()


@pytest.fixture(scope="session")
def all_tables() -> Mapping[str, list[Entry]]:
    """Return every table, by the id of its check."""
    return TABLES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask a test that wants an `entry` about each, and one that wants a `check` about each check."""
    if "entry" in metafunc.fixturenames:
        found = [entry for table in TABLES.values() for entry in table]
        metafunc.parametrize("entry", found, ids=[str(entry).replace(" ", "-") for entry in found])
    if "check" in metafunc.fixturenames:
        metafunc.parametrize("check", CHECKS, ids=[check.id for check in CHECKS])


@pytest.fixture
def table(check: Check) -> list[Entry]:
    """Return the table of a check."""
    return TABLES[check.id]


@pytest.fixture
def case_of() -> Callable[..., Case]:
    """Return a maker of cases: it takes observations in short forms and the keys of an entry."""

    def make(*observations: object, **entry: object) -> Case:
        return read_case(document({"observations": observations, **entry}), name="made")

    return make


@pytest.fixture
def judge(case_of: Callable[..., Case]) -> Callable[..., Diagnosis]:
    """Return a judge: it takes what `case_of` takes and diagnoses the first install, by `overrides` where given."""

    def diagnosed(*observations: object, overrides: Mapping[str, object] | None = None, **entry: object) -> Diagnosis:
        case = case_of(*observations, **entry)
        return diagnose(case, case.installs[0].key, overrides=overrides)

    return diagnosed


@pytest.fixture
def situated(case_of: Callable[..., Case]) -> Callable[..., Situation]:
    """Return a gatherer: it takes what `case_of` takes and gathers what is known of the first install."""

    def gathered(*observations: object, **entry: object) -> Situation:
        case = case_of(*observations, **entry)
        return gather(case, case.installs[0].key)

    return gathered
