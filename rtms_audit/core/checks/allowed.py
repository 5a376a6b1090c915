"""This client id is among the apps that the account allows to reach meeting content.

Why it matters: the list is kept per client id, so development and production are two entries. A start call for an
app that is not listed is refused with 13262; auto-start does nothing, in silence.

Remedy: add this environment's app to the list, and give the setting time to take effect.

Source: https://devforum.zoom.us/t/142847 (observed, 2026-03),
https://developers.zoom.us/docs/rtms/meetings/ux-host-admin-tools-ctrls
"""

from rtms_audit.core.checks.check import Answer, Subject, answer, confirmed, likely, possible

CAUSES = ("app-not-allowed",)
FACT = "setting.app_allowed"
REFUSED = 13262


def decide(subject: Subject) -> Answer:
    """Read 13262, and what a person says of the list."""
    situation = subject.situation
    if subject.code == REFUSED:
        reason = "Zoom answered 13262: this client id is not authorized to access meeting content"
        if situation.word(FACT) == "true":
            reason += (
                ", although it is said to be on the list (of another client id, group or user, or not in effect yet)"
            )
        return answer([confirmed("app-not-allowed", reason, *subject.refusal_evidence)], "")
    if situation.word(FACT) == "false":
        reason = "the app is said not to be on the account's list"
        return answer([likely("app-not-allowed", reason, *situation.evidence(FACT))], "")
    if situation.word(FACT) == "true":
        return answer([], "", fine="the app is said to be on the list", evidence=situation.evidence(FACT))
    if subject.awaited:
        return answer([possible("app-not-allowed", "whether this client id is on the account's list is not known")], "")
    return answer([], "whether this client id is on the account's list is not known")
