"""Turns what the edges answer into observations; nothing secret gets through here."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from rtms_audit.core.model import InstallKey, Kind, Observation
from rtms_audit.core.redact import redact_value
from rtms_audit.core.secret import Secret
from rtms_audit.zoom.exchange import SECRET, Exchange

HIDDEN = SECRET
"""What stands in an observation where a secret was."""


def rest(exchange: Exchange, *, install: InstallKey) -> Observation:
    """Write one REST call and its answer, or the network failure in place of an answer, as an observation."""
    return _of(exchange, Kind.REST, exchange.rest_fields(), install, "zoom-api")


def oauth(exchange: Exchange, *, grant: str, install: InstallKey | None, client_id: str) -> Observation:
    """Write one call to the token or revoke address; tokens, codes and secrets are replaced by `[secret]`."""
    seen = exchange.rest_fields()
    request = {**cast("Mapping[str, object]", seen["request"]), "client_id": client_id}
    answer = cast("Mapping[str, object]", seen["response"])
    response = {name: answer[name] for name in ("status", "body") if name in answer}
    return _of(exchange, Kind.OAUTH, {"grant": grant, "request": request, "response": response}, install, "zoom-oauth")


def authorize(
    *, at: datetime, install: InstallKey, client_id: str, redirect_uri: str, state_id: str, expires_at: datetime
) -> Observation:
    """Write that an install was begun: which pair it is for, where the browser is to come back, and until when."""
    request = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state_id": state_id,
        "expires_at": expires_at.isoformat(),
    }
    return Observation(
        kind=Kind.OAUTH, fields={"step": "authorize", "request": request}, at=at, install=install, source="installer"
    )


def redirect(
    *,
    at: datetime,
    install: InstallKey | None,
    outcome: str,
    request: Mapping[str, object],
    details: Mapping[str, object],
) -> Observation:
    """Write how the browser came back to our redirect address, if it did, and what became of the install.

    No status: the one of our own page is no answer of Zoom's, and where nobody came there was none.
    """
    fields = {"step": "redirect", "request": dict(request), "response": {"body": {"outcome": outcome, **details}}}
    return Observation(kind=Kind.OAUTH, fields=fields, at=at, install=install, source="browser")


def fingerprint(secret: Secret) -> str:
    """Twelve hex digits of the SHA-256 of a secret: enough to tell two apart, useless to guess it."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:12]


def _of(
    exchange: Exchange, kind: Kind, fields: Mapping[str, object], install: InstallKey | None, source: str
) -> Observation:
    return Observation(
        kind=kind,
        fields=cast("Mapping[str, object]", redact_value(dict(fields))),
        at=exchange.at,
        install=install,
        source=source,
        raw=exchange.body or None,
        duration_ms=exchange.duration_ms,
        tracking_id=exchange.tracking_id,
    )
