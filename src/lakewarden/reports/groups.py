"""Equal findings as one: same rule, condition, severity and confidence, told once with all their places."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.reports.order import badness, marks
from lakewarden.reports.place import place_of

if TYPE_CHECKING:
    from lakewarden.rule import Rule


@dataclass(frozen=True)
class Group:
    """Findings that say the same of different objects, in the order of the result."""

    findings: tuple[Finding, ...]
    marks: tuple[str, ...]

    @property
    def rule(self) -> Rule:
        """The rule that they are of."""
        return self.findings[0].rule

    @property
    def label(self) -> str:
        """The severity, or the verdict where it is no violation."""
        first = self.findings[0]
        return first.severity.value if first.verdict is Verdict.FAIL else first.verdict.value

    @cached_property
    def places(self) -> dict[str, list[Finding]]:
        """The findings by their place."""
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(place_of(finding), []).append(finding)
        return found

    @cached_property
    def files(self) -> int:
        """How many files they are in."""
        return len({finding.origin.path for finding in self.findings if finding.origin and finding.origin.path})

    @cached_property
    def spread(self) -> Counter[str]:
        """In which catalogs or workspaces the objects are that are in no file, and how many in each."""
        return Counter(_around(finding.subject) for finding in self.findings)


def _around(key: str) -> str:
    """The catalog of an object of a metastore, with or without the id of that before it, else the host of a workspace."""
    _, mark, rest = key.partition("://")
    if mark:
        return rest.partition("/")[0]
    first, _, below = key.partition("/")
    catalog = below.partition(".")[0]
    # A version, a binding or a grant stands below its object.
    is_first = "." in first or not catalog or ":" in catalog.partition("/")[0] or catalog.isdigit()
    return first.partition(".")[0] if is_first else catalog


def grouped(result: Result, findings: list[Finding]) -> list[Group]:
    """The groups of these findings: the worst first, then the largest, then by code."""
    found: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        shape: tuple[object, ...] = (finding.kind, finding.condition)
        if finding.verdict is Verdict.UNKNOWN:
            shape = (finding.message,)
        key = (finding.rule.code, finding.verdict, finding.severity, finding.confidence, *shape)
        found.setdefault(key, []).append(finding)
    groups = [Group(tuple(members), tuple(marks(result, members[0]))) for members in found.values()]
    return sorted(groups, key=lambda g: (badness(result, g.findings[0]), -len(g.findings), g.rule.code, g.findings[0].condition))
