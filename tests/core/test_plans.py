"""Concluding an account's plan from Zoom's answers."""

from typing import Any

import pytest

from rtms_audit.core.model import Kind, Observation, Plan
from rtms_audit.core.plans import conclude, tier
from rtms_audit.core.verdicts import Known, Unknown

PAID_ONLY = {"code": 200, "message": "Only available for Paid account."}


def get(path: str, body: Any, status: int = 200, id_: str = "o1") -> Observation:
    """Make an answered GET."""
    return Observation(
        kind=Kind.REST,
        id=id_,
        fields={"request": {"method": "GET", "path": path}, "response": {"status": status, "body": body}},
    )


@pytest.mark.parametrize(
    ("path", "body", "plan"),
    [
        ("/v2/accounts/me/plans/usage", {"plan_base": {"type": "monthly"}}, Plan.PRO),
        ("/v2/accounts/me/plans/usage", {"plan_base": {"type": "zm_one_ent_yearly"}}, Plan.ENTERPRISE),
        ("/v2/accounts/me/plans/usage", {"plan_base": {"type": "edu_x"}}, Plan.EDUCATION),
        ("/v2/accounts/me/plans/usage", {"plan_base": {"type": "business_yearly"}}, Plan.BUSINESS),
        ("/v2/accounts/me/plans/usage", {"plan_base": {"type": "zm_new_thing"}}, Plan.PAID),
        ("/v2/accounts/me/plans/usage", PAID_ONLY, Plan.FREE),
        ("/v2/accounts/me/settings", PAID_ONLY, Plan.FREE),
        ("/v2/groups", PAID_ONLY, Plan.FREE),
        ("/v2/users/summary", {"licensed_users_count": 2}, Plan.PAID),
        ("/v2/users/me", {"type": 2}, Plan.PAID),
        ("/v2/users/me", {"type": 1, "plan_united_type": "2"}, Plan.PAID),
        ("/v2/accounts/123", {"account_type": "free"}, Plan.FREE),
        ("/v2/accounts/123", {"account_type": "Business"}, Plan.BUSINESS),
        ("/v2/accounts/123", {"account_type": "Free Trial"}, Plan.UNKNOWN),
        ("/v2/accounts/123", {"account_type": "Something"}, Plan.PAID),
    ],
)
def test_an_answer_shows_a_plan(path: str, body: object, plan: Plan) -> None:
    """Each address that tells a plan, and what it tells."""
    assert conclude([get(path, body)]) == Known(plan, ("o1",))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/accounts/me/plans/usage", {}),
        ("/v2/accounts/me/plans/usage", {"plan_base": {"other": 1}}),
        ("/v2/users/summary", {"licensed_users_count": 0}),
        ("/v2/users/abc", {"type": 2}),
        ("/v2/users/me", PAID_ONLY),
        ("/v2/users/me", {"code": 124, "message": "Invalid access token."}),
        ("/v2/accounts/1/2/3", {"account_type": "free"}),
    ],
)
def test_other_answers_show_none(path: str, body: object) -> None:
    """An empty answer, another's user and a refusal of another kind leave the plan unknown."""
    assert conclude([get(path, body)]) == Unknown("nothing that Zoom answered tells the plan")


def test_a_basic_user_is_no_free_account() -> None:
    """Paid accounts have Basic users too, so the reason says why the plan stays unknown."""
    found = conclude([get("/v2/users/me", {"type": 1})])
    assert isinstance(found, Unknown)
    assert "paid accounts have Basic users too" in found.why


def test_the_strongest_evidence_wins_and_the_later_among_equals() -> None:
    """A plan of usage outweighs a licensed user, whatever the order; of two plans the later one stands."""
    usage, user = "/v2/accounts/me/plans/usage", "/v2/users/me"
    seen = [
        get(usage, PAID_ONLY, id_="o1"),
        get(user, {"type": 2}, id_="o2"),
        get(usage, {"plan_base": {"type": "monthly"}}, id_="o3"),
        get(user, {"type": 2}, id_="o4"),
        Observation(kind=Kind.STATEMENT, fields={"about": "account.plan", "value": "free"}),
    ]
    assert conclude(seen) == Known(Plan.PRO, ("o3",))


def test_tiers_are_told_by_their_first_letters() -> None:
    """The names of plans have many endings."""
    assert [tier(name) for name in ("yearly", "PLAN_BUSINESS_X", "zoe_1", "?")] == [
        Plan.PRO,
        Plan.BUSINESS,
        Plan.ENTERPRISE,
        Plan.PAID,
    ]
