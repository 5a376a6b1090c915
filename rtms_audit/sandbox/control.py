"""The control address: what a script may look at and change from outside. Names are fixed in docs/sandbox.md."""

from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rtms_audit.sandbox.faults import Fault
from rtms_audit.sandbox.platform import Platform
from rtms_audit.sandbox.scenario import AccountSpec, AppSpec, EnvironmentSpec, MeetingSpec, Scenario, explain
from rtms_audit.sandbox.stream import Stream
from rtms_audit.sandbox.world import AppEnvironment, Grant, User


class ControlError(Exception):
    """A control call that makes no sense; the sentence goes back with status 400 or 404."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Advance(_Body):
    """`POST /clock`."""

    advance: float = Field(ge=0)


class Approval(_Body):
    """`POST /meetings/ID/approval`."""

    answer: Literal["approved", "denied"]


class StreamOrder(_Body):
    """`POST /streams/ID`."""

    action: Literal["stop", "pause", "resume", "interrupt", "interrupt-media", "fail-over", "repeat-started"]
    reason: int = 2


class InstallOrder(_Body):
    """`POST /installs`."""

    account: str
    environment: Literal["development", "production"]
    app: str | None = None
    action: Literal["install", "remove", "withdraw-approval", "remove-user"]


class Redelivery(_Body):
    """`POST /deliveries`."""

    repeat: str


def control_router(platform_of: Callable[[], Platform], reset: Callable[[], None]) -> APIRouter:  # noqa: C901
    """Return the routes under `/control`; `reset` builds the world anew."""
    router = APIRouter()

    def route(method: str, path: str) -> Callable[[Callable[[Platform, object, dict[str, str]], object]], None]:
        def register(work: Callable[[Platform, object, dict[str, str]], object]) -> None:
            router.add_api_route(path, _endpoint(platform_of, work), methods=[method])

        return register

    @route("GET", "/state")
    def state(platform: Platform, _body: object, _path: dict[str, str]) -> object:
        return state_of(platform)

    @route("POST", "/reset")
    def start_over(_platform: Platform, _body: object, _path: dict[str, str]) -> object:
        reset()
        return {"status": "reset"}

    @route("POST", "/settings")
    def settings(platform: Platform, body: object, _path: dict[str, str]) -> object:
        return change_settings(platform, body)

    @route("POST", "/faults")
    def faults(platform: Platform, body: object, _path: dict[str, str]) -> object:
        platform.faults.orders.append(Fault.model_validate(body))
        return {"faults": len(platform.faults.orders)}

    @route("POST", "/clock")
    def clock(platform: Platform, body: object, _path: dict[str, str]) -> object:
        platform.world.clock.advance(Advance.model_validate(body).advance)
        platform.world.timers.wake()
        return {"now": platform.world.clock.now().isoformat()}

    @route("POST", "/meetings")
    def open_meeting(platform: Platform, body: object, _path: dict[str, str]) -> object:
        return new_meeting(platform, MeetingSpec.model_validate(body))

    @route("DELETE", "/meetings/{name}")
    def end_meeting(platform: Platform, _body: object, path: dict[str, str]) -> object:
        meeting = platform.world.meetings.get(int(path["name"])) if path["name"].isdecimal() else None
        if meeting is None:
            raise ControlError(f"There is no meeting {path['name']}.", status=404)
        platform.end_meeting(meeting)
        return {"meeting_id": meeting.meeting_id, "status": meeting.status}

    @route("POST", "/meetings/{name}/approval")
    def approve(platform: Platform, body: object, path: dict[str, str]) -> object:
        meeting = platform.world.meetings.get(int(path["name"])) if path["name"].isdecimal() else None
        if meeting is None:
            raise ControlError(f"There is no meeting {path['name']}.", status=404)
        platform.physics.answer_approval(meeting, Approval.model_validate(body).answer)
        return {"streams": _payloads(platform, platform.streams_of(meeting))}

    @route("POST", "/streams/{name}")
    def stream(platform: Platform, body: object, path: dict[str, str]) -> object:
        return order_stream(platform, path["name"], StreamOrder.model_validate(body))

    @route("POST", "/installs")
    def installs(platform: Platform, body: object, _path: dict[str, str]) -> object:
        return order_install(platform, InstallOrder.model_validate(body))

    @route("POST", "/accounts/{name}")
    def account(platform: Platform, body: object, path: dict[str, str]) -> object:
        return change_account(platform, path["name"], body)

    @route("POST", "/apps/{name}")
    def app(platform: Platform, body: object, path: dict[str, str]) -> object:
        return change_app(platform, path["name"], body)

    @route("POST", "/deliveries")
    def deliveries(platform: Platform, body: object, _path: dict[str, str]) -> object:
        wanted = Redelivery.model_validate(body).repeat
        if not platform.courier.repeat(wanted):
            raise ControlError(f"No event was sent under {wanted!r}.", status=404)
        return {"status": "repeated"}

    return router


def _endpoint(
    platform_of: Callable[[], Platform], work: Callable[[Platform, object, dict[str, str]], object]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await request.json() if await request.body() else {}
            return JSONResponse(work(platform_of(), body, dict(request.path_params)))
        except ControlError as error:
            return JSONResponse({"error": error.sentence}, error.status)
        except ValidationError as error:
            return JSONResponse({"error": explain(error)}, 400)
        except (ValueError, RecursionError):
            return JSONResponse({"error": "The body must be JSON."}, 400)

    return endpoint


# -- looking -----------------------------------------------------------------------------------------------------------


def state_of(platform: Platform) -> dict[str, object]:
    """Return what happened so far; `calls` counts by method and path as they were requested."""
    world = platform.world
    tokens = dict.fromkeys(("authorization_code", "refresh_token", "client_credentials"), 0)
    return {
        "calls": dict(world.calls),
        "token_calls": {**tokens, **world.token_calls},
        "grants": [_grant(grant) for grant in world.grants],
        "streams": [stream.shown() for stream in world.streams.values()],
        "deliveries": [attempt.shown() for attempt in platform.courier.attempts],
        "validations": [attempt.shown() for attempt in platform.courier.validations],
        "meetings": [
            {"meeting_id": m.meeting_id, "meeting_uuid": m.uuid, "status": m.status, "host": m.host.account.label,
             "approvals": m.approvals}
            for m in world.meetings.values()
        ],
        "decisions": world.decisions,
        "subscriptions": [
            {"app": c.app.spec.name, "environment": c.name, "url": platform.courier.url(c),
             "enabled": c.subscription_enabled, "validation_failures": c.validation_failures}
            for c in world.environments()
        ],
        "settings": world.settings.model_dump(),
        "crashes": world.crashes,
        "under_way": platform.courier.busy,
    }  # fmt: skip


def _grant(grant: Grant) -> dict[str, object]:
    return {
        "grant_id": grant.grant_id,
        "app": grant.client.app.spec.name,
        "environment": grant.client.name,
        "client_id": grant.client.client_id,
        "account": grant.user.account.label,
        "user_id": grant.user.user_id,
        "email": grant.user.spec.email,
        "scopes": list(grant.scopes),
        "alive": grant.alive,
        "dead_code": grant.dead_code,
        "created_at": grant.created_at.isoformat(),
    }


def _payloads(platform: Platform, streams: list[Stream]) -> list[dict[str, object]]:
    return [platform.keeper.started_payload(stream) for stream in streams]


# -- changing ----------------------------------------------------------------------------------------------------------


def change_settings(platform: Platform, body: object) -> dict[str, object]:
    """Change switches; a new webhook address is validated at once, as on saving it at Zoom."""
    if not isinstance(body, dict):
        raise ControlError("Give the settings as a JSON object.")
    world, courier = platform.world, platform.courier
    before = {client.key: courier.url(client) for client in world.environments()}
    world.settings = world.settings.changed(body)
    for client in world.environments():
        if courier.url(client) not in (None, before[client.key]):
            client.validation_failures, client.subscription_enabled = 0, True
            courier.validate(client)
    return world.settings.model_dump()


def new_meeting(platform: Platform, spec: MeetingSpec) -> dict[str, object]:
    """Open a meeting and say which streams it has led to."""
    known = platform.world.accounts
    for label in filter(None, (spec.account, spec.host)):
        if label not in known:
            raise ControlError(f"There is no account {label!r}; known are {', '.join(known)}.", status=404)
    if spec.app is not None and spec.app not in platform.world.apps:
        raise ControlError(f"There is no app {spec.app!r}.", status=404)
    meeting, refused = platform.open_meeting(spec)
    answer: dict[str, object] = {
        "meeting_id": meeting.meeting_id,
        "meeting_uuid": meeting.uuid,
        "streams": _payloads(platform, platform.streams_of(meeting)),
    }
    if spec.trigger == "rest":
        answer["rest"] = {
            "status": refused.answer.status if refused else 204,
            "body": refused.answer.body if refused else None,
        }
    return answer


def order_stream(platform: Platform, name: str, order: StreamOrder) -> dict[str, object]:
    """Let something happen to a stream."""
    stream = platform.world.streams.get(name)
    if stream is None:
        raise ControlError(f"There is no stream {name}.", status=404)
    keeper = platform.keeper
    actions: dict[str, Callable[[], None]] = {
        "stop": lambda: keeper.stop(stream, order.reason),
        "pause": lambda: keeper.pause(stream),
        "resume": lambda: keeper.resume(stream),
        "interrupt": lambda: keeper.interrupt(stream),
        "interrupt-media": lambda: keeper.interrupt_media(stream),
        "fail-over": lambda: keeper.fail_over(stream),
        "repeat-started": lambda: keeper.tell_started(stream),
    }
    actions[order.action]()
    return stream.shown()


def order_install(platform: Platform, order: InstallOrder) -> dict[str, object]:
    """Let something happen to an install."""
    client, user = _install(platform, order)
    if order.action == "install":
        return _grant(platform.world.add_grant(client, user))
    if order.action == "remove-user":
        user.removed = True
        return {"status": "done"}
    if order.action == "withdraw-approval":
        grant = platform.world.live_grant(client, user)
        if grant is not None:
            grant.dead_code = 4738
    else:
        grant = platform.remove_install(client, user)
    if grant is None:
        raise ControlError(f"{order.account} has not installed {client.key}.", status=404)
    return _grant(grant)


def _install(platform: Platform, order: InstallOrder) -> tuple[AppEnvironment, User]:
    world = platform.world
    app = world.apps.get(order.app) if order.app else next(iter(world.apps.values()))
    if app is None or order.environment not in app.environments or order.account not in world.accounts:
        raise ControlError("There is no such app, environment or account.", status=404)
    return app.environments[order.environment], world.accounts[order.account].users[0]


def change_account(platform: Platform, name: str, body: object) -> dict[str, object]:
    """Change what a scenario says of an account: plan, Developer Pack, portal settings, …"""
    account = platform.world.accounts.get(name)
    if account is None:
        raise ControlError(f"There is no account {name!r}.", status=404)
    if not isinstance(body, dict) or {"label", "users", "installs"} & body.keys():
        raise ControlError("Give the changed fields as a JSON object, without label, users and installs.")
    spec = AccountSpec.model_validate({**account.spec.model_dump(), **body})
    Scenario.model_validate({**platform.world.scenario.model_dump(), "accounts": [
        spec if other is account else other.spec for other in platform.world.accounts.values()]})  # fmt: skip
    account.spec = spec
    return spec.model_dump(mode="json")


def change_app(platform: Platform, name: str, body: object) -> dict[str, object]:
    """Change what a scenario says of an app or, under `environments`, of one of its environments."""
    app = platform.world.apps.get(name)
    if app is None:
        raise ControlError(f"There is no app {name!r}.", status=404)
    if not isinstance(body, dict) or {"name", "owner"} & body.keys():
        raise ControlError("Give the changed fields as a JSON object, without name and owner.")
    changes = body.get("environments", {})
    if not isinstance(changes, dict) or not changes.keys() <= app.environments.keys():
        raise ControlError(f"environments must be a mapping of {', '.join(app.environments)}.")
    environments = {
        key: EnvironmentSpec.model_validate({**client.spec.model_dump(), **dict(changes.get(key) or {})})
        for key, client in app.environments.items()
    }
    app.spec = AppSpec.model_validate({**app.spec.model_dump(), **body, "environments": environments})
    for key, client in app.environments.items():
        client.spec = environments[key]
        client.client_secret = client.spec.client_secret or client.client_secret
        client.webhook_secret = client.spec.webhook_secret or client.webhook_secret
    return app.spec.model_dump(mode="json", exclude={"environments": {"__all__": {"client_secret", "webhook_secret"}}})
