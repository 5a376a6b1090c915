"""Each media socket asks for one type with parameters that Zoom lists.

Why it matters: one socket takes one type, or 32 for all; a sum of several is refused with status 14, and Zoom stops
the stream. The whole combination of codec, rate, channels and send rate is validated.

Remedy: open a socket per medium, with a listed combination.

Source: https://developers.zoom.us/docs/rtms/data-types/ (statuses 7, 9 to 14, 17 to 39, 43)
"""

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.flow import Join

CAUSES = ("media-rejected",)
REFUSALS = frozenset((7, *range(9, 15), *range(17, 40), 43))
SINGLE = frozenset((1, 2, 4, 8, 16, 32))


def decide(subject: Subject) -> Answer:
    """Read media handshakes that were refused, and types that are sums."""
    flow = subject.flow
    refused = [
        join for join in flow.joins if join.code in REFUSALS and (join.origin == "sdk" or join in flow.refused_media)
    ]
    if refused:
        return answer([_refusal(refused[0])], "")
    combined = _combined(subject)
    if combined and not flow.accepted_media:
        return answer([combined], "")
    fine = "Zoom accepted the media handshake"
    return answer(
        [], "no media handshake was seen", fine=fine, evidence=seen(*(j.observation for j in flow.accepted_media[:1]))
    )


def _refusal(join: Join) -> Claim:
    asked = as_int(reading.request(join.observation).get("media_type"))
    words = reading.text(reading.response(join.observation).get("reason"))
    what = f"media type {asked} was" if asked is not None else "the media handshake was"
    reason = f"{what} answered with {join.code}{f' ({words})' if words else ''}"
    if asked is not None and asked not in SINGLE:
        reason += "; one socket takes one type, or 32 for all"
    make = likely if join.is_assumed else confirmed
    return make("media-rejected", reason, *seen(join.observation), phase=STREAM)


def _combined(subject: Subject) -> Claim | None:
    """Claim a stated or seen media type that is a sum of several."""
    situation = subject.situation
    stated = as_int(situation.value("receiver.media_type"))
    if stated is None or stated in SINGLE:
        return None
    reason = f"the receiver asks for media type {stated}, which is not one type"
    make = likely if subject.flow.existed and (subject.flow.media is False or subject.flow.stops) else possible
    return make("media-rejected", reason, *situation.evidence("receiver.media_type"), phase=STREAM)
