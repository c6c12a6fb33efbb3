"""DuckDB, the embedded engine: loads prepared facts column-wise and answers the query of a rule."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import duckdb

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.engines.answer import Answer, BrokenQueryError
from lakewarden.facts.fact import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.placeholders import Row

#: Three-valued aggregates: what is not known stays so, unless the answer does not depend on it.
MACROS = """
CREATE MACRO any_of(x) AS CASE WHEN bool_or(x) THEN TRUE WHEN count(*) > count(x) THEN NULL ELSE FALSE END;
CREATE MACRO all_of(x) AS CASE WHEN bool_or(NOT x) THEN FALSE WHEN count(*) > count(x) THEN NULL ELSE TRUE END;
"""

#: Below this many rows a second thread costs more than it brings.
_FEW_ROWS = 10_000


class DuckDBEngine:
    """One in-memory database."""

    def __init__(self, rows: int = 0) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {"threads": 1} if rows < _FEW_ROWS else {}
        self.connection = duckdb.connect(":memory:", config=config)
        self.connection.execute(MACROS)
        if rows < _FEW_ROWS:
            # Optimizing a query over few rows takes longer than running it as it stands.
            self.connection.execute("PRAGMA disable_optimizer")
        self.size: dict[str, int] = {}
        self._inside: frozenset[int] | None = None
        self._projects: frozenset[str] | None = None

    def load(self, tables: Mapping[str, Sequence[Row]], policy: Mapping[str, str | bool | int | None]) -> None:
        """Create and fill the fact tables and the view `policy` of exactly one row."""
        statements = []
        for name in tables:
            columns = ", ".join(
                f'"{c.name}" {c.sql_type}{"" if c.nullable else " NOT NULL"}' for c in TABLES[name].columns.values()
            )
            statements.append(f"CREATE TABLE {name} ({columns})")
        self.connection.execute(";".join(statements) or "SELECT 1")
        for name, rows in tables.items():
            self.size[name] = len(rows)
            if rows:
                self.insert(name, rows)
        values = ", ".join(f"{_literal(value)} AS {name}" for name, value in policy.items())
        self.connection.execute(f"CREATE VIEW policy AS SELECT {values}")

    def insert(self, name: str, rows: Sequence[Row]) -> None:
        """Add rows by columns; row by row would take a hundred times as long."""
        columns = TABLES[name].columns.values()
        arrays = ", ".join(f"unnest(?::{c.sql_type}[])" for c in columns)
        values = [[row.get(c.name) for row in rows] for c in columns]
        self.connection.execute(f"INSERT INTO {name} SELECT {arrays}", values)

    def count_only(self, origins: Sequence[int], projects: frozenset[str] | None = None) -> None:
        """Count only rows from these places, and those from nowhere; of them, those of these projects. Every row is judged
        all the same.
        """
        self._inside = frozenset(origins)
        self._projects = projects
        self.connection.execute("CREATE TABLE asked_about AS SELECT unnest(?::BIGINT[]) AS origin", [list(origins)])

    def ask(self, subject: str, query: str, conditions: Sequence[str]) -> Answer:
        """Run the query of a rule once and count its verdicts.

        Raises:
            BrokenQueryError: the query cannot be run.
        """
        asked = self.asked(query, conditions)
        try:
            return self._count_here(subject, asked) if self.size[subject] < _FEW_ROWS else self._count_there(subject, asked)
        except duckdb.Error as problem:
            raise BrokenQueryError(str(problem).splitlines()[0]) from None

    def _count_here(self, subject: str, asked: str) -> Answer:
        """Fetch all rows: planning the counts would take longer than the query."""
        cursor = self.connection.execute(asked)
        names = [d[0] for d in cursor.description or ()]
        origin, verdict, plane, key, project = (names.index(n) for n in ("origin", "verdict", "plane", "key", "project"))
        rows = cursor.fetchall()
        whole = len(rows) == self.size[subject] == len({(row[plane], row[key]) for row in rows})
        said = Counter(
            row[verdict]
            for row in rows
            if (self._inside is None or row[origin] is None or row[origin] in self._inside)
            and (self._projects is None or row[project] in self._projects)
        )
        told = [dict(zip(names, row, strict=True)) for row in rows if row[verdict] in ("fail", "unknown")]
        return Answer(len(rows), whole, (said["pass"], said["fail"], said["unknown"], said["not applicable"]), told)

    def _count_there(self, subject: str, asked: str) -> Answer:
        """Count in the engine and fetch only what is not a pass.

        A sum of hashes over all keys that equals the subject's own says that the rows are the subject's, each once;
        counting different keys would cost more than judging them.
        """
        inside = "TRUE" if self._inside is None else "(origin IS NULL OR origin IN (SELECT origin FROM asked_about))"
        if self._projects is not None:
            inside += f" AND project IN ({', '.join(map(_literal, sorted(self._projects))) or 'NULL'})"
        counts = ", ".join(f"count(*) FILTER (verdict = '{verdict}' AND {inside})" for verdict in _VERDICTS)
        cursor = self.connection.execute(
            f"""SELECT count(*), {counts}, sum(hash(plane, key)::HUGEINT) = (SELECT sum(hash(plane, key)::HUGEINT) FROM {subject}),
            list(a) FILTER (verdict = 'fail' OR verdict = 'unknown') FROM ({asked}) a"""
        )
        rows, passed, failed, unknown, beside, same, told = cursor.fetchone() or (0, 0, 0, 0, 0, False, None)
        return Answer(rows, bool(same) and rows == self.size[subject], (passed, failed, unknown, beside), told or [])

    @staticmethod
    def asked(query: str, conditions: Sequence[str]) -> str:
        """The query of a rule with its verdicts, in three-valued logic."""
        ok = " AND ".join(f"({c})" for c in conditions)
        return f"""SELECT q.*, CASE WHEN NOT applies THEN 'not applicable' WHEN gap IS NOT NULL THEN 'unknown'
            WHEN {ok} THEN 'pass' WHEN applies AND NOT ({ok}) THEN 'fail' ELSE 'unknown' END AS verdict FROM ({query}) q"""


_VERDICTS = ("pass", "fail", "unknown", "not applicable")


def _literal(value: str | bool | int | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper()
