"""How long a person waits for the program to start, beside the shortest program that Click can make."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result

_EMPTY = "import click\n@click.command()\ndef main(): pass\nmain()"
_ROUNDS = 15


def measure() -> Iterator[Result]:
    """Yield the times of `--help` and `--version` as multiples of an empty Click program's `--help`."""
    program = str(Path(sys.executable).with_name("rtms-audit"))
    commands = {
        "empty": [sys.executable, "-c", _EMPTY, "--help"],
        "--help": [program, "--help"],
        "--version": [program, "--version"],
    }
    times = _medians(commands)
    empty = times.pop("empty")
    for option, seconds in times.items():
        yield Result(
            name=f"rtms-audit {option}",
            value=round(seconds / empty, 2),
            unit="times an empty Click program",
            reference=f"{seconds * 1000:.0f} ms against {empty * 1000:.0f} ms",
            goal="< 2",
        )


def _medians(commands: dict[str, list[str]]) -> dict[str, float]:
    """Return the median seconds of each command; they take turns, so that a busy machine is unfair to none."""
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_ROUNDS):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            samples[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in samples.items()}
