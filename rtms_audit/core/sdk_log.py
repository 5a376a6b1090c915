"""Reads what Zoom's RTMS SDKs write: console output of the Python and Node SDKs, and the native library's log files.

Text in, observations out. A join callback's reason becomes an `sdk` observation with it; "Successfully joined" is kept
without one, since the SDK prints it when a join is merely queued. Handshakes become `handshake` observations without
their signatures. Webhooks that a receiver printed are read too. Other lines are counted: routine or not understood.
"""

import re
from dataclasses import replace
from datetime import tzinfo

from rtms_audit.core.evidence_fields import read_fields
from rtms_audit.core.evidence_shapes import ShapeError
from rtms_audit.core.log_records import Record, records
from rtms_audit.core.model import InstallKey, Kind, Observation
from rtms_audit.core.readout import Line, Readout, shown
from rtms_audit.core.sdk_native import NativeReader
from rtms_audit.core.webhook_dump import numbered, webhook_observation
from rtms_audit.core.zoom_messages import MEDIA, SIGNALING, Conversation, mapping_in

LONGEST_MESSAGE = 2_000
"""How much of a message is searched for words; events and protocol messages in it may be longer."""

_I = re.IGNORECASE
_NUMBER = r"(0x[0-9a-f]{1,8}|-?\d{1,9})(?![\w]|[.:-]\d)"
_JOIN_CALLBACK = re.compile(r"\b(?:on[ _-]?)?join[ _-]?confirm\w*", _I)
_LEAVE_CALLBACK = re.compile(r"\bon[ _-]?leave\b|^[\W\d]*LEAVE\b(?=[ :=])|\bleave (?:callback|reason|confirm)", _I)
_LEFT = re.compile(r"\bleft (?:the )?(?:meeting|session|stream|webinar)\b", _I)
_REASON = re.compile(rf"\breason(?:[ _-]?code)?\b\W{{0,6}}(?:is |code )?\W{{0,3}}{_NUMBER}", _I)
_NEXT_NUMBER = re.compile(rf"[^0-9-]{{0,40}}?{_NUMBER}", _I)
_JOIN = re.compile(r"\bjoin(?:ed|ing)?\b", _I)
_JOINED = re.compile(
    r"success\w* joined|joined success|joined (?:the |to )?(?:rtms|meeting|stream|session|webinar)|rtms joined", _I
)
_PEOPLE = re.compile(r"participant|attendee|\buser\b|panelist", _I)
_NO_CREDENTIALS = re.compile(
    r"cannot be blank|(?:client.?id|client.?secret|ZM_RTMS_(?:CLIENT|SECRET))\b.{0,40}"
    r"(?:is missing|is not set|not set|required|undefined|must be set|is empty)",
    _I,
)
_JOIN_FAULT = re.compile(r"\bjoin\b.{0,60}(?:fail|error|exception|invalid status)|invalid status.{0,40}\bjoin", _I)
_IMPORT_FAULT = re.compile(
    r"ERR_DLOPEN_FAILED|\bGLIBC_\d|rtms sdk (?:is )?not installed|no module named ['\"]?_?rtms|"
    r"cannot find (?:module|package) ['\"]?@zoom/rtms|no matching distribution found for rtms|"
    r"importerror\b.{0,120}rtms|rtms.{0,80}not a supported wheel|unsupported (?:platform|architecture)|"
    r"segmentation fault|rtms.{0,80}(?:invalid elf header|wrong elf class|image not found)",
    _I,
)
_NETWORK_FAULT = re.compile(
    r"certificate|self[- ]signed|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|getaddrinfo|"
    r"name or service not known|connection refused|timed out|no close frame|network is unreachable",
    _I,
)
_ABOUT_RTMS = re.compile(r"rtms|signal(?:l?ing)? |signal(?:l?ing)?\b.{0,20}socket|media.{0,20}socket|wss?://", _I)
_SOCKET_CLOSED = re.compile(
    r"\b(signal(?:l?ing)?|media|data)\b.{0,40}\b(?:closed?|disconnected)\b.{0,40}?\b(1\d{3}|[34]\d{3})\b(?:\W{0,4}(.{0,80}))?",
    _I,
)
_PANEL_CODE = re.compile(r"\bcode\W{0,4}(\d{5})\b|\b(10308|40316|80004)\b", _I)
_PANEL_CALL = re.compile(
    r"\b((?:start|stop|pause|resume)RTMS|getRTMSStatus|get[A-Z]\w{2,40}|callZoomApi|runningContext)\b"
)
_STOPPED = re.compile(rf"\b((?:meeting|webinar|session)\.rtms_stopped)\b.{{0,120}}?\bstop_reason\W{{1,6}}{_NUMBER}", _I)
_HEAD = re.compile(r"^.{0,100}?\|\s*(INFO|DEBUG|TRACE|WARN\w*|ERROR|FATAL|CRITICAL)\s*\|\s*")
_ROUTINE = re.compile(
    r"starting event loop|joining meeting|leaving meeting|"
    r"webhook server|listening on|event loop stopped|initiali[sz]ed",
    _I,
)
_PYTHON = re.compile(r"python-rtms|rtms-implicit|\bon_(?:join_confirm|leave)\b|OSError:|Traceback \(most recent", _I)
_NODE = re.compile(r"node-rtms|nodejs-rtms|@zoom/rtms|\bonJoinConfirm\b|\bonLeave\b|ERR_DLOPEN_FAILED|\bnode:")
_KEEP_ALIVES = re.compile(
    r"keep.?alive.{0,60}\bmissed\W{0,4}(\d{1,6})|(\d{1,6}) (?:keep.?alives? )?missed.{0,40}keep.?alive", _I
)


def read_sdk_log(
    text: str, *, install: InstallKey | None = None, timezone: tzinfo | None = None, source: str = ""
) -> Readout:
    """Return what a log shows, with the lines that were not understood.

    A time becomes `at` only where its zone is known: written beside it, given away by the native library (whose first
    line holds the time in GMT too), or given as `timezone`. Without one the order of the lines is kept.
    """
    reader = _Reader(_sdk_of(text))
    for record in records(text, timezone):
        reader.take(record)
    return Readout(
        numbered(reader.finish(), install=install, source=source),
        reader.understood,
        reader.routine,
        tuple(reader.foreign),
    )


def _sdk_of(text: str) -> dict[str, object]:
    """Return `{"sdk": …}` where the text shows whose output it is, nothing where it shows neither or both."""
    python, node = _PYTHON.search(text), _NODE.search(text)
    if bool(python) == bool(node):
        return {}
    return {"sdk": "rtms-python" if python else "rtms-node"}


class _Reader:
    """Takes records one after the other and sorts them into observations, routine and not understood."""

    def __init__(self, sdk: dict[str, object]) -> None:
        self._sdk = sdk
        self._conversation = Conversation()
        self._native = NativeReader(self._conversation)
        self._observations: list[Observation] = []
        self.understood = 0
        self.routine = 0
        self.foreign: list[Line] = []

    def take(self, record: Record) -> None:
        """Read one record."""
        try:
            seen = self._read(record)
        except ShapeError:  # a printed message holds what JSON cannot
            seen = None
        if seen is None:
            self.foreign.append(Line(record.number, shown(record.message)))
        elif seen:
            self.understood += record.lines
            self._observations += seen
        else:
            self.routine += record.lines

    def finish(self) -> list[Observation]:
        """Return all observations in the order of the log."""
        if not self._native.missed:
            return self._observations
        return [*self._observations, Observation(kind=Kind.KEEPALIVE, fields={"missed": self._native.missed})]

    def _read(self, record: Record) -> list[Observation] | None:
        seen = self._native.read(record)
        if seen is None and not record.module:
            seen = self._console(record)
        return None if seen is None else [self._kept(observation, record) for observation in seen]

    def _kept(self, observation: Observation, record: Record) -> Observation:
        fields = {**self._sdk, **observation.fields} if observation.kind is Kind.SDK else dict(observation.fields)
        return replace(observation, fields=read_fields(observation.kind, fields), at=record.at or observation.at)

    def _console(self, record: Record) -> list[Observation] | None:
        """Return what a line of a console shows; empty where it is routine, None where it is not understood."""
        webhook = webhook_observation(record.document or mapping_in(record.message))
        if webhook:
            return [webhook]
        head = _HEAD.match(record.message)
        message = _with_reason(record)[head.end() if head else 0 :][:LONGEST_MESSAGE]
        for read in (_stopped, _callback, _panel, _faults, self._socket, _progress):
            if (seen := read(message)) is not None:
                return seen
        return [] if head and head[1] in ("INFO", "DEBUG", "TRACE") else None

    def _socket(self, message: str) -> list[Observation] | None:
        """Read what a client that speaks the protocol itself says about its sockets."""
        if found := _SOCKET_CLOSED.search(message):
            if self._conversation.answered:
                return []
            closed = {"code": int(found[2]), "reason": shown((found[3] or "").strip(" :,-()\"'"))}
            return [Observation(kind=Kind.HANDSHAKE, fields={"socket": _socket_of(found[1]), "closed": closed})]
        if _NETWORK_FAULT.search(message) and _ABOUT_RTMS.search(message):
            return self._conversation.failed(_socket_of(message), "", shown(message))
        if found := _KEEP_ALIVES.search(message):
            return [Observation(kind=Kind.KEEPALIVE, fields={"missed": int(found[1] or found[2])})]
        return None


def _with_reason(record: Record) -> str:
    """Return the message, followed by the reason that a JSON log holds in a field of its own."""
    reason = (record.document or {}).get("reason")
    if isinstance(reason, int) and not isinstance(reason, bool) and "reason" not in record.message:
        return f"{record.message} reason: {reason}"
    return record.message


def _socket_of(text: str) -> str:
    return MEDIA if re.search(r"\b(?:media|data)\b", text, _I) else SIGNALING


def _stopped(message: str) -> list[Observation] | None:
    """Read a stopped event that was printed in words, with its stop reason."""
    found = _STOPPED.search(message)
    if found is None:
        return None
    body = {"event": found[1].lower(), "payload": {"stop_reason": _number(found[2])}}
    return [Observation(kind=Kind.WEBHOOK, fields={"body": body, "signature": "unchecked"})]


def _callback(message: str) -> list[Observation] | None:
    """Read a join or leave callback with its reason."""
    join, leave = _JOIN_CALLBACK.search(message), _LEAVE_CALLBACK.search(message)
    callback, reason = join or leave, _REASON.search(message)
    if callback is None:
        if reason is None or _PEOPLE.search(message) or not (_JOIN.search(message) or _LEFT.search(message)):
            return None
        return [_sdk("onJoinConfirm" if _JOIN.search(message) else "onLeave", message, reason=_number(reason[1]))]
    reason = reason or _NEXT_NUMBER.match(message, callback.end())
    if reason is None:
        return None
    return [_sdk("onJoinConfirm" if join else "onLeave", message, reason=_number(reason[1]))]


def _number(digits: str) -> int:
    return int(digits, 16 if digits.lower().startswith("0x") else 10)


def _panel(message: str) -> list[Observation] | None:
    """Read a refused call of the Zoom Apps SDK."""
    code, call = _PANEL_CODE.search(message), _PANEL_CALL.search(message)
    if code is None or not (call or code[2] or "No Permission" in message):
        return None
    name = {"callback": call[1]} if call else {}
    fields = {"sdk": "zoom-apps-sdk", **name, "reason": int(code[1] or code[2]), "message": shown(message)}
    return [Observation(kind=Kind.SDK, fields=fields)]


def _faults(message: str) -> list[Observation] | None:
    """Read what kept a join, or the SDK itself, from running."""
    if _IMPORT_FAULT.search(message):
        return [_sdk("import", message)]
    if _NO_CREDENTIALS.search(message) or (_JOIN_FAULT.search(message) and not _PEOPLE.search(message)):
        return [_sdk("join", message)]
    return None


def _progress(message: str) -> list[Observation] | None:
    """Read that a join was queued, which is no success, and lines that say nothing."""
    if _JOINED.search(message) and not _PEOPLE.search(message):
        return [_sdk("join", message)]
    return [] if _ROUTINE.search(message) else None


def _sdk(callback: str, message: str, **more: object) -> Observation:
    return Observation(kind=Kind.SDK, fields={"callback": callback, **more, "message": shown(message)})
