"""Values of expressions of GitHub Actions, and how they turn into each other. What is not known is a value of its own."""

from __future__ import annotations

import json
from math import isnan
from typing import TYPE_CHECKING, TypeAlias, Union

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAN = float("nan")
_LARGEST_WHOLE = 1e15


class Unknown:
    """A value that only a run knows.

    `text` is what stands for it in a text, `truth` whether it counts as true, where that much is certain. `name` is the path
    that it comes from, empty where it comes from several: two of one name are equal. `unlike` are texts that it is none of.
    """

    __slots__ = ("name", "text", "truth", "unlike")

    def __init__(self, text: str = HOLE, truth: bool | None = None, name: str = "", unlike: frozenset[str] = frozenset()) -> None:
        self.text = text
        self.truth = truth
        self.name = name
        self.unlike = unlike

    def _key(self) -> tuple[object, ...]:
        return (self.text, self.truth, self.name, self.unlike)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Unknown{self._key()}"

    def written(self, text: str) -> Unknown:
        """The same with another text."""
        return Unknown(text, self.truth, self.name, self.unlike)


class Object:
    """An object. Keys are in lower case, unless `exact`. `rest` gives the value of a key that it does not hold; null without."""

    __slots__ = ("exact", "items", "rest")

    def __init__(self, items: Mapping[str, Value], rest: Callable[[str], Value] | None = None, *, exact: bool = False) -> None:
        self.items = items
        self.rest = rest
        self.exact = exact

    def get(self, key: str) -> Value:
        """The value of a key."""
        found = key if self.exact else key.lower()
        if found in self.items:
            return self.items[found]
        return None if self.rest is None else self.rest(key)


class Many:
    """What `.*` gives: a list on which a further key is asked of each item."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Value, ...]) -> None:
        self.items = items


Value: TypeAlias = Union[bool, float, str, "tuple[Value, ...]", Many, Object, Unknown, None]


def unknown_at(path: str, *, truth: bool | None = True) -> Unknown:
    """The value at a path of a context, which in a text stays as it is written."""
    return Unknown(f"${{{{ {path} }}}}", truth, path)


def anything(_: str = "") -> Value:
    """What an object gives that was not seen."""
    return Unknown()


def truth(value: Value) -> bool | None:
    """Does it count as true? None where that is not known."""
    if isinstance(value, Unknown):
        return value.truth
    if isinstance(value, float):
        return value != 0 and not isnan(value)
    return bool(value) if value is None or isinstance(value, (bool, str)) else True


def number(value: Value) -> float:
    """Its number, as a comparison of different kinds takes it. The value has to be known."""
    if value is None:
        return 0.0
    if isinstance(value, (bool, float)):
        return float(value)
    return _parsed(value.strip()) if isinstance(value, str) else _NAN


def to_text(value: Value) -> str:
    """Its text, as a template writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Unknown):
        return value.text
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _digits(value)
    return "Object" if isinstance(value, Object) else "Array"


def from_json(text: str) -> Value:
    """The value that a JSON text says; unknown where it is none."""
    try:
        return _of_json(json.loads(text))
    except (ValueError, RecursionError):
        return Unknown()


def to_json(value: Value) -> Value:
    """The JSON text of a value."""
    try:
        return json.dumps(_to_plain(value), indent=2)
    except (LookupError, RecursionError):
        return Unknown(truth=True)


def equal(left: Value, right: Value) -> bool | None:
    """Are they equal, as `==` compares them: texts without case, different kinds as numbers?"""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return _equal_unknown(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right or left.lower() == right.lower()
    if left is None and right is None:
        return True
    if type(left) is type(right) and not isinstance(left, (bool, float)):
        return left is right
    return number(left) == number(right)


def less(left: Value, right: Value) -> bool | None:
    """Is the left one smaller?"""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() < right.upper()
    return number(left) < number(right)


def _equal_unknown(left: Value, right: Value) -> bool | None:
    if isinstance(left, Unknown) and isinstance(right, Unknown):
        return True if left.name and left.name == right.name else None
    known, other = (right, left) if isinstance(left, Unknown) else (left, right)
    if isinstance(other, Unknown) and isinstance(known, str) and (known.lower() in other.unlike or (other.truth and not known)):
        return False
    return None


def _parsed(text: str) -> float:
    if not text:
        return 0.0
    try:
        for prefix, base in (("0x", 16), ("0o", 8)):
            if text.startswith(prefix):
                return float(int(text[2:], base))
        return _NAN if "_" in text else float(text)
    except (ValueError, OverflowError):
        return _NAN


def _digits(value: float) -> str:
    if abs(value) < _LARGEST_WHOLE and value.is_integer():
        return str(int(value))
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), format(value, ".15g"))


def _of_json(value: object) -> Value:
    if isinstance(value, dict):
        return Object({str(key).lower(): _of_json(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_of_json(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return number(str(value))
    return value if value is None or isinstance(value, (bool, float, str)) else Unknown()


def _to_plain(value: Value) -> object:
    if isinstance(value, Unknown) or (isinstance(value, Object) and value.rest is not None):
        raise LookupError
    if isinstance(value, Object):
        return {key: _to_plain(item) for key, item in value.items.items()}
    if isinstance(value, Many):
        return [_to_plain(item) for item in value.items]
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    return int(value) if isinstance(value, float) and abs(value) < _LARGEST_WHOLE and value.is_integer() else value
