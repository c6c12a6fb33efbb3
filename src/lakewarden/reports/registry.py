"""The formats that there are. A new one is a module with `write(result, out, options)` and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import TextIO

from lakewarden.errors import UsageError
from lakewarden.judge.result import Result
from lakewarden.reports.options import Options

__all__ = ["FORMATS", "Options", "check_formats", "write"]

#: Formats that do not say by what a finding is known again.
_WITHOUT_FINGERPRINTS = frozenset({"text", "concise", "github", "azure", "junit", "markdown"})

Writer = Callable[[Result, TextIO, Options], None]

#: Each format with the module and the function that write it.
FORMATS: dict[str, tuple[str, str]] = {
    "text": ("lakewarden.reports.text", "write"),
    "concise": ("lakewarden.reports.concise", "write"),
    "json": ("lakewarden.reports.json_report", "write"),
    "json-v1": ("lakewarden.reports.json_report", "write"),
    "sarif": ("lakewarden.reports.sarif", "write"),
    "github": ("lakewarden.reports.github", "write"),
    "gitlab": ("lakewarden.reports.gitlab", "write"),
    "azure": ("lakewarden.reports.azure", "write"),
    "junit": ("lakewarden.reports.junit", "write"),
    "markdown": ("lakewarden.reports.job_summary", "write"),
    "csv": ("lakewarden.reports.csv_report", "write"),
    "ocsf": ("lakewarden.reports.ocsf", "write"),
    "html": ("lakewarden.reports.html.report", "write"),
}


def write(name: str, result: Result, out: TextIO, options: Options) -> None:
    """Write a report in the format of this name.

    Raises:
        UsageError: there is no such format.

    """
    _check(name, FORMATS)
    module, function = FORMATS[name]
    writer: Writer = getattr(importlib.import_module(module), function)
    writer(result, out, options)


def check_formats(output_format: str, outputs: Iterable[str]) -> list[tuple[str, str | None]]:
    """The reports that a command line asks for, as (format, file): one on standard output (None), one for each `FORMAT=FILE`.

    Raises:
        UsageError: a format does not exist, or an output is no `FORMAT=FILE`, or two are the same file.

    """
    return check_against(FORMATS, output_format, outputs)


def names_fingerprints(reports: Iterable[tuple[str, str | None]]) -> bool:
    """Does one of these reports, as (format, file), hold the fingerprints of findings?"""
    return any(name not in _WITHOUT_FINGERPRINTS for name, _ in reports)


def check_against(formats: Iterable[str], output_format: str, outputs: Iterable[str]) -> list[tuple[str, str | None]]:
    """The same, of the formats of another kind of report."""
    known = tuple(formats)
    _check(output_format, known)
    wanted: list[tuple[str, str | None]] = [(output_format, None)]
    for output in outputs:
        name, equals, file = output.partition("=")
        if not equals or not file:
            raise UsageError(f"--output {output} names no file", "write it as FORMAT=FILE, such as sarif=lakewarden.sarif")
        _check(name, known)
        if any(file == other for _, other in wanted):
            raise UsageError(f"two reports go to {file}", "give each its own file")
        wanted.append((name, file))
    return wanted


def _check(name: str, formats: Iterable[str]) -> None:
    if name not in formats:
        from difflib import get_close_matches

        near = get_close_matches(name, formats, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no format {name}{meant}", f"there are: {', '.join(formats)}")
