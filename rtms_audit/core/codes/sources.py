"""The addresses that the meanings of codes come from."""

DATA_TYPES = "https://developers.zoom.us/docs/rtms/data-types/"
EVENTS = "https://developers.zoom.us/docs/api/rtms/events/"
EVENT_REFERENCE = "https://developers.zoom.us/docs/rtms/event-reference"
FAILOVER = "https://developers.zoom.us/docs/rtms/failover-reconnection"
TROUBLESHOOTING = "https://developers.zoom.us/docs/rtms/troubleshooting"
STREAMS = "https://developers.zoom.us/docs/rtms/meetings/work-with-streams"
WEBHOOKS = "https://developers.zoom.us/docs/api/webhooks"
WEBHOOK_DELAYS = "https://developers.zoom.us/blog/webhook-delays"
OAUTH_ERRORS = "https://developers.zoom.us/docs/integrations/oauth-error-messages/"
API_ERRORS = "https://developers.zoom.us/docs/api/errors"
API_USE = "https://developers.zoom.us/docs/api/using-zoom-apis"
RATE_LIMITS = "https://developers.zoom.us/docs/api/rate-limits"
CHANGE_JANUARY_18 = "https://developers.zoom.us/changelog/rtms/january-18-2026"
CHANGE_JULY_04 = "https://developers.zoom.us/changelog/rtms/july-04-2026"

_SKILLS = "https://github.com/zoom/skills/blob/8212edf/skills"
SKILLS_DATA_TYPES = f"{_SKILLS}/rtms/references/data-types.md"
SKILLS_CONNECTION = f"{_SKILLS}/rtms/references/connection.md"
SKILLS_WEBHOOKS = f"{_SKILLS}/rtms/references/webhooks.md"
SKILLS_OAUTH_ERRORS = f"{_SKILLS}/oauth/references/oauth-errors.md"
SKILLS_MARKETPLACE = f"{_SKILLS}/rest-api/references/marketplace-apps.md"
SKILLS_RATE_LIMITS = f"{_SKILLS}/rest-api/references/rate-limits.md"

SDK = "https://github.com/zoom/rtms/tree/7ae31ec"
SAMPLES = "https://github.com/zoom/rtms-samples"
_SPEC = "https://github.com/Oliver-DoWhiz/DoWhiz/blob/18a7ebf/api_reference_documentation/zoom_api_docs/docs/api"
SPEC_VIDEO_SDK = f"{_SPEC}/video-sdk/page.md"
SPEC_USERS = f"{_SPEC}/users/page.md"
SPEC_ACCOUNTS = f"{_SPEC}/accounts/page.md"
SPEC_MARKETPLACE = f"{_SPEC}/marketplace/page.md"
SPEC_BILLING = f"{_SPEC}/billing_ma/page.md"
SPEC_MEETINGS = (
    "https://github.com/SferaDev/openapi-clients/blob/5ff38f6/packages/zoom-api-js/src/meeting/components.ts"
)

MEETING_CONNECTORS = "https://github.com/True-Fan/meeting-connectors"
NETCLAW = (
    "https://github.com/chambear2809/netclaw/blob/9c08bde04626b9299925cc2476f58c4be6c4302f/"
    "docs/ZOOM-MEETING-INTELLIGENCE.md"
)
RTMS_PLUGIN = "https://github.com/Moveris/zoom-rtms-plugin"
WINKK = "Winkk meeting-bot docs (known by name only)"
PURE_WATER = "Pure Water Automations (known by name only)"
CONNECTOR = "a community connector (third-party code, no address known)"
THIRD_PARTY_2026 = "a third party's live tests on a free account, 2026-10 (no address known)"


def forum(thread: int) -> str:
    """Return the address of a thread of Zoom's developer forum."""
    return f"https://devforum.zoom.us/t/{thread}"
