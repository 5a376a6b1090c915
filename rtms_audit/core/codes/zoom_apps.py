"""Error codes of the Zoom Apps SDK (`startRTMS` and its relatives, called inside the meeting)."""

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.sources import NETCLAW, PURE_WATER, RTMS_PLUGIN

KIND = "zoom-apps"

ZOOM_APPS_CODES = CodeKind(
    KIND,
    "Zoom Apps SDK errors",
    "Zoom publishes no table that was found; what stands here was reported by third parties.",
    (
        Code(
            kind=KIND,
            number=10308,
            name="ALREADY_RUNNING",
            meaning="RTMS runs already in this meeting; a second start is refused.",
            fault=Fault.NOBODY,
            remedy="Nothing to repair: use the stream that runs.",
            source=(RTMS_PLUGIN,),
            date="2026-11",
            confidence=Confidence.COMMUNITY,
        ),
        Code(
            kind=KIND,
            number=40316,
            name="APP_NOT_APPROVED",
            meaning="startRTMS is refused until the app has passed its review.",
            fault=Fault.APP_OWNER,
            remedy="Submit the app for review; auto-start is reported to work for testing before that.",
            source=(PURE_WATER,),
            date="2026-11",
            confidence=Confidence.COMMUNITY,
            trap="One third party's reading.",
        ),
        Code(
            kind=KIND,
            number=80004,
            name="APP_NOT_SUPPORT",
            meaning="'No Permission for this API', reason app_not_support: the panel may not make this call.",
            fault=Fault.APP_OWNER,
            remedy="Add the call to the app's Zoom Apps SDK capabilities and the scope zoomapp:inmeeting, and open "
            "the app "
            "inside a meeting.",
            source=(NETCLAW,),
            date="2026-08-19",
            confidence=Confidence.COMMUNITY,
            trap="It is about the call of the panel, and does not say that RTMS is refused.",
        ),
    ),
)
"""10308, 40316 and 80004."""
