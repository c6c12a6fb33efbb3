"""Writes the reports of a run: one to standard output, others to files, which may be one for each owner."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lakewarden.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.cli.options import Color
    from lakewarden.judge.result import Result


def write_reports(
    result: Result,
    wanted: Iterable[tuple[str, str | None]],
    show: frozenset[str],
    color: Color,
    limit: int | None = None,
    *,
    counted: bool = False,
) -> None:
    """Write each report, a pair of format and file; None for standard output. A file with `{owner}` in its name is one for each
    owner. `limit` is for those that people read; `counted` prints counts of rules on standard output, instead of findings.

    Raises:
        UsageError: a file cannot be written.
    """
    from lakewarden.reports.options import options_for
    from lakewarden.reports.registry import write

    for name, file in wanted:
        if file is None and counted:
            from lakewarden.reports import statistics

            statistics.write(result, sys.stdout, options_for(sys.stdout, color.value, show, limit), name)
            continue
        if file is None:
            write(name, result, sys.stdout, options_for(sys.stdout, color.value, show, limit))
            sys.stdout.flush()
            continue
        for place, part in _files(file, result):
            with _opened(place, makes_folder=place != file) as out:
                write(name, part, out, options_for(out, "never", show, limit))


@contextmanager
def _opened(place: str, *, makes_folder: bool) -> Iterator[TextIO]:
    try:
        if makes_folder:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
        with Path(place).open("w", encoding="utf-8", newline="\n") as out:
            yield out
    except OSError as problem:
        raise UsageError(f"cannot write {place}: {problem.strerror}", "check the folder and its permissions") from None


def check_counted(form: str) -> None:
    """Refuse a format that counts of rules are not written in.

    Raises:
        UsageError: it is none of those.
    """
    from lakewarden.reports.statistics import FORMATS

    if form not in FORMATS:
        raise UsageError(f"--statistics is not written as {form}", f"take --output-format {' or '.join(FORMATS)}")


def _files(file: str, result: Result) -> Iterator[tuple[str, Result]]:
    """Each file with what is written to it."""
    from lakewarden.reports.parts import PLACEHOLDER, parts

    if PLACEHOLDER not in file:
        yield file, result
        return
    for name, part in parts(result).items():
        yield file.replace(PLACEHOLDER, name), part
