"""What Zoom's webhook delivery says when it could not hand an event over, and when it tries again."""

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.sources import SKILLS_WEBHOOKS, WEBHOOK_DELAYS, WEBHOOKS, forum

KIND = "webhook-retry"
REACHABLE = "See that the endpoint is up, reachable from the internet and answers 200 or 204 within three seconds."
STALE = (
    "A stream has to be joined within about 60 seconds of its event, so that a repeated started event comes too late; "
    "answer the first one at once and work afterwards."
)

_ROWS = (
    (-1, "READ_TIMEOUT", "The endpoint did not answer in time.", REACHABLE),
    (-2, "CONNECTION_REFUSED", "The endpoint refused the connection.", REACHABLE),
    (-3, "FALLBACK", "Zoom's delivery fell back; nothing more is said.", REACHABLE),
    (-4, "TIMEOUT", "The delivery timed out.", REACHABLE),
    (-5, "ASYNC", "Zoom's asynchronous delivery failed.", REACHABLE),
    (-7, "REMOTE", "The remote side failed.", REACHABLE),
    (-8, "DELEGATE", "Zoom's delegated delivery failed.", REACHABLE),
    (-10, "INSTANT_RETRY", "An immediate second try was made.", REACHABLE),
    (-13, "DNS", "The endpoint's name was not found.", "Check the name of the endpoint's address in public DNS."),
    (
        -14,
        "NO_OAUTH_TOKEN",
        "Zoom got no token from the endpoint's own OAuth address (authentication by client credentials).",
        "See that your token address answers, with expires_in of at least 3599.",
    ),
    (-15, "CUSTOM_HEADER", "The custom header for authentication failed.", "Check the header in the subscription."),
)

WEBHOOK_RETRIES = CodeKind(
    KIND,
    "Webhook delivery and retries",
    "Zoom expects 200 or 204 within 3 seconds. After an HTTP status of 500 or more, or one of these internal codes, it "
    "tries again after 5 minutes, then 20, then 60. An answer of 3xx or 4xx is not repeated, so that one 401 or 405 "
    "loses "
    f"the event (one of Zoom's blog posts says that every answer but 2xx is repeated). {STALE} An endpoint that "
    f"fails six "
    "validations in a row (one every 72 hours) gets no events any more.",
    tuple(
        Code(
            kind=KIND,
            number=number,
            name=name,
            meaning=meaning,
            fault=Fault.RECEIVER,
            remedy=remedy,
            source=(WEBHOOKS, SKILLS_WEBHOOKS, WEBHOOK_DELAYS, forum(144332)),
            date="2026-02",
            confidence=Confidence.DOCUMENTED,
            trap="In webhook_logs, status −1 stands where there was no HTTP status." if number == -1 else "",
        )
        for number, name, meaning, remedy in _ROWS
    ),
)
"""Internal codes −1 to −15 of webhook deliveries, from the webhook page of 2026-02."""
