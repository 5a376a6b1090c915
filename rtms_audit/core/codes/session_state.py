"""States of an RTMS session: `state` of message 9."""

from rtms_audit.core.codes.code import CodeKind, table
from rtms_audit.core.codes.sources import DATA_TYPES

KIND = "session-state"

SESSION_STATES = CodeKind(
    KIND,
    "Session states",
    "The state of the session as message 9 reports it.",
    table(
        KIND,
        (
            (0, "INACTIVE", "Not active."),
            (1, "INITIALIZE", "Being set up."),
            (2, "STARTED", "Running."),
            (3, "PAUSED", "Paused."),
            (4, "RESUMED", "Running again after a pause."),
            (5, "STOPPED", "Ended; the stop reason beside it says why."),
        ),
        source=(DATA_TYPES,),
        when="2026",
    ),
)
"""Session states 0 to 5."""
