"""The sandbox as something to start and stop: one port, several prefixes, uvicorn in a thread of its own."""

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from rtms_audit.errors import UserError
from rtms_audit.sandbox.clock import DrivenClock, Timers, utc_now
from rtms_audit.sandbox.control import control_router
from rtms_audit.sandbox.front import DoorProtocol, Front
from rtms_audit.sandbox.oauth import oauth_router
from rtms_audit.sandbox.platform import Platform
from rtms_audit.sandbox.post import post
from rtms_audit.sandbox.rest import rest_router
from rtms_audit.sandbox.rtms import rtms_router
from rtms_audit.sandbox.scenario import Scenario, list_scenarios, load_scenario
from rtms_audit.sandbox.tls import NAME, Certificate, make_certificate
from rtms_audit.sandbox.webhooks import Poster

__all__ = ["Sandbox", "list_scenarios", "load_scenario"]
_START_TIMEOUT_S = 15
_SENDERS = 32


class Sandbox:
    """A look-alike Zoom on a loopback port. Use it as a context manager, or call `start` and `stop`.

    `clock` is the wall clock (aware, UTC); time can also be driven through `{control_url}/clock`. `poster` sends
    webhooks. With `tls_folder` the RTMS sockets are also served as `wss` on a second port, started events name that
    address, and the authority's certificate lies in the folder.
    """

    def __init__(
        self,
        scenario: Scenario,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Callable[[], datetime] = utc_now,
        token_urlsafe: Callable[[int], str] = secrets.token_urlsafe,
        poster: Poster = post,
        tls_folder: Path | None = None,
    ) -> None:
        self.scenario = scenario
        self.tls_folder = tls_folder
        self.host = host
        self.port = port
        self._clock = clock
        self._token_urlsafe = token_urlsafe
        self._poster = poster
        self._platform: Platform | None = None
        self._servers: list[uvicorn.Server] = []
        self._certificate: Certificate | None = None
        self._base_urls: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen; returns once requests are answered. Raises UserError where a port is taken or TLS cannot be had."""
        if self.tls_folder is not None:
            self._certificate = make_certificate(self.tls_folder)
        elif self.scenario.settings.transport == "wss":
            raise UserError("This scenario asks for wss.", next_step="Start the sandbox with TLS.")
        listeners = [_listen(self.host, self.port)]
        self.port = listeners[0].getsockname()[1]
        self._base_urls = {"ws": f"ws://{self._place()}/rtms"}
        if self._certificate is not None:
            listeners.append(_listen(self.host, 0))
            self._base_urls["wss"] = f"wss://{NAME}:{listeners[1].getsockname()[1]}/rtms"
        up = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listeners, up), name="rtms-audit-sandbox", daemon=True)
        self._thread.start()
        if not up.wait(_START_TIMEOUT_S) or self._failure is not None:
            raise UserError("The sandbox did not come up.", next_step="Run it again with -vv.") from self._failure
        return self

    def stop(self) -> None:
        """Close every connection and wait until the thread has ended."""
        for server in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join(_START_TIMEOUT_S)
        self._servers, self._thread = [], None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, listeners: list[socket.socket], up: threading.Event) -> None:
        try:
            asyncio.run(self._serve(listeners, up))
        except BaseException as error:  # noqa: BLE001  (whatever it is, the thread that waits has to hear of it)
            self._failure = error
        finally:
            for listener in listeners:
                listener.close()
            up.set()

    async def _serve(self, listeners: list[socket.socket], up: threading.Event) -> None:
        timers = Timers(DrivenClock(self._clock))
        with ThreadPoolExecutor(_SENDERS, thread_name_prefix="sandbox-webhook") as executor:
            self._reset(timers, executor)
            app = self._application(lambda: self._reset(timers, executor))
            certificates = [None, self._certificate][: len(listeners)]
            self._servers = [uvicorn.Server(_config(app, certificate)) for certificate in certificates]
            helpers = [asyncio.create_task(timers.run()), asyncio.create_task(_tell(self._servers, up))]
            pairs = zip(self._servers, listeners, strict=True)
            await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pairs))
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._now().courier.stop()

    def _reset(self, timers: Timers, executor: ThreadPoolExecutor) -> None:
        """Build the world anew; time starts afresh too."""
        if self._platform is not None:
            self._platform.stop()
        timers.clear()
        timers.clock.offset = timedelta(0)
        platform = Platform(
            self.scenario, timers.clock, timers, executor, token_urlsafe=self._token_urlsafe, poster=self._poster
        )
        platform.keeper.base_urls = self._base_urls
        platform.world.api_url = f"http://{self._place()}"
        if self._certificate is not None:
            platform.world.settings = platform.world.settings.changed({"transport": "wss"})
        self._platform = platform
        platform.play()

    def _application(self, reset: Callable[[], None]) -> Front:
        app = FastAPI(title="rtms-audit sandbox", docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(oauth_router(lambda: self._now().book), prefix="/oauth")
        app.include_router(rest_router(self._now), prefix="/v2")
        app.include_router(rtms_router(self._now), prefix="/rtms")
        app.include_router(control_router(self._now, reset), prefix="/control")
        return Front(app, self._now)

    def _place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def _now(self) -> Platform:
        assert self._platform is not None  # noqa: S101  (routes run only after the first build)
        return self._platform

    # -- what scripts read ---------------------------------------------------------------------------------------------

    def ready(self) -> dict[str, object]:
        """Return the ready line: addresses, apps with their credentials, and accounts with their people."""
        base, world = f"http://{self._place()}", self._now().world
        return {
            "oauth_url": f"{base}/oauth",
            "api_url": f"{base}/v2",
            "rtms_url": self._now().keeper.base_url(),
            "rtms_ca": str(self._certificate.ca) if self._certificate else None,
            "control_url": f"{base}/control",
            "apps": [
                {
                    "name": app.spec.name,
                    "app_id": app.app_id,
                    "owner": app.owner.label,
                    "environments": {
                        name: {
                            "client_id": environment.client_id,
                            "client_secret": environment.client_secret,
                            "webhook_secret": environment.webhook_secret,
                            "distribution": environment.spec.distribution,
                        }
                        for name, environment in app.environments.items()
                    },
                }
                for app in world.apps.values()
            ],
            "accounts": [
                {
                    "label": account.label,
                    "account_id": account.account_id,
                    "plan": account.spec.plan,
                    "users": [{"email": user.spec.email, "user_id": user.user_id} for user in account.users],
                    "auditor": {
                        "client_id": account.auditor_id,
                        "client_secret": account.auditor_secret,
                        "account_id": account.account_id,
                    }
                    if account.spec.auditor
                    else None,
                }
                for account in world.accounts.values()
            ],
        }


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named, since asyncio switches Nagle's delay (40 ms an answer) off for such sockets alone.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise UserError(
            f"Port {port} on {host} cannot be used: {error.strerror}.",
            next_step="Choose another with --port, or 0 for any free one.",
        ) from error
    return listener


def _config(app: Front, certificate: Certificate | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=DoorProtocol,
        ws="websockets-sansio",
        loop="asyncio",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        ws_ping_interval=None,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )


async def _tell(servers: list[uvicorn.Server], up: threading.Event) -> None:
    while not all(server.started for server in servers):
        await asyncio.sleep(0.005)
    up.set()
