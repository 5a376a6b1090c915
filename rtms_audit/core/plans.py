"""Concluding an account's plan from what Zoom answered; a Basic *user* proves nothing about the account.

What each address shows is documented in the OpenAPI of accounts, billing and users (2026-02).
"""

from collections.abc import Iterable, Mapping

from rtms_audit.core import reading
from rtms_audit.core.answers import as_int
from rtms_audit.core.model import Kind, Observation, Plan
from rtms_audit.core.verdicts import Fact, Known, Unknown

PAID_ONLY = "only available for paid account"
"""What Zoom answers a free account on endpoints that need a paid one (HTTP 200 or 400 with code 200)."""

_TIERS = (
    (("zoe", "zm_one_ent"), Plan.ENTERPRISE),
    (("edu", "plan_edu", "zo_edu"), Plan.EDUCATION),
    (("business", "plan_business", "zobp"), Plan.BUSINESS),
    (("monthly", "yearly", "plan_pro"), Plan.PRO),
)
"""First letters of `plan_base.type` and the tier they mean: developers.zoom.us/docs/api/references/billing-plans."""


def conclude(observations: Iterable[Observation]) -> Fact:
    """Return the account's plan as Known(Plan, evidence), or Unknown with the reason.

    `observations` are all those of the installs of the account, in time order; the strongest evidence wins, the later
    one among equals.
    """
    found: list[tuple[int, Plan, str]] = []
    basic_user = False
    for observation in observations:
        if observation.kind is not Kind.REST:
            continue
        read = _read(observation)
        if read:
            found.append((read[0], read[1], observation.id))
        basic_user = basic_user or _is_basic_user(observation)
    if found:
        rank = min(rank for rank, _, _ in found)
        plan, evidence = [(plan, id_) for r, plan, id_ in found if r == rank][-1]
        return Known(plan, (evidence,))
    if basic_user:
        return Unknown("the user is Basic, which says nothing about the account: paid accounts have Basic users too")
    return Unknown("nothing that Zoom answered tells the plan")


def _read(observation: Observation) -> tuple[int, Plan] | None:
    """Return how strong an answer is (1 strongest) and the plan it shows."""
    path, found = reading.path(observation), reading.answer(observation)
    error = reading.refusal(observation)
    if (
        error
        and PAID_ONLY in error.message.lower()
        and path.endswith(("/plans/usage", "/settings", "/groups", "/roles"))
    ):
        return (2 if path.endswith("/plans/usage") else 3), Plan.FREE
    if error or not found:
        return None
    if path.endswith("/plans/usage"):
        kind = reading.text(reading.mapping(found.get("plan_base")).get("type"))
        return (2, tier(kind)) if kind else None
    if path.endswith("/users/summary"):
        return (4, Plan.PAID) if (as_int(found.get("licensed_users_count")) or 0) > 0 else None
    if _is_own_user(path) and _is_licensed(found):
        return 6, Plan.PAID
    if path.startswith(("/v2/accounts/", "/accounts/")) and path.count("/") <= 3 and found.get("account_type"):
        return 1, _account_type(reading.text(found["account_type"]))
    return None


def tier(plan_type: str) -> Plan:
    """Return the tier that a `plan_base.type` means; a paid plan of unknown name is `paid`."""
    lowered = plan_type.lower()
    return next((plan for starts, plan in _TIERS if lowered.startswith(starts)), Plan.PAID)


def _account_type(text: str) -> Plan:
    lowered = text.lower()
    if lowered == "free":
        return Plan.FREE
    if lowered in ("pro", "business", "enterprise", "education"):
        return Plan(lowered)
    return Plan.UNKNOWN if "trial" in lowered else Plan.PAID


def _is_own_user(path: str) -> bool:
    return path.endswith("/users/me")


def _is_licensed(user: Mapping[str, object]) -> bool:
    bundles = ("plan_united_type", "zoom_one_type", "license_info_list")
    return as_int(user.get("type")) == 2 or any(user.get(name) for name in bundles)


def _is_basic_user(observation: Observation) -> bool:
    return _is_own_user(reading.path(observation)) and as_int(reading.answer(observation).get("type")) == 1
