"""Assigns values to targets: names, attributes of `self`, items of dictionaries."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code.calls import plain
from lakewarden.sources.repository.code.literals import note_named
from lakewarden.sources.repository.code.values import UNKNOWN, Value, merge

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.state import State


def bind(state: State, target: ast.expr, value: Value) -> None:
    """Assign a value to a target."""
    kind = type(target)
    if kind is ast.Name:
        state.scope.bind(target.id, value)  # type: ignore[attr-defined]
    elif kind in (ast.Tuple, ast.List):
        items = target.elts  # type: ignore[attr-defined]
        fits = value.type == "list" and len(value.data) == len(items)
        carried = Value(source=value.source, data=value.data) if value.source else UNKNOWN
        for number, item in enumerate(items):
            bind(state, item, value.data[number] if fits else carried)
    elif kind is ast.Starred:
        bind(state, target.value, UNKNOWN)  # type: ignore[attr-defined]
    elif kind is ast.Attribute:
        _bind_attribute(state, target, value)
    elif kind is ast.Subscript:
        _bind_item(state, target, value)


def _bind_attribute(state: State, target: Any, value: Value) -> None:
    base = state.evaluate(target.value)
    owner = state.owner if base.type == "self" else state.owners.get(base.data) if base.type in ("class", "instance") else None
    if owner is not None:
        before = owner.get(target.attr)
        owner[target.attr] = value if before is None else merge(before, value)


def _bind_item(state: State, target: Any, value: Value) -> None:
    base = state.evaluate(target.value)
    key = state.evaluate(target.slice)
    if base.ref == "os.environ" and key.known == "MLFLOW_REGISTRY_URI":
        known = value.known
        plain(state, "mlflow.set_registry_uri", target, known, () if known is not None else ("its value",))
    elif key.known is not None and value.text is not None:
        note_named(state, target, key.known, value)
    if base.type == "dict" and type(target.value) is ast.Name:
        state.scope.bind(target.value.id, UNKNOWN)
