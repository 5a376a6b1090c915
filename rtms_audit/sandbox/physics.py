"""What decides whether RTMS starts: every link of the chain is looked at, so that symptoms are caused and not scripted.

The order and the codes follow developers.zoom.us/docs/rtms/troubleshooting and the public reports listed in
docs/sandbox.md. Where Zoom is only known to stay silent, the sandbox stays silent; `/state` says why under `decisions`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rtms_audit.sandbox.answers import RefusedError
from rtms_audit.sandbox.stream import Stream, StreamKeeper
from rtms_audit.sandbox.webhooks import Courier
from rtms_audit.sandbox.world import AppEnvironment, Grant, Meeting, User, World

STREAMABLE = frozenset({"meeting", "webinar"})
OLDEST_CLIENT = (6, 5, 5)
TRIAL_CONCURRENCY = 5
NEAR_LIMIT = 0.8


@dataclass(frozen=True)
class Obstacle:
    """One broken link: a sentence for `/state`, and what a REST start is answered (None: 204 and nothing more)."""

    why: str
    refusal: RefusedError | None = None


@dataclass(frozen=True)
class Wish:
    """Somebody's wish that an app may stream a meeting."""

    meeting: Meeting
    client: AppEnvironment | None
    client_id: str
    operator: User
    trigger: str

    @property
    def starter(self) -> str:
        """Return the label of the account of whoever starts it."""
        return self.operator.account.label


class Physics:
    """Decides about starts, and carries them out."""

    def __init__(self, world: World, keeper: StreamKeeper, courier: Courier) -> None:
        self.world = world
        self.keeper = keeper
        self.courier = courier

    # -- wishes --------------------------------------------------------------------------------------------------------

    def auto_start(self, meeting: Meeting, client: AppEnvironment, operator: User) -> Stream | None:
        """Start a stream if the starter's account auto-starts this app and every link holds; else stay silent."""
        wish = Wish(meeting, client, client.client_id, operator, "auto-start")
        if not operator.account.lists("auto_start", client.key):
            self._silence(wish, "auto-start is not set for this app")
            return None
        return self._start_or_stay_silent(wish)

    def rest_start(self, meeting: Meeting, client_id: str, operator: User) -> Stream | None:
        """Start a stream as REST does; raises RefusedError with Zoom's code, or returns None where 204 is all."""
        wish = Wish(meeting, self.world.client(client_id), client_id, operator, "rest")
        if not may_start(meeting, operator):
            raise self._refuse(wish, "the starter is not host, alternative host or invited", not_allowed())
        running = self.running(meeting, client_id, operator)
        if running is not None:
            return running
        obstacle = self._obstacle(wish)
        if obstacle is not None and obstacle.refusal is not None:
            raise self._refuse(wish, obstacle.why, obstacle.refusal)
        return self._start_or_stay_silent(wish)

    def running(self, meeting: Meeting, client_id: str, operator: User | None = None) -> Stream | None:
        """Return the live stream of this app in this meeting (of this starter, where one is named)."""
        for stream in self.world.streams.values():
            fits = stream.live and stream.meeting is meeting and stream.client.client_id == client_id
            if fits and operator in (None, stream.operator):
                return stream
        return None

    def answer_approval(self, meeting: Meeting, answer: str) -> None:
        """Let the host approve or deny every app that waits; approved ones start now."""
        for client_id in meeting.approvals:
            meeting.approvals[client_id] = answer
        waiting, meeting.waiting_starts = meeting.waiting_starts, []
        for start in waiting:
            start()

    # -- links of the chain --------------------------------------------------------------------------------------------

    def _obstacle(self, wish: Wish) -> Obstacle | None:
        return next((found for link in self._links() if (found := link(wish)) is not None), None)

    def _links(self) -> Iterator[Callable[[Wish], Obstacle | None]]:
        yield from (_kind, _verified, _sharing, _allowed, self._host_account, self._approval)
        yield from (_distributed, _entitled, _versions, self._installed, self._concurrency)

    def _host_account(self, wish: Wish) -> Obstacle | None:
        host = wish.meeting.host.account
        if host is wish.operator.account or host.spec.allow_external_apps:
            return None
        return Obstacle("the host's organisation does not allow outside apps", not_allowed())

    def _approval(self, wish: Wish) -> Obstacle | None:
        if not wish.meeting.host.account.spec.require_host_approval:
            return None
        approvals = wish.meeting.approvals
        state = approvals.get(wish.client_id)
        if state == "approved":
            return None
        if state == "denied":
            return Obstacle("the host denied the request")
        if state is None:
            approvals[wish.client_id] = "pending"
            wish.meeting.waiting_starts.append(lambda: self._start_or_stay_silent(wish))
        return Obstacle(
            "the host has not answered the request",
            RefusedError(400, 2309, "The host's authorization is required to start the RTMS app."),
        )

    def _installed(self, wish: Wish) -> Obstacle | None:
        grant = self._grant(wish)
        if grant is None:
            return Obstacle("the starter has not installed this app")
        if not {"rtms:read:rtms_started", "rtms:read"} & set(grant.scopes):
            return Obstacle("the grant lacks the scope for the started event")
        return None

    def _grant(self, wish: Wish) -> Grant | None:
        return self.world.live_grant(wish.client, wish.operator) if wish.client else None

    def _concurrency(self, wish: Wish) -> Obstacle | None:
        if wish.client is None:
            return None
        limit = self._limit(wish.client)
        running = self._running_for_owner(wish.client)
        if running < limit:
            return None
        payload: dict[str, object] = {
            "operator_id": wish.operator.user_id,
            "concurrency_number": running + 1,
            "id_field": {"meeting_uuid": wish.meeting.uuid},
        }
        self.courier.send(wish.client, "rtms.concurrency_limited", payload, user_id=wish.operator.user_id)
        return Obstacle(f"the app owner's account is at its limit of {limit} streams")

    def _limit(self, client: AppEnvironment) -> int:
        spec = client.app.owner.spec
        most = spec.concurrency_limit
        return min(TRIAL_CONCURRENCY, most) if spec.developer_pack == "trial" else most

    def _running_for_owner(self, client: AppEnvironment) -> int:
        owner = client.app.owner
        return sum(1 for stream in self.world.streams.values() if stream.live and stream.client.app.owner is owner)

    # -- outcomes ------------------------------------------------------------------------------------------------------

    def _start_or_stay_silent(self, wish: Wish) -> Stream | None:
        obstacle = self._obstacle(wish)
        if obstacle is None:
            return self._start(wish)
        self._silence(wish, obstacle.why)
        return None

    def _start(self, wish: Wish) -> Stream | None:
        client, grant = wish.client, self._grant(wish)
        assert client is not None  # noqa: S101  (the links of the chain saw to both)
        assert grant is not None  # noqa: S101
        if client.app.owner.spec.developer_pack == "expired":
            self._start_without_address(wish, client)
            return None
        stream = self.keeper.start(wish.meeting, client, wish.operator, grant)
        self._note(wish, started=True, why="every link holds", code=None)
        self._warn_near_limit(client)
        return stream

    def _start_without_address(self, wish: Wish, client: AppEnvironment) -> None:
        """Send the started event of an ended trial: neither stream nor address (devforum.zoom.us/t/141905)."""
        payload: dict[str, object] = {
            "account_id": wish.operator.account.account_id,
            "meeting_id": wish.meeting.meeting_id,
            "meeting_uuid": wish.meeting.uuid,
            "operator_id": wish.operator.user_id,
            "is_original_host": wish.operator is wish.meeting.host,
        }
        self.courier.send(client, "meeting.rtms_started", payload, user_id=wish.operator.user_id)
        self._silence(wish, "the app owner's Developer Pack trial has ended")

    def _warn_near_limit(self, client: AppEnvironment) -> None:
        limit, running = self._limit(client), self._running_for_owner(client)
        if limit and running > NEAR_LIMIT * limit:
            percentage = 100 * running // limit
            payload: dict[str, object] = {
                "concurrency_limit": limit, "concurrency_number": running, "percentage": percentage,
            }  # fmt: skip
            self.courier.send(client, "rtms.concurrency_near_limit", payload)

    def _silence(self, wish: Wish, why: str) -> None:
        self._note(wish, started=False, why=why, code=None)

    def _refuse(self, wish: Wish, why: str, refusal: RefusedError) -> RefusedError:
        self._note(wish, started=False, why=why, code=refusal.code)
        return refusal

    def _note(self, wish: Wish, *, started: bool, why: str, code: int | None) -> None:
        self.world.decisions.append(
            {
                "at": self.world.clock.wall().isoformat(),
                "meeting_id": wish.meeting.meeting_id,
                "account": wish.starter,
                "client_id": wish.client_id,
                "trigger": wish.trigger,
                "started": started,
                "code": code,
                "why": why,
            }
        )


def may_start(meeting: Meeting, operator: User) -> bool:
    """Whether somebody may start RTMS: the host, or an alternative host or invitee who is in the meeting."""
    joined = operator in meeting.present
    return operator is meeting.host or (joined and operator in [*meeting.alternative_hosts, *meeting.invited])


def not_allowed() -> RefusedError:
    """Return Zoom's 2308."""
    return RefusedError(403, 2308, "Not allowed to start RTMS app.")


def _kind(wish: Wish) -> Obstacle | None:
    if wish.meeting.kind in STREAMABLE:
        return None
    refusal = RefusedError(403, 13273, "The current session does not support the RTMS app feature.")
    return Obstacle(f"a {wish.meeting.kind} cannot be streamed", refusal)


def _verified(wish: Wish) -> Obstacle | None:
    if wish.operator.account.spec.verified:
        return None
    return Obstacle("the starter's account is not verified", not_allowed())


def _sharing(wish: Wish) -> Obstacle | None:
    if wish.operator.account.spec.sharing:
        return None
    refusal = RefusedError(400, 13267, "RTMS app access has been disabled in your settings.")
    return Obstacle("sharing realtime content with apps is off", refusal)


def _allowed(wish: Wish) -> Obstacle | None:
    if wish.client is not None and wish.operator.account.lists("allowed_apps", wish.client.key):
        return None
    message = (
        f"The app '{wish.client_id}' is not authorized to access meeting content. Please add it in the Allow apps to "
        "access meeting content setting."
    )
    return Obstacle("the app is not on the account's list", RefusedError(403, 13262, message))


def _distributed(wish: Wish) -> Obstacle | None:
    client = wish.client
    if client is None or client.is_public or client.app.owner is wish.operator.account:
        return None
    return Obstacle("the app is private and this is not its owner's account")


def _entitled(wish: Wish) -> Obstacle | None:
    if wish.client is None:
        return None
    app = wish.client.app
    pack = app.owner.spec.developer_pack
    ended_but_told = pack == "expired" and wish.trigger == "auto-start"
    if app.spec.rtms_enabled and app.spec.status == "active" and (pack in ("active", "trial") or ended_but_told):
        return None
    why = f"the app owner's Developer Pack is {pack}" if app.spec.rtms_enabled else "RTMS is not enabled for the app"
    return Obstacle(why, RefusedError(400, 2310, "Failed to perform RTMS app operation."))


def _versions(wish: Wish) -> Obstacle | None:
    for account in (wish.operator.account, wish.meeting.host.account):
        if _version(account.spec.client_version) < OLDEST_CLIENT:
            return Obstacle(f"the Zoom client of {account.label} is older than 6.5.5")
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())
