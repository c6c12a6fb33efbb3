"""`strategy.matrix`: the combinations for which a job runs."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.expressions import render
from lakewarden.sources.repository.ci.github.scalars import typed
from lakewarden.sources.repository.ci.github.syntax import template
from lakewarden.sources.repository.ci.github.values import Many, Object, Unknown, Value, equal, to_text
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.sources.repository.ci.github.frames import Look
    from lakewarden.sources.yaml_nodes import Node

MAX_COMBINATIONS = 64
_MAX_NAME = 80


class Combinations(NamedTuple):
    """The values of `matrix` for each combination, and why they are not all known."""

    values: tuple[Value, ...]
    problem: str = ""


def combinations(node: Node | None, look: Look) -> Combinations:
    """The combinations of a `strategy`. A job without a matrix has one, whose `matrix` is null."""
    matrix = node.get("matrix") if isinstance(node, Map) else None
    if matrix is None:
        return (
            Combinations((Unknown(),), "its strategy") if isinstance(node, Scalar) and not node.is_null else Combinations((None,))
        )
    axes = of_node(matrix, look)
    if not isinstance(axes, Object):
        return Combinations((Unknown(),), "its matrix")
    return _expand(dict(axes.items))


def of_node(node: Node, look: Look) -> Value:
    """The value of a node, with its expressions filled in."""
    if isinstance(node, Map):
        return Object({key.lower(): of_node(item, look) for key, item in node.items.items()})
    if isinstance(node, List):
        return tuple(of_node(item, look) for item in node.items)
    if isinstance(node, Scalar):
        return render(template(node.text), look) if "${{" in node.text else typed(node)
    return None


def name_of(combination: Value) -> str:
    """What a combination adds to the name of its job."""
    if not isinstance(combination, Object):
        return ""
    names = [name for value in combination.items.values() if (name := _shown(value))]
    return f" ({', '.join(names)})"[:_MAX_NAME] if names else ""


def _shown(value: Value) -> str:
    if isinstance(value, Object):
        return ", ".join(name for item in value.items.values() if (name := _shown(item)))
    if isinstance(value, (Many, tuple)):
        return ""
    return "?" if isinstance(value, Unknown) else to_text(value)


def _expand(axes: dict[str, Value]) -> Combinations:
    include, exclude = axes.pop("include", ()), axes.pop("exclude", ())
    problem = ""
    lists: dict[str, Sequence[Value]] = {}
    size = 1
    for name, values in axes.items():
        items = _items(values)
        if items is None:
            problem = f"matrix.{name}"
        lists[name] = (Unknown(),) if items is None else items
        size *= len(lists[name])
    if size > MAX_COMBINATIONS:
        return Combinations((Unknown(),), f"its matrix of {size} combinations")
    found = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())] if lists else []
    excluded = _items(exclude)
    if excluded is None:
        problem = "matrix.exclude"
    for one in excluded or ():
        found = [combination for combination in found if not _covers(one, combination)]
    original = [dict(combination) for combination in found]
    included = _items(include)
    if included is None:
        return Combinations((*map(Object, found), Unknown()), "matrix.include")
    for one in included:
        if not isinstance(one, Object):
            found.append({})
            original.append({})
            problem = "matrix.include"
        else:
            _include(one.items, found, original)
    if len(found) > MAX_COMBINATIONS:
        return Combinations((Unknown(),), f"its matrix of {len(found)} combinations")
    return Combinations(tuple(map(Object, found)), problem)


def _include(one: Mapping[str, Value], found: list[dict[str, Value]], original: list[dict[str, Value]]) -> None:
    """Add to each combination whose own values stay as they are; where there is none, a new one."""
    added = False
    for combination, own in zip(found, original, strict=True):
        if own and all(key not in own or equal(own[key], value) is True for key, value in one.items()):
            combination.update(one)
            added = True
    if not added:
        found.append(dict(one))
        original.append({})


def _covers(excluded: Value, combination: Mapping[str, Value]) -> bool:
    if not isinstance(excluded, Object):
        return False
    return all(key in combination and _same(combination[key], value) for key, value in excluded.items.items())


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, Object) and isinstance(right, Object):
        return left.items.keys() == right.items.keys() and all(_same(left.items[key], right.items[key]) for key in left.items)
    return equal(left, right) is True


def _items(value: Value) -> tuple[Value, ...] | None:
    if isinstance(value, Many):
        return value.items
    if isinstance(value, tuple):
        return value
    return None if isinstance(value, (Unknown, Object)) else ((value,) if value is not None else ())
