"""Mounts of storage: data that is reached by a path, outside Unity Catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.targets import ConfigReference
from lakewarden.sources.repository.terraform.values import to_text

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.root import Root

#: Each type of mount, with the argument that names it.
MOUNTS = {
    "databricks_mount": "name",
    "databricks_aws_s3_mount": "mount_name",
    "databricks_azure_blob_mount": "mount_name",
    "databricks_azure_adls_gen1_mount": "mount_name",
    "databricks_azure_adls_gen2_mount": "mount_name",
}


def write_mounts(root: Root) -> None:
    """Write every mount, whatever it is called."""
    for kind, argument in MOUNTS.items():
        for item in root.of(kind):
            name = to_text(item.section.value(argument))
            root.facts.add(
                ConfigReference(
                    key=root.free("config_refs", f"{root.key}/{item.address}"),
                    project=root.project,
                    target=root.place(item),
                    kind="path",
                    value=f"/mnt/{name.strip('/')}" if name else item.address,
                    named="none",
                    is_write=True,
                    hard_coded=False,
                    origin=item.origin,
                )
            )
