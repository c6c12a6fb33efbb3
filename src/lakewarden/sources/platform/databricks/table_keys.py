"""Keys of feature tables: by the answer about one table, since lists leave them out (SDK, `tables.list`), or with a SQL
warehouse by one statement for a schema, which tells all but the time column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import TableKey
from lakewarden.sources.platform.databricks import schema_keys
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.databricks.schema_keys import FOREIGN, PRIMARY, Key
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.sources.platform.estate import Estate

_FIELDS = (("primary_key_constraint", PRIMARY), ("foreign_key_constraint", FOREIGN))


def collect(estate: Estate, features: Iterable[str], owners: Mapping[str, object]) -> None:
    """Read the keys of these tables, which are given by their own keys."""

    def ask(key: str) -> list[Key]:
        return _ask(estate, key)

    unread = [key for key in dict.fromkeys(features) if not estate.is_whole("table_keys", key)]
    told = schema_keys.told(estate, estate.warehouse, unread, owners, ask) if estate.warehouse is not None else {}
    for key, keys in told.items():
        with estate.facts.listing("table_keys", plane=DEPLOYED, of=key, origin=estate.at(_path(key))):
            _write(estate, key, keys)
    for key, answer in gather(ask, [key for key in unread if key not in told]):
        with estate.facts.listing("table_keys", plane=DEPLOYED, of=key, origin=estate.at(_path(key))):
            _write(estate, key, answer.get())


def _path(key: str) -> str:
    return f"{UNITY}/tables/{key.partition('/')[2]}"


def _ask(estate: Estate, key: str) -> list[Key]:
    said = estate.api.get(_path(key), {"include_browse": "true"}, family=FAMILY)
    nullable = {column.get("name"): column.get("nullable", True) for column in said.get("columns") or ()}
    return [
        Key(kind, column, column in (found.get("timeseries_columns") or ()), nullable.get(column))
        for constraint in said.get("table_constraints") or ()
        for field, kind in _FIELDS
        if (found := constraint.get(field)) is not None
        for column in found.get("child_columns") or ()
    ]


def _write(estate: Estate, table: str, keys: Iterable[Key]) -> None:
    origin = estate.at(_path(table))
    for one in keys:
        key = f"{table}/{one.kind}/{one.column}"
        estate.add(
            TableKey(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                catalog_table=table,
                kind=one.kind,
                is_timeseries=one.is_timeseries,
                nullable=one.nullable,
            )
        )
        if one.is_timeseries is None:
            reason = "the information schema does not tell whether a column of a primary key is its time"
            gap = Gap(Cause.NOT_ASKED, "table_keys", reason, "run without --warehouse", DEPLOYED, parent=key, origin=origin)
            estate.facts.gap(gap._replace(value=True))
