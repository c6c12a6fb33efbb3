"""Reads the statements of a text that say something about catalogs, grants, owners and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import Span, SqlStatement, Unread
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql import ddl, grants
from lakewarden.sources.repository.sql.tokens import plain, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.sources.repository.sql.tokens import Text, Token

#: Words that begin a block of a script, after which a statement follows.
_BLOCKS = frozenset({"BEGIN", "THEN", "ELSE", "DO", "ATOMIC"})
_CONDITIONS = frozenset({"IF", "ELSEIF", "WHILE", "FOR", "CASE"})
_VERBS = frozenset({"GRANT", "REVOKE", "DENY", "CREATE", "REPLACE", "ALTER", "USE", "SET", "EXECUTE"})
#: What other systems create, and types of columns that Databricks does not have.
_FOREIGN_KINDS = frozenset({
    "INDEX", "EXTENSION", "ROLE", "WAREHOUSE", "TRIGGER", "SEQUENCE", "USER", "LOGIN", "STAGE", "UNIQUE", "TYPE", "DOMAIN", "PIPE", "TASK",
})  # fmt: skip
_FOREIGN_TYPES = frozenset({
    "SERIAL", "BIGSERIAL", "SMALLSERIAL", "JSONB", "TIMESTAMPTZ", "UUID", "NVARCHAR", "VARCHAR2", "NUMBER", "DATETIME", "DATETIME2",
    "INT4", "INT8", "FLOAT8", "BYTEA", "CLOB", "BLOB", "MEDIUMINT", "UNIQUEIDENTIFIER", "MONEY", "NCHAR", "NTEXT", "CITEXT",
})  # fmt: skip
_FOREIGN_WORDS = frozenset({"AUTO_INCREMENT", "AUTOINCREMENT", "GEN_RANDOM_UUID", "PLPGSQL", "AUTHORIZATION"})
_MAX_DEPTH = 3


def read_statements(text: Text, place: Callable[[int], Span], *, sure: bool = True, depth: int = 0) -> Iterator[SqlStatement]:
    """What the statements of a text say; `place` tells where something stands, `sure` whether they always run."""
    for tokens in statements(text.sql):
        start = _begin(tokens)
        if tokens[start].upper in _VERBS:
            yield from _read(text, tokens[start:], place, sure=sure and start == 0, depth=depth)


def _begin(tokens: list[Token]) -> int:
    """Where the statement itself begins: after the words of a script, and after a template that stands before it."""
    start = 0
    last = len(tokens) - 1
    while start < last:
        word = tokens[start].upper
        if word in _CONDITIONS:
            start = next((at for at in range(start, last) if tokens[at].upper in ("THEN", "DO")), last)
        elif word not in _BLOCKS and tokens[start].text.strip(HOLE):
            break
        else:
            start += 1
    return start


def _read(text: Text, tokens: list[Token], place: Callable[[int], Span], *, sure: bool, depth: int) -> Iterator[SqlStatement]:
    verb = tokens[0].upper
    span = place(tokens[0].at)
    found: SqlStatement | None = None
    try:
        if verb in ("GRANT", "REVOKE", "DENY"):
            found = grants.read_grant(text, tokens, span)
            if found is None:
                found = Unread("grant", f"a {verb} that could not be read", span)
        elif verb == "ALTER":
            found = ddl.read_key(text, tokens, span) or grants.read_owner(text, tokens, span)
        elif verb in ("USE", "SET"):
            found = ddl.read_use(text, tokens, span, sure=sure)
        elif verb == "EXECUTE":
            yield from _immediate(text, tokens, place, depth)
        else:
            found = ddl.read_create(text, tokens, span)
    except grants.Foreign:
        return
    if found is not None:
        yield found


def _immediate(text: Text, tokens: list[Token], place: Callable[[int], Span], depth: int) -> Iterator[SqlStatement]:
    """`EXECUTE IMMEDIATE 'statement'`."""
    if len(tokens) > 2 and tokens[1].upper == "IMMEDIATE" and depth < _MAX_DEPTH:  # noqa: PLR2004
        token = tokens[2]
        if token.kind != "string":
            yield Unread("any", "a statement that is made while the code runs", place(token.at))
            return
        inner = plain(token.text[1:-1], text.holes_of(token))
        yield from read_statements(inner, lambda _: place(token.at), sure=False, depth=depth + 1)


def is_foreign(sql: str) -> bool:
    """Is a text written for another system? Its tables and grants are none of Unity Catalog's then."""
    for tokens in statements(sql):
        words = [token.upper for token in tokens]
        if words[0] != "CREATE":
            continue
        if (words[1:2] != ["BLOOMFILTER"] and not _FOREIGN_KINDS.isdisjoint(words[1:4])) or not _FOREIGN_WORDS.isdisjoint(words):
            return True
        opening = next((at for at, token in enumerate(tokens) if token.text == "("), None)
        if "TABLE" in words[1:5] and opening is not None:
            items = ddl.items(tokens, opening)
            if any(words[first + 1] in _FOREIGN_TYPES for first, last in items if last > first + 1):
                return True
    return False
