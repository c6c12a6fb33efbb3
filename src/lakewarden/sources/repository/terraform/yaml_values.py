"""What `yamldecode` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.values import Value
    from lakewarden.sources.yaml_nodes import Node


def plain(node: Node | None) -> Value:
    """The values of a document, without their places."""
    if isinstance(node, Map):
        return {key: plain(value) for key, value in node.items.items()}
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None
