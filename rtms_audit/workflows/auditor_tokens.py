"""Access tokens of auditor connections: one for all callers of all processes."""

from datetime import timedelta

from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.records import AuditorCredentials, Lease, TokenPair
from rtms_audit.workflows import observe
from rtms_audit.workflows.refusals import RefreshFailedError, in_words, passes, problem_in
from rtms_audit.workflows.services import Services
from rtms_audit.workflows.tokens import Patience, holder_name
from rtms_audit.zoom.oauth import Pair, TokenAnswer, Tokens


class AuditorTokens:
    """The access tokens of auditor connections (Server-to-Server), shared through the store by all processes.

    Zoom gives such tokens no refresh token, and a new one has been seen to end the one before (moodle-mod_zoom#473,
    ZoomNet#269, 2023): so one caller asks under a lease and everybody uses the answer until it expires or is refused.
    """

    def __init__(self, services: Services, *, owner: str, patience: Patience | None = None) -> None:
        self._services = services
        self._store = services.store
        self._owner = owner
        self._patience = patience or Patience()

    def access(self, *, app: str, account: str, refused: Secret | None = None) -> Secret:
        """Return a live token of the account's auditor, another one than `refused`.

        UserError where the account has no auditor connection, RefreshFailedError where Zoom gives no token.
        """
        held = self._usable(account, refused)
        if held is not None:
            return held
        deadline = self._services.clock() + self._patience.wait
        while True:
            lease = self._store.acquire_lease(
                name=_shared_name(account), owner=holder_name(self._owner), ttl=self._patience.lease_ttl
            )
            held = self._usable(account, refused)
            if lease is not None:
                try:
                    return held or self._ask(app, account, lease)
                finally:
                    self._store.release_lease(lease)
            if held is not None:
                return held
            if self._services.clock() >= deadline:
                raise RefreshFailedError(
                    f"Another process holds the auditor connection of {account}.", next_step="Run the command again."
                )
            self._services.sleep(self._patience.poll * (0.5 + self._services.jitter()))

    def _usable(self, account: str, refused: Secret | None) -> Secret | None:
        pair = self._store.shared_token(name=_shared_name(account))
        if pair is None or pair.access == refused:
            return None
        return pair.access if pair.expires_at - self._patience.margin > self._services.clock() else None

    def _ask(self, app: str, account: str, lease: Lease) -> Secret:
        auditor = self._store.auditor(account=account)
        if auditor is None:
            raise UserError(
                f"Account {account} has no auditor connection.", next_step=f"rtms-audit account connect {account}"
            )
        before = token_version(self._services, account=account)
        answer = self._call(app, auditor, lease)
        if answer.tokens is None:
            raise RefreshFailedError(
                f"Zoom gives no token for the auditor connection of {account}: {in_words(problem_in(answer))}.",
                next_step=f"Check its client id, secret and account id: rtms-audit account connect {account}",
            )
        return keep_token(self._services, account=account, tokens=answer.tokens, before=before, lease=lease)

    def _call(self, app: str, auditor: AuditorCredentials, lease: Lease) -> TokenAnswer:
        """Ask Zoom for a token, again after a passing failure."""
        pair = Pair(auditor.client_id, auditor.client_secret)
        for pause in (*self._patience.back_off, None):
            answer = self._services.oauth.account_credentials(pair, auditor.zoom_account_id)
            seen = observe.oauth(
                answer.exchange, grant="account_credentials", install=None, client_id=auditor.client_id
            )
            self._store.append(app=app, observations=[seen])
            if pause is None or not passes(answer):
                break
            self._services.sleep(pause)
            if self._store.renew_lease(lease, ttl=self._patience.lease_ttl) is None:
                break
        return answer


def token_version(services: Services, *, account: str) -> int:
    """Return which token of the account's auditor is the newest, to be read before Zoom is asked for another."""
    found = services.store.shared_token(name=_shared_name(account))
    return found.version if found else 0


def keep_token(services: Services, *, account: str, tokens: Tokens, before: int, lease: Lease | None = None) -> Secret:
    """Keep a token that Zoom just gave; return the one that counts now. `before` is the version before the call.

    Where a successor of the lease saved first, that is its token: it is the newer one, and ours may be dead already.
    """
    name = _shared_name(account)
    expires = services.clock() + timedelta(seconds=tokens.expires_in)
    fresh = TokenPair(access=tokens.access, refresh=None, expires_at=expires)
    if services.store.put_shared_token(name=name, expected_version=before, tokens=fresh, lease=lease):
        return fresh.access
    kept = services.store.shared_token(name=name)
    return kept.access if kept else fresh.access


def _shared_name(account: str) -> str:
    return f"auditor:{account}"
