"""SARIF 2.1.0, for code scanning: one run, its results the worst first, what was not seen as notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from lakewarden.judge.result import Finding, Repair, Result, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.order import fails, worst_first
from lakewarden.reports.place import is_notebook_file
from lakewarden.reports.sarif_notes import NOTES, notifications
from lakewarden.reports.sarif_rules import descriptor, message

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.reports.options import Options

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: Code scanning shows no more results of a run than these.
MOST_RESULTS = 5_000
_BASE = "SRCROOT"
_KIND = {Verdict.FAIL: "fail", Verdict.WAIVED: "fail", Verdict.UNKNOWN: "open"}


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the report."""
    dump(document(result), out, levels=6)


def document(result: Result) -> dict[str, Any]:
    """The log as JSON values."""
    told = once(worst_first(result, result.findings))
    results, left_out = told[:MOST_RESULTS], len(told) - MOST_RESULTS
    rules = {outcome.rule.code: outcome.rule for outcome in result.rules if outcome.skipped_reason is None}
    rules |= {finding.rule.code: finding.rule for finding in results}
    index = {code: number for number, code in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Lakewarden",
                        "version": result.version,
                        "rules": [descriptor(rule, result.docs.get(rule.code)) for rule in rules.values()],
                        "notifications": NOTES,
                    }
                },
                # A part for each owner is an analysis of its own: one would otherwise replace the other.
                "automationDetails": {
                    "id": f"lakewarden/{result.command}/{quote(_bytes(result.owner), safe='') + '/' if result.owner else ''}"
                },
                "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the repository."}}},
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not result.incomplete,
                        "exitCode": result.exit_code,
                        "toolExecutionNotifications": notifications(result, max(0, left_out), MOST_RESULTS, physical),
                    }
                ],
                "results": [_result(result, finding, index) for finding in results],
            }
        ],
    }


def _result(result: Result, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    known = {
        "confidence": finding.confidence.value,
        "fails": fails(result, finding),
        "plane": finding.plane,
        "project": finding.project,
        "owner": finding.owner,
        "environment": finding.environment,
        "target": finding.target,
        "subject": finding.subject,
        "condition": finding.condition,
    }
    found: dict[str, Any] = {
        "ruleId": finding.rule.code,
        "ruleIndex": index[finding.rule.code],
        "kind": _KIND[finding.verdict],
        "level": "none" if finding.verdict is Verdict.UNKNOWN else finding.severity.value,
        "message": message(finding.message),
        "locations": [_location(finding.origin, finding.subject)],
        "partialFingerprints": {"lakewarden/v1": finding.fingerprint},
        "properties": {
            name: clean(value) if isinstance(value, str) else value for name, value in known.items() if value is not None
        },
    }
    if finding.bundles:
        found["properties"]["bundles"] = [clean(bundle) for bundle in finding.bundles]
    if finding.related is not None:
        found["relatedLocations"] = [{"id": 1, **_location(finding.related, ""), "message": {"text": "see also"}}]
    if finding.fingerprint in result.fixes:
        found["fixes"] = [_fix(result.fixes[finding.fingerprint])]
    if finding.waiver is not None:
        kind = "inSource" if finding.waiver.kind == "inline" else "external"
        found["suppressions"] = [{"kind": kind, "status": "accepted", "justification": clean(finding.waiver.reason)}]
    return found


def _fix(repair: Repair) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": {
                "startLine": one.line, "startColumn": one.column, "endLine": one.end_line, "endColumn": one.end_column
            },
            "insertedContent": {"text": one.text},
        }
        for one in repair.replacements
    ]  # fmt: skip
    file = {"uri": quote(_bytes(repair.path)), "uriBaseId": _BASE}
    return {
        "description": message(repair.what + (f" ({repair.note})" if repair.note else "")),
        "artifactChanges": [{"artifactLocation": file, "replacements": replacements}],
    }


def _location(origin: Origin | None, subject: str) -> dict[str, Any]:
    # Code scanning refuses a whole file for one result without a place: the root of the repository stands in.
    place: dict[str, Any] = {"physicalLocation": physical(origin) or {"artifactLocation": {"uri": ".", "uriBaseId": _BASE}}}
    logical = []
    if origin is not None and is_notebook_file(origin):
        logical.append({"name": f"cell {origin.cell}", "kind": "cell"})
    if subject:
        logical.append({"fullyQualifiedName": clean(subject)})
    return {**place, "logicalLocations": logical} if logical else place


def physical(origin: Origin | None) -> dict[str, Any] | None:
    """A place as SARIF has it: a relative, percent-encoded URI and a region; None where there is neither file nor URL."""
    if origin is None or (origin.path is None and origin.url is None):
        return None
    if origin.path is None:
        return {"artifactLocation": {"uri": quote(_bytes(origin.url or ""), safe="/:?#[]@!$&'()*+,;=%")}}
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(_bytes(origin.path)), "uriBaseId": _BASE}}
    if origin.line is not None and origin.line > 0:
        place["region"] = _region(origin, origin.line)
    return place


def _region(origin: Origin, line: int) -> dict[str, int]:
    region = {"startLine": line}
    end = max(line, origin.end_line or line)
    if end > line:
        region["endLine"] = end
    # Columns of a cell are not columns of the JSON that the file is.
    if origin.column is not None and origin.column > 0 and not is_notebook_file(origin):
        region["startColumn"] = origin.column
        if origin.end_column is not None and (end > line or origin.end_column > origin.column):
            region["endColumn"] = max(1, origin.end_column)
    return region


def _bytes(text: str) -> bytes:
    """The bytes of the name of a file, also of one that is no UTF-8; other halves of surrogates are written visibly."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
