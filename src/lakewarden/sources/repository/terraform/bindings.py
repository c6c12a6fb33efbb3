"""Which workspaces reach a catalog or a location: the bindings that are declared, and the one that isolation makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.data import Binding
from lakewarden.sources.repository.bundle.places import host_problem, normal_host
from lakewarden.sources.repository.terraform.unity_catalog import Object, bindings_of, binds_kind, bound_name
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.grants import Register
    from lakewarden.sources.repository.terraform.root import Item, Root

_KINDS = frozenset({"catalog", "external_location"})
#: Resources that are a workspace, with the attribute that holds its URL.
_WORKSPACES = {"databricks_mws_workspaces": "workspace_url", "azurerm_databricks_workspace": "workspace_url"}


def write_bindings(root: Root, register: Register) -> None:
    """Write the bindings of a root module; a list whose owner cannot be told makes every list of the project incomplete."""
    for binding in bindings_of(root):
        kind = binds_kind(binding)
        if kind is not None and kind not in _KINDS:
            continue
        made = _bound(root, binding, kind, register)
        if made is None:
            why = binding.section.value("securable_name")
            reason = why if isinstance(why, Unknown) else Unknown("what is bound is not declared here")
            root.gap("bindings", reason, binding.origin, value=False)
            continue
        _write(root, made, binding)
    for made in register.objects.values():
        if made.root is root and made.kind in _KINDS and _is_isolated(made):
            # Whoever isolates a securable keeps access to it; the platform binds that workspace, and may unbind it later.
            key = root.free("bindings", f"{made.key}/{root.place(made.item)}")
            root.facts.add(
                Binding(
                    key=key, project=root.project, securable=made.key, workspace=root.place(made.item), binding_type=None,
                    origin=made.item.section.origin_of("isolation_mode"),
                )
            )  # fmt: skip


def _is_isolated(made: Object) -> bool:
    value = to_text(made.item.section.value("isolation_mode"))
    return value is not None and value.upper().endswith("ISOLATED")


def _bound(root: Root, binding: Item, kind: str | None, register: Register) -> Object | None:
    value = binding.section.value("securable_name") or binding.section.value("catalog_name")
    found = register.by_item(root, root.item_of(value))
    name = bound_name(binding)
    if found is not None or name is None or kind is None:
        return found
    return register.by_name(root, kind, name)


def _write(root: Root, made: Object, binding: Item) -> None:
    value = binding.section.value("workspace_id")
    workspace = workspace_of(root, value)
    if workspace is None:
        why = value if isinstance(value, Unknown) else Unknown("the number of a workspace does not tell its stage")
        root.gap("bindings", why, binding.section.origin_of("workspace_id"))
    kind = root.text(binding.section, "binding_type", "bindings", "BINDING_TYPE_READ_WRITE")
    root.facts.add(
        Binding(
            key=root.free("bindings", f"{made.key}/{binding.address}"),
            project=root.project,
            securable=made.key,
            workspace=workspace,
            binding_type=None if kind is None else kind.upper(),
            origin=binding.origin,
        )
    )


def workspace_of(root: Root, value: Value) -> str | None:
    """The workspace that a number names: by the URL of the resource that makes it. None where that is not known."""
    made = root.item_of(value)
    if made is None or made.type not in _WORKSPACES:
        return None
    for field in (_WORKSPACES[made.type], "deployment_name", "workspace_name", "name"):
        text = to_text(made.section.value(field))
        if text is None:
            continue
        host = text if "." in text else f"{text}.cloud.databricks.com"
        if host_problem(host) is None:
            return normal_host(host)
    return None
