"""The exit code of a run, the same in every output format."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lakewarden.errors import ExitCode
from lakewarden.facts.gaps import INCOMPLETE, Cause, Gap
from lakewarden.judge.result import Finding, RuleOutcome, Verdict
from lakewarden.rule import Confidence, Profile, Severity

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from lakewarden.policy.model import Policy

_SEVERITIES = (Severity.NOTE, Severity.WARNING, Severity.ERROR)
_CONFIDENCES = (Confidence.ADVISORY, Confidence.MEDIUM, Confidence.HIGH)


def fails(finding: Finding, fail_on: Severity, fail_confidence: Confidence) -> bool:
    """Does this finding fail the run?"""
    return (
        finding.verdict is Verdict.FAIL
        and _SEVERITIES.index(finding.severity) >= _SEVERITIES.index(fail_on)
        and _CONFIDENCES.index(finding.confidence) >= _CONFIDENCES.index(fail_confidence)
    )


def why_incomplete(
    gaps: Iterable[Gap], outcomes: Iterable[RuleOutcome], policy: Policy, profile: Profile, today: dt.date
) -> tuple[str, ...]:
    """One line for each reason why the run has not seen what it should have; empty when it is complete.

    Gaps that the policy accepts are told elsewhere; they leave verdicts unknown and do not count here.
    """
    reasons: dict[str, None] = {}
    for outcome in outcomes:
        if outcome.crashed is not None:
            reasons[f"rule {outcome.rule.code} crashed: {outcome.crashed}"] = None
        if profile is Profile.STRICT and outcome.unknown:
            objects = "1 object" if outcome.unknown == 1 else f"{outcome.unknown:,} objects"
            reasons[f"{outcome.rule.code} could not tell for {objects}"] = None
    for gap in gaps:
        counts = gap.cause in INCOMPLETE or (gap.cause is Cause.UNCLAIMED and policy.path is not None)
        if counts and not is_accepted(gap, policy, today):
            reasons[gap.reason if gap.scope in gap.reason else f"{gap.scope}: {gap.reason}"] = None
    return tuple(reasons)


def is_accepted(gap: Gap, policy: Policy, today: dt.date) -> bool:
    """Does an `[[accepted_gaps]]` of the policy, not yet expired, cover the gap, or the snapshot that it is in?"""
    return gap.accepted or any(
        fnmatchcase(gap.scope, accepted.scope) and (accepted.expires is None or today <= accepted.expires)
        for accepted in policy.accepted_gaps
    )


def exit_code(
    findings: Iterable[Finding], incomplete: tuple[str, ...], judged: bool, fail_on: Severity, fail_confidence: Confidence
) -> ExitCode:
    """1 before 3 before 4: a violation is told even where the rest was not seen."""
    if any(fails(finding, fail_on, fail_confidence) for finding in findings):
        return ExitCode.FINDINGS
    if incomplete:
        return ExitCode.INCOMPLETE
    return ExitCode.CLEAN if judged else ExitCode.NOTHING_CHECKED
