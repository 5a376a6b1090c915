"""Masks what must not be read: secrets always, and personal data at a chosen level.

One module for logs, errors, observations, reports and recordings. It works by field (a name that means a secret hides
its value, an allow-list keeps Zoom's codes, words and verdicts readable) and by shape (tokens, keys, headers and
passwords are recognised in any text). Masking twice changes nothing more.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Final

MASK: Final = "[secret]"


class Level(IntEnum):
    """How much is masked; each level holds the ones before it."""

    SECRETS = 1
    """Tokens, client secrets, webhook secrets, OAuth codes, signatures, keys, passwords."""
    PERSONAL = 2
    """E-mail addresses, names, topics, and ids of users, accounts and meetings too, by stable pseudonyms."""


def redact_text(text: str, *, level: Level = Level.SECRETS, salt: str = "") -> str:
    """Mask secrets (and personal data) wherever their shape or the name before them shows them.

    Equal personal values become equal pseudonyms (`user-1a2b3c4d`); `salt` makes them differ from one document to
    another, so that nobody can find an id by trying.
    """
    for pattern, replace in _SECRET_RULES:
        text = pattern.sub(replace, text)
    return _mask_personal_text(text, salt) if level >= Level.PERSONAL else text


def redact_bytes(raw: bytes, *, level: Level = Level.SECRETS, salt: str = "") -> bytes:
    """Mask as `redact_text` does; bytes that are no UTF-8 are kept as they are, between the text that is."""
    text = raw.decode("utf-8", "surrogateescape")
    return redact_text(text, level=level, salt=salt).encode("utf-8", "surrogateescape")


def redact_value(value: object, *, level: Level = Level.SECRETS, salt: str = "") -> object:
    """Mask a JSON-like value, by the names of its fields and by the shapes in its texts.

    The value given stays as it is. Mappings come back as dict, sequences as list (tuples as tuple); other objects come
    back unchanged.
    """
    if isinstance(value, str):
        return redact_text(value, level=level, salt=salt)
    if isinstance(value, bytes):
        return redact_bytes(value, level=level, salt=salt)
    if isinstance(value, Mapping):
        return _redact_mapping(value, level, salt)
    if isinstance(value, (list, tuple)):
        return _redact_sequence(value, level, salt)
    return value


def _redact_mapping(value: Mapping[object, object], level: Level, salt: str) -> dict[object, object]:
    named = value.get("name", value.get("key"))
    redacted: dict[object, object] = {}
    for key, item in value.items():
        meant = named if key == "value" and isinstance(named, str) else key
        redacted[redact_value(key, level=level, salt=salt)] = _redact_field(str(meant), item, level, salt)
    return redacted


def _redact_sequence(value: list[object] | tuple[object, ...], level: Level, salt: str) -> object:
    if len(value) == 2 and isinstance(value[0], str) and _is_sensitive(value[0]):
        items = [value[0], _redact_field(value[0], value[1], level, salt)]
    else:
        items = [redact_value(item, level=level, salt=salt) for item in value]
    return items if isinstance(value, list) else tuple(items)


def _redact_field(name: str, value: object, level: Level, salt: str) -> object:
    """Mask the value of a field of that name."""
    key = _plain(name)
    if _names_secret(key):
        return _mask_leaves(value)
    if key in _SOMETIMES and isinstance(value, str):
        return value if _is_harmless(value) else MASK
    prefix = _personal_prefix(key)
    if level >= Level.PERSONAL and prefix:
        return _pseudonymise(value, prefix, salt, level)
    return redact_value(value, level=level, salt=salt)


def _mask_leaves(value: object) -> object:
    """Mask every text and number in a value; True, False, None and the empty text say nothing and stay."""
    if isinstance(value, Mapping):
        return {key: _mask_leaves(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_mask_leaves(item) for item in value)
    return value if value is None or isinstance(value, bool) or value in ("", b"") else MASK


def _pseudonymise(value: object, prefix: str, salt: str, level: Level) -> object:
    if isinstance(value, (str, int)):
        return pseudonym(str(value), prefix, salt) if _is_personal(value) else value
    return redact_value(value, level=level, salt=salt)


def _personal_prefix(key: str) -> str | None:
    return _PERSONAL_KEYS.get(key) or ("email" if key.endswith("email") else None)


def _is_personal(value: object) -> bool:
    """Whether a personal field says something of a person: no value, the caller and our own voices do not."""
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value not in _NOBODY


def personal_fields(value: Mapping[object, object]) -> Iterator[tuple[str, str]]:
    """Yield prefix and value of each personal field of a mapping, itself alone and not what lies deeper."""
    named = value.get("name", value.get("key"))
    for key, item in value.items():
        prefix = _personal_prefix(_plain(str(named if key == "value" and isinstance(named, str) else key)))
        if prefix and _is_personal(item):
            yield prefix, str(item)


def pseudonym(value: str, prefix: str, salt: str) -> str:
    """Return the pseudonym of a value, `prefix-1a2b3c4d`; a pseudonym and a masked secret stay as they are."""
    if _PSEUDONYM.fullmatch(value) or value == MASK:
        return value
    return f"{prefix}-{hashlib.sha256((salt + value).encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


# --- fields ---------------------------------------------------------------------------------------------------------

_SECRET_ENDINGS = (
    "token",
    "tokens",
    "secret",
    "secrets",
    "password",
    "passwd",
    "passcode",
    "verifier",
    "apikey",
    "privatekey",
)
_SECRET_KEYS = frozenset(
    {
        "authorization",
        "proxyauthorization",
        "cookie",
        "setcookie",
        "xzmsignature",
        "devicecode",
        "usercode",
        "jwt",
        "zak",
    }
    | {"assertion", "clientassertion", "fernetkey", "rtmsauditkey", "pwd", "encryptionkey"}
)
_NOT_SECRET = frozenset({"nextpagetoken"})
_SOMETIMES = frozenset({"code", "state", "signature", "hmac", "nonce"})
"""Names under which Zoom, and the evidence format, put both secrets and plain words."""

_PERSONAL_KEYS: Mapping[str, str] = {
    **dict.fromkeys(("email", "login_hint", "loginhint", "loginemail"), "email"),
    **dict.fromkeys(("displayname", "firstname", "lastname", "username", "hostname", "participantname", "by"), "name"),
    **dict.fromkeys(("accountname", "company", "dept", "jobtitle", "location", "picurl", "pronouns"), "name"),
    **dict.fromkeys(("topic", "agenda", "meetingtopic"), "topic"),
    **dict.fromkeys(("userid", "hostid", "operatorid", "participantid", "participantuserid", "operator"), "user"),
    **dict.fromkeys(("zoomuserid", "ownerid", "installeruserid", "participantuuid"), "user"),
    **dict.fromkeys(("accountid", "accountnumber", "zoomaccountid", "hostaccountid", "owneraccountid"), "account"),
    **dict.fromkeys(("meetingid", "meetingnumber", "meetinguuid", "webinaruuid", "webinarid", "sessionid"), "meeting"),
    **dict.fromkeys(("pmi", "uuid", "personalmeetingurl", "vanityurl", "joinurl", "starturl"), "meeting"),
    **dict.fromkeys(("phonenumber", "phonenumbers"), "phone"),
    **dict.fromkeys(("ipaddress", "clientip", "publicip", "privateip"), "ip"),
    "id": "id",
}
_NOBODY = frozenset({"", "me", 0, "the probe", "the backend", "rtms-audit"})
"""What personal fields hold where they name nobody; the last ones are who states something in this tool's own name."""
_PSEUDONYM = re.compile(r"(?:email|name|topic|user|account|meeting|phone|ip|id)-[0-9a-f]{8}")
_WORD = re.compile(r"[A-Za-z]+(?:[-_. ][A-Za-z]+)*|-?\d{1,6}|")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names_secret(key: str) -> bool:
    return key in _SECRET_KEYS or (key.endswith(_SECRET_ENDINGS) and key not in _NOT_SECRET)


def _is_sensitive(name: str) -> bool:
    key = _plain(name)
    return _names_secret(key) or key in _SOMETIMES


def _is_harmless(value: str) -> bool:
    """Whether a code, state or signature is a number or a word of somebody's vocabulary rather than a secret."""
    return value == MASK or (len(value) <= 40 and _WORD.fullmatch(value) is not None and not _looks_random(value))


def _looks_random(value: str) -> bool:
    """Whether capitals stand in the middle of small letters, as in a token and in no word or CONSTANT."""
    return len(value) >= 16 and re.search(r"[a-z][A-Z]", value) is not None and not re.search(r"[-_. ]", value)


# --- shapes ---------------------------------------------------------------------------------------------------------

_SEPARATOR = r"\s*(?:\\*[\"']|%22)?\s*(?:[:=]|%3[AaDd])(?:\s|%20)*"
_QUOTED = r"(?P<quote>\\*[\"']|%22)(?P<inside>(?:(?!(?P=quote))(?:\\.|[^\n\\]))*)"
_BARE = r"(?P<bare>[^\s\"'&,;<>(){}\[\]\\][^\s\"'&,;<>(){}\]\\]*)"
_VALUE = rf"(?:{_QUOTED}|{_BARE})"
_NAMES_THAT_HIDE = (
    r"tokens?|secrets?|password|passwd|passcode|verifier|api[_-]?key|private[_-]?key|encryption[_-]?key|fernet[_-]?key"
    r"|audit[_-]?key|x-zm-signature|(?:device|user)[_-]?code|assertion|zak|jwt|pwd"
)
_KEYED = re.compile(
    rf"(?P<name>(?<![\w-])[\w-]{{0,60}}?(?:{_NAMES_THAT_HIDE}))(?P<separator>{_SEPARATOR}){_VALUE}", re.IGNORECASE
)
_KEYED_SOMETIMES = re.compile(
    rf"(?P<name>(?:(?<![\w-])|(?<=%[0-9A-F][0-9A-F]))(?:code|state|signature|hmac|nonce))(?P<separator>{_SEPARATOR}){_VALUE}",
    re.IGNORECASE,
)
_EMPTY_WORDS = frozenset({"true", "false", "null", "none", "yes", "no", "on", "off"})


def _mask_keyed(match: re.Match[str]) -> str:
    if _plain(match["name"]) in _NOT_SECRET or not _is_worth_masking(match):
        return match[0]
    return _masked(match)


def _is_worth_masking(match: re.Match[str]) -> bool:
    """Whether a named value is more than an empty word, or the next word of a sentence (`invalid token: expired`)."""
    bare = match["bare"]
    if bare is None:
        return bool(match["inside"])
    if bare.lower() in _EMPTY_WORDS:
        return False
    return "=" in match["separator"] or "%" in match["separator"] or len(bare) >= 16 or any(c.isdigit() for c in bare)


def _mask_sometimes(match: re.Match[str]) -> str:
    value = match["bare"] if match["bare"] is not None else match["inside"]
    return match[0] if _is_harmless(value) else _masked(match)


def _masked(match: re.Match[str]) -> str:
    return f"{match['name']}{match['separator']}{match['quote'] or ''}{MASK}"


_SECRET_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (
        re.compile(r"\b(basic|bearer|digest)(\s+|%20|\+)(?![A-Za-z]{1,19}(?![\w.~+/=-]))[\w.~+/=-]{8,}", re.IGNORECASE),
        rf"\1\2{MASK}",
    ),
    (
        re.compile(
            r"\b((?:set-)?cookie\\*[\"']?\s*:\s*\\*[\"']?)(?!\[secret\])[^\r\n\"'\\]*=[^\r\n\"'\\]*", re.IGNORECASE
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(authorization\\*[\"']?\s*[:=]\s*\\*[\"']?)[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*)*"), MASK),
    (re.compile(r"gAAAA[\w-]{20,}=*"), MASK),
    (re.compile(r"(?<![\w+/-])[\w+/-]{43}=(?![\w+/=-])"), MASK),
    (re.compile(r"\b(v0(?:=|%3[Dd]))[0-9A-Fa-f]{16,}"), rf"\1{MASK}"),
    (re.compile(r"(://[^\s/?#\"':@\[]*:)(?!\d+(?:[/?#\s\"']|$))(?!\[secret\]@)[^\s\"'<>]+@"), rf"\1{MASK}@"),
    (re.compile(r"([?&]code=)(?!\d{1,6}(?![^\s&]))(?!\[secret\])[^&\s\"'<>]+", re.IGNORECASE), rf"\1{MASK}"),
    (_KEYED, _mask_keyed),
    (_KEYED_SOMETIMES, _mask_sometimes),
)

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_PERSONAL_PATH = re.compile(
    r"/(users|accounts|meetings|live_meetings|past_meetings|webinars)/"
    r"(?![a-z]{1,20}(?:_[a-z]{1,20}){0,3}(?:[/?#\s\"'&.,;:)]|$))([^/?#\s\"'&]+)"
)
"""A path that names one user, account or meeting; a word such as `me`, `summary` or `settings` names none."""
_PATH_PREFIX = {"users": "user", "accounts": "account"}
_PERSONAL_KEYED = re.compile(
    rf"(?P<name>(?<![\w-])(?:(?:host|user|operator|account|meeting|webinar|participant)_(?:user_)?(?:id|uuid|number)"
    rf"|(?:display|first|last|user|account)_name|topic|agenda|pmi|login_hint))(?P<separator>{_SEPARATOR}){_VALUE}",
    re.IGNORECASE,
)


_ABSENT = r"(?:\s(?:does\snot\sexist|(?:is\s|was\s)?not\sfound))?"
_PROSE_MEETING = re.compile(
    rf"\b(?P<before>(?:meeting|webinar)s?(?:[ _-]?(?:id|number))?{_ABSENT}[\s:=#(\"']{{1,4}})"
    r"(?P<value>\d{9,11}|\d{3}[ -]\d{3,4}[ -]\d{3,4})(?!\d)",
    re.IGNORECASE,
)
_PROSE_ZOOM_ID = re.compile(
    rf"\b(?P<before>(?i:(?P<what>account|user|host|operator)s?(?:[ _-]?id)?{_ABSENT})[\s:=#(\"']{{1,4}})"
    r"(?P<value>(?![a-z_-]+(?![\w-]))[\w-]{22})(?![\w-])",
    re.ASCII,
)
"""Ids in sentences, such as Zoom's `Meeting does not exist: 85746065432.`"""


def personal_in_text(text: str) -> Iterator[tuple[str, str]]:
    """Yield prefix and value of what a text shows to be personal: ids in paths and sentences, e-mail addresses."""
    for match in _PERSONAL_PATH.finditer(text):
        yield _PATH_PREFIX.get(match[1], "meeting"), match[2]
    for match in _PERSONAL_KEYED.finditer(text):
        value = match["bare"] if match["bare"] is not None else match["inside"]
        if any(character.isdigit() for character in value):
            yield _PERSONAL_KEYS.get(_plain(match["name"]), "id"), value
    for match in _PROSE_MEETING.finditer(text):
        yield "meeting", match["value"]
    for match in _PROSE_ZOOM_ID.finditer(text):
        yield _prose_prefix(match), match["value"]
    for match in _EMAIL.finditer(text):
        yield "email", match[0]


def _prose_prefix(match: re.Match[str]) -> str:
    return "account" if match["what"].lower() == "account" else "user"


def _mask_personal_text(text: str, salt: str) -> str:
    def path(match: re.Match[str]) -> str:
        return f"/{match[1]}/{pseudonym(match[2], _PATH_PREFIX.get(match[1], 'meeting'), salt)}"

    def keyed(match: re.Match[str]) -> str:
        value = match["bare"] if match["bare"] is not None else match["inside"]
        prefix = _PERSONAL_KEYS.get(_plain(match["name"]), "id")
        shown = pseudonym(value, prefix, salt) if value and value.lower() not in _EMPTY_WORDS else value
        return f"{match['name']}{match['separator']}{match['quote'] or ''}{shown}"

    text = _PERSONAL_PATH.sub(path, text)
    text = _PERSONAL_KEYED.sub(keyed, text)
    text = _PROSE_MEETING.sub(lambda match: match["before"] + pseudonym(match["value"], "meeting", salt), text)
    text = _PROSE_ZOOM_ID.sub(
        lambda match: match["before"] + pseudonym(match["value"], _prose_prefix(match), salt), text
    )
    return _EMAIL.sub(lambda match: pseudonym(match[0], "email", salt), text)
