"""Values in workflow files, as GitHub reads them: YAML 1.2, where `on` and `yes` are texts."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.values import number
from lakewarden.sources.yaml_nodes import List, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.ci.github.values import Value
    from lakewarden.sources.yaml_nodes import Node

_LONGEST_NUMBER = 40
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})


def text_of(node: Node | None) -> str | None:
    """The text of a single value; None where there is none."""
    if not isinstance(node, Scalar) or node.is_null:
        return None
    value = typed(node)
    return ("true" if value else "false") if isinstance(value, bool) else node.text


def texts_of(node: Node | None) -> Iterator[str]:
    """The texts of a list, or of a single value."""
    for item in node.items if isinstance(node, List) else [node]:
        text = text_of(item)
        if text is not None:
            yield text


def typed(node: Scalar) -> Value:
    """The value of a scalar."""
    if not node.plain:
        return node.text
    if node.is_null:
        return None
    if node.text in _TRUE or node.text in _FALSE:
        return node.text in _TRUE
    value = number(node.text) if node.text[0] in "+-.0123456789" and len(node.text) <= _LONGEST_NUMBER else None
    return node.text if value is None or isnan(value) else value
