"""The law: hiding information never changes a verdict except to unknown.

The hidings are generated from the fact model: null a column, null one cell, hide one row, hide one list. Each is made in
a transaction over all examples at once (each example is a project of its own), and rolled back. Pass and not applicable
are one here: when it is hidden whether the rule applies, an object that is right in either case is a pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.fact import TABLES
from lakewarden.judge.catalogue import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.engines.duckdb import DuckDBEngine
    from lakewarden.rule import Query, Rule

#: The number of a placeholder's gap; which one does not matter here.
_HIDDEN = 0


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
                for statement in hiding.statements:
                    engine.connection.execute(statement)
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
    for table in sorted(tables_of(query) & TABLES.keys()):
        most = engine.connection.execute(
            f"SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {table} GROUP BY project)"
        ).fetchone()
        rows = int(most[0]) if most else 0
        if rows == 0:
            continue
        nth = f"rowid IN (SELECT r FROM (SELECT rowid AS r, row_number() OVER (PARTITION BY project ORDER BY key) AS n FROM {table}) WHERE n = "
        nullable = [c.name for c in TABLES[table].columns.values() if c.nullable and c.name not in ("origin", "gap")]
        for column in nullable:
            if column in words:
                yield Hiding(f"{table}.{column}", (f"UPDATE {table} SET {column} = NULL",))
                for number in range(1, rows + 1) if rows > 1 else ():
                    yield Hiding(
                        f"{table}.{column} of row {number}",
                        (f"UPDATE {table} SET {column} = NULL WHERE {nth}{number})",),
                    )
        blank = ", ".join(f"{c} = NULL" for c in nullable if c != "project")
        for number in range(1, rows + 1):
            yield Hiding(
                f"row {number} of {table}",
                (f"UPDATE {table} SET {blank + ', ' if blank else ''}gap = {_HIDDEN} WHERE {nth}{number})",),
            )
        if TABLES[table].parents:
            yield _lists(table)


def _lists(table: str) -> Hiding:
    """Every list of a table is hidden: what is left is a placeholder under each parent, and for each row by its name."""
    parents = TABLES[table].parents
    columns = ", ".join(("key", "plane", "project", *parents, "gap"))
    statements = [
        f"CREATE TEMP TABLE hidden AS SELECT key, plane, project FROM {table}",
        f"DELETE FROM {table}",
    ]
    for column, parent in parents.items():
        values = ", ".join("key" if name == column else "'?'" for name in parents)
        statements.append(
            f"INSERT INTO {table} ({columns}) SELECT key || '/?{column}', plane, project, {values}, {_HIDDEN} FROM {parent}"
        )
    unseen = ", ".join("'?'" for _ in parents)
    statements.append(f"INSERT INTO {table} ({columns}) SELECT key, plane, project, {unseen}, {_HIDDEN} FROM hidden")
    return Hiding(f"the lists of {table}", tuple(statements))
