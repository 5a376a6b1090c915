"""Reading request bodies without letting anybody fill the memory."""

from starlette.requests import ClientDisconnect, Request

MAX_BODY = 1024 * 1024
"""Bytes that a request may have; Zoom's events have a few hundred."""


class BodyTooLargeError(Exception):
    """The request is longer than we read."""


async def read_body(request: Request, *, limit: int = MAX_BODY) -> bytes:
    """Return the raw bytes; BodyTooLargeError beyond `limit`, an empty body where the sender hung up."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise BodyTooLargeError
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise BodyTooLargeError
    except ClientDisconnect:
        return b""
    return bytes(body)
