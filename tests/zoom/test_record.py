"""Recording from live Zoom, tried on a server that answers with everything that must not be kept."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtms_audit.core.secret import Secret

SCRIPT = Path(__file__).with_name("record.py")


@pytest.fixture
def recording() -> Any:
    """Give the recording script as a module."""
    spec = importlib.util.spec_from_file_location("zoom_recording", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


USER = {
    "id": "zJKyaiAyTNC-MWjiWC18KQ",
    "email": "jill.canary@customer.test",
    "first_name": "Jillcanary",
    "display_name": "Jillcanary Chill",
    "account_id": "q6gBJVO5TzexKYTb_I2rpg",
    "type": 1,
    "verified": 1,
    "token": "eyJcanarycanary.eyJcanary.canary",
}


def test_nothing_secret_or_personal_reaches_the_disk(recording: Any, server: Any, reply: Any, tmp_path: Path) -> None:
    """Token, cookie, person and ids are gone; what the client reads is still there."""
    server.script = lambda request: reply(
        USER if request.path.endswith("/users/me") else {"code": 124, "message": "jill.canary@customer.test"},
        headers={"Set-Cookie": "canary=1", "Date-Canary": "x", "X-RateLimit-Category": "Light"},
    )
    files = recording.record(f"{server.url}/v2", Secret("canary-access-token"), "AppCanaryAppCanaryAppC", tmp_path)
    assert len(files) == 5
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    for secret in ("canary", "Canary", USER["id"], USER["account_id"], "Cookie", "cookie", "customer.test"):
        assert str(secret) not in text.replace("AppCanaryAppCanaryAppC", "")
    first = yaml.safe_load(files[0].read_text(encoding="utf-8"))["interactions"][0]
    assert first["request"]["headers"] == {}
    assert first["response"]["headers"]["x-ratelimit-category"] == ["Light"]
    assert '"type": 1' in first["response"]["body"]["string"]


def test_a_body_that_is_no_json(recording: Any) -> None:
    """Text is scrubbed as well."""
    assert b"canary" not in recording.scrub_body(
        b"<p>jill.canary@customer.test eyJcanarycanary.eyJcanary.x</p>", "salt"
    )


def test_without_a_token_it_says_what_is_needed() -> None:
    """Called without its settings the script names them and writes nothing."""
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "RTMS_AUDIT_RECORD_TOKEN" in done.stderr
