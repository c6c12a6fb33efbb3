"""A synthetic estate of realistic shape, as a snapshot of what collectors write."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from lakewarden.facts import snapshot
from lakewarden.facts.fact import TABLES
from lakewarden.facts.model.data import Catalog, CatalogTable, Schema, TableKey
from lakewarden.facts.model.identity import Grant, Securable
from lakewarden.facts.model.live import GroupMember, Metastore, Principal, Workspace
from lakewarden.facts.model.registry import Model, ModelAlias, ModelVersion
from lakewarden.facts.origin import Origin
from lakewarden.policy.model import EnvironmentPolicy, Policy
from lakewarden.sources.platform.audit import filled_by_collectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from lakewarden.facts.fact import Fact

METASTORE = "5f1c0a52-9d1e-4c44-8d0b-0a9b8b1f7c11"
_URL = "https://adb-1.azuredatabricks.net"
_TIME = "2026-11-01T00:00:00Z"
_CATALOGS, _SCHEMAS, _GROUPS = 40, 50, 5_000
_LIVE = "deployed"
#: Lists that collectors read to their end parent by parent; the others are told whole here.
_BY_PARENT = frozenset({"grants", "table_keys", "model_version_tags"})

#: Half of the catalogs are production.
POLICY = Policy(
    environments={
        "production": EnvironmentPolicy(
            workspaces=(_URL,), catalogs=tuple(f"c{number}" for number in range(_CATALOGS) if number < _CATALOGS // 2)
        ),
        "development": EnvironmentPolicy(catalogs=tuple(f"c{number}" for number in range(_CATALOGS) if number >= _CATALOGS // 2)),
    }
)


def write(path: Path, tables: int, grants_of_each: int) -> None:
    """Write a snapshot of `tables` tables in 40 catalogs of 50 schemas each, every list read to its end. Each table has
    `grants_of_each` effective grants to groups: one of catalog, one of schema, the others its own. A model for each hundred
    tables, with ten versions.
    """
    filled = tuple(sorted(filled_by_collectors()))
    header = snapshot.Header("benchmark", (_URL,), _TIME, _TIME, filled, filled, {})
    rows = map(snapshot.row_record, _facts(tables, max(0, grants_of_each - 2)))
    snapshot.write_records(path, header, chain(rows, _lists(tables)))


def _facts(tables: int, grants: int) -> Iterator[Fact]:
    """Table by table in the order of keys, as in any snapshot."""
    by_name = _tables(tables)
    models = sorted(_name(number, "model") for number in range(tables // 100))
    containers = sorted([*_catalogs(), *_schemas()])
    for name in _catalogs():
        key, _, origin = _at(name)
        yield Catalog(key=key, plane=_LIVE, origin=origin, name=name, catalog_type="MANAGED", isolation_mode="ISOLATED")
    for number in range(_GROUPS):
        group = f"group:team-{number}"
        key = f"{_URL}/{group}"
        member = f"user:person{number}@example.com" if number % 50 == 0 else "service_principal:jobs"
        yield Principal(key=key, plane=_LIVE, principal=group, members_known=True)
        yield GroupMember(key=f"{key}/{member}", plane=_LIVE, group_key=key, member=member)
    yield from (_table(name, number) for name, number in by_name)
    yield from (TableKey(key=f"{METASTORE}/{name}/id", plane=_LIVE, catalog_table=f"{METASTORE}/{name}", kind="PRIMARY KEY",
                is_timeseries=False, nullable=False) for name, number in by_name if number % 3 == 0)  # fmt: skip
    for name, number in by_name:
        yield from _grants(name, [(number * 7 + other) % _GROUPS for other in range(grants)])
    yield from (grant for name in (*containers, *models) for grant in _grants(name, [len(name)]))
    yield Metastore(key=METASTORE, plane=_LIVE)
    for name in models:
        yield from _model(name)
    for name in _schemas():
        key, catalog, origin = _at(name)
        yield Schema(key=key, plane=_LIVE, origin=origin, catalog=catalog)
    for kind, names in (("schema", containers), ("model", models), ("table", (name for name, _ in by_name))):
        yield from (_securable(name, kind if "." in name else "catalog") for name in names)
    yield Workspace(key=_URL, plane=_LIVE, metastore=METASTORE, number="1")


def _lists(tables: int) -> Iterator[list[Any]]:
    yield from (["list", name, _LIVE, None, None] for name in TABLES if name not in _BY_PARENT and name in filled_by_collectors())
    models = [f"{METASTORE}/{_name(number, 'model')}" for number in range(tables // 100)]
    for key in chain((f"{METASTORE}/{name}" for name in (*_catalogs(), *_schemas())), models):
        yield ["list", "grants", _LIVE, None, key]
    yield from (["list", "model_version_tags", _LIVE, None, f"{key}/{version}"] for key in models for version in range(1, 11))
    for name, _ in _tables(tables):
        yield ["list", "grants", _LIVE, None, f"{METASTORE}/{name}"]
        yield ["list", "table_keys", _LIVE, None, f"{METASTORE}/{name}"]


def _catalogs() -> list[str]:
    return sorted(f"c{number}" for number in range(_CATALOGS))


def _schemas() -> list[str]:
    return [f"{catalog}.schema_{number}" for catalog in _catalogs() for number in range(_SCHEMAS)]


def _name(number: int, kind: str) -> str:
    return f"c{number % _CATALOGS}.schema_{number // _CATALOGS % _SCHEMAS}.{kind}_{number}"


def _tables(number: int) -> list[tuple[str, int]]:
    return sorted((_name(one, "table"), one) for one in range(number))


def _at(name: str) -> tuple[str, str, Origin]:
    """The key of an object, its catalog and where it was read."""
    url = f"{_URL}/api/2.1/unity-catalog/permissions/table/{name}"
    return f"{METASTORE}/{name}", name.partition(".")[0], Origin(url=url, time=_TIME)


def _securable(name: str, kind: str) -> Securable:
    key, catalog, origin = _at(name)
    return Securable(
        key=key,
        plane=_LIVE,
        origin=origin,
        kind=kind,
        catalog=catalog,
        named=catalog,
        declared_in="none",
        owner="ml-owners",
        owner_kind="group",
    )


def _grants(name: str, groups: list[int]) -> Iterator[Grant]:
    key, catalog, origin = _at(name)
    for group in sorted(groups, key=str):
        privilege = "MODIFY" if group % 997 == 0 else "SELECT"
        yield Grant(
            key=f"{key}/group:team-{group}/{privilege}",
            plane=_LIVE,
            origin=origin,
            securable=key,
            catalog=catalog,
            named=catalog,
            principal=f"group:team-{group}",
            principal_kind="group",
            privilege=privilege,
        )


def _table(name: str, number: int) -> CatalogTable:
    key, catalog, origin = _at(name)
    return CatalogTable(
        key=key,
        plane=_LIVE,
        origin=origin,
        name=name,
        catalog=catalog,
        table_type="MANAGED",
        format="PARQUET" if number % 50 == 0 else "DELTA",
        layer="feature" if number % 3 == 0 else "raw",
        layer_by="use",
        declared_in="none",
    )


def _model(name: str) -> Iterator[Fact]:
    key, catalog, origin = _at(name)
    yield Model(key=key, plane=_LIVE, origin=origin, name=name, catalog=catalog, registry="unity_catalog", consumed=True)
    for version in range(1, 11):
        yield ModelVersion(
            key=f"{key}/{version}",
            plane=_LIVE,
            origin=origin,
            model=key,
            catalog=catalog,
            status="READY",
            run_workspace=_URL,
            copied_from="none",
            copied_catalog="none",
            created_by="service_principal:jobs",
            has_signature=True,
            has_description=True,
        )
    yield ModelAlias(
        key=f"{key}@champion",
        plane=_LIVE,
        origin=origin,
        model=key,
        catalog=catalog,
        alias="champion",
        version_key=f"{key}/10",
    )
