"""A scenario: the world a sandbox starts with, read from a small YAML file.

Described for people in docs/sandbox.md; the shipped scenarios lie in `scenarios/`.
"""

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rtms_audit.errors import UserError
from rtms_audit.sandbox.scopes import DEFAULT_SCOPES
from rtms_audit.sandbox.settings import Settings

DEFAULT_SCENARIO = "seed"
ALIASES = {"seed": "devforum-142247"}
ENVIRONMENTS = ("development", "production")

DEFAULT_EVENTS = (
    "meeting.started",
    "meeting.ended",
    "meeting.rtms_started",
    "meeting.rtms_stopped",
    "meeting.rtms_interrupted",
    "rtms.concurrency_limited",
    "rtms.concurrency_near_limit",
    "app_deauthorized",
)

Plan = Literal["free", "pro", "business", "enterprise", "education"]
MeetingKind = Literal["meeting", "webinar", "practice-session", "breakout", "e2ee"]
Trigger = Literal["auto-start", "rest", "none"]
AppKeys = Literal["all"] | tuple[str, ...]


class Part(BaseModel):
    """One mapping in the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EnvironmentSpec(Part):
    """One credential pair of an app."""

    distribution: Literal["private", "beta", "unlisted", "published"] = "private"
    redirect_uris: tuple[str, ...] = (
        "http://127.0.0.1",
        "http://localhost",
        "https://example.com",
        "https://app.example.com",
    )
    redirect_mode: Literal["base", "strict"] = "base"
    webhook: bool = True
    """Whether an event subscription exists in this environment at all."""
    client_id: str | None = None
    client_secret: str | None = None
    webhook_secret: str | None = None


class AppSpec(Part):
    """A General app with its two environments."""

    name: str = Field(min_length=1, pattern=r"^[^/]+$")
    owner: str
    usage: Literal["user-managed", "admin-managed"] = "user-managed"
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    events: tuple[str, ...] = DEFAULT_EVENTS
    status: Literal["active", "disabled"] = "active"
    rtms_enabled: bool = True
    device_flow: bool = False
    environments: dict[Literal["development", "production"], EnvironmentSpec] = {
        "development": EnvironmentSpec(),
        "production": EnvironmentSpec(distribution="beta"),
    }


class UserSpec(Part):
    """A person in an account."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    name: str = ""
    role: Literal["owner", "admin", "member"] = "owner"
    type: Literal["basic", "licensed"] | None = None
    """Meeting licence; by default licensed on a paid account, basic on a free one."""
    status: Literal["active", "inactive", "pending"] = "active"


class AccountSpec(Part):
    """A customer of Zoom: plan, portal settings and people."""

    label: str = Field(min_length=1, pattern=r"^[^/\s]+$")
    plan: Plan = "free"
    verified: bool = True
    developer_pack: Literal["active", "trial", "expired", "none"] = "none"
    """Counts on the account that owns an app. `expired`: a trial that ended."""
    concurrency_limit: int = Field(default=2000, ge=0)
    sharing: bool = True
    allowed_apps: AppKeys = "all"
    """Apps (`name/environment`) that may reach meeting content."""
    auto_start: AppKeys = ()
    require_host_approval: bool = False
    allow_external_apps: bool = True
    """Host policy: whether apps of outside participants may stream this account's meetings."""
    require_pre_approval: bool = False
    approved_apps: AppKeys = ()
    api_access: bool = True
    client_version: str = "6.6.0"
    declined_scopes: tuple[str, ...] = ()
    """Scopes that this account's people do not give when they consent."""
    auditor: bool = True
    """Whether a Server-to-Server app for account facts exists here."""
    installs: tuple[str, ...] = ()
    """Apps (`name/environment`) that the first user has installed before the story begins."""
    users: tuple[UserSpec, ...] = Field(min_length=1)

    @field_validator("allowed_apps", "auto_start", "approved_apps", mode="before")
    @classmethod
    def _switch(cls, value: object) -> object:
        """Read YAML's `none`, `off` and `on` as what a person means by them."""
        if isinstance(value, bool):
            return "all" if value else ()
        return () if value in (None, "none") else value


class MeetingSpec(Part):
    """A meeting that starts by itself, `after` seconds into the story."""

    account: str
    environment: Literal["development", "production"] | None = None
    app: str | None = None
    trigger: Trigger = "none"
    after: float = Field(default=0, ge=0)
    kind: MeetingKind = "meeting"
    host: str | None = None
    """Label of the account that hosts, where it is not the account itself."""
    role: Literal["host", "alternative-host", "invited", "guest"] = "host"
    waiting: bool = False
    """True: scheduled and not begun."""
    minutes: float | None = Field(default=None, gt=0)


class Scenario(Part):
    """Everything that is true when the sandbox starts."""

    name: str = "unnamed"
    title: str
    seed: str = "sandbox"
    settings: Settings = Settings()
    apps: tuple[AppSpec, ...] = Field(min_length=1)
    accounts: tuple[AccountSpec, ...] = Field(min_length=1)
    meetings: tuple[MeetingSpec, ...] = ()
    faults: tuple[dict[str, object], ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> "Scenario":
        labels = [account.label for account in self.accounts]
        _refuse_twice("account label", labels)
        _refuse_twice("app name", [app.name for app in self.apps])
        _refuse_twice("e-mail", [user.email for account in self.accounts for user in account.users])
        for app in self.apps:
            _refuse_unknown("owner of app " + app.name, [app.owner], labels)
        keys = [f"{app.name}/{environment}" for app in self.apps for environment in app.environments]
        for account in self.accounts:
            for field in ("allowed_apps", "auto_start", "approved_apps", "installs"):
                names = getattr(account, field)
                _refuse_unknown(f"{field} of account {account.label}", [] if names == "all" else names, keys)
        _refuse_unknown("account of a meeting", [meeting.account for meeting in self.meetings], labels)
        return self


def _refuse_twice(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the {what} {name!r} stands there twice")


def _refuse_unknown(what: str, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{what}: {name!r} is not one of {', '.join(known)}")


def list_scenarios() -> list[tuple[str, str]]:
    """Return name and one line of every shipped scenario, by name."""
    folder = resources.files("rtms_audit.sandbox") / "scenarios"
    names = sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))
    return [(name, load_scenario(name).title) for name in names]


def load_scenario(name_or_path: str = DEFAULT_SCENARIO) -> Scenario:
    """Read a shipped scenario by its name, or any scenario by the path of its file.

    Raises UserError where there is no such scenario, or the file is not one: the message names file, place and reason.
    """
    name = ALIASES.get(name_or_path, name_or_path)
    shipped = resources.files("rtms_audit.sandbox") / "scenarios" / f"{Path(name).name}.yaml"
    if Path(name).name == name and shipped.is_file():
        return read_scenario(shipped.read_text(encoding="utf-8"), name=name)
    path = Path(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"There is no scenario {name_or_path!r}, neither shipped nor as a readable file.",
            next_step="List the shipped ones with `rtms-audit sandbox scenarios`, or give the path of a YAML file.",
        ) from error
    return read_scenario(text, name=path.stem)


def read_scenario(text: str, *, name: str) -> Scenario:
    """Read a scenario from YAML text.

    Raises UserError with place and reason where the text is not a scenario.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"Scenario {name}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise UserError(f"Scenario {name}: the file must hold a mapping.", next_step="See docs/sandbox.md.")
    try:
        return Scenario.model_validate({"name": name, **document})
    except ValidationError as error:
        raise UserError(f"Scenario {name}: {explain(error)}", next_step="See docs/sandbox.md.") from error


def explain(error: ValidationError) -> str:
    """Return the first problem of a validation as `place: reason`."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason
