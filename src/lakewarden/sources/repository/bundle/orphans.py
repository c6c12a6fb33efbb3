"""Files that declare resources and that no bundle includes: forgotten, or left behind by a bundle that is gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Skipped
from lakewarden.sources.repository.bundle.tables import KINDS
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from lakewarden.sources.source import Context

#: Only a file with such a line is worth parsing.
_DECLARES = re.compile(rb"^resources[ \t]*:", re.MULTILINE)


def orphans(context: Context, read: Container[str]) -> Iterator[Skipped]:
    """Each YAML file that is not among those `read` and declares resources as a part of a bundle does."""
    for entry in context.tree.files:
        if entry.path.endswith((".yml", ".yaml")) and entry.path not in read and _declares_resources(entry.path, context):
            yield Skipped(entry.path, "not included", f"{entry.path} declares resources, and no bundle includes it")


def _declares_resources(path: str, context: Context) -> bool:
    try:
        if _DECLARES.search(context.tree.read(path)) is None:
            return False
        root = context.layout.documents.load(path).root
    except SourceError:
        return False
    resources = root.get("resources") if isinstance(root, Map) else None
    # Azure Pipelines has `resources` as well, with lists below.
    return isinstance(resources, Map) and any(isinstance(resources.get(kind), Map) for kind in KINDS)
