"""What the type of a variable makes of a value: members of a set stand once, missing attributes get their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.terraform import nodes
from lakewarden.sources.repository.terraform.values import SetOf, Unknown, Value, to_bool, to_number, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.terraform.nodes import Expr

_SINGLE: dict[str, Callable[[Value], Value]] = {"string": to_text, "number": to_number, "bool": to_bool}
_MAX_DEPTH = 40


def convert(kind: Expr | None, value: Value, evaluate: Callable[[Expr], Value], depth: int = 0) -> Value:
    """The value as a variable of this type holds it. `evaluate` gives the defaults that the type names."""
    if kind is None or value is None or isinstance(value, Unknown) or depth > _MAX_DEPTH:
        return value
    if isinstance(kind, nodes.Literal):  # as it was written before Terraform 0.12
        kind = nodes.Name(str(kind.value))
    if isinstance(kind, nodes.Name):
        single = _SINGLE.get(kind.name)
        if single is None:
            return value
        found = single(value)
        return found if found is not None else Unknown(f"a {kind.name} is expected here", "mend the value", wrong=True)
    if not isinstance(kind, nodes.Call) or not kind.args:
        return value

    def inner(of: Expr, item: Value) -> Value:
        return convert(of, item, evaluate, depth + 1)

    return _collection(kind, value, evaluate, inner)


def _collection(
    kind: nodes.Call, value: Value, evaluate: Callable[[Expr], Value], inner: Callable[[Expr, Value], Value]
) -> Value:
    """A collection whose members have types of their own."""
    of = kind.args[0]
    if kind.name in ("list", "set") and isinstance(value, list):
        items = [inner(of, item) for item in value]
        return SetOf.of(items) if kind.name == "set" else items
    if kind.name == "map" and isinstance(value, dict):
        return {key: inner(of, item) for key, item in value.items()}
    if kind.name == "tuple" and isinstance(value, list) and isinstance(of, nodes.TupleOf):
        return [inner(one, item) for one, item in zip(of.items, value, strict=False)]
    if kind.name == "object" and isinstance(value, dict) and isinstance(of, nodes.ObjectOf):
        return _object(of, value, evaluate, inner)
    return inner(of, value) if kind.name == "optional" else value


def _object(
    kind: nodes.ObjectOf, value: dict[str, Value], evaluate: Callable[[Expr], Value], inner: Callable[[Expr, Value], Value]
) -> Value:
    """An object with the attributes of its type; what the type does not name falls away."""
    found: dict[str, Value] = {}
    for key, of in kind.items:
        name = key.value if isinstance(key, nodes.Literal) else None
        if not isinstance(name, str):
            return value
        given = value.get(name)
        optional = isinstance(of, nodes.Call) and of.name == "optional"
        if given is None and optional and isinstance(of, nodes.Call):
            default = evaluate(of.args[1]) if len(of.args) > 1 else None
            found[name] = inner(of.args[0], default) if of.args else default
        elif name in value or optional:
            found[name] = inner(of, given)
        else:
            return Unknown(f"an object lacks {name}", "mend the value", wrong=True)
    return found
