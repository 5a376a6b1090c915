"""REST answers and refusals in the shapes Zoom uses."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: `body` is a JSON value, raw text (for Zoom's malformed answers) or None for an empty one."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """A REST call is refused with Zoom's `{code, message}`."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.answer = Answer(status, {"code": code, "message": message})


class MalformedError(RefusedError):
    """The missing-scope answer of newer product APIs: quotes inside the message are not escaped, so it is no JSON.

    Reported at devforum.zoom.us/t/115792.
    """

    def __init__(self, scopes: tuple[str, ...]) -> None:
        listed = ",".join(f'"{scope}"' for scope in scopes)
        super().__init__(400, 104, f"Invalid access token, does not contain scopes:[{listed}]")
        self.answer = Answer(400, f'{{"code": 104,\n"message": "{self.message}"}}')


def no_user(name: str) -> RefusedError:
    """Return Zoom's answer for a user the caller cannot see."""
    return RefusedError(404, 1001, f"User does not exist: {name}.")


def no_meeting(name: object) -> RefusedError:
    """Return Zoom's answer for a meeting that is over or never was."""
    return RefusedError(404, 3001, f"Meeting does not exist: {name}.")


def paid_only(status: int = 200, words: str = "Only available for paid accounts.") -> RefusedError:
    """Return the answer of a paid-only address to a free account; often with HTTP 200."""
    return RefusedError(status, 200, words)


def missing_scope(family: str, scopes: tuple[str, ...]) -> RefusedError:
    """Return the refusal of a call whose token lacks every one of these scopes, as an API family words it."""
    if family == "104":
        return MalformedError(scopes)
    status = 401 if family == "201" else 400
    return RefusedError(status, int(family), f"Invalid access token, does not contain scopes:[{', '.join(scopes)}].")
