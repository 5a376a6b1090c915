"""What must hold for any evidence at all, tried on random cases."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.diagnosis import diagnose, diagnose_case
from rtms_audit.core.evidence_file import read_case
from rtms_audit.core.situation import gather
from rtms_audit.core.verdicts import Diagnosis, Status, Verdict

BEGIN = datetime(2026, 3, 2, 10, tzinfo=UTC)
STREAMS = ("aa11", "bb22")
STOPS = (1, 3, 6, 10, 11, 14, 18, 23, 24, 26, 77, None)
STATUSES = (0, 1, 2, 3, 8, 14, 16, 45, 99, None)
REASONS = (0, 1, 3, 8, 14, 504, 610, 960, 4242, None)
REST_CODES = (124, 2308, 2309, 2310, 2312, 3000, 3001, 4711, 13262, 13267, 13273, 99999)
FACTS = {
    "account.verified": (True, False),
    "account.developer_pack": ("active", "trial", "expired", "none"),
    "account.rtms_enabled": (True, False),
    "setting.share_realtime_content": ("on", "off"),
    "setting.app_allowed": (True, False),
    "setting.auto_start": ("on", "off"),
    "setting.require_host_approval": ("on", "off"),
    "host.approval": ("approved", "denied", "pending", "not-required"),
    "host.present": (True, False),
    "host.organisation_allows": (True, False),
    "host.account": ("own", "external"),
    "starter.role": ("host", "alternative-host", "invited", "guest"),
    "starter.client_version": ("6.4.1", "6.7.2", "nonsense"),
    "starter.has_installed_app": (True, False),
    "starter.present": (True, False),
    "trigger": ("auto-start", "rest", "zoom-app", "none"),
    "app.scopes": ([], ["meeting:read:meeting_audio"], ["rtms:read:rtms_started"]),
    "app.scopes_selectable": (True, False),
    "app.events": ([], ["meeting.rtms_started"]),
    "receiver.signing_environment": ("development", "production"),
    "receiver.client_id": ("DEVID", "PRODID", "OTHER"),
    "receiver.credentials_present": (True, False),
    "receiver.running": (True, False),
    "receiver.media_type": (1, 25),
    "receiver.transcript_language": ("NONE", "English"),
    "meeting.kind": ("meeting", "breakout", "video-sdk"),
    "media.received": (True, False),
    "media.kinds_received": ([], ["audio"]),
    "media.kinds_wanted": (["audio", "transcript"],),
    "some.key_nobody_reads": (1, "x", None),
}


def _event(name: str, **payload: object) -> dict[str, object]:
    return {"kind": "webhook", "body": {"event": name, "payload": {"meeting_uuid": "uu==", **payload}}}


@st.composite
def observations(draw: st.DrawFn) -> dict[str, object]:  # noqa: C901  one branch per kind
    """Draw one plausible observation."""
    stream = draw(st.sampled_from(STREAMS))
    kind = draw(
        st.sampled_from(("started", "stopped", "rest", "handshake", "sdk", "watch", "statement", "oauth", "keepalive"))
    )
    made: dict[str, object]
    if kind == "started":
        urls = {"server_urls": "wss://rtms.example.com"} if draw(st.booleans()) else {}
        made = _event("meeting.rtms_started", rtms_stream_id=stream, operator_id="usrA", **urls)
        if draw(st.booleans()):
            made["answered"] = draw(st.sampled_from((200, 401, 500, "none")))
    elif kind == "stopped":
        stop = draw(st.sampled_from(STOPS))
        made = _event("meeting.rtms_stopped", rtms_stream_id=stream, **({} if stop is None else {"stop_reason": stop}))
    elif kind == "rest":
        code = draw(st.sampled_from((None, *REST_CODES)))
        answer = {"status": 204} if code is None else {"status": 400, "body": {"code": code, "message": "no"}}
        call = {"method": "PATCH", "path": "/v2/live_meetings/1/rtms_app/status", "body": {"action": "start"}}
        made = {"kind": "rest", "request": call, "response": answer}
    elif kind == "handshake":
        status = draw(st.sampled_from(STATUSES))
        made = {
            "kind": "handshake",
            "socket": draw(st.sampled_from(("signaling", "media"))),
            "request": {"rtms_stream_id": stream},
        }
        made |= {"closed": {"code": 1000}} if status is None else {"response": {"status_code": status}}
    elif kind == "sdk":
        reason = draw(st.sampled_from(REASONS))
        made = {"kind": "sdk", "sdk": draw(st.sampled_from(("rtms-python", "rtms-node", "zoom-apps-sdk")))}
        made["callback"] = draw(st.sampled_from(("onJoinConfirm", "onLeave", "startRTMS", "join")))
        made |= {"message": "Client ID cannot be blank"} if reason is None else {"reason": reason}
    elif kind == "watch":
        seen = draw(st.sampled_from(([], ["meeting.started"], ["meeting.rtms_started"])))
        made = {"kind": "watch", "meeting_started": draw(st.booleans()), "events": seen}
    elif kind == "oauth":
        grant = draw(st.sampled_from(("authorization_code", "refresh_token", "client_credentials")))
        bad = {
            "status": 400,
            "body": {"reason": "Invalid Token!", "error": draw(st.sampled_from(("invalid_grant", "invalid_client")))},
        }
        good = {"status": 200, "body": {"scope": "user:read:user"}}
        made = {"kind": "oauth", "grant": grant, "response": draw(st.sampled_from((bad, good)))}
    elif kind == "keepalive":
        made = {"kind": "keepalive", "missed": draw(st.integers(0, 5))}
    else:
        about = draw(st.sampled_from(sorted(FACTS)))
        made = {"kind": "statement", "about": about, "value": draw(st.sampled_from(FACTS[about])), "by": "somebody"}
    minute = draw(st.integers(0, 20))
    made["at"] = (BEGIN + timedelta(minutes=minute)).isoformat()
    if kind == "watch":
        made["from"] = (BEGIN + timedelta(minutes=minute - draw(st.integers(0, 30)))).isoformat()
        made["until"] = made["at"]
    return made


@st.composite
def documents(draw: st.DrawFn) -> dict[str, object]:
    """Draw an evidence document with one install."""
    status = draw(st.sampled_from(("installed", "missing", "revoked", "unknown")))
    environment = draw(st.sampled_from(("development", "production")))
    document: dict[str, object] = {
        "format": "rtms-audit/evidence@1",
        "installs": [{"account": "acme", "environment": environment, "status": status}],
        "observations": draw(st.lists(observations(), max_size=7)),
    }
    if draw(st.booleans()):
        owner = draw(st.sampled_from(("acme", "dev-co")))
        pair = {"development": {"client_id": "DEVID"}, "production": {"client_id": "PRODID"}}
        document["app"] = {"owner": owner, "environments": pair}
    if draw(st.booleans()):
        document["accounts"] = {"acme": {"plan": draw(st.sampled_from(("free", "pro", "unknown")))}}
    return document


def judged(document: dict[str, object]) -> Diagnosis:
    """Read a document and judge its one install."""
    case = read_case(document, name="drawn")
    return diagnose(case, case.installs[0].key)


def said(diagnosis: Diagnosis) -> object:
    """Return what a diagnosis says, without the ids of its evidence."""
    return diagnosis.outcome, [(cause.id, cause.status) for cause in diagnosis.causes], diagnosis.summary


def observed(document: dict[str, object]) -> list[dict[str, object]]:
    """Return the observations of a document."""
    found = document["observations"]
    assert isinstance(found, list)
    return found


@given(documents())
def test_no_check_ever_fails(document: dict[str, object]) -> None:
    """Whatever the evidence, every check gives an answer and the strongest cause stands first."""
    diagnosis = judged(document)
    assert not [decision for decision in diagnosis.decisions if decision.verdict is Verdict.ERROR]
    strengths = [cause.status.strength for cause in diagnosis.causes]
    assert strengths == sorted(strengths, reverse=True)


@given(documents())
def test_a_confirmed_cause_has_machine_evidence(document: dict[str, object]) -> None:
    """Nothing is confirmed by what people say alone."""
    case = read_case(document, name="drawn")
    machine = {o.id for o in case.observations if o.kind != "statement"}
    for cause in diagnose(case, case.installs[0].key).causes:
        if cause.status is Status.CONFIRMED:
            assert machine & set(cause.evidence)


@given(documents(), st.data())
def test_the_order_of_equal_times_does_not_matter(document: dict[str, object], data: st.DataObject) -> None:
    """Observations of one moment may stand in any order."""
    shuffled = data.draw(st.permutations(observed(document)))
    assert said(judged(document)) == said(judged({**document, "observations": shuffled}))


@given(documents())
def test_duplicates_do_not_matter(document: dict[str, object]) -> None:
    """The same observation twice says no more than once."""
    doubled = [item for item in observed(document) for _ in range(2)]
    assert said(judged(document)) == said(judged({**document, "observations": doubled}))


@given(documents())
def test_nested_payloads_say_what_flat_ones_say(document: dict[str, object]) -> None:
    """Whether the fields stand under `payload` or under `payload.object` changes nothing."""
    assert said(judged(document)) == said(
        judged({**document, "observations": [_nested(o) for o in observed(document)]})
    )


def _nested(observation: dict[str, object]) -> dict[str, object]:
    body = observation.get("body")
    if not isinstance(body, dict):
        return observation
    return {**observation, "body": {**body, "payload": {"object": body["payload"]}}}


@given(documents(), st.integers(46, 500), st.text("abcdefgh._", min_size=3, max_size=12))
def test_unknown_facts_and_codes_confirm_nothing(document: dict[str, object], code: int, word: str) -> None:
    """A fact nobody reads, or a number nobody knows, adds no certainty."""
    extra = [
        {"kind": "statement", "about": f"zz.{word}", "value": code, "at": BEGIN.isoformat()},
        {
            "kind": "rest",
            "at": BEGIN.isoformat(),
            "request": {"method": "GET", "path": "/v2/zz"},
            "response": {"status": 418, "body": {"code": 10**6 + code, "message": word}},
        },
    ]
    before, after = judged(document), judged({**document, "observations": [*observed(document), *extra]})
    sure = {cause.id for cause in before.causes if cause.status is Status.CONFIRMED}
    assert {cause.id for cause in after.causes if cause.status is Status.CONFIRMED} <= sure


@given(documents(), st.data())
def test_less_evidence_is_never_more_certain(document: dict[str, object], data: st.DataObject) -> None:
    """Taking an observation away strengthens a cause only where that observation spoke against it."""
    given_ = observed(document)
    if not given_:
        return
    place = data.draw(st.integers(0, len(given_) - 1))
    left = {**document, "observations": [o for at, o in enumerate(given_) if at != place]}
    whole, less = judged(document), judged(left)
    removed = f"o{place + 1}"
    before = {cause.id: cause.status.strength for cause in whole.causes}
    for cause in less.causes:
        if cause.status.strength > max(before.get(cause.id, 0), 1):
            told = less.outcome is not whole.outcome or removed in spoken_for(whole)
            assert told or latest(document, removed) != latest(left), f"{cause.id} without {removed}"


def latest(document: dict[str, object], without: str = "") -> list[object]:
    """Return what the latest attempt holds, without one observation: another attempt is another question."""
    case = read_case(document, name="drawn")
    attempt = gather(case, case.installs[0].key).attempt
    return [o.fields for o in attempt.observations if o.id != without] if attempt else []


def spoken_for(whole: Diagnosis) -> set[str]:
    """Return the observations that a verdict of the whole rests on."""
    used = {id_ for decision in whole.decisions for id_ in decision.evidence}
    used |= {id_ for found in whole.ruled_out for id_ in found.evidence}
    used |= {id_ for cause in whole.causes for id_ in cause.evidence}
    return used | {id_ for fact in whole.facts.values() for id_ in getattr(fact, "evidence", ())}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMED = st.dictionaries(
    st.sampled_from(
        [
            "event",
            "payload",
            "object",
            "event_ts",
            "rtms_stream_id",
            "stop_reason",
            "server_urls",
            "meeting_uuid",
            "status_code",
            "media_server",
            "code",
            "message",
            "scope",
            "error",
            "reason",
            "verified",
            "type",
            "webhook_logs",
            "settings",
            "client_id",
            "state",
            "msg_type",
        ]
    ),
    JSON,
    max_size=5,
)


@given(st.lists(st.tuples(st.sampled_from(("webhook", "rest", "oauth", "handshake", "sdk")), NAMED, NAMED), max_size=4))
def test_free_form_content_never_breaks_a_check(parts: list[tuple[str, dict[str, object], dict[str, object]]]) -> None:
    """Anything may stand inside bodies, payloads, requests and answers."""
    made = []
    for kind, left, right in parts:
        if kind == "webhook":
            made.append({"kind": kind, "body": {**left, "event": "meeting.rtms_started", "payload": right}})
        elif kind == "sdk":
            made.append({"kind": kind, "callback": "onJoinConfirm", "message": str(left)})
        elif kind == "handshake":
            made.append({"kind": kind, "socket": "media", "request": left, "response": right})
        else:
            path = "/v2/live_meetings/1/rtms_app/status" if len(left) % 2 else "/v2/users/me"
            request = {"method": "PATCH", "path": path, "body": left} if kind == "rest" else {"body": left}
            made.append({"kind": kind, "request": request, "response": {"status": 200, "body": right}})
    document = {
        "format": "rtms-audit/evidence@1",
        "installs": [{"account": "a", "environment": "production"}],
        "observations": made,
    }
    for diagnosis in diagnose_case(read_case(document, name="drawn")):
        assert not [decision for decision in diagnosis.decisions if decision.verdict is Verdict.ERROR]


def test_an_install_that_is_not_there_is_a_key_error() -> None:
    """Judging an install that the case does not hold names it."""
    case = read_case(
        {"format": "rtms-audit/evidence@1", "installs": [{"account": "a", "environment": "production"}]}, name="x"
    )
    with pytest.raises(KeyError, match="b/production"):
        diagnose(case, case.installs[0].key.__class__("b", case.installs[0].key.environment))
