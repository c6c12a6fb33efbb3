"""DuckDB, the embedded engine: loads prepared facts column-wise and answers the query of a rule."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.engines.answer import Answer, BrokenQueryError
from lakewarden.engines.shape import each_once
from lakewarden.facts.fact import TABLES
from lakewarden.facts.packed import Packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from lakewarden.facts.fact import Column
    from lakewarden.facts.placeholders import Row

#: Three-valued aggregates: what is not known stays so, unless the answer does not depend on it.
MACROS = """
CREATE MACRO any_of(x) AS CASE WHEN bool_or(x) THEN TRUE WHEN count(*) > count(x) THEN NULL ELSE FALSE END;
CREATE MACRO all_of(x) AS CASE WHEN bool_or(NOT x) THEN FALSE WHEN count(*) > count(x) THEN NULL ELSE TRUE END;
"""

#: Below this many rows a second thread costs more than it brings.
_FEW_ROWS = 10_000
#: From this many rows on they are kept compressed: it costs a second for four million of them, and each query gains by it.
_MANY_ROWS = 1_000_000
#: Rows that one statement inserts: as values of a statement they take ten times the memory that they take in a table.
_AT_ONCE = 20_000
#: What stands between texts that are handed over as one, and for one that is not known.
_BETWEEN, _NOT_KNOWN = "\x1f", "\x1e"
_SPLIT = f"nullif(unnest(str_split(?, chr({ord(_BETWEEN)}))), chr({ord(_NOT_KNOWN)}))"


class DuckDBEngine:
    """One in-memory database."""

    def __init__(self, rows: int = 0) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {"threads": 1} if rows < _FEW_ROWS else {}
        self.connection = duckdb.connect(":memory:", config=config)
        self._compressed = rows >= _MANY_ROWS
        if self._compressed:
            _use_compressed(self.connection)
        self.connection.execute(MACROS)
        if rows < _FEW_ROWS:
            # Optimizing a query over few rows takes longer than running it as it stands.
            self.connection.execute("PRAGMA disable_optimizer")
        self.size: dict[str, int] = {}
        self._columns: dict[str, list[Column]] = {}
        self._loose = 0
        self._inside: frozenset[int] | None = None
        self._projects: frozenset[str] | None = None

    def load(
        self,
        tables: Mapping[str, Sequence[Row]],
        policy: Mapping[str, str | bool | int | None],
        columns: Mapping[str, AbstractSet[str]] | None = None,
    ) -> None:
        """Create and fill the fact tables and the view `policy` of exactly one row. Of the tables that `columns` names only these
        columns are there.
        """
        statements = []
        for name in tables:
            read = TABLES[name].columns.keys() if columns is None else {"plane", *columns.get(name, TABLES[name].columns)}
            self._columns[name] = [column for column in TABLES[name].columns.values() if column.name in read]
            declared = ", ".join(f'"{c.name}" {c.sql_type}{"" if c.nullable else " NOT NULL"}' for c in self._columns[name])
            statements.append(f"CREATE TABLE {name} ({declared})")
        self.connection.execute(";".join(statements) or "SELECT 1")
        for name, rows in tables.items():
            self.size[name] = len(rows)
            if rows:
                self.insert(name, rows)
        if self._compressed:
            self._compress()
        values = ", ".join(f"{_literal(value)} AS {name}" for name, value in policy.items())
        self.connection.execute(f"CREATE VIEW policy AS SELECT {values}")

    def insert(self, name: str, rows: Sequence[Row]) -> None:
        """Add rows by columns; row by row would take a hundred times as long."""
        if isinstance(rows, Packed):
            for piece in rows.pieces():
                self._insert(name, piece.size, piece.column)
            return
        for begin in range(0, len(rows), _AT_ONCE):
            some = rows[begin : begin + _AT_ONCE]
            self._insert(name, len(some), lambda column, some=some: [row.get(column) for row in some])  # type: ignore[misc]  # a lambda's default

    def _insert(self, name: str, size: int, of: Callable[[str], list[Any]]) -> None:
        taken: list[str] = []
        values: list[Any] = []
        each = f" FROM range({size})"
        for column in self._columns[name]:
            found = of(column.name)
            if found.count(found[0]) == len(found):  # the plane, what nobody knows: said once
                taken.append(f"?::{column.sql_type}")
                values.append(found[0])
                continue
            each = ""
            text = _joined(found) if column.sql_type == "VARCHAR" else None
            taken.append(f"unnest(?::{column.sql_type}[])" if text is None else _SPLIT)
            values.append(found if text is None else text)
        self.connection.execute(f"INSERT INTO {name} SELECT {', '.join(taken)}{each}", values)
        self._loose += size
        if self._compressed and self._loose >= _MANY_ROWS:
            self._compress()

    def _compress(self) -> None:
        """Rows take several times the memory until then."""
        self.connection.execute("CHECKPOINT")
        self._loose = 0

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
        try:
            if self.size[subject] < _FEW_ROWS:
                return self._count_here(subject, self.asked(query, conditions))
            once, beside = each_once(query)
            return self._count_there(subject, self.asked(once, conditions, beside))
        except duckdb.Error as problem:
            raise BrokenQueryError(str(problem).splitlines()[0]) from None

    def each(self, subject: str, query: str, conditions: Sequence[str], keys: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of these objects on live planes, whatever their verdict; each is a dict with `verdict`.

        Raises:
            BrokenQueryError: the query cannot be run, or returns another number of rows than its subject has.
        """
        text = f"""SELECT *, count(*) OVER () AS rows_in_all FROM ({self.asked(query, conditions)}) a
            QUALIFY a.plane <> 'declared' AND a.key IN (SELECT unnest(?::VARCHAR[])) ORDER BY a.key"""
        try:
            cursor = self.connection.execute(text, [list(keys)])
        except duckdb.Error as problem:
            raise BrokenQueryError(str(problem).splitlines()[0]) from None
        names = [d[0] for d in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        there = {row["key"] for row in rows}
        if len(there) != len(rows) or any(row.pop("rows_in_all") != self.size[subject] for row in rows):
            raise BrokenQueryError("it loses objects, or judges one twice")
        return rows

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
    def asked(query: str, conditions: Sequence[str], beside: Sequence[str] = ()) -> str:
        """The query of a rule with its verdicts, in three-valued logic, and without the columns `beside`."""
        ok = " AND ".join(f"({c})" for c in conditions)
        every = f"q.* EXCLUDE ({', '.join(beside)})" if beside else "q.*"
        return f"""SELECT {every}, CASE WHEN NOT applies THEN 'not applicable' WHEN gap IS NOT NULL THEN 'unknown'
            WHEN {ok} THEN 'pass' WHEN applies AND NOT ({ok}) THEN 'fail' ELSE 'unknown' END AS verdict FROM ({query}) q"""


def _joined(found: list[str | None]) -> str | None:
    """Texts as one, which is handed over in a third of the time; None where one of them holds what stands between two."""
    text = _BETWEEN.join(_NOT_KNOWN if one is None else one for one in found)
    return text if text.count(_BETWEEN) == len(found) - 1 and text.count(_NOT_KNOWN) == found.count(None) else None


_VERDICTS = ("pass", "fail", "unknown", "not applicable")


def _use_compressed(connection: duckdb.DuckDBPyConnection) -> None:
    """Use a database that a checkpoint compresses. DuckDB before 1.4 has none: it answers as well, with more memory."""
    with contextlib.suppress(duckdb.Error):
        connection.execute("ATTACH ':memory:' AS facts (COMPRESS); USE facts")


def _literal(value: str | bool | int | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper()
