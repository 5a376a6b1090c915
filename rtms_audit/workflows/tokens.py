"""Live access tokens, refreshed by one caller at a time per grant, whatever the number of threads and processes.

The order is what keeps a grant alive through races and crashes: take the lease, read again (someone may have refreshed
meanwhile), write down which refresh token is about to be spent, call Zoom, save the new pair by compare-and-swap, and
only then use it. A holder that died is succeeded when its lease runs out, and the successor sees the open intent.

Zoom replaces the refresh token on every use and may refuse the old one at once
(`zoom/skills` oauth/concepts/token-lifecycle.md, 2026-07-13); parallel refreshes break the chain.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rtms_audit.core.model import InstallKey
from rtms_audit.core.secret import Secret
from rtms_audit.errors import DatabaseError
from rtms_audit.store.records import GrantRecord, GrantStatus, IntentRecord, Lease, TokenPair
from rtms_audit.workflows import observe
from rtms_audit.workflows.refusals import (
    ENDED,
    REMEDIES,
    SAVED,
    UNANSWERED,
    GrantEndedError,
    RefreshFailedError,
    ended,
    ending_of,
    is_uncertain,
    name_of,
    outcome_of,
    passes,
    problem_in,
    refusal,
    reinstall,
)
from rtms_audit.workflows.services import Services
from rtms_audit.zoom.oauth import OAuthProblem, Pair, TokenAnswer, Tokens

MARGIN = timedelta(minutes=5)
"""How long before its expiry an access token is replaced."""

LEASE_TTL = timedelta(seconds=45)
"""How long one token call may take: longer than its own time limit. A repeated call renews the lease first."""

PATIENCE = timedelta(seconds=90)
"""How long a caller waits for another one's refresh: longer than a lease that a dead holder left behind."""

BACK_OFF = (0.5, 2.0)
"""Seconds between repeats of a token call that failed in passing."""


class Step(StrEnum):
    """The moments of a refresh at which a holder may die or sleep; `TokenKeeper` tells them to its `on_step`."""

    BEFORE_CALL = "before-call"
    AFTER_ANSWER = "after-answer"
    BEFORE_SAVE = "before-save"
    AFTER_SAVE = "after-save"
    BEFORE_RELEASE = "before-release"


@dataclass(frozen=True, slots=True)
class Patience:
    """The times that steer a refresh; tests make them short."""

    margin: timedelta = MARGIN
    lease_ttl: timedelta = LEASE_TTL
    wait: timedelta = PATIENCE
    poll: float = 0.1
    back_off: tuple[float, ...] = BACK_OFF


class TokenKeeper:
    """Hands out live access tokens of grants, and refreshes them one caller at a time.

    `on_step` is called at each step of a refresh of its own; what it raises ends the refresh there.
    """

    def __init__(
        self,
        services: Services,
        *,
        owner: str,
        patience: Patience | None = None,
        on_step: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        self._services = services
        self._store = services.store
        self._owner = owner
        self._patience = patience or Patience()
        self._on_step = on_step

    def access(self, grant: GrantRecord) -> Secret:
        """Return an access token with at least the margin left, refreshing if need be.

        GrantEndedError where the grant is over, RefreshFailedError where Zoom could not be asked now.
        """
        self._refuse_ended(grant)
        tokens = self._store.tokens(grant_id=grant.id)
        if self._is_fresh(tokens):
            return tokens.access
        return self._renew(grant, good_enough=self._is_fresh).access

    def after_refusal(self, grant: GrantRecord, refused: Secret) -> Secret:
        """Return another access token than the one Zoom just refused (401, code 124): one refresh, never a loop."""
        self._refuse_ended(grant)
        tokens = self._store.tokens(grant_id=grant.id)
        if tokens.access != refused:
            return tokens.access
        return self._renew(grant, good_enough=lambda pair: pair.access != refused).access

    def refresh(self, grant: GrantRecord) -> TokenPair:
        """Refresh now, even a grant marked dead: the way to find out whether it came back to life."""
        version = self._store.tokens(grant_id=grant.id).version
        return self._renew(grant, good_enough=lambda pair: pair.version > version)

    def _refuse_ended(self, grant: GrantRecord, *, since: datetime | None = None) -> None:
        """Refuse a grant that is over; with `since` only one that ended after that time."""
        current = self._store.grant_by_id(grant.id)
        if current.status is GrantStatus.ACTIVE:
            return
        if since is None or (current.changed_at is not None and current.changed_at > since):
            raise ended(current)

    def _is_fresh(self, tokens: TokenPair) -> bool:
        return tokens.expires_at - self._patience.margin > self._services.clock()

    def _renew(self, grant: GrantRecord, *, good_enough: Callable[[TokenPair], bool]) -> TokenPair:
        began = self._services.clock()
        lease, tokens = self._take_turn(grant, good_enough, began)
        if lease is None:
            return tokens
        try:
            tokens = self._store.tokens(grant_id=grant.id)
            if good_enough(tokens):
                return tokens
            self._refuse_ended(grant, since=began)
            return self._spend(grant, tokens, lease, began)
        finally:
            self._store.release_lease(lease)

    def _take_turn(
        self, grant: GrantRecord, good_enough: Callable[[TokenPair], bool], began: datetime
    ) -> tuple[Lease | None, TokenPair]:
        """Wait for the lease, for the tokens that its holder saves, or for its failure, whichever comes first."""
        deadline = began + self._patience.wait
        while True:
            lease = self._store.acquire_lease(
                name=f"refresh:{grant.id}", owner=holder_name(self._owner), ttl=self._patience.lease_ttl
            )
            tokens = self._store.tokens(grant_id=grant.id)
            if lease is not None or good_enough(tokens):
                return lease, tokens
            self._refuse_ended(grant, since=began)
            if tokens.refresh is not None:
                self._heed_failure(grant, self._spent_before(grant, tokens.refresh), began)
            if self._services.clock() >= deadline:
                raise RefreshFailedError(
                    f"Another process holds the refresh of {name_of(grant)} and did not finish in time.",
                    next_step="Run the command again; the hold ends by itself.",
                )
            self._services.sleep(self._patience.poll * (0.5 + self._services.jitter()))

    def _spend(self, grant: GrantRecord, tokens: TokenPair, lease: Lease, began: datetime) -> TokenPair:
        """Trade the refresh token in, with the intent written down before and the new pair saved first of all."""
        if tokens.refresh is None:
            raise GrantEndedError(
                f"Zoom gave no refresh token for {name_of(grant)}, and its access token is spent.",
                next_step=reinstall(grant),
            )
        same = self._spent_before(grant, tokens.refresh)
        self._heed_failure(grant, same, began)
        intent = self._store.record_intent(
            grant_id=grant.id, refresh_hash=refresh_hash(tokens.refresh), owner=lease.owner, fencing=lease.fencing
        )
        if intent is None:
            raise RefreshFailedError(
                f"The turn to refresh {name_of(grant)} was over before it began.", next_step="Run the command again."
            )
        self._on_step(Step.BEFORE_CALL)
        answer, unanswered = self._ask(grant, tokens.refresh, lease)
        if answer.tokens is not None:
            saved = self._save(grant, tokens, answer.tokens, lease)
            self._store.close_intent(intent_id=intent.id, outcome=SAVED)
            self._record(grant, answer)
            self._on_step(Step.BEFORE_RELEASE)
            return saved
        self._record(grant, answer)
        self._store.close_intent(intent_id=intent.id, outcome=outcome_of(answer))
        earlier = next((other for other in same if is_uncertain(other)), intent if unanswered else None)
        return self._judge_refusal(grant, tokens, problem_in(answer), earlier)

    def _spent_before(self, grant: GrantRecord, refresh: Secret) -> tuple[IntentRecord, ...]:
        """Give the earlier refreshes that were begun with this very token."""
        wanted = refresh_hash(refresh)
        return tuple(intent for intent in self._store.intents(grant.id) if intent.refresh_hash == wanted)

    def _heed_failure(self, grant: GrantRecord, same: tuple[IntentRecord, ...], began: datetime) -> None:
        """Share the failure of whoever held the lease while we waited, instead of asking a troubled Zoom again."""
        for intent in same:
            failed = intent.closed_at is not None and intent.closed_at > began
            if failed and intent.outcome not in (SAVED, *map(str, ENDED)):
                raise RefreshFailedError(
                    f"Another caller just tried to refresh {name_of(grant)} in vain ({intent.outcome}).",
                    next_step="Nothing was lost; run the command again in a few minutes.",
                )

    def _ask(self, grant: GrantRecord, refresh: Secret, lease: Lease) -> tuple[TokenAnswer, bool]:
        """Call the token address, again after a passing failure; say also whether a call went unanswered before."""
        pair = pair_of(self._services, app=grant.app, key=name_of(grant))
        unanswered = False
        for pause in (*self._patience.back_off, None):
            answer = self._services.oauth.refresh(pair, refresh)
            self._on_step(Step.AFTER_ANSWER)
            if pause is None or not passes(answer):
                break
            unanswered = unanswered or outcome_of(answer) == UNANSWERED
            self._record(grant, answer)
            self._services.sleep(pause)
            if self._store.renew_lease(lease, ttl=self._patience.lease_ttl) is None:
                break
        return answer, unanswered

    def _record(self, grant: GrantRecord, answer: TokenAnswer) -> None:
        seen = observe.oauth(answer.exchange, grant="refresh_token", install=name_of(grant), client_id=grant.client_id)
        self._store.append(app=grant.app, observations=[seen])

    def _save(self, grant: GrantRecord, spent: TokenPair, fresh: Tokens, lease: Lease) -> TokenPair:
        """Save the new pair, whatever else goes wrong; return what is stored then, which is what everybody uses."""
        pair = TokenPair(
            access=fresh.access,
            refresh=fresh.refresh,
            expires_at=self._services.clock() + timedelta(seconds=fresh.expires_in),
        )
        self._on_step(Step.BEFORE_SAVE)
        for pause in (*self._patience.back_off, None):
            try:
                # False where a successor saved first: then its pair is the one that counts.
                self._store.replace_tokens(
                    grant_id=grant.id, expected_version=spent.version, tokens=pair, scopes=fresh.scopes, lease=lease
                )
                break
            except DatabaseError:
                if pause is None:
                    raise
                self._services.sleep(pause)
        self._on_step(Step.AFTER_SAVE)
        return self._store.tokens(grant_id=grant.id)

    def _judge_refusal(
        self, grant: GrantRecord, spent: TokenPair, problem: OAuthProblem, earlier: IntentRecord | None
    ) -> TokenPair:
        """Mark the grant if Zoom ended it and nobody saved newer tokens meanwhile; those are then the answer."""
        if problem.kind not in ENDED:
            raise refusal(grant, problem)
        reason = ending_of(problem.kind, earlier)
        marked = self._store.mark_grant(
            grant_id=grant.id, status=GrantStatus.DEAD, reason=reason, expected_version=spent.version
        )
        if not marked:
            return self._store.tokens(grant_id=grant.id)
        raise GrantEndedError(
            f"The install of {name_of(grant)} works no longer: {reason}.",
            next_step=REMEDIES.get(problem.kind, reinstall(grant)),
        )


def pair_of(services: Services, *, app: str, key: InstallKey) -> Pair:
    """Give the credential pair of one environment of an app; UserError where it is not registered."""
    found = services.store.credentials(app=app, environment=key.environment)
    return Pair(found.client_id, found.client_secret, found.redirect_uri)


def refresh_hash(token: Secret) -> str:
    """Name a refresh token without holding it: the SHA-256 in hex."""
    return hashlib.sha256(token.reveal().encode()).hexdigest()


def holder_name(owner: str) -> str:
    """Name the thread that holds a lease: the store asks that no two holders share a name."""
    return f"{owner}/{threading.get_ident()}"
