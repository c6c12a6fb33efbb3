"""YAML as a tree in which every value knows its line.

Keys are always strings, as written (`on`, `yes`, `1`); values keep their text and are resolved on demand by YAML 1.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from lakewarden.errors import SourceError

MAX_DEPTH = 200

_BOOLEANS = {
    form: value
    for word, value in (("true", True), ("yes", True), ("on", True), ("false", False), ("no", False), ("off", False))
    for form in (word, word.capitalize(), word.upper())
}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40


class Node:
    """A value in a file. `line` and `column` are where it starts, `key_line` and `key_column` where its key stands.

    An alias is a value at the place of the alias; what it holds stands where the anchor is.
    """

    __slots__ = ("_origin", "column", "end_line", "key", "key_column", "key_line", "line", "parent", "path", "size", "tag")

    path: str
    line: int
    column: int
    end_line: int
    key_line: int
    key_column: int
    parent: Map | List | None
    key: str | int
    tag: str | None
    size: int

    def __init__(self, path: str, line: int, column: int, end_line: int, tag: str | None = None) -> None:
        self.path = path
        self.line = self.key_line = line
        self.column = self.key_column = column
        self.end_line = end_line
        self.parent = None
        self.key = ""
        self.tag = tag
        self.size = 1
        self._origin: Origin | None = None

    @property
    def keys_above(self) -> list[str | int]:
        """The keys that lead to it from the top of its file."""
        found: list[str | int] = []
        node: Node = self
        while node.parent is not None and len(found) <= MAX_DEPTH:
            found.append(node.key)
            node = node.parent
        return found[::-1]

    @property
    def pointer(self) -> str:
        """Its key path: `targets.prod.workspace.host`, `tasks[0]`."""
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.keys_above)
        return path.removeprefix(".")

    @property
    def origin(self) -> Origin:
        """Its place, from its key to its last line."""
        if self._origin is None:
            last = max(self.end_line, self.key_line)
            self._origin = Origin(self.path, self.key_line, self.key_column, last, pointer=self.pointer)
        return self._origin


class Scalar(Node):
    """A single value: its text, and whether it is plain (not quoted, not a block)."""

    __slots__ = ("plain", "text")

    def __init__(
        self, path: str, line: int, column: int, end_line: int, text: str, *, plain: bool = True, tag: str | None = None
    ) -> None:
        super().__init__(path, line, column, end_line, tag)
        self.text = text
        self.plain = plain

    @property
    def is_null(self) -> bool:
        """Is it null, written or left out?"""
        return self.plain and self.text in _NULLS

    @property
    def value(self) -> str | int | float | bool | None:
        """The value by the rules of YAML 1.1; dates and base-60 numbers stay text."""
        text = self.text
        if not self.plain:
            return text
        if text in _NULLS:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if text[0] in "+-.0123456789" and len(text) <= _LONGEST_NUMBER:
            return _number(text)
        return text


class Map(Node):
    """A mapping, in the order of the file, merge keys applied."""

    __slots__ = ("items",)

    def __init__(
        self, path: str, line: int, column: int, end_line: int, items: dict[str, Node] | None = None, tag: str | None = None
    ) -> None:
        super().__init__(path, line, column, end_line, tag)
        self.items: dict[str, Node] = {} if items is None else items

    def get(self, key: str) -> Node | None:
        """The value of a key; None where there is none."""
        return self.items.get(key)


class List(Node):
    """A sequence."""

    __slots__ = ("items",)

    def __init__(
        self, path: str, line: int, column: int, end_line: int, items: list[Node] | None = None, tag: str | None = None
    ) -> None:
        super().__init__(path, line, column, end_line, tag)
        self.items: list[Node] = [] if items is None else items


class Duplicate(NamedTuple):
    """A key that stands twice in one mapping. The later value counts; `lost` is the earlier one, `line` the later key's."""

    key: str
    line: int
    column: int
    lost: Node


class Document(NamedTuple):
    """One YAML document. `root` is None where the file holds nothing, or null."""

    root: Node | None
    duplicates: tuple[Duplicate, ...]


def compose(text: str, path: str) -> Document:
    """Read the one document of a file.

    Raises:
        SourceError: it is no YAML, holds several documents, is nested too deeply, or its aliases expand to too much.
    """
    from lakewarden.sources.yaml_builder import build  # slow to import, and not every repository has YAML

    return build(text, path)


def place_of(problem: SourceError, path: str) -> Origin:
    """The place that an error about a file names."""
    found = re.match(r":(\d+):(\d+): ", problem.reason.removeprefix(path))
    return Origin(path, int(found[1]), int(found[2])) if found else Origin(path)


def _number(text: str) -> str | int | float:
    bare = text.replace("_", "")
    if _INTEGER.fullmatch(text):
        digits = bare.lstrip("+-")
        sign = -1 if bare[0] == "-" else 1
        prefix = digits[:2].lower()
        base = {"0b": 2, "0o": 8, "0x": 16}.get(prefix, 8 if digits[0] == "0" and len(digits) > 1 else 10)
        try:
            return sign * int(digits.removeprefix(prefix) if prefix in ("0b", "0o", "0x") else digits, base)
        except ValueError:
            return text
    if _FLOAT.fullmatch(text):
        return float(bare)
    return text


def text_line(node: Node) -> int | None:
    """The line on which the text of a value begins; None where its lines do not stand there one for one."""
    if not isinstance(node, Scalar):
        return None
    lines = len(node.text.rstrip("\n").split("\n"))
    if node.end_line == node.line:
        return node.line if lines == 1 else None
    return node.line + 1 if not node.plain and node.end_line - node.line == lines else None
