"""Every cause a diagnosis can name: category, who mends it and how, what would decide it, and where that is written.

Ids and categories are those of the evidence format; the order is that of the causal chain, and breaks ties.
"""

from dataclasses import dataclass

from rtms_audit.core.verdicts import Category, Remedy

DOCS = "https://developers.zoom.us/docs"
FORUM = "https://devforum.zoom.us/t"
RECALL = "https://www.recall.ai/blog/understanding-zoom-rtms-behavior-and-its-constraints"
TROUBLESHOOTING = f"{DOCS}/rtms/troubleshooting"
SETTINGS_PAGE = f"{DOCS}/rtms/meetings/ux-host-admin-tools-ctrls"
DATA_TYPES = f"{DOCS}/rtms/data-types/"
WEBHOOKS = f"{DOCS}/api/webhooks"
EVENTS = f"{DOCS}/api/rtms/events/"
MEASURED = "https://github.com/zoom/rtms"
OAUTH_ERRORS = f"{DOCS}/integrations/oauth-error-messages/"
ZOOM_APPS_SETTINGS = "Zoom web portal, Account Management, Account Settings, Zoom Apps"
MARKETPLACE = "https://marketplace.zoom.us, Manage, the app"


@dataclass(frozen=True, slots=True)
class CauseInfo:
    """What is fixed about a cause; `asks` are the facts that would decide it, the most telling first."""

    id: str
    category: Category
    title: str
    remedy: Remedy
    asks: tuple[str, ...]
    source: tuple[str, ...]


def _cause(
    id_: str, category: Category, title: str, *, who: str, what: str, where: str = "", asks: str = "", source: str
) -> CauseInfo:
    return CauseInfo(id_, category, title, Remedy(who, what, where), tuple(asks.split()), tuple(source.split()))


_ALL = (
    _cause(
        "install-missing",
        Category.DISTRIBUTION,
        "this account never completed the install",
        who="account-user",
        what="Open the install address of this environment and go on until the app's own page says that it is installed.",
        where="rtms-audit install ACCOUNT --environment ENV",
        asks="install.status",
        source=f"{DOCS}/integrations/oauth/",
    ),
    _cause(
        "app-not-distributed",
        Category.DISTRIBUTION,
        "an app that is private or not reviewed was used outside its owner's account",
        who="app-owner",
        what="Share the production environment as a beta or publish it after review, and install that one; "
        "a development app works on its owner's account only.",
        where=f"{MARKETPLACE}, Distribution",
        asks="app.review install.status",
        source=f"{DOCS}/rtms/meetings/submit-app-review {DOCS}/platform/key-concepts {FORUM}/143827",
    ),
    _cause(
        "app-disabled",
        Category.DISTRIBUTION,
        "Zoom or an administrator disabled the app",
        who="account-admin",
        what="Ask the account's administrator, and Zoom's developer support where Zoom did it, to enable the app again.",
        where=MARKETPLACE,
        asks="app.enabled",
        source=OAUTH_ERRORS,
    ),
    _cause(
        "client-invalid",
        Category.AUTHENTICATION,
        "the token address refused the client id and secret",
        who="app-owner",
        what="Copy client id and secret of this very environment again; development and production have a pair each.",
        where=f"{MARKETPLACE}, Basic Information, App Credentials",
        asks="receiver.client_id",
        source=f"{DOCS}/build-flow/basic-info/app-credentials {OAUTH_ERRORS}",
    ),
    _cause(
        "token-dead",
        Category.AUTHENTICATION,
        "the install's grant no longer works",
        who="account-user",
        what="Install the app again with the same user; a refresh cannot bring a dead grant back.",
        where="rtms-audit install ACCOUNT --environment ENV",
        asks="install.status",
        source=OAUTH_ERRORS,
    ),
    _cause(
        "entitlement-missing",
        Category.ENTITLEMENT,
        "the app owner's account has no active Developer Pack, its trial ended, or RTMS is not enabled for the app",
        who="app-owner",
        what="See whether a Developer Pack with credits is active on the account that owns the app; after buying, wait two "
        "minutes and try again; then ask Zoom's developer support to look at the app id.",
        where="Zoom web portal, Plan Management, Developer Pack; zoom.us/pricing/developer",
        asks="account.developer_pack account.rtms_enabled",
        source=f"{DOCS}/rtms/ {TROUBLESHOOTING} {FORUM}/144213",
    ),
    _cause(
        "app-type-unsupported",
        Category.DISTRIBUTION,
        "the app is not of the kind that RTMS needs",
        who="app-owner",
        what="Make a user-managed General app for RTMS in meetings and webinars; other kinds cannot add its events and scopes.",
        where="https://marketplace.zoom.us, Develop, Build App",
        asks="app.usage",
        source=f"{DOCS}/rtms/meetings/add-features",
    ),
    _cause(
        "scope-missing",
        Category.PERMISSION,
        "a scope that RTMS or the call needs was not granted",
        who="app-owner",
        what="Add the scopes in the build flow, save, and let the account install the app again: scopes are frozen at consent.",
        where=f"{MARKETPLACE}, Scopes",
        asks="app.scopes app.scopes_selectable",
        source=f"{DOCS}/rtms/meetings/add-features {EVENTS}",
    ),
    _cause(
        "plan-unsupported",
        Category.ENTITLEMENT,
        "the account's plan does not support RTMS",
        who="zoom",
        what="Do not buy a plan on this evidence: Zoom's own sources disagree about free accounts. Find out first whether the "
        "Developer Pack of the app owner, the sharing settings and the trigger are in place, then ask Zoom.",
        where=TROUBLESHOOTING,
        asks="account.developer_pack setting.share_realtime_content",
        source=f"{TROUBLESHOOTING} {FORUM}/144455 {FORUM}/142303",
    ),
    _cause(
        "account-not-verified",
        Category.ENTITLEMENT,
        "the starter's account is not verified",
        who="account-user",
        what="Verify the account of the user who starts the stream (e-mail and, where Zoom asks for it, phone or card).",
        where="https://zoom.us/profile",
        asks="account.verified",
        source=f"{FORUM}/142303",
    ),
    _cause(
        "sharing-off",
        Category.SETTINGS,
        "sharing realtime content with apps is off or locked",
        who="account-admin",
        what="Turn on 'Share realtime meeting content with apps' (and its webinar twin) and see that no group or lock turns it off.",
        where=ZOOM_APPS_SETTINGS,
        asks="setting.share_realtime_content",
        source=SETTINGS_PAGE,
    ),
    _cause(
        "app-not-allowed",
        Category.SETTINGS,
        "the app (this client id) is not on the account's list of apps allowed to reach meeting content",
        who="account-admin",
        what="Add this environment's app to the apps that may reach meeting content; development and production are two entries.",
        where=f"{ZOOM_APPS_SETTINGS}, Share realtime meeting content with apps",
        asks="setting.app_allowed",
        source=f"{FORUM}/142847 {SETTINGS_PAGE}",
    ),
    _cause(
        "not-triggered",
        Category.TRIGGER,
        "nothing started RTMS: no auto-start, no start call, no in-meeting start",
        who="account-admin",
        what="Switch auto-start on for this app, or start it by the REST call or from the app in the meeting.",
        where=f"{ZOOM_APPS_SETTINGS}, Auto-start apps that access shared realtime meeting content",
        asks="trigger setting.auto_start",
        source=f"{SETTINGS_PAGE} {FORUM}/140262",
    ),
    _cause(
        "starter-not-installed",
        Category.PERMISSION,
        "the person who started it has not installed the app, so its webhook is not sent",
        who="account-user",
        what="Let the person who starts the stream install this environment of the app.",
        where="rtms-audit install ACCOUNT --environment ENV",
        asks="starter.has_installed_app",
        source=EVENTS,
    ),
    _cause(
        "starter-not-permitted",
        Category.PERMISSION,
        "the starter is not host, alternative host or an invited participant",
        who="host",
        what="Start as host or alternative host, or as a participant who was invited by name and has joined.",
        asks="starter.role host.account",
        source=f"{TROUBLESHOOTING} https://developers.zoom.us/changelog/rtms/july-04-2026 {FORUM}/144673",
    ),
    _cause(
        "starter-absent",
        Category.TRIGGER,
        "the app's user was not in the meeting, or went to a breakout room or left",
        who="account-user",
        what="Keep the app's user in the main meeting for as long as the stream is to run.",
        asks="starter.present starter.in_breakout_room",
        source=f"{RECALL} {DATA_TYPES}",
    ),
    _cause(
        "host-absent",
        Category.PERMISSION,
        "the host was not there when the start needed the host",
        who="host",
        what="Let the host join first, or allow joining before the host, and start again once the meeting runs.",
        asks="host.present meeting.join_before_host",
        source=f"https://developers.zoom.us/changelog/rtms/january-18-2026 {FORUM}/140368 {RECALL}",
    ),
    _cause(
        "host-approval-pending",
        Category.PERMISSION,
        "the host has not answered the request",
        who="host",
        what="Let the host answer the request that Zoom shows in the meeting.",
        asks="host.approval setting.require_host_approval",
        source=f"{FORUM}/131203 {SETTINGS_PAGE}",
    ),
    _cause(
        "host-denied",
        Category.PERMISSION,
        "the host refused",
        who="host",
        what="Ask the host to allow the app and start again.",
        asks="host.approval",
        source=f"{FORUM}/131203",
    ),
    _cause(
        "host-policy",
        Category.SETTINGS,
        "the host's organisation does not allow it",
        who="host-admin",
        what="Ask the administrator of the host's organisation to let apps of other accounts reach realtime content.",
        where=ZOOM_APPS_SETTINGS,
        asks="host.organisation_allows host.account",
        source=f"{FORUM}/131203 {RECALL}",
    ),
    _cause(
        "client-too-old",
        Category.PERMISSION,
        "a Zoom client is older than RTMS needs",
        who="account-user",
        what="Update the Zoom clients of the starter and of the host to 6.5.5 or newer.",
        asks="starter.client_version host.client_version",
        source=f"{RECALL} https://github.com/zoom/appssdk",
    ),
    _cause(
        "meeting-unsupported",
        Category.PERMISSION,
        "this kind of meeting or session cannot stream",
        who="host",
        what="Try an ordinary meeting in the main room, without practice session or end-to-end encryption.",
        asks="meeting.kind",
        source=f"{DOCS}/api/video-sdk/ https://docs.recall.ai",
    ),
    _cause(
        "concurrency-limit",
        Category.ENTITLEMENT,
        "the app owner's account was at its limit of streams",
        who="app-owner",
        what="Wait until other streams of the app end, or ask Zoom for a higher limit.",
        where=EVENTS,
        asks="account.concurrent_streams",
        source=f"{EVENTS} {TROUBLESHOOTING}",
    ),
    _cause(
        "webhook-misconfigured",
        Category.DELIVERY,
        "the event subscription, its address, its secret token or its validation is wrong",
        who="app-owner",
        what="See that this environment's subscription has the RTMS events, the right address and a validated endpoint, and "
        "that the receiver checks signatures with the secret token, which is not the client secret.",
        where=f"{MARKETPLACE}, Access, Event Subscription",
        asks="app.events app.webhook_validated",
        source=f"{WEBHOOKS} {EVENTS}",
    ),
    _cause(
        "webhook-rejected",
        Category.DELIVERY,
        "our endpoint refused or failed the event",
        who="app-owner",
        what="Answer every event with 200 or 204 within 3 seconds, before any work is done; Zoom does not repeat what was "
        "refused with 3xx or 4xx.",
        asks="receiver.webhook_answer",
        source=f"{WEBHOOKS} https://developers.zoom.us/blog/webhook-delays",
    ),
    _cause(
        "credentials-mismatch",
        Category.AUTHENTICATION,
        "the handshake was signed with a client id and secret that are not those of the stream's app",
        who="app-owner",
        what="Sign with client id and secret of the app and environment that the stream belongs to; look at ZM_RTMS_CLIENT and "
        "ZM_RTMS_SECRET first, which override what the code passes to Zoom's SDK, then at a rotated secret.",
        where=f"{MARKETPLACE}, Basic Information, App Credentials",
        asks="receiver.signing_environment receiver.client_id",
        source=f"{DATA_TYPES} {FORUM}/142247 {FORUM}/138941",
    ),
    _cause(
        "credentials-missing",
        Category.AUTHENTICATION,
        "the receiver had no client id or secret to sign with",
        who="app-owner",
        what="Set ZM_RTMS_CLIENT and ZM_RTMS_SECRET for the receiver's process, or pass the pair to the join.",
        asks="receiver.credentials_present",
        source="https://github.com/zoom/rtms",
    ),
    _cause(
        "environment-mixed",
        Category.ENVIRONMENT,
        "one environment's credentials, endpoint or client id met the other's install",
        who="app-owner",
        what="Give each environment's backend its own client id, secret and webhook secret, and unset ZM_RTMS_CLIENT and "
        "ZM_RTMS_SECRET, which override what the code passes to Zoom's SDK.",
        where=f"{MARKETPLACE}, Basic Information, App Credentials",
        asks="receiver.signing_environment receiver.client_id",
        source=f"{DOCS}/build-flow/basic-info/app-credentials https://github.com/zoom/rtms",
    ),
    _cause(
        "duplicate-connection",
        Category.RECEIVER,
        "a second connection to the same stream",
        who="app-owner",
        what="Connect once per stream: drop a started event whose stream is already joined, and answer webhooks at once so that "
        "they are not repeated.",
        asks="receiver.connections",
        source=f"{DATA_TYPES} https://github.com/zoom/rtms-samples",
    ),
    _cause(
        "media-rejected",
        Category.MEDIA,
        "the media type or parameters were refused",
        who="app-owner",
        what="Ask for one media type per socket (or 32 for all) with a combination of codec, rate and channels that Zoom lists.",
        where=DATA_TYPES,
        asks="receiver.media_type",
        source=DATA_TYPES,
    ),
    _cause(
        "receiver-platform",
        Category.RECEIVER,
        "the SDK cannot run on this platform",
        who="app-owner",
        what="Run Zoom's SDK where it has a build: glibc 2.34 or newer on Linux x86-64, Node 22, CPython 3.10 to 3.13.",
        asks="receiver.platform_supported",
        source=MEASURED,
    ),
    _cause(
        "receiver-unavailable",
        Category.RECEIVER,
        "the receiver was down, restarting or too late to join",
        who="app-owner",
        what="Keep a receiver running that joins within 60 seconds of the started event; then start the stream again.",
        asks="receiver.running",
        source=f"{FORUM}/144332 {DATA_TYPES}",
    ),
    _cause(
        "receiver-network",
        Category.RECEIVER,
        "the receiver could not reach the media address",
        who="app-owner",
        what="From the receiver's own host, try name, route and proxy to the address in server_urls, WebSocket included.",
        asks="receiver.network_errors",
        source=MEASURED,
    ),
    _cause(
        "receiver-tls",
        Category.RECEIVER,
        "the TLS certificate check failed",
        who="app-owner",
        what="Give the receiver the right authorities (ZM_RTMS_CA for Zoom's SDK) and see that no proxy shows its own certificate.",
        asks="receiver.tls_errors",
        source=MEASURED,
    ),
    _cause(
        "receiver-defect",
        Category.RECEIVER,
        "the receiver or its SDK mishandled the protocol",
        who="app-owner",
        what="Update Zoom's SDK, accept binary frames, and compare the handshake with the documented one, the signature's formula "
        "included: client id, comma, meeting uuid, comma, stream id.",
        where=f"{DOCS}/rtms/meetings/work-with-streams",
        asks="receiver.signature_formula receiver.sdk_version",
        source=f"{DOCS}/rtms/meetings/work-with-streams https://github.com/zoom/rtms",
    ),
    _cause(
        "keepalive-missed",
        Category.RECEIVER,
        "keep-alives were not answered",
        who="app-owner",
        what="Answer every message 12 with a message 13 on both kinds of socket; three misses end the stream.",
        where=f"{DOCS}/rtms/failover-reconnection",
        asks="receiver.keepalives_answered",
        source=f"{DATA_TYPES} {DOCS}/rtms/failover-reconnection",
    ),
    _cause(
        "media-not-configured",
        Category.MEDIA,
        "the stream ran, but a medium was never asked for, enabled or given a language",
        who="app-owner",
        what="Register a callback for each medium wanted, and give the transcript a source language; captions must be enabled.",
        where=DATA_TYPES,
        asks="media.kinds_received receiver.transcript_language",
        source=f"{DATA_TYPES} {DOCS}/rtms/meetings/work-with-streams",
    ),
    _cause(
        "stopped-by-admin",
        Category.SETTINGS,
        "an administrator disabled the app during the stream",
        who="account-admin",
        what="Ask the administrator why the app was disabled, and to enable it again.",
        where=MARKETPLACE,
        asks="app.enabled",
        source=DATA_TYPES,
    ),
    _cause(
        "zoom-internal",
        Category.ZOOM,
        "Zoom reported a fault of its own",
        who="zoom",
        what="Start the stream again; where it comes back, give Zoom's support the tracking ids and times of this report.",
        asks="zoom.incident",
        source=f"{DATA_TYPES} {DOCS}/rtms/failover-reconnection",
    ),
    _cause(
        "already-running",
        Category.ORDINARY,
        "a stream was already active; a second start is refused",
        who="app-owner",
        what="Nothing is wrong: use the stream that is already there, or stop it before starting another.",
        asks="media.received",
        source="https://github.com/Moveris/zoom-rtms-plugin",
    ),
    _cause(
        "ended-normally",
        Category.ORDINARY,
        "the host, the user or the end of the meeting stopped it",
        who="nobody",
        what="Nothing is wrong.",
        source=DATA_TYPES,
    ),
)

CAUSES: dict[str, CauseInfo] = {cause.id: cause for cause in _ALL}
"""The causes by id, in causal order."""

RANK: dict[str, int] = {cause.id: place for place, cause in enumerate(_ALL)}
"""The place of each cause in causal order; the smaller leads among causes of one certainty."""
