"""Compliance Findings of the Open Cybersecurity Schema Framework, a JSON array of events, for security lakes and SIEMs.

Class 2003 of https://schema.ocsf.io/1.5.0/classes/compliance_finding. Only what is no pass is an event.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.markdown import inline
from lakewarden.reports.order import worst_first
from lakewarden.reports.place import where
from lakewarden.rule import Confidence, Severity

if TYPE_CHECKING:
    from lakewarden.judge.result import GapOutcome
    from lakewarden.reports.options import Options
    from lakewarden.rule import RuleDoc

SCHEMA = "1.5.0"
_CATEGORY, _CLASS, _CREATE = 2, 2003, 1
_SEVERITY = {Severity.ERROR: (4, "High"), Severity.WARNING: (3, "Medium"), Severity.NOTE: (2, "Low")}
_CONFIDENCE = {Confidence.HIGH: (3, "High"), Confidence.MEDIUM: (2, "Medium"), Confidence.ADVISORY: (1, "Low")}
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
#: `compliance.status_id`: what is unknown is neither a pass nor a failure.
_FAIL, _UNKNOWN = (3, "Fail"), (0, "Unknown")


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the worst first, each with the time of the report: now, or the day as of which it was judged, if that is another."""
    when = datetime.now(timezone.utc)
    if result.day is not None and result.day != when.date().isoformat():
        when = datetime.fromisoformat(result.day).replace(tzinfo=timezone.utc)
    now = int(when.timestamp() * 1000)
    dump([_event(result, finding, now) for finding in worst_first(result, result.findings)], out, levels=1)


def _event(result: Result, finding: Finding, now: int) -> dict[str, Any]:
    doc = result.docs.get(finding.rule.code)
    severity, confidence = _SEVERITY[finding.severity], _CONFIDENCE[finding.confidence]
    status = _SUPPRESSED if finding.verdict is Verdict.WAIVED else _NEW
    outcome = _UNKNOWN if finding.verdict is Verdict.UNKNOWN else _FAIL
    gap = None if finding.gap is None else result.gaps[finding.gap]
    return {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Compliance Finding: Create",
        "time": now,
        "severity_id": severity[0],
        "severity": severity[1],
        "confidence_id": confidence[0],
        "confidence": confidence[1],
        "status_id": status[0],
        "status": status[1],
        **({"status_detail": clean(finding.waiver.reason)} if finding.waiver is not None else {}),
        "message": clean(finding.message),
        "metadata": {
            "version": SCHEMA,
            "product": {"name": "Lakewarden", "uid": "lakewarden", "vendor_name": "Lakewarden", "version": result.version},
            "event_code": finding.rule.code,
            "uid": finding.fingerprint,
        },
        "finding_info": _info(finding, doc),
        "compliance": {
            "standards": ["Databricks MLOps workflow"],
            "control": f"{finding.rule.code} {finding.rule.name}",
            "requirements": [finding.rule.code],
            "status_id": outcome[0],
            "status": outcome[1],
            **({"status_detail": clean(gap.gap.reason)} if gap is not None else {}),
        },
        "resources": [_resource(finding)],
        "remediation": _remedy(doc, gap),
        "unmapped": {
            name: clean(value)
            for name, value in (
                ("plane", finding.plane),
                ("project", finding.project),
                ("owner", finding.owner),
                ("environment", finding.environment),
                ("target", finding.target),
                ("place", where(finding.origin)),
            )
            if value
        },
    }


def _info(finding: Finding, doc: RuleDoc | None) -> dict[str, Any]:
    title = clean(doc.title) if doc is not None else finding.rule.name
    described = {"desc": _line(doc.why)} if doc is not None else {}
    return {"uid": finding.fingerprint, "title": title, "types": [finding.rule.code], **described}


def _resource(finding: Finding) -> dict[str, Any]:
    return {"uid": clean(finding.subject), "name": clean(finding.subject), "type": finding.kind}


def _remedy(doc: RuleDoc | None, gap: GapOutcome | None) -> dict[str, Any]:
    if gap is not None and gap.gap.remedy:
        return {"desc": clean(gap.gap.remedy)}
    if doc is None:
        return {"desc": "lakewarden explain tells how to mend it"}
    references = {"references": list(doc.references)} if doc.references else {}
    return {"desc": _line(doc.fix), **references}


def _line(markdown: str) -> str:
    return clean(" ".join(inline(markdown).split()))
