"""The fields of each kind of observation, and the values of the fact keys that a person can state.

Both are those of the evidence file format `rtms-audit/evidence@1`; docs/evidence-files.md describes them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rtms_audit.core import evidence_shapes as shapes
from rtms_audit.core.evidence_shapes import Reader, ShapeError
from rtms_audit.core.model import Kind

ON_OFF_KEYS = frozenset(
    {
        "setting.share_realtime_content",
        "setting.auto_start",
        "setting.require_host_approval",
        "meeting.join_before_host",
    }
)
"""Fact keys whose value is `on` or `off`."""

TRUTH_KEYS = frozenset(
    {
        "account.verified",
        "account.rtms_enabled",
        "setting.app_allowed",
        "host.present",
        "host.organisation_allows",
        "host.original_organisation_allows",
        "starter.has_installed_app",
        "starter.present",
        "starter.in_breakout_room",
        "app.webhook_validated",
        "app.scopes_selectable",
        "app.auto_start_selectable",
        "receiver.credentials_present",
        "receiver.running",
        "receiver.platform_supported",
        "media.received",
    }
)
"""Fact keys whose value is true or false."""

LIST_KEYS = frozenset({"app.scopes", "app.events", "media.kinds_received"})
"""Fact keys whose value is a list of texts."""

TEXT_KEYS = frozenset({"host.client_version", "starter.client_version", "app.redirect_uri", "receiver.client_id"})
"""Fact keys whose value is a text that YAML may have taken for a number."""

WORD_KEYS = frozenset(
    {
        "account.developer_pack",
        "host.approval",
        "host.client",
        "host.account",
        "starter.role",
        "trigger",
        "app.review",
        "receiver.signing_environment",
        "receiver.media_type",
        "receiver.transcript_language",
        "meeting.kind",
    }
)
"""Fact keys whose value is one word or number; words that are not listed in the format are kept."""


def _answered(value: object, place: str) -> int | str:
    if isinstance(value, str) and not shapes.is_digits(value):
        return str(shapes.word("none")(value, place))
    return shapes.whole(value, place)


FIELDS: Mapping[Kind, Mapping[str, Reader]] = MappingProxyType(
    {
        Kind.WEBHOOK: {
            "body": shapes.free_mapping,
            "headers": shapes.free_mapping,
            "signature": shapes.word("verified", "rejected", "unchecked"),
            "verified_with": shapes.word("development", "production"),
            "answered": _answered,
            "answer_ms": shapes.number,
        },
        Kind.REST: {
            "request": shapes.closed_mapping(method=shapes.text, path=shapes.text, body=shapes.free),
            "response": shapes.closed_mapping(status=shapes.whole, body=shapes.free, headers=shapes.free_mapping),
        },
        Kind.OAUTH: {
            "grant": shapes.text,
            "step": shapes.word("authorize", "redirect"),
            "request": shapes.free_mapping,
            "response": shapes.closed_mapping(status=shapes.whole, body=shapes.free),
        },
        Kind.HANDSHAKE: {
            "connection": shapes.text,
            "socket": shapes.word("signaling", "media"),
            "request": shapes.free_mapping,
            "response": shapes.free_mapping,
            "closed": shapes.closed_mapping(code=shapes.whole, reason=shapes.text),
            "upgrade_status": shapes.whole,
            "error": shapes.text,
        },
        Kind.SDK: {
            "sdk": shapes.word("rtms-python", "rtms-node", "zoom-apps-sdk"),
            "callback": shapes.text,
            "reason": shapes.whole,
            "message": shapes.text,
            "version": shapes.text,
        },
        Kind.KEEPALIVE: {"missed": shapes.whole},
        Kind.WATCH: {
            "from": shapes.time_text,
            "until": shapes.time_text,
            "events": shapes.texts,
            "meeting_started": shapes.flag,
        },
        Kind.STATEMENT: {"about": shapes.label, "value": shapes.free, "by": shapes.text, "note": shapes.text},
    }
)
"""The readers of the fields of each kind, without `kind`, `at` and `install`."""


def read_fields(kind: Kind, value: object, place: str = "") -> dict[str, object]:
    """Read the fields of one observation; ShapeError where a key is unknown or a value of the wrong shape.

    Absent and empty fields are left out. Times become ISO text in UTC; a statement's value becomes the one its fact
    key stands for.
    """
    found = shapes.fields(value, place, FIELDS[kind])
    if kind is Kind.STATEMENT and "value" in found:
        found["value"] = fact_value(found.get("about"), found["value"], shapes.joined(place, "value"))
    return found


def fact_value(about: object, value: object, place: str = "value") -> object:
    """Return the value of a fact key as the checks read it: on/off as words, truth values as booleans, lists as lists.

    A word that the format does not list is kept, since people write such; a value of another shape is a ShapeError.
    Keys that the format does not know keep any value.
    """
    if about in LIST_KEYS:
        return value.replace(",", " ").split() if isinstance(value, str) else shapes.texts(value, place)
    if about in TEXT_KEYS:
        return shapes.text(value, place)
    if about in ON_OFF_KEYS | TRUTH_KEYS:
        return _truth_value(about, value, place)
    if about in WORD_KEYS:
        return _word_value(about, value, place)
    return value


def _truth_value(about: object, value: object, place: str) -> object:
    known = shapes.truth(value)
    if known is None and not isinstance(value, str):
        wanted = "on or off" if about in ON_OFF_KEYS else "true or false"
        raise ShapeError(place, f"must be {wanted}, since it is about {about}; it is {shapes.described(value)}")
    if known is None:
        return value
    return ("on" if known else "off") if about in ON_OFF_KEYS else known


def _word_value(about: object, value: object, place: str) -> object:
    if isinstance(value, list | dict):
        raise ShapeError(place, f"must be one word, since it is about {about}; it is {shapes.described(value)}")
    if about == "receiver.media_type" and isinstance(value, str) and shapes.is_digits(value):
        return int(value)
    return value
