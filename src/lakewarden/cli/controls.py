"""What `lakewarden report --controls` does."""

from __future__ import annotations

import sys
from pathlib import Path


def write_controls(file: Path, name: str, output_format: str, output: list[str]) -> None:
    """Write what a stored report shows of each control of a framework.

    Raises:
        UsageError: the report, the framework or a format cannot be used, or the report is of one owner alone.
    """
    from lakewarden.cli.report import content_of
    from lakewarden.errors import UsageError
    from lakewarden.judge.catalogue import load_rules
    from lakewarden.reports.controls.assess import assess
    from lakewarden.reports.controls.framework import framework
    from lakewarden.reports.controls.write import WRITERS
    from lakewarden.reports.reading import read_report
    from lakewarden.reports.registry import check_against

    targets = check_against(WRITERS, output_format, output)
    said = framework(name, load_rules())
    result = read_report(content_of(file), "standard input" if str(file) == "-" else str(file))
    if result.owner is not None:
        raise UsageError(f"{file} is the part of {result.owner}", "controls are told of a whole report: name that")
    assessed = assess(said, result)
    for form, place in targets:
        if place is None:
            WRITERS[form](said, result, assessed, sys.stdout)
            continue
        try:
            with Path(place).open("w", encoding="utf-8", newline="") as out:
                WRITERS[form](said, result, assessed, out)
        except OSError as problem:
            raise UsageError(f"cannot write {place}: {problem.strerror}", "check the folder and its permissions") from None
