"""One line for each finding, as compilers write them, and one for the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.escape import clean
from lakewarden.reports.order import marks
from lakewarden.reports.outcome import one_line, reached
from lakewarden.reports.page import SEVERITY_STYLE, Line, Span, plain, show
from lakewarden.reports.place import place_of

if TYPE_CHECKING:
    from lakewarden.reports.options import Options


def write(result: Result, out: TextIO, options: Options) -> None:
    """Write `path:line:column: severity CODE message`, in the order of the result."""
    shown = once(f for f in result.findings if f.verdict is not Verdict.WAIVED or "waived" in options.show)
    show([*(_line(result, finding) for finding in shown), plain(one_line(result))], out, options)


def _line(result: Result, finding: Finding) -> Line:
    label = finding.severity.value if finding.verdict is Verdict.FAIL else finding.verdict.value
    said = "".join(f" [{mark}]" for mark in [*marks(result, finding), *([reached(finding)] if finding.bundles else [])])
    return (
        Span(f"{place_of(finding)}: "),
        Span(label, SEVERITY_STYLE[label]),
        Span(f" {finding.rule.code} {clean(finding.message)}{said}"),
    )
