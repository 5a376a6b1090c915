"""Tokens: one refresh per grant whoever asks, and every failure read for what it is."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rtms_audit.core.secret import Secret
from rtms_audit.errors import DatabaseError, UserError
from rtms_audit.store.records import GrantStatus, TokenPair
from rtms_audit.workflows.accounts import connect_auditor
from rtms_audit.workflows.auditor_tokens import AuditorTokens
from rtms_audit.workflows.refusals import GrantEndedError, RefreshFailedError
from rtms_audit.workflows.tokens import Patience, Step, TokenKeeper, refresh_hash
from rtms_audit.zoom.oauth import ProblemKind

ENDINGS = [
    ProblemKind.GRANT_DEAD, ProblemKind.NO_AUTHORIZATION, ProblemKind.USER_REMOVED, ProblemKind.APPROVAL_WITHDRAWN,
    ProblemKind.REUSED, ProblemKind.SUPERSEDED, ProblemKind.APP_DISABLED,
]  # fmt: skip


def keeper(world: Any, **patience: Any) -> TokenKeeper:
    """Make a keeper."""
    return TokenKeeper(world.services, owner="me", patience=Patience(**patience))


def test_a_fresh_token_is_handed_out_without_a_call(world: Any) -> None:
    """What has more than the margin left is used as it is."""
    grant = world.grant()
    assert keeper(world).access(grant) == Secret("access-0")
    assert world.zoom.calls == []


def test_a_token_near_its_end_is_refreshed_and_saved_before_use(world: Any) -> None:
    """Within the margin a new pair is fetched, saved with its scopes, and the intent is closed."""
    grant = world.grant(expires_in=200)
    assert keeper(world).access(grant) == Secret("access-1")
    assert world.zoom.calls == [("refresh_token", "refresh-0")]
    kept = world.store.tokens(grant_id=grant.id)
    assert (kept.access, kept.refresh, kept.version) == (Secret("access-1"), Secret("refresh-1"), 2)
    assert world.store.grant_by_id(grant.id).scopes == ("user:read:user",)
    assert [intent.outcome for intent in world.store.intents(grant.id)] == ["saved"]
    assert world.seen("oauth")[0]["grant"] == "refresh_token"


def test_an_answer_without_refresh_token_keeps_the_old_one(world: Any) -> None:
    """A refresh token is never lost because an answer lacked one."""
    grant = world.grant(expires_in=0)
    world.zoom.answer = lambda *_: world.zoom.tokens(refresh=False, scopes=None)
    keeper(world).access(grant)
    assert world.store.tokens(grant_id=grant.id).refresh == Secret("refresh-0")


def test_eight_threads_with_one_expired_grant_make_one_call(world: Any) -> None:
    """All callers get the same new token, and Zoom is asked once."""
    grant = world.grant(expires_in=0)
    together = threading.Barrier(8)

    def ask(number: int) -> str:
        together.wait()
        mine = TokenKeeper(world.services, owner=f"caller-{number}", patience=Patience(poll=0.001))
        return mine.access(grant).reveal()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"access-1"}
    assert world.zoom.calls == [("refresh_token", "refresh-0")]


def test_a_caller_waits_for_another_holder_and_takes_what_it_saved(world: Any) -> None:
    """While somebody else holds the lease nobody calls; what that holder saves is used."""
    grant = world.grant(expires_in=0)
    lease = world.store.acquire_lease(name=f"refresh:{grant.id}", owner="other", ttl=timedelta(seconds=45))
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        world.clock.sleep(seconds)
        if len(naps) == 2:
            pair = TokenPair(
                access=Secret("theirs"), refresh=Secret("r"), expires_at=world.clock() + timedelta(hours=1)
            )
            world.store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair, lease=lease)

    object.__setattr__(world.services, "sleep", nap)
    assert keeper(world).access(grant) == Secret("theirs")
    assert world.zoom.calls == []


def test_a_holder_that_never_ends_is_given_up_on(world: Any) -> None:
    """The wait has an end, and says so."""
    grant = world.grant(expires_in=0)
    world.store.acquire_lease(name=f"refresh:{grant.id}", owner="other", ttl=timedelta(hours=1))
    with pytest.raises(RefreshFailedError, match="did not finish in time"):
        keeper(world).access(grant)
    assert world.zoom.calls == []


def test_a_dead_holder_is_succeeded_and_its_interrupted_refresh_is_named(world: Any) -> None:
    """After the expiry the successor sees the open intent; a refusal then says what happened, and the remedy."""
    grant = world.grant(expires_in=0)
    lease = world.store.acquire_lease(name=f"refresh:{grant.id}", owner="dead", ttl=timedelta(seconds=45))
    world.store.record_intent(
        grant_id=grant.id, refresh_hash=refresh_hash(Secret("refresh-0")), owner="dead", fencing=lease.fencing
    )
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.GRANT_DEAD)
    with pytest.raises(GrantEndedError, match="earlier refresh was interrupted") as caught:
        keeper(world).access(grant)
    assert "rtms-audit install dev-co" in (caught.value.next_step or "")
    assert world.clock.slept, "it waited for the lease to run out"


def test_a_successor_in_grace_rotation_saves_the_grant(world: Any) -> None:
    """Where Zoom still takes the old token, an interrupted refresh costs nothing."""
    grant = world.grant(expires_in=0)
    lease = world.store.acquire_lease(name=f"refresh:{grant.id}", owner="dead", ttl=timedelta(seconds=45))
    world.store.record_intent(
        grant_id=grant.id, refresh_hash=refresh_hash(Secret("refresh-0")), owner="dead", fencing=lease.fencing
    )
    assert keeper(world).access(grant) == Secret("access-1")


@pytest.mark.parametrize("kind", ENDINGS)
def test_an_ended_grant_is_marked_with_its_reason_and_kept(world: Any, kind: ProblemKind) -> None:
    """Each refusal that ends a grant has its own words; nothing is deleted, and nobody calls again."""
    grant = world.grant(expires_in=0)
    world.zoom.answer = lambda *_: world.zoom.refusal(kind)
    with pytest.raises(GrantEndedError) as caught:
        keeper(world).access(grant)
    marked = world.store.grant_by_id(grant.id)
    assert marked.status is GrantStatus.DEAD
    assert marked.reason in caught.value.message
    assert marked.has_tokens
    calls = len(world.zoom.calls)
    with pytest.raises(GrantEndedError, match="is dead"):
        keeper(world).access(grant)
    assert len(world.zoom.calls) == calls


def test_invalid_grant_is_not_believed_where_somebody_saved_a_newer_pair(world: Any) -> None:
    """Before a grant is marked dead it is read again: a newer pair is the answer."""
    grant = world.grant(expires_in=0)

    def answer(*_: Any) -> Any:
        pair = TokenPair(access=Secret("newer"), refresh=Secret("r"), expires_at=world.clock() + timedelta(hours=1))
        world.store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair)
        return world.zoom.refusal(ProblemKind.GRANT_DEAD)

    world.zoom.answer = answer
    assert keeper(world).access(grant) == Secret("newer")
    assert world.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_an_invalid_client_is_our_fault_and_the_grant_stays(world: Any) -> None:
    """The message points at the app's pair, not at the account."""
    grant = world.grant(expires_in=0)
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.CLIENT_INVALID, reason="Invalid client_id")
    with pytest.raises(RefreshFailedError, match="client id and secret of notes's production pair") as caught:
        keeper(world).access(grant)
    assert "app check" in (caught.value.next_step or "")
    assert world.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_other_refusals_leave_the_grant_alone(world: Any) -> None:
    """What nobody knows is told, not acted upon."""
    grant = world.grant(expires_in=0)
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.OTHER, reason="odd")
    with pytest.raises(RefreshFailedError, match="odd"):
        keeper(world).access(grant)
    assert world.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_passing_failures_are_repeated_with_back_off_and_then_told(world: Any) -> None:
    """429, 5xx and time-outs are tried three times; then the grant is as it was."""
    grant = world.grant(expires_in=0)
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.TRANSIENT, status=None, reason="timed out")
    with pytest.raises(RefreshFailedError, match="did not answer properly"):
        keeper(world).access(grant)
    assert world.clock.slept == [0.5, 2.0]
    assert len(world.zoom.calls) == 3
    assert world.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_a_repeated_call_that_meets_a_dead_token_is_an_interrupted_refresh(world: Any) -> None:
    """The answer that got lost had already replaced the token: that is said."""
    grant = world.grant(expires_in=0)
    answers = iter([ProblemKind.TRANSIENT, ProblemKind.GRANT_DEAD])
    world.zoom.answer = lambda *_: world.zoom.refusal(next(answers))
    with pytest.raises(GrantEndedError, match="earlier refresh was interrupted"):
        keeper(world).access(grant)


def test_a_refused_access_token_leads_to_one_refresh(world: Any) -> None:
    """After 401 the first caller refreshes; whoever comes later with the old token gets the new one."""
    grant = world.grant()
    tokens = keeper(world)
    assert tokens.after_refusal(grant, Secret("access-0")) == Secret("access-1")
    assert tokens.after_refusal(grant, Secret("access-0")) == Secret("access-1")
    assert len(world.zoom.calls) == 1


def test_a_dead_grant_that_works_again_comes_back_to_life(world: Any) -> None:
    """`installs refresh` asks even for a dead grant, and revives it where Zoom takes it."""
    grant = world.grant()
    world.store.mark_grant(grant_id=grant.id, status=GrantStatus.DEAD, reason="4717")
    assert keeper(world).refresh(grant).access == Secret("access-1")
    assert world.store.grant_by_id(grant.id).status is GrantStatus.ACTIVE


def test_whoever_waited_for_a_refresh_that_failed_shares_the_failure(world: Any) -> None:
    """Zoom is not asked again by everybody who waits; who comes later asks."""
    grant = world.grant(expires_in=0)
    lease = world.store.acquire_lease(name=f"refresh:{grant.id}", owner="other", ttl=timedelta(seconds=45))
    intent = world.store.record_intent(
        grant_id=grant.id, refresh_hash=refresh_hash(Secret("refresh-0")), owner="other", fencing=lease.fencing
    )

    def nap(seconds: float) -> None:
        world.clock.sleep(seconds)
        world.store.close_intent(intent_id=intent.id, outcome="unanswered")
        world.store.release_lease(lease)

    object.__setattr__(world.services, "sleep", nap)
    with pytest.raises(RefreshFailedError, match="Another caller just tried"):
        keeper(world).access(grant)
    assert world.zoom.calls == []
    assert keeper(world).access(grant) == Secret("access-1")


def test_whoever_waited_while_the_grant_ended_does_not_ask_again(world: Any) -> None:
    """One refusal is enough for all."""
    grant = world.grant(expires_in=0)
    lease = world.store.acquire_lease(name=f"refresh:{grant.id}", owner="other", ttl=timedelta(seconds=45))

    def nap(seconds: float) -> None:
        world.clock.sleep(seconds)
        world.store.mark_grant(grant_id=grant.id, status=GrantStatus.DEAD, reason="4735")
        world.store.release_lease(lease)

    object.__setattr__(world.services, "sleep", nap)
    with pytest.raises(GrantEndedError, match="4735"):
        keeper(world).access(grant)
    assert world.zoom.calls == []


def test_a_grant_that_was_replaced_says_so(world: Any) -> None:
    """Somebody installed again while this command ran: it only has to be run again."""
    grant = world.grant()
    world.grant()
    with pytest.raises(GrantEndedError, match="replaced by a newer one") as caught:
        keeper(world).access(grant)
    assert caught.value.next_step == "Run the command again."


def test_the_steps_of_a_refresh_are_told_in_order(world: Any) -> None:
    """A test may stop a refresh at any of them."""
    steps: list[Step] = []
    TokenKeeper(world.services, owner="me", on_step=steps.append).refresh(world.grant())
    assert steps == list(Step)


def test_a_database_that_is_busy_for_a_moment_costs_no_grant(world: Any) -> None:
    """The new pair is saved on the next try: its predecessor is dead already."""
    grant = world.grant(expires_in=0)

    class Busy:
        """A store that cannot save so many times."""

        def __init__(self, times: int) -> None:
            self.times = times

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def replace_tokens(self, **what: Any) -> bool:
            """Save, once the trouble is over."""
            self.times -= 1
            if self.times >= 0:
                raise DatabaseError("database is locked")
            return bool(world.store.replace_tokens(**what))

    services = replace(world.services, store=Busy(2))
    assert TokenKeeper(services, owner="me").access(grant) == Secret("access-1")
    assert world.clock.slept == [0.5, 2.0]
    with pytest.raises(DatabaseError):
        TokenKeeper(replace(world.services, store=Busy(3)), owner="me").refresh(grant)
    assert len(world.store.intents(grant.id, open_only=True)) == 1, "the next caller is told of it"


def test_an_auditors_token_is_asked_for_again_after_a_passing_failure(world: Any) -> None:
    """With back-off, as for grants; a lease that somebody took over meanwhile ends it."""
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")
    answers = iter([world.zoom.refusal(ProblemKind.TRANSIENT), world.zoom.tokens()])
    world.zoom.answer = lambda *_: next(answers)
    assert AuditorTokens(world.services, owner="a").access(app="notes", account="dev-co") == Secret("access-1")
    assert world.clock.slept == [0.5]


def test_the_token_that_proves_a_new_connection_is_the_one_that_is_used(world: Any) -> None:
    """Asking for another would kill it, or the other way round."""
    connect_auditor(
        world.services, account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1"
    )
    assert AuditorTokens(world.services, owner="a").access(app="notes", account="dev-co") == Secret("access-1")
    assert len(world.zoom.calls) == 1


def test_an_auditor_that_slept_through_its_lease_uses_its_successors_token(world: Any) -> None:
    """Fencing holds for auditors too."""
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")

    def answer(*_: Any) -> Any:
        world.clock.sleep(60)
        other = world.store.acquire_lease(name="auditor:dev-co", owner="successor", ttl=timedelta(seconds=45))
        pair = TokenPair(access=Secret("newest"), refresh=None, expires_at=world.clock() + timedelta(hours=1))
        assert world.store.put_shared_token(name="auditor:dev-co", expected_version=0, tokens=pair, lease=other)
        return world.zoom.tokens()

    world.zoom.answer = answer
    assert AuditorTokens(world.services, owner="a").access(app="notes", account="dev-co") == Secret("newest")


def test_a_grant_without_refresh_token_says_so(world: Any) -> None:
    """There is nothing to refresh with: install again."""
    grant = world.grant(expires_in=0, refresh=None)
    with pytest.raises(GrantEndedError, match="no refresh token"):
        keeper(world).access(grant)


def test_a_sleeper_that_wakes_after_its_successor_uses_what_the_successor_saved(world: Any) -> None:
    """A lease that ran out during the call does not let an older pair overwrite the newer one."""
    grant = world.grant(expires_in=0)

    def answer(*_: Any) -> Any:
        world.clock.sleep(60)
        other = world.store.acquire_lease(name=f"refresh:{grant.id}", owner="successor", ttl=timedelta(seconds=45))
        pair = TokenPair(access=Secret("newest"), refresh=Secret("r"), expires_at=world.clock() + timedelta(hours=1))
        assert world.store.replace_tokens(grant_id=grant.id, expected_version=1, tokens=pair, lease=other)
        return world.zoom.tokens()

    world.zoom.answer = answer
    assert keeper(world).access(grant) == Secret("newest")


def test_an_auditor_token_is_fetched_once_and_shared(world: Any) -> None:
    """Every caller of every process uses the one token until it is refused."""
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")
    first = AuditorTokens(world.services, owner="a")
    second = AuditorTokens(world.services, owner="b")
    held = first.access(app="notes", account="dev-co")
    assert second.access(app="notes", account="dev-co") == held
    assert len(world.zoom.calls) == 1
    newer = second.access(app="notes", account="dev-co", refused=held)
    assert newer != held
    assert first.access(app="notes", account="dev-co", refused=held) == newer
    assert len(world.zoom.calls) == 2


def test_an_auditor_that_is_missing_or_refused_is_named(world: Any) -> None:
    """Without a connection the way to make one is told; a refusal names what to compare."""
    tokens = AuditorTokens(world.services, owner="a")
    with pytest.raises(UserError, match="no auditor connection"):
        tokens.access(app="notes", account="dev-co")
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")
    world.zoom.answer = lambda *_: world.zoom.refusal(ProblemKind.CLIENT_INVALID)
    with pytest.raises(RefreshFailedError, match="auditor connection of dev-co"):
        tokens.access(app="notes", account="dev-co")


def test_an_auditor_token_that_somebody_else_fetches_is_waited_for(world: Any) -> None:
    """The lease holds for auditors too, and the wait has an end."""
    world.store.put_auditor(account="dev-co", client_id="S2S", client_secret=Secret("s"), zoom_account_id="zoom-1")
    world.store.acquire_lease(name="auditor:dev-co", owner="other", ttl=timedelta(hours=1))
    with pytest.raises(RefreshFailedError, match="holds the auditor connection"):
        AuditorTokens(world.services, owner="a").access(app="notes", account="dev-co")
