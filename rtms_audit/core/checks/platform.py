"""Zoom's SDK loads on the receiver's platform.

Why it matters: the wheels ask for glibc 2.34 and CPython 3.10 to 3.13, the Node package for a recent Node;
elsewhere the import fails, crashes, or leaves a receiver that does nothing.

Remedy: move the receiver to a platform that has a build, or speak the protocol without the SDK.

Source: https://github.com/zoom/rtms (measured, 2026-11)
"""

import re

from rtms_audit.core import reading
from rtms_audit.core.checks.check import STREAM, Answer, Subject, answer, likely, seen
from rtms_audit.core.model import Kind, Observation

CAUSES = ("receiver-platform",)
FACT = "receiver.platform_supported"
SIGNS = re.compile(
    r"ERR_DLOPEN_FAILED|GLIBC|GLIBCXX|not installed|No module named|cannot open shared object|loading shared library|"
    r"unsupported platform|Cannot find module|ModuleNotFoundError|ImportError|invalid ELF|wrong ELF|segmentation fault|"
    r"no matching distribution|could not find a version|segfault|NODE_MODULE_VERSION|incompatible architecture|"
    r"not a supported wheel",
    re.IGNORECASE,
)


def decide(subject: Subject) -> Answer:
    """Read what the SDK, or the loader, said, and what people say of the platform."""
    situation = subject.situation
    failed = _failed(situation.own)
    if failed and not subject.flow.joined:
        message = reading.text(failed.fields.get("message"))[:160]
        return answer(
            [likely("receiver-platform", f"the SDK did not load: {message}", *seen(failed), phase=STREAM)], ""
        )
    if situation.word(FACT) == "false" and not subject.flow.joined:
        reason = "the receiver's platform is said not to be supported by the SDK"
        return answer([likely("receiver-platform", reason, *situation.evidence(FACT), phase=STREAM)], "")
    loaded = [o for o in situation.own if o.kind is Kind.SDK and reading.reason(o) is not None and _is_rtms(o)]
    return answer(
        [], "whether the SDK loads is not known", fine="the SDK loaded and reported", evidence=seen(*loaded[-1:])
    )


def _failed(own: tuple[Observation, ...]) -> Observation | None:
    """Return the latest sign of a load failure that no later report of the SDK answers."""
    for observation in reversed(own):
        if observation.kind is not Kind.SDK or not _is_rtms(observation):
            continue
        if SIGNS.search(reading.text(observation.fields.get("message"))):
            return observation
        if reading.reason(observation) is not None:
            return None
    return None


def _is_rtms(observation: Observation) -> bool:
    return observation.fields.get("sdk") != "zoom-apps-sdk"
