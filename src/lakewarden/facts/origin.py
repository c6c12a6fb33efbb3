"""Where a fact came from."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """A place in a file (lines and columns 1-based, `cell` the 0-based notebook cell) or an answer of an API.

    `path` is relative to the root of the repository, with `/`. `pointer` is a key path inside the file.
    """

    path: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    cell: int | None = None
    pointer: str | None = None
    url: str | None = None
    time: str | None = None
