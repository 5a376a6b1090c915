"""Observations, cases and runs."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from rtms_audit.core.model import (
    App,
    AppEnvironment,
    Distribution,
    Environment,
    Install,
    InstallKey,
    InstallStatus,
    Kind,
    Observation,
    Plan,
    Usage,
)
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.engine import read_url
from rtms_audit.store.records import GrantRecord, GrantStatus
from rtms_audit.store.store import Store

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PRODUCTION = InstallKey("outsider", Environment.PRODUCTION)
DEVELOPMENT = InstallKey("outsider", Environment.DEVELOPMENT)
Add = Callable[..., GrantRecord]


def watch(minute: int | None = 0, install: InstallKey | None = PRODUCTION, **changes: Any) -> Observation:
    """Make a small observation."""
    at = None if minute is None else AT + timedelta(minutes=minute)
    fields = changes.pop("fields", {"meeting_started": True, "events": []})
    return Observation(kind=Kind.WATCH, fields=fields, at=at, install=install, **changes)


def test_observation_comes_back(store: Store) -> None:
    """An observation comes back with its raw bytes, source, duration and tracking id, under the id it was given."""
    fields = {"request": {"method": "GET", "path": "/v2/users/me"}, "response": {"status": 200, "body": {"type": 1}}}
    given = Observation(
        kind=Kind.REST, fields=fields, at=AT, install=PRODUCTION, source="api.zoom.us", raw=b'{"type": 1}\xff\x00',
        duration_ms=12.5, tracking_id="v=2.0;clid=aw1",
    )  # fmt: skip
    ids = store.append(app="Notes", observations=[given, watch(1)])
    assert ids == ("o1", "o2")
    found = store.observations(app="Notes")[0]
    assert found.id == "o1"
    assert (found.fields, found.at, found.install, found.raw) == (fields, AT, PRODUCTION, given.raw)
    assert (found.source, found.duration_ms, found.tracking_id) == ("api.zoom.us", 12.5, "v=2.0;clid=aw1")
    assert store.observation("o1") == found


@pytest.mark.parametrize("name", ["o9", "oo", "", "9" * 30])
def test_unknown_observation(sqlite_store: Store, name: str) -> None:
    """An id that nothing has is an error."""
    with pytest.raises(UserError, match="no observation"):
        sqlite_store.observation(name)


def test_rows_hold_hash_and_status(store: Store, url: str) -> None:
    """The row says the SHA-256 of the bytes that came, the HTTP status, and whether the bytes were masked."""
    raw = b'{"access_token": "planted-in-raw-1"}'
    fields = {"response": {"status": 401}}
    store.append(app="Notes", observations=[Observation(kind=Kind.OAUTH, fields=fields, raw=raw), watch()])
    engine = create_engine(read_url(url))
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT raw_sha256, http_status, raw_redacted, raw FROM observation ORDER BY id")
        ).all()
    engine.dispose()
    assert (rows[0][0], rows[0][1], bool(rows[0][2])) == (hashlib.sha256(raw).hexdigest(), 401, True)
    assert bytes(rows[0][3]) == b'{"access_token": "[secret]"}'
    assert (rows[1][0], rows[1][1], bool(rows[1][2])) == (None, None, False)


def test_secrets_do_not_get_in(store: Store) -> None:
    """A secret that a caller forgot to mask is masked on the way in, in fields and raw bytes."""
    seen = watch(fields={"body": {"client_secret": "planted-1"}}, raw=b"Authorization: Bearer planted-2")
    store.append(app="Notes", observations=[seen])
    assert "planted" not in repr(store.observations(app="Notes"))


def test_observations_are_append_only(store: Store, url: str) -> None:
    """Not even somebody with the database open can change or remove an observation."""
    store.append(app="Notes", observations=[watch()])
    engine = create_engine(read_url(url))
    for statement in ("UPDATE observation SET fields = '{}'", "DELETE FROM observation"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


def test_once_skips_what_is_kept(store: Store) -> None:
    """The same evidence imported again is not doubled; what differs in time, install or field is added."""
    store.append(app="Notes", observations=[watch(0), watch(None)])
    assert store.append(app="Notes", observations=[watch(0), watch(None)], once=True) == ()
    other = [watch(1), watch(0, DEVELOPMENT), watch(0, fields={"events": ["x"]}), watch(1)]
    assert len(store.append(app="Notes", observations=other, once=True)) == 3
    assert len(store.append(app="Talks", observations=[watch(0)], once=True)) == 1
    assert len(store.append(app="Notes", observations=[watch(0)])) == 1
    assert store.append(app="Notes", observations=[]) == ()


def test_order_and_filters(store: Store) -> None:
    """Observations come in the order of their time, those without one where their batch has them."""
    store.append(app="Notes", observations=[watch(None, source="a"), watch(5, source="b"), watch(None, source="c")])
    store.append(app="Notes", observations=[watch(1, source="d"), watch(7, DEVELOPMENT, source="e")])
    store.append(app="Notes", observations=[watch(6, InstallKey("b", Environment.PRODUCTION), source="f")])
    store.append(app="Notes", observations=[watch(9, None, source="g")])
    seen = store.observations

    def names(**filters: Any) -> str:
        return "".join(o.source for o in seen(app="Notes", **filters))

    assert names() == "dabcfeg"
    assert names(account="outsider") == "dabce"
    assert names(account="outsider", environment=Environment.DEVELOPMENT) == "e"
    assert names(until=AT + timedelta(minutes=6)) == "dabcf"
    assert seen(app="Talks") == ()


def test_batch_without_times_stands_where_it_was_recorded(store: Store, clock: Any) -> None:
    """Evidence that knows no time at all is placed at the moment it was taken in."""
    clock.forward(minutes=3)
    store.append(app="Notes", observations=[watch(None, source="b"), watch(None, source="c")])
    store.append(app="Notes", observations=[watch(2, source="a"), watch(4, source="d")])
    assert "".join(o.source for o in store.observations(app="Notes")) == "abcd"


def test_moment_needs_a_zone(sqlite_store: Store) -> None:
    """A moment whose zone nobody knows is refused."""
    with pytest.raises(Exception, match="without a time zone"):
        sqlite_store.append(
            app="Notes", observations=[Observation(kind=Kind.WATCH, fields={}, at=AT.replace(tzinfo=None))]
        )


def test_case_of_a_registered_app(store: Store, add_grant: Add) -> None:
    """A case holds the app, its accounts with the plan believed in, its installs and what was seen of them."""
    store.put_app(
        app="Notes", environment=Environment.PRODUCTION, client_id="PRODID", client_secret=Secret("s"), owner="dev-co",
        usage=Usage.USER_MANAGED, distribution=Distribution.BETA,
    )  # fmt: skip
    store.put_account(label="outsider", expected_plan=Plan.FREE)
    add_grant(store)
    store.append(app="Notes", observations=[watch(0), watch(1, None)])
    case = store.case(app="Notes")
    environments = {Environment.PRODUCTION: AppEnvironment("PRODID", Distribution.BETA)}
    assert case.app == App(name="Notes", owner="dev-co", usage=Usage.USER_MANAGED, environments=case.app.environments)
    assert dict(case.app.environments) == environments
    assert case.accounts["outsider"].plan is Plan.FREE
    assert case.installs == (Install(PRODUCTION, InstallStatus.INSTALLED),)
    assert [o.id for o in case.observations] == ["o1"]


def test_case_of_an_unregistered_app(store: Store) -> None:
    """Evidence of an app that was never registered makes a case all the same."""
    store.append(app="Notes", observations=[watch(0)])
    case = store.case(app="Notes")
    assert case.app == App(name="Notes")
    assert case.installs == (Install(PRODUCTION, InstallStatus.UNKNOWN),)


def test_install_status(store: Store, add_grant: Add) -> None:
    """A grant decides the status, then a file's word, then an attempt that failed; else nobody knows."""

    def redirect(account: str, outcome: str) -> Observation:
        fields = {"step": "redirect", "response": {"status": 200, "body": {"outcome": outcome}}}
        return Observation(kind=Kind.OAUTH, fields=fields, at=AT, install=InstallKey(account, Environment.PRODUCTION))

    for account, status in (("revoked", GrantStatus.REVOKED), ("dead", GrantStatus.DEAD), ("active", None)):
        grant = add_grant(store, account=account)
        if status:
            store.mark_grant(grant_id=grant.id, status=status, reason="")
    told = Install(InstallKey("told", Environment.PRODUCTION), InstallStatus.MISSING)
    store.note_install(app="Notes", install=told)
    outcomes = [("denied", "denied"), ("fine", "installed"), ("active", "denied")]
    store.append(app="Notes", observations=[redirect(*outcome) for outcome in outcomes])
    found = {install.key.account: install.status for install in store.case(app="Notes").installs}
    assert found == {
        "active": InstallStatus.INSTALLED,
        "dead": InstallStatus.UNKNOWN,
        "denied": InstallStatus.MISSING,
        "fine": InstallStatus.UNKNOWN,
        "revoked": InstallStatus.REVOKED,
        "told": InstallStatus.MISSING,
    }


def test_case_of_one_account(store: Store, add_grant: Add) -> None:
    """A case of one account holds its installs and observations alone."""
    add_grant(store)
    add_grant(store, account="b")
    store.append(app="Notes", observations=[watch(0), watch(1, InstallKey("b", Environment.PRODUCTION))])
    case = store.case(app="Notes", account="b")
    assert [install.key.account for install in case.installs] == ["b"]
    assert [o.id for o in case.observations] == ["o2"]


def test_case_as_of_an_earlier_moment(store: Store, add_grant: Add, clock: Any) -> None:
    """As of an earlier moment, a later revocation, install or observation has not happened."""
    grant = add_grant(store)
    store.append(app="Notes", observations=[watch(0), watch(20)])
    clock.forward(minutes=10)
    store.mark_grant(grant_id=grant.id, status=GrantStatus.REVOKED, reason="uninstalled")
    clock.forward(minutes=10)
    add_grant(store, environment=Environment.DEVELOPMENT)
    store.note_install(app="Notes", install=Install(InstallKey("late", Environment.PRODUCTION)))

    def at(minute: int) -> tuple[dict[str, str], int]:
        case = store.case(app="Notes", as_of=AT + timedelta(minutes=minute))
        return {str(install.key): str(install.status) for install in case.installs}, len(case.observations)

    assert at(5) == ({"outsider/production": "installed"}, 1)
    assert at(15) == ({"outsider/production": "revoked"}, 1)
    assert at(20)[0].keys() == {"late/production", "outsider/development", "outsider/production"}


def test_runs(store: Store, clock: Any) -> None:
    """An audit that was run comes back as it was kept."""
    first = store.add_run(app="Notes", kind="matrix", diagnoses_json='{"installs": []}')
    store.add_run(app="Talks", kind="matrix", diagnoses_json="{}")
    second = store.add_run(app="Notes", kind="report", diagnoses_json="{}")
    assert [run.id for run in store.runs("Notes")] == [first, second]
    run = store.run(first)
    assert (run.app, run.kind, run.at, run.diagnoses_json) == ("Notes", "matrix", clock(), '{"installs": []}')
    with pytest.raises(UserError, match="no run of the number 99"):
        store.run(99)
