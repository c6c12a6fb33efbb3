"""Parts of an expanded pipeline of Azure Pipelines: what marks them, and how they are made at the place of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.azure.values import Value, to_text
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Marks what is there only if a condition holds that is not known, and what stands for a template that was not read.
MAYBE, UNREAD = "maybe", "unread"
#: Keys whose lists may be in a template.
LISTS = ("stages", "jobs", "steps", "variables")


def put(items: dict[str, Node], key: str, value: Node, sure: bool | None) -> None:
    """Set a key. Where it is not known which of two values counts, the value is not known."""
    if sure is None and isinstance(value, Scalar):
        value = text_like(value, HOLE)
    elif sure is None and isinstance(value, List):
        value = List(value.path, value.line, value.column, value.end_line, [maybe(item) for item in value.items])
    items[key] = value


def maybe(node: Node) -> Node:
    """An item that may be missing."""
    return map_like(node, node.items, MAYBE) if isinstance(node, Map) and node.tag is None else node


def text_like(node: Node, text: str) -> Scalar:
    """A text at the place of a node."""
    plain = node.plain if isinstance(node, Scalar) else True
    found = Scalar(node.path, node.line, node.column, node.end_line, text, plain=plain)
    found.key_line, found.key_column, found.parent, found.key = node.key_line, node.key_column, node.parent, node.key
    return found


def map_like(node: Node, items: dict[str, Node], tag: str | None = None) -> Map:
    """A map at the place of a node."""
    found = Map(node.path, node.line, node.column, node.end_line, items, tag)
    found.key_line, found.key_column, found.parent, found.key = node.key_line, node.key_column, node.parent, node.key
    return found


def without(node: Map, key: str) -> Map:
    """A map without one of its keys."""
    return map_like(node, {name: value for name, value in node.items.items() if name != key})


def as_node(value: Value, at: Scalar) -> Node:
    """A value as a node at a place; nodes of the file keep their own."""
    if isinstance(value, Node):
        return value
    if isinstance(value, list):
        return List(at.path, at.line, at.column, at.end_line, [as_node(item, at) for item in value])
    if isinstance(value, dict):
        return map_like(at, {key: as_node(item, at) for key, item in value.items()})
    text = to_text(value)
    return text_like(at, HOLE if text is None else text)


def static_variables(items: list[Node]) -> dict[str, str]:
    """The variables that a list sets, by name in lower case."""
    return {name.lower(): HOLE if item.tag == MAYBE else value.text for name, value, item in variables_of(items)}


def variables_of(items: Iterable[Node]) -> Iterator[tuple[str, Scalar, Map]]:
    """The variables of a list: name, value, and the item that sets it. Each item sets one, or is a map of them."""
    for item in items:
        if not isinstance(item, Map):
            continue
        name, value = item.get("name"), item.get("value")
        if isinstance(name, Scalar) and isinstance(value, Scalar):
            yield name.text, value, item
        elif "group" not in item.items and "name" not in item.items:
            for key, held in item.items.items():
                if isinstance(held, Scalar):
                    yield key, held, item


def has_one_value(roots: Iterable[Map]) -> bool:
    """Has a variable that the file does not set one value in all jobs? Groups that all stages share say nothing against it; a
    group of a stage or a job does, and so does one that is there only at times, or a template that was not read.
    """
    shared = {tuple(_groups(root)) for root in roots}
    return len(shared) == 1 and None not in next(iter(shared)) and not any(_has_own(root) for root in roots)


def _groups(node: Map) -> Iterator[str | None]:
    """The groups of variables of a pipeline, a stage or a job; None for what may be one."""
    for item in items_of(node.get("variables")):
        group = item.get("group") if isinstance(item, Map) else None
        if not isinstance(item, Map) or item.tag == UNREAD:
            yield None
        elif group is not None:
            known = isinstance(group, Scalar) and item.tag is None and HOLE not in group.text and "$" not in group.text
            yield group.text if known and isinstance(group, Scalar) else None


def _has_own(root: Map) -> bool:
    stages = [node for node in items_of(root.get("stages")) if isinstance(node, Map)]
    jobs = [node for holder in (root, *stages) for node in items_of(holder.get("jobs")) if isinstance(node, Map)]
    lists = [items_of(node.get("variables")) for node in (*stages, *jobs)]
    handed_on = any("$(" in value.text for items in lists for _, value, _ in variables_of(items))
    return handed_on or any(node.tag == UNREAD or any(True for _ in _groups(node)) for node in (*stages, *jobs))


def items_of(node: Node | None) -> list[Node]:
    """The items of a list; none for what is no list."""
    return node.items if isinstance(node, List) else []
