"""A light scan of SQL: which tables and paths statements write, drop and read, and which catalogs they name.

It looks for the beginnings of statements, not for grammar; holes of a formatted string stand for parts of names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code.formats import format_of, is_class
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql.tokens import Text, Token, statements

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from lakewarden.sources.repository.code.result import Hole


class Found(NamedTuple):
    """Something that a statement names. `kind` is `read`, `write`, `drop`, `move`, `catalog` or `schema`; `is_path` tells a path from a
    name; `at` is where it stands in the text; `is_place` tells where a table or a schema is to lie; `is_arrival` tells files
    that are taken in as they arrive.
    """

    kind: str
    name: str
    is_path: bool
    format: str
    at: int
    holes: tuple[Hole, ...] = ()
    is_place: bool = False
    is_arrival: bool = False


_BEFORE_NAME = frozenset({"OR", "REPLACE", "EXTERNAL", "TABLE", "IF", "NOT", "EXISTS", "LIVE", "STREAMING", "REFRESH", "PRIVATE"})
_PATH_FORMATS = frozenset({"delta", "parquet", "csv", "json", "orc", "avro", "text", "binaryfile", "iceberg"})
_IN_PLACE = frozenset({"OPTIMIZE", "VACUUM", "CONVERT"})
_WITHOUT_DATA = _IN_PLACE | {
    "GRANT", "REVOKE", "SHOW", "DESCRIBE", "DESC", "COMMENT", "ALTER", "USE", "SET", "DROP", "EXPLAIN", "SYNC",
}  # fmt: skip
_HOLES_IN_FROM = frozenset({"EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "OVERLAY", "POSITION"})
#: Verb, kind and name.
_SHORTEST = 3
#: `SELECT * FROM name`.
_COPY = 4
_OLD = ("HIVE_METASTORE.", "`HIVE_METASTORE`.")


def scan(text: Text) -> list[Found]:
    """Everything found in one text of one or more statements."""
    found: list[Found] = []
    for statement in statements(text.sql):
        for one in _of_statement(statement):
            holes = text.holes_at(one.at, one.name.count(HOLE)) if HOLE in one.name else ()
            found.append(one._replace(holes=holes) if holes else one)
    return found


def _of_statement(tokens: list[Token]) -> Iterator[Found]:
    if not tokens:
        return
    verb = tokens[0].upper
    words = [token.upper for token in tokens]
    start = 0
    if verb in ("CREATE", "REPLACE", "SYNC"):
        yield from _moved(tokens, words)
    if verb in ("CREATE", "REPLACE"):
        start = yield from _create(tokens, words)
    elif verb == "DROP" and len(words) >= _SHORTEST and words[1] == "TABLE":
        at = _name_at(words, 2)
        if at < len(tokens):
            yield _named("drop", tokens[at])
        return
    elif verb in ("USE", "SET") and len(words) >= _SHORTEST and words[1] == "CATALOG":
        if tokens[2].kind != "mark":
            yield Found("catalog", tokens[2].text.strip("'\""), False, "", tokens[2].at)
        return
    elif verb in ("INSERT", "MERGE", "UPDATE", "DELETE", "TRUNCATE", "COPY"):
        start = yield from _change(verb, tokens, words)
    elif verb in _WITHOUT_DATA:
        yield from _in_place(tokens, words) if verb in _IN_PLACE else ()
        return
    yield from _reads(tokens, words, start)


def _create(tokens: list[Token], words: list[str]) -> Generator[Found, None, int]:
    at = 1
    while at < len(words) and words[at] in _BEFORE_NAME:
        at += 1
    head = words[1:at]
    if "CATALOG" in words[1:4] and at < len(words) and words[at] == "CATALOG":
        return len(tokens)  # setting a catalog up, of whichever stage, is not working in it
    if words[at : at + 1] in (["SCHEMA"], ["DATABASE"]):
        yield from _schema(tokens, words, at)
        return len(tokens)
    if "TABLE" not in head:
        if "VIEW" in words[1:6] and _after(tokens, words, "USING", at) is not None:
            yield from _files(tokens, words, at, "read")
            return len(tokens)
        return at if "VIEW" in words[1:6] or words[at : at + 1] == ["MATERIALIZED"] else len(tokens)
    if at >= len(tokens) or tokens[at].kind != "word":
        return at
    using = _after(tokens, words, "USING", at)
    yield _named("write", tokens[at], format_of(using.text) if using is not None and using.kind == "word" else "default")
    location = _after(tokens, words, "LOCATION", at)
    if location is not None and location.kind == "string":
        yield Found("write", location.text[1:-1], True, "default", location.at, (), True)  # the format is told with the table
    yield from _files(tokens, words, at, "write")
    return at + 1


def _schema(tokens: list[Token], words: list[str], at: int) -> Iterator[Found]:
    # Unity Catalog knows a MANAGED LOCATION; with any other the schema is one of hive_metastore.
    for number in range(at + 2, len(tokens) - 1):
        if words[number] == "LOCATION" and words[number - 1] != "MANAGED" and tokens[number + 1].kind == "string":
            yield Found("write", tokens[number + 1].text[1:-1], True, "default", tokens[number + 1].at, (), True)
    name = _name_at(words, at + 1)
    if name < len(tokens) and tokens[name].kind == "word" and "." in tokens[name].text:
        yield Found("schema", tokens[name].text, False, "", tokens[name].at)


def _files(tokens: list[Token], words: list[str], at: int, kind: str) -> Iterator[Found]:
    """The files that a table or a view stands for: `USING csv OPTIONS (path '/x')`. The format of a table is told with it."""
    using = _after(tokens, words, "USING", at)
    path = _path_option(tokens, words, at)
    if using is not None and path is not None and format_of(using.text) in _PATH_FORMATS:
        is_table = kind == "write"
        yield Found(kind, path.text[1:-1], True, "default" if is_table else format_of(using.text), path.at, (), is_table)


def _path_option(tokens: list[Token], words: list[str], start: int) -> Token | None:
    """The path in `OPTIONS (path '/x')` of a table or a view."""
    for at in range(start, len(tokens) - 2):
        if words[at] in ("SELECT", "WITH"):
            return None
        if words[at] == "OPTIONS" and tokens[at + 1].text == "(":
            for number in range(at + 2, len(tokens) - 1):
                if tokens[number].text == ")":
                    return None
                if tokens[number].text.strip("`'\"").lower() == "path":
                    value = tokens[number + 2 if tokens[number + 1].text == "=" and number + 2 < len(tokens) else number + 1]
                    return value if value.kind == "string" else None
    return None


def _moved(tokens: list[Token], words: list[str]) -> Iterator[Found]:
    """The table or schema that a statement takes out of hive_metastore: by `SYNC`, a clone, `LIKE`, or `SELECT *` of it."""
    old = [at for at, word in enumerate(words) if word.startswith(_OLD)]
    if len(old) != 1:
        return
    before = [token.text.upper() for token in tokens[max(0, old[0] - _COPY + 1) : old[0]]]
    whole = before == ["SELECT", "*", "FROM"] and old[0] == len(words) - 1
    if words[0] == "SYNC" or before[-1:] in (["CLONE"], ["LIKE"]) or whole:
        yield Found("move", tokens[old[0]].text, False, "", tokens[old[0]].at)


def _change(verb: str, tokens: list[Token], words: list[str]) -> Generator[Found, None, int]:
    at = 1
    while at < len(words) and words[at] in ("INTO", "OVERWRITE", "FROM", "TABLE"):
        at += 1
    if "DIRECTORY" in words[at : at + 2]:
        yield from _exported(tokens, words, at)
        return at
    if at >= len(tokens) or tokens[at].kind != "word" or (verb in ("INSERT", "MERGE", "DELETE", "TRUNCATE", "COPY") and at == 1):
        return at
    yield _named("write", tokens[at])
    if verb == "COPY":
        source = _after(tokens, words, "FROM", at)
        form = tokens[words.index("FILEFORMAT") + 2] if "FILEFORMAT" in words[:-2] else None
        if source is not None and source.kind == "string":
            told = form.text.lower() if form is not None else "default"
            yield Found("read", source.text[1:-1], True, told, source.at, is_arrival=True)
    return at + 1


def _exported(tokens: list[Token], words: list[str], at: int) -> Iterator[Found]:
    """`INSERT OVERWRITE DIRECTORY '/path' USING format`."""
    path = tokens[at + 1] if at + 1 < len(tokens) and words[at] == "DIRECTORY" else None
    using = _after(tokens, words, "USING", at)
    if path is not None and path.kind == "string":
        yield Found("write", path.text[1:-1], True, format_of(using.text) if using is not None else "default", path.at)


def _in_place(tokens: list[Token], words: list[str]) -> Iterator[Found]:
    """A table that is named by its path and changed where it lies: ``OPTIMIZE delta.`/x` ``."""
    for token in tokens[1:4]:
        found = _named("write", token) if token.kind == "word" else None
        if found is not None and found.is_path:
            yield found._replace(format="delta")
        if words[tokens.index(token)] not in ("TO", "DELTA", "TABLE"):
            return


def _reads(tokens: list[Token], words: list[str], start: int) -> Iterator[Found]:
    """Names after FROM and JOIN that have two or more levels or are paths, and the paths of `read_files`."""
    inside: list[str] = []
    for at in range(start, len(tokens)):
        token = tokens[at]
        if token.text == "(":
            inside.append(words[at - 1] if at else "")
        elif token.text == ")" and inside:
            inside.pop()
        elif words[at] in ("FROM", "JOIN", "USING") and at + 1 < len(tokens) and tokens[at + 1].kind == "word":
            if inside and inside[-1] in _HOLES_IN_FROM:
                continue
            name = tokens[at + 1]
            called = at + 2 < len(tokens) and tokens[at + 2].text == "("
            if "." in name.text and not called and not is_class(name.text):
                yield _named("read", name)
        elif words[at] in ("READ_FILES", "CLOUD_FILES") and at + 2 < len(tokens) and tokens[at + 2].kind == "string":
            streamed = words[at] == "CLOUD_FILES" or "STREAM" in words[max(0, at - 2) : at]  # also `STREAM(read_files(…))`
            form = "cloudfiles" if streamed else _option(tokens, words, at)
            yield Found("read", tokens[at + 2].text[1:-1], True, form, tokens[at + 2].at, is_arrival=True)


def _option(tokens: list[Token], words: list[str], start: int) -> str:
    """The format that `read_files(…, format => 'x')` names."""
    for at in range(start, min(len(tokens) - 2, start + 60)):
        if words[at] == "FORMAT" and tokens[at + 1].text == "=>":
            return tokens[at + 2].text.strip("'\"").lower()
        if tokens[at].text == ")":
            break
    return "default"


def _named(kind: str, token: Token, form: str = "default") -> Found:
    """A table, or a path written as ``delta.`/path` ``."""
    first, _, rest = token.text.partition(".")
    if first.lower() in _PATH_FORMATS and rest.strip().startswith("`"):
        return Found(kind, rest.strip().strip("`"), True, first.lower(), token.at)
    return Found(kind, re.sub(r"\s+", "", token.text), False, form, token.at)


def _name_at(words: list[str], at: int) -> int:
    while at < len(words) and words[at] in ("IF", "NOT", "EXISTS"):
        at += 1
    return at


def _after(tokens: list[Token], words: list[str], keyword: str, start: int) -> Token | None:
    """The token after a keyword outside parentheses and before the query of a `CREATE … AS`."""
    depth = 0
    for at in range(start, len(tokens) - 1):
        if tokens[at].text == "(":
            depth += 1
        elif tokens[at].text == ")":
            depth -= 1
        elif depth == 0 and words[at] == keyword:
            return tokens[at + 1]
        elif depth == 0 and words[at] in ("SELECT", "WITH") and keyword != "FROM":
            return None
    return None
