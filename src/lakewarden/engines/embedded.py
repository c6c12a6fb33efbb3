"""The engine of a run: SQLite for few facts, DuckDB for many. Which one answers shows in nothing but time."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from lakewarden.engines.shape import columns_read, only_looked_at
from lakewarden.engines.sqlite import OLDEST, SqliteEngine

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lakewarden.engines.answer import Answer, Engine
    from lakewarden.engines.duckdb import DuckDBEngine
    from lakewarden.facts.placeholders import Row

#: Rows. DuckDB takes half a second to plan the rules of a repository; what it saves for each row makes up for that above.
_MANY = 200_000
#: Pairs of rows that one query compares.
_MANY_PAIRS = 1_000_000
#: The join of a subject with itself, up to what is not an equality of columns.
_COMPARED = re.compile(r"\bJOIN\s+\w+\s+(\w+)\s+ON\s+([^(]*).*\bGROUP\s+BY\s+ALL\b", re.DOTALL)
_WORD = re.compile(r"\w+")


class EmbeddedEngine:
    """Prepared facts, in the database that answers soonest. `queries` are those that will be asked, where they are known."""

    def __init__(
        self,
        tables: Mapping[str, Sequence[Row]],
        policy: Mapping[str, str | bool | int | None],
        queries: Collection[str] | None = None,
    ) -> None:
        self._queries = queries
        self.size: dict[str, int] = {name: len(rows) for name, rows in tables.items()}
        self._tables, self._policy = tables, policy
        self._only: tuple[Sequence[int], frozenset[str] | None] | None = None

    def count_only(self, origins: Sequence[int], projects: frozenset[str] | None = None) -> None:
        """Count only rows from these places, and those from nowhere; of them, those of these projects. Every row is judged
        all the same.
        """
        self._only = origins, projects

    def ask(self, subject: str, query: str, conditions: Sequence[str]) -> Answer:
        """Run the query of a rule once and count its verdicts.

        Raises:
            BrokenQueryError: the query cannot be run.
        """
        engine: Engine
        if sum(self.size.values()) >= _MANY or sqlite3.sqlite_version_info < OLDEST:
            engine = self._duckdb
        elif self._pairs(subject, query) > _MANY_PAIRS:
            words = frozenset(_WORD.findall(query))
            engine = self._in_duckdb({name: rows for name, rows in self._tables.items() if name in words})
        else:
            engine = self._sqlite
        return engine.ask(subject, query, conditions)

    def _pairs(self, subject: str, query: str) -> int:
        """How many pairs of rows a query compares; 0 for one that compares none."""
        compared = _COMPARED.search(query)
        if compared is None or self.size[subject] ** 2 <= _MANY_PAIRS:
            return 0
        alike = re.findall(rf"\b{compared[1]}\.(\w+) = \w+\.\1\b", compared[2])
        groups = Counter(tuple(row.get(column) for column in alike) for row in self._tables[subject])
        return sum(number**2 for number in groups.values())

    @cached_property
    def _sqlite(self) -> SqliteEngine:
        columns = None if self._queries is None else columns_read(self._queries)
        engine = SqliteEngine(self._tables, self._policy, columns)
        if self._only is not None:
            engine.count_only(*self._only)
        return engine

    @cached_property
    def _duckdb(self) -> DuckDBEngine:
        return self._in_duckdb(self._tables)

    def _in_duckdb(self, tables: Mapping[str, Sequence[Row]]) -> DuckDBEngine:
        from lakewarden.engines.duckdb import DuckDBEngine  # slow to import

        engine = DuckDBEngine(sum(map(len, tables.values())))
        engine.load(tables, self._policy, None if self._queries is None else only_looked_at(self._queries))
        if self._only is not None:
            engine.count_only(*self._only)
        return engine
