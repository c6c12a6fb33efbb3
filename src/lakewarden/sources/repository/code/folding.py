"""Folds texts: constants, formatted strings, `+`, `%` and paths joined with `/`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code.literals import note_text
from lakewarden.sources.repository.code.values import NONE, UNKNOWN, Value, concat, const, text

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.state import State

_MAX_ITEMS = 100
_CONVERSIONS = frozenset({"str", "int", "float", "round", "repr"})


def folded(state: State, node: ast.expr) -> Value:
    """Read a part of a text: only the whole is looked at for names of objects."""
    kind = type(node)
    if kind is ast.Constant:
        return _constant_value(node.value)  # type: ignore[attr-defined]
    if kind is ast.JoinedStr:
        return _formatted_value(state, node)
    if kind is ast.BinOp:
        return _operation_value(state, node)
    return state.evaluate(node)


def _constant_value(value: object) -> Value:
    return text(value) if isinstance(value, str) else const(value)


def constant(state: State, node: Any) -> Value:
    """A literal of the language."""
    value = node.value
    if isinstance(value, str):
        known = text(value)
        note_text(state, node, known)
        return known
    return NONE if value is None else const(value)


def _formatted_value(state: State, node: Any) -> Value:
    parts = []
    for part in node.values:
        if type(part) is ast.FormattedValue:
            value = folded(state, part.value)
            if part.format_spec is not None:
                folded(state, part.format_spec)
                value = UNKNOWN if value.text is not None else value._replace(type="")
            if value.text is None and value.type != "const" and not value.name:
                value = value._replace(name=spelled(part.value))
            parts.append(value)
        else:
            parts.append(folded(state, part))
    return concat(parts)


def spelled(node: ast.expr) -> str:
    """How the code writes a value, where it is a name or what a function makes: `time` of `str(time.time())`."""
    if isinstance(node, ast.Call):
        name = spelled(node.func)
        return spelled(node.args[0]) if name in _CONVERSIONS and node.args else name
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return ""


def formatted(state: State, node: Any) -> Value:
    """A formatted string."""
    value = _formatted_value(state, node)
    note_text(state, node, value)
    return value


def _operation_value(state: State, node: Any) -> Value:
    """`+` on texts, `%` on a text, `/` on a path; a long chain of `+` without recursion."""
    if type(node.op) is ast.Add:
        terms = []
        rest = node
        while type(rest) is ast.BinOp and type(rest.op) is ast.Add:
            terms.append(rest.right)
            rest = rest.left
        terms.append(rest)
        values = []
        for term in reversed(terms):
            value = folded(state, term)
            values.append(value if value.name or value.text is not None else value._replace(name=spelled(term)))
        if any(value.text is not None for value in values):
            return concat(values)
        if all(value.type == "list" for value in values):
            items = tuple(item for value in values for item in value.data)
            return Value(type="list", data=items) if len(items) <= _MAX_ITEMS else UNKNOWN
        return _carried(values)
    left, right = folded(state, node.left), state.evaluate(node.right)
    if type(node.op) is ast.Mod and left.text is not None:
        return _percent(left, right)
    if type(node.op) is ast.Div and left.type == "Path":
        return concat([left, text("/"), right])._replace(type="Path")
    return _carried([left, right])


def _carried(values: list[Value]) -> Value:
    """What the result of an operation stems from."""
    for value in values:
        if value.source in ("newest", "search", "versions", "user"):
            return Value(source=value.source, data=value.data)
    return UNKNOWN


def _percent(left: Value, right: Value) -> Value:
    if left.holes or left.text is None:
        return UNKNOWN
    parts = left.text.split("%s")
    given = list(right.data) if right.type == "list" else [right]
    if "%" in "".join(parts).replace("%%", "") or len(given) != len(parts) - 1:
        return UNKNOWN
    values = [text(parts[0].replace("%%", "%"))]
    for value, part in zip(given, parts[1:], strict=True):
        values.extend((value, text(part.replace("%%", "%"))))
    return concat(values)


def operation(state: State, node: Any) -> Value:
    """An operation with two sides."""
    value = _operation_value(state, node)
    note_text(state, node, value)
    return value
