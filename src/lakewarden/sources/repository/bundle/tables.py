"""The fact tables that a bundle fills, and which of them a part of its configuration can fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What targets say of themselves; the rest is said by resources, or by names in them.
OF_TARGETS = frozenset({"targets", "target_paths"})
#: Objects and names that code in Python can add without touching what YAML declares.
OBJECTS = frozenset(
    {
        "jobs", "experiments", "models", "served_entities", "catalogs", "schemas", "securables", "permissions",
        "target_catalogs", "config_refs",
    }
)  # fmt: skip
LISTS = frozenset({"job_params", "tasks", "task_params", "task_libraries", "task_upstream", "grants", "effective_grants"})
FILLS = OF_TARGETS | OBJECTS | LISTS | {"principal_summary"}

_NAMES = frozenset({"target_catalogs", "config_refs"})
_PERMISSIONS = frozenset({"permissions", "principal_summary"})
_GRANTS = frozenset({"grants", "effective_grants", "principal_summary"})
_JOBS = _NAMES | _PERMISSIONS | {"jobs", "job_params", "tasks", "task_params", "task_libraries", "task_upstream", "experiments"}
_CATALOG = _NAMES | _GRANTS | {"securables"}
_OF_RESOURCES = {
    "jobs": _JOBS,
    "pipelines": _JOBS,
    "experiments": _NAMES | _PERMISSIONS | {"experiments"},
    "models": _PERMISSIONS | {"models"},
    "registered_models": _CATALOG | {"models"},
    "model_serving_endpoints": _NAMES | _PERMISSIONS | {"served_entities"},
    "catalogs": _CATALOG | {"catalogs"},
    "schemas": _CATALOG | {"schemas"},
    "volumes": _CATALOG,
    "external_locations": _CATALOG,
}

#: The kinds of resources that facts are made of.
KINDS = frozenset(_OF_RESOURCES)


def touched(keys: Sequence[str | int]) -> frozenset[str]:
    """The tables that the values below a key path can fill."""
    if "permissions" in keys:
        return _PERMISSIONS
    if "grants" in keys:
        return _GRANTS
    if "resources" in keys:
        below = keys[keys.index("resources") + 1 :]
        return _OF_RESOURCES.get(str(below[0]), _NAMES) if below else OBJECTS | LISTS | _PERMISSIONS
    return FILLS
