"""Where a name that a file uses is defined: in which file of the repository, and under which name there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import Import, Span, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.sources.repository.code.imports import Index
    from lakewarden.sources.repository.code.result import Extract

_MAX_HOPS = 4


def bare(steps: Symbol) -> tuple[str, ...]:
    """The names with which steps begin."""
    found: list[str] = []
    for step in steps:
        if not isinstance(step, str):
            break
        found.append(step)
    return tuple(found)


class Modules:
    """Finds the files behind names. `runs` are the files that each file takes names from without naming them."""

    def __init__(self, extracts: Mapping[str, Extract], index: Index, runs: Mapping[str, list[str]]) -> None:
        self._extracts = extracts
        self._index = index
        self._runs = runs
        self._extra: dict[str, list[str]] = {}
        self._split: dict[tuple[str, str], tuple[str, tuple[str, ...]] | None] = {}

    def opened(self, path: str) -> list[str]:
        """The files whose names a file has as its own, the last one first: it may replace what others brought."""
        return self._runs.get(path, [])[::-1]

    def near(self, path: str) -> list[str]:
        """All files that a file takes names from, also through others."""
        found: list[str] = []
        todo = self.opened(path)
        while todo:
            place = todo.pop(0)
            if place not in found and place != path:
                found.append(place)
                todo.extend(self.opened(place))
        return found

    def places(self, path: str, kind: str, steps: Symbol) -> Iterator[tuple[str, Symbol]]:
        """The files in which a name may stand, with the steps that are left there."""
        if kind == "?":
            for place in self.opened(path):
                yield place, steps
            return
        names = bare(steps)
        found = self._file_of(path, ".".join(names))
        if found is not None:
            place, rest = found
            yield place, (*rest, *steps[len(names) :])

    def functions(self, path: str, callee: Symbol) -> list[tuple[str, str]]:
        """The functions and classes of the repository that a symbol may stand for: their files and full names."""
        kind, *steps = callee
        name = ".".join(step for step in steps if isinstance(step, str))
        if kind == "local":
            return [(path, name)]
        if kind not in ("module", "?"):
            return []
        return list(self._definitions(path, kind, name, 0))

    def _definitions(self, path: str, kind: str, name: str, hops: int) -> Iterator[tuple[str, str]]:
        for place, steps in self.places(path, kind, (name,) if kind == "?" else tuple(name.split("."))):
            inner = ".".join(steps)
            extract = self._extracts[place]
            if inner in extract.defines or inner.rpartition(".")[0] in extract.defines:
                yield place, inner
                return
            first, _, rest = inner.partition(".")
            kept = extract.exports.get(first)
            if hops >= _MAX_HOPS:
                return
            if kept is not None and kept.symbol[:1] == ("module",) and len(kept.symbol) > 1:
                yield from self._definitions(place, "module", f"{kept.symbol[1]}.{rest}" if rest else kept.symbol[1], hops + 1)
            elif self.opened(place):
                yield from self._definitions(place, "?", inner, hops + 1)

    def _file_of(self, path: str, dotted: str) -> tuple[str, tuple[str, ...]] | None:
        """The file of the module at the beginning of a dotted name, and the names that are left."""
        at = (path, dotted)
        if at not in self._split:
            self._split[at] = self._search(path, dotted)
        return self._split[at]

    def _search(self, path: str, dotted: str) -> tuple[str, tuple[str, ...]] | None:
        level = len(dotted) - len(dotted.lstrip("."))
        parts = dotted[level:].split(".")
        if path not in self._extra:
            self._extra[path] = self._index.appended(path, self._extracts[path])
        for size in range(len(parts), -1 if level else 0, -1):
            module = "." * level + ".".join(parts[:size])
            files = self._index.modules(path, Import(module, (), Span()), self._extra[path])
            if not files:
                continue
            last = files[-1]
            stem = posixpath.splitext(last)[0]
            package = stem.endswith("/__init__") or stem == "__init__"
            ends = posixpath.dirname(stem) if package else stem
            if size == 0 or posixpath.basename(ends) == parts[size - 1]:
                return last, tuple(parts[size:])
        return None
