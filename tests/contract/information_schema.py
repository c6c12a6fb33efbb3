"""`system.information_schema`, with the columns that Databricks documents, as one principal sees it."""

from __future__ import annotations

import datetime as dt
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.contract.visibility import bound, chain, identities, named, reads_grants, sees

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.estate import Estate
    from tests.contract.store import Json
    from tests.contract.visibility import Principal

_View: TypeAlias = "tuple[list[str], Callable[[Estate, Principal], list[list[Any]]]]"

#: Catalog, or catalog and schema, that a query is about; empty for one about everything.
WITHIN: ContextVar[tuple[str, ...]] = ContextVar("within", default=())

_DATED = ["comment", "created", "created_by", "last_altered", "last_altered_by"]
_STORED = ["data_source_format", "storage_sub_directory", "storage_path"]
_PRIVILEGE = ["privilege_type", "is_grantable", "inherited_from"]
# What a container's privilege says of the container only.
_CONTAINER = {
    "schema": {"USE_CATALOG", "CREATE_SCHEMA", "CREATE_CATALOG"},
    "table": {
        "USE_CATALOG",
        "USE_SCHEMA",
        "CREATE_SCHEMA",
        "CREATE_TABLE",
        "CREATE_MODEL",
        "CREATE_FUNCTION",
        "CREATE_VOLUME",
        "EXECUTE",
    },
}


def _seen(estate: Estate, who: Principal, kind: str, rows: str) -> Iterator[Json]:
    if not estate.knows(rows):
        return
    within = WITHIN.get()
    for parent in estate.parents(rows):
        above = tuple(parent.split(".")) if parent else ()
        if above[: len(within)] != within[: len(above)]:
            continue
        for row in estate.under(rows, parent):
            name = row.get("full_name") or row["name"]
            here = kind not in {"catalog", "schema", "table"} or bound(estate, name.partition(".")[0])
            if here and sees(estate, who, kind, name):
                yield row


def _dated(row: Json) -> list[Any]:
    created, altered = _time(row.get("created_at")), _time(row.get("updated_at"))
    return [row.get("comment"), created, row.get("created_by"), altered, row.get("updated_by")]


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _catalogs(estate: Estate, who: Principal) -> list[list[Any]]:
    return [[row["name"], row.get("owner"), *_dated(row)] for row in _seen(estate, who, "catalog", "catalogs")]


def _schemata(estate: Estate, who: Principal) -> list[list[Any]]:
    return [[row["catalog_name"], row["name"], row.get("owner"), *_dated(row)] for row in _seen(estate, who, "schema", "schemas")]


def _place(row: Json) -> list[str]:
    return [row["catalog_name"], row["schema_name"], row["name"]]


def _tables(estate: Estate, who: Principal) -> list[list[Any]]:
    return [
        [
            *_place(row),
            row.get("table_type"),
            "YES",
            "PRESERVE",
            row.get("owner"),
            *_dated(row),
            row.get("data_source_format"),
            None,
            row.get("storage_location"),
        ]
        for row in _seen(estate, who, "table", "tables")
    ]


def _columns(estate: Estate, who: Principal) -> list[list[Any]]:
    return [
        [
            *_place(row),
            column["name"],
            column.get("position"),
            None,
            "YES" if column.get("nullable", True) else "NO",
            column.get("type_text"),
            column.get("type_name"),
            None,
        ]
        for row in _seen(estate, who, "table", "tables")
        for column in row.get("columns", ())
    ]


def _constraints(estate: Estate, who: Principal) -> list[list[Any]]:
    return [
        [*_place(row)[:2], one["name"], *_place(row), kind, "NO", "NO", "NO", None]
        for row in _seen(estate, who, "table", "tables")
        for kind, one in _keys(row)
    ]


def _key_columns(estate: Estate, who: Principal) -> list[list[Any]]:
    return [
        [*_place(row)[:2], one["name"], *_place(row), column, at, None]
        for row in _seen(estate, who, "table", "tables")
        for _, one in _keys(row)
        for at, column in enumerate(one["child_columns"], 1)
    ]


def _keys(row: Json) -> Iterator[tuple[str, Json]]:
    for one in row.get("table_constraints", ()):
        for field, kind in (("primary_key_constraint", "PRIMARY KEY"), ("foreign_key_constraint", "FOREIGN KEY")):
            if field in one:
                yield kind, one[field]


def _locations(estate: Estate, who: Principal) -> list[list[Any]]:
    return [
        [row["name"], row.get("owner"), row.get("url"), row.get("credential_name"), "NO", *_dated(row)]
        for row in _seen(estate, who, "external_location", "external_locations")
    ]


def _privileges(kind: str, rows: str, place: Callable[[Json], list[str]]) -> Callable[[Estate, Principal], list[list[Any]]]:
    def made(estate: Estate, who: Principal) -> list[list[Any]]:
        own = identities(estate, who)
        found: list[list[Any]] = []
        for row in _seen(estate, who, kind, rows):
            name = row.get("full_name") or row["name"]
            whole = _whole(estate, who, kind, name, own)
            for above in chain(estate, kind, name):
                if above[0] == "metastore":
                    continue
                source = "NONE" if above == (kind, name) else above[0].upper()
                for grant in estate.grants.get(above, ()):
                    if not whole and grant.get("principal") not in own:
                        continue
                    kept = [
                        one for one in grant["privileges"] if source == "NONE" or named(one) not in _CONTAINER.get(kind, set())
                    ]
                    grantee = grant.get("principal") or ""
                    found += [[row.get("owner"), grantee, *place(row), one, "NO", source] for one in kept]
        return found

    return made


def _whole(estate: Estate, who: Principal, kind: str, name: str, own: frozenset[str]) -> bool:
    # MANAGE is not enough here, although it is in the REST API: Databricks' own pages say so.
    if who.metastore_admin or any(estate.owner(*place) in own for place in chain(estate, kind, name)):
        return True
    held = {
        named(one)
        for place in chain(estate, kind, name)
        for grant in estate.grants.get(place, ())
        if grant.get("principal") in own
        for one in grant["privileges"]
    }
    return "MANAGE" not in held and reads_grants(estate, who, kind, name)


def _tags(entity: str) -> Callable[[Estate, Principal], list[list[Any]]]:
    def made(estate: Estate, who: Principal) -> list[list[Any]]:
        kind = entity.removesuffix("s")
        return [
            [*name.split("."), row["tag_key"], row.get("tag_value")]
            for parent in (estate.parents("entity_tags") if estate.knows("entity_tags") else ())
            for of, _, name in [parent.partition("/")]
            if of == entity and sees(estate, who, kind, name)
            for row in estate.under("entity_tags", parent)
        ]

    return made


_TABLE = ["table_catalog", "table_schema", "table_name"]
_CONSTRAINT = ["constraint_catalog", "constraint_schema", "constraint_name", *_TABLE]
_GRANTED = ["grantor", "grantee"]

VIEWS: dict[str, _View] = {
    "catalogs": (["catalog_name", "catalog_owner", *_DATED], _catalogs),
    "schemata": (["catalog_name", "schema_name", "schema_owner", *_DATED], _schemata),
    "tables": (
        [*_TABLE, "table_type", "is_insertable_into", "commit_action", "table_owner", *_DATED, *_STORED],
        _tables,
    ),
    "columns": (
        [*_TABLE, "column_name", "ordinal_position", "column_default", "is_nullable", "full_data_type", "data_type", "comment"],
        _columns,
    ),
    "table_constraints": (
        [*_CONSTRAINT, "constraint_type", "is_deferrable", "initially_deferred", "enforced", "comment"],
        _constraints,
    ),
    "key_column_usage": ([*_CONSTRAINT, "column_name", "ordinal_position", "position_in_unique_constraint"], _key_columns),
    "external_locations": (
        ["external_location_name", "external_location_owner", "url", "storage_credential_name", "read_only", *_DATED],
        _locations,
    ),
    "catalog_privileges": (
        [*_GRANTED, "catalog_name", *_PRIVILEGE],
        _privileges("catalog", "catalogs", lambda row: [row["name"]]),
    ),
    "schema_privileges": (
        [*_GRANTED, "catalog_name", "schema_name", *_PRIVILEGE],
        _privileges("schema", "schemas", lambda row: [row["catalog_name"], row["name"]]),
    ),
    "table_privileges": ([*_GRANTED, *_TABLE, *_PRIVILEGE], _privileges("table", "tables", _place)),
    "external_location_privileges": (
        [*_GRANTED, "external_location_name", *_PRIVILEGE],
        _privileges("external_location", "external_locations", lambda row: [row["name"]]),
    ),
    "catalog_tags": (["catalog_name", "tag_name", "tag_value"], _tags("catalogs")),
    "schema_tags": (["catalog_name", "schema_name", "tag_name", "tag_value"], _tags("schemas")),
    "table_tags": (["catalog_name", "schema_name", "table_name", "tag_name", "tag_value"], _tags("tables")),
}
