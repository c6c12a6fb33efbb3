"""JSON as the nodes that YAML is read as, so that every value knows its place in the file."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import NoReturn

from lakewarden.sources.yaml_nodes import MAX_DEPTH, List, Map, Node, Scalar

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class JsonError(ValueError):
    """Text that is no JSON; `line` and `column` say where."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column


def parse(text: str, path: str) -> Node:
    """The value that a JSON text holds.

    Raises:
        JsonError: it is no JSON, or nested too deeply.
    """
    reader = _Reader(text, path)
    node, at = reader.value(reader.skip(0), 0)
    if at != len(text):
        reader.fail("something follows the value", at)
    return node


class _Reader:
    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.starts = [0, *(found.end() for found in re.finditer(r"\n", text))]

    def skip(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found is not None else at

    def place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.starts, at)
        return line, at - self.starts[line - 1] + 1

    def fail(self, what: str, at: int) -> NoReturn:
        raise JsonError(what, *self.place(at))

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        """The value that begins at a place, and where what follows it begins."""
        sign = self.text[at : at + 1]
        if sign in ("{", "["):
            if depth >= MAX_DEPTH:
                self.fail(f"nested more than {MAX_DEPTH} levels deep", at)
            return self.map(at, depth) if sign == "{" else self.list(at, depth)
        line, column = self.place(at)
        try:
            value, end = _DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            self.fail(error.msg.lower(), error.pos)
        except ValueError:  # a number with more digits than can be read
            self.fail("the number is too long", at)
        told = value if isinstance(value, str) else self.text[at:end]
        return Scalar(self.path, line, column, line, told, plain=not isinstance(value, str)), self.skip(end)

    def map(self, at: int, depth: int) -> tuple[Node, int]:
        line, column = self.place(at)
        node = Map(self.path, line, column, line)
        at = self.skip(at + 1)
        while self.text[at : at + 1] != "}":
            if self.text[at : at + 1] != '"':
                self.fail("a name in double quotes is expected here", at)
            key, start = self.value(at, depth)
            assert isinstance(key, Scalar)  # noqa: S101 - a value that begins with a quote
            if self.text[start : start + 1] != ":":
                self.fail("a colon is expected here", start)
            child, end = self.value(self.skip(start + 1), depth + 1)
            child.parent, child.key, child.key_line, child.key_column = node, key.text, key.line, key.column
            node.items[key.text] = child
            at = self.next(end, "}")
        node.end_line = self.place(at)[0]
        return node, self.skip(at + 1)

    def list(self, at: int, depth: int) -> tuple[Node, int]:
        line, column = self.place(at)
        node = List(self.path, line, column, line)
        at = self.skip(at + 1)
        while self.text[at : at + 1] != "]":
            child, end = self.value(at, depth + 1)
            child.parent, child.key = node, len(node.items)
            node.items.append(child)
            at = self.next(end, "]")
        node.end_line = self.place(at)[0]
        return node, self.skip(at + 1)

    def next(self, at: int, close: str) -> int:
        """Where the next item begins, or where the collection closes."""
        sign = self.text[at : at + 1]
        if sign == close:
            return at
        if sign != ",":
            self.fail(f"a comma or {close} is expected here", at)
        after = self.skip(at + 1)
        if self.text[after : after + 1] == close:
            self.fail("nothing follows the comma", at)
        return after
