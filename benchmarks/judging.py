"""How fast installs are judged, and in how much memory, beside reading and writing the same documents as JSON."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.result import Result
from rtms_audit.core.checks import CHECKS
from rtms_audit.core.diagnosis import diagnose_case
from rtms_audit.core.evidence_file import read_case

INSTALLS, OBSERVATIONS = 10_000, 30
BATCH = 500
"""Installs per file: 10,000 of them are twenty owners' apps with 500 installs each."""
SMALL, LARGE = 250, 2_000
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


def measure() -> Iterator[Result]:
    """Yield peak memory, cells per second, the price beside JSON, and how time grows with the installs of a case."""
    yield _memory()  # first: a child's peak counts from the size of its parent
    texts = [json.dumps(document(BATCH)) for _ in range(INSTALLS // BATCH)]
    begin = time.perf_counter()
    documents = [json.loads(json.dumps(json.loads(text))) for text in texts]
    json_seconds = time.perf_counter() - begin
    cases = [read_case(one, name="benchmark") for one in documents]
    begin = time.perf_counter()
    cells = sum(len(diagnosis.decisions) for case in cases for diagnosis in diagnose_case(case))
    seconds = time.perf_counter() - begin
    yield Result(
        name=f"{INSTALLS} installs of {OBSERVATIONS} observations judged",
        value=round(cells / seconds),
        unit="cells per second",
        reference=f"{cells} cells (installs × {len(CHECKS)} checks) in {seconds:.1f} s",
        goal="> 5000",
    )
    yield Result(
        name="judging, beside JSON",
        value=round(seconds / json_seconds, 1),
        unit="times json.loads, dumps and loads of the same documents",
        reference=f"{seconds:.1f} s against {json_seconds:.1f} s",
        goal="< 20",
    )
    yield _growth()


def document(installs: int) -> dict[str, object]:
    """Return an evidence document: each install with ten streams, of which each is announced, joined and stopped."""
    names = [f"account-{number}" for number in range(installs)]
    return {
        "format": "rtms-audit/evidence@1",
        "app": {"owner": names[0], "environments": {"production": {"client_id": "PRODID"}}},
        "installs": [{"account": name, "environment": "production"} for name in names],
        "observations": [seen for name in names for turn in range(OBSERVATIONS // 3) for seen in _stream(name, turn)],
    }


def _stream(account: str, turn: int) -> Iterator[dict[str, object]]:
    begin, stream = BEGIN + timedelta(hours=turn), {"meeting_uuid": "uu==", "rtms_stream_id": f"{account}-{turn}"}
    kept = {"install": f"{account}/production"}
    started = {"event": "meeting.rtms_started", "payload": {**stream, "operator_id": "u", "server_urls": "wss://a"}}
    stopped = {"event": "meeting.rtms_stopped", "payload": {**stream, "stop_reason": (6, 18, 24)[turn % 3]}}
    joined = {"sdk": "rtms-python", "callback": "onJoinConfirm", "reason": (0, 960, 0)[turn % 3]}
    yield {**kept, "at": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "kind": "webhook", "signature": "verified", "body": started}
    yield {**kept, "at": f"{begin:%Y-%m-%dT%H:%M}:01Z", "kind": "sdk", **joined}
    yield {**kept, "at": f"{begin:%Y-%m-%dT%H:%M}:02Z", "kind": "webhook", "body": stopped}


def _growth() -> Result:
    """Return how much dearer an install is in a case of many than in a case of few."""
    each = {installs: _seconds(installs) / installs for installs in (SMALL, LARGE)}
    return Result(
        name=f"one install in a case of {LARGE}",
        value=round(each[LARGE] / each[SMALL], 2),
        unit=f"times one in a case of {SMALL}",
        reference=f"{each[LARGE] * 1000:.2f} ms against {each[SMALL] * 1000:.2f} ms",
        goal="< 3",
    )


def _seconds(installs: int) -> float:
    """Return the seconds that judging one case takes, the best of three, without reading it."""
    case = read_case(document(installs), name="benchmark")
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        diagnose_case(case)
        times.append(time.perf_counter() - begin)
    return min(times)


def _memory() -> Result:
    """Return the peak memory of a process that judges all installs as one case and keeps every diagnosis."""
    without, document_alone, peak = (_peak(call) for call in ("show_peak()", "hold_all()", "judge_all()"))
    return Result(
        name=f"peak memory of judging {INSTALLS} installs in one case",
        value=round(peak / 1024),
        unit="MiB",
        reference=f"{without / 1024:.0f} MiB for the program, {document_alone / 1024:.0f} MiB with the document",
        goal="< 700",
    )


def _peak(call: str) -> int:
    """Return the peak memory of a process of its own, in KiB."""
    command = [sys.executable, "-c", f"from benchmarks import judging; judging.{call}"]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def judge_all() -> None:
    """Judge all installs as one case, every diagnosis kept, and print the peak memory."""
    diagnoses = diagnose_case(read_case(document(INSTALLS), name="benchmark"))
    show_peak()
    del diagnoses


def hold_all() -> None:
    """Hold the document of all installs and print the peak memory."""
    whole = document(INSTALLS)
    show_peak()
    del whole


def show_peak() -> None:
    """Print the peak memory of this process in KiB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak // 1024 if sys.platform == "darwin" else peak)
