"""Functions of expressions of Azure Pipelines. They answer unknown unless what is known decides."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.azure.values import (
    UNKNOWN,
    Ref,
    Unknown,
    Value,
    equal,
    number,
    plain,
    tell,
    to_text,
    truth,
)
from lakewarden.sources.repository.ci.ternary import every, negated, some
from lakewarden.sources.yaml_nodes import List, Map

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = tuple[Value, ...]


def _value(answer: bool | None) -> Value:
    return UNKNOWN if answer is None else answer


def _and(values: Arguments) -> Value:
    return _value(every([truth(value) for value in values]))


def _or(values: Arguments) -> Value:
    return _value(some([truth(value) for value in values]))


def _not(values: Arguments) -> Value:
    return _value(negated(truth(values[0])))


def _xor(values: Arguments) -> Value:
    left, right = truth(values[0]), truth(values[1])
    return UNKNOWN if left is None or right is None else left is not right


def _eq(values: Arguments) -> Value:
    return _value(equal(values[0], values[1]))


def _ne(values: Arguments) -> Value:
    return _value(negated(equal(values[0], values[1])))


def _in(values: Arguments) -> Value:
    return _value(some([equal(values[0], value) for value in values[1:]]))


def _not_in(values: Arguments) -> Value:
    return _value(negated(some([equal(values[0], value) for value in values[1:]])))


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Arguments], Value]:
    def ordered(values: Arguments) -> Value:
        left, right = plain(values[0]), plain(values[1])
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return UNKNOWN
        one, other = number(left), number(right)
        return UNKNOWN if one is None or other is None else compare(one, other)

    return ordered


def _texts(how: str, test: Callable[[str, str], bool]) -> Callable[[Arguments], Value]:
    def tested(values: Arguments) -> Value:
        tell(values[0], values[1], how)
        whole, part = to_text(values[0]), to_text(values[1])
        if whole is None or part is None:
            return UNKNOWN
        if isinstance(values[0], Ref) and values[0].kind == "base":
            part = part.removeprefix("refs/heads/")
        return test(whole.lower(), part.lower())

    return tested


def _contains_value(values: Arguments) -> Value:
    held = values[0]
    if isinstance(held, (Map, dict)):
        items = list(held.items.values()) if isinstance(held, Map) else list(held.values())
    elif isinstance(held, (List, list)):
        items = held.items if isinstance(held, List) else held
    else:
        return UNKNOWN
    return _value(some([equal(value, values[1]) for value in items]))


def _changed(change: Callable[[str], str]) -> Callable[[Arguments], Value]:
    def changed(values: Arguments) -> Value:
        return _still(values[0], change)

    return changed


def _replace(values: Arguments) -> Value:
    old, new = to_text(values[1]), to_text(values[2])
    return UNKNOWN if not old or new is None else _still(values[0], lambda text: text.replace(old, new))


def _still(value: Value, change: Callable[[str], str]) -> Value:
    """A changed text; the name of a ref stays one."""
    text = to_text(value)
    if text is None:
        return UNKNOWN
    if isinstance(value, Ref):
        kind = "branch" if value.kind == "ref" and not change(text).startswith("refs/") else value.kind
        return Ref.of(change(text), kind, value.told)
    return change(text)


def _coalesce(values: Arguments) -> Value:
    for value in values:
        if isinstance(plain(value), Unknown):
            return UNKNOWN
        if to_text(value) != "":
            return value
    return None


def _iif(values: Arguments) -> Value:
    answer = truth(values[0])
    return UNKNOWN if answer is None else values[1] if answer else values[2]


def _format(values: Arguments) -> Value:
    texts = [to_text(value) for value in values]
    if any(text is None for text in texts):
        return UNKNOWN
    told = [text or "" for text in texts]

    def put(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        at = int(found[1]) + 1
        return told[at] if at < len(told) else ""

    return re.sub(r"\{\{|\}\}|\{(\d{1,3})\}", put, told[0])


def _join(values: Arguments) -> Value:
    separator, held = to_text(values[0]), values[1]
    items = held.items if isinstance(held, List) else held
    if separator is None or not isinstance(items, list):
        return UNKNOWN
    texts = [to_text(value) for value in items]
    return UNKNOWN if any(text is None for text in texts) else separator.join(text or "" for text in texts)


def _split(values: Arguments) -> Value:
    text, separator = to_text(values[0]), to_text(values[1])
    return UNKNOWN if text is None or not separator else list(text.split(separator))


def _length(values: Arguments) -> Value:
    held = plain(values[0])
    if isinstance(held, (List, Map)):
        return float(len(held.items))
    return float(len(held)) if isinstance(held, (str, list, dict)) else UNKNOWN


def _of(least: int, function: Callable[[Arguments], Value]) -> Callable[[Arguments], Value]:
    """The function, unknown for fewer arguments than it needs."""
    return lambda values: function(values) if len(values) >= least else UNKNOWN


FUNCTIONS: dict[str, Callable[[Arguments], Value]] = {
    "and": _of(2, _and),
    "or": _of(2, _or),
    "not": _of(1, _not),
    "xor": _of(2, _xor),
    "eq": _of(2, _eq),
    "ne": _of(2, _ne),
    "in": _of(1, _in),
    "notin": _of(1, _not_in),
    "gt": _of(2, _ordered(operator.gt)),
    "ge": _of(2, _ordered(operator.ge)),
    "lt": _of(2, _ordered(operator.lt)),
    "le": _of(2, _ordered(operator.le)),
    "contains": _of(2, _texts("contains", lambda whole, part: part in whole)),
    "startswith": _of(2, _texts("starts", str.startswith)),
    "endswith": _of(2, _texts("ends", str.endswith)),
    "containsvalue": _of(2, _contains_value),
    "lower": _of(1, _changed(str.lower)),
    "upper": _of(1, _changed(str.upper)),
    "trim": _of(1, _changed(str.strip)),
    "replace": _of(3, _replace),
    "coalesce": _coalesce,
    "iif": _of(3, _iif),
    "format": _of(1, _format),
    "join": _of(2, _join),
    "split": _of(2, _split),
    "length": _of(1, _length),
}
