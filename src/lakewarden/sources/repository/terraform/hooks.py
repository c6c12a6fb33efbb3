"""Webhooks of the model registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.registry import RegistryHook
from lakewarden.sources.repository.terraform.root import NONE, Item, Root
from lakewarden.sources.repository.terraform.values import Unknown, to_text

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.sections import Section

_LEVELS = 3
#: The blocks of a webhook, with the arguments of each that hold a secret.
_SECRETS = {"http_url_spec": ("authorization", "secret"), "job_spec": ("access_token",)}


def write_hooks(root: Root) -> None:
    """Write every webhook that is not switched off."""
    for item in root.of("databricks_mlflow_webhook"):
        if to_text(item.section.value("status")) == "DISABLED":
            continue
        name = root.text(item.section, "model_name", "registry_hooks")
        root.facts.add(
            RegistryHook(
                key=root.free("registry_hooks", f"{root.key}/{item.address}"),
                project=root.project,
                model_name=name,
                on_unity_catalog=None if name is None else name.count(".") == _LEVELS - 1,
                tls_verified=_verified(root, item),
                secret_literal=_literal(item),
                origin=item.origin,
            )
        )


def _verified(root: Root, item: Item) -> bool | None:
    """Does it verify its receiver? A hook that starts a job has none."""
    blocks, unknown = item.section.sections("http_url_spec")
    if unknown is not None:
        root.gap("registry_hooks", unknown, item.origin)
    found = [root.flag(block, "enable_ssl_verification", "registry_hooks", absent=True) for block in blocks]
    return False if False in found else None if None in found or unknown is not None else True


def _literal(item: Item) -> bool | None:
    """Does the repository hold its secret? One that comes from elsewhere has no value here."""
    found = {kind: item.section.sections(kind) for kind in _SECRETS}
    if any(_is_literal(block, field) for kind, fields in _SECRETS.items() for block in found[kind][0] for field in fields):
        return True
    return None if any(unknown is not None for _, unknown in found.values()) else False


def _is_literal(block: Section, field: str) -> bool:
    value = block.value(field)
    text = None if isinstance(value, Unknown) else to_text(value)
    return text is not None and text.strip() not in ("", NONE)
