"""One row for each finding, for spreadsheets and databases: UTF-8, RFC 4180, and no cell that a spreadsheet calculates."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TextIO

from lakewarden.reports.escape import clean
from lakewarden.reports.order import fails, worst_first
from lakewarden.reports.place import is_notebook_file

if TYPE_CHECKING:
    from lakewarden.judge.result import Finding, Result
    from lakewarden.reports.options import Options

COLUMNS = (
    *("code", "rule", "verdict", "fails", "severity", "confidence", "plane", "project", "owner", "environment", "target"),
    *("kind", "subject", "condition", "message", "path", "line", "column", "cell", "url", "bundles"),
    *("waived_by", "waiver_reason", "waived_until", "waiver_owner", "ticket", "reason", "remedy", "fingerprint"),
)
#: What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@")


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write a header and the findings, the worst first; each bundle that a finding reaches has a row of its own."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for finding in worst_first(result, result.findings):
        rows.writerow(map(_cell, _row(result, finding)))


def _row(result: Result, finding: Finding) -> tuple[object, ...]:
    at, waiver, rule = finding.origin, finding.waiver, finding.rule
    gap = None if finding.gap is None else result.gaps[finding.gap].gap
    line = None if at is None or is_notebook_file(at) else at.line
    column = None if at is None or is_notebook_file(at) else at.column
    return (
        *(rule.code, rule.name, finding.verdict.value, fails(result, finding), finding.severity.value, finding.confidence.value),
        *(finding.plane, finding.project, finding.owner, finding.environment, finding.target),
        *(finding.kind, finding.subject, finding.condition, finding.message),
        *((None,) * 5 if at is None else (at.path, line, column, at.cell, at.url)),
        " ".join(finding.bundles),
        *((None,) * 5 if waiver is None else (waiver.kind, waiver.reason, waiver.until, waiver.owner, waiver.ticket)),
        *((None,) * 2 if gap is None else (gap.reason, gap.remedy)),
        finding.fingerprint,
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = clean(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
