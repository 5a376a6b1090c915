"""JSON, in the shape `rtms-audit/diagnosis@1` that scripts may rely on."""

import json
from collections.abc import Iterable

from rtms_audit.core.record import diagnosis_record
from rtms_audit.core.verdicts import Diagnosis

FORMAT = "rtms-audit/diagnosis@1"


def diagnosis_document(diagnoses: Iterable[Diagnosis]) -> dict[str, object]:
    """Return the document of several installs: `format` and `installs`, one record each."""
    return {"format": FORMAT, "installs": [diagnosis_record(one) for one in diagnoses]}


def json_diagnoses(diagnoses: Iterable[Diagnosis]) -> str:
    """Return the document of several installs as JSON text."""
    return json_text(diagnosis_document(diagnoses))


def json_text(value: object) -> str:
    """Return any JSON-like value as indented text; enums and other values of ours become their text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
