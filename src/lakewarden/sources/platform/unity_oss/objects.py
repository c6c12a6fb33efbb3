"""Catalogs, external locations, schemas and tables of a server. Names are told apart by case in paths, as the server does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, CatalogTable, ExternalLocation, Schema
from lakewarden.sources.platform.databricks.rights import UNITY
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, name_of
from lakewarden.sources.platform.unity_oss.login import FAMILY, OWNER
from lakewarden.sources.platform.unity_oss.server import login, require_owner, securable
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.repository.sql.layers import layer_by_name

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

_VIEWS = frozenset({"VIEW", "MATERIALIZED_VIEW", "METRIC_VIEW"})
_UNBOUND = "open-source Unity Catalog binds no {} to workspaces, so nothing tells from where it is reached"
_REMEDY = "keep stages apart by grants, or by a server for each"


def collect(estate: Estate) -> None:
    """List what is in the metastore, down to the tables."""
    if login(estate) is None:
        return
    _catalogs(estate)
    if estate.wants("external_locations"):
        _locations(estate)
    if estate.wants("schemas", "catalog_tables", "models", "table_keys"):
        _schemas(estate)
    if estate.wants("catalog_tables", "table_keys"):
        _tables(estate)


def _catalogs(estate: Estate) -> None:
    path, kept = f"{UNITY}/catalogs", estate.kept.setdefault("catalogs", {})
    with estate.facts.listing("catalogs", plane=DEPLOYED, of=estate.metastore, origin=estate.at(path)):
        for row in estate.api.pages(path, "catalogs", {"max_results": 0}, family=FAMILY):
            name = name_of(row)
            key, at = f"{estate.metastore}/{name}", f"{path}/{name}"
            kept[key] = name
            _say_unbound(estate, "catalogs", "catalog", key)
            estate.add(
                Catalog(
                    key=key,
                    plane=DEPLOYED,
                    origin=estate.at(at),
                    name=name.lower(),
                    catalog_type="MANAGED",  # it has no others
                    storage_root=str(row.get("storage_root") or row.get("storage_location") or "none"),
                ),
                securable(estate, "catalog", key, name.lower(), row, at),
            )
        require_owner(estate, "catalogs")


def _say_unbound(estate: Estate, table: str, kind: str, key: str) -> None:
    reason, origin = _UNBOUND.format(kind.replace("_", " ")), estate.at("")
    estate.unexplained(table, key, reason, _REMEDY, origin)
    estate.facts.gap(Gap(Cause.UNRESOLVED, "bindings", reason, _REMEDY, DEPLOYED, None, key, origin))


def _locations(estate: Estate) -> None:
    path = f"{UNITY}/external-locations"
    with estate.facts.listing("external_locations", plane=DEPLOYED, of=estate.metastore, origin=estate.at(path)):
        for row in estate.api.pages(path, "external_locations", {"max_results": 0}, family=FAMILY):
            name = name_of(row)
            key, at = f"{estate.metastore}/location:{name}", f"{path}/{name}"
            _say_unbound(estate, "external_locations", "external_location", key)
            estate.add(
                ExternalLocation(key=key, plane=DEPLOYED, origin=estate.at(at), url=row.get("url")),
                securable(estate, "external_location", key, "none", row, at),
            )
        require_owner(estate, "external locations")


def _schemas(estate: Estate) -> None:
    path, kept = f"{UNITY}/schemas", estate.kept.setdefault("schemas", {})

    def ask(catalog: tuple[str, str]) -> list[dict[str, Any]]:
        query = {"catalog_name": catalog[1], "max_results": 0}
        return list(estate.api.pages(path, "schemas", query, family=FAMILY, right=f"USE CATALOG on {catalog[1]}"))

    for (of, catalog), answer in gather(ask, list(estate.kept["catalogs"].items())):
        origin = estate.at(f"{path}?catalog_name={catalog}")
        with estate.facts.listing("schemas", plane=DEPLOYED, of=of, origin=origin):
            for row in answer.get():
                full = f"{catalog}.{name_of(row)}"
                key = f"{estate.metastore}/{full}"
                kept[key] = full
                estate.add(
                    Schema(key=key, plane=DEPLOYED, origin=origin, catalog=catalog.lower()),
                    securable(estate, "schema", key, catalog.lower(), row, f"{path}/{full}"),
                )
            require_owner(estate, f"schemas of {catalog}")


def _tables(estate: Estate) -> None:
    path = f"{UNITY}/tables"

    def ask(schema: tuple[str, str]) -> list[dict[str, Any]]:
        catalog, _, name = schema[1].partition(".")
        query = {"catalog_name": catalog, "schema_name": name, "max_results": 0}
        return list(estate.api.pages(path, "tables", query, family=FAMILY, right=f"USE SCHEMA on {schema[1]}"))

    for (of, schema), answer in gather(ask, list(estate.kept["schemas"].items())):
        catalog = schema.partition(".")[0].lower()
        with estate.facts.listing("catalog_tables", plane=DEPLOYED, of=of, origin=estate.at(f"{path}?schema={schema}")):
            for row in answer.get():
                full = f"{schema}.{name_of(row)}"
                key, origin, kind = f"{estate.metastore}/{full}", estate.at(f"{path}/{full}"), row.get("table_type")
                layer = layer_by_name(tuple(full.lower().split(".")))
                if layer == "feature" and kind not in _VIEWS:
                    reason = f"open-source Unity Catalog keeps no keys of tables, such as {full}"
                    estate.facts.gap(Gap(Cause.UNRESOLVED, "table_keys", reason, "", DEPLOYED, None, key, origin))
                estate.add(
                    CatalogTable(
                        key=key,
                        plane=DEPLOYED,
                        origin=origin,
                        name=full.lower(),
                        catalog=catalog,
                        table_type=kind,
                        format="none" if kind in _VIEWS else row.get("data_source_format"),
                        layer=layer,
                        layer_by="name",
                        declared_in="none",
                    ),
                    securable(estate, "table", key, catalog, row, f"{path}/{full}"),
                )
            require_owner(estate, f"tables of {schema}")


COLLECTOR = Collector(
    "Unity Catalog objects",
    frozenset({"catalogs", "external_locations", "bindings", "schemas", "catalog_tables", "table_keys", "securables"}),
    tuple(
        Need(f"Unity Catalog OSS: GET /api/2.1/unity-catalog/{name}", OWNER)
        for name in ("catalogs", "external-locations", "schemas", "tables")
    ),
    collect,
)
