"""Reasons that Zoom's RTMS SDK gives to `onJoinConfirm` / `on_join_confirm` and `onLeave` / `on_leave`."""

import dataclasses
from functools import partial

from rtms_audit.core.codes.code import Code, CodeKind, Confidence, Fault
from rtms_audit.core.codes.handshake_status import HANDSHAKE_STATUSES
from rtms_audit.core.codes.sources import SDK, forum

KIND = "sdk-reason"

_code = partial(Code, kind=KIND, source=(SDK,), date="2026-11", confidence=Confidence.MEASURED, fault=Fault.RECEIVER)
_OWN = (
    _code(
        number=0,
        name="OK",
        meaning="Join: both handshakes were answered with status 0. This is the only success.",
        fault=Fault.NOBODY,
        remedy="Nothing to do.",
        trap='"Successfully joined" in the log is printed when the join is queued, whatever comes of it; look at the '
        "reason of the callback.",
    ),
    _code(
        number=1,
        name="TIMEOUT",
        meaning="Join: no answer within the time limit (10 seconds if none was set), the TCP connection broke, or the "
        "signaling answer holds no address for the medium that was asked for, because its scope is missing. It may "
        "also "
        "be handshake status 1 (invalid message type).",
        remedy="Compare the media that the code asks for with the scopes that were granted and with the addresses in "
        "the "
        "signaling answer; then look at the network.",
        trap="Several things share this number; the SDK's own log (folder logs/) tells them apart.",
    ),
    _code(
        number=504,
        name="CANNOT_CONNECT",
        meaning="Join (0x1f8): the address could not be reached: refused, name not found, TLS against plain, or an "
        "HTTP "
        "error on the upgrade.",
        remedy="Check name resolution, routes, proxy and firewall from the receiver's machine. With several "
        "addresses in "
        "server_urls the SDK tries only the first.",
        trap="It is not an HTTP 504. The SDK's log also holds 504 for a failed second name lookup while the join "
        "goes well.",
    ),
    _code(
        number=610,
        name="TLS_REFUSED",
        meaning="Join (0x262): the TLS certificate was not accepted: an unknown authority, or another host name.",
        remedy="Give the SDK the right certificate authorities (ZM_RTMS_CA), or mend the proxy that replaces "
        "certificates.",
        trap="The join parameter ca of the Python SDK is accepted and ignored.",
    ),
    _code(
        number=960,
        name="PEER_CLOSED",
        meaning="Join (0x3c0): the other side closed the WebSocket before the join was complete. Leave: it closed a "
        "socket while the stream ran.",
        remedy="It does not say why. See what follows: stop reason 18 within seconds means that the signature was "
        "refused. "
        "Check also that a media callback is registered, since without one the join never completes.",
        source=(SDK, forum(142247)),
        trap="Join reason 960 is no success, although programs print 'joined successfully (reason 960)'.",
    ),
)
_STATUSES = tuple(
    dataclasses.replace(
        status,
        kind=KIND,
        meaning=f"Join: handshake status {status.number}, handed on unchanged. {status.meaning} Leave: see "
        f"stop-reason.",
        source=(SDK, *status.source),
        confidence=Confidence.MEASURED,
        trap=f"{status.trap} As a leave reason the number is a stop reason.".strip(),
    )
    for status in HANDSHAKE_STATUSES.codes
    if int(status.number) > 1
)

SDK_REASONS = CodeKind(
    KIND,
    "Join and leave reasons of Zoom's RTMS SDK",
    "Measured with the Python SDK 1.1.0; the Node SDK wraps the same native library and was not measured. A join "
    "reason "
    "is 0, a handshake status (1 to 45), or one of the SDK's own numbers. A leave reason is the stop reason of the "
    "stream "
    "(see stop-reason), or 960. Zoom publishes no table of these numbers.",
    tuple(sorted((*_OWN, *_STATUSES), key=lambda code: int(code.number))),
)
"""Join reasons 0 to 45, 504, 610 and 960; measured with PyPI rtms 1.1.0."""
