"""Recording the windows in which the listener was healthy, so that an event that did not come means something.

An environment counts as watched only once a verified request of Zoom's has reached the listener: an address that Zoom
does not know receives nothing, and its silence proves nothing.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rtms_audit.core.model import Environment, InstallKey, Kind, Observation
from rtms_audit.store.records import GrantStatus, Lease
from rtms_audit.workflows.services import Services

EVERY = timedelta(minutes=15)
"""How long a window is at most; a crash loses no more than one."""

VALID_FOR = timedelta(hours=72)
"""How long an earlier request proves that Zoom knows the address: it validates again every 72 h
(developers.zoom.us/docs/api/webhooks, 2026-02)."""

BEAT = timedelta(seconds=20)
"""How often a listener says in the store that it is there."""

BEAT_LASTS = timedelta(seconds=60)
"""How long such a word holds: a listener that crashed counts as there for no longer."""

MEETING_STARTED = "meeting.started"


def listening(app: str) -> str:
    """Return the name of the lease that a listener of an app holds while it is up."""
    return f"listening/{app}"


class Watch:
    """The current window of one listener; `run` in a thread closes windows in time, `close` the last one."""

    def __init__(self, services: Services, *, apps: Sequence[str], every: timedelta = EVERY) -> None:
        self._services = services
        self._apps = tuple(apps)
        self._every = every
        self._began = services.clock()
        self._lock = threading.Lock()
        self._reached: set[tuple[str, Environment]] = set(self._reached_before())
        self._events: dict[tuple[str, InstallKey], set[str]] = defaultdict(set)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._owner = services.token_urlsafe(8)
        self._leases: dict[str, Lease] = {}

    def reached(self, app: str, environment: Environment) -> None:
        """Note that a verified request of this environment came in."""
        with self._lock:
            self._reached.add((app, environment))

    def saw(self, app: str, install: InstallKey, event: str) -> None:
        """Note an event of an install."""
        with self._lock:
            self._events[app, install].add(event)

    def start(self) -> None:
        """Say that somebody listens, and close windows in time, in a thread of its own."""
        self._beat()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> int:
        """End the watch and record its last window; give the number of installs it covered."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for lease in self._leases.values():
            self._services.store.release_lease(lease)
        return self.end_window()

    def end_window(self) -> int:
        """Record the window up to now for every install that was watched, and begin the next one."""
        until = self._services.clock()
        with self._lock:
            began, self._began = self._began, until
            events, self._events = self._events, defaultdict(set)
            reached = set(self._reached)
        count = 0
        for app in self._apps:
            watched = self._watched(app, reached)
            seen = [_window(key, began, until, events.get((app, key), set())) for key in watched]
            self._services.store.append(app=app, observations=seen)
            count += len(seen)
        return count

    def _watched(self, app: str, reached: set[tuple[str, Environment]]) -> list[InstallKey]:
        keys = {
            InstallKey(grant.account, grant.environment)
            for grant in self._services.store.grants(app=app)
            if grant.status is GrantStatus.ACTIVE
        }
        return sorted(key for key in keys if (app, key.environment) in reached)

    def _reached_before(self) -> list[tuple[str, Environment]]:
        since = self._services.clock() - VALID_FOR
        return [
            (app, environment)
            for app in self._apps
            for environment in reached(self._services.store.observations(app=app), since=since)
        ]

    def _run(self) -> None:
        nap, waited = min(BEAT, self._every), timedelta(0)
        while not self._stop.wait(nap.total_seconds()):
            self._beat()
            waited += nap
            if waited >= self._every:
                waited = timedelta(0)
                self.end_window()

    def _beat(self) -> None:
        """Say in the store that the apps have a listener; of several listeners one says so for all."""
        store = self._services.store
        for app in self._apps:
            held = self._leases.pop(app, None)
            lease = store.renew_lease(held, ttl=BEAT_LASTS) if held else None
            lease = lease or store.acquire_lease(name=listening(app), owner=self._owner, ttl=BEAT_LASTS)
            if lease:
                self._leases[app] = lease


def reached(observations: Iterable[Observation], *, since: datetime) -> set[Environment]:
    """Return the environments of which a verified request came in since a time."""
    return {
        Environment(str(seen.fields["verified_with"]))
        for seen in observations
        if seen.kind is Kind.WEBHOOK and seen.fields.get("verified_with") and seen.at is not None and seen.at >= since
    }


def _window(key: InstallKey, began: datetime, until: datetime, events: set[str]) -> Observation:
    fields: dict[str, object] = {"from": began.isoformat(), "until": until.isoformat(), "events": sorted(events)}
    if MEETING_STARTED in events:
        fields["meeting_started"] = True
    return Observation(kind=Kind.WATCH, fields=fields, at=until, install=key, source="listener")
