"""The language of `if:` in GitLab CI: read into a tree, and answered over what is known."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lakewarden.sources.repository.ci.gitlab.patterns import matches
from lakewarden.sources.repository.ci.gitlab.values import (
    DUNNO,
    FREE,
    NO,
    Answer,
    Default,
    Set,
    Unknown,
    Value,
    both,
    either,
    equal,
    may_be,
    of,
    opposite,
    present,
)
from lakewarden.sources.repository.ci.tokens import NoExpressionError, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<variable>\$\w+|\$\{\w+\})
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<pattern>/(?:\\.|[^/\\])+/[imsuxU]*)
    | (?P<null>null\b)
    | (?P<sign>==|!=|=~|!~|&&|\|\||[()])
    )""",
    re.VERBOSE | re.DOTALL,
)


class Variable(NamedTuple):
    """A variable, by its name."""

    name: str


class Text(NamedTuple):
    """A text, or null."""

    value: str | None


class Pattern(NamedTuple):
    """A regular expression."""

    source: str
    flags: str


class Compared(NamedTuple):
    """Two values with what compares them: `==`, `!=`, `=~` or `!~`."""

    sign: str
    left: Atom
    right: Atom


class Joined(NamedTuple):
    """Parts joined by `&&` or `||`."""

    sign: str
    parts: tuple[Node, ...]


Atom: TypeAlias = Variable | Text | Pattern
Node: TypeAlias = Variable | Text | Pattern | Compared | Joined


@lru_cache(maxsize=2048)
def parse(source: str) -> Node | None:
    """The tree of a condition; None where it is none."""
    try:
        return _Parser(_TOKEN, source).whole()
    except NoExpressionError:
        return None


def answer(node: Node | None, value: Callable[[str], Value], *, inside: bool = False) -> Answer:
    """Can a condition be true, and can it be false? `value` gives the value of a variable."""
    if node is None or isinstance(node, Pattern):
        return DUNNO
    if isinstance(node, Joined):
        parts = [answer(part, value, inside=True) for part in node.parts]
        return both(parts) if node.sign == "&&" else either(parts)
    if isinstance(node, Compared):
        return _compare(node, value)
    held = value(node.name) if isinstance(node, Variable) else node.value
    # Beside `&&` an empty text was taken for true for years, and is no more.
    return DUNNO if inside and held == "" else present(held)


def compared(node: Node | None) -> Iterator[Compared]:
    """The comparisons in a condition."""
    waiting = [] if node is None else [node]
    while waiting:
        at = waiting.pop()
        if isinstance(at, Compared):
            yield at
        elif isinstance(at, Joined):
            waiting += at.parts


def pattern_of(text: str) -> Pattern | None:
    """The pattern that a text holds, as in `/^v/`."""
    found = re.fullmatch(r"/((?:\\.|[^/\\]|/(?!\w*$))+)/([a-zA-Z]*)", text.strip(), re.DOTALL)
    return Pattern(found[1].replace("\\/", "/"), found[2]) if found else None


def _compare(node: Compared, value: Callable[[str], Value]) -> Answer:
    left, right = _value(node.left, value), _value(node.right, value)
    if node.sign in ("==", "!="):
        if isinstance(left, Pattern) or isinstance(right, Pattern):
            return DUNNO
        found = equal(left, right)
    else:
        found = DUNNO if isinstance(left, Pattern) else _matches(left, right)
    return opposite(found) if node.sign.startswith("!") else found


def _value(atom: Atom, value: Callable[[str], Value]) -> Value | Pattern:
    if isinstance(atom, Pattern):
        return atom
    return value(atom.name) if isinstance(atom, Variable) else atom.value


def _matches(text: Value, pattern: Value | Pattern) -> Answer:
    if isinstance(text, Set):
        return may_be(text, lambda one: _matches(one, pattern))
    if text is None:
        return NO
    if isinstance(text, Unknown) and text.chosen:
        return FREE
    if isinstance(pattern, str):
        pattern = pattern_of(pattern) or pattern
    if not isinstance(pattern, Pattern) or isinstance(text, (Unknown, Default)):
        return DUNNO
    return of(matches(pattern.source, pattern.flags, text))


class _Parser(Reader):
    def whole(self) -> Node:
        node = self.either()
        self.end()
        return node

    def either(self) -> Node:
        self.enter()
        parts = [self.both()]
        while self.took("||"):
            parts.append(self.both())
        self.leave()
        return parts[0] if len(parts) == 1 else Joined("||", tuple(parts))

    def both(self) -> Node:
        parts = [self.comparison()]
        while self.took("&&"):
            parts.append(self.comparison())
        return parts[0] if len(parts) == 1 else Joined("&&", tuple(parts))

    def comparison(self) -> Node:
        if self.took("("):
            node = self.either()
            self.need(")")
            return node
        left = self.atom()
        sign = self.took("==", "!=", "=~", "!~")
        return Compared(sign, left, self.atom()) if sign else left

    def atom(self) -> Atom:
        kind, text = self.next()
        if kind == "variable":
            return Variable(text.strip("${}"))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "null":
            return Text(None)
        if kind == "pattern":
            body, _, flags = text[1:].rpartition("/")
            return Pattern(body.replace("\\/", "/"), flags)
        raise NoExpressionError
