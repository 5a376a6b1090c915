"""The days on which Zoom changed how RTMS behaves; evidence is judged by the rules of its day."""

from dataclasses import dataclass
from datetime import date

CHANGELOG = "https://developers.zoom.us/changelog/rtms"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the first day of the new rule, the rule before and after, and where it is announced."""

    id: str
    since: date
    before: str
    after: str
    source: str

    def holds(self, day: date | None) -> bool | None:
        """Whether the new rule held on a day; None where the day is not known."""
        return None if day is None else day >= self.since


HOST_NOT_NEEDED = Change(
    "host-presence",
    date(2026, 1, 18),
    "a start by REST needed the host in the meeting",
    "the host need not be there where people may join before the host; an alternative host must be",
    f"{CHANGELOG}/january-18-2026",
)
STARTED_FIELDS = Change(
    "started-fields",
    date(2026, 5, 9),
    "started events held meeting uuid, operator, stream id and addresses",
    "started events also hold account_id, is_original_host and meeting_id or webinar_id",
    f"{CHANGELOG}/may-09-2026",
)
SELF_SERVICE = Change(
    "developer-pack-self-service",
    date(2026, 6, 30),
    "RTMS was enabled per app id by Zoom's support, on request",
    "the Developer Pack is bought at zoom.us/pricing/developer",
    "https://devforum.zoom.us/t/144524",
)
INVITED_MAY_START = Change(
    "invited-participants",
    date(2026, 7, 4),
    "host and alternative host could start",
    "an invited participant who has joined may start too",
    f"{CHANGELOG}/july-04-2026",
)
CONTINUOUS_SHARING = Change(
    "continuous-sharing",
    date(2026, 10, 30),
    "a stream ended when the host left",
    "a stream goes on by default when the host leaves or hands over; rtms.request_status tells of requests",
    f"{CHANGELOG}/october-30-2026",
)

CHANGES = (HOST_NOT_NEEDED, STARTED_FIELDS, SELF_SERVICE, INVITED_MAY_START, CONTINUOUS_SHARING)
"""Every change that judging knows, in the order of their days."""
