"""Catalogs, schemas, tables, volumes, models and storage that Terraform declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.data import Catalog, CatalogTable, ExternalLocation, Schema
from lakewarden.facts.model.identity import Securable
from lakewarden.facts.model.registry import Model
from lakewarden.facts.model.targets import TargetCatalog
from lakewarden.policy.attribute import environment_of_catalog
from lakewarden.sources.repository.sql.layers import layer_by_name
from lakewarden.sources.repository.terraform.computed import FULL_NAMES
from lakewarden.sources.repository.terraform.principals import owner_of, remember
from lakewarden.sources.repository.terraform.root import NONE, Item, Root
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Each type of resource with the kind of its securable.
KINDS = {
    "databricks_catalog": "catalog",
    "databricks_schema": "schema",
    "databricks_sql_table": "table",
    "databricks_table": "table",
    "databricks_volume": "volume",
    "databricks_registered_model": "model",
    "databricks_external_location": "external_location",
    "databricks_storage_credential": "storage_credential",
}
#: What stands in no catalog.
OUTSIDE = frozenset({"external_location", "storage_credential"})
#: What a stage is seen to write: a catalog that a root module creates is its own, whatever another has under that name.
_WRITES = frozenset({"schema", "table", "volume", "model"})


class Object(NamedTuple):
    """A securable: its key, kind and the parts of its full name, None where one is not known; `written` is its catalog, or its
    name, as the configuration has it.
    """

    key: str
    kind: str
    parts: tuple[str | None, ...]
    item: Item
    root: Root
    written: Value = None

    @property
    def name(self) -> str | None:
        """Its full name."""
        return None if None in self.parts else ".".join(str(part) for part in self.parts)

    @property
    def catalog(self) -> str | None:
        """The catalog that holds it."""
        return NONE if self.kind in OUTSIDE else self.parts[0]


def write_objects(root: Root, seen: set[str]) -> list[Object]:
    """Write every securable that a root module makes."""
    found = []
    for kind_of_resource, kind in KINDS.items():
        for item in root.of(kind_of_resource):
            parts = tuple(_part(root, item, field) for field in FULL_NAMES[kind_of_resource])
            whole = None if None in parts else ".".join(str(part) for part in parts)
            known = kind not in OUTSIDE and whole is not None
            key = root.free("securables", f"{root.place(item)}/{whole if known else item.address}")
            made = Object(key, kind, parts, item, root, item.section.value(FULL_NAMES[kind_of_resource][0]))
            _securable(made, seen)
            _WRITE.get(kind, _nothing)(made)
            found.append(made)
    _target_catalogs(root, found)
    return found


def write_locations(objects: Iterable[Object]) -> None:
    """Write the external locations of a project, once all of its catalogs are known."""
    objects = list(objects)
    catalogs = [made for made in objects if made.kind == "catalog"]
    for made in objects:
        if made.kind == "external_location":
            made.root.facts.add(
                ExternalLocation(
                    key=made.key,
                    project=made.root.project,
                    serves_production=_serves_production(made, catalogs),
                    isolation_mode=_isolation(made, "ISOLATION_MODE_OPEN", "external_locations"),
                    origin=made.item.section.origin_of("isolation_mode"),
                )
            )


def _part(root: Root, item: Item, field: str) -> str | None:
    text = root.text(item.section, field, "securables", None)
    if text is not None and not text.strip():
        root.gap("securables", Unknown(f"{field} is empty", "set it"), item.section.origin_of(field))
        return None
    return None if text is None else text.lower()


def named(root: Root, item: Item, catalog: str | None, value: Value = None) -> str | None:
    """What the stage of a securable is read from, as facts tell it. `value` names its catalog, as it is written: one that
    whoever runs Terraform gives is a parameter, where the root module names no stage.
    """
    if catalog == NONE:
        return "target" if root.names.get(root.place(item)) not in (NONE, None) else NONE
    place = root.names.get(root.place(item))
    if catalog is None and place == NONE and isinstance(value, Unknown) and value.given:
        return "parameter"
    return "target" if place not in (NONE, None) else catalog


def _securable(made: Object, seen: set[str]) -> None:
    root, item = made.root, made.item
    owner = owner_of(root, item.section.value("owner"))
    if owner.kind is None:
        value = item.section.value("owner")
        why = value if isinstance(value, Unknown) else Unknown("the owner is whoever runs Terraform")
        root.gap("securables", why, item.section.origin_of("owner"))
    if owner.kind != "deployer":
        remember(root, owner, seen)
    root.facts.add(
        Securable(
            key=made.key,
            project=root.project,
            kind=made.kind,
            catalog=made.catalog,
            target=root.place(item),
            named=named(root, item, made.catalog, made.written),
            declared_in="terraform",
            owner=owner.name,
            owner_kind=owner.told_kind,
            origin=item.section.origin_of("owner"),
        )
    )


def _catalog(made: Object) -> None:
    root, item = made.root, made.item
    root.facts.add(
        Catalog(
            key=made.key,
            project=root.project,
            name=made.name,
            target=root.place(item),
            catalog_type=_catalog_type(made),
            isolation_mode=_isolation(made, "OPEN", "catalogs"),
            origin=item.section.origin_of("isolation_mode"),
        )
    )


def _catalog_type(made: Object) -> str | None:
    """A catalog of another system, a share, or one of the metastore's own."""
    for kind, fields in (("FOREIGN", ("connection_name",)), ("DELTASHARING", ("share_name", "provider_name"))):
        for field in fields:
            value = made.item.section.value(field)
            if isinstance(value, Unknown) and not value.later and value.of is None:
                made.root.gap("catalogs", value, made.item.section.origin_of(field))
                return None
            if value not in (None, ""):
                return kind
    return "MANAGED"


def _isolation(made: Object, default: str, table: str) -> str | None:
    """The mode that Terraform sets, or else leaves as the metastore makes it."""
    root, item = made.root, made.item
    if not item.ignored.isdisjoint({"isolation_mode", "all"}):
        why = Unknown("Terraform ignores changes of isolation_mode: it may be another by now", "run `lakewarden audit`")
        root.gap(table, why, item.section.origin_of("isolation_mode"))
        return None
    value = item.section.value("isolation_mode")
    if value is None and any(_binds(root, binding, made) is not False for binding in bindings_of(root)):
        why = Unknown("it is bound to a workspace, so that it is isolated elsewhere", "set isolation_mode beside it")
        root.gap(table, why, item.origin)
        return None
    found = root.text(item.section, "isolation_mode", table, default)
    return None if found is None else found.upper()


def bindings_of(root: Root) -> list[Item]:
    """The bindings to workspaces, in both spellings."""
    return root.of("databricks_workspace_binding") + root.of("databricks_catalog_workspace_binding")


def binds_kind(binding: Item) -> str | None:
    """The kind of securable that is bound; None where it cannot be told."""
    value = binding.section.value("securable_type")
    return "catalog" if value is None else to_text(value)


def bound_name(binding: Item) -> str | None:
    """The name of what is bound; None where it cannot be told."""
    value = binding.section.value("securable_name")
    if value is None:
        value = binding.section.value("catalog_name")
    text = to_text(value)
    return None if text is None else text.lower()


def _binds(root: Root, binding: Item, made: Object) -> bool | None:
    """Is it this securable that is bound? By its name, or by the reference to its name where that is not known."""
    kind, name = binds_kind(binding), bound_name(binding)
    if kind is not None and kind != made.kind:
        return False
    if name is not None and made.name is not None:
        return name == made.name
    value = binding.section.value("securable_name") or binding.section.value("catalog_name")
    item = root.item_of(value)
    return None if item is None else item.address == made.item.address


def _serves_production(made: Object, catalogs: list[Object]) -> bool | None:
    """Does it hold the storage of a production catalog? Known where the storage of a catalog lies in it."""
    url = to_text(made.item.section.value("url"))
    stages: set[str | None] = set()
    for catalog in catalogs:
        held = _holds(made, url, catalog)
        if held is False:
            continue
        stage = environment_of_catalog(made.root.context.policy, catalog.name).stage if catalog.name is not None else None
        stages.add(stage if held else None)
    if "production" in stages:
        return True
    return None if None in stages or not stages else False


def _holds(made: Object, url: str | None, catalog: Object) -> bool | None:
    value = catalog.item.section.value("storage_root")
    root_of = to_text(value)
    if root_of is not None and url is not None:
        prefix = url.rstrip("/")
        return root_of == prefix or root_of.startswith(f"{prefix}/")
    if value is None:
        return False  # it lies in the storage of the metastore
    item = made.root.item_of(value)
    return None if item is None else item.address == made.item.address


def _schema(made: Object) -> None:
    root, item = made.root, made.item
    root.facts.add(Schema(key=made.key, project=root.project, catalog=made.catalog, target=root.place(item), origin=item.origin))


def _table(made: Object) -> None:
    root, item = made.root, made.item
    kind = root.text(item.section, "table_type", "catalog_tables", None)
    kind = None if kind is None else kind.upper()
    default = NONE if kind == "VIEW" else "DELTA"
    form = root.text(item.section, "data_source_format", "catalog_tables", default)
    parts = tuple(part for part in made.parts if part is not None)
    root.facts.add(
        CatalogTable(
            key=made.key,
            project=root.project,
            name=made.name,
            catalog=made.catalog,
            target=root.place(item),
            table_type=kind,
            format=None if form is None else form if form == NONE else form.upper(),
            layer=layer_by_name(parts) if len(parts) == len(made.parts) else None,
            layer_by="name",
            declared_in="terraform",
            origin=item.origin,
        )
    )
    why = Unknown("Terraform cannot declare the key of a table", "run `lakewarden audit`")
    root.gap("table_keys", why, item.origin, parent=made.key, value=False, cause=Cause.NOT_ASKED)


def _model(made: Object) -> None:
    root, item = made.root, made.item
    root.facts.add(
        Model(
            key=made.key,
            project=root.project,
            name=made.name,
            catalog=made.catalog,
            target=root.place(item),
            registry="unity_catalog",
            origin=item.origin,
        )
    )


def _nothing(_made: Object) -> None:
    """Volumes and credentials are securables and nothing more."""


_WRITE = {"catalog": _catalog, "schema": _schema, "table": _table, "model": _model}


def _target_catalogs(root: Root, objects: list[Object]) -> None:
    """Write the catalogs in which a stage makes something; in a root module that names no stage nothing is shared."""
    seen: set[str] = set()
    named_in: list[tuple[Item, str | None, str]] = [
        (made.item, made.parts[0], (made.parts[0 if made.kind == "schema" else 1] and made.parts[1]) or NONE)
        for made in objects
        if made.kind in _WRITES
    ]
    for item in root.of("databricks_pipeline"):
        if item.section.value("catalog") is not None:
            catalog = root.text(item.section, "catalog", "target_catalogs", None)
            schema = root.text(item.section, "schema", "target_catalogs", None) or root.text(
                item.section, "target", "target_catalogs"
            )
            named_in.append((item, catalog, schema or NONE))
    # A catalog that a root module makes is its own: another of that name stands in another metastore.
    made_here = {made.name for made in objects if made.kind == "catalog"}
    for item, catalog, schema in named_in:
        place = root.place(item)
        if catalog in made_here:
            continue
        key = f"{place}/{catalog}.{schema}".lower()
        if root.names.get(place) in (NONE, None) or key in seen:
            continue
        if catalog is None:
            value = item.section.value("catalog_name") or item.section.value("catalog")
            why = value if isinstance(value, Unknown) else Unknown("the catalog is not known", "set it")
            root.gap("target_catalogs", why, item.section.origin_of("catalog_name"), value=False)
            continue
        seen.add(key)
        root.facts.add(
            TargetCatalog(
                key=root.free("target_catalogs", key),
                project=root.project,
                target=place,
                catalog=catalog.lower(),
                schema=schema.lower(),
                access="own",
                origin=item.section.origin_of("catalog_name"),
            )
        )
