"""Which install a webhook is about: by its stream, its user, its account or its host, whichever is known.

Zoom sends an event to the app that the starter has installed, and names the starter in `operator_id`; newer payloads
add `account_id` (developers.zoom.us/changelog/rtms/may-09-2026), stopped events carry the stream alone.
"""

from collections import OrderedDict
from collections.abc import Mapping

from rtms_audit.core.model import Environment, InstallKey
from rtms_audit.store.records import GrantStatus
from rtms_audit.store.store import Store

REMEMBERED_STREAMS = 10_000

USER_FIELDS = ("operator_id", "user_id", "host_id")
STREAM_FIELDS = ("rtms_stream_id", "meeting_uuid", "webinar_uuid", "session_id", "uuid")


class Router:
    """Finds the install of an event; the store's grants are read again when an id is not known."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users: dict[tuple[str, str], set[InstallKey]] = {}
        self._accounts: dict[tuple[str, str], set[InstallKey]] = {}
        self._streams: OrderedDict[str, InstallKey] = OrderedDict()
        self._loaded = False

    def route(
        self, payload: Mapping[str, object], *, app: str, environment: Environment | None, trusted: bool
    ) -> InstallKey | None:
        """Give the install that the payload speaks of, or None where no id in it is known.

        `environment` is the one whose secret token verified the event, None where none did. What is not `trusted` may
        make the grants be read for the first time only, and is not remembered: anybody can send it.
        """
        found = self._known(payload, app, environment)
        if found is None and (trusted or not self._loaded):
            self._reload()
            found = self._known(payload, app, environment)
        if found is not None and trusted:
            self._remember(payload, found)
        return found

    def _known(self, payload: Mapping[str, object], app: str, environment: Environment | None) -> InstallKey | None:
        by_user = self._matches(self._users, USER_FIELDS, payload, app)
        by_account = self._matches(self._accounts, ("account_id",), payload, app)
        candidates = by_user or by_account
        if candidates:
            return _choose(candidates, environment)
        for name in STREAM_FIELDS:
            stream = payload.get(name)
            if isinstance(stream, str) and stream in self._streams:
                known = self._streams[stream]
                return InstallKey(known.account, environment or known.environment)
        return None

    @staticmethod
    def _matches(
        index: Mapping[tuple[str, str], set[InstallKey]],
        names: tuple[str, ...],
        payload: Mapping[str, object],
        app: str,
    ) -> set[InstallKey]:
        for name in names:
            value = payload.get(name)
            if isinstance(value, str) and (app, value) in index:
                return index[app, value]
        return set()

    def _remember(self, payload: Mapping[str, object], key: InstallKey) -> None:
        for name in STREAM_FIELDS:
            stream = payload.get(name)
            if isinstance(stream, str) and stream:
                self._streams[stream] = key
                self._streams.move_to_end(stream)
        while len(self._streams) > REMEMBERED_STREAMS:
            self._streams.popitem(last=False)

    def _reload(self) -> None:
        """Read accounts and grants; the new indexes replace the old ones whole, since other threads look at them."""
        users: dict[tuple[str, str], set[InstallKey]] = {}
        accounts: dict[tuple[str, str], set[InstallKey]] = {}
        apps = self._store.apps()
        for account in self._store.accounts():
            for app in apps if account.account_id else ():
                keys = accounts.setdefault((app.name, str(account.account_id)), set())
                keys.update(InstallKey(account.label, each) for each in app.environments)
        for grant in self._store.grants():
            if grant.status is GrantStatus.SUPERSEDED:
                continue
            key = InstallKey(grant.account, grant.environment)
            if grant.user_id:
                users.setdefault((grant.app, grant.user_id), set()).add(key)
            if grant.zoom_account_id:
                accounts.setdefault((grant.app, grant.zoom_account_id), set()).add(key)
        self._users, self._accounts, self._loaded = users, accounts, True


def _choose(candidates: set[InstallKey], environment: Environment | None) -> InstallKey:
    """Pick the install of the verified environment; without one, the only candidate, or its account alone."""
    accounts = sorted({key.account for key in candidates})
    if environment is not None:
        same = sorted(key for key in candidates if key.environment is environment)
        return same[0] if same else InstallKey(accounts[0], environment)
    if len(candidates) == 1:
        return next(iter(candidates))
    return InstallKey(accounts[0], Environment.UNKNOWN)
