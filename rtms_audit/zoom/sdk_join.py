"""Joining an RTMS stream through Zoom's own SDK (extra `sdk`), in a process of its own, and noting what it reports.

Its callbacks' reasons become `sdk` observations; handshakes and keep-alives are read from the log of its native
library, which it writes where a folder `logs` lies in its working directory (measured with rtms 1.1.0).
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.model import Kind, Observation
from rtms_audit.core.sdk_log import read_sdk_log
from rtms_audit.errors import UserError
from rtms_audit.zoom.rtms_messages import Medium, media_addresses
from rtms_audit.zoom.rtms_plan import JoinPlan, JoinResult, MediaCount, Step, StreamEnd

SUPPORTED = (Medium.AUDIO, Medium.VIDEO, Medium.DESKSHARE, Medium.TRANSCRIPT)
"""What the SDK for Python 1.1.0 has callbacks for."""

OVERRIDES = ("ZM_RTMS_CLIENT", "ZM_RTMS_SECRET")
"""Variables that win over the credentials given to `join` (measured): the process runs without them."""

NO_ADDRESS_OR_SILENCE = 1
LARGEST_STATUS = 45
SPARE_S = 20.0
"""How much longer than its order says the process may live."""

_KEEP_ALIVE_ANSWER = b'"msg_type" : 13'


def join(
    plan: JoinPlan,
    *,
    clock: Callable[[], datetime],
    environ: Mapping[str, str] = os.environ,
    find: Callable[[str], object | None] = importlib.util.find_spec,
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "rtms_audit.zoom.sdk_worker"),
    spare: float = SPARE_S,
) -> JoinResult:
    """Join each medium of the plan alone, one after the other; stop early where signaling itself fails.

    The SDK is given the plan's pair whatever ZM_RTMS_CLIENT and ZM_RTMS_SECRET say. `stay` holds for the first medium.
    UserError where the SDK is not installed.
    """
    require(find)
    result = JoinResult()
    for medium in (medium for medium in plan.media if medium in SUPPORTED):
        stay = 0.0 if result.steps else plan.stay
        one = _run(plan, medium, stay, clock=clock, environ=environ, command=command, spare=spare)
        if not _take(result, one, medium):
            break
    return result


def require(find: Callable[[str], object | None] = importlib.util.find_spec) -> None:
    """Raise UserError where the SDK is not installed, before anything is started for nothing."""
    if find("rtms") is None:
        raise UserError(
            "Zoom's RTMS SDK is not installed, so nothing can be joined through it.",
            next_step="pip install 'rtms-audit[sdk]' (Linux x86-64 with glibc 2.34 or macOS arm64), or leave --sdk out",
        )


def overridden_by(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that would make the SDK of another program sign with another pair than it was given."""
    return tuple(name for name in OVERRIDES if environ.get(name))


@dataclass(frozen=True, slots=True)
class _Run:
    """What one process reported, and what the native library wrote beside it."""

    reports: tuple[Mapping[str, Any], ...]
    handshakes: tuple[Step, ...]
    keep_alives: int
    steps: tuple[Step, ...]


def _run(
    plan: JoinPlan,
    medium: Medium,
    stay: float,
    *,
    clock: Callable[[], datetime],
    environ: Mapping[str, str],
    command: tuple[str, ...],
    spare: float,
) -> _Run:
    with tempfile.TemporaryDirectory(prefix="rtms-audit-sdk-") as name:
        folder = Path(name)
        (folder / "logs").mkdir()
        reports, fault = _reports(_order(plan, medium, stay), folder, _environment(environ, plan), command, spare)
        logs = [file.read_bytes() for file in sorted((folder / "logs").glob("*.log"))]
    label = {"connection": f"{plan.label}-sdk-{medium.key}".lstrip("-")}
    handshakes = tuple(_handshake(seen, plan, label, clock) for log in logs for seen in _native(log))
    told = [_callback(report) for report in reports if "callback" in report]
    faults = [*(str(report["fault"]) for report in reports if "fault" in report), *([fault] if fault else [])]
    broken = [Step(clock(), Kind.SDK, {"sdk": "rtms-python", "callback": "join", "message": text}) for text in faults]
    steps = tuple(sorted([*handshakes, *told, *broken], key=lambda step: step.at))
    return _Run(tuple(reports), handshakes, sum(log.count(_KEEP_ALIVE_ANSWER) for log in logs), steps)


def _order(plan: JoinPlan, medium: Medium, stay: float) -> dict[str, object]:
    signature = {"signature": plan.ready_signature.reveal()} if plan.ready_signature else {}
    return {
        "medium": medium.key,
        "stay": stay,
        "media_wait": plan.media_wait,
        "join": {
            plan.id_field: plan.stream_of,
            "rtms_stream_id": plan.stream_id,
            "server_urls": plan.server_urls,
            "timeout": int(plan.timeout * 1000),
            "client": plan.client_id,
            "secret": plan.client_secret.reveal(),
            **signature,
        },
    }


def _environment(environ: Mapping[str, str], plan: JoinPlan) -> dict[str, str]:
    own = {name: value for name, value in environ.items() if name not in OVERRIDES}
    ca_file = {"ZM_RTMS_CA": str(plan.ca_file)} if plan.ca_file else {}
    return {**own, "ZM_RTMS_LOG_ENABLED": "false", **ca_file}


def _reports(
    order: Mapping[str, Any], folder: Path, environment: dict[str, str], command: tuple[str, ...], spare: float
) -> tuple[list[dict[str, Any]], str]:
    """Run the process; return its reports, and what was wrong with the process itself, empty where nothing was."""
    patience = order["join"]["timeout"] / 1000 + order["stay"] + order["media_wait"] + spare
    fault = ""
    try:
        done = subprocess.run(  # noqa: S603  our own worker
            command, input=json.dumps(order), capture_output=True, text=True, cwd=folder, env=environment,
            timeout=patience, check=False,
        )  # fmt: skip
        output = done.stdout
        if done.returncode:
            fault = f"the SDK's process ended with {done.returncode}{_signal(done.returncode)}"
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace")
        fault = f"the SDK hangs: its process was ended after {patience:g} s"
    return list(_lines(output)), fault


def _signal(returncode: int) -> str:
    return " (segmentation fault)" if returncode in (-11, 139) else ""


def _lines(output: str) -> Iterator[dict[str, Any]]:
    """Yield the reports among the lines; the SDK may print lines of its own."""
    for line in output.splitlines():
        try:
            report = json.loads(line)
        except ValueError:
            continue
        if isinstance(report, dict) and "at" in report:
            yield report


def _native(log: bytes) -> list[Observation]:
    readout = read_sdk_log(log.decode(errors="replace"))
    return [seen for seen in readout.observations if seen.kind in (Kind.HANDSHAKE, Kind.KEEPALIVE)]


def _handshake(seen: Observation, plan: JoinPlan, label: Mapping[str, object], clock: Callable[[], datetime]) -> Step:
    """Complete a handshake by what the log leaves out: whose pair signed it."""
    fields = dict(seen.fields)
    if seen.kind is Kind.HANDSHAKE:
        request = dict(reading.request(seen))
        known = {} if plan.ready_signature else {"client_id": plan.client_id}
        fields = {**label, **fields, "request": {**request, **known}}
    return Step(seen.at or clock(), seen.kind, fields)


def _callback(report: Mapping[str, Any]) -> Step:
    fields = {"sdk": "rtms-python", "callback": report["callback"], "reason": report["reason"]}
    return Step(_at(report), Kind.SDK, fields)


def _at(report: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(report["at"])


def _take(result: JoinResult, one: _Run, medium: Medium) -> bool:
    """Add one medium's run to the whole; say whether signaling was accepted in it."""
    result.steps.extend(one.steps)
    result.keep_alives += one.keep_alives
    reasons = [report["reason"] for report in one.reports if report.get("callback") == "onJoinConfirm"]
    reason = reasons[0] if reasons else None
    answers = [reading.mapping(step.fields.get("response")) for step in one.handshakes]
    signaling = next((answer for answer in answers if answer.get("msg_type") == 2), {})
    accepted = signaling.get("status_code") == 0 or reason == 0
    if not result.signaled:
        result.signaled = accepted
        result.signaling_status = 0 if accepted else as_int(signaling.get("status_code", _status(reason)))
    if reason == 0:
        result.accepted = (*result.accepted, medium)
    elif reason == NO_ADDRESS_OR_SILENCE and accepted and medium.key not in media_addresses(signaling):
        result.without_address = (*result.without_address, medium)
    _take_media(result, one)
    return accepted


def _status(reason: int | None) -> int | None:
    """Return a join reason as Zoom's status; 1 is the SDK's word for silence too, and those above 45 are its own."""
    return reason if reason is not None and 1 < reason <= LARGEST_STATUS else None


def _take_media(result: JoinResult, one: _Run) -> None:
    for report in one.reports:
        if "medium" in report:
            medium = Medium[report["medium"].upper()]
            first = result.media.get(medium, MediaCount(_at(report)))
            result.media[medium] = MediaCount(first.first_at, report["messages"])
        elif report.get("callback") == "onLeave" and result.end is None:
            result.end = StreamEnd(_at(report), report["reason"])
