"""A history in a DuckDB file, which any DuckDB can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.judge.history import TABLES, Columns, broken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb


class DuckDBStore:
    """A DuckDB file, opened for each use, so that a long audit does not hold it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._with(lambda _: None)

    def read(self, table: str, audit: int | None) -> list[tuple[Any, ...]]:
        """The rows of a table, those of one audit or all."""
        where = "" if audit is None else f" WHERE audit = {int(audit)}"
        query = f"SELECT {', '.join(TABLES[table])} FROM {table}{where}"
        found: list[tuple[Any, ...]] = []
        self._with(lambda connection: found.extend(connection.execute(query).fetchall()))
        return found

    def append(self, tables: Mapping[str, Columns]) -> None:
        """Add rows to the tables, all or none."""

        def write(connection: duckdb.DuckDBPyConnection) -> None:
            connection.begin()
            for table, columns in tables.items():
                if not next(iter(columns.values())):
                    continue
                values = ", ".join(f"unnest(?::{kind}[])" for kind in TABLES[table].values())
                connection.execute(f"INSERT INTO {table} SELECT {values}", list(columns.values()))
            connection.commit()

        self._with(write)

    def _with(self, use: Any) -> None:
        import duckdb

        try:
            with duckdb.connect(str(self._path)) as connection:
                for table, columns in TABLES.items():
                    told = ", ".join(f"{name} {kind}" for name, kind in columns.items())
                    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({told})")
                use(connection)
        except (duckdb.Error, OSError) as problem:
            raise broken(str(self._path), problem) from problem
