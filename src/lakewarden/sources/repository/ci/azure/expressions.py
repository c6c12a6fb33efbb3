"""Expressions of Azure Pipelines: read into a tree, and evaluated over what is known."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from lakewarden.sources.repository.ci.azure.functions import FUNCTIONS
from lakewarden.sources.repository.ci.azure.values import UNKNOWN, Value, item
from lakewarden.sources.repository.ci.tokens import MAX_DEPTH, NoExpressionError, Reader
from lakewarden.sources.repository.ci.workflow import HOLE

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<number>-?\d[\d.]*(?![\w]))
    | (?P<word>[A-Za-z_][\w-]*)
    | (?P<hole>\0|\$\([^()]*\))
    | (?P<sign>[()\[\].,*])
    )""",
    re.VERBOSE,
)
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_STATUS = frozenset({"always", "canceled", "failed", "succeeded", "succeededorfailed"})


class Literal(NamedTuple):
    """A value that stands in the expression."""

    value: Value


class Name(NamedTuple):
    """A context: `variables`, `parameters`, the variable of a loop."""

    name: str


class Item(NamedTuple):
    """`of.key` or `of['key']`."""

    of: Node
    key: Node


class Call(NamedTuple):
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]


Node = Literal | Name | Item | Call


class Scope(Protocol):
    """What an expression is evaluated over."""

    def context(self, name: str) -> Value:
        """The value of a context, by its name in lower case."""

    def text(self, text: str) -> Value:
        """What a text stands for: macros in it have their values."""

    def status(self, function: str, names: tuple[Value, ...]) -> bool | None:
        """The answer of a function that asks how jobs before ended."""


@lru_cache(maxsize=4096)
def parse(source: str) -> Node | None:
    """The tree of an expression; None where it is none."""
    try:
        return _Parser(_TOKEN, source).whole()
    except NoExpressionError:
        return None


def evaluate(node: Node | None, scope: Scope) -> Value:
    """The value of an expression; unknown where it is none."""
    if node is None:
        return UNKNOWN
    if isinstance(node, Literal):
        return scope.text(node.value) if isinstance(node.value, str) else node.value
    if isinstance(node, Name):
        return scope.context(node.name)
    if isinstance(node, Item):
        return item(evaluate(node.of, scope), evaluate(node.key, scope))
    arguments = tuple(evaluate(argument, scope) for argument in node.arguments)
    if node.name in _STATUS:
        answer = scope.status(node.name, arguments)
        return UNKNOWN if answer is None else answer
    function = FUNCTIONS.get(node.name)
    return UNKNOWN if function is None else function(arguments)


def parts(text: str) -> list[str | tuple[str]]:
    """The parts of a text: what stands as it is, and the source of each `${{ }}` in a tuple."""
    found: list[str | tuple[str]] = []
    at = 0
    while True:
        start = text.find("${{", at)
        end = -1 if start < 0 else _end(text, start + 3)
        if end < 0:
            break
        if start > at:
            found.append(text[at:start])
        found.append((text[start + 3 : end].strip(),))
        at = end + 2
    if at < len(text) or not found:
        found.append(text[at:])
    return found


_IN_TEMPLATE = re.compile(r"'(?:[^']|'')*'|\}\}")


def _end(text: str, at: int) -> int:
    for found in _IN_TEMPLATE.finditer(text, at):
        if found[0] == "}}":
            return found.start()
    return -1


class _Parser(Reader):
    def whole(self) -> Node:
        node = self.value()
        self.end()
        return node

    def value(self) -> Node:
        self.enter()
        node = self.first()
        for _ in range(MAX_DEPTH):
            if self.took("."):
                kind, text = self.next()
                if kind != "word" and (kind, text) != ("sign", "*"):
                    raise NoExpressionError
                node = Item(node, Literal(text if kind == "word" else UNKNOWN))
            elif self.took("["):
                node = Item(node, Literal(UNKNOWN) if self.took("*") else self.value())
                self.need("]")
            else:
                self.leave()
                return node
        raise NoExpressionError

    def first(self) -> Node:
        kind, text = self.next()
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(_number(text))
        if kind == "hole":
            return Literal(UNKNOWN if text == HOLE else text)
        if kind == "word":
            lower = text.lower()
            if self.took("("):
                return Call(lower, self.arguments())
            return Literal(_CONSTANTS[lower]) if lower in _CONSTANTS else Name(lower)
        if (kind, text) == ("sign", "("):
            node = self.value()
            self.need(")")
            return node
        raise NoExpressionError

    def arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.took(")"):
            if found:
                self.need(",")
            found.append(self.value())
        return tuple(found)


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text  # a version: 1.2.3
