"""What to find out next: how each fact is found out, and who can."""

from collections.abc import Collection, Iterable

from rtms_audit.core.causes import CAUSES, ZOOM_APPS_SETTINGS
from rtms_audit.core.situation import Situation
from rtms_audit.core.verdicts import Category, Cause, Known, NextStep, Status

MOST = 12
"""More questions than this help nobody."""

QUESTIONS: dict[str, tuple[str, str]] = {
    "install.status": (
        "Run `rtms-audit installs list --live`, or let the user install this environment again.",
        "account-user",
    ),
    "app.review": ("See how far the environment is shared: Marketplace, the app, Distribution.", "app-owner"),
    "app.enabled": ("See whether the app is enabled: Marketplace, Manage, the app.", "account-admin"),
    "app.usage": ("See what kind of app it is: Marketplace, the app, Basic Information.", "app-owner"),
    "app.scopes": ("Read the scopes of the app in the build flow, Scopes.", "app-owner"),
    "app.scopes_selectable": ("Look whether the RTMS media scopes can be selected in the build flow.", "app-owner"),
    "app.events": ("Read the events of this environment's subscription: build flow, Access.", "app-owner"),
    "app.webhook_validated": (
        "Validate the address of this environment's subscription again: build flow, Access.",
        "app-owner",
    ),
    "account.developer_pack": (
        "Look at Plan Management, Developer Pack, of the account that owns the app: active, trial, expired or none?",
        "app-owner",
    ),
    "account.rtms_enabled": ("Ask Zoom's developer support whether RTMS is enabled for the app id.", "zoom"),
    "account.verified": (
        "Read `verified` of GET /users/me as the starter, or look at the starter's profile page.",
        "account-user",
    ),
    "account.concurrent_streams": (
        "Count the streams that ran at that minute in all accounts of the app.",
        "app-owner",
    ),
    "setting.share_realtime_content": (
        f"Look at 'Share realtime meeting content with apps' in {ZOOM_APPS_SETTINGS}, and at the user's group.",
        "account-admin",
    ),
    "setting.app_allowed": (f"Look whether this client id's app is listed in {ZOOM_APPS_SETTINGS}.", "account-admin"),
    "setting.auto_start": (
        f"Look at 'Auto-start apps that access shared realtime meeting content' in {ZOOM_APPS_SETTINGS}.",
        "account-admin",
    ),
    "setting.require_host_approval": (f"Look at 'Require host approval' in {ZOOM_APPS_SETTINGS}.", "account-admin"),
    "trigger": (
        "Ask what was to start the stream: auto-start, a REST call, the app in the meeting, or nothing.",
        "account-user",
    ),
    "starter.role": (
        "Ask who started it: host, alternative host, invited participant, or guest by link.",
        "account-user",
    ),
    "starter.present": ("Ask whether the app's user was in the meeting all the time.", "account-user"),
    "starter.in_breakout_room": ("Ask whether the app's user was in a breakout room.", "account-user"),
    "starter.has_installed_app": ("Compare the starter's user id with the installs of this environment.", "app-owner"),
    "starter.client_version": ("Read the version of the starter's Zoom client: Help, About.", "account-user"),
    "host.client_version": ("Read the version of the host's Zoom client: Help, About.", "host"),
    "host.present": ("Ask whether the host was in the meeting when the start was asked for.", "host"),
    "host.approval": ("Ask the host whether a request was shown, and what the answer was.", "host"),
    "host.account": ("Ask which account hosts the meeting: the starter's own or another.", "account-user"),
    "host.organisation_allows": (
        "Ask whether the host's organisation lets outside apps reach realtime content.",
        "host-admin",
    ),
    "meeting.join_before_host": ("Look whether the meeting lets people join before the host.", "host"),
    "meeting.kind": ("Ask what it was: meeting, webinar, practice session, breakout room, Video SDK session.", "host"),
    "receiver.signing_environment": (
        "Read ZM_RTMS_CLIENT where the receiver runs, and the client id in its code: development's or production's?",
        "app-owner",
    ),
    "receiver.client_id": (
        "Read the client id that the receiver signs with, and compare it with the app's pages.",
        "app-owner",
    ),
    "receiver.credentials_present": ("Look whether the receiver's process has a client id and secret.", "app-owner"),
    "receiver.running": ("Look whether the receiver ran, and when it connected after the event.", "app-owner"),
    "receiver.network_errors": ("From the receiver's host, connect to the address in server_urls.", "app-owner"),
    "receiver.tls_errors": ("From the receiver's host, look at the certificate that the address shows.", "app-owner"),
    "receiver.platform_supported": ("Compare the receiver's platform with the SDK's builds.", "app-owner"),
    "receiver.media_type": ("Read the media type that the receiver asks for on each socket.", "app-owner"),
    "receiver.transcript_language": (
        "Read the source language that the receiver asks the transcript for.",
        "app-owner",
    ),
    "receiver.signature_formula": ("Read how the receiver makes the signature.", "app-owner"),
    "receiver.sdk_version": ("Read the version of Zoom's SDK that the receiver runs.", "app-owner"),
    "receiver.connections": ("Count the connections that the receiver opens per stream.", "app-owner"),
    "receiver.keepalives_answered": ("Look whether the receiver answers message 12 on both sockets.", "app-owner"),
    "receiver.webhook_answer": ("Read status and time of our endpoint's answer in Zoom's webhook log.", "app-owner"),
    "media.received": ("Look whether any media arrived.", "app-owner"),
    "media.kinds_received": ("Look which media arrived: audio, video, transcript, chat, screen share.", "app-owner"),
    "zoom.incident": ("Ask Zoom's support about that minute, with the tracking ids of this report.", "zoom"),
}
"""Each fact that is asked for, how it is found out, and who can."""


NOBODY_JOINED = ("receiver.running", "media.received")
NOTHING_TRIED = ("account.developer_pack", "trigger", "setting.share_realtime_content")
"""What is asked where no cause asks: of a stream that nobody is known to have joined, and where nothing was tried."""


def next_steps(
    situation: Situation, causes: Iterable[Cause], *, ran: bool, announced: bool = False, disputed: Collection[str] = ()
) -> tuple[NextStep, ...]:
    """Return the questions that the causes leave open, those of the strongest cause first.

    `disputed` are facts whose statement something else contradicts: they are asked again.
    `ran` says that the stream ran in order: then only causes that are likely ask; `announced`, that there was one.
    """
    facts: list[str] = []
    second: list[str] = []
    for cause in causes:
        if cause.category is Category.ORDINARY or (ran and cause.status is Status.POSSIBLE):
            continue
        first, *others = CAUSES[cause.id].asks
        facts.append(first)
        second += others
    if not facts and not ran:
        facts = list(NOBODY_JOINED if announced else NOTHING_TRIED)
    ordered = dict.fromkeys((*facts, *second))
    wanted = [f for f in ordered if f in disputed or not isinstance(situation.facts.get(f), Known)]
    return tuple(NextStep(fact, *QUESTIONS[fact]) for fact in wanted[:MOST])
