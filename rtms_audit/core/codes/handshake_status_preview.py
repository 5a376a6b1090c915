"""Statuses of a handshake in the older table of RTMS' preview, as far as its entries are known."""

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.sources import SAMPLES

KIND = "handshake-status-preview"

_ROWS = (
    (13, "SESSION_NOT_FOUND", "The session was not found.", 2),
    (15, "INVALID_SIGNATURE", "The signature does not fit the stream.", 3),
    (16, "INVALID_MEETING_OR_STREAM_ID", "The meeting or stream id is wrong.", 2),
    (17, "DUPLICATE_SIGNAL_REQUEST", "The stream already has a signaling connection.", 8),
    (18, "EVENTS_NOT_EXIST", "The events that were asked for do not exist.", 5),
    (31, "DUPLICATE_MEDIA", "A media connection exists already.", 16),
)

HANDSHAKE_STATUSES_PREVIEW = CodeKind(
    KIND,
    "Handshake statuses of the preview (older table, 0 to 62)",
    "Kept apart from the current table, whose numbers mean other things. Only the entries that are known stand here. "
    "Read a status with this table only if the server is known to be that old, or a simulator that copies it.",
    tuple(
        Code(
            kind=KIND,
            number=number,
            name=name,
            meaning=meaning,
            fault=Fault.RECEIVER,
            remedy=f"See the present status nearest to it: handshake-status {now}.",
            source=(SAMPLES,),
            date="2025",
            confidence=Confidence.COMMUNITY,
            trap=f"In the current table {number} means something else.",
        )
        for number, name, meaning, now in _ROWS
    ),
)
"""The known entries of the preview's table, from community copies and the samples' notes."""
