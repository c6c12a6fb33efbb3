"""An estate in a few lines: what a workspace and its metastore hold, in the words of their APIs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.contract.estate_ml import Learning
from tests.contract.estate_work import Working
from tests.contract.seeds import checked
from tests.contract.store import ADMIN, NOW, Json, Store
from tests.contract.visibility import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CLASSES = {
    "external_locations": "catalog.ExternalLocationInfo",
    "storage_credentials": "catalog.StorageCredentialInfo",
}
_KINDS = {
    "catalog": "catalogs",
    "schema": "schemas",
    "table": "tables",
    "function": "models",
    "external_location": "external_locations",
    "storage_credential": "storage_credentials",
}


class Estate(Learning, Working, Store):
    """One workspace, with its metastore. What was not seeded is refused, unless the estate is `complete`."""

    def __init__(
        self, *, workspace_id: int = 1111111111111111, metastore_id: str = "metastore-1", complete: bool = False
    ) -> None:
        super().__init__(complete=complete)
        self.workspace_id, self.metastore_id = workspace_id, metastore_id
        self.metastore_owner = "metastore-admins"
        self.grants: dict[tuple[str, str], list[Json]] = {}
        self.deleted_principals_on_request = False  # their grants need `include_deleted_principals`
        self.bindings: dict[tuple[str, str], list[Json]] = {}
        self.principals: dict[str, Principal] = {}
        self.members: dict[str, frozenset[str]] = {}  # of groups, by the names that grants use
        self.answers: dict[tuple[str, str], Any] = {}
        self.admin = self.user(ADMIN, workspace_admin=True, metastore_admin=True)

    # The metastore

    def catalog(
        self,
        name: str,
        *,
        owner: str = ADMIN,
        isolation_mode: str = "OPEN",
        bindings: Sequence[int | tuple[int, str]] = (),
        catalog_type: str = "MANAGED_CATALOG",
        raw: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Json:
        """A catalog; a binding is a workspace, or a workspace and its kind."""
        row = self.dated(owner) | {
            "name": name,
            "full_name": name,
            "catalog_type": catalog_type,
            "isolation_mode": isolation_mode,
        }
        self._bind("catalog", name, bindings)
        return self.seed("catalogs", name, "catalog.CatalogInfo", row | {"securable_type": "CATALOG"} | more, raw=raw)

    def schema(self, full_name: str, *, owner: str = ADMIN, raw: Mapping[str, Any] | None = None, **more: Any) -> Json:
        catalog, name = full_name.split(".")
        row = self.dated(owner) | {"name": name, "full_name": full_name, "catalog_name": catalog} | more
        return self.seed("schemas", full_name, "catalog.SchemaInfo", row, parent=catalog, raw=raw)

    def table(
        self,
        full_name: str,
        *,
        format: str | None = "DELTA",  # noqa: A002 the field's word
        table_type: str = "MANAGED",
        owner: str = ADMIN,
        keys: Sequence[str] = (),
        columns: Sequence[str] = (),
        raw: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Json:
        """A table; `keys` are the columns of its primary key."""
        row = table_row(self, full_name, owner=owner, format=format, table_type=table_type, keys=keys, columns=columns) | more
        return self.seed("tables", full_name, "catalog.TableInfo", row, parent=full_name.rpartition(".")[0], raw=raw)

    def external_location(
        self, name: str, url: str, *, owner: str = ADMIN, bindings: Sequence[int | tuple[int, str]] = (), **more: Any
    ) -> Json:
        self._bind("external_location", name, bindings)
        row = self.dated(owner) | {"name": name, "url": url, "credential_name": "credential"} | more
        return self.seed("external_locations", name, _CLASSES["external_locations"], row)

    def storage_credential(
        self, name: str, *, owner: str = ADMIN, bindings: Sequence[int | tuple[int, str]] = (), **more: Any
    ) -> Json:
        self._bind("storage_credential", name, bindings)
        row = self.dated(owner) | {"name": name, "full_name": name, "id": f"id-{name}"} | more
        return self.seed("storage_credentials", name, _CLASSES["storage_credentials"], row)

    def grant(
        self,
        kind: str,
        name: str,
        principal: str | None,
        privileges: Sequence[str],
        *,
        raw: bool = False,
        principal_id: int | None = None,
    ) -> None:
        """Privileges on a securable; `raw` for privileges that the SDK does not know, `principal_id` for a deleted principal."""
        row: Json = {"privileges": list(privileges)} | ({} if principal is None else {"principal": principal})
        if raw or principal_id is not None:
            self.raw.append(f"grant on {kind} {name}: {', '.join(privileges)}")
            row |= {} if principal_id is None else {"principal_id": principal_id}
        else:
            checked("catalog.PrivilegeAssignment", row)
        self.grants.setdefault((securable(kind), name), []).append(row)

    def tag(self, entity_type: str, name: str, key: str, value: str) -> Json:
        """A governed tag of a catalog, schema, table, column or volume; types are plural."""
        row = {"entity_type": entity_type, "entity_name": name, "tag_key": key, "tag_value": value}
        return self.seed("entity_tags", key, "catalog.EntityTagAssignment", row, parent=f"{entity_type}/{name}")

    def owner(self, kind: str, name: str) -> str | None:
        """Who owns a securable, read from its row."""
        if kind == "metastore":
            return self.metastore_owner
        rows = _KINDS.get(kind)
        parent = name.rpartition(".")[0] if kind in {"schema", "table", "function"} else ""
        found = self.find(rows, name, parent) if rows and self.knows(rows) else None
        return found.get("owner") if found else None

    def securable(self, kind: str, name: str) -> Json | None:
        """The row that a grant is on, if there is one."""
        if kind == "metastore":
            return {"name": self.metastore_id} if name == self.metastore_id else None
        parent = name.rpartition(".")[0] if kind in {"schema", "table", "function"} else ""
        rows = _KINDS.get(kind)
        if kind == "function" and not self.knows("models"):
            return None
        return self.find(rows, name, parent) if rows else None

    # People

    def user(self, name: str, *, workspace_admin: bool = False, metastore_admin: bool = False, **more: Any) -> Principal:
        row: Json = {"id": _number(name), "userName": name, "displayName": name.partition("@")[0], "active": True} | more
        self.seed("users", row["id"], "iam.User", row)
        return self._principal(name, workspace_admin=workspace_admin, metastore_admin=metastore_admin)

    def service_principal(
        self, display_name: str, application_id: str, *, workspace_admin: bool = False, metastore_admin: bool = False, **more: Any
    ) -> Principal:
        """Grants name a service principal by its application id."""
        row: Json = {
            "id": _number(application_id),
            "applicationId": application_id,
            "displayName": display_name,
            "active": True,
        } | more
        self.seed("service_principals", row["id"], "iam.ServicePrincipal", row)
        return self._principal(application_id, workspace_admin=workspace_admin, metastore_admin=metastore_admin)

    def group(
        self, name: str, members: Sequence[str | Principal] = (), *, raw: Mapping[str, Any] | None = None, **more: Any
    ) -> Json:
        """A group of users, service principals (by application id) and groups that exist already."""
        names = [member if isinstance(member, str) else member.name for member in members]
        row: Json = {"id": _number(name), "displayName": name, "meta": {"resourceType": "Group"}} | more
        if names:
            row["members"] = [self._member(member) for member in names]
        self.members[name] = frozenset(names)
        return self.seed("groups", row["id"], "iam.Group", row, raw=raw)

    def answer(self, method: str, path: str, body: Any, *, cls: str | None = None, raw: bool = False) -> None:
        """An answer for one path that nothing else answers, checked against its class of the SDK."""
        if raw or cls is None:
            self.raw.append(f"{method} {path}")
        else:
            checked(cls, body)
        self.answers[method, path] = body

    def sibling(self, workspace_id: int, *, complete: bool | None = None) -> Estate:
        """Another workspace of the same metastore, with the same principals and nothing in it yet; seed the metastore first."""
        other = Estate(
            workspace_id=workspace_id, metastore_id=self.metastore_id, complete=self.complete if complete is None else complete
        )
        other.shared(self)
        shared = ("grants", "bindings", "principals", "members", "model_tags", "model_jobs")
        for name in (*shared, "version_tags", "version_jobs", "version_files"):
            setattr(other, name, getattr(self, name))
        for kind in ("users", "groups", "service_principals"):
            if kind in self._rows:
                other._rows[kind] = self._rows[kind]
        return other

    def dated(self, owner: str) -> Json:
        return {"owner": owner, "metastore_id": self.metastore_id, "created_at": NOW, "created_by": owner, "updated_at": NOW}

    def _bind(self, kind: str, name: str, bindings: Sequence[int | tuple[int, str]]) -> None:
        pairs = [one if isinstance(one, tuple) else (one, "BINDING_TYPE_READ_WRITE") for one in bindings]
        rows = [{"workspace_id": workspace, "binding_type": binding} for workspace, binding in pairs]
        self.bindings[kind, name] = [checked("catalog.WorkspaceBinding", row) for row in rows]

    def _principal(self, name: str, *, workspace_admin: bool, metastore_admin: bool) -> Principal:
        self.principals[name] = Principal(name, f"token-of-{name}", workspace_admin, metastore_admin)
        return self.principals[name]

    def _member(self, name: str) -> Json:
        for kind, field, path in (
            ("users", "userName", "Users"),
            ("service_principals", "applicationId", "ServicePrincipals"),
            ("groups", "displayName", "Groups"),
        ):
            for row in self.under(kind) if self.knows(kind) else ():
                if row[field] == name:
                    return {"value": row["id"], "display": row["displayName"], "$ref": f"{path}/{row['id']}"}
        raise LookupError(f"{name} is no principal yet")


def securable(kind: str) -> str:
    """The type under which grants are asked for; registered models are functions there."""
    return "function" if kind in {"model", "registered_model"} else kind


def table_row(
    estate: Estate,
    full_name: str,
    *,
    owner: str,
    format: str | None,  # noqa: A002 the field's word
    table_type: str,
    keys: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Json:
    catalog, schema, name = full_name.split(".")
    row = estate.dated(owner) | {"name": name, "full_name": full_name, "catalog_name": catalog, "schema_name": schema}
    row |= {"table_type": table_type} | ({} if format is None else {"data_source_format": format})
    named = list(dict.fromkeys([*keys, *columns]))
    if named:
        row["columns"] = [
            {"name": one, "position": at, "type_name": "STRING", "type_text": "string"} for at, one in enumerate(named)
        ]
    if keys:
        row["table_constraints"] = [{"primary_key_constraint": {"name": f"{name}_pk", "child_columns": list(keys)}}]
    return row


def _number(name: str) -> str:
    return str(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "big"))
