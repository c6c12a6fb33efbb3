"""What a configuration file holds for each stage: sections named for stages, files named for one, values that all share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.config.names import stage_maps, stage_of_file
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Keys of files that other tools and sources read.
_OTHERS = frozenset(
    {"bundle", "targets", "resources", "include", "artifacts", "repos", "jobs", "steps", "stages", "trigger", "on", "services"}
)


class Section(NamedTuple):
    """What a file holds for a stage: `name` is the key or the file's own word for it; None for what all stages share."""

    name: str | None
    node: Map


def sections(path: str, root: Node | None) -> list[Section]:
    """The sections of a file; none where nothing in it is told apart by stage, or it is a file of another tool."""
    if not isinstance(root, Map) or of_another_tool(root):
        return []
    own = stage_of_file(path)
    if own is not None:
        return [Section(own, root)]
    found = [Section(key, node) for key, node in stage_maps(root)]
    if len(found) < 2:  # noqa: PLR2004 - one section alone is no choice between stages
        return []
    taken = {section.node.parent for section in found}
    shared = Map(path, root.line, root.column, root.end_line, {})
    shared.items = {k: n for k, n in root.items.items() if n not in taken and all(n is not section.node for section in found)}
    return [*found, Section(None, shared)]


def of_another_tool(root: Map) -> bool:
    """Is it a file that other tools or sources read?"""
    return not _OTHERS.isdisjoint(root.items)


def leaves(root: Node) -> Iterator[tuple[str, Scalar]]:
    """The single values below a node, with their nearest key, in the order of the file; each node once, however often it is
    referred to.
    """
    seen = {id(root)}
    waiting = list(_inside(root))[::-1]
    while waiting:
        key, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            if not node.is_null and node.text.strip():
                yield key, node
        else:
            waiting.extend(list(_inside(node))[::-1])


def _inside(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Map):
        yield from node.items.items()
    elif isinstance(node, List):
        yield from ((str(node.key), item) for item in node.items)
