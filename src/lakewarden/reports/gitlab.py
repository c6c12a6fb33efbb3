"""The Code Quality report of GitLab (`artifacts:reports:codequality`), shown in merge requests.

Its fields are those of https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.order import fails, marks, worst_first
from lakewarden.reports.outcome import reached
from lakewarden.reports.place import is_notebook_file, place_of
from lakewarden.rule import Severity

if TYPE_CHECKING:
    from lakewarden.reports.options import Options

_LEVEL = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the worst first. What is unknown is told as `info`; the format has no word for what is waived."""
    told = [finding for finding in once(worst_first(result, result.findings)) if finding.verdict is not Verdict.WAIVED]
    seen: dict[str, int] = {}
    dump([_issue(result, finding, seen) for finding in told], out, levels=1)


def _issue(result: Result, finding: Finding, seen: dict[str, int]) -> dict[str, Any]:
    # GitLab drops all but one of the same fingerprint.
    number = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
    own = finding.fingerprint if number == 1 else hashlib.sha256(f"{finding.fingerprint}/{number}".encode()).hexdigest()[:16]
    at = finding.origin
    said = clean(finding.message)
    if at is None or at.path is None or is_notebook_file(at):
        said = f"{place_of(finding)}: {said}"
    for mark in [*marks(result, finding), *([reached(finding)] if finding.bundles else [])]:
        said += f" ({mark})"
    level = "critical" if fails(result, finding) else _LEVEL[finding.severity]
    line = at.line if at is not None and at.path is not None and at.line is not None and at.line > 0 else 1
    return {
        "description": said,
        "check_name": f"{finding.rule.code} {finding.rule.name}",
        "fingerprint": own,
        "severity": "info" if finding.verdict is Verdict.UNKNOWN else level,
        # A path is mandatory: what is not in a file stands at the root.
        "location": {"path": clean(at.path) if at is not None and at.path is not None else ".", "lines": {"begin": line}},
    }
