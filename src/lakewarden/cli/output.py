"""Writes the reports of a run: one to standard output, others to files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lakewarden.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.cli.options import Color
    from lakewarden.judge.result import Result


def write_reports(
    result: Result,
    wanted: Iterable[tuple[str, str | None]],
    show: frozenset[str],
    color: Color,
    limit: int | None = None,
) -> None:
    """Write each report, a pair of format and file; None for standard output. `limit` is for those that people read.

    Raises:
        UsageError: a file cannot be written.
    """
    from lakewarden.reports.options import options_for
    from lakewarden.reports.registry import write

    for name, file in wanted:
        if file is None:
            write(name, result, sys.stdout, options_for(sys.stdout, color.value, show, limit))
            sys.stdout.flush()
            continue
        try:
            with Path(file).open("w", encoding="utf-8", newline="\n") as out:
                write(name, result, out, options_for(out, "never", show, limit))
        except OSError as problem:
            raise UsageError(f"cannot write {file}: {problem.strerror}", "check the folder and its permissions") from None
