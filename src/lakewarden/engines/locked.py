"""DuckDB for rules that others wrote: no files, no network, no extensions, no settings, and an end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import duckdb

from lakewarden.engines.answer import Answer, BrokenQueryError
from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.gaps import NO_TABLE, Cause, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.placeholders import Row

#: What a query may use beside the facts, in MiB.
MEMORY = 1024
#: In this order: what comes later would forbid what comes before. `lock_configuration` cannot be undone.
_LOCKS = (
    "SET python_enable_replacements = false",
    "SET autoload_known_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class LockedEngine:
    """Facts in a database of their own. A query that takes longer than `seconds`, or more memory than there is, answers nothing:
    all of its subject is unknown, for a reason that is added to `gaps`.
    """

    def __init__(
        self,
        tables: Mapping[str, Sequence[Row]],
        policy: Mapping[str, str | bool | int | None],
        gaps: list[Gap],
        seconds: float,
        memory: int = MEMORY,
    ) -> None:
        self._engine = DuckDBEngine(sum(map(len, tables.values())))
        self._engine.load(tables, policy)
        self._gaps, self._seconds, self._memory = gaps, seconds, memory
        self._is_locked = False
        self.size: Mapping[str, int] = self._engine.size

    def count_only(self, origins: Sequence[int], projects: frozenset[str] | None = None) -> None:
        """Count only rows from these places, and those from nowhere; of them, those of these projects."""
        self._engine.count_only(origins, projects)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The database, locked."""
        self._lock()
        return self._engine.connection

    def ask(self, subject: str, query: str, conditions: Sequence[str]) -> Answer:
        """Run the query of a rule once and count its verdicts.

        Raises:
            BrokenQueryError: the query cannot be run, or is none.
        """
        connection = self.connection
        try:
            # The checker has seen one SELECT; that DuckDB sees one too is not left to two parsers that agree.
            kinds = [statement.type for statement in connection.extract_statements(self._engine.asked(query, conditions))]
        except duckdb.Error as problem:
            raise BrokenQueryError(str(problem).splitlines()[0]) from None
        if kinds != [duckdb.StatementType.SELECT]:
            raise BrokenQueryError("it is not one SELECT")
        late = threading.Event()

        def stop() -> None:
            late.set()
            connection.interrupt()

        timer = threading.Timer(self._seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            answer = self._engine.ask(subject, query, conditions)
        except BrokenQueryError as problem:
            if late.is_set():
                return self._unanswered(subject, conditions, f"its query did not end within {self._seconds:g} seconds")
            if "Out of Memory" in str(problem):
                return self._unanswered(subject, conditions, f"its query takes more than {self._memory} MiB of memory")
            raise
        finally:
            timer.cancel()
            timer.join()
        return answer

    def _lock(self) -> None:
        if not self._is_locked:
            run = self._engine.connection.execute
            (held,) = run("SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory()").fetchone() or (0,)
            run(f"SET memory_limit = '{int(held) // 2**20 + self._memory}MiB'")
            for statement in _LOCKS:
                run(statement)
            self._is_locked = True

    def _unanswered(self, subject: str, conditions: Sequence[str], reason: str) -> Answer:
        """Every object of the subject as unknown, for this reason where none is its own."""
        unknown = ", ".join(f"CAST(NULL AS BOOLEAN) AS {name}" for name in ("applies", *conditions))
        answer = self._engine.ask(subject, f"SELECT s.*, {unknown} FROM {subject} s", conditions)
        remedy = "make the query cheaper, or give it more time with own_rule_seconds in the policy"
        self._gaps.append(Gap(Cause.FAILED, NO_TABLE, reason, remedy))
        number = len(self._gaps) - 1
        told: list[dict[str, Any]] = [row if row["gap"] is not None else {**row, "gap": number} for row in answer.told]
        return answer._replace(told=told)
