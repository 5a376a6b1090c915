"""The control address: what a script may look at and change from outside. Names are fixed in docs/sandbox.md."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from rtms_audit.sandbox.faults import Fault
from rtms_audit.sandbox.orders import (
    Advance,
    Approval,
    ControlError,
    InstallOrder,
    Redelivery,
    StreamOrder,
    change_account,
    change_app,
    change_settings,
    find_meeting,
    new_meeting,
    order_install,
    order_stream,
    payloads,
    state_of,
)
from rtms_audit.sandbox.platform import Platform
from rtms_audit.sandbox.scenario import MeetingSpec, explain


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
        meeting = find_meeting(platform, path["name"])
        platform.end_meeting(meeting)
        return {"meeting_id": meeting.meeting_id, "status": meeting.status}

    @route("POST", "/meetings/{name}/approval")
    def approve(platform: Platform, body: object, path: dict[str, str]) -> object:
        meeting = find_meeting(platform, path["name"])
        platform.physics.answer_approval(meeting, Approval.model_validate(body).answer)
        return {"streams": payloads(platform, platform.streams_of(meeting))}

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
