"""Reads the lines of the native library inside Zoom's RTMS SDKs (the files that it writes into `logs/`).

The lines were seen in the Python SDK 1.1.0 (native `.0.20260319`); the Node SDK wraps the same library.
"""

import re

from rtms_audit.core.log_records import Record
from rtms_audit.core.model import Kind, Observation
from rtms_audit.core.readout import shown
from rtms_audit.core.zoom_messages import MEDIA, SIGNALING, Conversation, mapping_in, pointer_in

_SESSION_START = re.compile(r"on_session_start\b[^0-9]{0,40}reason\W{1,3}(-?\d{1,9})")
_SESSION_STOP = re.compile(r"on_session_stop\b.{0,40}?reason\W{1,3}(-?\d{1,9})")
_CLOSED = re.compile(r"wss_(signal|data)_t::on_close\b.{0,20}?reason\W{1,3}(-?\d{1,9})")
_NO_CONNECTION = re.compile(r"wss_(signal|data)_t::on_connect failed\b.{0,20}?reason\W{1,3}(-?\d{1,9})")
_GIVEN_UP = re.compile(r"wss_(signal|data)_t::stop, reason\W{1,3}1\b")
_NO_ADDRESS = re.compile(r"could not get media url, media_type\W{1,3}(\d{1,3})\b")
_CERTIFICATE = re.compile(r"X509_verify_cert_error_string\(err\) = ([^,\n]{1,120})")
_NO_SEQUENCE = re.compile(r"keep.?alive.{0,80}get sequence failed|get sequence failed.{0,80}keep.?alive", re.IGNORECASE)
_ROUTINE = re.compile(
    r"rtms_sdk|wss_(?:session|signal|data)_t::|^==sdk_impl|^start to send|^signal resp|^data (?:handshake )?resp|^send "
)
_ROUTINE_ERROR = re.compile(
    r"dns_provider_t|ssl_ctx_t|ssl_connector_t|async_socket|get media_server failed|get server_urls failed"
)
_SOCKETS = {"signal": SIGNALING, "data": MEDIA}
_OF_ONE_TRY = frozenset(("500", "502"))
"""What the library says of one of several tries to connect; the reason of the join comes later (measured)."""


class NativeReader:
    """Reads the native library's lines one after the other; `missed` counts keep-alives that it could not answer."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._certificate = ""
        self.missed = 0

    def read(self, record: Record) -> list[Observation] | None:
        """Return what a line shows; an empty list where it is routine, None where it is not understood."""
        message = record.message
        if found := _SESSION_START.search(message):
            return [] if found[1] in _OF_ONE_TRY else [_callback("onJoinConfirm", found[1], message)]
        if found := _SESSION_STOP.search(message):
            return [_callback("onLeave", found[1], message)]
        if found := _NO_CONNECTION.search(message):
            return self._conversation.failed(_SOCKETS[found[1]], pointer_in(message), self._no_connection(found[2]))
        if found := _CLOSED.search(message):
            closed = {"reason": f"closed by the other side before it answered (SDK reason {found[2]})"}
            return self._conversation.closed(_SOCKETS[found[1]], pointer_in(message), closed)
        if found := _NO_ADDRESS.search(message):
            request = {"media_type": int(found[1])}
            fields = {"socket": MEDIA, "request": request, "error": "no address in the signaling answer"}
            return [Observation(kind=Kind.HANDSHAKE, fields=fields)]
        if found := _GIVEN_UP.search(message):
            return self._conversation.unanswered(_SOCKETS[found[1]], pointer_in(message))
        return self._other(record)

    def _other(self, record: Record) -> list[Observation] | None:
        if found := _CERTIFICATE.search(record.message):
            self._certificate = found[1].strip()
            return []
        if _NO_SEQUENCE.search(record.message):
            self.missed += 1
            return []
        said = mapping_in(record.message) if "msg_type" in record.message else None
        seen = self._conversation.take(said, pointer_in(record.message)) if said else None
        return seen if seen is not None else _routine(record)

    def _no_connection(self, number: str) -> str:
        if number == "610":
            why = self._certificate or "no further reason in the log"
            return f"TLS certificate verify failed: {why} (SDK reason 610)"
        return f"address unreachable: could not connect (SDK reason {number})"


def _routine(record: Record) -> list[Observation] | None:
    """Return an empty list for a line that is known to say nothing of how a join went, None for any other."""
    if not record.module:
        return None
    if record.level == "ERROR":
        return [] if _ROUTINE_ERROR.search(record.message) else None
    return [] if record.module != "ZSSGW_SDK" or _ROUTINE.search(record.message) else None


def _callback(name: str, reason: str, message: str) -> Observation:
    text = shown(message.split(", this = ", 1)[0])
    return Observation(kind=Kind.SDK, fields={"callback": name, "reason": int(reason), "message": text})
