"""The lines of the files that findings are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.tree import Tree


class Lines(Mapping[str, tuple[str, ...]]):
    """The lines of a tree's files by path. A file is read when it is first asked for, and once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._read: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, path: str) -> tuple[str, ...]:
        """Raise KeyError for a file that cannot be shown: it is not readable, or its lines are not those of a cell."""
        if path not in self._read:
            self._read[path] = self._lines_of(path)
        if not self._read[path]:
            raise KeyError(path)
        return self._read[path]

    def __iter__(self) -> Iterator[str]:
        return (path for path, lines in self._read.items() if lines)

    def __len__(self) -> int:
        return sum(map(bool, self._read.values()))

    def at(self, origin: Origin) -> str:
        """The text of the line where something is; empty where it cannot be shown."""
        if origin.path is None or origin.line is None:
            return ""
        lines = self.get(origin.path, ())
        return lines[origin.line - 1] if 0 < origin.line <= len(lines) else ""

    def _lines_of(self, path: str) -> tuple[str, ...]:
        if path.endswith(".ipynb"):
            return ()
        try:
            return tuple(self._tree.text(path).splitlines())
        except SourceError:
            return ()
