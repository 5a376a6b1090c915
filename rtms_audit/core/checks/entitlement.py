"""The app owner's account has an active Developer Pack, and RTMS is enabled for the app.

Why it matters: without it Zoom refuses the start call with 2310, or sends nothing. It counts on the account that
owns the app, not on the account of host or guest. No address of the REST API shows it; a started event with
server_urls does.

Remedy: see Plan Management, Developer Pack; after buying wait two minutes; then give Zoom's support the app id.

Source: https://developers.zoom.us/docs/rtms/, https://developers.zoom.us/docs/rtms/troubleshooting,
https://devforum.zoom.us/t/144213, https://devforum.zoom.us/t/141905 (second-hand)
"""

from collections.abc import Mapping
from datetime import timedelta

from rtms_audit.core import reading
from rtms_audit.core.answers import parse_body
from rtms_audit.core.changes import SELF_SERVICE, STARTED_FIELDS
from rtms_audit.core.checks.check import STREAM, Answer, Claim, Subject, answer, confirmed, likely, possible, seen
from rtms_audit.core.checks.endpoint import logged_starts
from rtms_audit.core.model import Observation, Plan, Usage
from rtms_audit.core.situation import Situation

CAUSES = ("entitlement-missing",)
REFUSED = 2310
RECENT = timedelta(days=31)
"""How long a stream shows that the app is entitled: Developer Packs are billed by the month (community, 2026)."""
GONE = ("none", "expired")


def decide(subject: Subject) -> Answer:
    """Read 2310, events without an address, what people say of the Developer Pack, and streams that ran."""
    situation = subject.situation
    ran = _ran(situation)
    stated = [claim for claim in _stated(subject) if ran is None or _is_later(situation, claim, ran)]
    claims = [claim for claim in (_refused(subject), _no_address(subject), *stated) if claim]
    if ran and not any(claim.status.strength > 1 for claim in claims):
        reason = f"a started event with server_urls came for this environment ({ran.install}), so the app is entitled"
        return answer([], "", fine=reason, evidence=seen(ran))
    if situation.word("account.rtms_enabled") == "true" or situation.word("account.developer_pack") == "active":
        if not claims:
            evidence = situation.evidence("account.rtms_enabled", "account.developer_pack")
            return answer([], "", fine="the app's owner says that RTMS works or is active there", evidence=evidence)
    elif subject.awaited and not claims:
        claims.append(
            possible("entitlement-missing", "whether the app's owner has an active Developer Pack is not known")
        )
    return answer(claims, "whether the app's owner has an active Developer Pack is not known")


def _refused(subject: Subject) -> Claim | None:
    if subject.code != REFUSED:
        return None
    situation = subject.situation
    reason = "Zoom answered 2310, which means no active Developer Pack, an ended trial, or RTMS not enabled for the app"
    pack = situation.word("account.developer_pack")
    evidence = (*subject.refusal_evidence, *situation.evidence("account.developer_pack"))
    if pack in GONE and situation.effective_plan is not Plan.FREE:
        return confirmed("entitlement-missing", f"{reason}; the owner's Developer Pack is {pack}", *evidence)
    if pack == "active":
        reason += "; the pack is said to be active, so ask whether RTMS is enabled for this app id"
    elif SELF_SERVICE.holds(situation.when) is False:
        reason += f"; before {SELF_SERVICE.since} Zoom's support enabled it per app id"
    return likely("entitlement-missing", reason, *evidence)


def _no_address(subject: Subject) -> Claim | None:
    """Read a started event that came without stream id and address, as it is said to after a trial."""
    event, payload = _announced(subject)
    if event is None:
        return None
    if payload.get("server_urls") or subject.flow.has_address or payload.get("rtms_stream_id") or subject.flow.joined:
        return None
    reason = "the started event came without server_urls and rtms_stream_id, as is reported after a trial has ended"
    evidence = (*seen(event), *subject.situation.evidence("account.developer_pack"))
    expected = (
        "meeting_uuid",
        "operator_id",
        *(("account_id",) if STARTED_FIELDS.holds(subject.situation.when) else ()),
    )
    whole = all(payload.get(name) for name in expected)
    if whole or subject.situation.word("account.developer_pack") in (*GONE, "trial"):
        return likely("entitlement-missing", reason, *evidence, phase=STREAM)
    return possible("entitlement-missing", reason, *evidence, phase=STREAM)


def _announced(subject: Subject) -> tuple[Observation | None, Mapping[str, object]]:
    """Return the started event with its payload, as it came or as Zoom's delivery log kept it."""
    event = subject.flow.announced
    if event is not None:
        return (event, reading.payload(event)) if reading.is_rtms(event, "started") else (None, {})
    for observation, entry in logged_starts(subject):
        body = entry.get("request_body")
        sent = reading.mapping(parse_body(body.encode()) if isinstance(body, str) else body)
        payload = reading.mapping(sent.get("payload"))
        if payload:
            return observation, {**payload, **reading.mapping(payload.get("object"))}
    return None, {}


def _stated(subject: Subject) -> list[Claim]:
    situation, owner_known = subject.situation, subject.situation.app.owner is not None
    claims = []
    pack = situation.word("account.developer_pack")
    make = likely if owner_known else possible
    if pack in GONE:
        reason = f"the Developer Pack of the app's owner is said to be {pack}"
        claims.append(make("entitlement-missing", reason, *situation.evidence("account.developer_pack")))
    if situation.word("account.rtms_enabled") == "false":
        reason = "RTMS is said not to be enabled for the app's owner"
        claims.append(make("entitlement-missing", reason, *situation.evidence("account.rtms_enabled")))
    if situation.word("app.scopes_selectable") == "false" and situation.is_owner is not False:
        reason = "the RTMS scopes cannot be selected in the build flow, as is reported of accounts without RTMS"
        explained = pack == "active" or situation.app.usage in (Usage.ADMIN_MANAGED, Usage.SERVER_TO_SERVER)
        select = possible if explained else likely
        claims.append(select("entitlement-missing", reason, *situation.evidence("app.scopes_selectable")))
    unexplained = pack != "active" and situation.word("app.scopes_selectable") != "true"
    if situation.word("app.auto_start_selectable") == "false" and unexplained:
        reason = "the app's auto-start switch is blocked, as it is for apps without saved RTMS scopes"
        claims.append(possible("entitlement-missing", reason, *situation.evidence("app.auto_start_selectable")))
    kind = situation.word("meeting.kind")
    if kind in ("video-sdk", "contact-center") and not situation.word("account.rtms_enabled"):
        reason = f"for {kind} RTMS is enabled apart from the Developer Pack, and whether it is here is not known"
        claims.append(possible("entitlement-missing", reason, *situation.evidence("meeting.kind")))
    if pack == "trial" and subject.awaited:
        reason = "the owner has a trial; whether a trial is enough for RTMS is told in three ways"
        claims.append(possible("entitlement-missing", reason, *situation.evidence("account.developer_pack")))
    return claims


def _ran(situation: Situation) -> Observation | None:
    """Return the latest started event with an address for this environment of the app, in any account, if recent."""
    streams = situation.book.streams
    latest = streams.get(situation.key.environment) or streams.get(None)
    if latest is None or latest.at is None or situation.when is None:
        return latest
    return latest if situation.when - latest.at.date() <= RECENT else None


def _is_later(situation: Situation, claim: Claim, ran: Observation) -> bool:
    """Whether what a claim rests on was said after a stream ran, and so may tell of a change."""
    said = [o.at for o in (*situation.own, *situation.of_owner) if o.id in claim.evidence and o.at]
    return ran.at is None or (bool(said) and max(said) > ran.at)
