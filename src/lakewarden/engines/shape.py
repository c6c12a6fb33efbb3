"""What the text of a rule's query says before it is run: which columns it reads, and whether it returns each object once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

TABLE = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)\s+(\w+)")
_TEXT = re.compile(r"'[^']*'")
_NESTED = re.compile(r"\([^()]*\)")
_COLUMN = re.compile(r"\b(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)\b")
_CLAUSE = re.compile(r"(?<! LEFT)(?<! CROSS) (?=(?:LEFT |CROSS )?JOIN |WHERE |GROUP )")
_SUB_SELECT = re.compile(r"\(\s*SELECT\b")
_FROM = re.compile(r"\bFROM\s+(\w+)\s+(\w+)")
_LOOK_UP = re.compile(r"LEFT JOIN (\w+) (\w+) ON (.+)")
_APPLIES = re.compile(r"\s+AS\s+applies\b")
_NO_PARTS = re.compile(r"\b(?:OR|CASE|BETWEEN)\b")
_AND = re.compile(r"\bAND\b")
_PART = r"(?:(?!{0}\.)\w+\.\w+|'')"


def columns_read(queries: Iterable[str]) -> dict[str, set[str]]:
    """The columns that queries may read of each table, beside those of their subjects that they only pass on."""
    found: dict[str, set[str]] = {}
    for query in queries:
        text = _TEXT.sub("''", query)
        tables: dict[str, set[str]] = {}
        for table, alias in TABLE.findall(text):
            tables.setdefault(alias, set()).add(table)
        everywhere = set().union(*tables.values())
        for alias, column in set(_COLUMN.findall(text)):
            for table in tables.get(alias, ()) if alias else everywhere:
                found.setdefault(table, set()).add(column)
    return found


def only_looked_at(queries: Collection[str]) -> dict[str, set[str]]:
    """The columns that queries read of each table of which none of them returns whole rows."""
    whole = {table for query in queries for table, alias in TABLE.findall(query) if re.search(rf"\b{alias}\.\*", query)}
    return {table: columns for table, columns in columns_read(queries).items() if table not in whole}


def looked_up(query: str) -> frozenset[str] | None:
    """The tables of which a query takes one row at most, because it names plane and key, beside each object of its subject.
    None for a query that may return an object twice or not at all.
    """
    text = _TEXT.sub("''", query).replace('"', "")
    while text != (text := _NESTED.sub("", text)):
        continue
    subject, *joins = _CLAUSE.split(" ".join(text.split()).partition(" FROM ")[2])
    if len(subject.split()) != 2:  # noqa: PLR2004 - a table and its alias
        return None
    tables = set()
    for join in joins:
        if join.startswith("CROSS JOIN policy "):
            continue
        found = _LOOK_UP.fullmatch(join)
        if found is None or not _by_key(found[2], found[3]):
            return None
        tables.add(found[1])
    return frozenset(tables)


def _by_key(alias: str, condition: str) -> bool:
    """Does a condition name plane and key of one row?"""
    part = _PART.format(alias)
    named = re.compile(rf"{alias}\.(plane|key) = {part}(?: \|\| {part})*")
    given = [named.fullmatch(one) for one in condition.split(" AND ")]
    return " OR " not in condition and {one[1] for one in given if one} == {"plane", "key"}


def cheap_part(query: str) -> str | None:
    """What of `applies` takes no sub-select, where it is one of several parts that must all hold: where it is FALSE, no rule is
    about the object, and the rest need not be worked out. SQLite works out all parts of an AND.
    """
    text = _TEXT.sub(lambda found: "'" * len(found[0]), query)
    while text != (text := _NESTED.sub(lambda found: "#" * len(found[0]), text)):
        continue
    end = _APPLIES.search(text)
    if end is None:
        return None
    begin = text.rfind(",", 0, end.start()) + 1
    if _NO_PARTS.search(text, begin, end.start()):
        return None
    parts, at = [], begin
    for found in _AND.finditer(text, begin, end.start()):
        parts.append(query[at : found.start()].strip())
        at = found.end()
    parts.append(query[at : end.start()].strip())
    cheap = [part for part in parts if "SELECT" not in part]
    return " AND ".join(cheap) if 0 < len(cheap) < len(parts) else None


def each_once(query: str) -> tuple[str, tuple[str, ...]]:
    """The query with each sub-select that stands in it several times taken once, as a column of the subject; and the names of
    these columns, which it returns beside its own. Engines do not see that such sub-selects are one.
    """
    text = _TEXT.sub(lambda found: "'" + " " * (len(found[0]) - 2) + "'", query)
    spans = list(_sub_selects(text))
    outside = text
    for begin, end in spans:
        outside = outside[:begin] + " " * (end - begin) + outside[end:]
    subject = _FROM.search(outside)
    places: dict[str, list[tuple[int, int]]] = {}
    for begin, end in spans:
        places.setdefault(query[begin:end], []).append((begin, end))
    shared = [one for one, found in places.items() if len(found) > 1 and subject and _is_about(one, subject[2])]
    if subject is None or not shared or " GROUP " in " ".join(outside.split()):
        return query, ()
    names = tuple(f"shared_{number}" for number in range(len(shared)))
    columns = ", ".join(f"{one} AS {name}" for one, name in zip(shared, names, strict=True))
    made = f"FROM (SELECT {subject[2]}.*, {columns} FROM {subject[1]} {subject[2]}) {subject[2]}"
    changes = [(*subject.span(), made)]
    changes += [(*at, f"{subject[2]}.{name}") for one, name in zip(shared, names, strict=True) for at in places[one]]
    for begin, end, instead in sorted(changes, reverse=True):
        query = query[:begin] + instead + query[end:]
    return query, names


def _sub_selects(text: str) -> Iterator[tuple[int, int]]:
    """Where the outermost sub-selects begin and end."""
    end = 0
    for found in _SUB_SELECT.finditer(text):
        if found.start() < end:
            continue
        end, depth = found.start(), 0
        for character in text[found.start() :]:
            depth += (character == "(") - (character == ")")
            end += 1
            if depth == 0:
                break
        yield found.start(), end


def _is_about(sub_select: str, alias: str) -> bool:
    """Does a sub-select read nothing of the query around it but its subject?"""
    text = _TEXT.sub("''", sub_select)
    own = {name for _, name in TABLE.findall(text)}
    return {prefix for prefix, _ in _COLUMN.findall(text) if prefix} <= {alias, *own}
