"""States of an RTMS stream: `state` of message 8."""

from rtms_audit.core.codes.code import CodeKind, table
from rtms_audit.core.codes.sources import DATA_TYPES

KIND = "stream-state"

STREAM_STATES = CodeKind(
    KIND,
    "Stream states",
    "The state of the stream as message 8 reports it; 5 and 6 are newer than the others.",
    table(
        KIND,
        (
            (0, "INACTIVE", "Not active."),
            (1, "ACTIVE", "Running."),
            (2, "INTERRUPTED", "A connection was lost; the receiver has to come back."),
            (3, "TERMINATING", "Ending; the reason beside it says why."),
            (4, "TERMINATED", "Ended; the reason beside it is a stop reason."),
            (5, "PAUSED", "Paused."),
            (6, "RESUMED", "Running again after a pause."),
        ),
        source=(DATA_TYPES,),
        when="2026",
    ),
)
"""Stream states 0 to 6."""
