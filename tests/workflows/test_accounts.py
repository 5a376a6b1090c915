"""Accounts: added one by one or all of a file, or none where a line is wrong."""

from typing import Any

import pytest

from rtms_audit.core.model import Plan
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError, ZoomError
from rtms_audit.workflows.accounts import AccountRow, add_account, connect_auditor, import_accounts, read_accounts
from rtms_audit.zoom.oauth import ProblemKind

GOOD = "label,email,expect_plan,account_id\noutsider,o@example.com,free,\nbig, b@example.com ,paid,zoom-2\n"


def test_a_file_of_accounts_is_imported_whole(world: Any) -> None:
    """Blank lines, spaces and a byte order mark do no harm; known labels are brought up to date."""
    text = "\ufeff" + GOOD + "\n,,,\ndev-co,dev@example.com,,\n"
    done = import_accounts(world.store, text, name="accounts.csv")
    assert (done.added, done.updated) == (("outsider", "big"), ("dev-co",))
    found = {account.label: account for account in world.store.accounts()}
    assert found["outsider"].expected_plan is Plan.FREE
    assert (found["big"].email, found["big"].account_id) == ("b@example.com", "zoom-2")


def test_columns_may_stand_in_any_order_and_be_left_out() -> None:
    """Only the label must be there."""
    assert read_accounts("expect_plan,label\n,a\nPRO,b\n", name="f") == (
        AccountRow("a"), AccountRow("b", plan=Plan.PRO),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f is empty"),
        ("name,email\n", "line 1: the columns are not"),
        ("label,label\n", "line 1: the columns are not"),
        ("email\n", "line 1: the columns are not"),
        ("label,expect_plan\na,gold\n", "line 2, column expect_plan: 'gold' is none of free"),
        ("label,email\na,nobody\n", "line 2, column email: 'nobody' is not an e-mail"),
        ("label\na\n\nb/c\n", "line 4, column label: 'b/c' cannot be a label"),
        ("label\na\na\n", "line 3, column label: 'a' stands there twice"),
        ("label\na,b\n", "line 2, column 2: there are more values than columns"),
        ("label,account_id\na,x y\n", "line 2, column account_id"),
        ('label\n"a\n', "f, line"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(world: Any, text: str, said: str) -> None:
    """The message holds line and column."""
    before = world.store.accounts()
    with pytest.raises(UserError, match="f") as caught:
        import_accounts(world.store, text, name="f")
    assert said in caught.value.message
    assert world.store.accounts() == before


def test_every_wrong_line_is_named_at_once() -> None:
    """Whoever mends the file need not run it ten times."""
    with pytest.raises(UserError, match=r"line 2, column email.*line 3, column expect_plan"):
        read_accounts("label,email,expect_plan\na,x,\nb,,y\n", name="f")


def test_one_account_is_added_or_changed(world: Any) -> None:
    """The answer says which."""
    assert add_account(world.store, AccountRow("new"))
    assert not add_account(world.store, AccountRow("new", email="n@example.com"))
    with pytest.raises(UserError, match="email: 'x' is not an e-mail address"):
        add_account(world.store, AccountRow("new", email="x"))


def test_an_auditor_is_kept_only_after_zoom_gave_it_a_token(world: Any) -> None:
    """A refused connection stores nothing."""
    secret = Secret("s2s-secret")
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.CLIENT_INVALID, reason="Invalid client_id")
    with pytest.raises(UserError, match="Invalid client_id"):
        connect_auditor(world.services, account="dev-co", client_id="S2S", client_secret=secret, zoom_account_id="z")
    assert world.store.auditor(account="dev-co") is None
    world.zoom.answer = lambda *_: None
    connect_auditor(world.services, account="dev-co", client_id="S2S", client_secret=secret, zoom_account_id="z")
    assert world.store.auditor(account="dev-co").client_secret == secret


@pytest.mark.parametrize("known_by", ["registered", "installed", "auditor"])
def test_the_auditor_of_another_account_is_refused(world: Any, known_by: str) -> None:
    """However the other label is known by that Zoom account, it is named, Zoom is not asked and nothing is stored."""
    add_account(world.store, AccountRow("free"))
    secret = Secret("s2s-secret")
    if known_by == "registered":
        add_account(world.store, AccountRow("dev-co", account_id="zoom-1"))
    elif known_by == "installed":
        world.grant()
    else:
        world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=secret, zoom_account_id="zoom-1")
    with pytest.raises(UserError, match="zoom-1 is already known here as dev-co, not free"):
        connect_auditor(world.services, account="free", client_id="S2S", client_secret=secret, zoom_account_id="zoom-1")
    assert world.store.auditor(account="free") is None
    assert world.zoom.calls == []


def test_an_auditor_belongs_to_the_account_that_the_label_is_known_as(world: Any) -> None:
    """An id differing from the install's is refused; a first connection's id is kept with the label."""
    secret = Secret("s2s-secret")
    add_account(world.store, AccountRow("new"))
    connect_auditor(world.services, account="new", client_id="S2S", client_secret=secret, zoom_account_id="zoom-2")
    assert world.store.account("new").account_id == "zoom-2"
    world.grant()
    with pytest.raises(UserError, match="dev-co is Zoom account zoom-1, not zoom-3"):
        connect_auditor(
            world.services, account="dev-co", client_id="S2S", client_secret=secret, zoom_account_id="zoom-3"
        )


def test_an_auditor_that_zoom_could_not_be_asked_about_is_not_called_wrong(world: Any) -> None:
    """The network is named, nothing is stored."""
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.TRANSIENT, status=None, reason="ConnectionError: x")
    with pytest.raises(ZoomError, match=r"did not answer .* ConnectionError: x") as caught:
        connect_auditor(
            world.services, account="dev-co", client_id="S", client_secret=Secret("s"), zoom_account_id="zoom-1"
        )
    assert "network" in (caught.value.next_step or "")
    assert world.store.auditor(account="dev-co") is None
