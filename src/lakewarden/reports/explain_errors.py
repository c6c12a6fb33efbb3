"""The documentation of an error, for a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from lakewarden.errors import LakewardenError, page_of
from lakewarden.reports.dump import dump
from lakewarden.reports.markdown import to_terminal
from lakewarden.reports.options import options_for
from lakewarden.reports.page import Line, plain, show, wrap

if TYPE_CHECKING:
    from lakewarden.reports.options import Options


def write_text(kind: type[LakewardenError], out: TextIO, options: Options | None = None) -> None:
    """Write what went wrong, why that ends a run, and what to do."""
    options = options or options_for(out)
    title, text = page_of(kind)
    lines: list[Line] = [plain(kind.code, "bold"), *wrap(title, options.width), plain()]
    lines += [*to_terminal(text, options.width, "  "), plain(), plain(f"exit code {kind.exit_code.value}", "dim")]
    show(lines, out, options)


def write_json(kind: type[LakewardenError], out: TextIO) -> None:
    """Write one object; the text is Markdown."""
    title, text = page_of(kind)
    dump({"code": kind.code, "title": title, "exit_code": kind.exit_code.value, "text": text}, out, levels=1)
