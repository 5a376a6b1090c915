"""Redaction: nothing secret survives, nothing that explains is lost."""

import json
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rtms_audit.core.redact import MASK, Level, redact_bytes, redact_text, redact_value

TOKEN_LETTERS = string.ascii_letters + string.digits + "-_"
tokens = st.text(TOKEN_LETTERS, min_size=20, max_size=60).filter(
    lambda text: any(c.isdigit() for c in text) and text[0] not in "-_" and text[-1] not in "-_"
)
FIELDS = [
    "access_token", "refresh_token", "client_secret", "secret_token", "webhookSecret", "plainToken", "encryptedToken",
    "code_verifier", "password", "Authorization", "x-zm-signature", "Set-Cookie", "clientSecret", "RTMS_AUDIT_KEY",
    "ZM_RTMS_SECRET", "zak", "api_key", "code", "signature", "device_code",
]  # fmt: skip
NAMES = [name for name in FIELDS if name not in ("Authorization", "Set-Cookie")]
LEVELS = list(Level)

SHAPES: list[Callable[[str, str], str]] = [
    lambda name, token: f"{name}={token}",
    lambda name, token: f"GET https://example.com/cb?a=1&{name}={token}&b=2",
    lambda name, token: f"https%3A%2F%2Fexample.com%2Fcb%3F{name}%3D{token}%26b%3D2",
    lambda name, token: json.dumps({"x": 1, name: token, "y": "z"}),
    lambda name, token: json.dumps({"body": json.dumps({name: token})}),
    lambda name, token: repr({name: token}),
    lambda name, token: f'{{"{name}":"{token}',
    lambda name, token: f"{name}: {token}\r\nhost: example.com",
    lambda name, token: f"curl -H '{name}: {token}' https://example.com",
    lambda name, token: quote(json.dumps({name: token})),
    lambda name, token: f"{name} = '{token}'",
]

STANDALONE: list[Callable[[str], str]] = [
    lambda token: f"Authorization: Bearer {token}",
    lambda token: f'"authorization": "Basic {token}=="',
    lambda token: f"authorization=bearer%20{token}",
    lambda token: f"sent eyJ{token}.{token}.sig to Zoom",
    lambda token: f"stored gAAAAA{token}==",
    lambda token: f"postgresql://me:{token}@db.example.com/audit",
    lambda token: f"http://me:{token}@proxy.example.com:8080/",
    lambda token: f"Cookie: _zm_ssid={token}; other=1",
    lambda token: f"-----BEGIN RSA PRIVATE KEY-----\n{token}\n-----END RSA PRIVATE KEY-----",
    lambda token: f"-----BEGIN PRIVATE KEY-----\n{token}",
]


@given(token=tokens, name=st.sampled_from(NAMES), shape=st.sampled_from(SHAPES), level=st.sampled_from(LEVELS))
def test_named_secret_never_survives(token: str, name: str, shape: Callable[[str, str], str], level: Level) -> None:
    """A secret behind a name that says so is masked in every notation, and its name stays readable."""
    text = redact_text(shape(name, token), level=level)
    assert token not in text
    assert name in text
    assert MASK in text


@given(token=tokens, shape=st.sampled_from(STANDALONE), before=st.text(), after=st.text())
def test_shaped_secret_never_survives(token: str, shape: Callable[[str], str], before: str, after: str) -> None:
    """A secret that its own shape gives away is masked, whatever stands around it."""
    assume(token not in before + after)
    assert token not in redact_text(f"{before} {shape(token)}\n{after}")


@pytest.mark.parametrize("name", [*FIELDS, "idToken", "SDK_SECRET", "privateKey", "cookie"])
@given(token=tokens, level=st.sampled_from(LEVELS))
def test_field_hides_its_value(name: str, token: str, level: Level) -> None:
    """A field that means a secret hides its value, however deep it lies and of whatever kind it is."""
    value = {
        "plain": {name: token},
        "list": [{"a": ({name: [token, {"deeper": token}]},)}],
        "pairs": [[name, token], (name, token)],
        "har": [{"name": name, "value": token}],
        "number": {name: 123456789012},
        "bytes": f"{name}={token}".encode() if name in NAMES else b"",
    }
    shown = repr(redact_value(value, level=level))
    assert token not in shown or name in ("code", "signature")
    if name not in ("code", "signature"):
        assert "123456789012" not in shown
    assert token not in repr(redact_value({name: token}, level=level))


def test_fernet_key_and_signature() -> None:
    """Keys of the vault and webhook signatures are masked wherever they stand."""
    key = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE="
    signature = "v0=" + "0123456789abcdef" * 4
    assert redact_text(f"key {key} of {signature}") == f"key {MASK} of v0={MASK}"
    assert redact_text(f"RTMS_AUDIT_KEY={key},{key}") == f"RTMS_AUDIT_KEY={MASK},{MASK}"
    assert redact_value({"signature": "ab" * 32}) == {"signature": MASK}


READABLE: list[object] = [
    {"code": 2310, "message": "Cannot start RTMS: no Developer Pack"},
    {"code": "13262"},
    {"code": 200, "message": "No permission."},
    {"reason": "Invalid Token!", "error": "invalid_grant"},
    {
        "event": "meeting.rtms_stopped",
        "payload": {"stop_reason": 18, "rtms_stream_id": "609340fb2a7946909659956c8aa9250c"},
    },
    {"signature": "verified", "verified_with": "production", "answered": 200},
    {"signature": "unchecked", "state": "STARTED"},
    {"state": "DISCONNECTED", "code": "state-unknown"},
    {"token_type": "bearer", "expires_in": 3599, "scope": "meeting:read:meeting user:read:user"},
    {"next_page_token": "", "page_count": 1},
    {"next_page_token": "Tva2CuIdTgsv8wAnhyAdU3m06Y2HuLQtlh3"},
    {"has_password": True, "password": None, "token": ""},
    {"client_id": "abcDEF123", "response": {"status": 401, "body": {"code": 124, "message": "Invalid access token."}}},
    {"sha256": "ab" * 32},
    {"closed": {"code": 1000, "reason": "Normal Closure"}},
    "onLeave reason: 18; join reason 960, status_code 3",
    "on_session_start, failed, reason: 504",
    'signal resp: {"msg_type":2,"status_code":3,"reason":"RTMS-1003: signature"}',
    "Invalid access token: expired",
    "No authorization: the user did not authorize the app",
    "Bearer authentication required",
    "GET /v2/users/me/settings 200 in 12 ms",
    "http://127.0.0.1:8080/v2/users/me?at=a@b",
    "http://[::1]:8080/v2",
    "code=2310&state=on",
    "/cb?code=124",
    "tracking id v=2.0;clid=aw1;rid=WEB_5b1d3c",
    "X-Zm-Request-Id: 4fbe3a4b",
    None,
    3.5,
]


@pytest.mark.parametrize("value", READABLE, ids=repr)
def test_what_explains_stays_readable(value: object) -> None:
    """Codes, statuses, reasons, event names, verdicts and ids that support asks for are left as they are."""
    assert redact_value(value) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | tokens | st.emails(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from([*FIELDS, "email", "id"]), inner),
    max_leaves=12,
)


@given(value=json_values, level=st.sampled_from(LEVELS))
@example(value={"name": "email", "value": "a@b.cc"}, level=Level.PERSONAL)
def test_masking_twice_changes_nothing(value: object, level: Level) -> None:
    """What was masked once stays as it is when masked again, at that level and the lower one."""
    once = redact_value(value, level=level)
    assert redact_value(once, level=level) == once
    assert redact_value(once) == once


@given(
    text=st.text()
    | st.builds(lambda shape, *named: shape(*named), st.sampled_from(SHAPES), st.sampled_from(FIELDS), tokens),
    level=st.sampled_from(LEVELS),
)
def test_masking_text_twice_changes_nothing(text: str, level: Level) -> None:
    """A text that was masked once stays as it is when masked again."""
    once = redact_text(text, level=level)
    assert redact_text(once, level=level) == once


@given(value=json_values)
def test_value_given_is_left_alone(value: object) -> None:
    """Masking makes a new value and does not change the one given."""
    before = repr(value)
    redact_value(value, level=Level.PERSONAL)
    assert repr(value) == before


USER: dict[str, Any] = {
    "id": "KDcuGIm1QgePTO8WbOqwIQ",
    "email": "jchill@example.com",
    "display_name": "Jill Chill",
    "account_id": "gVcjZnYYRLDbb_MfgHuaxg",
    "pmi": 6840331980,
    "type": 1,
    "verified": 1,
    "role_name": "Owner",
}


def test_personal_data_become_pseudonyms() -> None:
    """At the personal level e-mails, names and ids become pseudonyms; plan, type and roles stay."""
    shown: Any = redact_value(USER, level=Level.PERSONAL)
    assert {key: str(shown[key]).split("-")[0] for key in USER} == {
        "id": "id", "email": "email", "display_name": "name", "account_id": "account", "pmi": "meeting", "type": "1",
        "verified": "1", "role_name": "Owner",
    }  # fmt: skip
    assert redact_value(USER) == USER


def test_equal_values_stay_equal() -> None:
    """One person under two names is still seen to be one, in fields and in paths; a salt changes all of it."""
    value = {"id": "u1u1u1u1", "operator_id": "u1u1u1u1", "path": "/v2/users/u1u1u1u1/settings?x", "me": "/v2/users/me"}
    shown: Any = redact_value(value, level=Level.PERSONAL)
    mark = shown["operator_id"].removeprefix("user-")
    assert (shown["id"], shown["path"]) == (f"id-{mark}", f"/v2/users/user-{mark}/settings?x")
    assert shown["me"] == "/v2/users/me"
    salted: Any = redact_value(value, level=Level.PERSONAL, salt="ticket 7")
    assert mark not in repr(salted)
    assert redact_value({"user_id": "me", "host_id": None, "topic": ""}, level=Level.PERSONAL) == {
        "user_id": "me", "host_id": None, "topic": "",
    }  # fmt: skip


@given(email=st.emails(), topic=st.text(string.ascii_letters, min_size=6), meeting=st.integers(10**9, 10**11))
def test_personal_data_never_survive(email: str, topic: str, meeting: int) -> None:
    """E-mails, topics and meeting numbers are found in fields, in JSON text and in paths."""
    assume(topic.lower() not in "topicmeetingnumber_idemail")
    value = {"object": {"topic": topic, "host_email": email, "meeting_id": meeting, "by": email}}
    for shown in (
        repr(redact_value(value, level=Level.PERSONAL)),
        redact_text(json.dumps({"topic": topic, "meeting_number": str(meeting)}), level=Level.PERSONAL),
        redact_text(f"PATCH /v2/live_meetings/{meeting}/rtms_app/status", level=Level.PERSONAL),
    ):
        assert email not in shown
        assert str(meeting) not in shown
        assert topic not in shown or len(topic) < 7
    assert "jchill@example.com" not in redact_text("by jchill@example.com.", level=Level.PERSONAL)


def test_empty_personal_words_stay() -> None:
    """Where a personal field says nothing, the text keeps saying so."""
    assert redact_text("topic=none, user_id=null", level=Level.PERSONAL) == "topic=none, user_id=null"
    assert redact_value({"user_id": ["a"], "id": True}, level=Level.PERSONAL) == {"user_id": ["a"], "id": True}


def test_bytes_keep_what_is_no_text() -> None:
    """Bytes are masked where they are text and kept where they are not."""
    assert redact_bytes(b"\xff\x00 client_secret=hush1 \xfe") == b"\xff\x00 client_secret=" + MASK.encode() + b" \xfe"
    assert redact_value(b"\xff\x00") == b"\xff\x00"


def test_other_objects_come_back() -> None:
    """What is no JSON comes back as it is."""
    thing = object()
    assert redact_value({"thing": thing, 1: 2}) == {"thing": thing, 1: 2}


def test_long_text_is_quick() -> None:
    """Masking a log of a megabyte takes no more than a moment."""
    line = "2026-03-02 10:00:00 signal resp: msg_type 2 status_code 3 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=:\n"
    assert len(redact_text(line * 10_000)) > 1_000_000
    redact_text("a" * 100_000 + ":" + "/" * 100_000 + '"' * 100_000 + "\\" * 100_000)


@pytest.mark.parametrize("path", ["/v2/users/summary", "/v2/users/me/settings", "/v2/meetings/live_streams?x=1"])
def test_words_in_paths_stay(path: str) -> None:
    """A word of Zoom's paths names nobody and stays."""
    assert redact_text(f"GET {path}.", level=Level.PERSONAL) == f"GET {path}."


@pytest.mark.parametrize("voice", ["the probe", "the backend", "rtms-audit"])
def test_own_voices_stay(voice: str) -> None:
    """What the tool states itself is not said to come from a person."""
    assert redact_value({"by": voice}, level=Level.PERSONAL) == {"by": voice}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Meeting does not exist: 44958563878.", "Meeting does not exist: meeting-"),
        ("joined meeting 449 5856 3878 late", "joined meeting meeting-"),
        ("signed in (Zoom account Dq7mbQSvBJtroqOGXGhuuS)", "signed in (Zoom account account-"),
        ("User does not exist: KDcuGIm1QgePTO8WbOqwIQ.", "User does not exist: user-"),
    ],
)
def test_ids_in_sentences_are_masked(text: str, shown: str) -> None:
    """Ids that only the words before them show are masked in prose."""
    assert redact_text(text, level=Level.PERSONAL).startswith(shown)
    assert redact_text(text) == text


def test_numbers_and_words_in_sentences_stay() -> None:
    """Times, counts and long words after the same nouns are no ids."""
    text = "meeting started 1772445600; user authentication-missing; account 12"
    assert redact_text(text, level=Level.PERSONAL) == text
