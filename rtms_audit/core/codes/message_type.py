"""Message types of the RTMS protocol: `msg_type` of every message on the signaling and media sockets."""

import dataclasses

from rtms_audit.core.codes.code import CodeKind, table
from rtms_audit.core.codes.sources import DATA_TYPES, STREAMS

KIND = "message-type"

_NAMES = (
    (0, "UNDEFINED", "Not set."),
    (1, "SIGNALING_HAND_SHAKE_REQ", "Receiver to Zoom: opens the signaling connection; carries the signature."),
    (2, "SIGNALING_HAND_SHAKE_RESP", "Zoom's answer to 1: status, and the media addresses of the granted scopes."),
    (3, "DATA_HAND_SHAKE_REQ", "Receiver to Zoom: opens a media connection; carries media type and parameters."),
    (4, "DATA_HAND_SHAKE_RESP", "Zoom's answer to 3: status."),
    (5, "EVENT_SUBSCRIPTION", "Receiver to Zoom: subscribes to in-meeting events."),
    (6, "EVENT_UPDATE", "Zoom to receiver: an in-meeting event."),
    (7, "CLIENT_READY_ACK", "Receiver to Zoom, on signaling: ready for media."),
    (8, "STREAM_STATE_UPDATE", "Zoom to receiver: the stream's state, with a stop reason when it ends."),
    (9, "SESSION_STATE_UPDATE", "Zoom to receiver: the session's state, with a stop reason when it ends."),
    (10, "SESSION_STATE_REQ", "Receiver to Zoom: asks for the session's state."),
    (11, "SESSION_STATE_RESP", "Zoom's answer to 10."),
    (12, "KEEP_ALIVE_REQ", "Zoom to receiver, on both kinds of socket: must be answered with 13."),
    (13, "KEEP_ALIVE_RESP", "Receiver to Zoom: the answer to 12."),
    (14, "MEDIA_DATA_AUDIO", "Audio."),
    (15, "MEDIA_DATA_VIDEO", "Video."),
    (16, "MEDIA_DATA_SHARE", "Screen share."),
    (17, "MEDIA_DATA_TRANSCRIPT", "Transcript."),
    (18, "MEDIA_DATA_CHAT", "Chat."),
    (19, "STREAM_STATE_REQ", "Receiver to Zoom: asks for the stream's state."),
    (20, "STREAM_STATE_RESP", "Zoom's answer to 19."),
    (21, "STREAM_CLOSE_REQ", "Receiver to Zoom: asks for the end of the stream."),
    (22, "STREAM_CLOSE_RESP", "Zoom's answer to 21."),
    (23, "META_DATA_AUDIO", "Data about audio."),
    (24, "META_DATA_VIDEO", "Reserved: data about video."),
    (25, "META_DATA_SHARE", "Reserved: data about screen share."),
    (26, "META_DATA_TRANSCRIPT", "Reserved: data about the transcript."),
    (27, "META_DATA_CHAT", "Reserved: data about chat."),
    (28, "VIDEO_SUBSCRIPTION_REQ", "Receiver to Zoom: asks for one participant's video."),
    (29, "VIDEO_SUBSCRIPTION_RESP", "Zoom's answer to 28."),
)
_TRAPS = {
    12: "Zoom's native SDK answers only requests that hold a sequence (measured).",
    18: "Message type 18 (chat), handshake status 18 (audio parameters) and stop reason 18 (authentication) are three "
    "things.",
}

MESSAGE_TYPES = CodeKind(
    KIND,
    "Message types of the protocol",
    "What kind of message it is; never a sign that something failed.",
    tuple(
        dataclasses.replace(code, trap=_TRAPS.get(int(code.number), ""))
        for code in table(KIND, _NAMES, source=(DATA_TYPES, STREAMS), when="2026")
    ),
)
"""Message types 0 to 29 of protocol V1."""
