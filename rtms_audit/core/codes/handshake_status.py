"""Statuses of a handshake: `status_code` of the signaling (message 2) and media (message 4) answers, table of 2026."""

from functools import partial

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.sources import (
    DATA_TYPES,
    MEETING_CONNECTORS,
    SKILLS_CONNECTION,
    SKILLS_DATA_TYPES,
    STREAMS,
    forum,
)

KIND = "handshake-status"

_code = partial(Code, kind=KIND, source=(DATA_TYPES, SKILLS_DATA_TYPES), date="2026")
_receiver = partial(_code, fault=Fault.RECEIVER)

MESSAGE = "Compare the message that was sent with Zoom's description of it."
PARAMETERS = (
    "Ask for a combination that Zoom lists; audio in particular is checked as a whole (content type, rate, channels, "
    "codec)."
)
SCOPE = "Ask only for media whose scope was granted and whose address the signaling answer holds."
SECOND = (
    "Keep one signaling connection, and one media connection per medium; ignore a repeated event for a running stream."
)

_MESSAGES = (
    (1, "INVALID_MESSAGE_TYPE", "The message type is not one that may be sent here."),
    (4, "INVALID_PAYLOAD", "The message could not be read."),
    (5, "INVALID_EVENTS", "The list of events is not valid."),
    (6, "INVALID_EVENT_TYPE", "An event type is not known."),
    (40, "INVALID_RTMS_SESSION_ID", "The session id is not known."),
    (41, "INVALID_CLIENT_READY_ACK", "The message that the client is ready was not valid."),
    (42, "INVALID_EVENT_SUBSCRIBE", "The event subscription was not valid."),
)
_MEDIA = (
    (9, "MEDIA_TYPE_AUDIO_NOT_SUPPORT", "audio"),
    (10, "MEDIA_TYPE_VIDEO_NOT_SUPPORT", "video"),
    (11, "MEDIA_TYPE_DESKSHARE_NOT_SUPPORT", "screen share"),
    (12, "MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT", "transcript"),
    (13, "MEDIA_TYPE_CHAT_NOT_SUPPORT", "chat"),
)
_PARAMETERS = (
    (17, "INVALID_MEDIA_PARAMS", "media parameters"),
    (19, "INVALID_MEDIA_AUDIO_CONTENT_TYPE", "content type of the audio"),
    (20, "INVALID_MEDIA_AUDIO_SAMPLE_RATE", "sample rate of the audio"),
    (21, "INVALID_MEDIA_AUDIO_CHANNEL", "channels of the audio"),
    (22, "INVALID_MEDIA_AUDIO_CODEC", "codec of the audio"),
    (23, "INVALID_MEDIA_AUDIO_DATA_OPT", "data option of the audio"),
    (24, "INVALID_MEDIA_AUDIO_SEND_RATE", "send rate of the audio"),
    (25, "INVALID_MEDIA_VIDEO_PARAMS", "video parameters"),
    (26, "INVALID_MEDIA_VIDEO_CONTENT_TYPE", "content type of the video"),
    (27, "INVALID_MEDIA_VIDEO_CODEC", "codec of the video"),
    (28, "INVALID_MEDIA_VIDEO_RESOLUTION", "resolution of the video"),
    (29, "INVALID_MEDIA_VIDEO_DATA_OPT", "data option of the video"),
    (30, "INVALID_MEDIA_VIDEO_FPS", "frame rate of the video"),
    (31, "INVALID_MEDIA_DESKSHARE_PARAMS", "screen share parameters"),
    (32, "INVALID_MEDIA_DESKSHARE_CONTENT_TYPE", "content type of the screen share"),
    (33, "INVALID_MEDIA_DESKSHARE_CODEC", "codec of the screen share"),
    (34, "INVALID_MEDIA_DESKSHARE_RESOLUTION", "resolution of the screen share"),
    (35, "INVALID_MEDIA_DESKSHARE_FPS", "frame rate of the screen share"),
    (36, "INVALID_MEDIA_TRANSCRIPT_PARAMS", "transcript parameters"),
    (37, "INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE", "content type of the transcript"),
    (38, "INVALID_MEDIA_CHAT_PARAMS", "chat parameters"),
    (39, "INVALID_MEDIA_CHAT_CONTENT_TYPE", "content type of the chat"),
)
_TRAPS = {
    13: "In the older preview table 13 is SESSION_NOT_FOUND.",
    17: "In the older preview table 17 is a second signaling connection.",
    31: "In the older preview table 31 is a second media connection.",
}

_PLAIN = (
    *(_receiver(number=n, name=name, meaning=meaning, remedy=MESSAGE) for n, name, meaning in _MESSAGES),
    *(
        _receiver(
            number=n,
            name=name,
            meaning=f"This stream or connection does not support {medium}.",
            remedy=SCOPE,
            trap=_TRAPS.get(n, ""),
        )
        for n, name, medium in _MEDIA
    ),
    *(
        _receiver(
            number=n,
            name=name,
            meaning=f"Not valid: {what}.",
            remedy=PARAMETERS,
            trap=_TRAPS.get(n, ""),
        )
        for n, name, what in _PARAMETERS
    ),
)
_SPECIAL = (
    _code(number=0, name="OK", meaning="The handshake was accepted.", fault=Fault.NOBODY, remedy="Nothing to do."),
    _receiver(
        number=2,
        name="INVALID_RTMS_STREAM_ID",
        meaning="Zoom does not know this stream id here: a wrong field, or a stream that is over.",
        remedy="Take the id from the newest started event and connect within about 60 seconds of it.",
        source=(DATA_TYPES, forum(144332)),
    ),
    _receiver(
        number=3,
        name="INVALID_SIGNATURE",
        meaning="The signature does not fit the stream: client id, secret, meeting or stream id differ from those of "
        "the "
        "app and environment that own it.",
        remedy="Sign 'client id,meeting uuid,stream id' with the secret of the app and environment whose event "
        "announced "
        "the stream; look for ZM_RTMS_CLIENT and ZM_RTMS_SECRET left in the environment.",
        source=(DATA_TYPES, SKILLS_CONNECTION),
        trap="In the older preview table an invalid signature is 15. Zoom may also close the socket with 1000 and say "
        "nothing; Zoom's SDK then reports 960.",
    ),
    _receiver(
        number=7,
        name="INVALID_MEDIA_TYPE",
        meaning="The media type is not valid here.",
        remedy="Ask for one medium per connection, or for 32 (all).",
    ),
    _receiver(
        number=8,
        name="DUPLICATE_SIGNAL_REQUEST",
        meaning="The stream already has a signaling connection.",
        remedy=SECOND,
        source=(DATA_TYPES, SKILLS_CONNECTION),
        trap="Zoom's notes also say that a second connection ends the first; either may happen.",
    ),
    _receiver(
        number=14,
        name="MEDIA_TYPE_INVALID_VALUE",
        meaning="The media type holds a value, or a combination of media, that one connection may not ask for.",
        remedy="Open one media connection per medium (1, 2, 4, 8, 16), or one with 32 (all).",
        source=(DATA_TYPES, MEETING_CONNECTORS),
        trap="Combined values such as 25 (audio, transcript and chat) were seen to be refused with 14, and the "
        "stream was "
        "stopped. As a stop reason, 14 is a lost media connection.",
    ),
    _receiver(
        number=15,
        name="MEDIA_DATA_ALL_CONNECTION_EXIST",
        meaning="A connection for all media exists already.",
        remedy=SECOND,
        trap="In the older preview table 15 is an invalid signature, and some of Zoom's samples still say so.",
    ),
    _receiver(
        number=16,
        name="DUPLICATE_MEDIA_DATA_CONNECTION",
        meaning="A connection for this medium exists already.",
        remedy=SECOND,
        trap="In the older preview table 16 is a wrong meeting or stream id.",
    ),
    _receiver(
        number=18,
        name="INVALID_MEDIA_AUDIO_PARAMS",
        meaning="Not valid: audio parameters.",
        remedy=PARAMETERS,
        trap="Handshake status 18 (audio parameters), stop reason 18 (authentication) and message type 18 (chat) are "
        "three "
        "things.",
    ),
    _receiver(
        number=43,
        name="INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE",
        meaning="Not valid: the source language of the transcript.",
        remedy="Ask for one of Zoom's language numbers (9 is English), or leave it out.",
        source=(DATA_TYPES, STREAMS),
    ),
    _receiver(
        number=44,
        name="DUPLICATE_VIDEO_SUBSCRIPTION",
        meaning="This participant's video is subscribed already.",
        remedy="Subscribe once; a new subscription replaces the one before.",
    ),
    _code(
        number=45,
        name="INTERNAL_EXCEPTION",
        meaning="Something failed on Zoom's side.",
        fault=Fault.ZOOM,
        remedy="Try again; if it comes back, ask Zoom, with the stream id and the time.",
        confidence=Confidence.DOCUMENTED,
    ),
)

HANDSHAKE_STATUSES = CodeKind(
    KIND,
    "Handshake statuses",
    "The table of 2026, confirmed in practice by 14. The older preview table (handshake-status-preview) gives other "
    "meanings to the same numbers and is still found in many repositories. 0 is the only success.",
    tuple(sorted((*_PLAIN, *_SPECIAL), key=lambda code: int(code.number))),
)
"""Statuses 0 to 45, from Zoom's data types of 2026."""
