"""What the sandbox bears on this machine: ten thousand webhooks and five hundred concurrent streams, and what it loses.

The sandbox runs as a process of its own, as people run it; receiver and clients live in this one.
"""

import asyncio
import hashlib
import hmac
import json
import resource
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from websockets.asyncio.client import connect

from benchmarks.result import Result
from rtms_audit.sandbox.post import post

WEBHOOKS = 10_000
STREAMS = 500
SECONDS = 15.0
PACE_S = 0.2
"""Seconds between audio messages: 200 ms of L16 each, five a second and stream."""
MEETINGS_AT_ONCE = 8
SENDERS = 32
"""As many threads send in the reference as in the sandbox."""
_SCENARIO = """
title: a big day
seed: bench
settings: {rate_limits: off}
apps: [{name: notes, owner: dev}]
accounts:
  - {label: dev, plan: pro, developer_pack: active, auto_start: [notes/production], installs: [notes/production],
     users: [{email: dev@example.com}]}
"""


def measure() -> Iterator[Result]:
    """Yield lost webhooks, the speed of delivery beside that of a bare sender, and streams that missed anything."""
    _allow_many_sockets()
    with _sandbox() as ready, _Receiver() as receiver:
        yield from _webhooks(ready, receiver)
    with _sandbox() as ready:
        yield asyncio.run(_streams(ready))


def _allow_many_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8 * STREAMS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


@contextmanager
def _sandbox() -> Iterator[Mapping[str, Any]]:
    with TemporaryDirectory() as folder:
        scenario = Path(folder) / "bench.yaml"
        scenario.write_text(_SCENARIO, encoding="utf-8")
        program = str(Path(sys.executable).with_name("rtms-audit"))
        command = [program, "-q", "sandbox", "serve", "--port", "0"]
        process = subprocess.Popen([*command, "--scenario", str(scenario)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def _call(ready: Mapping[str, Any], method: str, path: str, body: object = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(ready["control_url"] + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


# -- webhooks ----------------------------------------------------------------------------------------------------------


class _Receiver:
    """The smallest HTTP server that answers 200, in a thread; it counts request ids and knows its secrets."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.secret = b""
        self.forged = 0
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "_Receiver":
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers["content-length"]))
        answer = self._answer(headers, body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(answer), answer))
        await writer.drain()
        writer.close()

    def _answer(self, headers: Mapping[str, str], body: bytes) -> bytes:
        event = json.loads(body)
        if event["event"] == "endpoint.url_validation":
            plain = event["payload"]["plainToken"]
            hashed = hmac.new(self.secret, plain.encode(), hashlib.sha256).hexdigest()
            return json.dumps({"plainToken": plain, "encryptedToken": hashed}).encode()
        signed = b"v0:" + headers["x-zm-request-timestamp"].encode() + b":" + body
        right = "v0=" + hmac.new(self.secret, signed, hashlib.sha256).hexdigest()
        self.forged += right != headers["x-zm-signature"]
        self.seen[headers["x-zm-request-id"]] += 1
        return b""


def _webhooks(ready: Mapping[str, Any], receiver: _Receiver) -> Iterator[Result]:
    """Open and end meetings, each with four events, until ten thousand were sent; then send as many barely."""
    pair = ready["apps"][0]["environments"]["production"]
    receiver.secret = pair["webhook_secret"].encode()
    _call(ready, "POST", "/settings", {"webhook_url": {"production": receiver.url}})
    time.sleep(0.5)
    begun = time.perf_counter()
    with ThreadPoolExecutor(MEETINGS_AT_ONCE) as pool:
        list(pool.map(lambda _: _one_meeting(ready), range(WEBHOOKS // 4)))
    until = time.monotonic() + 60
    while sum(receiver.seen.values()) < WEBHOOKS and time.monotonic() < until:
        time.sleep(0.05)
    seconds = time.perf_counter() - begun
    once = sum(1 for count in receiver.seen.values() if count == 1)
    wrong = WEBHOOKS - once + receiver.forged
    rate = WEBHOOKS / seconds
    yield Result(
        name=f"sandbox: {WEBHOOKS} webhooks, lost, doubled or wrongly signed",
        value=wrong, unit="webhooks", reference=f"{rate:.0f} a second, meetings included", goal="< 1",
    )  # fmt: skip
    bare = _bare_rate(receiver)
    yield Result(
        name="sandbox: webhooks a second", value=round(rate), unit="a second",
        reference=f"{bare:.0f} a second by {SENDERS} bare senders to the same receiver", goal="> 100",
    )  # fmt: skip


def _one_meeting(ready: Mapping[str, Any]) -> None:
    spec = {"account": "dev", "environment": "production", "trigger": "auto-start"}
    meeting = _call(ready, "POST", "/meetings", spec)
    assert meeting["streams"], "the meeting's stream has to start"
    _call(ready, "DELETE", f"/meetings/{meeting['meeting_id']}")


def _bare_rate(receiver: _Receiver) -> float:
    """Return how many signed events a second the same sending function delivers without a sandbox around it."""
    body = json.dumps({"event": "meeting.rtms_started", "payload": {"pad": "x" * 400}}).encode()
    signature = "v0=" + hmac.new(receiver.secret, b"v0:1:" + body, hashlib.sha256).hexdigest()
    headers = {"x-zm-request-timestamp": "1", "x-zm-signature": signature}
    begun = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        sent = list(
            pool.map(
                lambda n: post(receiver.url, body, {**headers, "x-zm-request-id": f"bare-{n}"}, 3), range(WEBHOOKS)
            )
        )
    assert all(one.status == 200 for one in sent)
    return WEBHOOKS / (time.perf_counter() - begun)


# -- streams -----------------------------------------------------------------------------------------------------------


async def _streams(ready: Mapping[str, Any]) -> Result:
    """Join five hundred streams at once, listen to each for a while, and count those that missed anything."""
    _call(ready, "POST", "/settings", {"keepalive_s": 2})
    spec = {"account": "dev", "environment": "production", "trigger": "auto-start"}
    payloads = [_call(ready, "POST", "/meetings", spec)["streams"][0] for _ in range(STREAMS)]
    pair = ready["apps"][0]["environments"]["production"]
    begun = time.perf_counter()
    heard = await asyncio.gather(*(_listen(payload, pair) for payload in payloads), return_exceptions=True)
    seconds = time.perf_counter() - begun
    alive = [s for s in _call(ready, "GET", "/state")["streams"] if s["joins"] == 1 and s["stop_reason"] is None]
    least = int(SECONDS / PACE_S * 0.9)
    good = sum(1 for count in heard if isinstance(count, int) and count >= least)
    messages = sum(count for count in heard if isinstance(count, int))
    return Result(
        name=f"sandbox: {STREAMS} concurrent streams, those that missed anything",
        value=STREAMS - min(good, len(alive)), unit="streams",
        reference=f"{messages} audio messages in order within {seconds:.0f} s, keep-alives answered", goal="< 1",
    )  # fmt: skip


async def _listen(payload: Mapping[str, Any], pair: Mapping[str, str]) -> int:
    """Join one stream and return how many audio messages came in order; ValueError where one is missing."""
    text = f"{pair['client_id']},{payload['meeting_uuid']},{payload['rtms_stream_id']}"
    signature = hmac.new(pair["client_secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
    hello = {
        "protocol_version": 1, "sequence": 1, "meeting_uuid": payload["meeting_uuid"], "signature": signature,
        "rtms_stream_id": payload["rtms_stream_id"],
    }  # fmt: skip
    params = {"content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 1, "send_rate": 200}
    quiet: dict[str, Any] = {"proxy": None, "ping_interval": None, "open_timeout": 60, "compression": None}
    async with connect(payload["server_urls"], **quiet) as signaling:
        answer = await _ask(signaling, {**hello, "msg_type": 1})
        async with connect(answer["media_server"]["server_urls"]["audio"], **quiet) as media:
            await _ask(media, {**hello, "msg_type": 3, "media_type": 1, "media_params": {"audio": params}})
            await signaling.send(json.dumps({"msg_type": 7, "rtms_stream_id": payload["rtms_stream_id"]}))
            answering = asyncio.create_task(_answer_keep_alives(signaling))
            try:
                return await _count(media)
            finally:
                answering.cancel()


async def _ask(socket: Any, message: Mapping[str, object]) -> Any:
    await socket.send(json.dumps(message))
    answer = json.loads(await socket.recv())
    if answer["status_code"] != 0:
        raise ValueError(f"the handshake was answered with {answer['status_code']}")
    return answer


async def _answer_keep_alives(socket: Any) -> None:
    async for frame in socket:
        message = json.loads(frame)
        if message["msg_type"] == 12:
            await socket.send(json.dumps({**message, "msg_type": 13}))


async def _count(media: Any) -> int:
    """Count audio messages for a while; the tone goes round in a circle of frames, which shows a gap."""
    circle: list[str] = []
    count, until = 0, time.monotonic() + SECONDS
    while (left := until - time.monotonic()) > 0:
        try:
            message = json.loads(await asyncio.wait_for(media.recv(), left))
        except TimeoutError:
            break
        if message["msg_type"] == 12:
            await media.send(json.dumps({**message, "msg_type": 13}))
        elif message["msg_type"] == 14:
            count = _next(circle, message["content"]["data"], count)
    return count


def _next(circle: list[str], data: str, count: int) -> int:
    """Note a frame; ValueError where it is not the one that follows in the circle."""
    if data not in circle:
        circle.append(data)
    elif circle[count % len(circle)] != data:
        raise ValueError(f"message {count} is not the one that follows")
    return count + 1
