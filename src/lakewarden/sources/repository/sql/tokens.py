"""Splits a text of SQL into statements and their tokens; templates become holes.

A hole is the character NUL, as in the values of code. What it stands for is typed by its place: part of a name, inside a
string, or an expression of its own. Nothing that is not written out ever becomes a known name.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code.result import Hole
from lakewarden.sources.repository.code.values import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Longer texts are read only so far.
MAX_SQL = 300_000


class Token(NamedTuple):
    """A word (also a dotted name), a string, or a mark; `at` is where it stands in the text."""

    text: str
    at: int
    kind: str  # word, string, mark

    @property
    def upper(self) -> str:
        """A word in upper case; empty for strings and marks."""
        return self.text.upper() if self.kind == "word" else ""


class Text(NamedTuple):
    """A text of SQL in which each template is a hole, and what the holes are, in order. It has as many lines as before."""

    sql: str
    holes: tuple[Hole, ...] = ()

    def holes_of(self, token: Token) -> tuple[Hole, ...]:
        """The holes inside a token."""
        count = token.text.count(HOLE)
        return self.holes_at(token.at, count) if count else ()

    def holes_at(self, at: int, count: int) -> tuple[Hole, ...]:
        """So many holes from a place in the text on."""
        before = self.sql.count(HOLE, 0, at)
        return self.holes[before : before + count]


@cache
def _templates() -> re.Pattern[str]:
    return re.compile(
        r"(?P<given>\0)"
        r"|(?P<control>\{%.*?%\}|\{\#.*?\#\})"
        r"|\{\{\s*(?P<jinja>.{0,200}?)\s*\}\}"
        r"|\$\{\s*(?P<shell>[^{}\n]{0,100}?)\s*\}"
        r"|(?<!:)\{(?P<format>[A-Za-z_][\w.\[\]'\"]{0,100})\}"
        r"|%\((?P<percent>\w{1,100})\)s"
        r"|\bgetArgument\(\s*[\"'](?P<argument>\w{1,100})[\"']\s*\)"
        r"|(?<![\w$])\$(?P<widget>[A-Za-z_]\w{0,100})(?!\$)"
        r"|(?<![\w:)\]])(?<!\\):(?P<parameter>[A-Za-z_]\w{0,100})\b",
        re.DOTALL,
    )


@cache
def _tokens() -> re.Pattern[str]:
    part = r"(?:`[^`]*`|[\w\0-]+)+"
    return re.compile(
        rf"(?P<skip>--[^\n]*|/\*.*?\*/|\s+)|(?P<string>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|\$\$.*?\$\$)"
        rf"|(?P<word>{part}(?:\s*\.\s*{part})*)|(?P<mark>=>|\|\||.)",
        re.DOTALL,
    )


def plain(sql: str, holes: tuple[Hole, ...] = ()) -> Text:
    """The text with a hole for each template. `holes` are those that stand in it already."""
    sql = sql[:MAX_SQL]
    if not any(sign in sql for sign in (HOLE, "{", "$", "%(", ":", "getArgument")):
        return Text(sql)
    given = iter(holes)
    found: list[Hole] = []

    def hole(match: re.Match[str]) -> str:
        lines = "\n" * match[0].count("\n")
        kind = match.lastgroup
        if kind == "control":
            return " " + lines
        if kind == "given":
            found.append(next(given, Hole()))
        else:
            name = match[kind or 0]
            found.append(Hole("parameter", name, ("widget", name) if kind in _WIDGETS and name.isidentifier() else ()))
        return HOLE + lines

    replaced = _templates().sub(hole, sql)
    return Text(replaced, tuple(found))


#: Parameters of a SQL file or notebook, which a job gives by their names.
_WIDGETS = frozenset({"jinja", "shell", "argument", "widget", "parameter"})


@lru_cache(maxsize=2)
def statements(sql: str) -> tuple[list[Token], ...]:
    """The tokens of each statement; comments are left out, and `IDENTIFIER(…)` is the name that it stands for. A text is
    split once for all who ask.
    """
    return tuple(_statements(sql))


def _statements(sql: str) -> Iterator[list[Token]]:
    named = "identifier" in sql.lower()
    tokens: list[Token] = []
    for match in _tokens().finditer(sql):
        kind = match.lastgroup or "skip"
        if kind == "skip":
            continue
        if kind == "mark" and match[0] == ";":
            if tokens:
                yield _identified(tokens) if named else tokens
            tokens = []
            continue
        tokens.append(Token(match[0], match.start(), kind))
    if tokens:
        yield _identified(tokens) if named else tokens


def _identified(tokens: list[Token]) -> list[Token]:
    """The tokens with a name in place of each `IDENTIFIER(…)`: strings and parameters that `||` joins, else a hole."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.upper != "IDENTIFIER" or at >= len(tokens) or tokens[at].text != "(":
            found.append(token)
            continue
        inside: list[Token] = []
        depth = 0
        while at < len(tokens):
            depth += (tokens[at].text == "(") - (tokens[at].text == ")")
            inside.append(tokens[at])
            at += 1
            if depth == 0:
                break
        found.append(Token(_joined(inside[1:-1]), token.at, "word"))
    return found


def _joined(tokens: list[Token]) -> str:
    parts = []
    for token in tokens:
        if token.kind == "string":
            parts.append(token.text[1:-1])
        elif token.kind == "word" and not token.text.strip(HOLE):
            parts.append(token.text)
        elif token.text != "||":
            return HOLE
    return "".join(parts).strip() or HOLE


def unclosed(sql: str) -> int | None:
    """Where a quotation mark stands that is never closed, as in a file that was cut off; None where there is none."""
    if len(sql) > MAX_SQL or all(sql.count(mark) % 2 == 0 for mark in _QUOTES):
        return None
    return next((m.start() for m in _tokens().finditer(sql) if m.lastgroup == "mark" and m[0] in _QUOTES), None)


_QUOTES = "'\"`"
