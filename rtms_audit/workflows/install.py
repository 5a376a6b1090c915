"""Installing the app into an account: consent in a browser, the code exchange, and the wrong-account guard.

A `state` is good for one callback, for ten minutes, and for the account, environment and client id it was made for.
What comes of a callback is one of a closed set of outcomes; each is kept as an observation and shown as a page.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from rtms_audit.core.answers import error_of, parse_body
from rtms_audit.core.model import Environment, InstallKey, Observation
from rtms_audit.core.secret import Secret
from rtms_audit.errors import ZoomError
from rtms_audit.store.records import (
    AccountRecord,
    GrantRecord,
    GrantStatus,
    StateReason,
    StateRecord,
    StateRefused,
    TokenPair,
)
from rtms_audit.workflows import observe
from rtms_audit.workflows.accounts import bound_elsewhere, installed_ids
from rtms_audit.workflows.install_outcome import (
    STATE_OUTCOMES,
    STATE_WORDS,
    Begun,
    Callback,
    Finished,
    InstallRefusedError,
    Outcome,
    again,
)
from rtms_audit.workflows.refusals import TRANSIENT
from rtms_audit.workflows.services import Services
from rtms_audit.workflows.tokens import pair_of
from rtms_audit.zoom.exchange import Exchange
from rtms_audit.zoom.oauth import Pair, ProblemKind, TokenAnswer, Tokens

STATE_LIFE = timedelta(minutes=10)
"""How long a consent may take: Zoom's own code lives five minutes beyond it."""

__all__ = [
    "Begun",
    "Browser",
    "Callback",
    "Finished",
    "InstallRefusedError",
    "Installer",
    "Outcome",
    "wait_for_callback",
]

STATE_BYTES = 32
VERIFIER_BYTES = 64
"""64 random bytes make 86 characters; RFC 7636 §4.1 asks for 43 to 128."""


class Installer:
    """Begins installs and finishes them when their callback comes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def begin(
        self,
        *,
        app: str | None,
        account: str,
        environment: Environment,
        redirect_uri: str,
        life: timedelta = STATE_LIFE,
    ) -> Begun:
        """Make the address that the account's user opens; it is good for `life`.

        UserError where account, credentials or redirect address are not usable; nothing is stored then.
        """
        known = self._store.app(app)
        wanted = self._store.account(account)
        key = InstallKey(wanted.label, environment)
        pair = pair_of(self._services, app=known.name, key=key)
        state = self._services.token_urlsafe(STATE_BYTES)
        verifier = Secret(self._services.token_urlsafe(VERIFIER_BYTES))
        address = self._services.oauth.authorize_url(pair.client_id, redirect_uri, state, verifier)
        now = self._services.clock()
        self._store.add_state(
            state=state,
            app=known.name,
            environment=environment,
            account=wanted.label,
            client_id=pair.client_id,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
            expires_at=now + life,
        )
        begun = Begun(known.name, key, address, redirect_uri, observe.fingerprint(Secret(state)), now, now + life)
        seen = observe.authorize(
            at=now,
            install=key,
            client_id=pair.client_id,
            redirect_uri=redirect_uri,
            state_id=begun.state_id,
            expires_at=begun.expires_at,
        )
        self._store.append(app=known.name, observations=[seen])
        return begun

    def finish(self, callback: Callback, *, app: str | None = None) -> Finished:
        """Take the callback to its end. ZoomError where Zoom could not be asked; then begin again."""
        if callback.state is None:
            return self._refuse_state(callback, StateRefused(reason=StateReason.UNKNOWN), app)
        taken = self._store.consume_state(state=callback.state)
        if isinstance(taken, StateRefused):
            return self._refuse_state(callback, taken, app)
        if callback.code is None:
            return self._denied(callback, taken.record)
        return self._exchange(callback, taken.record, taken.code_verifier)

    def time_out(self, begun: Begun) -> Finished:
        """Record that no callback came in time."""
        finished = Finished(
            Outcome.TIMED_OUT,
            begun.key,
            f"Nobody consented to the install of {begun.key} in time.",
            f"Begin again: {again(begun.key)}",
        )
        self._record(begun.app, finished, {"state_id": begun.state_id})
        return finished

    def arrived(self, begun: Begun) -> Finished | None:
        """Say what came of an install whose callback another process receives; None while it is still out."""
        seen = self._store.observations(app=begun.app, account=begun.key.account, environment=begun.key.environment)
        for observation in reversed(seen):
            if _state_id(observation) == begun.state_id:
                return self._read_back(observation, begun)
        return None

    def _read_back(self, observation: Observation, begun: Begun) -> Finished:
        response = observation.fields["response"]
        body = response["body"] if isinstance(response, dict) else {}
        outcome = Outcome(body["outcome"])
        grant = None
        if outcome is Outcome.INSTALLED:
            grant = self._store.grant(app=begun.app, environment=begun.key.environment, account=begun.key.account)
        return Finished(outcome, begun.key, str(body.get("message", "")), str(body.get("next_step", "")), grant)

    def _refuse_state(self, callback: Callback, refused: StateRefused, app: str | None) -> Finished:
        outcome = STATE_OUTCOMES[refused.reason]
        record = refused.record
        key = InstallKey(record.account, record.environment) if record else None
        finished = Finished(outcome, key, STATE_WORDS[outcome], f"Begin again: {again(key)}")
        owner = record.app if record else self._any_app(app)
        if owner is not None:
            self._record(owner, finished, _request(callback))
        return finished

    def _any_app(self, app: str | None) -> str | None:
        """Name the app that a callback without a past is kept under."""
        known = [record.name for record in self._store.apps()]
        return app if app is not None else next(iter(known), None)

    def _denied(self, callback: Callback, record: StateRecord) -> Finished:
        key = InstallKey(record.account, record.environment)
        said = callback.error or "no code"
        finished = Finished(
            Outcome.DENIED,
            key,
            f"Zoom sent the browser back without a code for {key} ({said}): the consent was not given.",
            f"Ask the user of that account to allow the app, then begin again: {again(key)}",
        )
        self._record(record.app, finished, _request(callback))
        return finished

    def _exchange(self, callback: Callback, record: StateRecord, verifier: Secret) -> Finished:
        key = InstallKey(record.account, record.environment)
        found = pair_of(self._services, app=record.app, key=key)
        if found.client_id != record.client_id:
            return self._replaced(callback, record, key)
        pair = Pair(found.client_id, found.client_secret, record.redirect_uri)
        if callback.code is None:
            raise AssertionError("the code was checked before")
        answer = self._services.oauth.exchange_code(pair, callback.code, verifier)
        if answer.tokens is None:
            self._keep_exchange(record, key, answer)
            return self._refused(callback, record, key, answer)
        return self._admit(callback, record, answer, pair, answer.tokens)

    def _replaced(self, callback: Callback, record: StateRecord, key: InstallKey) -> Finished:
        """Refuse a callback of a client id that is registered no longer; its code would be sent with a wrong secret."""
        finished = Finished(
            Outcome.CLIENT_REFUSED,
            key,
            f"This install was begun with another client id ({record.client_id}) than {key.environment} has now.",
            f"Begin again: {again(key)}",
        )
        self._record(record.app, finished, _request(callback))
        return finished

    def _refused(self, callback: Callback, record: StateRecord, key: InstallKey, answer: TokenAnswer) -> Finished:
        problem = answer.problem
        said = f"{problem.reason or problem.error or 'no reason given'} (HTTP {problem.status})" if problem else ""
        if problem is not None and problem.kind in TRANSIENT:
            raise ZoomError(
                f"Zoom's token address did not answer properly for {key}: {said}.",
                next_step=f"Begin again: {again(key)}",
            )
        if problem is not None and problem.kind is ProblemKind.CLIENT_INVALID:
            finished = Finished(
                Outcome.CLIENT_REFUSED,
                key,
                f"Zoom refuses the client id and secret of the {key.environment} pair: {said}.",
                f"Check both pairs: rtms-audit app check {record.app}",
            )
        else:
            finished = Finished(
                Outcome.CODE_REFUSED,
                key,
                f"Zoom refuses the authorization code for {key}: {said}.",
                f"Codes live five minutes and count once. Compare the redirect address registered in the Marketplace "
                f"with {record.redirect_uri}, then begin again: {again(key)}",
            )
        self._record(record.app, finished, _request(callback))
        return finished

    def _admit(
        self, callback: Callback, record: StateRecord, answer: TokenAnswer, pair: Pair, tokens: Tokens
    ) -> Finished:
        """Ask who signed in, and keep the grant only if it is the account that was meant."""
        key = InstallKey(record.account, record.environment)
        api = self._services.api(token=lambda: tokens.access, on_unauthorized=None, account=record.account)
        who = api.get("/users/me")
        body = parse_body(who.body)
        if who.status != 200 or error_of(who.status, body) or not isinstance(body, Mapping):
            self._services.oauth.revoke(pair, tokens.access)
            self._keep_exchange(record, key, answer)
            self._store.append(app=record.app, observations=[observe.rest(who, install=key)])
            raise _unidentified(key, who)
        meant = self._store.account(record.account)
        mismatch = self._mismatch(meant, body)
        if mismatch is not None:
            self._services.oauth.revoke(pair, tokens.access)
            return self._wrong_account(callback, record, mismatch, self._touched(record, body))
        self._keep_exchange(record, key, answer)
        self._store.append(app=record.app, observations=[observe.rest(who, install=key)])
        grant = self._keep_grant(record, tokens, body)
        return self._installed(callback, record, grant)

    def _mismatch(self, meant: AccountRecord, who: Mapping[str, object]) -> str | None:
        """Say which account the browser was signed in to, if it is not the one that was meant."""
        email, account_id = _text(who.get("email")), _text(who.get("account_id"))
        signed_in = f"{email or 'a user without an e-mail address'} (Zoom account {account_id or 'of unknown id'})"
        if meant.email and (email or "").casefold() != meant.email.casefold():
            return f"{signed_in}, but {meant.label} is {meant.email}"
        if meant.account_id and account_id != meant.account_id:
            return f"{signed_in}, but {meant.label} is Zoom account {meant.account_id}"
        other = bound_elsewhere(self._store, meant.label, account_id) if account_id else None
        if other is not None:
            return f"{signed_in}, which is already known here as {other}, not {meant.label}"
        bound = installed_ids(self._store, meant.label)
        if bound and account_id not in bound and not (meant.email or meant.account_id):
            return f"{signed_in}, but {meant.label} was installed from Zoom account {', '.join(sorted(bound))}"
        return None

    def _touched(self, record: StateRecord, who: Mapping[str, object]) -> InstallKey | None:
        """Name the live install of the user who signed in: the consent, or giving its token back, may have ended it."""
        for grant in self._store.grants(app=record.app):
            same = (grant.environment, grant.zoom_account_id, grant.user_id) == (
                record.environment,
                _text(who.get("account_id")),
                _text(who.get("id")),
            )
            if same and grant.status is GrantStatus.ACTIVE:
                return InstallKey(grant.account, grant.environment)
        return None

    def _wrong_account(
        self, callback: Callback, record: StateRecord, mismatch: str, touched: InstallKey | None
    ) -> Finished:
        key = InstallKey(record.account, record.environment)
        harm, look = "", ""
        if touched is not None:
            harm = f" The install {touched} is that user's, and may have been superseded by this consent."
            look = f"See whether {touched} still works: rtms-audit installs refresh {touched.account}. Then sign"
        finished = Finished(
            Outcome.WRONG_ACCOUNT,
            key,
            f"The browser was signed in to {mismatch}. Nothing was stored, and the token was given back.{harm}",
            f"{look or 'Sign'} out of Zoom in the browser (or use a private window), and begin again: {again(key)}",
        )
        self._record(record.app, finished, _request(callback))
        return finished

    def _keep_grant(self, record: StateRecord, tokens: Tokens, who: Mapping[str, object]) -> GrantRecord:
        return self._store.add_grant(
            app=record.app,
            environment=record.environment,
            account=record.account,
            client_id=record.client_id,
            user_id=_text(who.get("id")),
            email=_text(who.get("email")),
            zoom_account_id=_text(who.get("account_id")),
            scopes=tokens.scopes or (),
            api_url=tokens.api_url,
            tokens=TokenPair(
                access=tokens.access,
                refresh=tokens.refresh,
                expires_at=self._services.clock() + timedelta(seconds=tokens.expires_in),
            ),
        )

    def _installed(self, callback: Callback, record: StateRecord, grant: GrantRecord) -> Finished:
        key = InstallKey(record.account, record.environment)
        finished = Finished(
            Outcome.INSTALLED,
            key,
            f"{record.app} is installed for {key} by {grant.email or grant.user_id}.",
            f"Ask Zoom about it: rtms-audit collect {record.account}",
            grant,
        )
        self._record(record.app, finished, _request(callback))
        return finished

    def _keep_exchange(self, record: StateRecord, key: InstallKey, answer: TokenAnswer) -> None:
        seen = observe.oauth(answer.exchange, grant="authorization_code", install=key, client_id=record.client_id)
        self._store.append(app=record.app, observations=[seen])

    def _record(self, app: str, finished: Finished, request: Mapping[str, object]) -> None:
        seen = observe.redirect(
            at=self._services.clock(),
            install=finished.key,
            outcome=finished.outcome,
            request=request,
            details={"message": finished.message, "next_step": finished.next_step},
        )
        self._store.append(app=app, observations=[seen])


def wait_for_callback(
    installer: Installer, begun: Begun, services: Services, *, timeout: float, poll: float = 0.5
) -> Finished:
    """Wait until a callback that `serve` receives has finished the install; timed out after `timeout` seconds."""
    deadline = services.clock() + timedelta(seconds=timeout)
    while services.clock() < deadline:
        finished = installer.arrived(begun)
        if finished is not None:
            return finished
        services.sleep(poll)
    return installer.time_out(begun)


Browser = Callable[[str], bool]
"""Opens an address; says whether it could."""


def _request(callback: Callback) -> dict[str, object]:
    request: dict[str, object] = {}
    if callback.state is not None:
        request["state_id"] = observe.fingerprint(Secret(callback.state))
    if callback.code is not None:
        request["code"] = observe.HIDDEN
    if callback.error is not None:
        request["error"] = callback.error[:200]
    return request


def _state_id(observation: Observation) -> str | None:
    request = observation.fields.get("request")
    if observation.fields.get("step") != "redirect" or not isinstance(request, Mapping):
        return None
    return _text(request.get("state_id"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _unidentified(key: InstallKey, who: Exchange) -> ZoomError:
    failure = error_of(who.status, parse_body(who.body))
    said = failure.message if failure else (who.error or f"HTTP {who.status}")
    return ZoomError(
        f"Zoom gave a token for {key}, but would not say whose it is ({said}). Nothing was stored, and the token was "
        "given back.",
        next_step=f"Give the app the scope user:read:user, then begin again: {again(key)}",
    )
