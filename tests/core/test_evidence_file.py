"""Reading and writing evidence files."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.evidence_file import FORMAT, check_fields, in_time_order, read_case, read_time, write_case
from rtms_audit.core.model import (
    Account,
    Distribution,
    Environment,
    InstallKey,
    InstallStatus,
    Kind,
    Observation,
    Plan,
    Usage,
)
from rtms_audit.errors import EvidenceFileError, ExitCode

ONE = {"format": FORMAT, "installs": [{"account": "dev-co", "environment": "production"}]}
KEY = InstallKey("dev-co", Environment.PRODUCTION)
NINE, TEN = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)


def observed(*observations: object, **more: object) -> dict[str, object]:
    """Return a document with one install and these observations."""
    return {**ONE, "observations": list(observations), **more}


def complaint(document: object) -> str:
    """Return what the reader says against a document."""
    with pytest.raises(EvidenceFileError) as caught:
        read_case(document, name="case.yaml")
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.next_step
    return caught.value.message


def test_only_format_and_installs_are_required() -> None:
    """A document with nothing but its format and installs is read, and everything else is not known."""
    case = read_case(ONE, name="case.yaml")
    assert [install.key for install in case.installs] == [KEY]
    assert case.installs[0].status is InstallStatus.INSTALLED
    assert (case.app.usage, case.app.owner, dict(case.app.environments), dict(case.accounts)) == (None, None, {}, {})
    assert (case.title, case.source, case.observations) == ("", "", ())


def test_everything_that_stands_there_is_read() -> None:
    """App, environments, accounts, statuses and texts come out as the core's types."""
    case = read_case(
        {
            "format": FORMAT,
            "title": "a title",
            "source": "https://example.com",
            "app": {
                "name": "Notes",
                "owner": "dev-co",
                "usage": "user-managed",
                "environments": {
                    "development": {"client_id": "DEVID"},
                    "production": {"client_id": "PRODID", "distribution": "beta"},
                },
            },
            "accounts": {"dev-co": {"plan": "business"}, "outsider": {"plan": "free"}},
            "installs": [
                {"account": "dev-co", "environment": "production"},
                {"account": "outsider", "environment": "unknown", "status": "revoked"},
            ],
        },
        name="case.yaml",
    )
    assert case.app.usage is Usage.USER_MANAGED
    assert case.app.environments[Environment.PRODUCTION].distribution is Distribution.BETA
    assert case.app.environments[Environment.DEVELOPMENT].client_id == "DEVID"
    assert case.accounts["dev-co"] == Account("dev-co", Plan.BUSINESS)
    assert case.installs[1].status is InstallStatus.REVOKED
    assert (case.title, case.source) == ("a title", "https://example.com")


def test_empty_entries_mean_not_known() -> None:
    """An empty app, account, environment, status, list or field is an absent one."""
    case = read_case(
        {
            "format": FORMAT,
            "title": None,
            "source": None,
            "app": {"name": None, "usage": None, "environments": {"production": None, "development": {}}},
            "accounts": {"a": None, "b": {}, "c": {"plan": None}},
            "installs": [{"account": "a", "environment": None, "status": None}],
            "observations": None,
        },
        name="case.yaml",
    )
    assert case.installs[0].key == InstallKey("a", Environment.UNKNOWN)
    assert {account.plan for account in case.accounts.values()} == {Plan.UNKNOWN}
    assert case.app.environments[Environment.PRODUCTION].client_id is None
    assert read_case({**ONE, "app": None, "accounts": None}, name="x").app.environments == {}
    assert read_case({**ONE, "app": {"environments": None}}, name="x").app.environments == {}


def test_labels_and_ids_may_be_numbers() -> None:
    """What YAML took for a number is a text where a text belongs."""
    case = read_case(
        {
            "format": FORMAT,
            "app": {"name": 861, "environments": {"production": {"client_id": 12345}}},
            "accounts": {42: {"plan": "pro"}},
            "installs": [{"account": 42, "environment": "production"}],
            "observations": [{"kind": "sdk", "version": 1.1, "reason": "960", "install": "42/production"}],
        },
        name="case.yaml",
    )
    assert case.app.name == "861"
    assert case.accounts["42"].plan is Plan.PRO
    assert case.observations[0].fields == {"version": "1.1", "reason": 960}


def test_observations_get_ids_install_and_source() -> None:
    """Ids follow the place in the file, the only install is filled in, and the source is the file."""
    case = read_case(observed({"kind": "keepalive", "missed": 3}, {"kind": "sdk", "reason": 99}), name="case.yaml")
    assert [(o.id, o.install, o.source) for o in case.observations] == [
        ("o1", KEY, "case.yaml"),
        ("o2", KEY, "case.yaml"),
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-02T10:00:00Z", TEN),
        ("2026-03-02 11:00:00+01:00", TEN),
        (datetime(2026, 3, 2, 10), TEN),  # noqa: DTZ001  that is the point
        (TEN, TEN),
        (TEN.date(), TEN.replace(hour=0)),
    ],
)
def test_times_are_utc(written: object, read: datetime) -> None:
    """Times come as text or as YAML's own times, and leave as aware UTC times."""
    assert read_case(observed({"kind": "sdk", "at": written}), name="x").observations[0].at == read
    assert read_time(written) == read


def test_observations_stand_in_time_order() -> None:
    """Later ones move back, equal ones keep their order, and those without a time stay with the one before."""
    case = read_case(
        observed(
            {"kind": "sdk", "message": "first"},
            {"kind": "sdk", "message": "at ten", "at": TEN},
            {"kind": "sdk", "message": "after ten"},
            {"kind": "sdk", "message": "at nine", "at": NINE},
            {"kind": "sdk", "message": "at nine too", "at": NINE},
        ),
        name="x",
    )
    said = [o.fields["message"] for o in case.observations]
    assert said == ["at nine", "at nine too", "first", "at ten", "after ten"]
    assert [o.id for o in case.observations] == ["o4", "o5", "o1", "o2", "o3"]


def test_a_file_without_times_keeps_its_order() -> None:
    """The order in the file is the order in time."""
    seen = [Observation(kind=Kind.SDK, fields={"reason": number}) for number in (3, 1, 2)]
    assert list(in_time_order(seen)) == seen


def test_free_form_content_is_kept() -> None:
    """Bodies hold anything; times inside become text, numbers nobody knows are kept."""
    body = {"event": "meeting.rtms_stopped", "payload": {"stop_reason": 99, "when": TEN, 7: [None, True, 1.5]}}
    case = read_case(
        observed(
            {"kind": "webhook", "body": body, "headers": {"X-Any": "1"}},
            {"kind": "rest", "request": {"path": "/v2/x"}, "response": {"status": None, "body": "ConnectionError: x"}},
            {
                "kind": "handshake",
                "response": {"status_code": 77, "anything": [1]},
                "closed": {"code": 1000, "reason": ""},
            },
            {"kind": "statement", "about": "some.key", "value": {"free": "form"}},
            {"kind": "oauth", "grant": "refresh_token", "request": {"a": 1}, "response": {"status": 400, "body": {}}},
        ),
        name="x",
    )
    webhook, rest, handshake, statement, _ = (dict(o.fields) for o in case.observations)
    assert webhook["body"] == {
        "event": "meeting.rtms_stopped",
        "payload": {"stop_reason": 99, "when": "2026-03-02T10:00:00Z", "7": [None, True, 1.5]},
    }
    assert rest["response"] == {"status": None, "body": "ConnectionError: x"}
    assert handshake["response"] == {"status_code": 77, "anything": [1]}
    assert statement == {"about": "some.key", "value": {"free": "form"}}


@pytest.mark.parametrize(
    ("document", "place", "reason"),
    [
        (None, "", "must be a mapping, is empty"),
        ([], "", "must be a mapping, is a list"),
        ({"installs": []}, "format", "must be rtms-audit/evidence@1"),
        ({"format": "rtms-audit/evidence@2", "installs": []}, "format", "must be rtms-audit/evidence@1"),
        ({"format": FORMAT}, "installs", "must be there"),
        ({"format": FORMAT, "installs": "dev-co/production"}, "installs", "must be a list"),
        ({"format": FORMAT, "installs": [{}]}, "installs[0].account", "must be there"),
        ({"format": FORMAT, "installs": [{"account": " "}]}, "installs[0].account", "must not be empty"),
        (
            {"format": FORMAT, "installs": [{"account": "a", "environment": "dev"}]},
            "installs[0].environment",
            "development",
        ),
        ({"format": FORMAT, "installs": [{"account": "a", "status": "gone"}]}, "installs[0].status", "missing"),
        ({"format": FORMAT, "installs": [{"account": "a", "role": 1}]}, "installs[0].role", "not a key"),
        ({"format": FORMAT, "installs": [{"account": "a"}, {"account": "a"}]}, "installs[1]", "a second time"),
        ({**ONE, "observation": []}, "observation", "did you mean observations?"),
        ({**ONE, "title": ["x"]}, "title", "must be a text"),
        ({**ONE, "title": True}, "title", "put the word in quotes"),
        ({**ONE, "app": {"usage": "chatbot"}}, "app.usage", "user-managed"),
        ({**ONE, "app": {"environments": {"staging": None}}}, "app.environments.staging", "development"),
        (
            {**ONE, "app": {"environments": {"production": {"secret": 1}}}},
            "app.environments.production.secret",
            "not a",
        ),
        ({**ONE, "app": {"owner": ""}}, "app.owner", "must not be empty"),
        ({**ONE, "accounts": []}, "accounts", "must be a mapping"),
        ({**ONE, "accounts": {"a": {"plan": "gold"}}}, "accounts.a.plan", "free"),
        ({**ONE, "accounts": {"a": {"plan": "free", "id": 1}}}, "accounts.a.id", "not a key"),
        ({**ONE, "accounts": {True: None}}, "accounts", "as a key; put the key in quotes"),
        ({**ONE, "accounts": {1: None, "1": None}}, "accounts.1", "stands there twice"),
        (observed("x"), "observations[0]", "must be a mapping"),
        (observed({}), "observations[0].kind", "must be there"),
        (observed({"kind": "video"}), "observations[0].kind", "webhook"),
        (observed({"kind": "sdk", "at": "noon"}), "observations[0].at", "must be a time"),
        (observed({"kind": "sdk", "at": "0001-01-01T00:00:00+14:00"}), "observations[0].at", "must be a time"),
        (observed({"kind": "sdk", "at": 1772445600000}), "observations[0].at", "must be a time"),
        (observed({"kind": "sdk", "install": "x/production"}), "observations[0].install", "dev-co/production"),
        (observed({"kind": "sdk", "reasons": 1}), "observations[0].reasons", "did you mean reason?"),
        (observed({"kind": "sdk"}, {"kind": "sdk", "reason": "x"}), "observations[1].reason", "a whole number"),
        (observed({"kind": "sdk", "reason": 1.5}), "observations[0].reason", "a whole number"),
        (observed({"kind": "sdk", "reason": True}), "observations[0].reason", "a whole number"),
        (observed({"kind": "sdk", "reason": 10**50}), "observations[0].reason", "a very large number"),
        (observed({"kind": "sdk", "version": 10**50}), "observations[0].version", "must be a text"),
        (observed({"kind": "sdk", "sdk": "rtms-go"}), "observations[0].sdk", "rtms-python"),
        (observed({"kind": "rest", "response": {"status": "abc"}}), "observations[0].response.status", "'abc'"),
        (observed({"kind": "rest", "request": {"url": "x"}}), "observations[0].request.url", "not a key"),
        (observed({"kind": "rest", "response": 400}), "observations[0].response", "must be a mapping"),
        (observed({"kind": "webhook", "body": "text"}), "observations[0].body", "must be a mapping"),
        (observed({"kind": "webhook", "body": {"x": {1, 2}}}), "observations[0].body.x", "JSON can hold"),
        (observed({"kind": "webhook", "body": {"x": float("nan")}}), "observations[0].body.x", "JSON can hold"),
        (observed({"kind": "webhook", "signature": "fine"}), "observations[0].signature", "verified"),
        (observed({"kind": "webhook", "answered": "later"}), "observations[0].answered", "none"),
        (observed({"kind": "webhook", "answer_ms": "slow"}), "observations[0].answer_ms", "must be a number"),
        (observed({"kind": "watch", "events": "none"}), "observations[0].events", "must be a list"),
        (observed({"kind": "watch", "events": [[]]}), "observations[0].events[0]", "must be a text"),
        (observed({"kind": "watch", "meeting_started": "maybe"}), "observations[0].meeting_started", "true or false"),
        (observed({"kind": "watch", "from": []}), "observations[0].from", "must be a time"),
        (observed({"kind": "statement", "about": ""}), "observations[0].about", "must not be empty"),
    ],
)
def test_errors_name_file_place_and_reason(document: object, place: str, reason: str) -> None:
    """Whatever is wrong is said in one sentence that points at it."""
    said = complaint(document)
    assert said.startswith(f"case.yaml: {place}: " if place else "case.yaml: ")
    assert reason in said


def test_several_installs_need_a_name_on_each_observation() -> None:
    """With two installs an observation without one is an error that lists them."""
    two = {"format": FORMAT, "installs": [{"account": "a"}, {"account": "b"}], "observations": [{"kind": "sdk"}]}
    assert "a/unknown, b/unknown" in complaint(two)
    assert "has 0 installs: none" in complaint({**two, "installs": []})


def test_errors_do_not_repeat_long_texts() -> None:
    """A long value may be a token, so that only its length is said."""
    said = complaint(observed({"kind": "sdk", "reason": "s3cret" * 10}))
    assert "s3cret" not in said
    assert "60 characters" in said


def test_endless_and_exploding_values_are_refused() -> None:
    """A value inside itself, and one that unfolds into millions, end in an error and not in a crash."""
    endless: list[object] = []
    endless.append(endless)
    assert "nested too deeply" in complaint(observed({"kind": "statement", "about": "x", "value": endless}))
    bomb: list[object] = ["x"] * 1000
    assert "more than" in complaint(observed({"kind": "statement", "about": "x", "value": [bomb] * 1000}))


def test_text_that_no_output_can_carry_is_mended() -> None:
    """A lone surrogate, which JSON may hold, is replaced."""
    case = read_case(observed({"kind": "webhook", "body": {"topic": json.loads('"\\ud800x"')}}), name="x")
    assert case.observations[0].fields["body"] == {"topic": "\ufffdx"}


def test_check_fields_accepts_and_refuses() -> None:
    """The store's guard takes what the format knows and refuses the rest as a ValueError."""
    check_fields(Kind.SDK, {"sdk": "rtms-python", "reason": 18})
    with pytest.raises(ValueError, match="nonsense"):
        check_fields(Kind.SDK, {"nonsense": 1})


def test_read_time_refuses_what_is_no_time() -> None:
    """A text that is no time is a ValueError."""
    with pytest.raises(ValueError, match="must be a time"):
        read_time("soon")


WORDS = st.text("abcdefgh-", min_size=1, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
BODY = st.dictionaries(WORDS, JSON, max_size=3)
TIMES = st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
FIELDS: dict[str, Callable[[], st.SearchStrategy[dict[str, object]]]] = {
    "webhook": lambda: st.fixed_dictionaries({}, optional={"body": BODY, "signature": st.just("verified")}),
    "rest": lambda: st.fixed_dictionaries(
        {}, optional={"response": st.fixed_dictionaries({}, optional={"status": st.integers(0, 600), "body": JSON})}
    ),
    "handshake": lambda: st.fixed_dictionaries({}, optional={"response": BODY, "socket": st.just("media")}),
    "sdk": lambda: st.fixed_dictionaries({}, optional={"reason": st.integers(), "message": st.text(max_size=9)}),
    "statement": lambda: st.fixed_dictionaries({"about": WORDS}, optional={"value": JSON}),
    "watch": lambda: st.fixed_dictionaries({}, optional={"events": st.lists(WORDS), "from": TIMES}),
}
OBSERVATIONS = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda kind: st.tuples(FIELDS[kind](), TIMES).map(lambda parts: {**parts[0], "kind": kind, "at": parts[1]})
)
DOCUMENTS = st.fixed_dictionaries(
    {"format": st.just(FORMAT), "installs": st.just([{"account": "a", "environment": "production"}])},
    optional={
        "title": st.text(max_size=9),
        "app": st.fixed_dictionaries(
            {},
            optional={
                "name": WORDS,
                "usage": st.sampled_from([*Usage]).map(str),
                "environments": st.just({"production": {"distribution": "beta"}}),
            },
        ),
        "accounts": st.dictionaries(WORDS, st.sampled_from([None, {}, {"plan": "free"}]), max_size=2),
        "observations": st.lists(OBSERVATIONS, max_size=6),
    },
)


@given(DOCUMENTS)
def test_writing_is_the_inverse_of_reading(document: dict[str, object]) -> None:
    """What was read, written as JSON and read again, is the same case."""
    case = read_case(document, name="x")
    assert read_case(json.loads(json.dumps(write_case(case))), name="x") == case


@given(JSON | DOCUMENTS.flatmap(lambda document: st.dictionaries(WORDS, JSON).map(lambda more: {**document, **more})))
def test_any_document_is_read_or_refused(document: object) -> None:
    """No document ends in anything but a case or an error for the user."""
    with contextlib.suppress(EvidenceFileError):
        assert read_case(document, name="x").installs is not None


def test_a_case_from_elsewhere_keeps_its_order() -> None:
    """Observations whose ids are not places in a file are written as they stand, without what has no place."""
    case = read_case({**ONE, "installs": [{"account": "a", "status": "missing"}]}, name="x")
    seen = [
        Observation(kind=Kind.SDK, fields={"reason": 1, "message": None}, id="o7", raw=b"x", duration_ms=3.0),
        Observation(kind=Kind.SDK, fields={"reason": 2}, id="o5", install=InstallKey("a", Environment.UNKNOWN), at=TEN),
    ]
    written = write_case(type(case)(installs=case.installs, observations=tuple(seen)))
    assert written["observations"] == [
        {"kind": "sdk", "reason": 1},
        {"at": "2026-03-02T10:00:00Z", "install": "a/unknown", "kind": "sdk", "reason": 2},
    ]
    assert written["installs"] == [{"account": "a", "environment": "unknown", "status": "missing"}]
