"""How configurations of a bundle merge: maps merge, lists concatenate, lists of named things are folded by their names.

Nothing here changes a node: what differs is built anew and the rest is shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What a target adds to the bundle's own settings. Everything else that a target may say replaces them.
MERGED = ("bundle", "workspace", "artifacts", "resources", "sync", "permissions", "presets", "git")
#: What a target replaces.
REPLACED = ("run_as", "mode", "cluster_id", "compute_id")


def is_null(node: Node | None) -> bool:
    """Is there no value: no key, or null?"""
    return node is None or (isinstance(node, Scalar) and node.is_null)


def merge(base: Node | None, over: Node | None) -> Node | None:
    """What `over` makes of `base`. Null changes nothing; values of different kinds replace each other."""
    if over is None or (base is not None and is_null(over)):
        return base
    if base is None or is_null(base):
        return over
    if isinstance(base, Map) and isinstance(over, Map):
        return merge_maps(base, over)
    if isinstance(base, List) and isinstance(over, List):
        return like(base, [*base.items, *over.items])
    return over


def merge_maps(base: Map, over: Map) -> Map:
    """Two maps in one, at the place of the first; each value keeps its own place."""
    items = dict(base.items)
    for key, value in over.items.items():
        merged = merge(items.get(key), value)
        if merged is not None:
            items[key] = merged
    made = Map(base.path, base.line, base.column, base.end_line, items, base.tag)
    place(made, base)
    return made


def like(base: List, items: list[Node]) -> List:
    """A list with these items at the place of another."""
    made = List(base.path, base.line, base.column, base.end_line, items, base.tag)
    place(made, base)
    return made


def place(node: Node, base: Node) -> None:
    """Let a node stand where another stands."""
    node.key_line, node.key_column, node.parent, node.key = base.key_line, base.key_column, base.parent, base.key


def fold(items: Iterable[Node], key: str) -> list[Node]:
    """Items of a list, those with the same name (the value under `key`) merged into the first of them."""
    found: list[Node] = []
    at: dict[str, int] = {}
    for item in items:
        name = item.items.get(key) if isinstance(item, Map) else None
        if not isinstance(name, Scalar) or not isinstance(item, Map):
            found.append(item)
        elif name.text in at:
            first = found[at[name.text]]
            assert isinstance(first, Map)  # noqa: S101 - only maps are in `at`
            found[at[name.text]] = merge_maps(first, item)
        else:
            at[name.text] = len(found)
            found.append(item)
    return found


def override(root: Map, target: Map | None) -> Map:
    """The configuration of one target: the bundle's with what the target says."""
    items = {key: value for key, value in root.items.items() if key not in ("targets", "environments")}
    if target is not None:
        for key in MERGED:
            merged = merge(items.get(key), target.items.get(key))
            if merged is not None:
                items[key] = merged
        for key in REPLACED:
            value = target.items.get(key)
            if value is not None and not is_null(value):
                items[key] = value
    made = Map(root.path, root.line, root.column, root.end_line, items)
    place(made, root)
    return made
