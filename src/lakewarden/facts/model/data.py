"""Catalogs, tables and how code reaches them."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Catalog(Fact, table="catalogs", place="name", listed_by={"metastores": {}}):
    """A catalog. Live keys: metastore/catalog; declared keys: project/target/catalog."""

    name: str | None = None
    """Its name, in lower case."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    catalog_type: str | None = None
    """`MANAGED`, `FOREIGN`, `DELTASHARING`, `SYSTEM`, …"""
    isolation_mode: str | None = None
    """`OPEN` or `ISOLATED`."""
    storage_root: str | None = None
    """URL of the storage that holds its managed data; `none` where it has none of its own."""


class Binding(Fact, table="bindings", parents={"securable": "securables"}, place="workspace"):
    """A workspace from which a catalog or an external location can be reached. Key: securable/workspace."""

    securable: str
    """Key of the securable."""
    workspace: str | None = None
    """URL of the workspace."""
    binding_type: str | None = None
    """`BINDING_TYPE_READ_WRITE` or `BINDING_TYPE_READ_ONLY`."""


class ExternalLocation(Fact, table="external_locations", listed_by={"metastores": {}}):
    """A storage path under governance. Live keys: metastore/name."""

    url: str | None = None
    """URL of the storage."""
    serves_production: bool | None = None
    """Does it hold the storage of a production catalog?"""
    isolation_mode: str | None = None
    """`ISOLATION_MODE_OPEN` or `ISOLATION_MODE_ISOLATED`."""


class Schema(Fact, table="schemas", place="catalog", listed_by={"catalogs": {"catalog": "name"}}):
    """A schema. Live keys: metastore/catalog.schema; declared keys: project/target/catalog.schema."""

    catalog: str | None = None
    """Name of its catalog, in lower case."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""


class CatalogTable(Fact, table="catalog_tables", place="catalog", listed_by={"schemas": {"catalog": "catalog"}}):
    """A table or view of Unity Catalog. Live keys: metastore/catalog.schema.table; declared keys: project/catalog.schema.table."""

    name: str | None = None
    """Its three-level name, in lower case."""
    catalog: str | None = None
    """Name of its catalog, in lower case."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    table_type: str | None = None
    """`MANAGED`, `EXTERNAL`, `VIEW`, `MATERIALIZED_VIEW`, `STREAMING_TABLE`, `METRIC_VIEW`, `FOREIGN`."""
    format: str | None = None
    """`DELTA`, `ICEBERG`, `PARQUET`, …; `none` for views."""
    layer: str | None = None
    """`raw`, `feature`, `label`, `prediction`, `monitor` or `other`."""
    layer_by: str | None = None
    """What tells its layer: `use`, as of a table that features are looked up in, or its `name`."""
    declared_in: str | None = None
    """`terraform` or `code`; `none` on other planes."""


class TableKey(Fact, table="table_keys", parents={"catalog_table": "catalog_tables"}):
    """A column of a key of a table. Key: table/column."""

    catalog_table: str
    """Key of the table."""
    kind: str | None = None
    """`PRIMARY KEY` or `FOREIGN KEY`."""
    is_timeseries: bool | None = None
    """Is the column the time of a time-series key?"""
    nullable: bool | None = None
    """May the column be NULL?"""


class TableAccess(Fact, table="table_access", parents={"file": "files"}):
    """A read or write of data in code. Key: project/path#ordinal."""

    file: str
    """Key of the file."""
    access: str | None = None
    """`read`, `write` or `drop`."""
    address: str | None = None
    """How the data is named: `table` (a name), `hive_metastore`, `volume`, `sample` (what Databricks ships), `mount`,
    `dbfs`, `cloud`, `path` (any other) or `local`."""
    name: str | None = None
    """The table's name or the path, as far as it could be resolved."""
    format: str | None = None
    """`delta`, `parquet`, `csv`, …; `default` where the code names none."""
    is_feature: bool | None = None
    """Is it a feature table?"""
    recreated: bool | None = None
    """For a drop: is the table created again in the same file?"""


class StageWrite(
    Fact,
    table="stage_writes",
    place="place",
    derived={"catalog_stage": ("stage_of_name", "catalog")},
    listed_by={"workspaces": {"place": "key"}},
    observed=True,
):
    """A write of a table, in the stage where it runs: code resolved for a target, or lineage. Key: place/table/ordinal, of
    lineage place/table/entity/actor.
    """

    place: str | None = None
    """The key of a target, or the URL of a workspace."""
    table_name: str | None = None
    """The table's three-level name."""
    catalog: str | None = None
    """Name of its catalog, in lower case."""
    entity_type: str | None = None
    """What wrote: `JOB`, `PIPELINE`, `NOTEBOOK`, `DBSQL_QUERY`; `none` for lineage without an entity."""
    actor_kind: str | None = None
    """Who wrote: `service_principal`, `user`, `system`."""
