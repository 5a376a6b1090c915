"""Reading Zoom's answers, whatever shape they have."""

import pytest

from rtms_audit.core.answers import as_int, error_of, missing_scopes, parse_body


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b'{"code": 1}', {"code": 1}),
        (b" [1, 2] ", [1, 2]),
        (b"", None),
        (b" \n", None),
        (b"<html>", "<html>"),
        (b"\xff\xfe", "��"),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_a_body_is_json_or_its_text(raw: bytes, body: object) -> None:
    """JSON is parsed, anything else kept as text, and nothing is nothing."""
    assert parse_body(raw) == body


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), ("3", 3), (" -15 ", -15), (True, None), (None, None), ("3.0", None), (3.5, None), ("9" * 16, None)],
)
def test_numbers_are_read_from_digits_too(value: object, number: int | None) -> None:
    """Zoom writes some numbers as texts; truth values and absurd lengths are none."""
    assert as_int(value) == number


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"id": "x"}),
        (204, None),
        (200, {"code": 200}),
        (None, None),
        (200, "all is well"),
        (302, {"message": "x"}),
    ],
)
def test_a_success_is_no_error(status: int | None, body: object) -> None:
    """A body without code and message, and a status below 400, are no error."""
    assert error_of(status, body) is None


def test_an_error_may_come_with_status_200() -> None:
    """Zoom sends `{"code", "message"}` with HTTP 200 too."""
    error = error_of(200, {"code": "200", "message": "Only available for Paid account."})
    assert error
    assert (error.status, error.code) == (200, 200)


def test_code_104_with_unescaped_quotes_is_read() -> None:
    """The body that is not quite JSON still tells its code, its message and the scopes."""
    body = '{"code":104,"message":"Invalid access token, does not contain scopes:["meeting:write","rtms:read"]"}'
    error = error_of(400, body)
    assert error
    assert (error.code, error.scopes) == (104, ("meeting:write", "rtms:read"))


def test_a_broken_body_without_a_whole_message_keeps_what_there_is() -> None:
    """Where the message cannot be cut out, the rest of the body stands for it."""
    error = error_of(400, '{"code":300, message: nothing is quoted}')
    assert error
    assert (error.code, error.message) == (300, "message: nothing is quoted")


def test_the_token_address_answers_in_a_pair_of_words() -> None:
    """`reason` and `error` are kept apart, and the reason serves as the message."""
    error = error_of(400, {"reason": "Invalid Token!", "error": "invalid_grant"})
    assert error
    assert (error.reason, error.error, error.message, error.code) == (
        "Invalid Token!",
        "invalid_grant",
        "Invalid Token!",
        None,
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Invalid client. (4,702)", 4702),
        ({"reason": "superseded (4741)", "error": "invalid_request"}, 4741),
        ("no number in it", None),
        ({"message": "The app is not authorized to access meeting content."}, 13262),
        ({"message": "Not allowed to start RTMS app"}, 2308),
    ],
)
def test_numbers_in_prose_are_found(body: object, code: int | None) -> None:
    """Zoom's error page writes its number with a comma, and people quote refusals without theirs."""
    error = error_of(400, body)
    assert error
    assert error.code == code


@pytest.mark.parametrize(
    ("message", "scopes"),
    [
        ("does not contain scopes:[a:b, c:d]", ("a:b", "c:d")),
        ("does not contain scopes [ ]", ()),
        ("it does not contain meeting:read:meeting_audio", ("meeting:read:meeting_audio",)),
        ("no scope", ()),
    ],
)
def test_missing_scopes_are_read_from_the_message(message: str, scopes: tuple[str, ...]) -> None:
    """They stand in brackets, or in the sentence."""
    assert missing_scopes(message) == scopes
