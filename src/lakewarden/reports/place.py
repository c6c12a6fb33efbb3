"""Where a finding is, and the line of source that stands there."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.reports.escape import clean, clean_source

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.judge.result import Finding, Result

_LONGEST = 4096


class Excerpt(NamedTuple):
    """A line of source with what to underline in it; both count columns of the terminal."""

    number: str
    source: str
    start: int
    length: int


def is_notebook_file(origin: Origin) -> bool:
    """Is the place a cell of an `.ipynb` file, whose lines mean nothing to a reader?"""
    return origin.cell is not None and origin.path is not None and origin.path.endswith(".ipynb")


def where(origin: Origin | None) -> str:
    """`path:line:column`, `path:cell 3` in an `.ipynb` file, or a URL; empty where there is no place."""
    if origin is None:
        return ""
    if origin.path is None:
        return clean(origin.url or "")
    path = clean(origin.path)
    if is_notebook_file(origin):
        return f"{path}:cell {origin.cell}"
    if origin.line is None:
        return path
    return f"{path}:{origin.line}" + (f":{origin.column}" if origin.column is not None else "")


def place_of(finding: Finding) -> str:
    """Where the finding is, for people: its place, else its project and subject."""
    return where(finding.origin) or clean(finding.subject)


def excerpt(result: Result, origin: Origin | None, width: int) -> Excerpt | None:
    """The line of source of a place, cut to `width` columns; None where it is not known."""
    if origin is None or origin.path is None or origin.line is None:
        return None
    lines = result.lines.get(origin.path, ())
    if not 0 < origin.line <= len(lines):
        return None
    line = lines[origin.line - 1]
    if is_notebook_file(origin):
        decoded = _decoded(line)
        if decoded is None:
            return None
        line = decoded
    line = line[:_LONGEST].rstrip()
    if not line.strip():
        return None
    begin, end = _marked(line, origin)
    source, start = clean_source(line), _columns(clean_source(line[:begin]))
    length = max(1, _columns(clean_source(line[:end])) - start)
    number = f"cell {origin.cell}" if is_notebook_file(origin) else str(origin.line)
    return _cut(Excerpt(number, source, start, length), width)


def _marked(line: str, origin: Origin) -> tuple[int, int]:
    """The part of the line to underline; the whole line without its margins where no column is known."""
    first, last = len(line) - len(line.lstrip()), len(line)
    if origin.column is None or not first < origin.column <= last:
        return first, last
    ends_here = origin.end_column is not None and origin.end_line in (None, origin.line)
    end = min(last, (origin.end_column or 0) - 1) if ends_here else last
    return origin.column - 1, max(end, origin.column)


def _decoded(line: str) -> str | None:
    """A line of a cell as it stands in the JSON of a notebook."""
    try:
        value = json.loads(line.strip().rstrip(","))
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _cut(shown: Excerpt, width: int) -> Excerpt:
    if _columns(shown.source) <= width:
        return shown._replace(length=min(shown.length, width - shown.start))
    if not shown.source.isascii():
        # Cutting by columns is exact for ASCII only: elsewhere the mark gives way.
        return Excerpt(shown.number, shown.source[: width // 2 - 3] + "...", 0, 1)
    begin = max(0, min(shown.start - width // 3, len(shown.source) - width + 3)) if shown.start + 10 > width else 0
    head = "..." if begin else ""
    room = width - len(head) - 3
    tail = "..." if len(shown.source) > begin + room else ""
    source = head + shown.source[begin : begin + room] + tail
    start = min(shown.start - begin + len(head), len(source) - 1)
    return Excerpt(shown.number, source, start, max(1, min(shown.length, len(source) - start)))
