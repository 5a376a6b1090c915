"""One REST call as its handler sees it, and the table row that leads there."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from rtms_audit.sandbox.answers import Answer, RefusedError, no_user
from rtms_audit.sandbox.tokens import Access
from rtms_audit.sandbox.world import Account, User, World

if TYPE_CHECKING:
    from rtms_audit.sandbox.platform import Platform

PAGE_DEFAULT = 30
PAGE_MAX = 300
PAGE_TOKEN_TTL_S = 900


@dataclass(frozen=True)
class Call:
    """An authenticated call whose scopes and limits have been checked."""

    platform: "Platform"
    access: Access
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: object

    @property
    def world(self) -> World:
        """Return the world the call is made in."""
        return self.platform.world

    @property
    def account(self) -> Account:
        """Return the account whose data is called, and whose limits count."""
        return account_of(self.access)

    @property
    def is_admin(self) -> bool:
        """Whether the token may act for the whole account."""
        return any(scope.endswith(":admin") for scope in self.access.scopes)

    @property
    def caller(self) -> User | None:
        """Return the user behind the token; None for Server-to-Server and the app itself."""
        return self.access.grant.user if self.access.grant else None

    def subject(self, name: str) -> User:
        """Return the user a path names: `me` for a user's token alone, ids for a Server-to-Server token alone."""
        if self.caller is not None and name == "me":
            return self.caller
        if self.caller is not None and not self.is_admin:
            raise no_user(name)
        user = self.world.user(name)
        if user is None or user.account is not self.account:
            raise no_user(name)
        return user

    def own_account(self, name: str) -> Account:
        """Return the caller's account for `me` or its own id."""
        if name not in ("me", self.account.account_id):
            raise RefusedError(404, 2001, f"Account does not exist: {name}.")
        return self.account

    def object_body(self) -> Mapping[str, object]:
        """Return the JSON object of the body; refused with 300 where it is none."""
        if not isinstance(self.body, dict):
            raise RefusedError(400, 300, "Request Body should be a valid JSON object.")
        return self.body

    def page(self, key: str, items: Sequence[object]) -> Answer:
        """Return one page of a list with the token of the next (15 minutes)."""
        size = self._page_size()
        start = self._page_start()
        end = start + size
        token = self._page_token(end) if end < len(items) else ""
        body = {"next_page_token": token, "page_size": size, "total_records": len(items), key: list(items[start:end])}
        return Answer(200, body)

    def _page_size(self) -> int:
        text = self.query.get("page_size", str(PAGE_DEFAULT))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= PAGE_MAX:
            raise RefusedError(400, 300, "Validation Failed.")
        return int(text)

    def _page_token(self, start: int) -> str:
        until = int((self.world.clock.now() + timedelta(seconds=PAGE_TOKEN_TTL_S)).timestamp())
        return base64.urlsafe_b64encode(f"{start}:{until}".encode()).decode()

    def _page_start(self) -> int:
        token = self.query.get("next_page_token", "")
        if not token:
            return 0
        try:
            start, _, until = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
            if int(until) > self.world.clock.now().timestamp():
                return max(0, int(start))
        except (ValueError, binascii.Error):
            pass
        raise RefusedError(400, 300, "The next page token is invalid or expired.")


def account_of(access: Access) -> Account:
    """Return the account a token belongs to (an app's own token: the account of its owner)."""
    if access.grant is not None:
        return access.grant.user.account
    if access.account is not None:
        return access.account
    assert access.client is not None  # noqa: S101  (one of the three is always set)
    return access.client.app.owner


Handler: TypeAlias = Callable[[Call], Answer]


@dataclass(frozen=True)
class Endpoint:
    """One REST address: its rate label, the scopes of which one is needed, and how a missing one is told."""

    method: str
    template: str
    label: str
    scopes: tuple[str, ...]
    handler: Handler
    family: str = "4711"

    def match(self, method: str, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path's parameters if the call is for this address."""
        own = self.template.strip("/").split("/")
        if method != self.method or len(own) != len(segments):
            return None
        found: dict[str, str] = {}
        for mine, theirs in zip(own, segments, strict=True):
            if mine.startswith("{"):
                found[mine.strip("{}")] = theirs
            elif mine != theirs:
                return None
        return found


def both(scope: str, *classic: str) -> tuple[str, ...]:
    """Return a granular scope in its user and admin form, with classic names that also do."""
    return (scope, f"{scope}:admin", *classic)
