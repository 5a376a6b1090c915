"""A diagnosis as a record that scripts may rely on."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rtms_audit.core.record import diagnosis_record
from rtms_audit.core.verdicts import Diagnosis, Unknown

Judge = Callable[..., Diagnosis]


def record(diagnosis: Diagnosis) -> Any:
    """Return the record as a script reads it."""
    return json.loads(json.dumps(diagnosis_record(diagnosis)))


def test_a_record_holds_everything_a_diagnosis_says(judge: Judge) -> None:
    """Every part stands in it as texts, numbers, lists and mappings."""
    found = record(judge({"setting.share_realtime_content": "on"}, "start 13267", plan="pro", app={"owner": "acme"}))
    assert (found["install"], found["account"], found["environment"]) == ("acme/production", "acme", "production")
    assert (found["plan"], found["outcome"]) == ("pro", "not-started")
    (cause,) = (c for c in found["causes"] if c["id"] == "sharing-off")
    assert (cause["category"], cause["status"], cause["evidence"]) == ("settings", "likely", ["o2"])
    assert cause["remedy"]["who"] == "account-admin"
    assert cause["source"][0].startswith("https://")
    assert {h["id"] for h in found["hypotheses"]} == {"authentication", "entitlement", "environments", "service"}
    assert {"id", "title", "verdict", "reason", "evidence"} == set(found["checks"][0])
    assert found["contradictions"][0]["fact"] == "setting.share_realtime_content"
    assert found["timeline"][0]["at"] == "2026-03-02T10:00:00Z"
    assert {"fact", "how", "who"} == set(record(judge("silent"))["next"][0])
    assert {"id", "reason", "evidence"} == set(record(judge("started"))["ruled_out"][0])


def test_facts_say_how_they_stand(judge: Judge) -> None:
    """Known with value and evidence, or why not."""
    diagnosis = judge({"account.developer_pack": "none"}, {"starter.role": "host"}, app={"owner": "dev-co"})
    facts = record(replace(diagnosis, facts={**diagnosis.facts, "some.fact": Unknown("nobody asked")}))["facts"]
    assert facts["starter.role"] == {"state": "known", "value": "host", "evidence": ["o2"]}
    assert facts["account.developer_pack"]["state"] == "not-applicable"
    assert facts["some.fact"] == {"state": "unknown", "why": "nobody asked"}
    assert list(facts) == sorted(facts)


def test_a_label_names_the_install_and_a_missing_time_is_null(judge: Judge) -> None:
    """A label given to a diagnosis takes the place of account and environment."""
    found = record(replace(judge({"kind": "watch", "at": None, "events": []}), label="then"))
    assert found["install"] == "then"
    assert found["timeline"][0]["at"] is None
