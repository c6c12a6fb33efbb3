"""What CREATE and ALTER TABLE declare: kinds, names, primary keys; and which catalog and schema are current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import KeyColumn, Made, Span, Used
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql.names import is_placeholder, read_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.sources.repository.sql.tokens import Text, Token

_BEFORE_KIND = frozenset({
    "OR", "REPLACE", "REFRESH", "EXTERNAL", "STREAMING", "MATERIALIZED", "TEMPORARY", "TEMP", "LIVE", "PRIVATE", "GLOBAL", "MANAGED",
    "INCREMENTAL",
})  # fmt: skip
_KINDS = {
    "TABLE": "table", "VIEW": "table", "SCHEMA": "schema", "DATABASE": "schema", "CATALOG": "catalog", "VOLUME": "volume",
    "FUNCTION": "function", "MODEL": "model",
}  # fmt: skip
_TEMPORARY = frozenset({"TEMPORARY", "TEMP", "PRIVATE", "GLOBAL"})
_QUERY = frozenset({"SELECT", "WITH", "AS", "FROM"})
_COPIES = frozenset({"LIKE", "CLONE"})
_KEY = ("PRIMARY", "KEY")


def read_create(text: Text, tokens: Sequence[Token], span: Span) -> Made | None:
    """A CREATE or REPLACE of something that a catalog holds; None for any other."""
    words = [token.upper for token in tokens]
    at = 0 if words[0] == "REPLACE" else 1
    while at < len(words) and words[at] in _BEFORE_KIND:
        at += 1
    head = set(words[:at])
    if "LIVE" in head and words[at : at + 1] == ["VIEW"]:
        head.add("TEMPORARY")
    kind = _KINDS.get(words[at]) if at < len(words) else None
    if kind is None:
        return None
    is_view = words[at] == "VIEW"
    at += 1
    while at < len(words) and words[at] in ("IF", "NOT", "EXISTS"):
        at += 1
    name, after = read_name(text, tokens, at)
    if name is None or is_placeholder(name.text):
        return None
    if kind != "table":
        return Made("create", kind, name, span)
    rest = words[after:]
    columns = after if after < len(tokens) and tokens[after].text == "(" else None
    keys: tuple[KeyColumn, ...] | None = ()
    if "PRIMARY" in rest:
        keys = keys_of_list(tokens, words, columns) if columns is not None else None
        if not keys:
            keys = by_sqlglot(text, tokens)
    elif not _COPIES.isdisjoint(rest[:3]) or "CLONE" in rest:
        keys = None
    return Made("create", "table", name, span, _table_type(head, words[after:], is_view=is_view), keys)


def _table_type(head: set[str], rest: Sequence[str], *, is_view: bool) -> str:
    if not _TEMPORARY.isdisjoint(head):
        return "temporary"
    if "STREAMING" in head:
        return "STREAMING_TABLE"
    if "MATERIALIZED" in head or "LIVE" in head:
        return "MATERIALIZED_VIEW"
    if is_view:
        return "VIEW"
    before_query = next((n for n, word in enumerate(rest) if word in ("SELECT", "WITH")), len(rest))
    return "EXTERNAL" if "EXTERNAL" in head or "LOCATION" in rest[:before_query] else "MANAGED"


def read_key(text: Text, tokens: Sequence[Token], span: Span) -> Made | None:
    """`ALTER TABLE name ADD [CONSTRAINT name] PRIMARY KEY (…)`, also for a streaming table; None for any other ALTER."""
    words = [token.upper for token in tokens]
    if "PRIMARY" not in words or "DROP" in words or "TABLE" not in words[1:3]:
        return None
    name, _ = read_name(text, tokens, words.index("TABLE", 1, 3) + 1)
    if name is None or is_placeholder(name.text):
        return None
    at = words.index("PRIMARY")
    return Made("key", "table", name, span, keys=_named_columns(tokens, words, at + 2) or None)


def keys_of_list(tokens: Sequence[Token], words: Sequence[str], at: int) -> tuple[KeyColumn, ...] | None:
    """The primary key in a list of columns and constraints that begins at a parenthesis; None where none is found."""
    for first, last in items(tokens, at):
        key = next((n for n in range(first, last - 1) if tuple(words[n : n + 2]) == _KEY), None)
        if key is None:
            continue
        if words[first] in ("CONSTRAINT", "PRIMARY"):
            return _named_columns(tokens, words, key + 2) or None
        if tokens[first].kind == "word":
            return (_column(tokens[first], is_timeseries=words[key + 2 : key + 3] == ["TIMESERIES"]),)
    return None


def _named_columns(tokens: Sequence[Token], words: Sequence[str], at: int) -> tuple[KeyColumn, ...]:
    """The columns that a constraint lists; nothing where it lists none."""
    if at >= len(tokens) or tokens[at].text != "(":
        return ()
    return tuple(
        _column(tokens[first], is_timeseries="TIMESERIES" in words[first + 1 : last])
        for first, last in items(tokens, at)
        if tokens[first].kind == "word"
    )


def _column(token: Token, *, is_timeseries: bool) -> KeyColumn:
    """A column by its name. A hole may stand for several, the time of a time-series key among them."""
    if HOLE in token.text:
        return KeyColumn(None, True if is_timeseries else None)
    return KeyColumn(token.text.replace("`", "").lower(), is_timeseries)


def items(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int]]:
    """Where each item of a list in parentheses begins and ends; `at` is the parenthesis that opens it."""
    depth, first = 0, at + 1
    for here in range(at, len(tokens)):
        mark = tokens[here].text
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
        if depth == 0 or (depth == 1 and mark == ","):
            if here > first:
                yield first, here
            first = here + 1
        if depth == 0:
            return


def by_sqlglot(text: Text, tokens: Sequence[Token]) -> tuple[KeyColumn, ...] | None:
    """The primary key of a CREATE that speaks of one where the small grammar found none. Importing sqlglot costs as much as
    all the rest: it is asked last.
    """
    import logging

    import sqlglot
    from sqlglot import exp

    end = tokens[-1].at + len(tokens[-1].text)
    source = text.sql[tokens[0].at : end].replace(HOLE, "__hole")
    logger = logging.getLogger("sqlglot")
    before, logger.disabled = logger.disabled, True
    try:
        parsed = sqlglot.parse_one(source, dialect="databricks")
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError):
        return None
    finally:
        logger.disabled = before
    key = parsed.find(exp.PrimaryKey)
    if not isinstance(parsed, exp.Create) or parsed.find(exp.PrimaryKeyColumnConstraint):
        return None
    return tuple(
        KeyColumn(None if "__hole" in column.name else column.name.lower(), isinstance(column, exp.TimeseriesKey))
        for column in (key.expressions if key is not None else ())
    )


def read_use(text: Text, tokens: Sequence[Token], span: Span, *, sure: bool) -> Used | None:
    """`USE [CATALOG | SCHEMA] name`, `SET CATALOG name`."""
    words = [token.upper for token in tokens]
    kind, at = "schema", 1
    if words[1:2] == ["CATALOG"]:
        kind, at = "catalog", 2
    elif words[1:2] in (["SCHEMA"], ["DATABASE"]):
        at = 2
    elif words[0] == "SET":
        return None
    if at < len(tokens) and tokens[at].kind == "string":
        tokens = [*tokens[:at], tokens[at]._replace(text=tokens[at].text[1:-1], kind="word"), *tokens[at + 1 :]]
    name, _ = read_name(text, tokens, at)
    return None if name is None else Used(kind, name, span, sure)
