"""The gate as SARIF 2.1.0, for code scanning: a rule for each check, a result for each that is required and no pass."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.gate.result import Outcome
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.gate.words import acted, against, verdict
from lakewarden.reports.sarif import SCHEMA
from lakewarden.reports.sarif_rules import message

if TYPE_CHECKING:
    from lakewarden.gate.result import CheckResult, GateResult
    from lakewarden.reports.options import Options

_BASE = "SRCROOT"
_JUDGED = (0, 1)
_GAP = "gap"


def write(result: GateResult, out: TextIO, _: Options) -> None:
    """Write the report."""
    dump(document(result), out, levels=6)


def document(result: GateResult) -> dict[str, Any]:
    """The log as JSON values."""
    told = [(n, check) for n, check in enumerate(result.checks) if check.required and check.outcome is not Outcome.PASS]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Lakewarden",
                        "version": result.version,
                        "rules": [_rule(check) for check in result.checks],
                        "notifications": [{"id": _GAP, "shortDescription": {"text": "Something could not be seen."}}],
                    }
                },
                "automationDetails": {"id": "lakewarden/gate/"},
                "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the repository."}}},
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": result.exit_code in _JUDGED,
                        "exitCode": result.exit_code,
                        "exitCodeDescription": clean(verdict(result)),
                        "toolExecutionNotifications": [
                            {"descriptor": {"id": _GAP, "index": 0}, "level": "warning", "message": message(gap)}
                            for gap in result.gaps
                        ],
                        "properties": {"done": [clean(line) for line in acted(result)]},
                    }
                ],
                "results": [_result(result, number, check) for number, check in told],
            }
        ],
    }


def _rule(check: CheckResult) -> dict[str, Any]:
    rules = list(dict.fromkeys(said.rule for said in check.said))
    asked = ", ".join(rules) or "no rule that said anything of this version"
    explained = "\n".join(f"* `lakewarden explain {rule}`" for rule in rules)
    text = f"Check {check.code} of the gate: {check.title}. Level {check.level} and above require it. It is decided by {asked}."
    return {
        "id": check.code,
        "name": check.name,
        "shortDescription": {"text": f"{check.title[0].upper()}{check.title[1:]}."},
        "fullDescription": {"text": text},
        "defaultConfiguration": {"level": "error"},
        "help": {"text": f"{text}\n{explained}".rstrip(), "markdown": f"{text}\n\n{explained}".rstrip()},
        "properties": {
            "gate-level": check.level,
            "tags": ["databricks", "mlops", "gate"],
            "precision": "high",
            "problem.severity": "error",
        },
    }


def _result(result: GateResult, number: int, check: CheckResult) -> dict[str, Any]:
    # What is missing blocks as what failed does: code scanning passes over everything below an error.
    subject = result.uri or result.asked
    said = [*against(check), *([f"Next: {check.remedy}"] if check.remedy else [])]
    found: dict[str, Any] = {
        "ruleId": check.code,
        "ruleIndex": number,
        "kind": "fail",
        "level": "error",
        "message": message(f"{check.outcome.value}: {check.title}. {' '.join(_ended(text) for text in said)}".rstrip()),
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": ".", "uriBaseId": _BASE}},
                "logicalLocations": [{"fullyQualifiedName": clean(subject)}],
            }
        ],
        "partialFingerprints": {"lakewardenGate/v1": _fingerprint(subject, result.stage, check.name)},
        "properties": {
            "outcome": check.outcome.value,
            "stage": clean(result.stage),
            "rules": list(dict.fromkeys(one.rule for one in check.said)),
        },
    }
    if check.waiver is not None:
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": clean(check.waiver.reason)}]
    return found


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(map(clean, parts)).encode()).hexdigest()[:16]
