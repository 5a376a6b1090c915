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
from datetime import timedelta

from rtms_audit.core.model import InstallKey
from rtms_audit.core.secret import Secret
from rtms_audit.errors import ZoomError
from rtms_audit.store.records import GrantRecord, GrantStatus, Lease, TokenPair
from rtms_audit.workflows import observe
from rtms_audit.workflows.services import Services
from rtms_audit.zoom.oauth import OAuthProblem, Pair, ProblemKind, TokenAnswer, Tokens

MARGIN = timedelta(minutes=5)
"""How long before its expiry an access token is replaced."""

LEASE_TTL = timedelta(seconds=45)
"""How long one token call may take: longer than its own time limit. A repeated call renews the lease first."""

PATIENCE = timedelta(seconds=90)
"""How long a caller waits for another one's refresh: longer than a lease that a dead holder left behind."""

BACK_OFF = (0.5, 2.0)
"""Seconds between repeats of a token call that failed in passing."""

ENDED = {
    ProblemKind.GRANT_DEAD: "Zoom no longer knows the refresh token (invalid_grant)",
    ProblemKind.NO_AUTHORIZATION: "Zoom has no authorization for this token (4737)",
    ProblemKind.USER_REMOVED: "the user who installed was removed from the account (4735)",
    ProblemKind.APPROVAL_WITHDRAWN: "an administrator withdrew the approval of the app (4738)",
    ProblemKind.REUSED: "the refresh token had been used before (4740)",
    ProblemKind.SUPERSEDED: "a later authorization of the same user replaced this one (4741)",
    ProblemKind.APP_DISABLED: "Zoom disabled the app (4717)",
}
"""The refusals that end a grant, in words (`zoom/skills` oauth/references/oauth-errors.md, 2026-07-13)."""

REMEDIES = {
    ProblemKind.APPROVAL_WITHDRAWN: "Ask the account's administrator to approve the app again, then install again.",
    ProblemKind.APP_DISABLED: "Ask Zoom why the app was disabled; nothing on this side helps until it is enabled.",
    ProblemKind.USER_REMOVED: "Let another user of the account install the app.",
}

TRANSIENT = frozenset({ProblemKind.TRANSIENT, ProblemKind.RATE_LIMITED})


class GrantEndedError(ZoomError):
    """The grant of an install works no longer; it is marked, and kept."""


class RefreshFailedError(ZoomError):
    """The refresh did not succeed this time; the grant stays as it was."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The times that steer a refresh; tests make them short."""

    margin: timedelta = MARGIN
    lease_ttl: timedelta = LEASE_TTL
    wait: timedelta = PATIENCE
    poll: float = 0.1
    back_off: tuple[float, ...] = BACK_OFF


class TokenKeeper:
    """Hands out live access tokens of grants, and refreshes them one caller at a time."""

    def __init__(self, services: Services, *, owner: str, patience: Patience | None = None) -> None:
        self._services = services
        self._store = services.store
        self._owner = owner
        self._patience = patience or Patience()

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
        tokens = self._store.tokens(grant_id=grant.id)
        if tokens.access != refused:
            return tokens.access
        return self._renew(grant, good_enough=lambda pair: pair.access != refused).access

    def refresh(self, grant: GrantRecord) -> TokenPair:
        """Refresh now, even a grant marked dead: the way to find out whether it came back to life."""
        version = self._store.tokens(grant_id=grant.id).version
        return self._renew(grant, good_enough=lambda pair: pair.version > version)

    def _refuse_ended(self, grant: GrantRecord) -> None:
        current = self._store.grant_by_id(grant.id)
        if current.status is not GrantStatus.ACTIVE:
            raise GrantEndedError(
                f"The install of {_name(grant)} is {current.status}: {current.reason or 'no reason was recorded'}.",
                next_step=_reinstall(grant),
            )

    def _is_fresh(self, tokens: TokenPair) -> bool:
        return tokens.expires_at - self._patience.margin > self._services.clock()

    def _renew(self, grant: GrantRecord, *, good_enough: Callable[[TokenPair], bool]) -> TokenPair:
        lease, tokens = self._take_turn(grant, good_enough)
        if lease is None:
            return tokens
        try:
            tokens = self._store.tokens(grant_id=grant.id)
            return tokens if good_enough(tokens) else self._spend(grant, tokens, lease)
        finally:
            self._store.release_lease(lease)

    def _take_turn(
        self, grant: GrantRecord, good_enough: Callable[[TokenPair], bool]
    ) -> tuple[Lease | None, TokenPair]:
        """Wait for the lease, or for the tokens that its holder saves, whichever comes first."""
        deadline = self._services.clock() + self._patience.wait
        while True:
            lease = self._store.acquire_lease(
                name=f"refresh:{grant.id}", owner=holder_name(self._owner), ttl=self._patience.lease_ttl
            )
            tokens = self._store.tokens(grant_id=grant.id)
            if lease is not None or good_enough(tokens):
                return lease, tokens
            if self._services.clock() >= deadline:
                raise RefreshFailedError(
                    f"Another process holds the refresh of {_name(grant)} and did not finish in time.",
                    next_step="Run the command again; the hold ends by itself.",
                )
            self._services.sleep(self._patience.poll * (0.5 + self._services.jitter()))

    def _spend(self, grant: GrantRecord, tokens: TokenPair, lease: Lease) -> TokenPair:
        if tokens.refresh is None:
            raise GrantEndedError(
                f"Zoom gave no refresh token for {_name(grant)}, and its access token is spent.",
                next_step=_reinstall(grant),
            )
        spent_hash = refresh_hash(tokens.refresh)
        interrupted = any(intent.refresh_hash == spent_hash for intent in self._store.intents(grant.id, open_only=True))
        intent = self._store.record_intent(
            grant_id=grant.id, refresh_hash=spent_hash, owner=lease.owner, fencing=lease.fencing
        )
        if intent is None:
            raise RefreshFailedError(
                f"The turn to refresh {_name(grant)} was over before it began.", next_step="Run the command again."
            )
        answer, repeated = self._ask(grant, tokens.refresh, lease)
        if answer.tokens is not None:
            saved = self._save(grant, tokens, answer.tokens, lease)
            self._store.close_intent(intent_id=intent.id, outcome="saved")
            return saved
        problem = problem_in(answer)
        if problem.kind not in TRANSIENT:
            self._store.close_intent(intent_id=intent.id, outcome=str(problem.kind))
        return self._judge_refusal(grant, tokens, problem, interrupted=interrupted or repeated)

    def _ask(self, grant: GrantRecord, refresh: Secret, lease: Lease) -> tuple[TokenAnswer, bool]:
        """Call the token address, again after a passing failure; say also whether a call went unanswered before."""
        pair = pair_of(self._services, app=grant.app, key=InstallKey(grant.account, grant.environment))
        unanswered = False
        for pause in (*self._patience.back_off, None):
            answer = self._services.oauth.refresh(pair, refresh)
            self._record(grant, answer, pair)
            passing = answer.problem is not None and answer.problem.kind in TRANSIENT
            if not passing or pause is None:
                break
            unanswered = unanswered or problem_in(answer).kind is ProblemKind.TRANSIENT
            self._services.sleep(pause)
            if self._store.renew_lease(lease, ttl=self._patience.lease_ttl) is None:
                break
        return answer, unanswered

    def _record(self, grant: GrantRecord, answer: TokenAnswer, pair: Pair) -> None:
        key = InstallKey(grant.account, grant.environment)
        seen = observe.oauth(answer.exchange, grant="refresh_token", install=key, client_id=pair.client_id)
        self._store.append(app=grant.app, observations=[seen])

    def _save(self, grant: GrantRecord, spent: TokenPair, fresh: Tokens, lease: Lease) -> TokenPair:
        pair = TokenPair(
            access=fresh.access,
            refresh=fresh.refresh,
            expires_at=self._services.clock() + timedelta(seconds=fresh.expires_in),
        )
        self._store.replace_tokens(
            grant_id=grant.id, expected_version=spent.version, tokens=pair, scopes=fresh.scopes, lease=lease
        )
        # Where the save was refused, a successor saved first; what is stored is what everybody uses.
        return self._store.tokens(grant_id=grant.id)

    def _judge_refusal(
        self, grant: GrantRecord, spent: TokenPair, problem: OAuthProblem, *, interrupted: bool
    ) -> TokenPair:
        if problem.kind in TRANSIENT:
            raise RefreshFailedError(
                f"Zoom's token address did not answer properly for {_name(grant)}: {in_words(problem)}.",
                next_step="Nothing was lost; run the command again in a few minutes.",
            )
        if problem.kind is ProblemKind.CLIENT_INVALID:
            raise RefreshFailedError(
                f"Zoom refuses the client id and secret of {grant.app}'s {grant.environment} pair: "
                f"{in_words(problem)}.",
                next_step=f"Run `rtms-audit app check {grant.app}`; the install itself is kept.",
            )
        if problem.kind not in ENDED:
            raise RefreshFailedError(
                f"Zoom refused to refresh {_name(grant)}: {in_words(problem)}.",
                next_step="The install is kept; look the code up with `rtms-audit codes`.",
            )
        return self._mark_dead(grant, spent, problem.kind, interrupted=interrupted)

    def _mark_dead(self, grant: GrantRecord, spent: TokenPair, kind: ProblemKind, *, interrupted: bool) -> TokenPair:
        """Mark the grant unless somebody saved newer tokens meanwhile, which are then the answer."""
        reason = ENDED[kind]
        if interrupted and kind in (ProblemKind.GRANT_DEAD, ProblemKind.REUSED):
            reason += "; an earlier refresh was interrupted after Zoom had already replaced the token"
        marked = self._store.mark_grant(
            grant_id=grant.id, status=GrantStatus.DEAD, reason=reason, expected_version=spent.version
        )
        if not marked:
            return self._store.tokens(grant_id=grant.id)
        raise GrantEndedError(
            f"The install of {_name(grant)} works no longer: {reason}.",
            next_step=REMEDIES.get(kind, _reinstall(grant)),
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


def problem_in(answer: TokenAnswer) -> OAuthProblem:
    """Give the problem of an answer without tokens."""
    if answer.problem is None:
        raise AssertionError("a token answer holds tokens or a problem")
    return answer.problem


def in_words(problem: OAuthProblem) -> str:
    """Say a problem in Zoom's words, with the HTTP status."""
    said = problem.reason or problem.error or "no reason given"
    return f"{said} (HTTP {problem.status})" if problem.status is not None else said


def _name(grant: GrantRecord) -> str:
    return f"{grant.account}/{grant.environment}"


def _reinstall(grant: GrantRecord) -> str:
    return f"Install again: rtms-audit install {grant.account} --environment {grant.environment}"
