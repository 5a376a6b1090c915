"""The signature of an RTMS handshake. Pure."""

import hashlib
import hmac

from rtms_audit.core.secret import Secret


def signature(client_id: str, secret: Secret, meeting_uuid: str, stream_id: str) -> str:
    """Return the lower-case hex HMAC-SHA256, keyed with the client secret, of `client_id,meeting_uuid,stream_id`.

    The same value stands in the signaling and in the media handshake; it has to be made with the pair of the app *and
    environment* that own the stream. For other products the second field is the webinar, session or engagement id.
    Formula: https://github.com/zoom/rtms src/rtms.cpp (2026-04-24), confirmed on the wire with rtms 1.1.0.
    """
    message = f"{client_id},{meeting_uuid},{stream_id}"
    return hmac.new(secret.reveal().encode(), message.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
