"""The stream ends as streams do: the host, the user or the end of the meeting stops it.

Why it matters: an ordinary end is no fault, and an administrator who disables the app in the middle is no fault of
the app either. Reason 8 obliges the app to delete what it collected.

Remedy: none; after reason 23, ask the administrator.

Source: https://developers.zoom.us/docs/rtms/data-types/ (2026)
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.flow import ORDINARY_REASONS

CAUSES = ("ended-normally", "stopped-by-admin", "already-running")
ADMIN_DISABLED = 23
ALREADY_RUNNING = 10308
"""What `startRTMS` answers while a stream runs (community, three repositories, 2026)."""
MEANINGS = {
    1: "the host stopped it",
    2: "the app's user, or a call, stopped it",
    3: "the app's user left the meeting",
    4: "the host removed the app's user",
    5: "the host disabled the app",
    6: "the meeting ended",
    7: "the stream was cancelled",
    8: "the stream was revoked, and what was collected must be deleted",
    9: "the host disabled all apps",
    20: "the receiver asked to close it",
    21: "the customer disconnected",
    22: "the agent disconnected",
    25: "a call stopped it",
}


def decide(subject: Subject) -> Answer:
    """Read the stop reasons of ordinary ends, reason 23, and 10308."""
    flow = subject.flow
    if flow.app_start and reading.reason(flow.app_start) == ALREADY_RUNNING:
        reason = "startRTMS answered 10308, which apps meet while a stream is already running"
        return answer([likely("already-running", reason, *seen(flow.app_start))], "")
    if flow.stop_reason == ADMIN_DISABLED:
        reason = "the stream stopped with reason 23: an administrator disabled the app"
        return answer([confirmed("stopped-by-admin", reason, *seen(flow.stop), phase=STREAM)], "")
    if flow.stop_reason in ORDINARY_REASONS:
        reason = f"the stream stopped with reason {flow.stop_reason}: {MEANINGS[flow.stop_reason]}"
        failed = flow.joined is False or (flow.refused_media and not flow.accepted_media)
        make = possible if failed else confirmed
        return answer([make("ended-normally", reason, *seen(flow.stop), phase=STREAM)], reason)
    if flow.stop_reason is not None:
        return answer([], f"the stream stopped with reason {flow.stop_reason}, which is not an ordinary end")
    return answer([], "how the stream ended is not known" if flow.existed else "no stream is known to have ended")
