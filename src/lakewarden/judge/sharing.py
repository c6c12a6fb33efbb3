"""Findings in files that several bundles include: one place, one fault, told once with the bundles that it reaches."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.judge.result import ProjectOutcome, Share, ShareCounts, Verdict
from lakewarden.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakewarden.facts.fact import Fact
    from lakewarden.judge.result import Finding


class _Place(NamedTuple):
    """What makes findings of several projects one."""

    code: str
    condition: str
    verdict: Verdict
    weight: tuple[str, str]
    path: str
    line: int | None
    column: int | None
    cell: int | None


def with_bundles(findings: list[Finding]) -> list[Finding]:
    """The findings, each with the projects that have the same finding at the same place, where these are several."""
    projects: dict[_Place, set[str]] = {}
    for finding in findings:
        place = _place(finding)
        if place is not None and finding.project is not None:
            projects.setdefault(place, set()).add(finding.project)
    several = {place: tuple(sorted(names)) for place, names in projects.items() if len(names) > 1}
    if not several:
        return findings
    return [
        replace(finding, bundles=several[place]) if (place := _place(finding)) in several and place is not None else finding
        for finding in findings
    ]


def once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without those that say of another bundle what is said already."""
    seen: set[_Place] = set()
    told = []
    for finding in findings:
        place = _place(finding) if finding.bundles else None
        if place is None or place not in seen:
            told.append(finding)
        if place is not None:
            seen.add(place)
    return told


def project_outcomes(findings: Iterable[Finding], targets: Iterable[Fact]) -> tuple[ProjectOutcome, ...]:
    """What was found in each project that has targets or findings, by name."""
    names: dict[str, list[str]] = {}
    for target in targets:
        if target.project is not None:
            names.setdefault(target.project, []).append(str(target.__dict__.get("name") or "unknown"))
    of_project: dict[str, list[Finding]] = {name: [] for name in names}
    for finding in findings:
        if finding.project is not None:
            of_project.setdefault(finding.project, []).append(finding)
    outcomes = []
    for name, found in sorted(of_project.items()):
        failed = [finding.severity for finding in found if finding.verdict is Verdict.FAIL]
        unknown = sum(finding.verdict is Verdict.UNKNOWN for finding in found)
        errors, warnings, notes = map(failed.count, (Severity.ERROR, Severity.WARNING, Severity.NOTE))
        outcomes.append(ProjectOutcome(name, errors, warnings, notes, unknown, tuple(names.get(name, ()))))
    return tuple(outcomes)


def shares(findings: Iterable[Finding], shown: Iterable[Finding], name_of: Callable[[Finding], str | None]) -> tuple[Share, ...]:
    """The share of each name in all findings, also in those that are not shown, by name."""
    counts: dict[str, dict[str, Counter[Verdict]]] = {}
    violations: Counter[str] = Counter()
    for finding in findings:
        name = name_of(finding) or ""
        counts.setdefault(name, {}).setdefault(finding.rule.code, Counter())[finding.verdict] += 1
        violations[name] += finding.verdict is Verdict.FAIL
    violations.subtract(name_of(finding) or "" for finding in shown if finding.verdict is Verdict.FAIL)
    return tuple(
        Share(
            name,
            violations[name],
            {
                code: ShareCounts(found[Verdict.FAIL], found[Verdict.UNKNOWN], found[Verdict.WAIVED])
                for code, found in sorted(of_rules.items())
            },
        )
        for name, of_rules in sorted(counts.items())
    )


def _place(finding: Finding) -> _Place | None:
    at = finding.origin
    if at is None or at.path is None:
        return None
    weight = (finding.severity.value, finding.confidence.value)
    return _Place(finding.rule.code, finding.condition, finding.verdict, weight, at.path, at.line, at.column, at.cell)
