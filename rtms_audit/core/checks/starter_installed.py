"""The person who starts the stream has installed this environment of the app.

Why it matters: Zoom sends the event only where the one who started it is a user of the app that listens.

Remedy: let that person install the app.

Source: https://developers.zoom.us/docs/api/rtms/events/ (2026-02)
"""

from rtms_audit.core.checks.check import Answer, Subject, answer, likely, possible

CAUSES = ("starter-not-installed",)
FACT = "starter.has_installed_app"


def decide(subject: Subject) -> Answer:
    """Read what people say of the starter."""
    situation = subject.situation
    if situation.word(FACT) == "true":
        return answer([], "", fine="the starter has installed the app", evidence=situation.evidence(FACT))
    if situation.word(FACT) == "false":
        reason = "the person who starts it is said not to have installed the app"
        return answer([likely("starter-not-installed", reason, *situation.evidence(FACT))], "")
    if subject.awaited:
        return answer([possible("starter-not-installed", "whether the starter has installed the app is not known")], "")
    return answer([], "whether the starter has installed the app is not known")
