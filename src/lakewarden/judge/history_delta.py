"""A history in Delta tables, which Databricks and others can read: a folder with one for each table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import UsageError
from lakewarden.judge.history import TABLES, Columns, broken

if TYPE_CHECKING:
    from collections.abc import Mapping


class DeltaStore:
    """A folder, or an address that the package deltalake knows, with a Delta table for each table."""

    def __init__(self, place: str) -> None:
        if not place:
            raise UsageError("delta: names no folder", "write it as delta:FOLDER")
        try:
            import arro3.core
            import deltalake
        except ModuleNotFoundError:
            raise UsageError(
                "a history in Delta tables needs deltalake, which is not installed", "run: pip install 'lakewarden[delta]'"
            ) from None
        self._place = place.rstrip("/")
        self._arrow: Any = arro3.core
        self._delta: Any = deltalake
        self._problems = (deltalake.exceptions.DeltaError, OSError)

    def read(self, table: str, audit: int | None) -> list[tuple[Any, ...]]:
        """The rows of a table, those of one audit or all; none where there is no table yet."""
        place = f"{self._place}/{table}"
        try:
            if not self._delta.DeltaTable.is_deltatable(place):
                return []
            where = "" if audit is None else f" WHERE audit = {int(audit)}"
            query = f"SELECT {', '.join(TABLES[table])} FROM found{where}"
            engine = self._delta.QueryBuilder().register("found", self._delta.DeltaTable(place))
            batches = self._batches(engine, query)
        except self._problems as problem:
            raise broken(f"delta:{self._place}", problem) from problem
        if not batches:
            return []
        whole = self._arrow.Table.from_batches(batches)
        return list(zip(*(whole[name].to_pylist() for name in TABLES[table]), strict=True))

    def _batches(self, engine: Any, query: str) -> list[Any]:
        found = engine.execute(query)
        return list(found.fetchall() if hasattr(found, "fetchall") else found)

    def append(self, tables: Mapping[str, Columns]) -> None:
        """Add rows to the tables; `audits` is the last, so that an audit that was cut off counts for nothing."""
        kinds = {
            "BIGINT": self._arrow.DataType.int64(),
            "VARCHAR": self._arrow.DataType.string(),
            "BOOLEAN": self._arrow.DataType.bool(),
        }
        try:
            for table, columns in tables.items():
                arrays = {name: self._arrow.Array(values, type=kinds[TABLES[table][name]]) for name, values in columns.items()}
                self._delta.write_deltalake(f"{self._place}/{table}", self._arrow.Table.from_pydict(arrays), mode="append")
        except self._problems as problem:
            raise broken(f"delta:{self._place}", problem) from problem
