"""Finds the configuration file that code means by a path, and what it holds at a key."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.sources.repository.code.roles import is_test
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.config.documents import ENDINGS, MAX_BYTES, load
from lakewarden.sources.repository.config.names import like_configuration, stage_maps
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.sources.source import Context


class Files:
    """The configuration files of a tree. `read` holds the paths of those that code was found to read."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_name: dict[str, list[str]] = {}
        self._large: set[str] = set()
        for path, size in context.tree.files:
            if path.endswith(ENDINGS):
                self._by_name.setdefault(posixpath.basename(path), []).append(path)
                if size > MAX_BYTES:
                    self._large.add(path)
        self._roots: dict[str, Node | None] = {}
        self._lost: set[str] = set()
        self.read: set[str] = set()

    def values(self, from_path: str, path: str, keys: Sequence[str]) -> list[tuple[str, str]]:
        """The value that stands at a key; those of all sections, with their names, where the file holds one for each stage,
        or where one key is `*`.

        `path` is what the code says, with holes; nothing where the file or the key is not found.
        """
        found = self.find(from_path, path) if path.strip(HOLE) else self._holding(tuple(keys))
        if found is None:
            return []
        self.read.add(found)
        root = self._root(found)
        if root is None:
            return []
        nodes = _values_at(root, tuple(keys))
        texts = [(name, node.text) for name, node in nodes if isinstance(node, Scalar) and not node.is_null]
        usable = len(texts) == len(nodes) and not any("${" in text or "{{" in text for _, text in texts)
        return list(dict.fromkeys(texts)) if usable else []

    def find(self, from_path: str, path: str) -> str | None:
        """The file that a path means: the one that agrees with most of its end, the nearest of several."""
        wanted = path.rpartition(HOLE)[2].replace("\\", "/").strip("/")
        parts = [part for part in wanted.split("/") if part not in ("", ".", "..")]
        candidates = self._by_name.get(parts[-1], []) if parts else []
        if not candidates:
            return None
        ranked = sorted(((_agree(parts, one), _near(from_path, one)), one) for one in candidates)
        if len(ranked) > 1 and ranked[-1][0] == ranked[-2][0]:
            return None
        return ranked[-1][1]

    def _holding(self, keys: tuple[str, ...]) -> str | None:
        """The only file named like configuration that holds a key."""
        named = [path for paths in self._by_name.values() for path in paths if like_configuration(path) and not is_test(path)]
        if not self._large.isdisjoint(named):
            return None  # it may hold the key as well
        found = [path for path in named if _values_at(self._root(path), keys)]
        return found[0] if len(found) == 1 and self._lost.isdisjoint(named) else None  # a lost one may hold it as well

    def _root(self, path: str) -> Node | None:
        if path in self._large:
            return None
        if path not in self._roots:
            try:
                self._roots[path] = load(self._context, path)
            except SourceError:
                self._roots[path] = None
                self._lost.add(path)
        return self._roots[path]


def _values_at(root: Node | None, keys: tuple[str, ...]) -> list[tuple[str, Node]]:
    """The nodes at a key of a file, else those of its sections with their names."""
    if root is None or not keys:
        return []
    nodes = list(_at(root, keys, ""))
    if not nodes and isinstance(root, Map):
        nodes = [(name, node) for name, section in stage_maps(root) for _, node in _at(section, keys, "")]
    return nodes


def _agree(parts: Sequence[str], path: str) -> int:
    """How many parts of a path's end agree."""
    count = 0
    for one, other in zip(reversed(parts), reversed(path.split("/")), strict=False):
        if one != other:
            break
        count += 1
    return count


def _near(one: str, other: str) -> int:
    """How near two paths are: their common folders, less the way down from there."""
    here, there = posixpath.dirname(one).split("/"), posixpath.dirname(other).split("/")
    common = 0
    for a, b in zip(here, there, strict=False):
        if a != b:
            break
        common += 1
    return 2 * common - len(there)


def _at(node: Node, keys: tuple[str, ...], section: str) -> Iterator[tuple[str, Node]]:
    """The nodes at the end of keys, with the name that stood for `*`."""
    if not keys:
        yield section, node
    elif isinstance(node, Map):
        for key in list(node.items) if keys[0] == "*" else [keys[0]]:
            inner = node.get(key)
            if inner is not None:
                yield from _at(inner, keys[1:], key if keys[0] == "*" else section)
    elif isinstance(node, List) and keys[0].isdigit() and int(keys[0]) < len(node.items):
        yield from _at(node.items[int(keys[0])], keys[1:], section)
