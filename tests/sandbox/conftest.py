"""A running sandbox, a desk to talk to it from, a listener for its webhooks and a client for its sockets."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from rtms_audit.sandbox.scenario import Scenario, load_scenario, read_scenario
from rtms_audit.sandbox.server import Sandbox

Json: TypeAlias = Any
CALLBACK = "http://127.0.0.1:4711/callback"


def eventually(look: Callable[[], Any], *, seconds: float = 5) -> Any:
    """Return the first true thing that `look` sees; fails after some seconds."""
    until = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)
    return seen


class Desk:
    """Somebody who talks to one sandbox: as a browser, a backend and a script."""

    eventually = staticmethod(eventually)
    callback = CALLBACK

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.ready: Json = sandbox.ready()
        self.http = httpx.Client(timeout=10, verify=False)  # no TLS here, and loading authorities takes long

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    # -- names ---------------------------------------------------------------------------------------------------------

    def pair(self, environment: str = "production", app: str = "notes") -> Json:
        """Return client id and secrets of an app's environment."""
        return next(a for a in self.ready["apps"] if a["name"] == app)["environments"][environment]

    def app_id(self, app: str = "notes") -> str:
        """Return an app's id."""
        return str(next(a for a in self.ready["apps"] if a["name"] == app)["app_id"])

    def account(self, label: str) -> Json:
        """Return an account of the ready line."""
        return next(account for account in self.ready["accounts"] if account["label"] == label)

    def email(self, label: str) -> str:
        """Return the address of an account's first user."""
        return str(self.account(label)["users"][0]["email"])

    # -- control -------------------------------------------------------------------------------------------------------

    def order(self, path: str, **body: object) -> Json:
        """POST to the control address and return the answer; it must be a good one."""
        answer = self.http.post(self.ready["control_url"] + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> Json:
        """Return the state."""
        return self.http.get(self.ready["control_url"] + "/state").json()

    def stream(self, stream_id: str) -> Json:
        """Return one stream of the state."""
        return next(s for s in self.state()["streams"] if s["rtms_stream_id"] == stream_id)

    def meeting(
        self, account: str, trigger: str = "auto-start", environment: str = "production", **more: object
    ) -> Json:
        """Open a meeting."""
        return self.order("/meetings", account=account, environment=environment, trigger=trigger, **more)

    def started(self, account: str = "developer", environment: str = "production") -> Json:
        """Install, open a meeting and return the payload of the one stream that started."""
        self.order("/installs", account=account, environment=environment, action="install")
        (payload,) = self.meeting(account, environment=environment)["streams"]
        return payload

    # -- OAuth ---------------------------------------------------------------------------------------------------------

    def authorize(self, environment: str = "production", app: str = "notes", **query: str) -> httpx.Response:
        """Open the authorize address."""
        known = {
            "response_type": "code",
            "client_id": self.pair(environment, app)["client_id"],
            "redirect_uri": CALLBACK,
        }
        return self.http.get(self.ready["oauth_url"] + "/authorize", params={**known, **query})

    def code(self, label: str, environment: str = "production", app: str = "notes", **query: str) -> str:
        """Consent and return the code."""
        answer = self.authorize(environment, app, login_hint=self.email(label), **query)
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    def token(self, environment: str = "production", app: str = "notes", **form: str) -> httpx.Response:
        """Ask the token address."""
        pair = self.pair(environment, app)
        auth = (pair["client_id"], pair["client_secret"])
        return self.http.post(self.ready["oauth_url"] + "/token", data=form, auth=auth)

    def install(self, label: str, environment: str = "production", app: str = "notes") -> Json:
        """Install as an account's first user and return the token answer."""
        code = self.code(label, environment, app)
        answer = self.token(environment, app, grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def auditor(self, label: str) -> str:
        """Return a Server-to-Server token of an account."""
        auditor = self.account(label)["auditor"]
        form = {"grant_type": "account_credentials", "account_id": auditor["account_id"]}
        auth = (auditor["client_id"], auditor["client_secret"])
        return str(self.http.post(self.ready["oauth_url"] + "/token", data=form, auth=auth).json()["access_token"])

    # -- REST ----------------------------------------------------------------------------------------------------------

    def call(self, token: str, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """Make one REST call."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.request(method, self.ready["api_url"] + path, headers=headers, **options)

    def rest_start(
        self, token: str, meeting_id: object, environment: str = "production", **more: object
    ) -> httpx.Response:
        """Start, or with `action` do something else to, RTMS in a meeting."""
        action = more.pop("action", "start")
        settings = {"client_id": self.pair(environment)["client_id"], **more}
        path = f"/live_meetings/{meeting_id}/rtms_app/status"
        return self.call(token, path, "PATCH", json={"action": action, "settings": settings})

    # -- sockets -------------------------------------------------------------------------------------------------------

    def signature(self, payload: Json, environment: str = "production") -> str:
        """Sign a handshake with an environment's pair."""
        pair = self.pair(environment)
        text = f"{pair['client_id']},{payload['meeting_uuid']},{payload['rtms_stream_id']}"
        return hmac.new(pair["client_secret"].encode(), text.encode(), hashlib.sha256).hexdigest()

    def request(self, payload: Json, kind: int, environment: str = "production", **more: object) -> Json:
        """Return a handshake message."""
        return {
            "msg_type": kind,
            "protocol_version": 1,
            "sequence": 7,
            "meeting_uuid": payload["meeting_uuid"],
            "rtms_stream_id": payload["rtms_stream_id"],
            "signature": self.signature(payload, environment),
            **more,
        }

    @staticmethod
    @contextmanager
    def socket(url: str) -> Iterator[ClientConnection]:
        """Open a socket without a proxy."""
        with connect(url, proxy=None, open_timeout=5, close_timeout=1) as socket:
            yield socket

    @staticmethod
    def say(socket: ClientConnection, message: Json, *, binary: bool = True) -> None:
        """Send one message."""
        text = json.dumps(message)
        socket.send(text.encode() if binary else text)

    @staticmethod
    def hear(socket: ClientConnection, kind: int | None = None, *, seconds: float = 5) -> Json:
        """Return the next message, of one kind where asked."""
        until = time.monotonic() + seconds
        while True:
            message = json.loads(socket.recv(timeout=max(0.01, until - time.monotonic())))
            if kind in (None, message["msg_type"]):
                return message

    @contextmanager
    def joined(self, payload: Json, *, binary: bool = True) -> Iterator[tuple[ClientConnection, Json]]:
        """Pass the signaling handshake; give socket and answer."""
        with self.socket(payload["server_urls"]) as socket:
            self.say(socket, self.request(payload, 1), binary=binary)
            yield socket, self.hear(socket, 2)

    @contextmanager
    def hearing(self, payload: Json, media_type: int = 1) -> Iterator[tuple[ClientConnection, ClientConnection]]:
        """Pass both handshakes for one medium; give signaling and media socket."""
        kind = {1: "audio", 8: "transcript", 32: "all"}[media_type]
        with (
            self.joined(payload) as (signaling, answer),
            self.socket(answer["media_server"]["server_urls"][kind]) as media,
        ):
            self.say(media, self.media(payload, media_type))
            assert self.hear(media, 4)["status_code"] == 0
            yield signaling, media

    def media(self, payload: Json, media_type: object, **more: object) -> Json:
        """Return a media handshake."""
        return {**self.request(payload, 3), "media_type": media_type, "payload_encryption": False, **more}


class Listener:
    """A webhook receiver that keeps every request and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.secrets: dict[str, str] = {}
        self.statuses: list[int] = []
        self.delay_s = 0.0
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer = listener.take(headers, body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Keep a request and return what it is answered."""
        self.requests.append((headers, body))
        event = json.loads(body)
        time.sleep(self.delay_s)
        if event["event"] == "endpoint.url_validation":
            plain = event["payload"]["plainToken"]
            secret = self.secrets.get(headers["clientid"], "")
            hashed = hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
            return 200, json.dumps({"plainToken": plain, "encryptedToken": hashed}).encode()
        return (self.statuses.pop(0) if self.statuses else 200), b"ok"

    def events(self, name: str | None = None) -> list[Json]:
        """Return the bodies received, without validations."""
        bodies = [json.loads(body) for _, body in self.requests]
        return [b for b in bodies if b["event"] != "endpoint.url_validation" and name in (None, b["event"])]

    def heard(self, name: str, count: int = 1, *, seconds: float = 5) -> list[Json]:
        """Wait for so many events of a name."""
        eventually(lambda: len(self.events(name)) >= count, seconds=seconds)
        return self.events(name)

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="session")
def running() -> Iterator[Callable[[Scenario], Sandbox]]:
    """Give a running sandbox for a scenario, shared by all tests of the run."""
    sandboxes: dict[str, Sandbox] = {}

    def start(scenario: Scenario) -> Sandbox:
        key = scenario.model_dump_json()
        if key not in sandboxes:
            sandboxes[key] = Sandbox(scenario).start()
        return sandboxes[key]

    yield start
    for sandbox in sandboxes.values():
        sandbox.stop()


@pytest.fixture
def desk_for(running: Callable[[Scenario], Sandbox]) -> Iterator[Callable[[str], Desk]]:
    """Give a desk at a freshly reset sandbox, by the scenario's name or its YAML text."""
    desks: list[Desk] = []

    def sit(name: str) -> Desk:
        scenario = read_scenario(name, name="test") if "\n" in name else load_scenario(name)
        sandbox = running(scenario)
        httpx.post(f"{sandbox.ready()['control_url']}/reset", verify=False).raise_for_status()
        desks.append(Desk(sandbox))
        return desks[-1]

    yield sit
    for desk in desks:
        crashes = desk.state()["crashes"]
        desk.close()
        assert crashes == []


@pytest.fixture
def desk(desk_for: Callable[[str], Desk]) -> Desk:
    """Give a desk at the default scenario."""
    return desk_for("seed")


@pytest.fixture
def listener(desk: Desk) -> Iterator[Listener]:
    """Give a webhook receiver that the default sandbox sends to."""
    listener = Listener()
    for environment in ("development", "production"):
        pair = desk.pair(environment)
        listener.secrets[pair["client_id"]] = pair["webhook_secret"]
    desk.order("/settings", webhook_url=listener.url)
    eventually(lambda: all(v["status"] == 200 for v in desk.state()["validations"]) and desk.state()["validations"])
    yield listener
    desk.order("/settings", webhook_url=None)
    eventually(lambda: desk.state()["under_way"] == 0)
    listener.close()
