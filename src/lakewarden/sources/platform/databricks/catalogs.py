"""Catalogs, external locations, and the workspaces that they are bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.estate.apart import READ_IT_TOO, outside
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Binding, Catalog, ExternalLocation
from lakewarden.facts.model.identity import Securable
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, name_of
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

#: `MANAGED_CATALOG` and the like, as rules write them.
_SUFFIX = "_CATALOG"
#: The types of catalogs (SDK, `CatalogType`).
_TYPES = frozenset({"MANAGED", "FOREIGN", "DELTASHARING", "SYSTEM", "INTERNAL", "MANAGED_ONLINE"})


def collect(estate: Estate) -> None:
    """List catalogs and external locations of the metastore, each with its bindings."""
    if estate.metastore in (None, "none"):
        return
    catalogs = _catalogs(estate)
    locations = _locations(estate) if estate.wants("external_locations") else []
    reason = "bindings are read of catalogs and external locations only"
    estate.facts.otherwise(Gap(Cause.NOT_ASKED, "bindings", reason, plane=DEPLOYED))
    if estate.wants("bindings"):
        _bindings(estate, [("catalog", key, row) for key, row in catalogs])
        _bindings(estate, [("external_location", key, row) for key, row in locations])


def _catalogs(estate: Estate) -> list[tuple[str, dict[str, Any]]]:
    path, found = f"{UNITY}/catalogs", []
    query = {"include_browse": "true", "include_unbound": "true", "max_results": 0}
    with estate.facts.listing("catalogs", plane=DEPLOYED, of=estate.metastore, origin=estate.at(path)):
        for row in estate.api.pages(path, "catalogs", query, family=FAMILY):
            name = name_of(row).lower()
            key = f"{estate.metastore}/{name}"
            found.append((key, row))
            estate.add(
                Catalog(
                    key=key,
                    plane=DEPLOYED,
                    origin=estate.at(f"{path}/{name}"),
                    name=name,
                    catalog_type=_type(estate, key, row.get("catalog_type")),
                    isolation_mode=row.get("isolation_mode"),
                    storage_root=_root(row),
                ),
                securable(estate, "catalog", key, name, row, f"{path}/{name}"),
            )
        # Without this right a catalog that the auditor may not use, or that is bound elsewhere, is left out with 200.
        estate.rights.require_objects("metastore", str(estate.metastore), None)
    return found


def _type(estate: Estate, key: str, said: object) -> str | None:
    """`MANAGED`, `FOREIGN`, `DELTASHARING`, `SYSTEM`; None where the answer has none, or one that is not known here."""
    told = said.removesuffix(_SUFFIX) if isinstance(said, str) else ""
    if told in _TYPES:
        return told
    reason = f"catalog {key.partition('/')[2]} " + (
        f"is of type {said}, which is not known here" if told else "came without its type"
    )
    estate.unexplained("catalogs", key, reason, "update lakewarden", estate.at(f"{UNITY}/catalogs"))
    return None


def _root(row: dict[str, Any]) -> str | None:
    """Where its storage is, `none` for one without storage of its own; None where BROWSE alone shows it, which leaves that out."""
    found = row.get("storage_root") or row.get("storage_location")
    return str(found) if found else None if row.get("browse_only") is True else "none"


def _locations(estate: Estate) -> list[tuple[str, dict[str, Any]]]:
    path, found = f"{UNITY}/external-locations", []
    query = {"include_browse": "true", "include_unbound": "true", "max_results": 0}
    with estate.facts.listing("external_locations", plane=DEPLOYED, of=estate.metastore, origin=estate.at(path)):
        for row in estate.api.pages(path, "external_locations", query, family=FAMILY):
            name = name_of(row)
            key = f"{estate.metastore}/location:{name}"
            origin = estate.at(f"{path}/{name}")
            found.append((key, row))
            estate.add(
                ExternalLocation(
                    key=key, plane=DEPLOYED, origin=origin, url=row.get("url"), isolation_mode=row.get("isolation_mode")
                ),
                securable(estate, "external_location", key, "none", row, f"{path}/{name}"),
            )
        estate.rights.require_objects("metastore", str(estate.metastore), None)
    return found


def _bindings(estate: Estate, securables: list[tuple[str, str, dict[str, Any]]]) -> None:
    """The workspaces from which each securable is reached; their numbers, since no API of a workspace names their URLs."""

    def ask(one: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
        kind, _, row = one
        path = f"{UNITY}/bindings/{kind}/{row['name']}"
        return list(
            estate.api.pages(path, "bindings", {"max_results": 0}, family=FAMILY, right=f"MANAGE on {kind} {row['name']}")
        )

    for (kind, key, row), answer in gather(ask, [one for one in securables if not estate.is_whole("bindings", one[1])]):
        origin = estate.at(f"{UNITY}/bindings/{kind}/{row['name']}")
        with estate.facts.listing("bindings", plane=DEPLOYED, of=key, origin=origin):
            for binding in answer.get():
                number = binding.get("workspace_id")
                if str(number) not in estate.numbers:
                    reason = f"{kind} {row['name']} is bound to {outside(number)}"
                    estate.unresolved("bindings", reason, origin, READ_IT_TOO)
                estate.add(
                    Binding(
                        key=f"{key}/{number}",
                        plane=DEPLOYED,
                        origin=origin,
                        securable=key,
                        workspace=estate.numbers.get(str(number)),
                        binding_type=binding.get("binding_type") or "BINDING_TYPE_READ_WRITE",
                    )
                )


def securable(estate: Estate, kind: str, key: str, catalog: str, row: dict[str, Any], path: str) -> Securable:
    """The securable of an object, with its owner."""
    owner = named(row.get("owner"))
    return Securable(
        key=key,
        plane=DEPLOYED,
        origin=estate.at(path),
        kind=kind,
        catalog=catalog,
        named=catalog,
        declared_in="none",
        owner=owner.name,
        owner_kind=owner.kind,
    )


COLLECTOR = Collector(
    "catalogs",
    frozenset({"catalogs", "external_locations", "bindings", "securables"}),
    (
        Need("GET /api/2.1/unity-catalog/catalogs", "READ METADATA on the metastore, or metastore admin"),
        Need("GET /api/2.1/unity-catalog/external-locations", "READ METADATA on the metastore, or metastore admin"),
        Need("GET /api/2.1/unity-catalog/bindings/{type}/{name}", "MANAGE on the catalog or location, or metastore admin"),
    ),
    collect,
)
