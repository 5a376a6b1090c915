"""Where things live: the database, the key and Zoom's addresses, read from the environment.

RTMS_AUDIT_DATABASE_URL    any SQLAlchemy address, or a SQLite file's path (default: one in the user's data directory)
RTMS_AUDIT_KEY             one or several Fernet keys, separated by commas; the first one encrypts
RTMS_AUDIT_KEY_FILE        a file with such keys, one a line (default: `<database>.key` beside a SQLite database)
RTMS_AUDIT_KEYRING         1 to keep the key in the operating system's keyring
RTMS_AUDIT_ZOOM_OAUTH_URL  where tokens are asked for (default https://zoom.us/oauth)
RTMS_AUDIT_ZOOM_API_URL    where the REST API is (default https://api.zoom.us/v2)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError

ZOOM_OAUTH_URL = "https://zoom.us/oauth"
ZOOM_API_URL = "https://api.zoom.us/v2"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_SCHEME = re.compile(r"[a-z][a-z0-9]*(\+[a-z0-9_]+)?://", re.IGNORECASE)
_PATH = re.compile(r"/(?!/)|[^/:@]+(/|$)")  # `//user:password@host` and `postgresql:user` are mistyped addresses
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


def default_database() -> str:
    """Return the address of the SQLite file in the user's data directory; nothing is made."""
    from platformdirs import user_data_path

    return sqlite_url(user_data_path("rtms-audit", appauthor=False) / "audit.db")


def sqlite_url(path: Path) -> str:
    """Return the SQLAlchemy address of a SQLite file."""
    return f"sqlite:///{path}"


def check_database_url(text: str, *, name: str = "the database address") -> str:
    """Return the address if it has the shape of one; a bare path means a SQLite file.

    UserError otherwise. The address is never repeated in the error, since it may hold a password.
    """
    if _SCHEME.match(text):
        return text
    if "://" not in text and (_PATH.match(text) or text.endswith((".db", ".sqlite", ".sqlite3"))):
        return sqlite_url(Path(text))
    raise UserError(
        f"{name} is not a database address",
        next_step="Give one like sqlite:////home/me/audit.db or postgresql://USER@HOST/DATABASE.",
    )


def check_web_url(text: str, *, name: str) -> str:
    """Return the address without a trailing slash; UserError unless it is https, or http on this machine."""
    parts = _split(text, name)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{name} is not a web address", next_step="Give one like https://zoom.us/oauth.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UserError(
            f"{name} must be an address alone, without a user, a query or a fragment",
            next_step="Give one like https://zoom.us/oauth.",
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UserError(
            f"{name} is not encrypted (http to {parts.hostname}), and tokens would cross the network in the clear",
            next_step="Use https; plain http is for 127.0.0.1 only.",
        )
    return text.rstrip("/")


def _split(text: str, name: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UserError(
            f"{name} is not a web address ({error})", next_step="Give one like https://zoom.us/oauth."
        ) from None
    return parts


def _flag(text: str, name: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise UserError(f"{name} is neither yes nor no", next_step=f"Set {name} to 1 or 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run needs to know of its surroundings; `keys` are Fernet keys, the first one encrypts."""

    database_url: str
    zoom_oauth_url: str = ZOOM_OAUTH_URL
    zoom_api_url: str = ZOOM_API_URL
    keys: tuple[Secret, ...] = ()
    key_file: Path | None = None
    keyring: bool = False

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Settings":
        """Read the variables above; an empty one counts as absent. UserError names the one that is malformed."""
        file = env.get("RTMS_AUDIT_KEY_FILE", "")
        return cls(
            database_url=_database(env.get("RTMS_AUDIT_DATABASE_URL", "")),
            zoom_oauth_url=_address(env, "RTMS_AUDIT_ZOOM_OAUTH_URL", ZOOM_OAUTH_URL),
            zoom_api_url=_address(env, "RTMS_AUDIT_ZOOM_API_URL", ZOOM_API_URL),
            keys=tuple(Secret(key.strip()) for key in env.get("RTMS_AUDIT_KEY", "").split(",") if key.strip()),
            key_file=Path(file).expanduser() if file else None,
            keyring=_flag(env.get("RTMS_AUDIT_KEYRING", ""), "RTMS_AUDIT_KEYRING"),
        )


def _database(text: str) -> str:
    return check_database_url(text, name="RTMS_AUDIT_DATABASE_URL") if text else default_database()


def _address(env: Mapping[str, str], name: str, default: str) -> str:
    return check_web_url(env.get(name) or default, name=name)
