"""Workflow commands of GitHub Actions, which become annotations, and a line for the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.escape import clean, log_line
from lakewarden.reports.order import marks, worst_first
from lakewarden.reports.outcome import one_line, reached
from lakewarden.reports.place import is_notebook_file, place_of
from lakewarden.rule import Severity

if TYPE_CHECKING:
    from lakewarden.reports.options import Options

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the worst first, because GitHub shows ten annotations of a kind for each step."""
    for finding in once(worst_first(result, result.findings)):
        if finding.verdict is not Verdict.WAIVED:
            out.write(f"{_command(result, finding)}\n")
    out.write(f"{log_line('lakewarden: ' + one_line(result))}\n")


def _command(result: Result, finding: Finding) -> str:
    said = "".join(f" ({mark})" for mark in marks(result, finding))
    unknown = finding.verdict is Verdict.UNKNOWN
    properties = {**_place(finding), "title": f"{finding.rule.code} {finding.rule.name}{said}"}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    command = "notice" if unknown else _COMMAND[finding.severity]
    at = "" if finding.origin is not None and finding.origin.line is not None else f"{place_of(finding)}: "
    if finding.origin is not None and is_notebook_file(finding.origin):
        at = f"cell {finding.origin.cell}: "
    reach = f" ({reached(finding)})" if finding.bundles else ""
    return f"::{command} {told}::{_data(at + clean(finding.message) + reach)}"


def _place(finding: Finding) -> dict[str, str]:
    at = finding.origin
    if at is None or at.path is None:
        return {}
    place = {"file": clean(at.path)}
    if at.line is None or at.line < 1:
        return place
    place["line"] = str(at.line)
    end = at.end_line if at.end_line is not None and at.end_line > at.line else at.line
    place["endLine"] = str(end)
    # GitHub wants columns only within one line, and those of a cell are not those of its file.
    if at.column is not None and end == at.line and not is_notebook_file(at):
        place["col"] = str(at.column)
        if at.end_column is not None and at.end_column > at.column:
            place["endColumn"] = str(at.end_column)
    return place


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
