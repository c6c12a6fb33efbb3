"""Attributes that a provider makes of others: ids that are names, and what is known of whoever deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.instance import Instance

_THREE = ("catalog_name", "schema_name", "name")
#: What an id is made of, joined by dots.
FULL_NAMES = {
    "databricks_catalog": ("name",),
    "databricks_schema": ("catalog_name", "name"),
    "databricks_volume": _THREE,
    "databricks_registered_model": _THREE,
    "databricks_sql_table": _THREE,
    "databricks_table": _THREE,
    "databricks_external_location": ("name",),
    "databricks_storage_credential": ("name",),
    "databricks_credential": ("name",),
    "databricks_mlflow_model": ("name",),
    "databricks_model_serving": ("name",),
}
#: Whoever deploys, written as elsewhere.
_DEPLOYER = {
    "user_name": "${workspace.current_user.userName}",
    "alphanumeric": "${workspace.current_user.short_name}",
    "home": "/Users/${workspace.current_user.userName}",
    "repos": "/Repos/${workspace.current_user.userName}",
}


def computed(instance: Instance, name: str) -> Value:
    """An attribute that is made of others; None where nothing is known of it."""
    parts = FULL_NAMES.get(instance.type)
    if parts is not None and instance.block.kind == "data" and instance.type == "databricks_schema":
        parts = ("name",)
    if parts is not None and name in ("id", "full_name"):
        return joined(instance, parts)
    if instance.type == "databricks_current_user" and name in _DEPLOYER:
        return _DEPLOYER[name]
    if instance.type == "databricks_volume" and name == "volume_path":
        whole = joined(instance, _THREE)
        return whole if isinstance(whole, Unknown) else "/Volumes/" + whole.replace(".", "/")
    return None


def joined(instance: Instance, parts: tuple[str, ...]) -> Value:
    """The full name of an object; what is not known of one part is not known of the whole."""
    found = []
    for part in parts:
        value = instance.section.value(part)
        if isinstance(value, Unknown):
            return value
        text = to_text(value)
        if text is None:
            return Unknown(f"{instance.address} has no {part}", "set it")
        found.append(text)
    return ".".join(found)
