"""The law: hiding information never changes a verdict except to unknown.

The hidings are generated from the fact model: null a column, one cell, or two columns; hide one row, an object with its
lists, all lists of a table, all its objects, everything of one plane; doubt that a list is complete. Each is made in a
transaction over all examples at once (each example is a project of its own), and rolled back. Pass and not applicable are
one here: when it is hidden whether the rule applies, an object that is right in either case is a pass.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.closures import CLOSURES
from lakewarden.facts.fact import TABLES
from lakewarden.judge.catalogue import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.engines.duckdb import DuckDBEngine
    from lakewarden.rule import Query, Rule

#: The number of a placeholder's gap; which one does not matter here.
_HIDDEN = 0
#: So many objects of a project are hidden with all their lists, one after the other.
_MOST_PARENTS = 4
#: Only what is asked of NULL itself can break the law by two values when it keeps it for each.
_ASKS_FOR_NULL = re.compile(r"\bCASE\b|\bIS (?:NOT )?NULL\b")


class Hiding(NamedTuple):
    """One way of not seeing something, as SQL statements."""

    what: str
    statements: tuple[str, ...]


class Breach(NamedTuple):
    """A verdict that hiding something changed to another than unknown."""

    rule: str
    key: str
    hidden: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.key} was {self.before}, is {self.after} after hiding {self.hidden}"


def breaches(rule: Rule, engine: DuckDBEngine) -> Iterator[Breach]:
    """Every breach of the law by one rule over the facts of an engine."""
    for query in rule.queries:
        if engine.size.get(query.subject, 0) == 0:
            continue
        before = _verdicts(engine, query)
        for hiding in hidings(query, engine):
            engine.connection.begin()
            try:
                done = [engine.connection.execute(statement).fetchone() for statement in hiding.statements]
                if not any(changed[0] for changed in done if changed is not None):
                    continue  # there was nothing to hide
                after = _verdicts(engine, query)
            finally:
                engine.connection.rollback()
            for at, verdict in before.items():
                # A row that was hidden comes back as a placeholder, or was a placeholder before.
                now = after.get(at, "unknown")
                if now not in (verdict, "unknown") and {verdict, now} != {"pass", "not applicable"}:
                    yield Breach(rule.code, at[1], hiding.what, verdict, now)


def _verdicts(engine: DuckDBEngine, query: Query) -> dict[tuple[str, str], str]:
    """The verdict of each object, by plane and key."""
    asked = engine.asked(query.query, list(query.conditions))
    return {
        (plane, key): verdict
        for plane, key, verdict in engine.connection.execute(f"SELECT plane, key, verdict FROM ({asked})").fetchall()
    }


def hidings(query: Query, engine: DuckDBEngine) -> Iterator[Hiding]:
    """Every hiding of something that the query reads."""
    words = frozenset(re.findall(r"[a-z_]+", query.query))
    read = sorted(tables_of(query) & TABLES.keys())
    columns: list[Hiding] = []
    for table in read:
        rows = _most_rows(engine, table)
        if rows == 0:
            continue
        nullable = _nullable(table)
        for column in [name for name in nullable if name in words]:
            columns.append(Hiding(f"{table}.{column}", (_null(table, column),)))
            for number in range(1, rows + 1) if rows > 1 else ():
                yield Hiding(f"{table}.{column} of row {number}", (_null(table, column, f"AND {_nth(table, number)}"),))
        for number in range(1, rows + 1):
            yield Hiding(f"row {number} of {table}", (_blank(table, _nth(table, number)),))
        if table != "projects" and CLOSURES.get(table, (table,)):
            yield _unseen(table, engine)
        if TABLES[table].parents:
            yield Hiding(f"whether the lists of {table} are complete", tuple(_placeholders(table)))
    yield from columns
    if _ASKS_FOR_NULL.search(query.query):
        for one, other in combinations(columns, 2):
            yield Hiding(f"{one.what} and {other.what}", (*one.statements, *other.statements))
    yield from _parents(read, engine)
    yield from _planes(read, engine)


def _most_rows(engine: DuckDBEngine, table: str) -> int:
    """How many rows of the table the project has that has most."""
    found = engine.connection.execute(
        f"SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {table} GROUP BY project)"
    ).fetchone()
    return int(found[0]) if found else 0


def _nullable(table: str) -> list[str]:
    return [column.name for column in TABLES[table].columns.values() if column.nullable and column.name not in ("origin", "gap")]


def _nth(table: str, number: int) -> str:
    """The condition that a row is the nth of its project."""
    return f"rowid IN (SELECT r FROM (SELECT rowid AS r, row_number() OVER (PARTITION BY project ORDER BY key) AS n FROM {table}) WHERE n = {number})"


def _null(table: str, column: str, where: str = "") -> str:
    return f"UPDATE {table} SET {column} = NULL WHERE {column} IS NOT NULL {where}"


def _blank(table: str, where: str) -> str:
    """Rows become placeholders."""
    blank = "".join(f"{column} = NULL, " for column in _nullable(table) if column != "project")
    return f"UPDATE {table} SET {blank}gap = {_HIDDEN} WHERE gap IS NULL AND {where}"


def _unseen(table: str, engine: DuckDBEngine) -> Hiding:
    """No row of a table is seen: what is left is a placeholder under each parent, or for each project, and one for each row
    that something names.
    """
    parents = TABLES[table].parents
    names = [f"SELECT o.plane, h.key FROM hidden h JOIN (SELECT DISTINCT plane FROM {table}) o ON o.plane <> h.plane"]
    names += [
        f"SELECT plane, {column.name} FROM {other}"
        for other in engine.size
        for column in TABLES[other].columns.values()
        if column.references == table and column.name not in TABLES[other].parents
    ]
    without_name = [_insert(table, f"project || '/?{table}'", "(FROM hidden WHERE project IS NOT NULL)", {})]
    return Hiding(
        f"what is in {table}",
        (
            f"CREATE TEMP TABLE hidden AS SELECT key, plane, project FROM {table}",
            f"CREATE TEMP TABLE named AS SELECT * FROM hidden WHERE (plane, key) IN ({' UNION '.join(names)})",
            f"DELETE FROM {table}",
            *(_placeholders(table) if parents else without_name),
            _insert(table, "key", "named", dict.fromkeys(parents, "'?'")),
        ),
    )


def _placeholders(table: str, only: str | None = None, source: str | None = None) -> Iterator[str]:
    """A placeholder under each parent; with `only` for that parent table, the parents being the rows of `source`."""
    parents = TABLES[table].parents
    for column, parent in parents.items():
        if only in (None, parent):
            others = {name: "coalesce(project, '?')" if of == "projects" else "'?'" for name, of in parents.items()}
            yield _insert(table, f"key || '/?{column}'", source or parent, {**others, column: "key"})


def _insert(table: str, key: str, source: str, parents: dict[str, str]) -> str:
    columns = ", ".join(("key", "plane", "project", "gap", *parents))
    values = ", ".join((key, "plane", "project", str(_HIDDEN), *parents.values()))
    return f"INSERT INTO {table} ({columns}) SELECT DISTINCT {values} FROM {source}"


def _parents(read: list[str], engine: DuckDBEngine) -> Iterator[Hiding]:
    """An object is hidden together with those of its lists that the query reads."""
    for parent in sorted(
        {of for table in read for of in TABLES[table].parents.values() if of in engine.size and of != "projects"}
    ):
        lists = [(table, column) for table in read for column, of in TABLES[table].parents.items() if of == parent]
        for number in range(1, min(_most_rows(engine, parent), _MOST_PARENTS) + 1):
            statements = [f"CREATE TEMP TABLE hidden AS SELECT key, plane, project FROM {parent} WHERE {_nth(parent, number)}"]
            for table, column in lists:
                statements.append(f"DELETE FROM {table} WHERE (plane, {column}) IN (SELECT plane, key FROM hidden)")
                statements.extend(_placeholders(table, parent, "hidden"))
            if parent in read:
                statements.append(_blank(parent, "(plane, key) IN (SELECT plane, key FROM hidden)"))
            yield Hiding(f"row {number} of {parent} with its lists", tuple(statements))


def _planes(read: list[str], engine: DuckDBEngine) -> Iterator[Hiding]:
    """Everything of one plane is hidden."""
    union = " UNION ".join(f"SELECT DISTINCT plane FROM {table}" for table in read)
    planes = sorted(plane for (plane,) in engine.connection.execute(union).fetchall())
    for plane in planes if len(planes) > 1 else ():
        yield Hiding(f"what is {plane}", tuple(_blank(table, f"plane = '{plane}'") for table in read))
