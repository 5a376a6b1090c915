"""How long a newcomer waits for the demo's matrix once the program is installed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result


def measure() -> Iterator[Result]:
    """Yield the seconds of one whole demo: sandbox, installs, collection, meetings, streams, matrix."""
    begin = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("rtms-audit"), "demo"], stdout=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - begin
    yield Result(name="rtms-audit demo", value=round(seconds, 2), unit="seconds", reference=None, goal="< 15")
