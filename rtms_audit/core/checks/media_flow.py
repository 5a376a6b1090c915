"""Every medium wanted is asked for, enabled, and arrives.

Why it matters: a joined stream without a callback for a medium, without captions, or with no source language for
the transcript stays silent, and nothing reports an error.

Remedy: register the callbacks, enable captions, and give the transcript a language.

Source: https://developers.zoom.us/docs/rtms/data-types/ (transcript language),
https://developers.zoom.us/docs/rtms/meetings/work-with-streams; observed with SDK 1.1.0, 2026-08
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, likely, possible
from rtms_audit.core.verdicts import Known

CAUSES = ("media-not-configured",)
NO_LANGUAGE = ("none", "-1", "null", "")


def decide(subject: Subject) -> Answer:
    """Compare the media wanted with those received, in a stream that was joined."""
    flow = subject.flow
    missing = lacking(subject)
    if flow.joined and missing and not flow.refused_media:
        return answer([_claim(subject, missing)], "")
    if flow.media:
        return answer([], "", fine="media arrived", evidence=flow.media_evidence)
    return answer([], "whether media arrived is not known")


def _claim(subject: Subject, missing: list[str]) -> Claim:
    situation, named = subject.situation, ", ".join(missing)
    evidence = situation.evidence("media.kinds_received", "media.received", "receiver.transcript_language")
    language = situation.value("receiver.transcript_language")
    if "transcript" in missing and "receiver.transcript_language" in situation.facts and _is_no_language(language):
        reason = f"the stream was joined, no transcript came, and its language is {reading.text(language) or 'none'}"
        return likely("media-not-configured", reason, *evidence, phase=STREAM)
    if isinstance(situation.value("media.kinds_received"), list) and subject.flow.media:
        reason = f"the stream was joined and other media came, but {named} did not"
        return likely("media-not-configured", reason, *evidence, phase=STREAM)
    reason = f"the stream was joined, but {named} did not come"
    return possible("media-not-configured", reason, *evidence, phase=STREAM)


def _is_no_language(value: object) -> bool:
    return value is None or reading.text(value).strip().lower() in NO_LANGUAGE


def _asked_for_transcript(subject: Subject) -> bool:
    """Whether a media socket for the transcript, or for all media, was accepted."""
    return any(reading.request(j.observation).get("media_type") in (8, 32) for j in subject.flow.accepted_media)


def lacking(subject: Subject) -> list[str]:
    """Return the media that were wanted and did not come; `media` where none came and none is named."""
    situation = subject.situation
    received = situation.value("media.kinds_received")
    wanted = situation.value("media.kinds_wanted")
    got = {str(kind).lower() for kind in received} if isinstance(received, list) else None
    if isinstance(wanted, list) and got is not None:
        return [str(kind) for kind in wanted if str(kind).lower() not in got]
    language = situation.facts.get("receiver.transcript_language")
    if got and isinstance(language, Known) and _is_no_language(language.value) and _asked_for_transcript(subject):
        return [] if "transcript" in got else ["transcript"]
    if got == set() or (got is None and subject.flow.media is False):
        return ["transcript"] if "receiver.transcript_language" in situation.facts else ["media"]
    return []
