"""What a gate says of one version, in each format. A new one is a module with `write(result, out, options)` and a line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, TextIO

from lakewarden.reports.registry import check_against

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakewarden.gate.result import GateResult
    from lakewarden.reports.options import Options

#: Each format with the module that writes it.
FORMATS: dict[str, str] = {
    "text": "lakewarden.reports.gate.text",
    "json": "lakewarden.reports.gate.json_report",
    "markdown": "lakewarden.reports.gate.markdown",
    "sarif": "lakewarden.reports.gate.sarif",
    "junit": "lakewarden.reports.gate.junit",
}


def check_formats(output_format: str, outputs: Iterable[str]) -> list[tuple[str, str | None]]:
    """The reports that a command line asks for, as (format, file); None is standard output.

    Raises:
        UsageError: a format does not exist, or an output is no `FORMAT=FILE`, or two are the same file.
    """
    return check_against(FORMATS, output_format, outputs)


def write(name: str, result: GateResult, out: TextIO, options: Options) -> None:
    """Write a report in the format of this name."""
    writer: Callable[[GateResult, TextIO, Options], None] = importlib.import_module(FORMATS[name]).write
    writer(result, out, options)
