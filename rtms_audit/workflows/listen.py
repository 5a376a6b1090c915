"""Receiving Zoom's webhooks for both environments of an app at one address.

The signature of each event is tried with every environment's secret token, and the one that fits is kept beside the
event: it says which environment sent it. What fits none is kept too, without trust, as evidence of a misconfiguration.
Zoom wants 200 or 204 within 3 s and never repeats after a 4xx (developers.zoom.us/docs/api/webhooks, 2026-02), so that
an event is stored, answered, and looked at later.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from rtms_audit.core.answers import parse_body
from rtms_audit.core.model import Environment, InstallKey, Kind, Observation
from rtms_audit.core.redact import redact_value
from rtms_audit.core.secret import Secret
from rtms_audit.store.records import GrantStatus
from rtms_audit.workflows.forward import Answered, Forwarder
from rtms_audit.workflows.routing import Router
from rtms_audit.workflows.services import Services
from rtms_audit.workflows.watch import Watch
from rtms_audit.zoom.webhooks import (
    REQUEST_ID_HEADER,
    VALIDATION_EVENT,
    Event,
    Verification,
    crc_answer,
    read_event,
    verify,
)

REMEMBERED_REQUESTS = 10_000
SECRETS_AGE = timedelta(seconds=5)
"""How long a failed signature relies on the secrets read last, before the store is asked again."""

KEPT_HEADERS = frozenset({"content-type", "user-agent", "clientid", "traceparent"})
"""Request headers worth keeping beside Zoom's own `x-zm-…`; `authorization` never is."""

DEAUTHORIZED = "app_deauthorized"


@dataclass(frozen=True, slots=True)
class Reply:
    """What Zoom is answered: the status, and a JSON body where there is one."""

    status: int
    body: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """One environment of an app and its secret token."""

    app: str
    environment: Environment
    client_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Checked:
    """What the signature of a request proved: by whom it was signed, where that is one environment alone."""

    verification: Verification
    app: str
    environment: Environment | None
    signer: Signer | None

    @property
    def trusted(self) -> bool:
        """Whether the request is Zoom's and recent."""
        return self.verification is Verification.VERIFIED


class Receiver:
    """Takes webhook requests, keeps them, and says what to answer. Safe to call from several threads."""

    def __init__(
        self, services: Services, *, apps: Sequence[str], watch: Watch, forwarder: Forwarder | None = None
    ) -> None:
        self._services = services
        self._apps = tuple(apps)
        self._watch = watch
        self._forwarder = forwarder
        self._router = Router(services.store)
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._signers = self._read_signers()
        self._read_at = services.clock()

    def receive(self, *, headers: Mapping[str, str], body: bytes, hint: Environment | None = None) -> Reply:
        """Take one request; `hint` is the environment that the address named, where it named one."""
        lowered = {name.lower(): value for name, value in headers.items()}
        event = read_event(body)
        if event is None:
            return Reply(400, {"error": "The body is not an event of Zoom's."})
        checked = self._check(lowered, body, event, hint)
        if event.name == VALIDATION_EVENT:
            return self._validate(lowered, body, event, checked, hint)
        request_id = lowered.get(REQUEST_ID_HEADER)
        if checked.trusted and request_id and not self._is_first(request_id):
            return Reply(200)
        # A right but old signature may be a retry, or a clock that is wrong here: answered, and not acted upon.
        status = 200 if checked.verification in (Verification.VERIFIED, Verification.STALE) else 401
        observation = self._observation(lowered, body, event, checked, hint)
        kept = observation if self._forwarder else _answered(observation, status)
        self._services.store.append(app=checked.app, observations=[kept])
        if checked.trusted:
            self._act(event, checked, observation.install)
        if self._forwarder and status == 200:
            self._forward(self._forwarder, headers, body, checked.app, observation)
        return Reply(status)

    def _check(self, headers: Mapping[str, str], body: bytes, event: Event, hint: Environment | None) -> Checked:
        checked = self._check_with(self._signers, headers, body, event, hint)
        if checked.verification is Verification.REJECTED and self._refresh_signers():
            checked = self._check_with(self._signers, headers, body, event, hint)
        return checked

    def _check_with(
        self,
        signers: Iterable[Signer],
        headers: Mapping[str, str],
        body: bytes,
        event: Event,
        hint: Environment | None,
    ) -> Checked:
        now = self._services.clock()
        results = [(signer, verify(signer.secret, headers, body, now=now)) for signer in signers]
        fitting = [pair for pair in results if pair[1] in (Verification.VERIFIED, Verification.STALE)]
        if not fitting:
            worst = results[0][1] if results else Verification.UNSIGNED
            return Checked(worst, self._apps[0], None, None)
        signer = _single([signer for signer, _ in fitting], event, hint)
        first, verification = fitting[0]
        return Checked(verification, (signer or first).app, signer.environment if signer else None, signer)

    def _read_signers(self) -> tuple[Signer, ...]:
        signers = []
        for app in self._apps:
            for environment in self._services.store.app(app).environments:
                found = self._services.store.credentials(app=app, environment=environment)
                if found.webhook_secret is not None:
                    signers.append(Signer(app, environment, found.client_id, found.webhook_secret))
        return tuple(signers)

    def _refresh_signers(self) -> bool:
        """Read the secrets again, now and then, since they may have been registered meanwhile."""
        now = self._services.clock()
        if now - self._read_at < SECRETS_AGE:
            return False
        self._read_at = now
        self._signers = self._read_signers()
        return True

    def _is_first(self, request_id: str) -> bool:
        with self._lock:
            if request_id in self._seen:
                return False
            self._seen[request_id] = None
            while len(self._seen) > REMEMBERED_REQUESTS:
                self._seen.popitem(last=False)
            return True

    def _validate(
        self, headers: Mapping[str, str], body: bytes, event: Event, checked: Checked, hint: Environment | None
    ) -> Reply:
        """Answer Zoom's check that the address is ours (CRC), with the secret of the environment that asks."""
        signer = checked.signer or self._signer_for(hint)
        reply = Reply(400)
        if event.plain_token is not None and signer is not None:
            reply = Reply(200, crc_answer(signer.secret, event.plain_token))
        observation = self._observation(headers, body, event, checked, hint)
        self._services.store.append(app=checked.app, observations=[_answered(observation, reply.status)])
        if checked.trusted and checked.environment:
            self._watch.reached(checked.app, checked.environment)
        return reply

    def _signer_for(self, hint: Environment | None) -> Signer | None:
        fitting = [signer for signer in self._signers if hint is None or signer.environment is hint]
        return fitting[0] if len(fitting) == 1 or (hint and fitting) else None

    def _observation(
        self, headers: Mapping[str, str], body: bytes, event: Event, checked: Checked, hint: Environment | None
    ) -> Observation:
        parsed = parse_body(body)
        fields: dict[str, object] = {
            "headers": _kept(headers),
            "signature": _SIGNATURES[checked.verification],
        }
        if isinstance(parsed, Mapping):
            fields["body"] = parsed
        if checked.environment is not None:
            fields["verified_with"] = str(checked.environment)
        install = self._router.route(
            event.payload, app=checked.app, environment=checked.environment or hint, trusted=checked.trusted
        )
        return Observation(
            kind=Kind.WEBHOOK,
            fields=cast("Mapping[str, object]", redact_value(fields)),
            at=self._services.clock(),
            install=install,
            source=f"webhook/{hint}" if hint else "webhook",
            raw=body,
        )

    def _act(self, event: Event, checked: Checked, install: InstallKey | None) -> None:
        if checked.environment is not None:
            self._watch.reached(checked.app, checked.environment)
        if install is not None:
            self._watch.saw(checked.app, install, event.name)
        if event.name == DEAUTHORIZED and install is not None:
            self._deauthorize(event, checked, install)

    def _deauthorize(self, event: Event, checked: Checked, install: InstallKey) -> None:
        """Mark the install as taken out: its tokens are wiped, its evidence stays.

        Zoom sends this for published apps only (developers.zoom.us/docs/integrations/end-user-auth).
        """
        grant = self._services.store.grant(app=checked.app, environment=install.environment, account=install.account)
        if grant is None or grant.status in (GrantStatus.REVOKED, GrantStatus.SUPERSEDED):
            return
        when = _removed_at(event) or self._services.clock()
        if when < grant.created_at:
            return  # a late delivery, up to 85 minutes after the fact: installed again meanwhile
        self._services.store.mark_grant(
            grant_id=grant.id, status=GrantStatus.REVOKED, reason="the user removed the app", wipe=True, at=when
        )

    def _forward(
        self, forwarder: Forwarder, headers: Mapping[str, str], body: bytes, app: str, observation: Observation
    ) -> None:
        def note(answered: Answered) -> None:
            fields = {
                **observation.fields,
                "answered": answered.status if answered.status is not None else "none",
                "answer_ms": round(answered.duration_ms, 1),
            }
            self._services.store.append(app=app, observations=[replace(observation, fields=fields)])

        forwarder.pass_on(headers, body, note)


def _removed_at(event: Event) -> datetime | None:
    """Read when the app was removed; `event_ts` is a date in words here, and in the payload (OpenAPI, 2026-02)."""
    try:
        stated = datetime.fromisoformat(str(event.payload.get("deauthorization_time", "")))
    except ValueError:
        return event.at
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


_SIGNATURES = {
    Verification.VERIFIED: "verified",
    Verification.REJECTED: "rejected",
    Verification.UNSIGNED: "rejected",
    Verification.STALE: "unchecked",
}


def _single(signers: Sequence[Signer], event: Event, hint: Environment | None) -> Signer | None:
    """Tell which of several environments with the same secret token is meant: by client id, or by the address."""
    if len(signers) == 1:
        return signers[0]
    named = [signer for signer in signers if signer.client_id == event.client_id or signer.environment is hint]
    return named[0] if len(named) == 1 else None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in KEPT_HEADERS or name.startswith("x-zm-")}


def _answered(observation: Observation, status: int) -> Observation:
    return replace(observation, fields={**observation.fields, "answered": status})
