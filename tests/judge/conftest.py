"""Findings for tests of the judge."""

from __future__ import annotations

from typing import Any

from lakewarden.facts.origin import Origin
from lakewarden.judge.baseline import fingerprint
from lakewarden.judge.result import Finding, Verdict
from lakewarden.rule import CORE, ERROR, HIGH, Rule


def make_finding(code: str = "ENV003", *, path: str | None = "databricks.yml", line: int | None = 1, **given: Any) -> Finding:
    """A violation at a place; any field of a finding can be given."""
    rule = Rule(
        code=code,
        name=f"rule-{code.lower()}",
        severity=ERROR,
        confidence=HIGH,
        profile=CORE,
        subject="targets",
        query="",
        message="",
    )
    subject, condition = given.get("subject", "churn/prod"), given.get("condition", "ok")
    values: dict[str, Any] = {
        "rule": rule,
        "verdict": Verdict.FAIL,
        "severity": ERROR,
        "confidence": HIGH,
        "plane": "declared",
        "project": "churn",
        "owner": "unowned",
        "environment": None,
        "target": None,
        "kind": "targets",
        "subject": subject,
        "condition": condition,
        "message": "m",
        "origin": Origin(path, line, cell=given.pop("cell", None)),
        "related": None,
        "fingerprint": fingerprint(code, subject, condition, given.pop("ordinal", 0)),
    }
    return Finding(**{**values, **given})
