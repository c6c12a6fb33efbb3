"""What principals may do in a workspace: entitlements, the use of cluster policies, permissions on objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.identity import Entitlement, Permission
from lakewarden.sources.repository.terraform.principals import NOBODY, Principal, principal_of, remember
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.root import Item, Root
    from lakewarden.sources.repository.terraform.sections import Section

_IDENTITIES = {"user_id": "user", "group_id": "group", "service_principal_id": "service_principal"}
_SELF = {"databricks_user": "user_name", "databricks_group": "display_name", "databricks_service_principal": "application_id"}
_PRINCIPALS = (("user_name", "user"), ("group_name", "group"), ("service_principal_name", "service_principal"))
#: The argument that names an object, with what facts call it and the attribute that is its name.
_OBJECTS = {
    "job_id": ("job", "name"),
    "pipeline_id": ("pipeline", "name"),
    "experiment_id": ("experiment", "name"),
    "serving_endpoint_id": ("endpoint", "name"),
    "registered_model_id": ("model", "name"),
    "directory_id": ("directory", "path"),
    "directory_path": ("directory", "path"),
    "notebook_id": ("directory", "path"),
    "notebook_path": ("directory", "path"),
    "repo_id": ("repo", "path"),
    "repo_path": ("repo", "path"),
}
_RUN_AS = (("service_principal_name", "service_principal"), ("user_name", "user"), ("group_name", "group"))


def write_entitlements(root: Root, seen: set[str]) -> None:
    """Write who may start compute: by an entitlement, or by a cluster policy."""
    for item in root.of("databricks_entitlements"):
        field = next((name for name in _IDENTITIES if item.section.value(name) is not None), None)
        value: Value = item.section.value(field) if field is not None else None
        who = principal_of(root, value, _IDENTITIES[field]) if root.item_of(value) is not None and field else NOBODY
        _entitlement(root, item, who, value, seen)
    for kind, field in _SELF.items():
        for item in root.of(kind):
            value = item.section.value(field)
            who = principal_of(root, value, kind.removeprefix("databricks_"))
            if who.name is None:
                who = who._replace(name=f"{root.key}/{item.address}")
            _entitlement(root, item, who, value, seen)
    for item in root.of("databricks_permissions"):
        policy = item.section.value("cluster_policy_id")
        if policy is None:
            continue
        made = root.item_of(policy)
        name = (to_text(made.section.value("name")) if made is not None else None) or item.address
        for section in root.sections(item.section, "access_control", "entitlements"):
            level = root.text(section, "permission_level", "entitlements")
            if level in ("CAN_USE", None):
                who = _principal(root, section, "entitlements")
                _add(root, item, f"cluster-policy:{name}", who, section, seen, None if level is None else True)


def _entitlement(root: Root, item: Item, who: Principal, value: Value, seen: set[str]) -> None:
    may = root.flag(item.section, "allow_cluster_create", "entitlements")
    if may is False:
        return
    if who.key is None and may:
        why = value if isinstance(value, Unknown) else Unknown("whose entitlement it is cannot be told from an id")
        root.gap("entitlements", why, item.origin)
    _add(root, item, "allow-cluster-create", who, item.section, seen, may)


def _add(
    root: Root, item: Item, entitlement: str, who: Principal, section: Section, seen: set[str], may: bool | None = True
) -> None:
    remember(root, who, seen)
    place = root.place(item)
    root.facts.add(
        Entitlement(
            key=root.free("entitlements", f"{place}/{who.key or item.address}/{entitlement}"),
            project=root.project,
            workspace=place,
            principal=who.key,
            entitlement=entitlement,
            starts_compute=may,
            origin=section.origin,
        )
    )


def write_permissions(root: Root, seen: set[str]) -> None:
    """Write the permissions on workspace objects."""
    for item in root.of("databricks_permissions"):
        field = next((name for name in _OBJECTS if item.section.value(name) is not None), None)
        if field is None:
            continue
        kind, name_of = _OBJECTS[field]
        value = item.section.value(field)
        made = root.item_of(value)
        text = to_text(value) if field.endswith("_path") else None
        name = text or (to_text(made.section.value(name_of)) if made is not None else None)
        runs_as = _run_as(root, made) if made is not None and kind == "job" else Principal("none", "none")
        rows: set[str] = set()
        for section in root.sections(item.section, "access_control", "permissions"):
            who = _principal(root, section, "permissions")
            level = root.text(section, "permission_level", "permissions", None)
            key = f"{root.key}/{item.address}/{who.key or f'?{section.origin.line}'}/{level or '?'}"
            if key in rows:
                continue
            rows.add(key)
            remember(root, who, seen)
            root.facts.add(
                Permission(
                    key=root.free("permissions", key),
                    project=root.project,
                    target=root.place(item),
                    object_kind=kind,
                    object_name=name if name is not None else item.address,
                    principal=who.key,
                    is_run_as=_is_run_as(who, runs_as),
                    level=level,
                    origin=section.origin,
                )
            )


def _principal(root: Root, section: Section, table: str) -> Principal:
    for field, kind in _PRINCIPALS:
        value = section.value(field)
        if value is not None:
            who = principal_of(root, value, kind)
            if who.key is None:
                why = value if isinstance(value, Unknown) else Unknown("it is whoever runs Terraform")
                root.gap(table, why, section.origin_of(field))
            return who
    root.gap(table, Unknown("the permission names nobody", "mend the block"), section.origin)
    return NOBODY


def _run_as(root: Root, job: Item) -> Principal:
    """Who a job runs as; without `run_as` whoever runs Terraform."""
    blocks, unknown = job.section.sections("run_as")
    for block in blocks:
        for field, kind in _RUN_AS:
            if block.value(field) is not None:
                return principal_of(root, block.value(field), kind)
    return NOBODY if unknown is not None else Principal("deployer", None)


def _is_run_as(who: Principal, runs_as: Principal) -> bool | None:
    if who.kind == "group" and runs_as.kind != "group":
        return False
    if runs_as.kind in (None, "deployer") or who.kind is None:
        return None
    if who.kind != runs_as.kind:
        return False
    return None if who.name is None or runs_as.name is None else who.name == runs_as.name
