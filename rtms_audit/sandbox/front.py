"""The door: counts calls, gives tracking ids, and applies latency and ordered faults before anything else runs."""

import asyncio
import json
import weakref
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rtms_audit.sandbox.faults import FaultAnswer
from rtms_audit.sandbox.platform import Platform

_COUNTED = ("/v2/", "/oauth/")
_SOCKETS = "/rtms/"
_transports: "weakref.WeakValueDictionary[tuple[str, int], asyncio.Transport]" = weakref.WeakValueDictionary()


class DoorProtocol(H11Protocol):
    """uvicorn's HTTP protocol, remembering its transport, so that a connection can be dropped without a word."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection by its peer."""
        super().connection_made(transport)
        if self.client is not None:
            _transports[self.client[0], self.client[1]] = transport


class Front:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, platform_of: Callable[[], Platform]) -> None:
        self.app = app
        self.platform_of = platform_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = scope.get("path", "")
        if scope["type"] == "websocket" and path.startswith(_SOCKETS):
            await self._faulty(scope, receive, send, self.app)
        elif scope["type"] == "http" and path.startswith(_COUNTED):
            await self._counted(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        world = self.platform_of().world
        world.calls[f"{scope['method']} {scope['path']}"] += 1
        scope["tracking_id"] = uuid4().hex

        async def tracked(message: Message) -> None:
            if message["type"] == "http.response.start":
                value = f"v=2.0;clid=us04;rid=WEB_{scope['tracking_id']}"
                message["headers"] = [*message["headers"], (b"x-zm-trackingid", value.encode())]
            await send(message)

        if world.settings.latency_ms:
            await asyncio.sleep(world.settings.latency_ms / 1000)
        await self._faulty(scope, receive, tracked, self.app)

    async def _faulty(self, scope: Scope, receive: Receive, send: Send, app: ASGIApp) -> None:
        fault = self.platform_of().faults.take(scope.get("method", "GET"), scope["path"])
        if fault is not None and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault is not None and fault.drop:
            await _drop(scope, receive)
        elif fault is not None and fault.answer is not None:
            await _answer(scope, receive, send, fault.answer)
        elif fault is not None and (fault.lose or fault.twice):
            body = await _whole_body(receive)
            await app(scope, _again(body), _unheard)
            await (_drop(scope, receive) if fault.lose else app(scope, _again(body), send))
        else:
            await app(scope, receive, send)


async def _whole_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _unheard(_message: Message) -> None:
    """Send an answer to nobody."""


async def _drop(scope: Scope, receive: Receive) -> None:
    transport = _transports.get(tuple(scope["client"])) if scope.get("client") else None
    if transport is not None:
        transport.abort()
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass


async def _answer(scope: Scope, receive: Receive, send: Send, answer: FaultAnswer) -> None:
    body, kind = _bytes(answer.body)
    headers = {
        "content-type": kind,
        "content-length": str(len(body)),
        **{k.lower(): v for k, v in answer.headers.items()},
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    prefix = "http" if scope["type"] == "http" else "websocket.http"
    if scope["type"] == "websocket":
        await receive()
    start: dict[str, Any] = {"type": f"{prefix}.response.start", "status": answer.status, "headers": raw}
    await send(start)
    await send({"type": f"{prefix}.response.body", "body": body, "more_body": False})


def _bytes(body: object) -> tuple[bytes, str]:
    if isinstance(body, str):
        return body.encode(), "text/html; charset=utf-8" if body.lstrip().startswith("<") else "application/json"
    return (b"" if body is None else json.dumps(body).encode()), "application/json"
