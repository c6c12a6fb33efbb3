"""The functions of expressions of GitHub Actions, over values that may be unknown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.values import (
    Many,
    Object,
    Unknown,
    Value,
    equal,
    from_json,
    to_json,
    to_text,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Functions whose answer hangs on what ran before.
STATUS = frozenset({"success", "failure", "always", "cancelled"})

_MANY = 255
_MAX_TEXT = 200_000
_FIELD = r"\{\{|\}\}|\{(\d{1,3})\}|[{}]"


def _contains(arguments: Sequence[Value]) -> Value:
    where, what = arguments
    items = _items(where)
    if items is not None:
        answers = [equal(item, what) for item in items]
        if True in answers:
            return True
        return Unknown() if None in answers else False
    if isinstance(where, Unknown):
        return Unknown()
    return _about_texts(where, what, lambda text, part: part in text)


def _starts_with(arguments: Sequence[Value]) -> Value:
    where, what = arguments
    return _about_texts(where, what, lambda text, part: text.startswith(part))


def _ends_with(arguments: Sequence[Value]) -> Value:
    where, what = arguments
    return _about_texts(where, what, lambda text, part: text.endswith(part))


def _about_texts(where: Value, what: Value, ask: Callable[[str, str], bool]) -> Value:
    """A question about two texts, without case; lists and objects are no texts."""
    if _is_compound(where) or _is_compound(what):
        return False
    if isinstance(where, Unknown) or isinstance(what, Unknown):
        return Unknown()
    return ask(to_text(where).lower(), to_text(what).lower())


def _format(arguments: Sequence[Value]) -> Value:
    pattern, *values = arguments
    if isinstance(pattern, Unknown):
        return Unknown()
    out: list[str] = []
    at = 0
    text = to_text(pattern)
    known = True
    for found in re.finditer(_FIELD, text):
        out.append(text[at : found.start()])
        at = found.end()
        if found[1] is None:
            if found[0] in ("{", "}"):
                return Unknown()
            out.append(found[0][0])
            continue
        if int(found[1]) >= len(values):
            return Unknown()
        value = values[int(found[1])]
        known = known and not isinstance(value, Unknown)
        out.append(to_text(value))
    out.append(text[at:])
    return _text(out, known=known)


def _join(arguments: Sequence[Value]) -> Value:
    where = arguments[0]
    between = arguments[1] if len(arguments) > 1 else ","
    items = _items(where)
    if items is None:
        return where if isinstance(where, Unknown) else to_text(where)
    known = not any(isinstance(value, Unknown) for value in (*items, between))
    return _text([to_text(between).join(to_text(item) for item in items)], known=known)


def _from_json(arguments: Sequence[Value]) -> Value:
    text = arguments[0]
    return Unknown() if isinstance(text, Unknown) or _is_compound(text) else from_json(to_text(text))


def _case(arguments: Sequence[Value]) -> Value:
    """Pairs of condition and value, and a value for where none holds."""
    for at in range(0, len(arguments) - 1, 2):
        found = truth(arguments[at])
        if found is None:
            return Unknown()
        if found:
            return arguments[at + 1]
    return arguments[-1] if len(arguments) % 2 else Unknown()


def _text(parts: Sequence[str], *, known: bool) -> Value:
    if sum(map(len, parts)) > _MAX_TEXT:
        return Unknown()
    text = "".join(parts)
    return text if known else Unknown(text)


def _items(value: Value) -> tuple[Value, ...] | None:
    if isinstance(value, Many):
        return value.items
    return value if isinstance(value, tuple) else None


def _is_compound(value: Value) -> bool:
    return isinstance(value, (Object, Many, tuple))


#: Least and largest number of arguments, and the function.
FUNCTIONS: Mapping[str, tuple[int, int, Callable[[Sequence[Value]], Value]]] = {
    "contains": (2, 2, _contains),
    "startswith": (2, 2, _starts_with),
    "endswith": (2, 2, _ends_with),
    "format": (1, _MANY, _format),
    "join": (1, 2, _join),
    "tojson": (1, 1, lambda arguments: to_json(arguments[0])),
    "fromjson": (1, 1, _from_json),
    "case": (3, _MANY, _case),
    "hashfiles": (1, _MANY, lambda _: Unknown()),
}
