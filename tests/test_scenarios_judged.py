"""Every shipped scenario, audited as a user would: install, ask, listen, meet, probe; the matrix names its one line."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import requests

from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.model import Distribution, Environment, InstallKey, Plan, Usage
from rtms_audit.core.secret import Secret
from rtms_audit.core.verdicts import Diagnosis, Status
from rtms_audit.errors import AuditError
from rtms_audit.sandbox.server import Sandbox, list_scenarios, load_scenario
from rtms_audit.settings import Settings, sqlite_url
from rtms_audit.store.keys import KeySource
from rtms_audit.store.store import open_store
from rtms_audit.web.run import Served, serving
from rtms_audit.workflows.accounts import AccountRow, add_account, connect_auditor
from rtms_audit.workflows.apps import add_app
from rtms_audit.workflows.collect import Collector
from rtms_audit.workflows.install import Callback, Installer
from rtms_audit.workflows.probe import ProbePlan, Prober, Step
from rtms_audit.workflows.services import Services, live_services
from rtms_audit.zoom.rtms_plan import JoinPlan, JoinResult
from rtms_audit.zoom.rtms_socket import join

SILENCE = 1.0
"""Seconds that are waited for a started event."""


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass
class Audit:
    """One audit of one scenario."""

    ready: Any
    services: Services
    app: str
    steps: dict[str, list[Step]] = field(default_factory=dict)

    def control(self, path: str, **body: object) -> Any:
        """Call the control address."""
        answer = requests.post(f"{self.ready['control_url']}{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def state(self) -> Any:
        """Read the sandbox's state."""
        return requests.get(f"{self.ready['control_url']}/state", timeout=10).json()

    def heard(self, event: str) -> bool:
        """Whether an event of this name has been stored."""
        seen = self.services.store.observations(app=self.app)
        return any(isinstance(body := one.fields.get("body"), dict) and body.get("event") == event for one in seen)

    @property
    def pairs(self) -> Any:
        """The credentials of the app's environments."""
        return next(app for app in self.ready["apps"] if app["name"] == self.app)["environments"]

    def install(self, label: str) -> bool:
        """Install the production environment, as a browser that consents; say whether that worked."""
        account = next(one for one in self.ready["accounts"] if one["label"] == label)
        uri = "http://127.0.0.1:8765/callback"
        installer = Installer(self.services)
        begun = installer.begin(app=self.app, account=label, environment=Environment.PRODUCTION, redirect_uri=uri)
        answer = requests.get(
            f"{begun.authorize_url}&login_hint={quote(account['users'][0]['email'])}", allow_redirects=False, timeout=10
        )
        if "location" not in answer.headers:
            installer.time_out(begun)
            return False
        back = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
        return installer.finish(Callback.of(back)).grant is not None

    def meeting(self, label: str, trigger: str = "none", **more: object) -> str:
        """Open a meeting."""
        spec = {"account": label, "app": self.app, "environment": "production", "trigger": trigger, **more}
        return str(self.control("/meetings", **spec)["meeting_id"])

    def probe(self, label: str, *, signs_as: str = "production", joins: bool = False, **more: str) -> None:
        """Start by REST and join, by default with the right pair; who `joins` is a participant of another's meeting."""
        grant = self.services.store.grant(app=self.app, environment=Environment.PRODUCTION, account=label)
        pair = self.pairs[signs_as]

        def joining(plan: JoinPlan, *, clock: Callable[[], datetime]) -> JoinResult:
            if plan.client_id == self.pairs["production"]["client_id"]:
                plan = replace(plan, client_id=pair["client_id"], client_secret=Secret(pair["client_secret"]))
            return join(plan, clock=clock)

        plan = ProbePlan(
            app=self.app,
            key=InstallKey(label, Environment.PRODUCTION),
            meeting=self.meeting(label, **more),
            deadline=SILENCE,
            participant=grant.user_id if joins and grant else None,
        )
        self.steps[label] = list(Prober(self.services, plan, owner="test", join=joining).run())

    def watch(self, label: str) -> None:
        """Let a meeting begin whose stream would start by itself."""
        self.meeting(label, "auto-start")

    def swap_pairs(self) -> None:
        """Register each environment with the other one's client id and secret."""
        other = {"development": "production", "production": "development"}
        for name, pair in self.pairs.items():
            crossed = self.pairs[other[name]]
            self.services.store.put_app(
                app=self.app, environment=Environment(name), client_id=crossed["client_id"],
                client_secret=Secret(crossed["client_secret"]), webhook_secret=Secret(pair["webhook_secret"]),
            )  # fmt: skip

    def judged(self, label: str) -> Diagnosis:
        """Judge an account's production install by all that the store knows."""
        return diagnose(self.services.store.case(app=self.app), InstallKey(label, Environment.PRODUCTION))


@contextmanager
def audit(scenario: str, folder: Path, app: str = "notes") -> Iterator[Audit]:
    """Run a scenario, register what it has, and listen for its webhooks until the block ends."""
    with Sandbox(load_scenario(scenario)) as sandbox:
        ready: Any = sandbox.ready()
        url = sqlite_url(folder / "audit.db")
        settings = Settings(database_url=url, zoom_oauth_url=ready["oauth_url"], zoom_api_url=ready["api_url"])
        with open_store(url, key=KeySource(), clock=now) as store:
            made = Audit(ready, live_services(store, settings, clock=now), app)
            register(made)
            plan = Served(services=made.services, apps=(app,), token=Secret("t" * 24))
            with serving(plan) as server:
                made.control("/settings", webhook_url=f"{server.url}/webhooks", rate_limits="off")
                yield made
                settle(made)


def register(made: Audit) -> None:
    """Register the app's environments, the accounts and their auditors."""
    app = next(one for one in made.ready["apps"] if one["name"] == made.app)
    for name, pair in app["environments"].items():
        add_app(
            made.services.store, app=made.app, environment=Environment(name), client_id=pair["client_id"],
            client_secret=Secret(pair["client_secret"]), webhook_secret=Secret(pair["webhook_secret"]),
            app_id=app["app_id"], owner=app["owner"], usage=Usage.USER_MANAGED,
            distribution=Distribution(pair["distribution"]),
        )  # fmt: skip
    for account in made.ready["accounts"]:
        add_account(made.services.store, AccountRow(account["label"], account["users"][0]["email"], plan=Plan.PAID))
        if account["auditor"]:
            persistently(lambda account=account: connect(made, account))  # type: ignore[misc]


def connect(made: Audit, account: Any) -> None:
    """Connect an account's auditor."""
    connect_auditor(
        made.services, account=account["label"], client_id=account["auditor"]["client_id"],
        client_secret=Secret(account["auditor"]["client_secret"]), zoom_account_id=account["account_id"],
    )  # fmt: skip


def persistently(work: Callable[[], Any]) -> Any:
    """Try again where Zoom could not be asked, as a person would."""
    try:
        return work()
    except AuditError:
        return work()


def settle(made: Audit) -> None:
    """Wait until every webhook has been delivered, the late stop of a refused handshake included."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        state = made.state()
        stopping = [s for s in state["streams"] if 3 in s["refusals"] and s["stop_reason"] is None]
        if not state["under_way"] and not stopping:
            return
        time.sleep(0.05)


Story = Callable[[Audit], None]
Expected = dict[str, tuple[str, str]]
"""Outcome and leading cause (empty: none but an ordinary end) by account."""


def probes(*labels: str, **more: Any) -> Story:
    """Tell a story in which RTMS is started by REST in one meeting of each account."""

    def tell(made: Audit) -> None:
        for label in labels:
            made.probe(label, **more)

    return tell


def full_house(made: Audit) -> None:
    """Two streams run when a third account starts one."""
    made.watch("developer")
    made.watch("one")
    made.probe("two")


def question(made: Audit) -> None:
    """Tell the public question: the developer signs with the wrong pair, nothing comes from the free account."""
    made.probe("developer", signs_as="development")
    made.watch("external-free")
    probes("customer", "freelancer", "cautious", "partial")(made)


def hosts(made: Audit) -> None:
    """One host has to be asked, one organisation lets nobody in."""
    probes("developer", "asking")(made)
    made.probe("guest", host="strict", role="invited", joins=True)


def trial(made: Audit) -> None:
    """By REST a refusal, by auto-start an event without an address."""
    made.probe("developer")
    made.watch("customer")


def swapped(made: Audit) -> None:
    """Register the pairs the wrong way round, and take over a stream that runs already."""
    made.control("/settings", auth_failure_stop_s=2.5)  # a busy machine must not miss the time between two joins
    made.control("/clock", advance=2)
    until = time.monotonic() + 20
    while not made.heard("meeting.rtms_started"):  # from the meeting that the scenario itself begins
        assert time.monotonic() < until
        time.sleep(0.02)
    meeting = str(made.state()["streams"][0]["meeting_id"])
    made.swap_pairs()
    plan = ProbePlan(
        app=made.app, key=InstallKey("developer", Environment.PRODUCTION), meeting=meeting, deadline=5.0,
        try_other=True, take_over=True,
    )  # fmt: skip
    made.steps["developer"] = list(Prober(made.services, plan, owner="test", join=join).run())


WORKS = ("started", "")
STORIES: dict[str, tuple[Story, Expected]] = {
    "at-the-limit": (full_house, {"two": ("not-started", "concurrency-limit")}),
    "awkward-webhooks": (probes("developer"), {"developer": WORKS}),
    "devforum-142247": (
        question,
        {
            "developer": ("stopped-early", "credentials-mismatch"),
            "external-free": ("unknown", "not-triggered"),
            "customer": WORKS,
            "freelancer": WORKS,
            "cautious": ("not-started", "app-not-allowed"),
            "partial": ("degraded", "scope-missing"),
        },
    ),
    "everything-works": (
        probes("developer", "paid", "free"),
        {"developer": WORKS, "paid": WORKS, "free": WORKS},
    ),
    "flaky-zoom": (probes("developer", "free"), {"developer": WORKS, "free": WORKS}),
    "host-decides": (
        hosts,
        {
            "developer": WORKS,
            "asking": ("not-started", "host-approval-pending"),
            "guest": ("not-started", "starter-not-permitted"),
        },
    ),
    "no-developer-pack": (
        probes("developer", "customer"),
        {"developer": ("not-started", "entitlement-missing"), "customer": ("not-started", "entitlement-missing")},
    ),
    "pre-approval": (probes("approving"), {"approving": WORKS, "waiting": ("not-attempted", "install-missing")}),
    "private-app": (
        probes("developer"),
        {
            "developer": WORKS,
            "outside": ("not-attempted", "install-missing"),
            "earlier": ("not-attempted", "install-missing"),
        },
    ),
    "scopes-missing": (
        probes("no-transcript", "no-media", "no-event", "no-control"),
        {
            "no-transcript": ("degraded", "scope-missing"),
            "no-media": ("stopped-early", "scope-missing"),
            "no-event": ("not-started", "scope-missing"),
            "no-control": ("not-started", "scope-missing"),
        },
    ),
    "sharing-off": (
        probes("closed", "picky"),
        {"closed": ("not-started", "sharing-off"), "picky": ("not-started", "app-not-allowed")},
    ),
    "signature-closed": (swapped, {"developer": ("stopped-early", "environment-mixed")}),
    "trial-ended": (
        trial,
        {"developer": ("not-started", "entitlement-missing"), "customer": ("unknown", "entitlement-missing")},
    ),
    "two-apps": (probes("customer"), {"customer": WORKS}),
    "two-apps/coach": (probes("customer"), {"customer": ("not-started", "entitlement-missing")}),
    "unverified-and-old": (
        probes("unverified", "old-clients"),
        {"unverified": ("not-started", "starter-not-permitted"), "old-clients": ("not-started", "")},
    ),
}
CONSIDERED = {
    "private-app": {"outside": "app-not-distributed"},
    "unverified-and-old": {"unverified": "account-not-verified"},
}
"""What the evidence cannot single out, and what therefore only has to be among the possible causes."""


def test_every_scenario_has_its_story() -> None:
    """A scenario that is shipped is judged here."""
    assert {name.partition("/")[0] for name in STORIES} == {name for name, _ in list_scenarios()}


@pytest.mark.parametrize("name", STORIES)
def test_the_matrix_names_what_the_scenario_promises(name: str, tmp_path: Path) -> None:
    """Installed, asked, listened to and probed, each account shows its outcome and the cause that leads to it."""
    story, expected = STORIES[name]
    scenario, _, app = name.partition("/")
    with audit(scenario, tmp_path, app or "notes") as made:
        for label in (account["label"] for account in made.ready["accounts"]):
            if label != "no-api":  # which has a test of its own
                persistently(lambda label=label: made.install(label))  # type: ignore[misc]
        Collector(made.services, app=made.services.store.app(made.app), owner="test").run(jobs=8)
        story(made)
    with open_store(sqlite_url(tmp_path / "audit.db"), key=KeySource(), clock=now) as store:
        case = store.case(app=made.app)
    found = {label: diagnose(case, InstallKey(label, Environment.PRODUCTION)) for label in expected}
    assert {label: gist(diagnosis) for label, diagnosis in found.items()} == expected
    for label, cause in CONSIDERED.get(name, {}).items():
        assert cause in [one.id for one in found[label].causes]


def gist(diagnosis: Diagnosis) -> tuple[str, str]:
    """Return the outcome and the first cause that is no ordinary end; a merely possible one only where it leads."""
    causes = [cause for cause in diagnosis.causes if cause.category != "ordinary"]
    sure = [cause for cause in causes if cause.status is not Status.POSSIBLE]
    told = sure or [cause for cause in causes[:1] if cause.id == "not-triggered"]
    return str(diagnosis.outcome), told[0].id if told else ""


def test_an_account_without_api_says_so_at_its_install(tmp_path: Path) -> None:
    """Nobody can say whose token it is where the account's API is off: Zoom's words are passed on."""
    with audit("unverified-and-old", tmp_path) as made, pytest.raises(AuditError, match="API has been denied"):
        made.install("no-api")


def test_a_mix_up_is_confirmed_by_the_pair_that_works(tmp_path: Path) -> None:
    """The own pair is refused, the other one is accepted: the probe shows it, and the judge says confirmed."""
    with audit("signature-closed", tmp_path) as made:
        made.install("developer")
        swapped(made)
        diagnosis = made.judged("developer")
    assert "the pairs are mixed up" in " ".join(step.text for step in made.steps["developer"])
    mixed = next(cause for cause in diagnosis.causes if cause.id == "environment-mixed")
    assert mixed.status is Status.CONFIRMED
