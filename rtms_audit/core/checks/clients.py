"""The Zoom clients of starter and host are new enough.

Why it matters: with a client older than 6.5.5 on either side an outside observer got no data and no word of why;
the start from the app in the meeting is documented from 6.4.10.

Remedy: update both clients.

Source: https://www.recall.ai/blog/understanding-zoom-rtms-behavior-and-its-constraints (observed, 2026-01-22),
https://github.com/zoom/appssdk (0.16.41)
"""

from rtms_audit.core import reading
from rtms_audit.core.checks.check import Answer, Claim, Subject, answer, likely, possible
from rtms_audit.core.flow import TRIGGERS

CAUSES = ("client-too-old",)
FACTS = {"starter.client_version": "the starter's client", "host.client_version": "the host's client"}
OLDEST = (6, 5, 5)


def decide(subject: Subject) -> Answer:
    """Compare the clients' versions with 6.5.5."""
    situation = subject.situation
    versions = {fact: reading.version(situation.value(fact)) for fact in FACTS if situation.value(fact) is not None}
    claims = [_claim(subject, fact) for fact, version in versions.items() if version and version < OLDEST]
    if not versions and subject.awaited and subject.flow.trigger in TRIGGERS:
        claims.append(possible("client-too-old", "a start was due, and the clients' versions are not known"))
    known = ", ".join(f"{FACTS[fact]} is {situation.word(fact)}" for fact in versions)
    fine = known if len(versions) == len(FACTS) else ""
    return answer(
        claims, known or "the clients' versions are not known", fine=fine, evidence=situation.evidence(*versions)
    )


def _claim(subject: Subject, fact: str) -> Claim:
    reason = f"{FACTS[fact]} is {subject.situation.word(fact)}, older than 6.5.5"
    make = likely if subject.flow.prevented and not subject.flow.refused else possible
    return make("client-too-old", reason, *subject.situation.evidence(fact))
