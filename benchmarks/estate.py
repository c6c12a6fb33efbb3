"""A synthetic estate of realistic shape, as the facts that collectors write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.model.data import Catalog, CatalogTable, Schema, TableKey
from lakewarden.facts.model.identity import Grant, Securable
from lakewarden.facts.model.live import GroupMember, Metastore, Principal, Workspace
from lakewarden.facts.model.registry import Model, ModelAlias, ModelVersion
from lakewarden.facts.origin import Origin
from lakewarden.policy.model import EnvironmentPolicy, Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

METASTORE = "5f1c0a52-9d1e-4c44-8d0b-0a9b8b1f7c11"
_URL = "https://adb-1.azuredatabricks.net"
_CATALOGS, _SCHEMAS, _GROUPS = 40, 50, 5_000
_LIVE = "deployed"

#: Half of the catalogs are production.
POLICY = Policy(
    environments={
        "production": EnvironmentPolicy(
            workspaces=(_URL,), catalogs=tuple(f"c{number}" for number in range(_CATALOGS) if number < _CATALOGS // 2)
        ),
        "development": EnvironmentPolicy(catalogs=tuple(f"c{number}" for number in range(_CATALOGS) if number >= _CATALOGS // 2)),
    }
)


def collected(tables: int, grants_of_each: int) -> Facts:
    """The facts of `tables` tables in 40 catalogs of 50 schemas each, every list read to its end. Each table has
    `grants_of_each` effective grants to groups: one of catalog, one of schema, the others its own. A model for each hundred
    tables, with ten versions.
    """
    facts = Facts()
    with facts.listing(*TABLES, plane=_LIVE):
        facts.add(Workspace(key=_URL, plane=_LIVE, metastore=METASTORE, number="1"), Metastore(key=METASTORE, plane=_LIVE))
        for number in range(_GROUPS):
            group = f"group:team-{number}"
            key = f"{_URL}/{group}"
            member = f"user:person{number}@example.com" if number % 50 == 0 else "service_principal:jobs"
            facts.add(
                Principal(key=key, plane=_LIVE, principal=group, members_known=True),
                GroupMember(key=f"{key}/{member}", plane=_LIVE, group_key=key, member=member),
            )
        for number in range(_CATALOGS):
            _catalog(facts, f"c{number}")
        for number in range(tables):
            _table(facts, number, max(0, grants_of_each - 2))
        for number in range(tables // 100):
            _model(facts, number)
    return facts


def _at(name: str) -> tuple[str, str, Origin]:
    """The key of an object, its catalog and where it was read."""
    url = f"{_URL}/api/2.1/unity-catalog/permissions/table/{name}"
    return f"{METASTORE}/{name}", name.partition(".")[0], Origin(url=url, time="2026-11-01T00:00:00Z")


def _secured(facts: Facts, kind: str, name: str, groups: Iterator[int]) -> None:
    key, catalog, origin = _at(name)
    facts.add(
        Securable(
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
    )
    for group in groups:
        privilege = "MODIFY" if group % 997 == 0 else "SELECT"
        facts.add(
            Grant(
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
        )


def _catalog(facts: Facts, name: str) -> None:
    key, _, origin = _at(name)
    facts.add(Catalog(key=key, plane=_LIVE, origin=origin, name=name, catalog_type="MANAGED", isolation_mode="ISOLATED"))
    _secured(facts, "catalog", name, iter((1,)))
    for number in range(_SCHEMAS):
        schema = f"{name}.schema_{number}"
        key, catalog, origin = _at(schema)
        facts.add(Schema(key=key, plane=_LIVE, origin=origin, catalog=catalog))
        _secured(facts, "schema", schema, iter((number + 2,)))


def _table(facts: Facts, number: int, grants: int) -> None:
    name = f"c{number % _CATALOGS}.schema_{number // _CATALOGS % _SCHEMAS}.table_{number}"
    key, catalog, origin = _at(name)
    facts.add(
        CatalogTable(
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
    )
    if number % 3 == 0:
        key_column = TableKey(
            key=f"{key}/id", plane=_LIVE, catalog_table=key, kind="PRIMARY KEY", is_timeseries=False, nullable=False
        )
        facts.add(key_column)
    _secured(facts, "table", name, ((number * 7 + other) % _GROUPS for other in range(grants)))


def _model(facts: Facts, number: int) -> None:
    name = f"c{number % _CATALOGS}.schema_{number // _CATALOGS % _SCHEMAS}.model_{number}"
    key, catalog, origin = _at(name)
    facts.add(Model(key=key, plane=_LIVE, origin=origin, name=name, catalog=catalog, registry="unity_catalog", consumed=True))
    _secured(facts, "model", name, iter((number % _GROUPS,)))
    for version in range(1, 11):
        facts.add(
            ModelVersion(
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
        )
    facts.add(
        ModelAlias(
            key=f"{key}@champion",
            plane=_LIVE,
            origin=origin,
            model=key,
            catalog=catalog,
            alias="champion",
            version_key=f"{key}/10",
        )
    )
