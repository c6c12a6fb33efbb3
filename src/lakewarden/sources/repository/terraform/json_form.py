"""Reads the JSON form of Terraform: objects are blocks or attributes, texts are templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.sources.repository.terraform import nodes
from lakewarden.sources.repository.terraform.nodes import Attribute, Block, Body, Expr
from lakewarden.sources.yaml_nodes import List, Map, Scalar, compose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.yaml_nodes import Node

#: How many labels a block at the top has.
_LABELS = {"resource": 2, "data": 2, "provider": 1, "variable": 1, "output": 1, "module": 1, "locals": 0, "terraform": 0}
#: What stands for itself in a variable, and is no template.
_TYPE = "type"


def read_json(text: str, path: str) -> Body:
    """The blocks of a file in the JSON form; for `.tfvars.json` the attributes.

    Raises:
        SourceError: it is no JSON, or no object.
    """
    root = compose(text, path).root
    if root is None:
        return nodes.EMPTY
    if not isinstance(root, Map):
        raise SourceError("failed", f"{path}:{root.line}:{root.column}: an object is expected here", "mend the file")
    if path.endswith(".tfvars.json"):
        return _body(root)
    blocks = [block for kind, node in root.items.items() if kind in _LABELS for block in _blocks(kind, node, (), _LABELS[kind])]
    return Body({}, blocks)


def _blocks(kind: str, node: Node, labels: tuple[str, ...], missing: int) -> Iterator[Block]:
    """The blocks of one type: an object for each label, then one body or a list of them."""
    for item in node.items if isinstance(node, List) else [node]:
        if not isinstance(item, Map):
            continue
        if missing:
            for label, inner in item.items.items():
                yield from _blocks(kind, inner, (*labels, label), missing - 1)
        else:
            yield Block(kind, labels, _body(item), item.origin._replace(pointer=".".join((kind, *labels))))


def _body(node: Map) -> Body:
    """Objects stay attributes: whoever asks for a block finds it there."""
    attributes = {
        name: Attribute(name, value.origin, lambda value=value: expression(value))  # type: ignore[misc]
        for name, value in node.items.items()
        if not name.startswith("//")
    }
    return Body(attributes, [])


def expression(node: Node) -> Expr:
    """The expression that a value stands for."""
    if isinstance(node, Map):
        return nodes.ObjectOf(tuple((_text(key, node.path), expression(value)) for key, value in node.items.items()))
    if isinstance(node, List):
        return nodes.TupleOf(tuple(expression(item) for item in node.items))
    if not isinstance(node, Scalar) or node.is_null:
        return nodes.Literal(None)
    value = node.value
    return _text(value, node.path) if isinstance(value, str) else nodes.Literal(value)


def _text(text: str, path: str) -> Expr:
    if "${" not in text and "%{" not in text:
        return nodes.Literal(text)
    from lakewarden.sources.repository.terraform.hcl import read_template

    try:
        return read_template(text, path)
    except SourceError as problem:
        return nodes.Opaque(problem.reason)
