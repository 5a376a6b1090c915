"""The host's organisation lets apps of other accounts reach realtime content.

Why it matters: where the host's organisation has switched it off, an outside app gets nothing, and nothing says so.

Remedy: ask the administrator of the host's organisation.

Source: https://devforum.zoom.us/t/131203 (2025-07),
https://www.recall.ai/blog/understanding-zoom-rtms-behavior-and-its-constraints (observed, 2026-01-22)
"""

from rtms_audit.core.checks.check import Answer, Subject, answer, likely, possible

CAUSES = ("host-policy",)
FACT = "host.organisation_allows"
REFUSED = (2308, 2309)
ORIGINAL = "host.original_organisation_allows"


def decide(subject: Subject) -> Answer:
    """Read what people say of the host's organisation; after a hand-over the first host's counts too."""
    situation, flow = subject.situation, subject.flow
    refuses = [fact for fact in (ORIGINAL, FACT) if situation.word(fact) == "false"]
    if refuses:
        reason = "the host's organisation is said not to allow apps to reach realtime content"
        if flow.existed:
            return answer([], f"{reason}, and the stream came all the same")
        make = possible if flow.refused and flow.refused[0].code not in (None, 2308, 2309, 13267) else likely
        return answer([make("host-policy", reason, *situation.evidence(*refuses))], "")
    if situation.word(FACT) == "true":
        return answer([], "", fine="the host's organisation is said to allow it", evidence=situation.evidence(FACT))
    if situation.word("host.account") == "external" and subject.awaited:
        reason = "another account hosts the meeting, and what its organisation allows is not known"
        return answer([possible("host-policy", reason, *situation.evidence("host.account"))], "")
    if subject.code in REFUSED and situation.word("host.account") != "own":
        reason = (
            f"Zoom answered {subject.code}, as it also does where the host's organisation or its approval is missing"
        )
        return answer([possible("host-policy", reason, *subject.refusal_evidence)], "")
    return answer([], "what the host's organisation allows is not known")
