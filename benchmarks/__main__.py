"""Measure everything, show it, and keep it in `benchmarks/results.json`; ends with 1 if a goal is missed."""

import json
import sys
from pathlib import Path

from benchmarks import demo, grants, judging, sandbox, startup

_RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Run each measurement in turn, one line as soon as it is known."""
    results = []
    for module in (startup, judging, demo, grants, sandbox):
        for result in module.measure():
            results.append(result)
            verdict = "met" if result.met else "MISSED"
            beside = f" ({result.reference})" if result.reference else ""
            print(f"{result.name}: {result.value} {result.unit}{beside}, goal {result.goal}: {verdict}")
    _RESULTS.write_text(json.dumps([result.record() for result in results], indent=2) + "\n", encoding="utf-8")
    return 0 if all(result.met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
