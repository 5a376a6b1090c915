"""What happened: the outcome of an install's latest attempt, from its course alone."""

from collections.abc import Collection

from rtms_audit.core.checks.check import Subject
from rtms_audit.core.checks.media_flow import lacking
from rtms_audit.core.flow import FAILING_REASONS, LARGEST_STATUS, TRIGGERS, Flow
from rtms_audit.core.model import InstallStatus
from rtms_audit.core.verdicts import Cause, Outcome, Status


def outcome(subject: Subject, causes: Collection[Cause] = ()) -> Outcome:
    """Return the outcome of the latest attempt; absent evidence leaves it unknown.

    Where the course alone leaves it open, what is likely decides: that nothing triggered a start, or that a joined
    stream ended on refused media or missed keep-alives.
    """
    happened = _of_course(subject)
    likely = {cause.id for cause in causes if cause.status is not Status.POSSIBLE}
    if happened is Outcome.UNKNOWN and "not-triggered" in likely and not subject.flow.existed:
        return Outcome.NOT_ATTEMPTED
    ended = {"media-rejected"} if not subject.flow.media else set()
    ended |= {"keepalive-missed"} if subject.flow.stop_reason is None else set()
    if happened is Outcome.STARTED and likely & ended:
        return Outcome.STOPPED_EARLY
    return happened


def _of_course(subject: Subject) -> Outcome:
    flow = subject.flow
    if flow.existed:
        return _of_stream(subject)
    if flow.refused:
        return Outcome.NOT_STARTED
    if flow.app_refused:
        return Outcome.NOT_STARTED
    if flow.watch is not None:
        return _of_watch(flow)
    if flow.media:
        return Outcome.STARTED
    nothing_due = flow.trigger == "none" or subject.situation.install.status is InstallStatus.MISSING
    return Outcome.NOT_ATTEMPTED if nothing_due and flow.accepted is None else Outcome.UNKNOWN


def _of_watch(flow: Flow) -> Outcome:
    """Judge a watched window in which no started event came."""
    if flow.accepted or (flow.meeting and flow.trigger in TRIGGERS):
        return Outcome.NOT_STARTED
    if flow.meeting is False or flow.trigger == "none":
        return Outcome.NOT_ATTEMPTED
    return Outcome.UNKNOWN


def _of_stream(subject: Subject) -> Outcome:
    flow = subject.flow
    failed_stop = is_failing(flow.stop_reason)
    if flow.joined is None:
        return Outcome.STOPPED_EARLY if failed_stop else Outcome.UNKNOWN
    if flow.joined is False or failed_stop or (flow.refused_media and not flow.accepted_media):
        return Outcome.STOPPED_EARLY
    if flow.refused_media or lacking(subject):
        return Outcome.DEGRADED
    return Outcome.STARTED


def is_failing(stop_reason: int | None) -> bool:
    """Whether a stop reason tells of a failure: one that asks for a restart, an administrator's, or the SDK's own."""
    return stop_reason is not None and (stop_reason in FAILING_REASONS or stop_reason > LARGEST_STATUS)
