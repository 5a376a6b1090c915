"""Zoom's RTMS SDK as a developer's program: joins what standard input says and prints what its callbacks report.

Standard output is the console that a developer would keep; standard error holds the same reports as JSON, a line each.
"""

import json
import sys
import threading
import time
from collections import Counter

import rtms

told: Counter[str] = Counter()
printing = threading.Lock()


def tell(kind: str, value: object, words: str = "") -> None:
    """Print one report, and the developer's own words for it."""
    with printing:
        if words:
            sys.stdout.write(f"\n{words}\n")
            sys.stdout.flush()
        sys.stderr.write("\n" + json.dumps({"kind": kind, "value": value}) + "\n")
        sys.stderr.flush()


def media(kind: str, data: bytes) -> None:
    """Report the first frame of each medium, and each fiftieth."""
    told[kind] += 1
    if told[kind] == 1 or told[kind] % 50 == 0:
        tell(kind, {"count": told[kind], "size": len(data), "text": data.decode() if kind == "transcript" else ""})


def main() -> None:
    """Join and wait to be killed."""
    order = json.load(sys.stdin)
    client = rtms.Client()
    client.on_join_confirm(lambda reason: tell("join", reason, f"RTMS joined, reason: {reason}"))
    client.on_leave(lambda reason: tell("leave", reason, f"on_leave reason={reason}"))
    client.on_session_update(lambda operation, _session: tell("session", operation))
    if "audio" in order["kinds"]:
        client.on_audio_data(lambda data, *_: media("audio", data))
    if "transcript" in order["kinds"]:
        client.on_transcript_data(lambda data, *_: media("transcript", data))
    client.join(order["join"])
    time.sleep(150)


main()
