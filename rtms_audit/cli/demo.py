"""`rtms-audit demo`: a whole audit against the built-in sandbox, over real sockets, with nothing faked on the way."""

import json
import secrets
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object, talk
from rtms_audit.errors import AuditError, UserError

if TYPE_CHECKING:
    from rtms_audit.cli.demo_backend import Backends
    from rtms_audit.core.verdicts import Diagnosis
    from rtms_audit.web.run import Running
    from rtms_audit.workflows.services import Services

APP = "notes"
DEVELOPER = "developer"
STARTED = ("customer", "freelancer", "partial")
"""The accounts whose meetings start by themselves and whose backends sign with the right pair."""

WATCHED = "external-free"
REFUSED = "cautious"
INSTALL_LIMIT = 20
EVENT_LIMIT = 15.0


@dataclass(frozen=True, slots=True)
class World:
    """The sandbox as a script sees it: its ready line, and its control address."""

    ready: Mapping[str, Any]

    def control(self, path: str, body: Mapping[str, object] | None = None, *, method: str = "POST") -> dict[str, Any]:
        """Call the control address."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.ready['control_url']}{path}", data=data, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  the sandbox's own address
            return cast("dict[str, Any]", json.load(answer))

    @property
    def app(self) -> Mapping[str, Any]:
        """The app of the story."""
        return next(app for app in self.ready["apps"] if app["name"] == APP)

    def email(self, label: str) -> str:
        """Give the e-mail address of the person who installs for an account."""
        return next(str(one["users"][0]["email"]) for one in self.ready["accounts"] if one["label"] == label)

    def meeting(self, account: str, environment: str, trigger: str) -> str:
        """Open a meeting of an account; give its number."""
        spec = {"account": account, "environment": environment, "trigger": trigger}
        return str(self.control("/meetings", spec)["meeting_id"])


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Leave the database, its key and the reports in DIR.",
)
@pass_context_object
def demo(context: Context, keep: Path | None) -> None:
    """Run a whole audit against the built-in sandbox, and show the matrix and why.

    Apps and accounts are registered, installed through the real OAuth flow, asked about over REST; meetings start,
    signed webhooks arrive, streams are joined by backends, one of which signs with the wrong pair.

    \b
    For example:
      rtms-audit demo
      rtms-audit demo --keep audit && rtms-audit --database audit/audit.db matrix
    """
    import tempfile

    from rtms_audit.report.formats import explanations_text

    began = time.monotonic()

    def tell(text: str) -> None:
        talk(f"{time.monotonic() - began:5.1f} s  {text}")

    with tempfile.TemporaryDirectory(prefix="rtms-audit-demo-") as scratch:
        folder = _prepared(keep) if keep else Path(scratch)
        diagnoses = _audit(context, folder, tell)
        from rtms_audit.cli.options import style_of

        echo_result(explanations_text(diagnoses, format_="table", style=style_of(context)))
        if keep:
            _write_outputs(context, folder, diagnoses)
            talk(f"\nLook around: rtms-audit --database {folder / 'audit.db'} matrix")
    tell("done")


def _prepared(folder: Path) -> Path:
    if (folder / "audit.db").exists():
        raise UserError(f"{folder} holds a database already.", next_step="Name a new or empty folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}.", next_step="Name another folder.") from None
    return folder


def _audit(context: Context, folder: Path, tell: Callable[[str], None]) -> "tuple[Diagnosis, ...]":
    from rtms_audit.core.diagnosis import diagnose_case
    from rtms_audit.sandbox.server import Sandbox, load_scenario

    with Sandbox(load_scenario()) as sandbox:
        world = World(sandbox.ready())
        tell("the sandbox is up")
        with _services(context, folder, world) as services:
            _register(services, world)
            tell("app and accounts are registered")
            with _listening(services, world) as (backends, _server):
                _install_all(services, world)
                tell("installed through OAuth, by a browser that consents as each account's user")
                _collect(services)
                tell("asked Zoom's REST API about every install")
                _probe(services, world)
                tell("probed: the developer's production pair joins; the cautious account refuses the app")
                _meetings(world, backends)
                tell("meetings started, webhooks came, backends joined")
        with _services(context, folder, world) as services:
            return diagnose_case(services.store.case(app=APP))


@contextmanager
def _services(context: Context, folder: Path, world: World) -> "Iterator[Services]":
    from rtms_audit.settings import Settings, sqlite_url
    from rtms_audit.store.keys import KeySource
    from rtms_audit.store.store import open_store
    from rtms_audit.workflows.services import live_services

    url = sqlite_url((folder / "audit.db").absolute())
    settings = Settings(database_url=url, zoom_oauth_url=world.ready["oauth_url"], zoom_api_url=world.ready["api_url"])
    # The key goes beside the file, whatever the surroundings say: who opens the file later finds it there.
    with open_store(url, key=KeySource(), clock=context.clock) as store:
        yield live_services(store, settings, clock=context.clock)


def _register(services: "Services", world: World) -> None:
    from rtms_audit.core.model import Distribution, Environment, Plan, Usage
    from rtms_audit.core.secret import Secret
    from rtms_audit.workflows.accounts import AccountRow, add_account, connect_auditor
    from rtms_audit.workflows.apps import add_app

    for environment, pair in world.app["environments"].items():
        add_app(
            services.store,
            app=APP,
            environment=Environment(environment),
            client_id=pair["client_id"],
            client_secret=Secret(pair["client_secret"]),
            webhook_secret=Secret(pair["webhook_secret"]),
            app_id=world.app["app_id"],
            owner=world.app["owner"],
            usage=Usage.USER_MANAGED,
            distribution=Distribution(pair["distribution"]),
        )
    for account in world.ready["accounts"]:
        plan = Plan.FREE if account["plan"] == "free" else Plan.PAID
        add_account(services.store, AccountRow(account["label"], account["users"][0]["email"], plan=plan))
        if account["auditor"]:
            connect_auditor(
                services,
                account=account["label"],
                client_id=account["auditor"]["client_id"],
                client_secret=Secret(account["auditor"]["client_secret"]),
                zoom_account_id=account["auditor"]["account_id"],
            )


@contextmanager
def _listening(services: "Services", world: World) -> "Iterator[tuple[Backends, Running]]":
    """Run `serve`'s web app and, behind it, the backends that webhooks are passed on to."""
    from rtms_audit.cli.demo_backend import BackendPair, Backends
    from rtms_audit.core.secret import Secret
    from rtms_audit.web.run import Served, serving

    pairs = {
        name: BackendPair(name, pair["client_id"], Secret(pair["client_secret"]), Secret(pair["webhook_secret"]))
        for name, pair in world.app["environments"].items()
    }
    labels = {account["account_id"]: account["label"] for account in world.ready["accounts"]}
    token = Secret(secrets.token_urlsafe(24))

    def signs_with(label: str, environment: str) -> str:
        # The mistake of the story: the developer's process still has the development pair in its environment.
        return "development" if label == DEVELOPER else environment

    with Backends(pairs, labels, signs_with=signs_with) as backends:
        plan = Served(services=services, apps=(APP,), token=token, forward=backends.url)
        with serving(plan) as server:
            backends.report_to(f"{server.url}/api/observations", token)
            world.control("/settings", {"webhook_url": f"{server.url}/webhooks"})
            yield backends, server


def _install_all(services: "Services", world: World) -> None:
    from rtms_audit.cli.install import CallbackWay
    from rtms_audit.core.model import Environment, InstallKey
    from rtms_audit.workflows.install import Installer

    installs = [(account["label"], "production") for account in world.ready["accounts"]]
    for label, environment in [(DEVELOPER, "development"), *installs]:
        key = InstallKey(label, Environment(environment))
        way = CallbackWay(Installer(services), services, app=APP, key=key, say=lambda text: talk(text, level=2))
        finished = way.wait(_consenting(world.email(label)), INSTALL_LIMIT)
        if finished.grant is None:
            raise AuditError(finished.message, next_step=finished.next_step)


def _consenting(email: str) -> Callable[[str], bool]:
    """Make a browser that consents as one user: it follows the authorize address, and the way back."""

    def browse(address: str) -> bool:
        with urllib.request.urlopen(f"{address}&login_hint={quote(email)}", timeout=INSTALL_LIMIT) as page:  # noqa: S310
            return bool(page.read())

    return browse


def _collect(services: "Services") -> None:
    from rtms_audit.workflows.collect import Collector

    Collector(services, app=services.store.app(APP), owner="demo").run(jobs=8)


def _probe(services: "Services", world: World) -> None:
    """Start by REST where the story asks for it: once in the developer's account, once where the app is not listed."""
    from rtms_audit.core.model import Environment, InstallKey
    from rtms_audit.workflows.probe import ProbePlan, Prober
    from rtms_audit.zoom.rtms_socket import join

    for label in (DEVELOPER, REFUSED):
        meeting = world.meeting(label, "production", "none")
        plan = ProbePlan(
            app=APP,
            key=InstallKey(label, Environment.PRODUCTION),
            meeting=meeting,
            try_other=True,
            deadline=EVENT_LIMIT,
        )
        for step in Prober(services, plan, owner="demo", join=join).run():
            talk(f"         probe {label}: {step.name}: {step.text}", level=1)
        world.control(f"/meetings/{meeting}", method="DELETE")


def _meetings(world: World, backends: "Backends") -> None:
    """Let meetings run: in the developer's account once per environment, and in everybody else's in production."""
    opened = [world.meeting(DEVELOPER, each, "auto-start") for each in ("development", "production")]
    opened += [world.meeting(label, "production", "auto-start") for label in STARTED]
    opened.append(world.meeting(WATCHED, "production", "none"))
    # One started event more came from the probe.
    backends.wait({"meeting.rtms_started": len(opened)}, timeout=EVENT_LIMIT)
    _settle(world, lambda state: any(one["event"] == "meeting.rtms_stopped" and _reason(one) == 18 for one in state))
    for meeting in opened:
        world.control(f"/meetings/{meeting}", method="DELETE")
    _settle(world, lambda state: sum(1 for one in state if one["event"] == "meeting.rtms_stopped") >= len(opened))


def _reason(delivery: Mapping[str, Any]) -> int | None:
    return cast("int | None", delivery["body"].get("payload", {}).get("stop_reason"))


def _settle(world: World, there: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Wait until the sandbox has delivered what is awaited and nothing is under way."""
    deadline = time.monotonic() + EVENT_LIMIT
    while time.monotonic() < deadline:
        state = world.control("/state", method="GET")
        if there(state["deliveries"]) and not state["under_way"]:
            return
        time.sleep(0.1)


def _write_outputs(context: Context, folder: Path, diagnoses: "tuple[Diagnosis, ...]") -> None:
    from rtms_audit.cli.common import write_result
    from rtms_audit.report.formats import report_text
    from rtms_audit.settings import sqlite_url
    from rtms_audit.store.keys import KeySource
    from rtms_audit.store.store import open_store
    from rtms_audit.workflows.ticket import prepare_ticket

    title = f"RTMS audit of {APP}"
    for name, format_ in (("report.md", "markdown"), ("report.html", "html")):
        write_result(report_text(diagnoses, format_=format_, title=title, made_at=context.clock()), folder / name)
    with open_store(sqlite_url((folder / "audit.db").absolute()), key=KeySource(), clock=context.clock) as store:
        case = store.case(app=APP)
    wanted = next(one.install for one in diagnoses if str(one.install) == f"{DEVELOPER}/production")
    write_result(prepare_ticket(case, wanted).bundle, folder / f"ticket-{DEVELOPER}-production.zip")
