"""The receiver accepts the certificate of the media address.

Why it matters: a private authority, a name that does not match, or a proxy with a certificate of its own ends the
join; Zoom's SDK looks at ZM_RTMS_CA or a bundle, not at the system's store for private authorities.

Remedy: give the receiver the right authorities, and see what certificate it is shown.

Source: https://github.com/zoom/rtms (reason 610: measured, 2026-11)
"""

import re

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Subject, answer, likely, seen
from rtms_audit.core.flow import Join

CAUSES = ("receiver-tls",)
REJECTED = 610
SIGNS = re.compile(
    r"certificate|CERT_|self.signed|unknown ca|unable to verify|hostname mismatch|"
    r"SSL.?(?:error|handshake)|TLS (?:alert|handshake)",
    re.IGNORECASE,
)


def decide(subject: Subject) -> Answer:
    """Read reason 610 and the client's words on certificates."""
    failure = subject.flow.failure
    if failure and _is_tls(failure):
        what = f"reason {failure.code}" if failure.code == REJECTED else failure.error[:120]
        reason = f"the join ended on the TLS certificate: {what}"
        return answer([likely("receiver-tls", reason, *seen(failure.observation), phase=STREAM)], "")
    if subject.situation.word("receiver.tls_errors") == "true" and not subject.flow.joined:
        evidence = subject.situation.evidence("receiver.tls_errors")
        return answer([likely("receiver-tls", "the receiver is said to have TLS errors", *evidence, phase=STREAM)], "")
    answered = [j.observation for j in subject.flow.joins if j.was_answered]
    fine = "Zoom answered the receiver's handshake, so TLS held"
    return answer([], "whether TLS holds is not known", fine=fine, evidence=seen(*answered[:1]))


def _is_tls(join: Join) -> bool:
    if join.code == REJECTED:
        return True
    words = f"{join.error} {reading.text(join.observation.fields.get('message'))}"
    return join.code is None and bool(SIGNS.search(words))
