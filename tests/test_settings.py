"""Settings: where things live."""

from pathlib import Path

import pytest

from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.settings import Settings, check_database_url, check_web_url, default_database


def test_defaults() -> None:
    """Without any variable the database is a file in the user's data directory, and Zoom is Zoom."""
    settings = Settings.from_environment({})
    assert settings == Settings(database_url=default_database())
    assert settings.database_url.startswith("sqlite:////")
    assert settings.database_url.endswith("rtms-audit/audit.db")
    assert (settings.zoom_oauth_url, settings.zoom_api_url) == ("https://zoom.us/oauth", "https://api.zoom.us/v2")
    assert (settings.keys, settings.key_file, settings.keyring) == ((), None, False)


def test_variables() -> None:
    """Each variable sets its own; several keys are separated by commas, the first one encrypting."""
    settings = Settings.from_environment(
        {
            "RTMS_AUDIT_DATABASE_URL": "postgresql://u:p@h/d",
            "RTMS_AUDIT_KEY": "first, second,",
            "RTMS_AUDIT_KEY_FILE": "/keys/k",
            "RTMS_AUDIT_KEYRING": "1",
            "RTMS_AUDIT_ZOOM_OAUTH_URL": "http://127.0.0.1:8080/oauth/",
            "RTMS_AUDIT_ZOOM_API_URL": "https://api.example.com/v2",
        }
    )
    assert settings.database_url == "postgresql://u:p@h/d"
    assert settings.keys == (Secret("first"), Secret("second"))
    assert (settings.key_file, settings.keyring) == (Path("/keys/k"), True)
    assert settings.zoom_oauth_url == "http://127.0.0.1:8080/oauth"
    assert settings.zoom_api_url == "https://api.example.com/v2"
    assert "first" not in repr(settings)


def test_empty_variables_count_as_absent() -> None:
    """A variable that is set to nothing changes nothing."""
    names = ("DATABASE_URL", "KEY", "KEY_FILE", "KEYRING", "ZOOM_OAUTH_URL", "ZOOM_API_URL")
    assert Settings.from_environment({f"RTMS_AUDIT_{name}": "" for name in names}) == Settings.from_environment({})


@pytest.mark.parametrize("word", ["0", "no", "Off", "false"])
def test_keyring_switched_off(word: str) -> None:
    """The keyring is not asked for by a word that says no."""
    assert not Settings.from_environment({"RTMS_AUDIT_KEYRING": word}).keyring


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RTMS_AUDIT_DATABASE_URL", "nonsense:hush", "is not a database address"),
        ("RTMS_AUDIT_DATABASE_URL", "//u:hush@h/d", "is not a database address"),
        ("RTMS_AUDIT_KEYRING", "maybe", "is neither yes nor no"),
        ("RTMS_AUDIT_ZOOM_OAUTH_URL", "zoom.us/oauth", "is not a web address"),
        ("RTMS_AUDIT_ZOOM_OAUTH_URL", "https://", "is not a web address"),
        ("RTMS_AUDIT_ZOOM_API_URL", "ftp://zoom.us", "is not a web address"),
        ("RTMS_AUDIT_ZOOM_API_URL", "https://zoom.us:port/v2", "is not a web address"),
        ("RTMS_AUDIT_ZOOM_API_URL", "https://u:hush@zoom.us/v2", "must be an address alone"),
        ("RTMS_AUDIT_ZOOM_API_URL", "https://zoom.us/v2?a=1", "must be an address alone"),
        ("RTMS_AUDIT_ZOOM_API_URL", "http://zoom.us/v2", "is not encrypted"),
    ],
)
def test_malformed_variables(name: str, value: str, said: str) -> None:
    """A malformed variable is named, with the next step, and its value is not repeated where it may hold a password."""
    with pytest.raises(UserError, match=f"{name} {said}") as caught:
        Settings.from_environment({name: value})
    assert caught.value.next_step
    assert "hush" not in f"{caught.value} {caught.value.next_step}"


def test_bare_path_is_a_sqlite_file() -> None:
    """A path is taken as one, whatever its name ends in."""
    assert check_database_url("data/audit.db") == "sqlite:///data/audit.db"
    assert check_database_url("/data/my audit") == "sqlite:////data/my audit"
    assert check_database_url("audit") == "sqlite:///audit"
    assert check_database_url("/home/me@work/a:b") == "sqlite:////home/me@work/a:b"
    assert check_database_url("sqlite:///x") == "sqlite:///x"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_on_this_machine(host: str) -> None:
    """Plain http is for this machine, where the sandbox listens."""
    assert check_web_url(f"http://{host}:8080/v2", name="it") == f"http://{host}:8080/v2"
