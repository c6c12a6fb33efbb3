"""Keys of the tables of a schema by one statement, as far as the information schema is known to show them.

It shows the constraints, as the columns, of tables that one is privileged to interact with ("TABLE_CONSTRAINTS",
"KEY_COLUMN_USAGE", "COLUMNS"). So a table counts only where its columns are shown, and a catalog only where the auditor
holds, on all of it, a privilege that shows metadata: then one table is as visible as another, and the API, which is asked
of two of them as well, speaks for all. That a table has no key counts only where a key of another one in the catalog is
shown, and told by the API too. Which column of a key is its time only the API tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.platform.databricks import one_statement
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lakewarden.sources.platform.databricks.statements import Row, Warehouse
    from lakewarden.sources.platform.estate import Estate

PRIMARY, FOREIGN = "PRIMARY KEY", "FOREIGN KEY"
_NO_KEY = "CHECK"
_NULLABLE = {"YES": True, "NO": False}
_STATEMENT = """
SELECT DISTINCT t.table_name AS name, c.constraint_name AS named, c.constraint_type AS kind, k.column_name AS field,
       n.is_nullable AS nullable
FROM system.information_schema.columns t
LEFT JOIN system.information_schema.table_constraints c
  ON c.table_catalog = t.table_catalog AND c.table_schema = t.table_schema AND c.table_name = t.table_name
 AND c.table_catalog = :catalog AND c.table_schema = :schema
LEFT JOIN system.information_schema.key_column_usage k
  ON k.table_catalog = c.table_catalog AND k.table_schema = c.table_schema AND k.table_name = c.table_name
 AND k.constraint_catalog = c.constraint_catalog AND k.constraint_schema = c.constraint_schema
 AND k.constraint_name = c.constraint_name AND k.table_catalog = :catalog AND k.table_schema = :schema
LEFT JOIN system.information_schema.columns n
  ON n.table_catalog = k.table_catalog AND n.table_schema = k.table_schema AND n.table_name = k.table_name
 AND n.column_name = k.column_name AND n.table_catalog = :catalog AND n.table_schema = :schema
WHERE t.table_catalog = :catalog AND t.table_schema = :schema
"""


class Key(NamedTuple):
    """A column of a key; None for what is not known."""

    kind: str
    column: str
    is_timeseries: bool | None
    nullable: bool | None


def told(
    estate: Estate,
    warehouse: Warehouse,
    tables: Iterable[str],
    owners: Mapping[str, object],
    ask: Callable[[str], list[Key]],
) -> dict[str, list[Key]]:
    """The keys of those tables of which a statement tells them all, by key of the table. `ask` asks the API about one."""
    of_schema: dict[str, list[str]] = {}
    for table in tables:
        of_schema.setdefault(table.rpartition(".")[0], []).append(table)
    schemas = [
        (schema, those)
        for schema, those in of_schema.items()
        if len(those) >= one_statement.FEWEST and _sees_all(estate, _catalog(schema), owners)
    ]
    found = one_statement.told(warehouse, schemas, lambda schema: _of_schema(warehouse, *schema, ask))
    shown = {_catalog(table) for table, keys in found.items() if keys}
    return {table: keys for table, keys in found.items() if keys or _catalog(table) in shown}


def _catalog(table: str) -> str:
    return table.partition(".")[0]


def _sees_all(estate: Estate, catalog: str, owners: Mapping[str, object]) -> bool:
    try:
        estate.rights.require_objects("catalog", catalog.partition("/")[2], owners.get(catalog))
    except SourceError:
        return False
    return True


def _of_schema(warehouse: Warehouse, schema: str, tables: Sequence[str], ask: Callable[[str], list[Key]]) -> dict[str, list[Key]]:
    """The keys of the tables of one schema. Raises a SourceError where statement and API do not agree."""
    catalog, _, name = schema.partition("/")[2].partition(".")
    of_table: dict[str, list[Row]] = {}
    for row in warehouse.rows(_STATEMENT, {"catalog": catalog, "schema": name}):
        of_table.setdefault(str(row["name"]).lower(), []).append(row)
    found: dict[str, list[Key]] = {}
    for table in tables:
        keys = _keys(of_table.get(table.rpartition(".")[2], []))
        if keys is not None:
            found[table] = keys
    for sample in one_statement.samples(found):
        said = ask(sample)
        if _without_time(said) != _without_time(found[sample]):
            raise Failed(f"{catalog}.{name}: the information schema tells other keys than the API")
        found[sample] = said
    return found


def _keys(rows: Sequence[Row]) -> list[Key] | None:
    """The keys of a table, in the order of their columns' names; None where they may not be all."""
    if not rows:
        return None
    found = list[Key]()
    for row in rows:
        if row["named"] is None and row["kind"] is None:
            continue  # a table without a constraint
        kind = (row["kind"] or "").upper().replace("_", " ")
        if kind == _NO_KEY:
            continue
        nullable = _NULLABLE.get((row["nullable"] or "").upper())
        if kind not in (PRIMARY, FOREIGN) or not row["field"] or nullable is None:
            return None
        found.append(Key(kind, row["field"], None if kind == PRIMARY else False, nullable))
    return sorted(found)


def _without_time(keys: Iterable[Key]) -> set[tuple[str, str, bool | None]]:
    return {(one.kind, one.column, one.nullable) for one in keys}
