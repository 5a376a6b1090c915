"""Gathering what is known of one install."""

from collections.abc import Callable

import pytest

from rtms_audit.core.casebook import arrange, in_order
from rtms_audit.core.model import Case, Distribution, Environment, InstallKey, Plan
from rtms_audit.core.situation import Situation, gather
from rtms_audit.core.verdicts import Known, NotApplicable

Situated = Callable[..., Situation]
CaseOf = Callable[..., Case]
TWO = [{"account": "acme", "environment": "production"}, {"account": "dev-co", "environment": "production"}]


def me(**answer: object) -> dict[str, object]:
    """Make Zoom's answer on the user."""
    return {
        "kind": "rest",
        "request": {"method": "GET", "path": "/v2/users/me"},
        "response": {"status": 200, "body": answer},
    }


def said(install: str, about: str, value: object) -> dict[str, object]:
    """Make a statement about a certain install."""
    return {"kind": "statement", "install": install, "about": about, "value": value, "by": "somebody"}


def test_the_later_word_counts(situated: Situated) -> None:
    """Of two statements of one fact the later one stands, with its own evidence."""
    found = situated({"starter.role": "guest"}, {"starter.role": "host"})
    assert found.facts["starter.role"] == Known("host", ("o2",))


@pytest.mark.parametrize(
    "observations", [[me(verified=1), {"account.verified": False}], [{"account.verified": False}, me(verified=1)]]
)
def test_a_machines_word_beats_a_persons(situated: Situated, observations: list[object]) -> None:
    """Zoom's answer stands whether it came before or after the statement."""
    assert situated(*observations).value("account.verified") is True


def test_a_refused_answer_shows_nothing(situated: Situated) -> None:
    """An error that happens to hold the field is no answer."""
    assert situated(me(verified=1, code=124, message="Invalid access token.")).value("account.verified") is None


def test_a_statement_about_nothing_is_kept_out_of_the_facts(situated: Situated) -> None:
    """A statement that does not say what it is about states nothing."""
    assert situated({"kind": "statement", "value": "on"}).facts == {}


@pytest.mark.parametrize(
    ("owner", "fact"),
    [
        (None, None),
        ("acme", None),
        ("dev-co", Known("active", ("o1",))),
    ],
)
def test_the_pack_counts_on_the_owners_account(case_of: CaseOf, owner: str | None, fact: object) -> None:
    """What one account says of its Developer Pack reaches another install only where that account owns the app."""
    app = {"owner": owner} if owner else {}
    case = case_of(said("dev-co/production", "account.developer_pack", "active"), installs=TWO, app=app)
    assert gather(case, InstallKey("acme", Environment.PRODUCTION)).facts.get("account.developer_pack") == fact


def test_a_customers_pack_does_not_apply(case_of: CaseOf) -> None:
    """A customer's own Developer Pack is shown as not applying, and the owner's word stands in its place."""
    mine = said("acme/production", "account.developer_pack", "none")
    case = case_of(mine, installs=TWO, app={"owner": "dev-co"})
    alone = gather(case, InstallKey("acme", Environment.PRODUCTION)).facts["account.developer_pack"]
    assert isinstance(alone, NotApplicable)
    owners = said("dev-co/production", "account.developer_pack", "active")
    case = case_of(owners, mine, installs=TWO, app={"owner": "dev-co"})
    found = gather(case, InstallKey("acme", Environment.PRODUCTION))
    assert found.facts["account.developer_pack"] == Known("active", ("o1",))


def test_other_facts_stay_with_their_account(case_of: CaseOf) -> None:
    """A setting of one account says nothing of another's."""
    case = case_of(
        said("dev-co/production", "setting.share_realtime_content", "on"), installs=TWO, app={"owner": "dev-co"}
    )
    assert gather(case, InstallKey("acme", Environment.PRODUCTION)).value("setting.share_realtime_content") is None


def test_what_was_said_of_media_before_the_stream_does_not_count_for_it(situated: Situated) -> None:
    """Facts of a stream belong to the attempt they followed."""
    other = {"kind": "webhook", "body": {"event": "meeting.rtms_started", "payload": {"rtms_stream_id": "s2"}}}
    assert situated("started", {"media.received": True}).value("media.received") is True
    assert situated("started", {"media.received": True}, other).value("media.received") is None


@pytest.mark.parametrize(
    ("environment", "shared", "review", "expected"),
    [
        ("production", "beta", None, Distribution.BETA),
        ("production", "beta", "published", Distribution.BETA),
        ("production", None, "published", Distribution.PUBLISHED),
        ("production", None, "not-submitted", Distribution.PRIVATE),
        ("production", None, "in review", None),
        ("development", None, "published", None),
        ("production", None, None, None),
    ],
)
def test_the_distribution_is_the_entry_or_the_review(
    situated: Situated, environment: str, shared: str | None, review: str | None, expected: Distribution | None
) -> None:
    """The app's own entry comes first; the review of the app speaks of production alone."""
    app = {"environments": {environment: {"distribution": shared} if shared else {}}}
    words = [{"app.review": review}] if review else []
    assert situated(*words, app=app, environment=environment).distribution is expected


def test_plan_owner_and_client_ids(situated: Situated) -> None:
    """What the file says of the app and its accounts is there for the checks."""
    app = {"owner": "acme", "environments": {"development": {"client_id": "D"}, "production": {"client_id": "P"}}}
    found = situated(plan="pro", app=app)
    assert (found.is_owner, found.environment.client_id, found.other_client_id) == (True, "P", "D")
    assert found.effective_plan is Plan.PRO
    bare = situated()
    assert (bare.is_owner, bare.environment.client_id, bare.other_client_id) == (None, None, None)
    assert (bare.attempt, bare.attempt_free, bare.when) == (None, True, None)


def test_the_day_without_an_attempt_is_that_of_the_latest_word(situated: Situated) -> None:
    """The rules of the day of the latest observation apply where nothing was tried."""
    assert str(situated({"starter.role": "invited"}, day="2026-07-04").when) == "2026-07-04"


def test_scopes_are_read_from_the_latest_grant(situated: Situated) -> None:
    """A refused answer and an owner's own token grant an install nothing."""
    seen = [
        {"kind": "oauth", "grant": "authorization_code", "response": {"status": 200, "body": {"scope": "a b"}}},
        {"kind": "oauth", "grant": "refresh_token", "response": {"status": 400, "body": {"error": "x", "scope": "c"}}},
        {"kind": "oauth", "grant": "client_credentials", "response": {"status": 200, "body": {"scope": "d"}}},
    ]
    assert situated(*seen).facts["grant.scopes"] == Known(["a", "b"], ("o1",))


def test_the_signer_is_read_from_the_handshake(situated: Situated) -> None:
    """A handshake that names its client id shows which pair the receiver signs with, and beats what is said."""
    app = {"environments": {"development": {"client_id": "D"}, "production": {"client_id": "P"}}}
    seen = {"kind": "handshake", "request": {"client_id": "D"}, "response": {"status_code": 3}}
    found = situated({"receiver.client_id": "P"}, "signaling 3", seen, app=app)
    assert found.facts["receiver.client_id"] == Known("D", ("o3",))
    assert found.facts["receiver.signing_environment"] == Known("development", ("o3",))
    stranger = situated({**seen, "request": {"client_id": "X"}}, app=app)
    assert stranger.value("receiver.client_id") == "X"
    assert stranger.value("receiver.signing_environment") is None


def test_a_forged_webhook_is_no_stream(situated: Situated) -> None:
    """Where others are verified, a webhook whose signature was refused is not Zoom's."""
    forged = {
        "kind": "webhook",
        "signature": "rejected",
        "body": {"event": "meeting.rtms_stopped", "payload": {"rtms_stream_id": "s1", "stop_reason": 18}},
    }
    verified = {
        "kind": "webhook",
        "signature": "verified",
        "body": {"event": "meeting.rtms_started", "payload": {"rtms_stream_id": "s1", "server_urls": "wss://a"}},
    }
    found = situated(verified, forged).attempt
    assert found
    assert not found.stopped
    alone = situated(forged).attempt
    assert alone
    assert alone.stopped


def test_a_webhook_that_was_kept_twice_is_one(case_of: CaseOf) -> None:
    """Kept on arrival and again with its answer within a minute, an event counts once; a repetition later counts."""
    event = {"kind": "webhook", "body": {"event": "meeting.rtms_started", "payload": {"rtms_stream_id": "s1"}}}
    case = case_of(event, {**event, "answered": 200})
    assert [o.id for o in in_order(case.observations)] == ["o2"]
    case = case_of(event, {**event, "at": "2026-03-02T10:05:00Z", "answered": 200})
    assert [o.id for o in in_order(case.observations)] == ["o1", "o2"]


def test_an_observation_without_a_time_keeps_its_place(case_of: CaseOf) -> None:
    """The order in the file is the order in time where no time is told, and nothing is dropped as a duplicate."""
    word = {"kind": "statement", "at": None, "about": "starter.role", "value": "host"}
    case = case_of("started", word, word, "stopped 6")
    assert [o.id for o in in_order(case.observations)] == ["o1", "o2", "o3", "o4"]


def test_what_names_no_install_belongs_to_the_only_one(case_of: CaseOf) -> None:
    """With several installs it belongs to none, and still shows a stream of the app."""
    one = case_of("started")
    bare = tuple(o.__class__(kind=o.kind, fields=o.fields, at=o.at, id=o.id) for o in one.observations)
    book = arrange(Case(installs=one.installs, observations=bare))
    assert [o.id for o in book.by_install[InstallKey("acme", Environment.PRODUCTION)]] == ["o1"]
    many = arrange(Case(installs=case_of(installs=TWO).installs, observations=bare))
    assert (many.by_install, many.streams[None].id) == ({}, "o1")
