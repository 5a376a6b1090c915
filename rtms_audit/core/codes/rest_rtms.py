"""Codes that Zoom's REST calls for RTMS answer with (start, stop, pause, resume)."""

import datetime
from functools import partial

from rtms_audit.core.codes import sources as at
from rtms_audit.core.codes.code import Code, Confidence, Fault

_rtms = partial(Code, kind="rest", date="2026-11")

RTMS_CODES = (
    _rtms(
        number=2308,
        name="NOT_ALLOWED_TO_START",
        meaning="Not allowed to start RTMS in this meeting: the caller (or the participant named) is neither host nor "
        "alternative host, nor an invited participant who has joined.",
        fault=Fault.STARTER,
        remedy="Start as the host or an alternative host, or as an invited participant after joining; people who "
        "came by "
        "a shared link are refused. In somebody else's meeting, have the host start or approve it.",
        source=(at.TROUBLESHOOTING, at.CHANGE_JULY_04, at.forum(144109), at.forum(144673)),
        valid_from=datetime.date(2026, 7, 4),
        trap="HTTP 403 or 400. Invited participants are allowed since 2026-07-04 only; since 2026-01-18 the host "
        "need not "
        "be in the meeting.",
    ),
    _rtms(
        number=2308,
        name="NOT_ALLOWED_TO_START",
        meaning="Not allowed to start RTMS in this meeting: the caller (or the participant named) is neither host nor "
        "alternative host.",
        fault=Fault.STARTER,
        remedy="Start as the host or an alternative host. Since 2026-07-04 an invited participant may start too.",
        source=(at.TROUBLESHOOTING, at.forum(144109)),
        valid_to=datetime.date(2026, 7, 3),
        trap="HTTP 403 or 400. Invited participants were refused before 2026-07-04.",
    ),
    _rtms(
        number=2309,
        name="HOST_AUTHORIZATION_NEEDED",
        meaning="The host of the meeting, in another account, still has to allow it.",
        fault=Fault.HOST,
        remedy="Ask the host to answer the request in the meeting.",
        source=(at.WINKK,),
        confidence=Confidence.COMMUNITY,
    ),
    _rtms(
        number=2310,
        name="RTMS_OPERATION_FAILED",
        meaning='"Failed to perform RTMS app operation": no active Developer Pack, an expired Developer Pack trial, an '
        "account that does not support RTMS (Basic), or RTMS not enabled for the app.",
        fault=Fault.APP_OWNER,
        remedy="Check the Developer Pack of the account that owns the app (Plan Management); after buying, wait one "
        "or two "
        "minutes. If it is active, ask Zoom's developer support to enable the app's id.",
        source=(at.TROUBLESHOOTING, at.forum(144213), at.MEETING_CONNECTORS),
        trap="It does not say which of these it is, nor plainly whose account is meant; the Developer Pack counts on "
        "the "
        "app owner's account, and Zoom's staff say that a host on a free account works.",
    ),
    _rtms(
        number=2312,
        name="WRONG_PARTICIPANT",
        meaning="The participant_user_id of the call is not right for this meeting.",
        fault=Fault.CALLER,
        remedy="Send the id of a user who is in the meeting and may start, or leave it out.",
        source=(at.WINKK,),
        confidence=Confidence.COMMUNITY,
    ),
    _rtms(
        number=3000,
        name="MEETING_NOT_STARTED",
        meaning="The meeting has not started.",
        fault=Fault.STARTER,
        remedy="Wait for meeting.started and try again.",
        source=(at.WINKK, at.forum(140368)),
        confidence=Confidence.COMMUNITY,
        valid_from=datetime.date(2026, 1, 18),
        trap="Before 2026-01-18 it also came when the host was not the first to join.",
    ),
    _rtms(
        number=3000,
        name="MEETING_NOT_STARTED",
        meaning="The meeting has not started, or the host was not the first to join it.",
        fault=Fault.STARTER,
        remedy="Let the host join first, wait for meeting.started, and try again.",
        source=(at.WINKK, at.forum(140368)),
        confidence=Confidence.COMMUNITY,
        valid_to=datetime.date(2026, 1, 17),
    ),
    _rtms(
        number=3001,
        name="MEETING_DOES_NOT_EXIST",
        meaning="There is no such meeting or session: a wrong id, or it has ended.",
        fault=Fault.CALLER,
        remedy="Check the id; ended instant meetings answer this too. A uuid that starts with / or holds // must be "
        "encoded twice.",
        source=(at.SPEC_VIDEO_SDK, at.SPEC_MEETINGS),
        date="2026-02",
    ),
    _rtms(
        number=13262,
        name="APP_NOT_AUTHORIZED_FOR_CONTENT",
        meaning="The app with this client id is not on the account's list of apps that may reach meeting content, or "
        "the "
        "change has not spread yet.",
        fault=Fault.ADMIN,
        remedy="Account Settings > Zoom Apps: add the app under 'Allow apps to access meeting content'. The "
        "development "
        "and the production app have different client ids, and each has to be listed. Send the primary client id.",
        source=(at.forum(142847), at.SPEC_MEETINGS),
        confidence=Confidence.OBSERVED,
        trap="HTTP 400 or 403. Some report it with everything switched on; why is not known.",
    ),
    _rtms(
        number=13267,
        name="RTMS_ACCESS_OFF_IN_SETTINGS",
        meaning="Access of RTMS apps is switched off in the settings.",
        fault=Fault.ADMIN,
        remedy="Account Settings > Zoom Apps: switch on 'Share realtime meeting content with apps', for the account, "
        "the "
        "group or the user.",
        source=(at.WINKK,),
        confidence=Confidence.COMMUNITY,
    ),
    _rtms(
        number=13273,
        name="MEETING_DOES_NOT_SUPPORT_RTMS",
        meaning="This meeting or session does not support the RTMS app feature.",
        fault=Fault.STARTER,
        remedy="Try an ordinary meeting; breakout rooms cannot be streamed, of practice sessions nothing is known.",
        source=(at.SPEC_VIDEO_SDK, at.WINKK),
        date="2026-02",
        trap="Documented for Video SDK sessions; for meetings it is known from third parties only.",
    ),
    _rtms(
        number=13277,
        name="NOT_RUNNING",
        meaning="Nothing to stop, pause or resume: no stream was started.",
        fault=Fault.CALLER,
        remedy="Start first, or take it as the answer that nothing runs.",
        source=(at.SPEC_VIDEO_SDK,),
        date="2026-02",
    ),
)
"""The codes of the RTMS calls; Zoom documents no table of them for meetings."""
