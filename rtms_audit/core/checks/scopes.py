"""The grant holds the scopes for event, media and, where it is used, the start call.

Why it matters: without the event scope no event is sent, without a media scope the signaling answer holds no
address for that medium, and the start call is refused. Scopes are frozen at consent.

Remedy: add the scopes in the build flow, save, and install again.

Source: https://developers.zoom.us/docs/rtms/meetings/add-features, https://developers.zoom.us/docs/api/rtms/events/
(2026-02), https://developers.zoom.us/docs/rtms/meetings/work-with-streams
"""

from collections.abc import Mapping

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.flow import Join
from rtms_audit.core.model import Kind, Observation
from rtms_audit.core.situation import Situation

CAUSES = ("scope-missing",)
EVENT_SCOPES = ("rtms:read", "rtms:read:rtms_started")
MEDIA_PREFIXES = ("meeting:read:meeting_", "webinar:read:webinar_", "contact_center:read:zcc_")
MEDIA_WORDS = ("audio", "video", "transcript", "chat", "screenshare")
CONTROL = (
    "meeting:update:participant_rtms_app_status",
    "meeting:write",
    "contact_center:update:engagement_rtms_app_status",
)
NO_PERMISSION = 80004
"""What calls of the Zoom Apps SDK answer without the permission (community, 2026-08)."""
SCOPE_CODES = (104, 201, 4700, 4711)
MASKS = {1: "audio", 2: "video", 4: "deskshare", 8: "transcript", 16: "chat"}
KINDS = {**{name: name for name in MASKS.values()}, "screenshare": "deskshare", "screen share": "deskshare"}
"""The keys of server_urls by the words people use for the media."""
NO_ANSWER = 1


def decide(subject: Subject) -> Answer:
    """Read refusals that name scopes, the scopes granted, and the addresses that the signaling answer held."""
    situation = subject.situation
    claims = [claim for claim in (_refused(situation), _ungranted(subject), _unstated(subject)) if claim]
    claims += _without_address(subject) + _panel(situation)
    granted = situation.value("grant.scopes")
    if isinstance(granted, list) and not claims:
        evidence = situation.evidence("grant.scopes")
        return answer(claims, "", fine="the grant holds event and media scopes", evidence=evidence)
    return answer(claims, "which scopes were granted is not known")


def is_media(scope: str) -> bool:
    """Whether a scope grants one of the RTMS media."""
    return scope.startswith(MEDIA_PREFIXES) and any(word in scope for word in MEDIA_WORDS)


def is_rtms(scope: str) -> bool:
    """Whether a scope is one that RTMS needs."""
    base = scope.removesuffix(":admin")
    return base in CONTROL or base.startswith("rtms:read") or is_media(base)


def _refused(situation: Situation) -> Claim | None:
    """Read the latest start call, or any later call, that Zoom refused for a scope that RTMS needs."""
    for observation in reversed([o for o in situation.own if o.kind in (Kind.REST, Kind.OAUTH)]):
        error = reading.refusal(observation)
        if error and error.code in SCOPE_CODES and _concerns(observation, error.scopes, error.message):
            if _is_granted_since(situation, observation, error.scopes):
                return None
            named = ", ".join(error.scopes) or "no name given"
            return confirmed("scope-missing", f"Zoom answered {error.code}: missing scopes {named}", observation.id)
        if error is None and reading.is_start(observation):
            return None
    return None


def _is_granted_since(situation: Situation, refused: Observation, scopes: tuple[str, ...]) -> bool:
    """Whether a token answer after the refusal grants what it missed."""
    granted, shown_by = situation.value("grant.scopes"), situation.evidence("grant.scopes")
    since = situation.own[situation.own.index(refused) :]
    if not scopes or not isinstance(granted, list) or not any(o.id in shown_by for o in since):
        return False
    return set(scopes) <= set(granted)


def _concerns(observation: Observation, scopes: tuple[str, ...], message: str) -> bool:
    if any(is_rtms(scope) for scope in scopes):
        return True
    return reading.is_start(observation) and (bool(scopes) or "scope" in message.lower())


def _ungranted(subject: Subject) -> Claim | None:
    """Compare the scopes of the token answer with those that RTMS needs."""
    granted = subject.situation.value("grant.scopes")
    if not isinstance(granted, list):
        return None
    evidence = subject.situation.evidence("grant.scopes")
    bare = [str(scope).removesuffix(":admin") for scope in granted]
    lacks = []
    if not any(scope in EVENT_SCOPES for scope in bare):
        lacks.append("rtms:read:rtms_started")
    if not any(is_media(scope) for scope in bare):
        lacks.append("every RTMS media scope")
    if not lacks:
        return None
    return likely(
        "scope-missing", f"the token answer grants {len(bare)} scopes, but lacks {' and '.join(lacks)}", *evidence
    )


def _unstated(subject: Subject) -> Claim | None:
    """Weigh what a person says of the scopes in the build flow: a hint, since the list may not be whole."""
    situation = subject.situation
    if situation.word("app.scopes_selectable") == "false":
        reason = "the RTMS media scopes cannot be selected in the build flow, so they cannot be granted"
        return likely("scope-missing", reason, *situation.evidence("app.scopes_selectable"))
    stated = situation.value("app.scopes")
    if not isinstance(stated, list) or "grant.scopes" in situation.facts or subject.flow.refused:
        return None
    if not any(is_media(str(scope)) for scope in stated):
        reason = "no RTMS media scope is among the scopes that the app is said to have"
        if _only_unsaved(situation):
            reason += ", nothing keeps them from being selected, and the auto-start switch asks for them"
            facts = ("app.scopes", "app.scopes_selectable", "app.auto_start_selectable")
            return likely("scope-missing", reason, *situation.evidence(*facts))
    elif subject.awaited and not any(str(scope).startswith("rtms:read") for scope in stated):
        reason = "no event scope (rtms:read:rtms_started) is among the scopes that the app is said to have"
    else:
        return None
    return possible("scope-missing", reason, *situation.evidence("app.scopes"))


def _only_unsaved(situation: Situation) -> bool:
    """Whether the switch that asks for saved RTMS scopes is blocked although nothing keeps them from being selected."""
    active = situation.word("account.developer_pack") == "active"
    selectable = situation.word("app.scopes_selectable") in (("true", "") if active else ("true",))
    return selectable and situation.word("app.auto_start_selectable") == "false"


def _panel(situation: Situation) -> list[Claim]:
    """Read 80004 of the app in the meeting: a capability it does not have, or a place that does not support it."""
    refused = [o for o in situation.own if o.kind is Kind.SDK and reading.reason(o) == NO_PERMISSION]
    if not refused:
        return []
    reason = "the app in the meeting was answered 80004: no permission for the call, or not supported there"
    return [possible("scope-missing", reason, *seen(*refused))]


def _without_address(subject: Subject) -> list[Claim]:
    """Claim the media that were asked for and whose address the signaling answer did not hold."""
    flow = subject.flow
    silent = [join.observation for join in flow.joins if join.origin == "sdk" and join.code == NO_ANSWER]
    answers = [
        join.observation for join in flow.joins if join.origin == "signaling" and join.succeeded and _has_list(join)
    ]
    if not answers:
        signaling_failed = any(join.origin == "signaling" and join.code is None for join in flow.joins)
        return [] if not silent or flow.joined or signaling_failed else [_silence(subject, silent)]
    offered = {key for join in flow.joins for key, url in _urls(join).items() if url}
    missing = sorted(_wanted(subject) - offered)
    untried = silent and not any(join.origin == "media" for join in flow.joins) and "audio" not in offered
    if not missing and not untried:
        return []
    held = f"addresses for {', '.join(sorted(offered))} only" if offered else "no address"
    lacks = f", not for {', '.join(missing)}" if missing else ""
    reason = f"the signaling answer held {held}{lacks}"
    return [likely("scope-missing", reason, *seen(answers[-1], *silent), phase=STREAM)]


def _silence(subject: Subject, silent: list[Observation]) -> Claim:
    """Weigh reason 1 of the SDK by the scopes that are known: audio is what it asks for by default."""
    reason = "the SDK's join ended with reason 1, as it does where a medium has no address for want of its scope"
    scopes, evidence = _scopes(subject.situation)
    if any(map(is_media, scopes)) and not any("audio" in scope for scope in scopes):
        reason += "; the scopes known have no audio, which the SDK asks for by default"
        return likely("scope-missing", reason, *seen(*silent), *evidence, phase=STREAM)
    return possible("scope-missing", reason, *seen(*silent), phase=STREAM)


def _scopes(situation: Situation) -> tuple[list[str], tuple[str, ...]]:
    """Return the scopes granted, else those stated, with their evidence."""
    for fact in ("grant.scopes", "app.scopes"):
        scopes = situation.value(fact)
        if isinstance(scopes, list):
            return [str(scope) for scope in scopes], situation.evidence(fact)
    return [], ()


def _has_list(join: Join) -> bool:
    """Whether a signaling answer held a list of addresses, be it empty."""
    return "server_urls" in reading.mapping(reading.response(join.observation).get("media_server"))


def _urls(join: Join) -> Mapping[str, object]:
    return reading.mapping(reading.mapping(reading.response(join.observation).get("media_server")).get("server_urls"))


def _wanted(subject: Subject) -> set[str]:
    """Return the media that somebody wanted: stated, set in the receiver, or tried without an answer."""
    stated = subject.situation.value("media.kinds_wanted")
    names = {KINDS.get(str(kind).lower(), "") for kind in stated} if isinstance(stated, list) else set()
    tried = [
        reading.request(join.observation).get("media_type") for join in subject.flow.refused_media if join.code is None
    ]
    masks = {as_int(mask) for mask in (subject.situation.value("receiver.media_type"), *tried)}
    return (names | {MASKS.get(mask or 0, "") for mask in masks}) - {""}
