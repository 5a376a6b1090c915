"""The account of whoever starts the stream is verified.

Why it matters: Zoom's staff name it as what `startRTMS()` asks of the end user's account, where a paid plan is not
asked.

Remedy: verify the account of the starting user.

Source: https://devforum.zoom.us/t/142303 (staff, 2026-03-05, quoted)
"""

from rtms_audit.core.checks.check import Answer, Subject, answer, likely, possible

CAUSES = ("account-not-verified",)
FACT = "account.verified"


def decide(subject: Subject) -> Answer:
    """Read `verified` of the user, as Zoom answered or a person says."""
    situation = subject.situation
    evidence = situation.evidence(FACT)
    if situation.word(FACT) == "true":
        return answer([], "", fine="the account is verified", evidence=evidence)
    if situation.word(FACT) == "false":
        reason = "the account of the starter is not verified (verified is 0 or was said to be)"
        make = likely if subject.flow.prevented and not subject.flow.refused else possible
        return answer([make("account-not-verified", reason, *evidence)], "")
    if subject.awaited:
        return answer([possible("account-not-verified", "whether the account is verified is not known")], "")
    return answer([], "whether the account is verified is not known")
