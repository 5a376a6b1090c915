"""The web app: Zoom's side is open, the audit's side wants the local token."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from rtms_audit.core.model import Environment
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.keys import KeySource
from rtms_audit.store.store import Store, open_store
from rtms_audit.web.run import Served, serving
from rtms_audit.web.server import WebServer
from rtms_audit.workflows.services import Services
from rtms_audit.zoom.oauth import ZoomOAuth
from rtms_audit.zoom.webhooks import sign

TOKEN = "local-token"
REPORT = {"kind": "sdk", "install": "dev-co/production", "sdk": "rtms-node", "callback": "onJoinConfirm", "reason": 960}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store with one app and one account."""
    with open_store(f"sqlite:///{tmp_path / 'audit.db'}", key=KeySource()) as opened:
        opened.put_app(
            app="notes", environment=Environment.PRODUCTION, client_id="PRODID", client_secret=Secret("secret"),
            webhook_secret=Secret("token"), owner="dev-co",
        )  # fmt: skip
        opened.put_account(label="dev-co")
        yield opened


@pytest.fixture
def client(store: Store) -> Iterator[httpx.Client]:
    """Serve the web app on a real port, and speak to it."""
    oauth = ZoomOAuth("http://127.0.0.1:9/oauth", clock=lambda: datetime.now(UTC), timeout=0.5)

    def no_api(**_: Any) -> Any:
        raise AssertionError("nothing is asked of Zoom here")

    services = Services(store=store, oauth=oauth, api=no_api)
    plan = Served(services=services, apps=("notes",), token=Secret(TOKEN))
    with serving(plan) as server, httpx.Client(base_url=server.url, trust_env=False) as speaking:
        yield speaking


def bearer(token: str = TOKEN) -> dict[str, str]:
    """Bring the local token."""
    return {"Authorization": f"Bearer {token}"}


def signed(body: bytes, secret: str = "token") -> dict[str, str]:
    """Sign as Zoom does."""
    stamp = str(int(datetime.now(UTC).timestamp()))
    return {"x-zm-signature": sign(Secret(secret), stamp, body), "x-zm-request-timestamp": stamp}


def test_a_webhook_is_taken_as_raw_bytes_and_answered(client: httpx.Client, store: Store) -> None:
    """Odd spacing and non-ASCII letters survive, since the bytes are signed."""
    body = '{"event": "meeting.started",  "payload": {"account_id": "z", "topic": "Üben"}}'.encode()
    for path in ("/webhooks", "/webhooks/production"):
        assert client.post(path, content=body, headers=signed(body)).status_code == 200
    assert client.post("/webhooks", content=body, headers=signed(body, "wrong")).status_code == 401
    kept = store.observations(app="notes")
    assert [one.fields["signature"] for one in kept] == ["verified", "verified", "rejected"]
    assert kept[0].raw == body


def test_the_address_check_is_answered_in_json(client: httpx.Client) -> None:
    """Zoom validates on saving the address."""
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}).encode()
    answer = client.post("/webhooks", content=body, headers=signed(body))
    assert answer.json()["plainToken"] == "abc"
    assert len(answer.json()["encryptedToken"]) == 64


def test_wrong_methods_and_places_say_what_belongs_where(client: httpx.Client) -> None:
    """A redirect address entered as webhook address is a common mistake, and the other way round."""
    wrong = client.post("/oauth/callback", content=b"{}")
    assert wrong.status_code == 405
    assert "ending in /webhooks" in wrong.json()["next_step"]
    assert "not as redirect address" in client.get("/webhooks").json()["next_step"]
    assert client.post("/webhooks/staging", content=b"{}").status_code == 404
    assert client.get("/nothing").json()["error"] == "There is nothing at this address."
    assert client.put("/healthz").status_code == 405


def test_a_body_that_is_too_large_is_refused_unread(client: httpx.Client) -> None:
    """Announced or streamed."""
    assert client.post("/webhooks", content=b"x" * (1024 * 1024 + 1)).status_code == 413

    def stream() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 65536

    assert client.post("/webhooks", content=stream()).status_code == 413


def test_a_foreign_callback_gets_a_plain_page(client: httpx.Client, store: Store) -> None:
    """The outcome is shown, kept, and the page may load nothing."""
    answer = client.get("/oauth/callback", params={"state": "foreign", "code": "<c>"})
    assert answer.status_code == 400
    assert "Unknown callback" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert store.observations(app="notes")[0].fields["step"] == "redirect"
    assert "Nothing came back" in client.get("/oauth/callback").text


def test_a_callback_while_zoom_is_away_says_so(client: httpx.Client, store: Store) -> None:
    """The page names the next step; no grant is stored."""
    from rtms_audit.workflows.install import Installer

    oauth = ZoomOAuth("http://127.0.0.1:9/oauth", clock=lambda: datetime.now(UTC))
    services = Services(store=store, oauth=oauth, api=lambda **_: None)  # type: ignore[arg-type]
    begun = Installer(services).begin(
        app=None, account="dev-co", environment=Environment.PRODUCTION, redirect_uri="https://a.example.com/cb"
    )
    state = httpx.URL(begun.authorize_url).params["state"]
    answer = client.get("/oauth/callback", params={"state": state, "code": "c"})
    assert answer.status_code == 502
    assert "did not answer properly" in answer.text
    assert store.grants() == ()


def test_the_audits_side_wants_the_local_token(client: httpx.Client) -> None:
    """It stands behind the same tunnel as Zoom's side, and holds personal data."""
    for path in ("/", "/api/matrix"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=bearer("wrong")).status_code == 401
        assert client.get(path, headers=bearer()).status_code == 200
    assert client.post("/api/observations", json=REPORT).status_code == 401
    assert client.get("/", params={"token": "wrong"}).status_code == 401


def test_the_dashboard_address_signs_the_browser_in(client: httpx.Client) -> None:
    """The token leaves the address at once."""
    first = client.get("/", params={"token": TOKEN})
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "SameSite=strict" in first.headers["set-cookie"]
    page = client.get("/")
    assert page.status_code == 200
    assert "<table" in page.text or "No installs" in page.text


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")
def test_the_dashboard_is_read_in_a_real_browser(client: httpx.Client, tmp_path: Path) -> None:
    """The address that `serve` prints leads to the matrix and the explanation, without anything from elsewhere."""
    client.post("/api/observations", json=REPORT, headers=bearer()).raise_for_status()
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
    closed = ("--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path}")
    assert BROWSER is not None
    page = subprocess.run(
        [BROWSER, *quiet, *closed, "--timeout=20000", "--dump-dom", f"{client.base_url}/?token={TOKEN}"],
        check=True, capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    assert "dev-co" in page.stdout
    assert "stopped-early" in page.stdout
    assert "960" in page.stdout
    assert TOKEN not in page.stdout
    assert not re.findall(r'(?:src|href)="https?://[^"]*\.(?:js|css|woff2?|png)"', page.stdout)


def test_a_backends_report_is_kept_and_judged(client: httpx.Client) -> None:
    """What the SDK said appears in the matrix."""
    answer = client.post("/api/observations", json=[REPORT], headers=bearer())
    assert (answer.status_code, answer.json()) == (201, {"ids": ["o1"]})
    installs = client.get("/api/matrix", headers=bearer()).json()["installs"]
    assert installs[0]["install"] == "dev-co/production"


def test_a_wrong_report_is_refused_whole(client: httpx.Client, store: Store) -> None:
    """The place and the reason are named."""
    answer = client.post("/api/observations", json=[REPORT, {**REPORT, "kind": "rumour"}], headers=bearer())
    assert answer.status_code == 422
    assert "observation 2: kind 'rumour'" in answer.json()["error"]
    assert store.observations(app="notes") == ()
    unknown = client.post("/api/observations", params={"app": "x"}, json=[REPORT], headers=bearer())
    assert "no app 'x'" in unknown.json()["error"]


def test_a_port_in_use_is_one_sentence(client: httpx.Client) -> None:
    """Another port is offered."""
    port = client.base_url.port
    assert port is not None
    with pytest.raises(UserError, match="it is in use") as caught:
        WebServer(None, port=port)  # type: ignore[arg-type]
    assert "--port 0" in (caught.value.next_step or "")


def test_an_address_that_is_not_ours_is_one_sentence() -> None:
    """The system's reason is kept."""
    with pytest.raises(UserError, match=r"Cannot listen at 203\.0\.113\.1:0"):
        WebServer(None, host="203.0.113.1")  # type: ignore[arg-type]


def test_an_address_to_forward_to_is_checked_before_anything_runs(store: Store) -> None:
    """Nothing is left listening."""
    services = Services(store=store, oauth=None, api=None)  # type: ignore[arg-type]
    plan = Served(services=services, apps=("notes",), token=Secret(TOKEN), forward="nowhere")
    with pytest.raises(UserError, match="forward"), serving(plan):
        pass


def test_the_last_window_is_recorded_when_it_ends(store: Store) -> None:
    """IPv6 addresses are written in brackets; the server can be started again on another port."""
    services = Services(store=store, oauth=None, api=None)  # type: ignore[arg-type]
    with serving(Served(services=services, apps=("notes",), token=Secret(TOKEN), host="::1")) as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(f"{server.url}/healthz", trust_env=False).json()["status"] == "ok"
