"""What the control address does: show the state; change settings, accounts, apps, meetings, streams and installs."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rtms_audit.sandbox.platform import Platform
from rtms_audit.sandbox.scenario import AccountSpec, AppSpec, EnvironmentSpec, MeetingSpec, Scenario
from rtms_audit.sandbox.stream import Stream
from rtms_audit.sandbox.world import AppEnvironment, Grant, Meeting, User


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


def payloads(platform: Platform, streams: list[Stream]) -> list[dict[str, object]]:
    """Return the flat payloads of the started events of these streams."""
    return [platform.keeper.started_payload(stream) for stream in streams]


# -- changing ----------------------------------------------------------------------------------------------------------


def change_settings(platform: Platform, body: object) -> dict[str, object]:
    """Change switches; a new webhook address is validated at once, as on saving it at Zoom."""
    if not isinstance(body, dict):
        raise ControlError("Give the settings as a JSON object.")
    world, courier = platform.world, platform.courier
    changed = world.settings.changed(body)
    if changed.transport not in platform.keeper.base_urls:
        raise ControlError("This sandbox was started without TLS; start it with a folder for its certificate.")
    before = {client.key: courier.url(client) for client in world.environments()}
    world.settings = changed
    for client in world.environments():
        if courier.url(client) not in (None, before[client.key]):
            client.validation_failures, client.subscription_enabled = 0, True
            courier.validate(client)
    return world.settings.model_dump()


def find_meeting(platform: Platform, name: str) -> Meeting:
    """Return the meeting with this number; ControlError (404) where there is none."""
    meeting = platform.world.meetings.get(int(name)) if name.isdecimal() else None
    if meeting is None:
        raise ControlError(f"There is no meeting {name}.", status=404)
    return meeting


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
        "streams": payloads(platform, platform.streams_of(meeting)),
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
    """Change what a scenario says of an account: plan, Developer Pack, portal settings and the like."""
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
    well_formed = isinstance(changes, dict) and all(isinstance(change, dict) for change in changes.values())
    if not well_formed or not changes.keys() <= app.environments.keys():
        raise ControlError(f"environments must map {', '.join(app.environments)} to changed fields.")
    environments = {
        key: EnvironmentSpec.model_validate({**client.spec.model_dump(), **changes.get(key, {})})
        for key, client in app.environments.items()
    }
    app.spec = AppSpec.model_validate({**app.spec.model_dump(), **body, "environments": environments})
    for key, client in app.environments.items():
        client.spec = environments[key]
        client.client_secret = client.spec.client_secret or client.client_secret
        client.webhook_secret = client.spec.webhook_secret or client.webhook_secret
    return app.spec.model_dump(mode="json", exclude={"environments": {"__all__": {"client_secret", "webhook_secret"}}})
