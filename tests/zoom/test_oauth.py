"""The client of Zoom's OAuth addresses, against a real HTTP server on the loopback."""

import base64
import hashlib
import json
import logging
import socket
import struct
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.zoom.oauth import Pair, ProblemKind, ZoomOAuth
from rtms_audit.zoom.token_reading import read_tokens

PAIR = Pair("DevClientId", Secret("canary-client-secret"), "https://app.example.com/callback")
VERIFIER = Secret("v" * 64)
GRANTED = {
    "access_token": "canary-access-token",
    "token_type": "bearer",
    "refresh_token": "canary-refresh-token",
    "expires_in": 3599,
    "scope": "meeting:read:meeting_audio user:read:user",
    "api_url": "https://api-us.zoom.us",
}


def form(body: bytes) -> dict[str, str]:
    """Return the fields of a form body."""
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


@pytest.fixture
def oauth(server: Any, clock: Any) -> ZoomOAuth:
    """Give a client of the local server."""
    return ZoomOAuth(f"{server.url}/oauth", clock=clock, timeout=2)


class TestAuthorizeUrl:
    """The address that is opened in the browser."""

    def test_asks_for_a_code_with_pkce_and_no_scope(self, oauth: ZoomOAuth) -> None:
        """It carries the S256 challenge of the verifier, the state and the redirect address, and no scope."""
        url = oauth.authorize_url("DevClientId", "http://127.0.0.1:8000/callback", "the state", VERIFIER)
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        digest = hashlib.sha256(VERIFIER.reveal().encode()).digest()
        assert query == {
            "response_type": "code",
            "client_id": "DevClientId",
            "redirect_uri": "http://127.0.0.1:8000/callback",
            "state": "the state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        assert urlsplit(url).path == "/oauth/authorize"

    @pytest.mark.parametrize(
        "redirect",
        ["http://app.example.com/cb", "app.example.com/cb", "https://", "https://a.example.com/x#y", "ftp://a/b",
         "https://a.example.com/\r\nX: y", "http://[::1", "https://a.example.com:port/"],
    )  # fmt: skip
    def test_refuses_redirect_addresses_that_cannot_work(self, oauth: ZoomOAuth, redirect: str) -> None:
        """A redirect address that Zoom would refuse is refused before the browser opens."""
        with pytest.raises(UserError, match="cannot be a redirect address"):
            oauth.authorize_url("DevClientId", redirect, "state", VERIFIER)

    @pytest.mark.parametrize(
        ("client", "state", "verifier"), [("", "s", "v" * 43), ("c", "", "v" * 43), ("c", "s", "v")]
    )
    def test_refuses_missing_parts(self, oauth: ZoomOAuth, client: str, state: str, verifier: str) -> None:
        """Without client id, state or a verifier of the right length there is no address."""
        with pytest.raises(UserError):
            oauth.authorize_url(client, "https://a.example.com/cb", state, Secret(verifier))

    @pytest.mark.parametrize("base", ["", "zoom.us/oauth", "https://zoom.us/oauth?x=1", "https://user@zoom.us/oauth"])
    def test_base_address_is_checked(self, clock: Any, base: str) -> None:
        """A base address that is none is a user's error with the address in it."""
        with pytest.raises(UserError, match="not a usable address"):
            ZoomOAuth(base, clock=clock)


class TestPair:
    """Credential pairs."""

    @pytest.mark.parametrize(("client", "secret"), [("", "x"), ("a:b", "x"), ("a\r\nb", "x"), ("ä", "x"), ("id", "")])
    def test_refuses_what_no_basic_header_can_hold(self, client: str, secret: str) -> None:
        """Ids and secrets with colons, line ends or letters beyond ASCII are refused."""
        with pytest.raises(UserError):
            Pair(client, Secret(secret))

    def test_the_message_does_not_hold_the_secret(self) -> None:
        """A broken secret is not repeated in the message."""
        with pytest.raises(UserError) as caught:
            Pair("id", Secret("canary secret"))
        assert "canary" not in f"{caught.value} {caught.value.next_step}"


class TestExchangeCode:
    """Trading the code for tokens."""

    def test_sends_basic_credentials_and_the_verifier(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """The request is a form with code, redirect address and verifier; the pair is in the Basic header only."""
        server.replies(reply(GRANTED))
        oauth.exchange_code(PAIR, Secret("the code"), VERIFIER)
        sent = server.requests[0]
        assert (sent.method, sent.path) == ("POST", "/oauth/token")
        assert (
            sent.headers["authorization"] == "Basic " + base64.b64encode(b"DevClientId:canary-client-secret").decode()
        )
        assert form(sent.body) == {
            "grant_type": "authorization_code",
            "code": "the code",
            "redirect_uri": "https://app.example.com/callback",
            "code_verifier": VERIFIER.reveal(),
        }
        assert sent.headers["user-agent"].startswith("rtms-audit/")

    def test_reads_the_tokens(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """Both tokens, lifetime, scopes and regional address are read."""
        server.replies(reply(GRANTED))
        tokens = oauth.exchange_code(PAIR, Secret("code"), VERIFIER).tokens
        assert tokens is not None
        assert tokens.access == Secret("canary-access-token")
        assert tokens.refresh == Secret("canary-refresh-token")
        assert tokens.expires_in == 3599
        assert tokens.scopes == ("meeting:read:meeting_audio", "user:read:user")
        assert tokens.api_url == "https://api-us.zoom.us"

    def test_without_a_redirect_address_none_is_sent(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """A pair without a redirect address leaves the field out, and scopes may come as a list."""
        server.replies(reply({"access_token": "abc", "scope": ["user:read:user"]}))
        answer = oauth.exchange_code(Pair("id", Secret("secret")), Secret("code"), VERIFIER)
        assert "redirect_uri" not in form(server.requests[0].body)
        assert answer.tokens is not None
        assert answer.tokens.scopes == ("user:read:user",)

    def test_keeps_nothing_secret(self, oauth: ZoomOAuth, server: Any, reply: Any, clock: Any) -> None:
        """Exchange, observation fields and repr hold neither tokens nor code, verifier, secret or Basic header."""
        server.replies(reply(GRANTED, headers={"x-zm-trackingid": "v=2.0;clid=aw1", "Set-Cookie": "canary-cookie=1"}))
        answer = oauth.exchange_code(PAIR, Secret("canary-code"), Secret("canary-verifier" + "v" * 40))
        kept = f"{answer!r} {answer.exchange.body!r} {answer.oauth_fields()!r}"
        assert "canary" not in kept
        assert answer.exchange.tracking_id == "v=2.0;clid=aw1"
        assert answer.exchange.at == clock.now
        assert answer.oauth_fields() == {
            "grant": "authorization_code",
            "request": {
                "grant_type": "authorization_code",
                "code": "[secret]",
                "code_verifier": "[secret]",
                "redirect_uri": "https://app.example.com/callback",
            },
            "response": {
                "status": 200,
                "body": {**GRANTED, "access_token": "[secret]", "refresh_token": "[secret]"},
            },
        }

    def test_a_code_in_the_reason_is_masked(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """Zoom appends the code to its reason; it reaches neither the exchange nor the problem."""
        body = {"reason": "Invalid authorization code canary-code_1", "error": "invalid_grant"}
        server.replies(reply(body, 400))
        answer = oauth.exchange_code(PAIR, Secret("canary-code_1"), VERIFIER)
        assert answer.problem is not None
        assert answer.problem.kind is ProblemKind.CODE_REFUSED
        assert answer.problem.reason == "Invalid authorization code [secret]"
        assert b"canary" not in answer.exchange.body

    def test_another_clients_code_in_the_reason_is_masked_too(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """Even a code that this call did not send does not stay in the text."""
        server.replies(reply({"reason": "Invalid authorization code: canary-other", "error": "invalid_grant"}, 400))
        assert b"canary" not in oauth.exchange_code(PAIR, Secret("abcdef"), VERIFIER).exchange.body


PROBLEMS = [
    (400, {"reason": "Invalid Token!", "error": "invalid_grant"}, ProblemKind.GRANT_DEAD),
    (401, {"reason": "Invalid Token!", "error": "invalid_request"}, ProblemKind.GRANT_DEAD),
    (400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, ProblemKind.CLIENT_INVALID),
    (401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, ProblemKind.CLIENT_INVALID),
    (400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"}, ProblemKind.OTHER),
    (400, {"error": "unauthorized_client"}, ProblemKind.OTHER),
    (400, {"code": 4735, "message": "user does not exist"}, ProblemKind.USER_REMOVED),
    (401, {"reason": "No authorization record (4737)", "error": "invalid_grant"}, ProblemKind.NO_AUTHORIZATION),
    (400, {"reason": "token disabled by admin 4738", "error": "invalid_request"}, ProblemKind.APPROVAL_WITHDRAWN),
    (400, {"reason": "(4,740) out of tolerance", "error": "invalid_grant"}, ProblemKind.REUSED),
    (500, {"reason": "4741 token revoked", "error": "invalid_grant"}, ProblemKind.SUPERSEDED),
    (400, {"code": "4717", "reason": "disabled", "error": "access_denied"}, ProblemKind.APP_DISABLED),
    (429, {"code": 429, "message": "too many"}, ProblemKind.RATE_LIMITED),
    (429, "<html>slow down</html>", ProblemKind.RATE_LIMITED),
    (500, {"reason": "Invalid Token!", "error": "invalid_grant"}, ProblemKind.TRANSIENT),
    (503, b"", ProblemKind.TRANSIENT),
    (200, "<html>maintenance</html>", ProblemKind.TRANSIENT),
    (400, "<html><body>Bad Request</body></html>", ProblemKind.TRANSIENT),
    (400, "<html>Invalid client (4,702)</html>", ProblemKind.CLIENT_INVALID),
    (400, "<html>Error code: 4741</html>", ProblemKind.SUPERSEDED),
    (200, {}, ProblemKind.TRANSIENT),
    (200, [], ProblemKind.TRANSIENT),
    (200, b"null", ProblemKind.TRANSIENT),
    (200, b"\xff\xfe{", ProblemKind.TRANSIENT),
    (200, {"access_token": ""}, ProblemKind.TRANSIENT),
    (200, {"access_token": "two\r\nX-Injected: 1", "refresh_token": "a"}, ProblemKind.TRANSIENT),
    (200, {"access_token": "good", "refresh_token": 7}, ProblemKind.TRANSIENT),
    (200, {"reason": "Invalid Token!", "error": "invalid_grant"}, ProblemKind.GRANT_DEAD),
    (302, b"", ProblemKind.TRANSIENT),
    (200, b"[" * 100_000, ProblemKind.TRANSIENT),
    (400, {"reason": {"deep": ["x"]}, "error": ["invalid_grant"]}, ProblemKind.TRANSIENT),
]


class TestRefresh:
    """Refreshing, and reading what a failed refresh means."""

    def test_gives_the_new_pair(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """The old refresh token is sent once and the new pair comes back."""
        server.replies(reply(GRANTED))
        answer = oauth.refresh(PAIR, Secret("canary-old"))
        assert form(server.requests[0].body) == {"grant_type": "refresh_token", "refresh_token": "canary-old"}
        assert answer.problem is None
        assert answer.tokens is not None
        assert answer.tokens.refresh == Secret("canary-refresh-token")
        assert len(server.requests) == 1

    def test_an_answer_without_a_refresh_token_keeps_the_old_one(
        self, oauth: ZoomOAuth, server: Any, reply: Any
    ) -> None:
        """Where Zoom names no new refresh token the one that was sent stays, and scopes are unknown, not none."""
        server.replies(reply({"access_token": "abc", "expires_in": "3600"}))
        tokens = oauth.refresh(PAIR, Secret("canary-old")).tokens
        assert tokens is not None
        assert tokens.refresh == Secret("canary-old")
        assert tokens.scopes is None
        assert tokens.expires_in == 3600

    @pytest.mark.parametrize(("status", "body", "kind"), PROBLEMS)
    def test_reads_problems(
        self, oauth: ZoomOAuth, server: Any, reply: Any, status: int, body: object, kind: ProblemKind
    ) -> None:
        """Every known and every garbled answer has its reading, and no tokens come of it."""
        server.replies(reply(body, status))
        answer = oauth.refresh(PAIR, Secret("canary-old"))
        assert answer.tokens is None
        assert answer.problem is not None
        assert answer.problem.kind is kind
        assert answer.exchange.status == status
        assert len(server.requests) == 1

    def test_keeps_zooms_words(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """Error, reason and status are there to be shown; only endings end the grant."""
        server.replies(reply({"reason": "Invalid Token!", "error": "invalid_grant"}, 400))
        problem = oauth.refresh(PAIR, Secret("old")).problem
        assert problem is not None
        assert (problem.status, problem.error, problem.reason) == (400, "invalid_grant", "Invalid Token!")
        assert problem.ends_grant

    def test_a_new_redirection_is_not_followed(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """The Basic header goes to the configured address only."""
        server.replies(reply(b"", 307, {"Location": f"{server.url}/elsewhere?code=canary"}))
        answer = oauth.refresh(PAIR, Secret("old"))
        assert len(server.requests) == 1
        assert answer.exchange.headers["location"].endswith("/elsewhere")


class TestTrouble:
    """The network between us and Zoom."""

    def test_nobody_listens(self, closed_port: str, clock: Any) -> None:
        """A refused connection is transient and says so."""
        answer = ZoomOAuth(f"{closed_port}/oauth", clock=clock).refresh(PAIR, Secret("canary"))
        assert answer.problem is not None
        assert answer.problem.kind is ProblemKind.TRANSIENT
        assert answer.exchange.error == "ConnectionError: connection refused"
        assert answer.exchange.status is None
        assert answer.oauth_fields()["response"] == {"body": "ConnectionError: connection refused"}

    def test_the_connection_breaks(self, oauth: ZoomOAuth, server: Any) -> None:
        """A connection that is closed without an answer is transient."""
        server.replies(None)
        problem = oauth.client_credentials(PAIR).problem
        assert problem is not None
        assert problem.kind is ProblemKind.TRANSIENT

    def test_plain_text_where_tls_is_expected(self, server: Any, clock: Any) -> None:
        """A server that does not speak TLS is named as that."""
        address = server.url.replace("http://", "https://")
        answer = ZoomOAuth(address, clock=clock, timeout=2).client_credentials(PAIR)
        assert answer.exchange.error is not None
        assert "TLS" in answer.exchange.error

    def test_a_trickle_does_not_hold_us(self, server: Any, clock: Any) -> None:
        """A server that sends one byte now and then is given up at the deadline of the whole exchange."""

        def trickle(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(40):
                connection.sendall(b"X")
                time.sleep(0.05)

        server.raw = trickle
        oauth = ZoomOAuth(server.url, clock=clock, timeout=0.2)
        started = time.monotonic()
        answer = oauth.client_credentials(PAIR)
        assert time.monotonic() - started < 1.5
        assert answer.exchange.error is not None
        assert "timed out" in answer.exchange.error

    def test_a_flood_is_cut(self, server: Any, clock: Any, reply: Any) -> None:
        """An answer without end is not read to its end."""
        server.replies(reply(b"x" * 5_000_000))
        answer = ZoomOAuth(server.url, clock=clock).client_credentials(PAIR)
        assert answer.exchange.error == "AnswerTooLargeError: the answer is too large"

    def test_a_reset(self, oauth: ZoomOAuth, server: Any) -> None:
        """A connection that is reset is told as that."""

        def reset(connection: socket.socket) -> None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        server.raw = reset
        answer = oauth.client_credentials(PAIR)
        assert answer.exchange.error == "ConnectionError: the connection was reset"

    def test_a_proxy_that_is_not_there(self, closed_port: str, clock: Any) -> None:
        """A proxy that cannot be reached is not taken for Zoom."""
        with requests.Session() as transport:
            transport.proxies = {"http": closed_port}
            answer = ZoomOAuth("http://zoom.example.com/oauth", clock=clock, transport=transport).client_credentials(
                PAIR
            )
        assert answer.exchange.error == "ProxyError: the proxy could not be reached or refused"

    def test_nothing_secret_is_logged(
        self, oauth: ZoomOAuth, server: Any, reply: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Even at the most talkative level the log holds no token, code or secret."""
        server.replies(reply(GRANTED))
        with caplog.at_level(logging.DEBUG):
            oauth.exchange_code(PAIR, Secret("canary-code"), VERIFIER)
            oauth.refresh(PAIR, Secret("canary-old"))
            oauth.revoke(PAIR, Secret("canary-token"))
        assert "canary" not in caplog.text

    def test_a_given_transport_is_used(self, server: Any, clock: Any, reply: Any) -> None:
        """A caller's session brings its own adapters and proxies."""
        server.replies(reply(GRANTED))
        with requests.Session() as transport:
            transport.proxies = {"http": server.url}
            answer = ZoomOAuth("http://zoom.example.com/oauth", clock=clock, transport=transport).refresh(
                PAIR, Secret("old")
            )
        assert answer.problem is None
        assert server.requests[0].path == "http://zoom.example.com/oauth/token"


class TestOtherGrants:
    """Client credentials, account credentials and revocation."""

    def test_client_credentials(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """A good pair gets an app-owned token without a refresh token."""
        server.replies(
            reply({"access_token": "abc", "token_type": "bearer", "expires_in": 3600, "scope": "imchat:bot"})
        )
        tokens = oauth.client_credentials(PAIR).tokens
        assert form(server.requests[0].body) == {"grant_type": "client_credentials"}
        assert tokens is not None
        assert tokens.refresh is None

    def test_account_credentials(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """The account id is sent and stays visible in what is kept."""
        server.replies(reply({"reason": "Account does not exist", "error": "invalid_request"}, 400))
        answer = oauth.account_credentials(PAIR, "AccT1")
        assert form(server.requests[0].body) == {"grant_type": "account_credentials", "account_id": "AccT1"}
        assert answer.exchange.request_body == {"grant_type": "account_credentials", "account_id": "AccT1"}
        assert answer.problem is not None
        assert answer.problem.kind is ProblemKind.OTHER

    def test_revoke(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """A revocation sends the token with Basic credentials, keeps no token, and success has no problem."""
        server.replies(reply({"status": "success"}))
        answer = oauth.revoke(PAIR, Secret("canary-token"))
        assert server.requests[0].path == "/oauth/revoke"
        assert form(server.requests[0].body)["token"] == "canary-token"
        assert server.requests[0].headers["authorization"].startswith("Basic ")
        assert answer.problem is None
        assert answer.tokens is None
        assert "canary" not in repr(answer)

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (400, {"reason": "Invalid Token!", "error": "invalid_request"}, ProblemKind.GRANT_DEAD),
            (200, {"reason": "x", "error": "invalid_client"}, ProblemKind.CLIENT_INVALID),
            (502, b"<html>", ProblemKind.TRANSIENT),
        ],
    )
    def test_a_refused_revocation(
        self, oauth: ZoomOAuth, server: Any, reply: Any, status: int, body: object, kind: ProblemKind
    ) -> None:
        """A revocation that fails says how."""
        server.replies(reply(body, status))
        problem = oauth.revoke(PAIR, Secret("token")).problem
        assert problem is not None
        assert problem.kind is kind


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.just({"a": 1})


class TestAnything:
    """Answers that nobody has thought of."""

    @given(st.dictionaries(st.sampled_from(list(GRANTED)), VALUES))
    def test_reading_tokens_never_fails(self, answer: dict[str, object]) -> None:
        """Any JSON object is read: as tokens that fit a header, or as none."""
        tokens = read_tokens(answer)
        if tokens is not None:
            assert tokens.access.reveal().isascii()
            assert 0 <= tokens.expires_in <= 90 * 24 * 3600

    def test_a_zoo_of_bodies(self, oauth: ZoomOAuth, server: Any, reply: Any) -> None:
        """Bodies from noise to nearly right never raise and never give tokens."""
        for body in (b"\x00\x01", b'{"access_token": 5}', b'"text"', b"12", b'{"a":' * 9000, b"NaN", json.dumps("x")):
            server.replies(reply(body))
            assert oauth.client_credentials(PAIR).tokens is None

    @pytest.mark.parametrize("depth", [100, 400, 800, 950])
    def test_deeply_nested_bodies(self, oauth: ZoomOAuth, server: Any, reply: Any, depth: int) -> None:
        """However deep an answer is nested, a secret in it is not kept and nothing fails."""
        server.replies(
            reply(b'{"error":"invalid_grant","x":' + b"[" * depth + b'"canary-old"' + b"]" * depth + b"}", 400)
        )
        answer = oauth.refresh(PAIR, Secret("canary-old"))
        assert b"canary" not in answer.exchange.body
        assert answer.problem is not None
