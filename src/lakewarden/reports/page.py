"""Lines of text with styles, printed plainly or, on a terminal, in colour."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple, TextIO

from lakewarden.reports.escape import log_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.reports.options import Options


class Span(NamedTuple):
    """A piece of a line; `style` is a style of rich or empty, `link` a URL or empty."""

    text: str
    style: str = ""
    link: str = ""


Line = tuple[Span, ...]

SEVERITY_STYLE = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan", "unknown": "bold magenta", "waived": "bold"}


def plain(text: str = "", style: str = "") -> Line:
    """A line of one piece."""
    return (Span(text, style),)


def wrap(text: str, width: int, indent: str | tuple[str, str] = "", *, style: str = "", limit: int = 0) -> list[Line]:
    """Break text into lines; words are kept whole, so that a path can be copied.

    Lines start with `indent`: one for all, or one for the first and one for the others. `limit` cuts after so many lines, with an ellipsis.
    """
    first, rest = indent if isinstance(indent, tuple) else (indent, " " * len(indent))
    if limit == 1:
        line = first + text
        return [plain(line if len(line) <= width else line[: width - 3].rstrip() + "...", style)]
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
        max_lines=limit or None,
        placeholder=" ...",
    )
    return [plain(line, style) for line in lines or [first]]


def names(items: Iterable[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    known = list(items)
    if len(known) <= most + 1:
        return ", ".join(known)
    return f"{', '.join(known[:most])} and {len(known) - most:,} more"


def short(path: str, width: int = 44) -> str:
    """The end of a long path, which tells more than its beginning."""
    if len(path) <= width:
        return path
    end = path[3 - width :]
    return "..." + (end[end.index("/") :] if "/" in end else end)


def many(count: int, one: str, more: str = "") -> str:
    """`1 file`, `1,204 files`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def show(lines: Iterable[Line], out: TextIO, options: Options) -> None:
    """Print lines. Without colour this imports nothing."""
    if options.color:
        _show_rich(lines, out, options)
        return
    out.writelines(log_line("".join(span.text for span in line).rstrip()) + "\n" for line in lines)


def _show_rich(lines: Iterable[Line], out: TextIO, options: Options) -> None:
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    console = Console(
        file=out, force_terminal=True, width=options.width, highlight=False, emoji=False, markup=False, color_system="standard"
    )
    for line in lines:
        text = Text(end="\n")
        for span in line:
            style = Style.parse(span.style) if span.style else Style()
            text.append(log_line(span.text), style + Style(link=span.link) if span.link and options.link else style)
        console.print(text, soft_wrap=True)
