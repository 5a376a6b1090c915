"""In-meeting event types: `event_type` of message 6. Contact Center gives some numbers another meaning."""

from rtms_audit.core.codes.code import CodeKind, table
from rtms_audit.core.codes.sources import DATA_TYPES, EVENT_REFERENCE

KIND = "event-type"
CONTACT_CENTER = "event-type-contact-center"

EVENT_TYPES = CodeKind(
    KIND,
    "In-meeting event types",
    "For meetings, webinars and sessions. 1 and 7 come without a subscription. 10 to 14 came in July 2026.",
    table(
        KIND,
        (
            (0, "UNDEFINED", "Not set."),
            (1, "FIRST_PACKET_TIMESTAMP", "The first media packet was sent: media flows."),
            (2, "ACTIVE_SPEAKER_CHANGE", "Another participant speaks."),
            (3, "PARTICIPANT_JOIN", "Somebody joined."),
            (4, "PARTICIPANT_LEAVE", "Somebody left."),
            (5, "SHARING_START", "Screen sharing began."),
            (6, "SHARING_STOP", "Screen sharing ended."),
            (7, "MEDIA_CONNECTION_INTERRUPTED", "The media connection was lost; reconnect the media socket only."),
            (8, "PARTICIPANT_VIDEO_ON", "A camera was switched on."),
            (9, "PARTICIPANT_VIDEO_OFF", "A camera was switched off."),
            (10, "CHAT_GROUP_CREATE", "A chat group was made."),
            (11, "CHAT_GROUP_DELETE", "A chat group was deleted."),
            (12, "CHAT_GROUP_MEMBERS_ADD", "Members were added to a chat group."),
            (13, "CHAT_GROUP_MEMBERS_DELETE", "Members were taken out of a chat group."),
            (14, "CHAT_GROUP_MEMBER_STATUS_UPDATE", "A chat group member's status changed."),
        ),
        source=(DATA_TYPES, EVENT_REFERENCE),
        when="2026-07",
    ),
)
"""Event types 0 to 14 of meetings."""

CONTACT_CENTER_EVENT_TYPES = CodeKind(
    CONTACT_CENTER,
    "In-call event types of Contact Center voice",
    "The same numbers mean other things in meetings (event-type); read them by the product of the stream.",
    table(
        CONTACT_CENTER,
        (
            (8, "CONSUMER_ANSWERED", "The consumer answered."),
            (9, "CONSUMER_END", "The consumer ended the call."),
            (10, "USER_ANSWERED", "The agent answered."),
            (11, "USER_END", "The agent ended the call."),
            (12, "USER_HOLD", "The agent put the call on hold."),
            (13, "USER_UNHOLD", "The agent took the call off hold."),
            (14, "MONITOR_STARTED", "Monitoring began."),
            (15, "MONITOR_TRANSITIONED", "Monitoring changed."),
            (16, "MONITOR_ENDED", "Monitoring ended."),
            (17, "TAKEOVER_STARTED", "A take-over began."),
            (18, "TRANSFER_INITIATED", "A transfer was begun."),
            (19, "TRANSFER_CANCELED", "A transfer was cancelled."),
            (20, "TRANSFER_ACCEPTED", "A transfer was accepted."),
            (21, "TRANSFER_COMPLETED", "A transfer was completed."),
            (22, "TRANSFER_REJECTED", "A transfer was rejected."),
            (23, "TRANSFER_TIMEOUT", "A transfer was not answered in time."),
            (24, "CONFERENCE_CANCELED", "A conference was cancelled."),
            (25, "CONFERENCE_PARTICIPANT_CANCELED", "A conference invitation was cancelled."),
            (26, "CONFERENCE_PARTICIPANT_INVITED", "Somebody was invited to a conference."),
            (27, "CONFERENCE_PARTICIPANT_REJECTED", "Somebody declined a conference."),
            (28, "CONFERENCE_PARTICIPANT_TIMEOUT", "A conference invitation was not answered in time."),
            (29, "CONFERENCE_PARTICIPANT_LEFT", "Somebody left a conference."),
        ),
        source=(DATA_TYPES, EVENT_REFERENCE),
        when="2026",
    ),
)
"""Event types 8 to 29 of Contact Center voice."""
