"""Parameters of Azure Pipelines: those of templates, and those that whoever starts a pipeline by hand chooses."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.azure.values import UNKNOWN, Value, to_text
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.sources.yaml_nodes import Node

MAX_CHOICES = 24

_STRUCTURES = frozenset({"object", "step", "steplist", "job", "joblist", "stage", "stagelist", "deployment", "deploymentlist"})


class Choice(NamedTuple):
    """Values of all parameters. The first choice of a pipeline are the defaults, which count for every event; the others are
    for starts by hand. `label` tells what differs from the defaults.
    """

    parameters: Mapping[str, Value]
    label: str


def bound(declared: Node | None, given: Map | None) -> dict[str, Value]:
    """The parameters of a template: what is given, else the default; unknown where there is neither."""
    found: dict[str, Value] = {}
    handed = {} if given is None else {key.lower(): value for key, value in given.items.items()}
    for name, kind, default in declarations(declared):
        value = handed.pop(name.lower(), default)
        found[name.lower()] = UNKNOWN if value is None else typed(value, kind)
    found.update((name, typed(value, "")) for name, value in handed.items())
    return found


def declarations(declared: Node | None) -> Iterator[tuple[str, str, Node | None]]:
    """The parameters that a file declares: name, type in lower case, default."""
    if isinstance(declared, Map):
        for name, default in declared.items.items():
            yield name, "", default
    elif isinstance(declared, List):
        for item in declared.items:
            name_node = item.get("name") if isinstance(item, Map) else None
            if isinstance(item, Map) and isinstance(name_node, Scalar):
                kind = item.get("type")
                yield name_node.text, kind.text.lower() if isinstance(kind, Scalar) else "string", item.get("default")


def typed(node: Node, kind: str) -> Value:
    """A value as its parameter's type takes it."""
    if not isinstance(node, Scalar):
        return node
    if HOLE in node.text:
        return UNKNOWN
    if kind == "boolean":
        return {"true": True, "false": False}.get(node.text.lower(), UNKNOWN)
    return node if kind in _STRUCTURES and node.is_null else to_text(node)


def unknown(declared: Node | None) -> Choice:
    """The choice of a template that is used where nobody sees it: all its parameters may be anything."""
    return Choice(dict.fromkeys(bound(declared, None), UNKNOWN), "")


def choices(declared: Node | None) -> list[Choice]:
    """What may be chosen. Where that is too much, or free, one choice has values that are not known."""
    defaults = bound(declared, None)
    items = declared.items if isinstance(declared, List) else []
    options = {name: found for item in items if isinstance(item, Map) for name, found in _options(item, defaults)}
    size = 1
    for values in options.values():
        size *= len(values)
    if size <= MAX_CHOICES:
        rows = [dict(zip(options, row, strict=True)) for row in product(*options.values())]
    else:
        rows = [{}, *({name: value} for name, values in options.items() for value in values[1:])]
        rows = [*rows[:MAX_CHOICES], {name: UNKNOWN for name, values in options.items() if len(values) > 1}]
    return [Choice({**defaults, **row}, _label(row, defaults)) for row in rows]


def _options(item: Map, defaults: Mapping[str, Value]) -> list[tuple[str, list[Value]]]:
    """The values of one parameter, its default first."""
    name, kind, values = item.get("name"), item.get("type"), item.get("values")
    if not isinstance(name, Scalar):
        return []
    key = name.text.lower()
    default = defaults.get(key, UNKNOWN)
    type_ = kind.text.lower() if isinstance(kind, Scalar) else "string"
    if isinstance(values, List):
        found = [typed(value, type_) for value in values.items]
    elif type_ == "boolean":
        found = [True, False]
    elif type_ in ("string", "number"):
        found = [UNKNOWN]
    else:
        found = []
    others = [value for value in found if value is UNKNOWN or to_text(value) != to_text(default)]
    return [(key, [default, *(value for value in others if value is not default)])]


def _label(row: Mapping[str, Value], defaults: Mapping[str, Value]) -> str:
    told = {
        name: "?" if value is UNKNOWN else to_text(value) or "''"
        for name, value in row.items()
        if value is not defaults.get(name)
    }
    return ", ".join(f"{name}={value}" for name, value in told.items())
