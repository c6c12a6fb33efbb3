"""Catalogs, schemas, volumes and models of Unity Catalog that a target declares, with their grants."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, Schema
from lakewarden.facts.model.identity import EffectiveGrant, Grant, Securable
from lakewarden.facts.model.registry import Model
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.principals import DEPLOYER, is_everyone, kind_of_name, named, remember, told_kind
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.variables import Kind, Problem

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.yaml_nodes import Map, Node

#: Each kind of resource with the kind of its securable and the fields that its name is made of.
_KINDS = {
    "catalogs": ("catalog", ("name",)),
    "schemas": ("schema", ("catalog_name", "name")),
    "volumes": ("volume", ("catalog_name", "schema_name", "name")),
    "registered_models": ("model", ("catalog_name", "schema_name", "name")),
    "external_locations": ("external_location", ("name",)),
}


class _Privilege(NamedTuple):
    principal: str | None
    privilege: str | None
    everyone: bool
    origin: Origin
    name: str


class _Object(NamedTuple):
    key: str
    kind: str
    parts: list[str | None]
    node: Map
    grants: list[_Privilege]


def read_unity_catalog(reader: Reader, principals: set[str]) -> None:
    """Write securables and grants of the target, and what is inherited inside the bundle."""
    objects = []
    for resource_kind, (kind, fields) in _KINDS.items():
        for name, node in reader.resources(resource_kind):
            parts = [_part(reader, node.get(field), name if field == "name" else None) for field in fields]
            whole = None if None in parts else ".".join(str(part) for part in parts)
            key = f"{reader.key}/{resource_kind}.{name}" if kind == "model" or whole is None else f"{reader.key}/{whole}"
            _object(reader, key, kind, parts, node)
            grants = list(_grants(reader, key, node, _catalog(kind, parts), principals))
            objects.append(_Object(key, kind, parts, node, grants))
    for item in objects:
        _effective(reader, item, objects)


def _part(reader: Reader, node: Node | None, absent: str | None) -> str | None:
    text = reader.text(node, "securables", absent)
    return None if text is None else text.lower()


def _catalog(kind: str, parts: list[str | None]) -> str | None:
    return NONE if kind == "external_location" else parts[0]


def _object(reader: Reader, key: str, kind: str, parts: list[str | None], node: Map) -> None:
    """Write the securable, and the catalog, schema or model that it is."""
    facts, project, target, origin = reader.facts, reader.project, reader.key, node.origin
    catalog = _catalog(kind, parts)
    facts.add(
        Securable(
            key=key,
            project=project,
            kind=kind,
            catalog=catalog,
            target=target,
            named="target",
            declared_in="bundle",
            owner="deployer",
            owner_kind="deployer",
            origin=origin,
        )
    )
    if kind == "catalog":
        foreign = not is_null(node.get("connection_name"))
        shared = not is_null(node.get("share_name"))
        kind_of_catalog = "FOREIGN" if foreign else "DELTASHARING" if shared else "MANAGED"
        facts.add(Catalog(key=key, project=project, name=catalog, target=target, catalog_type=kind_of_catalog, origin=origin))
        reason = f"{origin.path}:{origin.line}: a bundle cannot say whether a catalog is isolated"
        facts.gap(Gap(Cause.NOT_ASKED, "catalogs", reason, "run `lakewarden audit`", project=project, origin=origin, value=True))
    elif kind == "schema":
        facts.add(Schema(key=key, project=project, catalog=catalog, target=target, origin=origin))
    elif kind == "model":
        whole = None if None in parts else ".".join(str(part) for part in parts)
        facts.add(
            Model(key=key, project=project, name=whole, catalog=catalog, target=target, registry="unity_catalog", origin=origin)
        )


def _grants(reader: Reader, key: str, node: Map, catalog: str | None, principals: set[str]) -> list[_Privilege]:
    """Write the grants of a securable, those of one principal added up."""
    found: dict[str, _Privilege] = {}
    for at, grant in enumerate(reader.maps(node.get("grants"), "grants", "effective_grants", parent=key, key="principal")):
        name = reader.text(grant.get("principal"), "grants", None)
        if name is not None and DEPLOYER in name:
            reader.gap("grants", Problem(Kind.DEPLOYMENT, "who is granted is whoever deploys", "grant to a group"), grant.origin)
            name = None
        kind = None if name is None else kind_of_name(name)
        principal = named(kind, name)
        remember(reader, principal, principals, grant.origin)
        for item in reader.items(grant.get("privileges"), "grants", "effective_grants", parent=key):
            text = reader.text(item, "grants", None)
            privilege = None if text is None else "_".join(text.upper().split())
            row = f"{key}/{principal or f'?{at}'}/{privilege or item.pointer}"
            if row in found:
                continue
            found[row] = _Privilege(principal, privilege, is_everyone(kind, name), item.origin, row)
            reader.facts.add(
                Grant(
                    key=row,
                    project=reader.project,
                    securable=key,
                    catalog=catalog,
                    target=reader.key,
                    named="target",
                    principal=principal,
                    principal_kind=told_kind(kind, name),
                    privilege=privilege,
                    origin=item.origin,
                )
            )
    return list(found.values())


def _effective(reader: Reader, item: _Object, objects: list[_Object]) -> None:
    """Write the privileges on a securable and on what contains it, as far as the bundle declares both."""
    seen: set[str] = set()
    for other in objects:
        if other is not item and not _contains(other, item):
            continue
        for grant in other.grants:
            # What cannot be named keeps a row of its own, so that nothing hides behind it.
            who = grant.principal or f"?{grant.name}"
            key = f"{item.key}/{who}/{grant.privilege or grant.name}"
            if key in seen:
                continue
            seen.add(key)
            person_or_service = grant.principal is None or not grant.principal.startswith("group:")
            reader.facts.add(
                EffectiveGrant(
                    key=key,
                    project=reader.project,
                    securable=item.key,
                    principal=grant.principal,
                    privilege=grant.privilege,
                    # The owner is whoever deploys: a group is not, a person or a service principal may be.
                    to_owner=None if person_or_service else False,
                    origin=grant.origin,
                )
            )


def _contains(outer: _Object, inner: _Object) -> bool:
    """Is the inner object in the outer catalog or schema?"""
    size = {"catalog": 1, "schema": 2}.get(outer.kind, 0)
    parts = inner.parts
    return size > 0 and size < len(parts) and None not in outer.parts and parts[:size] == outer.parts
