"""What is known of one install, gathered from a case for the checks to read; nothing is concluded here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from rtms_audit.core import attempts, plans, reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.attempts import Attempt
from rtms_audit.core.casebook import Casebook, arrange
from rtms_audit.core.model import (
    App,
    AppEnvironment,
    Case,
    Distribution,
    Environment,
    Install,
    InstallKey,
    Kind,
    Observation,
    Plan,
)
from rtms_audit.core.supposing import without_disproved
from rtms_audit.core.verdicts import Fact, Known, NotApplicable

OWNER_FACTS = ("account.developer_pack", "account.rtms_enabled")
"""Facts that count on the app owner's account and nowhere else: https://developers.zoom.us/docs/rtms/ (2026-11)."""

STREAM_FACTS = ("media.received", "media.kinds_received")
"""Facts that speak of one stream: what was said before the latest attempt does not count for it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a check may read about one install.

    `facts` hold what people stated and what machines showed, by fact key; `attempt` is the latest attempt, None where
    there was none; `own` are the install's observations in time order, `of_owner` those of the app owner's account, and
    `book` tells what the other installs of the case showed.
    """

    install: Install
    app: App
    plan: Fact
    believed_plan: Plan
    facts: Mapping[str, Fact]
    own: tuple[Observation, ...]
    of_owner: tuple[Observation, ...]
    book: Casebook
    history: tuple[Attempt, ...]
    overrides: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> InstallKey:
        """The install's account and environment."""
        return self.install.key

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt."""
        return self.history[-1] if self.history else None

    @property
    def attempt_free(self) -> bool:
        """Whether nobody is known to have tried anything yet."""
        return not self.history

    @property
    def is_owner(self) -> bool | None:
        """Whether the install's account owns the app; None where the owner is not known."""
        return None if self.app.owner is None else self.app.owner == self.key.account

    @property
    def environment(self) -> AppEnvironment:
        """This environment of the app."""
        return self.app.environments.get(self.key.environment, AppEnvironment())

    @property
    def other_client_id(self) -> str | None:
        """The client id of the other environment, where both are known and differ."""
        others = [e.client_id for name, e in self.app.environments.items() if name is not self.key.environment]
        return next((other for other in others if other and other != self.environment.client_id), None)

    @property
    def distribution(self) -> Distribution | None:
        """How far this environment is distributed, by the app's own entry or by what a person stated of its review."""
        if self.environment.distribution:
            return self.environment.distribution
        stated = {"beta": Distribution.BETA, "published": Distribution.PUBLISHED, "not-submitted": Distribution.PRIVATE}
        return stated.get(self.word("app.review")) if self.key.environment is not Environment.DEVELOPMENT else None

    @property
    def when(self) -> date | None:
        """The day whose rules apply: that of the latest attempt, else of the latest observation with a time."""
        begin = self.attempt.begins if self.attempt else None
        moment = begin or next((o.at for o in reversed(self.own) if o.at), None)
        return moment.astimezone(UTC).date() if moment else None

    @property
    def effective_plan(self) -> Plan:
        """The plan that evidence shows, else the one somebody believes the account has."""
        shown = self.plan
        return shown.value if isinstance(shown, Known) and isinstance(shown.value, Plan) else self.believed_plan

    def value(self, fact: str) -> object:
        """Return the value of a known fact, None where it is not known."""
        found = self.facts.get(fact)
        return found.value if isinstance(found, Known) else None

    def word(self, fact: str) -> str:
        """Return the value of a known fact as a word in lower case, empty where it is not known."""
        value = self.value(fact)
        if isinstance(value, bool):
            return "true" if value else "false"
        return reading.text(value).strip().lower()

    def evidence(self, *facts: str) -> tuple[str, ...]:
        """Return the ids of the observations behind these facts."""
        return merged(found.evidence for fact in facts if isinstance(found := self.facts.get(fact), Known))

    def rest(self, path_end: str) -> list[Observation]:
        """Return the REST calls of this install whose path ends so."""
        return [o for o in self.own if o.kind is Kind.REST and reading.path(o).endswith(path_end)]


def merged(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the texts of all groups once each, in their order."""
    return tuple(dict.fromkeys(text for group in groups for text in group))


def ids(*observations: Observation | None) -> tuple[str, ...]:
    """Return the ids of the observations given."""
    return merged([[o.id] for o in observations if o is not None])


def gather(
    case: Case, key: InstallKey, overrides: Mapping[str, object] | None = None, *, book: Casebook | None = None
) -> Situation:
    """Gather what a case says of one install; `overrides` state facts that replace whatever was seen.

    `book` is the case arranged, which whoever asks for many installs makes once. Raises KeyError where the case has no
    such install.
    """
    book = book or arrange(case)
    install = book.installs.get(key)
    if install is None:
        raise KeyError(str(key))
    own = book.by_install.get(key, ())
    own = without_disproved(own, key, overrides or {})
    of_account, of_owner = (book.by_account.get(name, ()) for name in (key.account, case.app.owner or key.account))
    account = case.accounts.get(key.account)
    history = tuple(attempts.cut(_trusted(own)))
    begin = history[-1].begins if history else None
    facts = _stated(own, begin) | _of_account(of_account) | _of_owner(case, key, of_account, of_owner)
    facts |= _shown(own) | (_signer(history[-1], case.app) if history else {})
    facts |= {fact: Known(value, ("what-if",)) for fact, value in (overrides or {}).items()}
    return Situation(
        install=install,
        app=case.app,
        plan=plans.conclude(of_account),
        believed_plan=account.plan if account else Plan.UNKNOWN,
        facts=facts,
        own=own,
        of_owner=of_owner,
        book=book,
        history=history,
        overrides=overrides or {},
    )


def _trusted(own: tuple[Observation, ...]) -> list[Observation]:
    """Leave out webhooks with a refused signature where others were verified: the token is right, it is not Zoom's."""
    verified = any(o.fields.get("signature") == "verified" for o in own)
    return [o for o in own if not (verified and o.kind is Kind.WEBHOOK and o.fields.get("signature") == "rejected")]


def _stated(own: Iterable[Observation], begin: datetime | None) -> dict[str, Fact]:
    """Return the latest statement of each fact."""
    found: dict[str, Fact] = {}
    for observation in own:
        if observation.kind is not Kind.STATEMENT:
            continue
        about = reading.text(observation.fields.get("about"))
        if about in STREAM_FACTS and begin and observation.at and observation.at < begin:
            continue
        if about:
            found[about] = Known(observation.fields.get("value"), ids(observation))
    return found


def _of_account(observations: Iterable[Observation]) -> dict[str, Fact]:
    """Return what machines showed of the account: whether its user is verified."""
    found: dict[str, Fact] = {}
    for observation in observations:
        if observation.kind is not Kind.REST or not reading.path(observation).endswith("/users/me"):
            continue
        verified = as_int(reading.answer(observation).get("verified"))
        if verified in (0, 1) and not reading.refusal(observation):
            found["account.verified"] = Known(verified == 1, ids(observation))
    return found


def _of_owner(
    case: Case, key: InstallKey, of_account: Iterable[Observation], of_owner: Iterable[Observation]
) -> dict[str, Fact]:
    """Return what was stated of the owner's account; of another account the same statement does not count."""
    owner = case.app.owner
    counted = {about: Known(o.fields.get("value"), ids(o)) for o in of_owner if (about := _owner_fact(o))}
    if owner is None or owner == key.account:
        return {**counted}
    why = f"it counts on the account that owns the app, {owner}, not on {key.account}"
    apart: dict[str, Fact] = {about: NotApplicable(why) for o in of_account if (about := _owner_fact(o))}
    return {**apart, **counted}


def _owner_fact(observation: Observation) -> str:
    """Return which fact of the owner's account an observation states, empty where it states none."""
    about = reading.text(observation.fields.get("about")) if observation.kind is Kind.STATEMENT else ""
    return about if about in OWNER_FACTS else ""


def _signer(attempt: Attempt, app: App) -> dict[str, Fact]:
    """Return which pair the first handshake of an attempt that names its client id was signed with."""
    for observation in attempt.of(Kind.HANDSHAKE):
        used = reading.text(reading.request(observation).get("client_id"))
        if not used:
            continue
        shown: dict[str, Fact] = {"receiver.client_id": Known(used, ids(observation))}
        owner = next((name for name, environment in app.environments.items() if environment.client_id == used), None)
        return shown | ({"receiver.signing_environment": Known(str(owner), ids(observation))} if owner else {})
    return {}


def _shown(own: Iterable[Observation]) -> dict[str, Fact]:
    """Return the scopes that a token answer granted and the meeting's host as Zoom showed them."""
    found: dict[str, Fact] = {}
    for observation in own:
        if observation.kind is Kind.OAUTH and not reading.refusal(observation):
            scopes = reading.answer(observation).get("scope")
            grant = observation.fields.get("grant")
            if isinstance(scopes, str) and scopes and grant in ("authorization_code", "refresh_token", "device_code"):
                found["grant.scopes"] = Known(scopes.split(), ids(observation))
    return found
