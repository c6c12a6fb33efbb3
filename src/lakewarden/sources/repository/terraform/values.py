"""Values of Terraform as Python has them; what is not known is `Unknown`, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How long a text, a list or a map may become while values are worked out.
MAX_LENGTH = 20_000

#: None is null; a list stands for a list, a tuple or (`SetOf`) a set; a dict for a map or an object; a `Reference` for a
#: resource or a module, whose attributes are looked up one by one.
Value = Any


@dataclass(frozen=True)
class Unknown:
    """A value that cannot be told.

    `later`: it exists once Terraform has run. `wrong`: the expression fails, so that `try` takes the next one. `of` is
    the resource that the value is an attribute of, `name` the attribute. `given`: whoever runs Terraform gives it.
    """

    reason: str
    remedy: str = ""
    later: bool = False
    wrong: bool = False
    of: object = None
    name: str = ""
    given: bool = False


class Reference(Protocol):
    """Something with attributes: a resource, a module, a group of them."""

    def attribute(self, name: str) -> Value:
        """The value of an attribute."""


class SetOf(list[Any]):
    """The members of a set, each once, in order."""

    @classmethod
    def of(cls, items: list[Value]) -> Value:
        """A set; what is not known of one member is not known of the set."""
        unknown = next((item for item in items if isinstance(item, Unknown)), None)
        if unknown is not None:
            return unknown
        found: list[Value] = []
        seen: set[Any] = set()
        for item in items:
            mark = (type(item) is bool, item) if isinstance(item, (str, int, float)) else repr(item)
            if mark not in seen:
                seen.add(mark)
                found.append(item)
        if all(isinstance(item, str) for item in found):
            found.sort()
        return cls(found)


def unknown_in(value: Value, depth: int = 0) -> Unknown | None:
    """The first thing in a value that is not known."""
    if isinstance(value, Unknown):
        return value
    if depth > 60:  # noqa: PLR2004 - deeper than any configuration
        return Unknown("a value is nested too deeply")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        found = unknown_in(item, depth + 1)
        if found is not None:
            return found
    return None


def is_plain(value: Value) -> bool:
    """Is it a value that stands for itself, and no reference?"""
    return value is None or isinstance(value, (str, int, float, bool, list, dict))


def to_text(value: Value) -> str | None:
    """A single value as a text; None where it is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004
    return None


def to_number(value: Value) -> int | float | None:
    """A number; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str) and len(value) < 30:  # noqa: PLR2004 - no number of a configuration is longer
        try:
            return int(value)
        except ValueError:
            try:
                number = float(value)
            except ValueError:
                return None
            return number if abs(number) < float("inf") else None
    return None


def to_bool(value: Value) -> bool | None:
    """A yes or no; None where it is none."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def pairs(value: Value) -> Iterator[tuple[Value, Value]] | None:
    """Keys and values of a collection, in the order in which Terraform goes through it; None where it is none."""
    if isinstance(value, dict):
        return iter(sorted(value.items()))
    if isinstance(value, SetOf):
        return ((item, item) for item in value)
    if isinstance(value, list):
        return iter(enumerate(value))
    return None


def equal(left: Value, right: Value) -> bool | Unknown:
    """Are two values the same? Values of different types are not."""
    for side in (left, right):
        unknown = unknown_in(side)
        if unknown is not None:
            return unknown
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if not (is_plain(left) and is_plain(right)):
        if left is None or right is None:
            return False
        return Unknown("resources are compared")
    return bool(left == right)
