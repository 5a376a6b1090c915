"""Return codes of the calls of Zoom's RTMS SDK."""

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.sources import SDK

KIND = "sdk-return"

_ROWS = (
    (-1, "FAILURE", "The call failed.", "Look at the SDK's log (make a folder logs/ in the working directory)."),
    (0, "OK", "The call was accepted; for a join this only says that it was queued.", "Nothing to do."),
    (1, "TIMEOUT", "The call took too long.", "Look at the network and the SDK's log."),
    (2, "NOT_EXIST", "What the call is about does not exist.", "Check ids and the order of calls."),
    (3, "WRONG_TYPE", "A value has the wrong type.", "Check the arguments."),
    (
        4,
        "INVALID_STATUS",
        "The client is not in a state for this call; on a join it is still cleaning up the one before.",
        "Wait about two seconds and try again.",
    ),
    (5, "INVALID_ARGS", "An argument is not valid.", "Check the arguments."),
)

SDK_RETURNS = CodeKind(
    KIND,
    "Return codes of the RTMS SDK's calls",
    "What a call returns at once; what became of a join is said by the join callback's reason (sdk-reason).",
    tuple(
        Code(
            kind=KIND,
            number=number,
            name=name,
            meaning=meaning,
            fault=Fault.RECEIVER if number else Fault.NOBODY,
            remedy=remedy,
            source=(SDK,),
            date="2026-04-15",
            confidence=Confidence.DOCUMENTED,
            trap="Return code 3 is not the join reason 3 (invalid signature)." if number == 3 else "",
        )
        for number, name, meaning, remedy in _ROWS
    ),
)
"""Return codes −1 to 5 of release 1.1.0."""
