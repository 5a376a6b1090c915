"""Sharing realtime content with apps is on.

Why it matters: it is the master switch on account, group and user level. Off, auto-start does nothing at all, in
silence, and a start call is refused with 13267. No REST address shows it.

Remedy: turn on 'Share realtime meeting content with apps' and look for groups or locks that turn it off.

Source: https://developers.zoom.us/docs/rtms/meetings/ux-host-admin-tools-ctrls (2026-11); 13267: community, 2026
"""

from rtms_audit.core.checks.check import Answer, Subject, answer, likely, possible

CAUSES = ("sharing-off",)
FACT = "setting.share_realtime_content"
REFUSED = 13267


def decide(subject: Subject) -> Answer:
    """Read 13267, and what a person says of the switch."""
    situation = subject.situation
    if subject.code == REFUSED:
        reason = "Zoom answered 13267: realtime access for apps is disabled in the settings"
        return answer([likely("sharing-off", reason, *subject.refusal_evidence)], "")
    if situation.word(FACT) == "off":
        reason = "sharing realtime content with apps is said to be off"
        return answer([likely("sharing-off", reason, *situation.evidence(FACT))], "")
    if situation.word(FACT) == "on":
        return answer([], "", fine="sharing realtime content is said to be on", evidence=situation.evidence(FACT))
    if subject.awaited:
        return answer([possible("sharing-off", "whether sharing realtime content is on is not known")], "")
    return answer([], "whether sharing realtime content is on is not known")
