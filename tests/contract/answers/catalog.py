"""Unity Catalog: catalogs, schemas, tables, locations, credentials, bindings, the metastore."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.contract.asking import Answer, Answers, Ask, Listing, Refused, denied, missing
from tests.contract.paging import Chained
from tests.contract.visibility import bound, manages, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.store import Json

_BINDABLE = {"catalog": "catalogs", "external_location": "external_locations", "storage_credential": "storage_credentials"}


def catalogs(ask: Ask) -> Answer:
    def show(row: Json) -> Json | None:
        here = bound(ask.estate, row["name"])
        if not here and not (ask.flag("include_unbound") and manages(ask.estate, ask.who, "catalog", row["name"])):
            return None
        return shown(ask.estate, ask.who, "catalog", row["name"], row, browse=ask.flag("include_browse"))

    return Listing("catalogs", ask.estate.under("catalogs"), show)


def catalog(ask: Ask) -> Answer:
    return one(ask, "catalog", "catalogs", ask.parts[0])


def schemas(ask: Ask) -> Answer:
    name = ask.needed("catalog_name")
    reachable(ask, name)
    return Listing("schemas", ask.estate.under("schemas", name), showing(ask, "schema"))


def schema(ask: Ask) -> Answer:
    return one(ask, "schema", "schemas", ask.parts[0])


def tables(ask: Ask) -> Answer:
    show = showing(ask, "table")
    dropped = {"view_dependencies"}
    dropped |= {"columns"} if ask.flag("omit_columns") else set()
    dropped |= {"properties"} if ask.flag("omit_properties") else set()
    dropped |= {"owner", "created_by", "updated_by"} if ask.flag("omit_username") else set()

    def listed(row: Json) -> Json | None:
        seen = show(row)
        return None if seen is None else {key: value for key, value in seen.items() if key not in dropped}

    return Listing("tables", ask.estate.under("tables", in_schema(ask)), listed)


def table(ask: Ask) -> Answer:
    return one(ask, "table", "tables", ask.parts[0])


def table_exists(ask: Ask) -> Answer:
    return {"table_exists": ask.estate.securable("table", ask.parts[0]) is not None}


def table_summaries(ask: Ask) -> Answer:
    name = ask.needed("catalog_name")
    reachable(ask, name)
    in_schemas, named = _like(ask, "schema_name_pattern"), _like(ask, "table_name_pattern")
    parents = [one for one in ask.estate.parents("tables") if one.partition(".")[0] == name and in_schemas(one.partition(".")[2])]
    show = showing(ask, "table")

    def listed(row: Json) -> Json | None:
        seen = show(row) if named(row["name"]) else None
        return seen and {key: seen[key] for key in ("full_name", "table_type") if key in seen}

    return Listing("tables", Chained([ask.estate.under("tables", parent) for parent in parents]), listed)


def external_locations(ask: Ask) -> Answer:
    return Listing("external_locations", ask.estate.under("external_locations"), showing(ask, "external_location"))


def external_location(ask: Ask) -> Answer:
    return one(ask, "external_location", "external_locations", ask.parts[0])


def storage_credentials(ask: Ask) -> Answer:
    return Listing("storage_credentials", ask.estate.under("storage_credentials"), showing(ask, "storage_credential"))


def storage_credential(ask: Ask) -> Answer:
    return one(ask, "storage_credential", "storage_credentials", ask.parts[0])


def bindings(ask: Ask) -> Answer:
    kind, name = ask.parts
    if kind not in _BINDABLE:
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"Securable type {kind} has no workspace bindings.")
    return Listing("bindings", _bindings(ask, kind, name))


def old_bindings(ask: Ask) -> Answer:
    return {"workspaces": [binding["workspace_id"] for binding in _bindings(ask, "catalog", ask.parts[0])]}


def metastore_summary(ask: Ask) -> Answer:
    estate = ask.estate
    return {"metastore_id": estate.metastore_id, "name": estate.metastore_id, "owner": estate.metastore_owner, "cloud": "aws"}


def current_metastore(ask: Ask) -> Answer:
    return {"metastore_id": ask.estate.metastore_id, "workspace_id": ask.estate.workspace_id, "default_catalog_name": "main"}


def entity_tags(ask: Ask) -> Answer:
    return Listing("tag_assignments", ask.estate.under("entity_tags", f"{ask.parts[0]}/{ask.parts[1]}"))


def reachable(ask: Ask, name: str) -> None:
    """Refuse what is below a catalog that does not exist here."""
    if ask.estate.find("catalogs", name, "") is None:
        raise missing("catalog", name)
    if not bound(ask.estate, name):
        raise denied(f"Catalog '{name}' is not accessible in current workspace.")


def in_schema(ask: Ask) -> str:
    """The schema that a list of its children is asked for."""
    name = f"{ask.needed('catalog_name')}.{ask.needed('schema_name')}"
    reachable(ask, name.partition(".")[0])
    if ask.estate.find("schemas", name, name.partition(".")[0]) is None:
        raise missing("schema", name)
    return name


def showing(ask: Ask, kind: str) -> Callable[[Json], Json | None]:
    """What of each row the caller may see."""
    browse = ask.flag("include_browse")

    def show(row: Json) -> Json | None:
        return shown(ask.estate, ask.who, kind, row.get("full_name") or row["name"], row, browse=browse)

    return show


def one(ask: Ask, kind: str, rows: str, name: str) -> Json:
    """One securable, or how it is refused."""
    if kind in {"catalog", "schema", "table", "function"}:
        reachable(ask, name.partition(".")[0])
    parent = name.rpartition(".")[0] if kind in {"schema", "table", "function"} else ""
    row = ask.estate.find(rows, name, parent)
    if row is None:
        raise missing("registered_model" if kind == "function" else kind, name)
    seen = showing(ask, kind)(row)
    if seen is None:
        raise denied(f"User does not have permission on {kind} '{name}'.")
    return seen


def _bindings(ask: Ask, kind: str, name: str) -> list[Json]:
    if ask.estate.find(_BINDABLE[kind], name, "") is None:
        raise missing(kind, name)
    if not manages(ask.estate, ask.who, kind, name):
        raise denied(f"User is not an owner of {kind} '{name}'.")
    return ask.estate.bindings.get((kind, name), [])


def _like(ask: Ask, key: str) -> Callable[[str], bool]:
    given = ask.given(key)
    if given is None:
        return lambda _: True
    pattern = re.compile("".join({"%": ".*", "_": "."}.get(one, re.escape(one)) for one in given))
    return lambda name: pattern.fullmatch(name) is not None


_UC = "/api/2.1/unity-catalog"
CATALOG: Answers = {
    ("GET", f"{_UC}/catalogs"): catalogs,
    ("GET", f"{_UC}/catalogs/{{}}"): catalog,
    ("GET", f"{_UC}/schemas"): schemas,
    ("GET", f"{_UC}/schemas/{{}}"): schema,
    ("GET", f"{_UC}/tables"): tables,
    ("GET", f"{_UC}/tables/{{}}"): table,
    ("GET", f"{_UC}/tables/{{}}/exists"): table_exists,
    ("GET", f"{_UC}/table-summaries"): table_summaries,
    ("GET", f"{_UC}/external-locations"): external_locations,
    ("GET", f"{_UC}/external-locations/{{}}"): external_location,
    ("GET", f"{_UC}/storage-credentials"): storage_credentials,
    ("GET", f"{_UC}/storage-credentials/{{}}"): storage_credential,
    ("GET", f"{_UC}/bindings/{{}}/{{}}"): bindings,
    ("GET", f"{_UC}/workspace-bindings/catalogs/{{}}"): old_bindings,
    ("GET", f"{_UC}/metastore_summary"): metastore_summary,
    ("GET", f"{_UC}/current-metastore-assignment"): current_metastore,
    ("GET", f"{_UC}/entity-tag-assignments/{{}}/{{}}/tags"): entity_tags,
}
