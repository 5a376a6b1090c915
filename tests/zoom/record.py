"""Records answers of live Zoom into cassettes/recorded/, for `make record`.

    RTMS_AUDIT_RECORD_TOKEN=… RTMS_AUDIT_RECORD_APP_ID=… python tests/zoom/record.py

The token is an access token of a user who installed the app. Each of the user's calls is made once, by the audit's own
client. Everything secret or personal is taken out before the cassette is written: the request keeps method and address
alone, the answer its harmless headers and a body whose secrets are masked and whose people, ids, names and topics are
pseudonyms. Read what was written before committing it.
"""

import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vcr

from rtms_audit.core.answers import parse_body
from rtms_audit.core.redact import Level, redact_bytes, redact_text, redact_value
from rtms_audit.core.secret import Secret
from rtms_audit.zoom.api import ZoomApi
from rtms_audit.zoom.calls import USER_CALLS
from rtms_audit.zoom.exchange import kept_headers
from rtms_audit.zoom.limits import Limits

FOLDER = Path(__file__).parents[2] / "cassettes" / "recorded"


def scrub_request(salt: str) -> Callable[[Any], Any]:
    """Return a hook that leaves of a request its method and its address without ids."""

    def scrub(request: Any) -> Any:
        request.uri = redact_text(request.uri, level=Level.PERSONAL, salt=salt)
        request.headers, request.body = {}, None
        return request

    return scrub


def scrub_response(salt: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a hook that takes secrets, cookies and people out of an answer."""

    def scrub(response: dict[str, Any]) -> dict[str, Any]:
        headers = kept_headers((name, values[0]) for name, values in response["headers"].items() if values)
        kept = {name: [value] for name, value in headers.items() if name not in ("content-length", "x-zm-trackingid")}
        return {
            "status": response["status"],
            "headers": kept,
            "body": {"string": scrub_body(response["body"]["string"], salt)},
        }

    return scrub


def scrub_body(body: bytes, salt: str) -> bytes:
    """Return a body in which secrets are masked and personal values are pseudonyms."""
    document = parse_body(body)
    if isinstance(document, dict | list):
        return json.dumps(
            redact_value(document, level=Level.PERSONAL, salt=salt), ensure_ascii=False, indent=1
        ).encode()
    return redact_bytes(body, level=Level.PERSONAL, salt=salt)


def record(base_url: str, token: Secret, app_id: str, folder: Path) -> list[Path]:
    """Make the user's calls once and write a cassette of each; return the files."""
    salt = secrets.token_hex(16)
    recorder = vcr.VCR(
        record_mode=vcr.mode.ALL,
        decode_compressed_response=True,
        before_record_request=scrub_request(salt),
        before_record_response=scrub_response(salt),
    )
    written = []
    for call in USER_CALLS:
        limits = Limits(clock=_now, sleep=time.sleep)
        api = ZoomApi(base_url, token=lambda: token, clock=_now, limits=limits, sleep=time.sleep)
        file = folder / f"{call.name}.yaml"
        with recorder.use_cassette(str(file)):
            api.get(call.path_for(app_id=app_id), call.params)
        written.append(file)
    return written


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Record from live Zoom; 2 where the token or the app's id is missing."""
    token, app_id = os.environ.get("RTMS_AUDIT_RECORD_TOKEN"), os.environ.get("RTMS_AUDIT_RECORD_APP_ID")
    if not token or not app_id:
        sys.stderr.write("Set RTMS_AUDIT_RECORD_TOKEN and RTMS_AUDIT_RECORD_APP_ID; see this file's first lines.\n")
        return 2
    for file in record("https://api.zoom.us/v2", Secret(token), app_id, FOLDER):
        sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
