"""The report for programs, `json-v1`: what its fields mean, and what may change, is in `docs/json-report.md`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.judge.compare import Changed, Comparison
from lakewarden.judge.result import (
    Finding,
    GapOutcome,
    Keys,
    ProjectOutcome,
    Repair,
    Result,
    RuleOutcome,
    Seen,
    Share,
    Verdict,
    Waiver,
)
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.order import fails
from lakewarden.reports.outcome import failing

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.reports.options import Options

VERSION = "json-v1"


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the report."""
    dump(document(result), out, levels=3)


def document(result: Result) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "version": VERSION,
        "tool": {"name": "lakewarden", "version": result.version},
        "command": result.command,
        "profile": result.profile.value,
        "summary": _summary(result),
        "rules": [_rule(outcome) for outcome in result.rules],
        "projects": [_project(outcome) for outcome in result.projects],
        "gaps": [_gap(outcome) for outcome in result.gaps],
        "findings": [_finding(result, finding) for finding in result.findings],
        "seen": None if result.seen is None else _seen(result.seen),
        "since": None if result.since is None else comparison(result.since.before, result.since.comparison),
        "part": list(map(clean, result.part)),
        "folder": clean(result.folder),
        "day": result.day,
        "owner": _text(result.owner),
        "owners": [_share(one) for one in result.owners],
        "environments": [_share(one) for one in result.environments],
        "trend": [asdict(point) for point in result.trend] or None,
    }


def comparison(before: str, compared: Comparison) -> dict[str, Any]:
    """What became of the violations of an earlier audit."""
    names = [name for name in Comparison._fields if name != "fewer"]
    changes = {name: [_change(changed) for changed in getattr(compared, name)] for name in names}
    return {"before": before, **changes, "fewer": list(compared.fewer)}


def _change(changed: Changed) -> dict[str, Any]:
    subject, told = changed.subject, changed.told
    return {
        "code": subject.code,
        "severity": told.severity,
        "confidence": told.confidence,
        "plane": subject.plane,
        "facts": subject.facts,
        "subject": subject.key,
        "message": told.message,
        "fingerprint": told.fingerprint,
        "why": changed.why,
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "planes": list(seen.planes),
        "roots": list(map(clean, seen.roots)),
        "objects": None if seen.objects is None else _keys(seen.objects),
        "unseen": _keys(seen.unseen),
        "unknown": {code: _keys(keys) for code, keys in seen.unknown.items()},
        "hidden": {code: _keys(keys) for code, keys in seen.hidden.items()},
    }


def _keys(keys: Keys) -> dict[str, dict[str, list[str]]]:
    return {table: {plane: list(map(clean, found)) for plane, found in of.items()} for table, of in keys.items()}


def _summary(result: Result) -> dict[str, Any]:
    failed = [finding for finding in result.findings if finding.verdict is Verdict.FAIL]
    return {
        **{verdict.value.replace(" ", "_"): result.count(verdict) for verdict in Verdict},
        "failing": failing(result),
        "severities": {name: sum(f.severity.value == name for f in failed) for name in ("error", "warning", "note")},
        "hidden": result.hidden,
        "baselined": result.baselined,
        "incomplete": bool(result.incomplete),
        "incomplete_reasons": [clean(reason) for reason in result.incomplete],
        "exit_code": result.exit_code,
        "fail_on": result.fail_on.value,
        "fail_confidence": result.fail_confidence.value,
        "files": result.files_read,
        "skipped": [{"path": clean(s.path), "kind": clean(s.kind), "reason": clean(s.reason)} for s in result.skipped],
        "notes": [clean(note) for note in result.notes],
    }


def _rule(outcome: RuleOutcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "code": rule.code,
        "name": rule.name,
        "revision": rule.revision,
        "severity": outcome.severity.value,
        "confidence": rule.confidence.value,
        "profile": rule.profile.value,
        "status": rule.status.value,
        "judged": outcome.judged,
        "pass": outcome.passed,
        "fail": outcome.failed,
        "unknown": outcome.unknown,
        "waived": outcome.waived,
        "not_applicable": outcome.not_applicable,
        "skipped_reason": _text(outcome.skipped_reason),
        "crashed": _text(outcome.crashed),
        "loosened": [clean(why) for why in outcome.loosened],
        "baselined": outcome.baselined,
    }


def _project(outcome: ProjectOutcome) -> dict[str, Any]:
    return {**asdict(outcome), "name": clean(outcome.name), "targets": [clean(target) for target in outcome.targets]}


def _share(share: Share) -> dict[str, Any]:
    rules = {
        code: {"fail": counts.failed, "unknown": counts.unknown, "waived": counts.waived} for code, counts in share.rules.items()
    }
    return {"name": clean(share.name) or None, "hidden": share.hidden, "rules": rules}


def _gap(outcome: GapOutcome) -> dict[str, Any]:
    gap = outcome.gap
    return {
        "class": gap.cause.value,
        "facts": gap.facts,
        "plane": gap.plane,
        "project": _text(gap.project),
        "scope": clean(gap.scope),
        "reason": clean(gap.reason),
        "remedy": clean(gap.remedy),
        "location": location(gap.origin),
        "affected": dict(sorted(outcome.affected.items())),
    }


def _finding(result: Result, finding: Finding) -> dict[str, Any]:
    fix = result.fixes.get(finding.fingerprint)
    return {
        "code": finding.rule.code,
        "name": finding.rule.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "verdict": finding.verdict.value,
        "fails": fails(result, finding),
        "plane": finding.plane,
        "project": _text(finding.project),
        "owner": clean(finding.owner),
        "environment": _text(finding.environment),
        "target": _text(finding.target),
        "facts": finding.kind,
        "subject": clean(finding.subject),
        "condition": finding.condition,
        "message": clean(finding.message),
        "location": location(finding.origin),
        "related": [place for place in [location(finding.related)] if place is not None],
        "bundles": [clean(bundle) for bundle in finding.bundles],
        "fingerprint": finding.fingerprint,
        "waiver": _waiver(finding.waiver),
        "gap": finding.gap,
        "fix": None if fix is None else _fix(fix),
    }


def _fix(repair: Repair) -> dict[str, Any]:
    return {
        "what": clean(repair.what),
        "note": clean(repair.note),
        "path": clean(repair.path),
        "replacements": [asdict(one) for one in repair.replacements],
    }


def location(origin: Origin | None) -> dict[str, Any] | None:
    """A place as JSON: a file with what is known of line, column and cell, or a URL with its time; None where nothing is."""
    if origin is None:
        return None
    known = {
        name: clean(value) if isinstance(value, str) else value for name, value in origin._asdict().items() if value is not None
    }
    return known or None


def _waiver(waiver: Waiver | None) -> dict[str, Any] | None:
    if waiver is None:
        return None
    return {
        "kind": waiver.kind,
        "reason": clean(waiver.reason),
        "until": _text(waiver.until),
        "owner": _text(waiver.owner),
        "ticket": _text(waiver.ticket),
        "place": _text(waiver.place),
    }


def _text(value: str | None) -> str | None:
    return None if value is None else clean(value)
