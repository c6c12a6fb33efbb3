"""Who sees what: the same estate, and another answer for another token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.contract.estate import Estate

Json = dict[str, Any]

EVERYBODY = frozenset({"account users", "users"})
# What makes an object part of the caller's lists: the privileges that the SDK's docstrings name, and what contains them.
_USES = {
    "catalog": {"USE_CATALOG"},
    "schema": {"USE_SCHEMA"},
    "table": {"SELECT", "MODIFY"},
    "function": {"EXECUTE"},
    "external_location": {"READ_FILES", "WRITE_FILES", "CREATE_EXTERNAL_TABLE", "CREATE_MANAGED_STORAGE"},
    "storage_credential": {"READ_FILES", "WRITE_FILES", "CREATE_EXTERNAL_LOCATION"},
}
_PATHS = {"schema": ("catalog",), "table": ("catalog", "schema"), "function": ("catalog", "schema")}
_NEEDED = {"catalog": "USE_CATALOG", "schema": "USE_SCHEMA"}
_BROWSED = ("name", "full_name", "catalog_name", "schema_name", "comment", "metastore_id", "table_type", "catalog_type")
_INHERITED_FROM_METASTORE = frozenset({"READ_METADATA", "MANAGE"})


class Principal(NamedTuple):
    """Somebody with a token; for service principals the name is the application id."""

    name: str
    token: str
    workspace_admin: bool = False
    metastore_admin: bool = False


def named(privilege: str) -> str:
    return privilege.upper().replace(" ", "_")


def identities(estate: Estate, who: Principal) -> frozenset[str]:
    """The principal and every group that it is in, by nesting too."""
    found = {who.name, *EVERYBODY}
    member = {who.name}
    while member:
        member = {group for group, inside in estate.members.items() if inside & member and group not in found}
        found |= member
    return frozenset(found)


def chain(estate: Estate, kind: str, name: str) -> list[tuple[str, str]]:
    """The securable and what contains it, up to the metastore."""
    parts = name.split(".")
    above = [
        (parent, ".".join(parts[:length]))
        for parent, length in (("schema", 2), ("catalog", 1))
        if kind in _PATHS and length < len(parts)
    ]
    top = [] if kind == "metastore" else [("metastore", estate.metastore_id)]
    return [(kind, name), *above, *top]


def privileges(estate: Estate, names: frozenset[str], kind: str, name: str) -> set[str]:
    """What any of these names holds on a securable, directly or from above."""
    held: set[str] = set()
    for place in chain(estate, kind, name):
        for grant in estate.grants.get(place, ()):
            if grant.get("principal") in names:
                own = {named(one) for one in grant["privileges"]}
                held |= own if place[0] != "metastore" or kind == "metastore" else own & _INHERITED_FROM_METASTORE
    return held


def manages(estate: Estate, who: Principal, kind: str, name: str) -> bool:
    """Metastore admin, owner of the securable or of what contains it, or MANAGE."""
    if who.metastore_admin:
        return True
    names = identities(estate, who)
    owners = {estate.owner(*place) for place in chain(estate, kind, name)}
    return bool(owners & names) or "MANAGE" in privileges(estate, names, kind, name)


def reads_grants(estate: Estate, who: Principal, kind: str, name: str) -> bool:
    """All grants of a securable; everybody else gets their own, with 200."""
    return manages(estate, who, kind, name) or "READ_METADATA" in privileges(estate, identities(estate, who), kind, name)


def bound(estate: Estate, catalog: str) -> bool:
    """An isolated catalog exists only in the workspaces that it is bound to."""
    row = estate.find("catalogs", catalog) or {}
    if row.get("isolation_mode") != "ISOLATED":
        return True
    return any(binding["workspace_id"] == estate.workspace_id for binding in estate.bindings.get(("catalog", catalog), ()))


def sees(estate: Estate, who: Principal, kind: str, name: str) -> bool:
    """Whether the caller may use the securable, which is what lists show."""
    if reads_grants(estate, who, kind, name):
        return True
    held = privileges(estate, identities(estate, who), kind, name)
    if "ALL_PRIVILEGES" in held:
        return True
    passes = all(_NEEDED[above] in held for above in _PATHS.get(kind, ()))
    return passes and bool(held & _USES.get(kind, {"ALL_PRIVILEGES"}))


def browses(estate: Estate, who: Principal, kind: str, name: str) -> bool:
    return "BROWSE" in privileges(estate, identities(estate, who), kind, name)


def shown(estate: Estate, who: Principal, kind: str, name: str, row: Json, *, browse: bool) -> Json | None:
    """The row, what BROWSE leaves of it, or nothing."""
    if sees(estate, who, kind, name):
        return row
    if browse and browses(estate, who, kind, name):
        return {key: row[key] for key in _BROWSED if key in row} | {"browse_only": True}
    return None


def levels(estate: Estate, who: Principal, object_type: str, object_id: str) -> set[str]:
    """What the caller holds on an object of the workspace."""
    if who.workspace_admin:
        return {"CAN_MANAGE"}
    names = identities(estate, who)
    held: set[str] = set()
    for entry in estate.acls.get((object_type, object_id), ()):
        holder = entry.get("user_name") or entry.get("group_name") or entry.get("service_principal_name")
        if holder in names:
            held |= {one["permission_level"] for one in entry["all_permissions"]}
    return held


def owns(held: set[str]) -> bool:
    return bool(held & {"CAN_MANAGE", "IS_OWNER"})
