"""Logging commands of Azure Pipelines, which become issues of the run, and a line for the log.

https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.escape import clean, log_line
from lakewarden.reports.order import fails, marks, worst_first
from lakewarden.reports.outcome import one_line, reached
from lakewarden.reports.place import is_notebook_file, place_of

if TYPE_CHECKING:
    from lakewarden.reports.options import Options

#: In this order: a percent sign is escaped first, by a code of its own.
_ESCAPES = (("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"))
_OF_PROPERTIES = (*_ESCAPES, (";", "%3B"), ("]", "%5D"))


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the worst first. Azure knows errors and warnings: what fails the run is an error, notes and what is unknown are lines."""
    for finding in once(worst_first(result, result.findings)):
        if finding.verdict is not Verdict.WAIVED:
            out.write(f"{_command(result, finding)}\n")
    out.write(f"{log_line('lakewarden: ' + one_line(result))}\n")


def _command(result: Result, finding: Finding) -> str:
    said = "".join(f" ({mark})" for mark in [*marks(result, finding), *([reached(finding)] if finding.bundles else [])])
    text = f"{finding.rule.code} {place_of(finding)}: {clean(finding.message)}{said}"
    if finding.verdict is Verdict.UNKNOWN or (finding.severity.value == "note" and not fails(result, finding)):
        word = finding.verdict.value if finding.verdict is Verdict.UNKNOWN else finding.severity.value
        return log_line(f"{word} {text}")
    properties = {"type": "error" if fails(result, finding) else "warning", "code": finding.rule.code, **_place(finding)}
    told = "".join(f"{name}={_escaped(log_line(value), _OF_PROPERTIES)};" for name, value in properties.items())
    return f"##vso[task.logissue {told}]{_escaped(log_line(text), _ESCAPES)}"


def _place(finding: Finding) -> dict[str, str]:
    at = finding.origin
    if at is None or at.path is None:
        return {}
    place = {"sourcepath": clean(at.path)}
    if at.line is not None and at.line > 0 and not is_notebook_file(at):
        place["linenumber"] = str(at.line)
        if at.column is not None:
            place["columnnumber"] = str(at.column)
    return place


def _escaped(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for sign, code in escapes:
        text = text.replace(sign, code)
    return text
