"""Scripts of jobs of GitLab CI as one text, its lines where they stand in the file, and variables with their values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.gitlab.rules import flat
from lakewarden.sources.yaml_nodes import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.sources.yaml_nodes import Node

_VARIABLE = re.compile(r"\$\$|\$(\w+)|\$\{(\w+)\}")
_MAX_NESTED = 10


def script(nodes: Iterable[Node | None]) -> tuple[str, int | None]:
    """The text of `before_script` and `script`, which run in one shell, and the line on which it begins: None where its lines do
    not stand in the file one for one.
    """
    items = [item for node in nodes for item in flat(node) if isinstance(item, Scalar) and not item.is_null]
    together = "\n".join(item.text.rstrip("\n") for item in items)
    if not items:
        return "", None
    placed: list[str] = []
    first = _first_line(items[0])
    for item in items:
        gap = _first_line(item) - first - len(placed)
        if gap < 0 or item.path != items[0].path:
            return together, None
        placed += [""] * gap + item.text.rstrip("\n").split("\n")
    return "\n".join(placed), first


def _first_line(item: Scalar) -> int:
    block = not item.plain and len(item.text.rstrip("\n").split("\n")) == item.end_line - item.line
    return item.line + 1 if block else item.line


def values(variables: Mapping[str, Node], above: Mapping[str, str]) -> dict[str, str]:
    """The texts of variables, with the values of those that stand in them. `above` are given, and go before."""
    texts = {**{name: value_of(node) for name, node in variables.items()}, **above}
    raw = {*above, *(name for name, node in variables.items() if isinstance(node, Map) and _is_false(node.get("expand")))}
    return {name: text if name in raw else expanded(text, texts, (name,)) for name, text in texts.items()}


def mentioned(text: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that a script reads and neither it nor the file sets: GitLab keeps them."""
    names = dict.fromkeys(found[1] or found[2] for found in _VARIABLE.finditer(text))
    return tuple(
        name
        for name in names
        if name and known.get(name, f"${name}") in (f"${name}", f"${{{name}}}") and not re.search(rf"(?<![\w$]){name}=", text)
    )


def value_of(node: Node) -> str:
    """The text of a variable, whether it stands alone or with a description."""
    held = node.get("value") if isinstance(node, Map) else node
    return held.text if isinstance(held, Scalar) and not held.is_null else ""


def expanded(text: str, known: Mapping[str, str], inside: tuple[str, ...] = ()) -> str:
    """A text with the values of variables that the file sets; others stay as they are."""
    if "$" not in text or len(inside) > _MAX_NESTED:
        return text

    def put(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if not name or name in inside or name not in known:
            return found[0]
        return expanded(known[name], known, (*inside, name))

    return _VARIABLE.sub(put, text)


def _is_false(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is False
