"""Schemas and tables, and which of these hold features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import CatalogTable, Schema
from lakewarden.sources.platform.databricks import table_keys
from lakewarden.sources.platform.databricks.catalogs import securable
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, name_of
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.repository.sql.layers import layer_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

#: Catalogs of the platform: nobody's data.
_PLATFORM = frozenset({"system", "samples", "__databricks_internal"})
#: Schemas that hold views on metadata alone.
_METADATA = frozenset({"information_schema"})
_VIEWS = frozenset({"VIEW", "MATERIALIZED_VIEW", "METRIC_VIEW"})
_TYPES = _VIEWS | {"MANAGED", "EXTERNAL", "FOREIGN", "STREAMING_TABLE"}
#: A shallow clone has data of its own as soon as somebody writes to it: it is judged as the table that it becomes.
_CLONE = "_SHALLOW_CLONE"


def collect(estate: Estate) -> None:
    """List the schemas of every catalog and, where a rule asks about them, the tables of every schema."""
    if estate.metastore in (None, "none"):
        return
    catalogs = [row for row in estate.facts.rows["catalogs"] if _is_here(estate, row)]
    owners = {row.key: row.__dict__.get("owner") for row in estate.facts.rows["securables"]}
    _schemas(estate, catalogs, owners)
    if estate.wants("catalog_tables", "table_keys"):
        schemas = [row for row in estate.facts.rows["schemas"] if _is_here(estate, row)]
        features = [*_taken_over(estate), *_tables(estate, schemas, owners)]
        estate.facts.otherwise(
            Gap(Cause.NOT_ASKED, "table_keys", "keys are read of feature tables only", plane=DEPLOYED),
        )
        if estate.wants("table_keys"):
            table_keys.collect(estate, features, owners)


def _is_here(estate: Estate, row: Fact) -> bool:
    return row.plane == DEPLOYED and row.key.startswith(f"{estate.metastore}/")


def _taken_over(estate: Estate) -> list[str]:
    """The key of each feature table that is known already: its keys may not have been read yet."""
    return [
        row.key
        for row in estate.facts.rows["catalog_tables"]
        if _is_here(estate, row) and row.__dict__["layer"] == "feature" and row.__dict__.get("table_type") not in _VIEWS
    ]


def _schemas(estate: Estate, catalogs: list[Fact], owners: dict[str, Any]) -> None:
    def ask(catalog: Fact) -> list[dict[str, Any]]:
        query = {"catalog_name": catalog.__dict__["name"], "include_browse": "true", "max_results": 0}
        found = list(estate.api.pages(f"{UNITY}/schemas", "schemas", query, family=FAMILY))
        if catalog.__dict__["name"] not in _PLATFORM:
            estate.rights.require_objects("catalog", catalog.__dict__["name"], owners.get(catalog.key))
        return found

    # A catalog is out of reach of workspaces that it is not bound to: one that reaches it is enough.
    for catalog, answer in gather(ask, [one for one in catalogs if not estate.is_whole("schemas", one.key)]):
        name = catalog.__dict__["name"]
        origin = estate.at(f"{UNITY}/schemas?catalog_name={name}")
        with estate.facts.listing("schemas", plane=DEPLOYED, of=catalog.key, origin=origin):
            for row in answer.get():
                full = f"{name}.{name_of(row).lower()}"
                key = f"{estate.metastore}/{full}"
                if name_of(row).lower() not in _METADATA:
                    estate.add(
                        Schema(key=key, plane=DEPLOYED, origin=origin, catalog=name),
                        securable(estate, "schema", key, name, row, f"{UNITY}/schemas/{full}"),
                    )


def _tables(estate: Estate, schemas: list[Fact], owners: dict[str, Any]) -> Iterator[str]:
    """Write the tables; give the key of each feature table."""

    def ask(schema: Fact) -> list[dict[str, Any]]:
        catalog, _, name = schema.key.partition("/")[2].partition(".")
        query = {"catalog_name": catalog, "schema_name": name, "include_browse": "true", "omit_columns": "true"}
        found = estate.api.pages(
            f"{UNITY}/tables", "tables", {**query, "omit_properties": "true", "max_results": 0}, family=FAMILY
        )
        return list(found)

    for schema, answer in gather(ask, [one for one in schemas if not estate.is_whole("catalog_tables", one.key)]):
        of = schema.key.partition("/")[2]
        catalog, _, name = of.partition(".")
        path = f"{UNITY}/tables?catalog_name={catalog}&schema_name={name}"
        with estate.facts.listing("catalog_tables", plane=DEPLOYED, of=schema.key, origin=estate.at(path)):
            for row in answer.get():
                full = f"{of}.{name_of(row).lower()}"
                key = f"{estate.metastore}/{full}"
                layer = layer_by_name(tuple(full.split(".")))
                kind = _type_of(estate, key, row)
                estate.add(
                    CatalogTable(
                        key=key,
                        plane=DEPLOYED,
                        origin=estate.at(f"{UNITY}/tables/{full}"),
                        name=full,
                        catalog=catalog,
                        table_type=kind,
                        format="none" if kind in _VIEWS else row.get("data_source_format"),
                        layer=layer,
                        layer_by="name",
                        declared_in="none",
                    ),
                    securable(estate, "table", key, catalog, row, f"{UNITY}/tables/{full}"),
                )
                if layer == "feature" and kind not in _VIEWS:
                    yield key
            if catalog not in _PLATFORM:
                estate.rights.require_objects("catalog", catalog, owners.get(f"{estate.metastore}/{catalog}"))


def _type_of(estate: Estate, key: str, row: dict[str, Any]) -> str | None:
    """The type of a table; None for one that is not known here, which may be of any kind."""
    told = str(row.get("table_type") or "").upper().removesuffix(_CLONE)
    if told in _TYPES:
        return told
    said = f"is of type {told}, which is not known here" if told else "came without its type"
    origin = estate.at(f"{UNITY}/tables/{key.partition('/')[2]}")
    estate.unexplained("catalog_tables", key, f"table {key.partition('/')[2]} {said}", "update lakewarden", origin)
    return None


COLLECTOR = Collector(
    "tables",
    frozenset({"schemas", "catalog_tables", "table_keys", "securables"}),
    (
        Need("GET /api/2.1/unity-catalog/schemas", "BROWSE on the catalog"),
        Need("GET /api/2.1/unity-catalog/tables", "BROWSE on the catalog"),
        Need("GET /api/2.1/unity-catalog/tables/{full_name}", "BROWSE on the catalog; one request for each feature table"),
        Need("POST /api/2.0/sql/statements", "with --warehouse: CAN USE on it; one statement for the feature tables of a schema"),
    ),
    collect,
)
