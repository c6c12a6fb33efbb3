"""Functions of collections that give a value although not all of their arguments are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.terraform.arguments import BadArgumentError, fail, items, number, table, text
from lakewarden.sources.repository.terraform.values import SetOf, Unknown, Value, equal, unknown_in

if TYPE_CHECKING:
    from collections.abc import Callable


def _merge(*args: Value) -> Value:
    """Maps in one; it is enough that the keys of each are known."""
    found: dict[str, Value] = {}
    for arg in args:
        if isinstance(arg, Unknown):
            return arg
        found.update(table(arg) if arg is not None else {})
    return found


def _concat(*args: Value) -> Value:
    found: list[Value] = []
    for arg in args:
        if isinstance(arg, Unknown):
            return arg
        found += items(arg)
    return found


def _flatten(arg: Value) -> Value:
    if isinstance(arg, Unknown):
        return arg
    found: list[Value] = []
    todo = [iter(items(arg))]
    while todo:
        item = next(todo[-1], todo)
        if item is todo:
            todo.pop()
        elif isinstance(item, list):
            todo.append(iter(item))
        elif isinstance(item, Unknown):
            return item  # it may be a list
        else:
            found.append(item)
    return found


def _lookup(of: Value, key: Value, *default: Value) -> Value:
    for value in (of, key):
        if isinstance(value, Unknown):
            return value
    return table(of).get(text(key), *default[:1]) if default else table(of)[text(key)]


def _coalesce(*args: Value) -> Value:
    for arg in args:
        if isinstance(arg, Unknown) or (arg is not None and arg != ""):
            return arg
    raise BadArgumentError


def _coalescelist(*args: Value) -> Value:
    for arg in args:
        if isinstance(arg, Unknown) or items(arg):
            return arg
    raise BadArgumentError


def _keys(of: Value) -> Value:
    return of if isinstance(of, Unknown) else sorted(table(of))


def _values(of: Value) -> Value:
    return of if isinstance(of, Unknown) else [value for _, value in sorted(table(of).items())]


def _length(of: Value) -> Value:
    if isinstance(of, Unknown):
        return of
    if isinstance(of, (list, dict, str)):
        return len(of)
    raise BadArgumentError


def _element(of: Value, at: Value) -> Value:
    for value in (of, at):
        if isinstance(value, Unknown):
            return value
    members = items(of)
    return members[int(number(at)) % len(members)] if members else fail()


def _one(of: Value) -> Value:
    if isinstance(of, Unknown):
        return of
    members = items(of)
    return fail() if len(members) > 1 else members[0] if members else None


def _zipmap(keys: Value, values: Value) -> Value:
    unknown = unknown_in(keys) or (values if isinstance(values, Unknown) else None)
    return unknown or {text(key): value for key, value in zip(items(keys), items(values), strict=True)}


def _compact(of: Value) -> Value:
    unknown = unknown_in(of)
    return unknown or [item for item in items(of) if item not in (None, "")]


def _tolist(of: Value) -> Value:
    return of if isinstance(of, Unknown) else list(items(of))


def _tomap(of: Value) -> Value:
    return of if isinstance(of, Unknown) else table(of)


def _contains(of: Value, wanted: Value) -> Value:
    """Is it in the list? It is as soon as one member is; it is not only where all are known."""
    if isinstance(of, Unknown):
        return of
    unknown: Unknown | None = None
    for item in items(of):
        same = equal(item, wanted)
        if same is True:
            return True
        unknown = same if isinstance(same, Unknown) else unknown
    return unknown or False


#: Each function by its name.
LAZY: dict[str, Callable[..., Value]] = {
    "merge": _merge,
    "concat": _concat,
    "flatten": _flatten,
    "lookup": _lookup,
    "coalesce": _coalesce,
    "coalescelist": _coalescelist,
    "keys": _keys,
    "values": _values,
    "length": _length,
    "element": _element,
    "one": _one,
    "zipmap": _zipmap,
    "compact": _compact,
    "contains": _contains,
    "tolist": _tolist,
    "tomap": _tomap,
    "toset": lambda of: of if isinstance(of, Unknown) else SetOf.of(items(of)),
    "sensitive": lambda of: of,
    "nonsensitive": lambda of: of,
    "ephemeralasnull": lambda _: None,
}
