"""Which findings matter most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.judge import exit as judge_exit
from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.rule import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITY_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
CONFIDENCE_RANK = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.ADVISORY: 2}
_VERDICT_RANK = {Verdict.FAIL: 0, Verdict.UNKNOWN: 1, Verdict.WAIVED: 2}


def fails(result: Result, finding: Finding) -> bool:
    """Does the finding fail the run?"""
    return judge_exit.fails(finding, result.fail_on, result.fail_confidence)


def failures(result: Result) -> list[Finding]:
    """The findings that are violations and not waived, whether or not they fail the run."""
    return [finding for finding in result.findings if finding.verdict is Verdict.FAIL]


def worst_first(result: Result, findings: Iterable[Finding]) -> list[Finding]:
    """What fails the run, then other violations, what is unknown, what is waived; equal ones keep their order."""
    return sorted(findings, key=lambda finding: badness(result, finding))


def badness(result: Result, finding: Finding) -> tuple[int, bool, int, int]:
    """Sorts findings: the smaller, the worse."""
    return (
        _VERDICT_RANK.get(finding.verdict, 3),
        not fails(result, finding),
        SEVERITY_RANK[finding.severity],
        CONFIDENCE_RANK[finding.confidence],
    )


def marks(result: Result, finding: Finding) -> list[str]:
    """What a reader must know beside the severity: how sure it is, and whether it fails the run."""
    said = []
    if finding.confidence is Confidence.MEDIUM:
        said.append("check this")
    elif finding.confidence is Confidence.ADVISORY:
        said.append("advisory")
    if finding.verdict is Verdict.FAIL and not fails(result, finding):
        said.append("does not fail")
    return said
