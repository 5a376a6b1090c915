"""Media types: `media_type` of the media handshake. The values are bits, but one connection takes one of them."""

from rtms_audit.core.codes.code import CodeKind, table
from rtms_audit.core.codes.sources import DATA_TYPES, MEETING_CONNECTORS

KIND = "media-type"

MEDIA_TYPES = CodeKind(
    KIND,
    "Media types",
    "One connection asks for one medium or for 32. Sums such as 17 (audio and chat) or 25 (audio, transcript and chat) "
    "were seen to be refused with handshake status 14.",
    table(
        KIND,
        (
            (1, "AUDIO", "Audio."),
            (2, "VIDEO", "Video."),
            (4, "DESKSHARE", "Screen share."),
            (8, "TRANSCRIPT", "Transcript."),
            (16, "CHAT", "Chat."),
            (32, "ALL", "All media over one connection; Zoom's SDK does not use it (measured)."),
        ),
        source=(DATA_TYPES, MEETING_CONNECTORS),
        when="2026",
    ),
)
"""Media types 1 to 32."""
