"""The worker's course with a client that reports what a test says; the real SDK is in test_sdk_join.py."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from rtms_audit.zoom.sdk_worker import main


class Client:
    """Calls back from within `join`, as the SDK does from its thread."""

    def __init__(self, *calls: tuple[str, Any]) -> None:
        self.calls = calls
        self.handlers: dict[str, Callable[..., None]] = {}
        self.left = False

    def __getattr__(self, name: str) -> Any:
        return lambda handler: self.handlers.__setitem__(name, handler)

    def join(self, params: dict[str, Any]) -> None:
        """Do what the test says."""
        for name, value in self.calls:
            if name == "raise":
                raise RuntimeError(value)
            self.handlers[name](value)

    def leave(self) -> None:
        """Note that it was asked to leave."""
        self.left = True


def reports(client: Client, **order: Any) -> list[dict[str, Any]]:
    """Run the worker and return what it printed, without times."""
    given = {"medium": "audio", "stay": 0, "media_wait": 0.05, "join": {"timeout": -4900}, **order}
    printed = io.StringIO()
    main(io.StringIO(json.dumps(given)), printed, lambda: client)
    found = [json.loads(line) for line in printed.getvalue().splitlines()]
    return [{name: value for name, value in report.items() if name != "at"} for report in found]


CONFIRM = {"callback": "onJoinConfirm", "reason": 0}
JOINED = ("on_join_confirm", 0)
SOUND = ("on_audio_data", b"")


@pytest.mark.parametrize(
    ("calls", "told", "left"),
    [
        (
            [JOINED, SOUND, SOUND],
            [CONFIRM, {"medium": "audio", "messages": 1}, {"medium": "audio", "messages": 2}],
            True,
        ),
        ([JOINED], [CONFIRM], True),
        ([JOINED, ("on_leave", 6)], [CONFIRM, {"callback": "onLeave", "reason": 6}], False),
        ([("on_join_confirm", 3)], [{"callback": "onJoinConfirm", "reason": 3}], False),
        ([], [], False),
        ([("raise", "Invalid status")], [{"fault": "RuntimeError: Invalid status"}], False),
    ],
    ids=["heard", "not heard", "ended by Zoom", "refused", "silent", "raised"],
)
def test_a_worker_tells_what_its_client_reports(
    calls: list[tuple[str, Any]], told: list[dict[str, Any]], left: bool
) -> None:
    """Callbacks, the first message and the number of all, and faults; it leaves what it joined and Zoom did not end."""
    client = Client(*calls)
    assert reports(client) == told
    assert client.left is left


def test_staying_ends_with_the_stream() -> None:
    """Where Zoom ends the stream nobody waits for the rest of the time."""
    client = Client(JOINED, SOUND, ("on_leave", 6))
    assert reports(client, stay=600)[-1] == {"medium": "audio", "messages": 1}
