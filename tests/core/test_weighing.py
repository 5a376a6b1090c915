"""Weighing claims: the rules of inference, tried on checks that claim what the test wants."""

from collections.abc import Callable, Sequence

import pytest

from rtms_audit.core.checks.check import START, STREAM, Answer, Check, Claim, Subject, answer, does_not_apply
from rtms_audit.core.diagnosis import diagnose
from rtms_audit.core.model import Case
from rtms_audit.core.verdicts import Diagnosis, Status, Verdict

CaseOf = Callable[..., Case]
POSSIBLE, LIKELY, CONFIRMED = Status.POSSIBLE, Status.LIKELY, Status.CONFIRMED


def claiming(*claims: Claim) -> Check:
    """Make a check that claims these."""
    return Check("made", "made", tuple(c.cause for c in claims), lambda _: Answer(Verdict.BLOCKS, "x", (), claims), "")


def allowing(*causes: str) -> Check:
    """Make a check that shows these causes to be out of the question."""
    return Check("fine", "fine", causes, lambda _: Answer(Verdict.ALLOWS, "shown", ("o1",)), "")


def weighed(case: Case, checks: Sequence[Check]) -> Diagnosis:
    """Judge a case by made checks."""
    return diagnose(case, case.installs[0].key, checks=checks)


def causes(diagnosis: Diagnosis) -> list[tuple[str, Status]]:
    """Return the causes with their certainty, in their order."""
    return [(cause.id, cause.status) for cause in diagnosis.causes]


@pytest.mark.parametrize(
    ("evidence", "status"), [(("o1",), LIKELY), (("o2",), CONFIRMED), (("o1", "o2"), CONFIRMED), ((), LIKELY)]
)
def test_only_machine_evidence_confirms(case_of: CaseOf, evidence: tuple[str, ...], status: Status) -> None:
    """A confirmation that only statements carry is lowered to likely."""
    case = case_of({"setting.share_realtime_content": "off"}, "start 13267")
    assert causes(weighed(case, [claiming(Claim("sharing-off", CONFIRMED, "r", evidence))])) == [
        ("sharing-off", status)
    ]


@pytest.mark.parametrize(
    ("observations", "claim", "stays"),
    [
        (["started"], Claim("sharing-off", CONFIRMED, "r", ("o1",)), False),
        (["started"], Claim("credentials-mismatch", LIKELY, "r", ("o1",), STREAM), True),
        (["start 13267"], Claim("sharing-off", LIKELY, "r", ("o1",)), True),
        (["started"], Claim("ended-normally", LIKELY, "r", ("o1",)), True),
        (["started", "meeting.kind"], Claim("token-dead", LIKELY, "r", ("o1",)), True),
    ],
)
def test_a_stream_overtakes_what_would_have_prevented_it(
    case_of: CaseOf, observations: list[str], claim: Claim, stays: bool
) -> None:
    """Claims about why none came are dropped; what befell it, ordinary ends and later signs of the grant stay."""
    made = [{"meeting.kind": "meeting"} if word == "meeting.kind" else word for word in observations]
    assert bool(causes(weighed(case_of(*made), [claiming(claim)]))) is stays


def test_a_grant_that_died_before_the_stream_does_not_matter_to_it(case_of: CaseOf) -> None:
    """Only what was seen of the grant after the attempt began can matter for the next one."""
    dead = Claim("token-dead", CONFIRMED, "r", ("o1",), START)
    refused = {
        "kind": "oauth",
        "grant": "refresh_token",
        "response": {"status": 400, "body": {"error": "invalid_grant"}},
    }
    assert causes(weighed(case_of(refused, "started"), [claiming(dead)])) == []
    late = Claim("token-dead", CONFIRMED, "r", ("o2",), START)
    assert causes(weighed(case_of("started", refused), [claiming(late)])) == [("token-dead", CONFIRMED)]


def test_claims_of_one_cause_are_one(case_of: CaseOf) -> None:
    """The strongest speaks, and their evidence is kept together, each once."""
    weak, strong = Claim("host-absent", POSSIBLE, "weak", ("o1", "o2")), Claim("host-absent", LIKELY, "strong", ("o2",))
    (cause,) = weighed(case_of("silent", "silent"), [claiming(weak), claiming(strong)]).causes
    assert (cause.status, cause.reason, cause.evidence) == (LIKELY, "strong", ("o2", "o1"))


def test_the_stronger_comes_first_and_among_equals_the_earlier_link(case_of: CaseOf) -> None:
    """Certainty first, then the place in the causal chain."""
    claims = [
        Claim("receiver-tls", LIKELY, "r", ("o1",)),
        Claim("zoom-internal", CONFIRMED, "r", ("o1",)),
        Claim("sharing-off", LIKELY, "r", ("o1",)),
        Claim("install-missing", POSSIBLE, "r", ("o1",)),
    ]
    found = causes(weighed(case_of("silent"), [claiming(*claims)]))
    assert [id_ for id_, _ in found] == ["zoom-internal", "sharing-off", "receiver-tls", "install-missing"]


def test_what_has_evidence_leads_the_usual_suspects(case_of: CaseOf) -> None:
    """Among possible causes those with evidence of their own come first, but a plan alone is none."""
    claims = [
        Claim("plan-unsupported", POSSIBLE, "r", ("o1",)),
        Claim("entitlement-missing", POSSIBLE, "r"),
        Claim("sharing-off", POSSIBLE, "r"),
        Claim("not-triggered", POSSIBLE, "r"),
        Claim("install-missing", POSSIBLE, "r"),
        Claim("receiver-defect", POSSIBLE, "r", ("o1",)),
    ]
    found = causes(weighed(case_of("silent"), [claiming(*claims)]))
    assert [id_ for id_, _ in found] == [
        "receiver-defect",
        "not-triggered",
        "sharing-off",
        "entitlement-missing",
        "plan-unsupported",
        "install-missing",
    ]


def test_a_stream_rules_out_what_would_have_prevented_it(case_of: CaseOf) -> None:
    """Each is ruled out by the event; an event without an address rules out nothing."""
    out = {found.id: found.evidence for found in weighed(case_of("started"), [allowing("receiver-tls")]).ruled_out}
    assert out["entitlement-missing"] == out["sharing-off"] == out["not-triggered"] == ("o1",)
    assert "credentials-mismatch" not in out
    assert [found.id for found in weighed(case_of("started without address"), []).ruled_out] == []
    assert "sharing-off" in {found.id for found in weighed(case_of("join 960"), []).ruled_out}


def test_what_stands_is_not_ruled_out(case_of: CaseOf) -> None:
    """A cause that one check claims is not ruled out by another."""
    claim = Claim("credentials-mismatch", LIKELY, "r", ("o1",), STREAM)
    found = weighed(case_of("started"), [claiming(claim), allowing("credentials-mismatch", "receiver-tls")])
    assert "credentials-mismatch" not in {out.id for out in found.ruled_out}
    assert "receiver-tls" in {out.id for out in found.ruled_out}


def test_an_answer_that_allows_needs_evidence() -> None:
    """Nobody may say that a link holds without showing it."""
    with pytest.raises(ValueError, match="without evidence: because"):
        Answer(Verdict.ALLOWS, "because")


def test_a_possible_claim_gives_way_to_evidence_that_the_link_holds() -> None:
    """It neither blocks nor is it kept; without such evidence it leaves the link open."""
    claim = Claim("sharing-off", POSSIBLE, "maybe")
    assert answer([claim], "?", fine="shown", evidence=["o1"]) == Answer(Verdict.ALLOWS, "shown", ("o1",))
    assert answer([claim], "?", fine="shown") == Answer(Verdict.UNKNOWN, "maybe", (), (claim,))
    assert answer([], "?") == Answer(Verdict.UNKNOWN, "?")
    assert does_not_apply("not here").verdict is Verdict.NOT_APPLICABLE


def test_a_subject_without_a_refusal_has_no_code(case_of: CaseOf) -> None:
    """What a check reads of a refusal is empty where none came."""
    seen: list[tuple[object, ...]] = []

    def decide(subject: Subject) -> Answer:
        seen.append((subject.code, subject.refusal_evidence, subject.awaited))
        return Answer(Verdict.UNKNOWN, "?")

    check = Check("made", "made", (), decide, "")
    weighed(case_of("silent"), [check])
    weighed(case_of("start 2310"), [check])
    assert seen == [(None, (), True), (2310, ("o1",), False)]
