"""Comparing installs and audits, and supposing facts."""

from collections.abc import Callable, Mapping

import pytest

from rtms_audit.core.compare import contrast, diff, what_if
from rtms_audit.core.model import Case
from rtms_audit.core.verdicts import Diagnosis, Known, NotApplicable, Status

CaseOf = Callable[..., Case]
Judge = Callable[..., Diagnosis]
TWO = [{"account": "acme", "environment": "production"}, {"account": "dev-co", "environment": "production"}]
SILENT = {"kind": "watch", "install": "acme/production", "meeting_started": True, "events": []}


def test_a_contrast_shows_what_differs_and_first_what_matters(judge: Judge) -> None:
    """Facts that both share are left out; those that a cause asks for or rests on lead."""
    left = judge({"setting.share_realtime_content": "off"}, {"some.fact": 1}, "silent")
    right = judge({"setting.share_realtime_content": "on"}, {"some.fact": 2}, {"some.list": [1]}, "silent")
    found = contrast(left, right)
    assert [(d.fact, d.matters) for d in found] == [
        ("setting.share_realtime_content", True),
        ("some.fact", False),
        ("some.list", False),
    ]
    assert (found[2].left, found[2].right) == (None, Known([1], ("o3",)))
    assert contrast(left, left) == ()


def test_a_fact_that_does_not_apply_differs_from_one_that_is_known(case_of: CaseOf, judge: Judge) -> None:
    """The owner's pack and a customer's are not the same fact."""
    pack = {"account.developer_pack": "active"}
    owner, customer = judge(pack, app={"owner": "acme"}), judge(pack, app={"owner": "dev-co"})
    (found,) = (d for d in contrast(owner, customer) if d.fact == "account.developer_pack")
    assert isinstance(found.left, Known)
    assert isinstance(found.right, NotApplicable)


def test_a_diff_shows_what_changed_between_two_audits(judge: Judge) -> None:
    """Outcome or causes that changed, and installs that came or went; what stayed is left out."""
    before, after = judge("start 13267"), judge("started", "join 0")
    (change,) = diff([before], [after])
    assert (change.before, change.after) == (before, after)
    assert diff([before], [judge("start 13267", {"some.fact": 1})]) == ()
    assert [(c.before, c.after) for c in diff([], [after])] == [(None, after)]
    assert [(c.before, c.after) for c in diff([before], [])] == [(before, None)]


def test_supposing_a_fact_flips_the_installs_of_that_account(case_of: CaseOf) -> None:
    """A setting counts for its own account only."""
    case = case_of(SILENT, {**SILENT, "install": "dev-co/production"}, installs=TWO)
    (flip,) = what_if(case, "acme", {"setting.share_realtime_content": "off"})
    assert str(flip.install) == "acme/production"
    assert flip.after.causes[0].id == "sharing-off"
    assert flip.after.causes[0].status is Status.LIKELY


def test_supposing_the_owners_pack_flips_every_install(case_of: CaseOf) -> None:
    """It is a fact of the owner's account; of another account it counts nowhere else."""
    case = case_of(SILENT, {**SILENT, "install": "dev-co/production"}, installs=TWO, app={"owner": "dev-co"})
    flips = what_if(case, "dev-co", {"account.developer_pack": "none"})
    assert [str(flip.install) for flip in flips] == ["acme/production", "dev-co/production"]
    assert all(flip.after.causes[0].id == "entitlement-missing" for flip in flips)


@pytest.mark.parametrize(
    ("fact", "value", "code"),
    [
        ("setting.share_realtime_content", "on", 13267),
        ("setting.app_allowed", True, 13262),
        ("account.developer_pack", "active", 2310),
        ("starter.role", "host", 2308),
        ("host.approval", "approved", 2309),
        ("host.present", True, 3000),
    ],
)
def test_supposing_a_fact_takes_back_the_refusal_it_would_have_spared(
    case_of: CaseOf, fact: str, value: object, code: int
) -> None:
    """If it were so, Zoom would not have answered what it answered."""
    (flip,) = what_if(case_of(f"start {code}"), "acme", {fact: value})
    assert flip.before.causes[0].status is not Status.POSSIBLE
    assert not [c for c in flip.after.causes if c.status is not Status.POSSIBLE]


@pytest.mark.parametrize(
    "failure",
    [["stopped 18"], ["join 3"], ["join 960", "stopped 18"], ["signaling 3"], ["signaling closed 1000"], ["leave 18"]],
)
def test_supposing_the_right_pair_takes_back_a_refused_signature(case_of: CaseOf, failure: list[str]) -> None:
    """With this environment's pair the handshake would not have failed for its signature."""
    case = case_of("started", *failure, "keepalives missed 0")
    (flip,) = what_if(case, "acme", {"receiver.signing_environment": "production"})
    assert "credentials-mismatch" in {c.id for c in flip.before.causes}
    assert "credentials-mismatch" not in {c.id for c in flip.after.causes}
    assert what_if(case, "acme", {"receiver.client_id": "x"}) == ()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"install.status": "missing"}, "install-missing"),
        ({"account.plan": "free"}, "plan-unsupported"),
        ({"app.distribution": "private"}, "app-not-distributed"),
    ],
)
def test_status_plan_and_distribution_change_the_case(
    case_of: CaseOf, changes: Mapping[str, object], cause: str
) -> None:
    """These are no statements, and take only the values that they can have."""
    case = case_of(SILENT, installs=TWO, app={"owner": "dev-co"})
    flips = {str(flip.install): flip for flip in what_if(case, "acme", changes)}
    assert cause in {c.id for c in flips["acme/production"].after.causes}
    with pytest.raises(ValueError, match="nonsense"):
        what_if(case, "acme", dict.fromkeys(changes, "nonsense"))


def test_supposing_what_is_so_flips_nothing(case_of: CaseOf) -> None:
    """A fact that changes no answer is no flip."""
    assert what_if(case_of("started", "join 0"), "acme", {"setting.share_realtime_content": "on"}) == ()
