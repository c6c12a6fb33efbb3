"""`lakewarden report`: write a stored JSON report in other formats."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from lakewarden.cli.options import Color, MoreReports, ReportFormat, Statistics, WhenColor, split

#: What can be shown more of. What is unknown or advisory is in a report or not: that was decided when it was written.
_SHOWN = ("waived", "gaps")


def report(
    file: Annotated[Path, typer.Argument(help="The JSON report, - for standard input.", metavar="FILE")],
    output_format: ReportFormat = "text",
    output: MoreReports = None,
    show: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Show more in the text report: waived, gaps; may be repeated.", metavar="WHAT"),
    ] = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="List so many findings of each group in the text report; 0 lists all.", min=0, metavar="N"),
    ] = None,
    statistics: Statistics = False,
    controls: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Tell each control of this framework: its name, or a file of your own.", metavar="FRAMEWORK"),
    ] = None,
    color: WhenColor = Color.AUTO,
) -> None:
    """Write a JSON report of lint or audit in other formats, as the run itself would have written them.

    With --controls it tells what is shown of each control of a framework. Nothing is judged again. Exit codes: 0 written, whatever the report says; 2 the file cannot be used.
    """
    from lakewarden.cli.output import check_counted, write_reports
    from lakewarden.errors import UsageError
    from lakewarden.reports.reading import read_report
    from lakewarden.reports.registry import check_formats

    if controls is not None:
        from lakewarden.cli.controls import write_controls

        write_controls(file, controls, output_format, output or [])
        return
    targets = check_formats(output_format, output or [])
    if statistics:
        check_counted(output_format)
    for word in split(show):
        if word not in _SHOWN:
            raise UsageError(f"--show {word} shows nothing of a stored report", f"there are: {', '.join(_SHOWN)}")
    result = read_report(content_of(file), "standard input" if str(file) == "-" else str(file))
    write_reports(result, targets, frozenset(split(show)), color, limit, counted=statistics)


def content_of(file: Path) -> bytes:
    """The bytes of a file, or of standard input.

    Raises:
        UsageError: it cannot be read.
    """
    from lakewarden.errors import UsageError

    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}", "name a JSON report of lakewarden") from None
