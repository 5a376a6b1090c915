"""Zoom's RTMS SDK as a program: joins what its argument says and prints what its callbacks report, a line each."""

import json
import os
import sys
import threading
import time
from collections import Counter

os.environ.setdefault("ZM_RTMS_LOG_ENABLED", "false")

import rtms

told: Counter[str] = Counter()
printing = threading.Lock()


def tell(kind: str, value: object) -> None:
    """Print one report."""
    with printing:
        sys.stdout.write(json.dumps({"kind": kind, "value": value}) + "\n")
        sys.stdout.flush()


def media(kind: str, data: bytes) -> None:
    """Report the first frame of each medium, and each fiftieth."""
    told[kind] += 1
    if told[kind] == 1 or told[kind] % 50 == 0:
        tell(kind, {"count": told[kind], "size": len(data), "text": data.decode() if kind == "transcript" else ""})


def main() -> None:
    """Join and wait to be killed."""
    order = json.loads(sys.argv[1])
    client = rtms.Client()
    client.on_join_confirm(lambda reason: tell("join", reason))
    client.on_leave(lambda reason: tell("leave", reason))
    client.on_session_update(lambda operation, _session: tell("session", operation))
    if "audio" in order["kinds"]:
        client.on_audio_data(lambda data, *_: media("audio", data))
    if "transcript" in order["kinds"]:
        client.on_transcript_data(lambda data, *_: media("transcript", data))
    client.join(order["join"])
    time.sleep(120)


main()
