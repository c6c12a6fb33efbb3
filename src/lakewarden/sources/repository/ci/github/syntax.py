"""Expressions of GitHub Actions as trees, and texts that hold them in `${{ }}`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lakewarden.sources.repository.ci.github.values import Value, number

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 40
MAX_TOKENS = 4_000
#: How many `==`, `.x` or `[x]` may follow each other.
MAX_CHAIN = 50

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<number>[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))
    | (?P<word>[A-Za-z_][\w-]*)
    | (?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\].,*])
    )""",
    re.VERBOSE,
)
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None, "nan": float("nan"), "infinity": float("inf")}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_TEMPLATE_OPENING = "${{"
_IN_TEMPLATE = re.compile(r"'(?:[^']|'')*'|\}\}")


class Literal(NamedTuple):
    """A value that is written out."""

    value: Value


class Name(NamedTuple):
    """A context: `github`."""

    name: str


class Item(NamedTuple):
    """`of.key` or `of[key]`."""

    of: Node
    key: Node


class All(NamedTuple):
    """`of.*`."""

    of: Node


class Call(NamedTuple):
    """A call of a function."""

    name: str
    arguments: tuple[Node, ...]


class Not(NamedTuple):
    """`!of`."""

    of: Node


class Compared(NamedTuple):
    """Two values compared."""

    sign: str
    left: Node
    right: Node


class Joined(NamedTuple):
    """Parts joined by `&&` or `||`."""

    sign: str
    parts: tuple[Node, ...]


Node: TypeAlias = Literal | Name | Item | All | Call | Not | Compared | Joined


class Hole(NamedTuple):
    """`${{ source }}` in a text; `node` is None where it is no expression."""

    source: str
    node: Node | None


class ExpressionError(ValueError):
    """It is no expression."""


@lru_cache(maxsize=8192)
def parse(source: str) -> Node | None:
    """The tree of an expression; None where it is none."""
    try:
        return _Parser(list(_tokens(source))).whole()
    except ExpressionError:
        return None


@lru_cache(maxsize=8192)
def template(text: str) -> tuple[str | Hole, ...]:
    """The parts of a text: what stands as it is, and what is put in."""
    parts: list[str | Hole] = []
    at = 0
    while True:
        start = text.find(_TEMPLATE_OPENING, at)
        end = -1 if start < 0 else _end_of_hole(text, start + len(_TEMPLATE_OPENING))
        if end < 0:
            break
        if start > at:
            parts.append(text[at:start])
        source = text[start + len(_TEMPLATE_OPENING) : end].strip()
        parts.append(Hole(source, parse(source)))
        at = end + len("}}")
    if at < len(text) or not parts:
        parts.append(text[at:])
    return tuple(parts)


@lru_cache(maxsize=4096)
def condition(text: str) -> Node | None:
    """The tree of an `if:`, whether or not it stands in `${{ }}`; None where it is no expression.

    A text that is more than one `${{ }}` is put together and, not being empty, true.
    """
    stripped = text.strip()
    parts = template(stripped)
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return parts[0].node
    return Literal(True) if any(isinstance(part, Hole) for part in parts) else parse(stripped)


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes in it."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        yield at
        waiting.extend(children(at))


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below a node."""
    if isinstance(node, Item):
        return (node.of, node.key)
    if isinstance(node, (All, Not)):
        return (node.of,)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Compared):
        return (node.left, node.right)
    return node.parts if isinstance(node, Joined) else ()


def dotted(node: Node) -> str | None:
    """The path of a node that is one, in lower case: `github.event.inputs.x`; None for what else it may be."""
    keys: list[str] = []
    while isinstance(node, Item):
        if not isinstance(node.key, Literal) or not isinstance(node.key.value, str):
            return None
        keys.append(node.key.value)
        node = node.of
    return ".".join([node.name, *keys[::-1]]).lower() if isinstance(node, Name) else None


def _end_of_hole(text: str, at: int) -> int:
    for found in _IN_TEMPLATE.finditer(text, at):
        if found[0] == "}}":
            return found.start()
    return -1


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at, count, end = 0, 0, len(source.rstrip())
    while at < end:
        found = _TOKEN.match(source, at)
        count += 1
        if found is None or count > MAX_TOKENS:
            raise ExpressionError
        at = found.end()
        yield found.lastgroup or "", found[found.lastgroup or 0]
    yield "end", ""


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self.joined()
        if self.tokens[self.at][0] != "end":
            raise ExpressionError
        return node

    def took(self, *signs: str) -> str | None:
        kind, text = self.tokens[self.at]
        if kind != "sign" or text not in signs:
            return None
        self.at += 1
        return text

    def need(self, sign: str) -> None:
        if self.took(sign) is None:
            raise ExpressionError

    def joined(self) -> Node:
        """`||` of `&&`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError
        either: list[Node] = []
        while True:
            both = [self.compared("==", "!=")]
            while self.took("&&"):
                both.append(self.compared("==", "!="))
            either.append(both[0] if len(both) == 1 else Joined("&&", tuple(both)))
            if not self.took("||"):
                break
        self.depth -= 1
        return either[0] if len(either) == 1 else Joined("||", tuple(either))

    def compared(self, *signs: str) -> Node:
        """`==` and `!=` bind less than the others."""
        below = ("<", "<=", ">", ">=")
        node = self.compared(*below) if "==" in signs else self.unary()
        for _ in range(MAX_CHAIN):
            sign = self.took(*signs)
            if sign is None:
                return node
            node = Compared(sign, node, self.compared(*below) if "==" in signs else self.unary())
        raise ExpressionError

    def unary(self) -> Node:
        negations = 0
        while self.took("!"):
            negations += 1
        node = self.chain()
        for _ in range(negations if negations <= 1 else 2 - negations % 2):
            node = Not(node)
        return node

    def chain(self) -> Node:
        node = self.first()
        for _ in range(MAX_CHAIN):
            if self.took("."):
                if self.took("*"):
                    node = All(node)
                    continue
                kind, text = self.tokens[self.at]
                if kind != "word":
                    raise ExpressionError
                self.at += 1
                node = Item(node, Literal(text))
            elif self.took("["):
                node = All(node) if self.took("*") else Item(node, self.joined())
                self.need("]")
            else:
                return node
        raise ExpressionError

    def first(self) -> Node:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(number(text))
        if kind == "word":
            if self.took("("):
                return Call(text.lower(), self.arguments())
            return Literal(_CONSTANTS[text.lower()]) if text.lower() in _CONSTANTS else Name(text.lower())
        if (kind, text) == ("sign", "("):
            node = self.joined()
            self.need(")")
            return node
        raise ExpressionError

    def arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.took(")"):
            return ()
        while True:
            found.append(self.joined())
            if not self.took(","):
                self.need(")")
                return tuple(found)
