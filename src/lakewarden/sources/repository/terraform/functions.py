"""The functions of Terraform that depend on nothing but their arguments. One that is not here gives no value."""

from __future__ import annotations

import json
import math
import posixpath
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.terraform.arguments import BadArgumentError, fail, items, number, table, text
from lakewarden.sources.repository.terraform.collection_functions import LAZY
from lakewarden.sources.repository.terraform.values import (
    MAX_LENGTH,
    SetOf,
    Unknown,
    Value,
    is_plain,
    pairs,
    to_bool,
    unknown_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def call(name: str, args: list[Value]) -> Value:
    """The value of a function. Where an argument that counts is not known, neither is the value."""
    name = name.removeprefix("core::")
    found = LAZY.get(name)
    try:
        if found is not None:
            return _bounded(found(*args))
        found = _FUNCTIONS.get(name)
        if found is None:
            return Unknown(f"the function {name} is not evaluated")
        for arg in args:
            unknown = unknown_in(arg)
            if unknown is not None:
                return unknown
            if not is_plain(arg):
                return Unknown(f"{name} is called with a whole resource")
        return _bounded(found(*args))
    except (BadArgumentError, TypeError, ValueError, IndexError, KeyError, OverflowError, RecursionError):
        return Unknown(f"{name} fails with these arguments", "mend the expression", wrong=True)


def _bounded(value: Value) -> Value:
    if isinstance(value, (str, list, dict)) and len(value) > MAX_LENGTH:
        return Unknown("a value becomes too long")
    return value


def _format(pattern: Value, *args: Value) -> Value:
    """The verbs `%s`, `%d`, `%v`, `%q` and zero-padded numbers; any other gives no value."""
    found: list[str] = []
    rest = list(args)
    parts = text(pattern).split("%")
    found.append(parts[0])
    skip = False
    for verb in parts[1:]:
        part = verb
        if skip:
            skip = False
            found.append(part)
            continue
        if not part:
            found.append("%")
            skip = True
            continue
        width = ""
        while part and part[0].isdigit():
            width, part = width + part[0], part[1:]
        if not part or part[0] not in "sdvq" or len(width) > 2:  # noqa: PLR2004 - a width, not a bomb
            return Unknown(f"the format {text(pattern)[:40]!r} is not evaluated")
        value = rest.pop(0)
        one = json.dumps(value) if part[0] == "q" or not isinstance(value, (str, int, float, bool)) else text(value)
        if part[0] == "d":
            one = text(int(number(value)))
        found.append((one.zfill(int(width)) if width.startswith("0") else one.rjust(int(width))) if width else one)
        found.append(part[1:])
    return "".join(found)


def _replace(of: Value, old: Value, new: Value) -> Value:
    what, by = text(old), text(new)
    if len(what) > 1 and what.startswith("/") and what.endswith("/"):
        return Unknown("a regular expression is not evaluated")
    return text(of).replace(what, by)


def _substr(of: Value, start: Value, length: Value) -> Value:
    whole, first, size = text(of), int(number(start)), int(number(length))
    first = max(0, first + len(whole)) if first < 0 else first
    return whole[first:] if size < 0 else whole[first : first + size]


def _slice(of: Value, start: Value, end: Value) -> Value:
    first, last = int(number(start)), int(number(end))
    return items(of)[first:last] if 0 <= first <= last <= len(of) else fail()


def _range(*args: Value) -> Value:
    numbers = [int(number(arg)) for arg in args]
    found = range(*numbers) if len(numbers) != 1 else range(numbers[0])
    return list(found) if len(found) <= MAX_LENGTH else Unknown("a range is too long")


def _decoded(value: Any) -> Value:
    """What a decoder gives, as Terraform has it: keys are texts, dates stay texts."""
    if isinstance(value, dict):
        return {str(key): _decoded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_decoded(inner) for inner in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _yamldecode(of: Value) -> Value:
    from lakewarden.errors import SourceError
    from lakewarden.sources.repository.terraform.yaml_values import plain
    from lakewarden.sources.yaml_nodes import compose

    try:
        return plain(compose(text(of), "yamldecode").root)
    except SourceError as problem:
        return Unknown(problem.reason, "mend the file", wrong=True)


def _distinct(of: Value) -> Value:
    found: list[Value] = []
    for item in items(of):
        if item not in found:
            found.append(item)
    return found


def _product(*args: Value) -> Value:
    from itertools import product

    if math.prod(len(items(arg)) for arg in args) > MAX_LENGTH:
        return Unknown("a product of sets is too long")
    return [list(found) for found in product(*args)]


def _sort(of: Value) -> Value:
    return sorted(text(item) for item in items(of))


def _title(of: Value) -> Value:
    return "".join(c.upper() if n == 0 or not text(of)[n - 1].isalpha() else c for n, c in enumerate(text(of)))


def _transpose(of: Value) -> Value:
    found: dict[str, list[str]] = {}
    for key, values in sorted(table(of).items()):
        for value in items(values):
            found.setdefault(text(value), []).append(key)
    return found


def _sets(combine: Callable[[set[str], set[str]], set[str]]) -> Callable[..., Value]:
    def apply(*args: Value) -> Value:
        found = {text(item) for item in items(args[0])}
        for arg in args[1:]:
            found = combine(found, {text(item) for item in items(arg)})
        return SetOf(sorted(found))

    return apply


def _truths(of: Value) -> Iterator[bool | None]:
    return (to_bool(item) for item in items(of))


def _tobool(of: Value) -> Value:
    found = to_bool(of)
    return found if found is not None or of is None else fail()


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "lower": lambda of: text(of).lower(),
    "upper": lambda of: text(of).upper(),
    "title": _title,
    "trimspace": lambda of: text(of).strip(),
    "trim": lambda of, cut: text(of).strip(text(cut)),
    "trimprefix": lambda of, cut: text(of).removeprefix(text(cut)),
    "trimsuffix": lambda of, cut: text(of).removesuffix(text(cut)),
    "chomp": lambda of: text(of).rstrip("\r\n"),
    "strrev": lambda of: text(of)[::-1],
    "startswith": lambda of, part: text(of).startswith(text(part)),
    "endswith": lambda of, part: text(of).endswith(text(part)),
    "strcontains": lambda of, part: text(part) in text(of),
    "substr": _substr,
    "replace": _replace,
    "format": _format,
    "join": lambda by, *of: text(by).join(text(item) for arg in of for item in items(arg)),
    "split": lambda by, of: text(of).split(text(by)) if text(by) else list(text(of)),
    "distinct": _distinct,
    "index": lambda of, item: items(of).index(item),
    "reverse": lambda of: items(of)[::-1],
    "slice": _slice,
    "sort": _sort,
    "range": _range,
    "setproduct": _product,
    "setunion": _sets(lambda one, other: one | other),
    "setintersection": _sets(lambda one, other: one & other),
    "setsubtract": _sets(lambda one, other: one - other),
    "transpose": _transpose,
    "alltrue": lambda of: all(truth is True for truth in _truths(of)),
    "anytrue": lambda of: any(truth is True for truth in _truths(of)),
    "sum": lambda of: sum(number(item) for item in items(of)),
    "min": lambda *of: min(number(item) for item in of),
    "max": lambda *of: max(number(item) for item in of),
    "abs": lambda of: abs(number(of)),
    "ceil": lambda of: math.ceil(number(of)),
    "floor": lambda of: math.floor(number(of)),
    "tostring": lambda of: None if of is None else text(of),
    "tonumber": lambda of: None if of is None else number(of),
    "tobool": _tobool,
    "jsonencode": lambda of: json.dumps(of, separators=(",", ":"), sort_keys=True, ensure_ascii=False),
    "jsondecode": lambda of: _decoded(json.loads(text(of))),
    "yamldecode": _yamldecode,
    "basename": lambda of: posixpath.basename(text(of).rstrip("/")),
    "dirname": lambda of: posixpath.dirname(text(of)) or ".",
    "pathexpand": text,
}


def sorted_pairs(value: Value) -> list[tuple[Value, Value]] | None:
    """Keys and values of a collection, all at once; None where it is none."""
    found = pairs(value)
    return None if found is None else list(found)
