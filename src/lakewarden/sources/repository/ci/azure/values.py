"""Values of expressions of Azure Pipelines, and how they turn into each other. What is not known is a value of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Union

from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable


class Unknown:
    """A value that only a run knows."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Lookup(NamedTuple):
    """A context whose items are asked for by name."""

    get: Callable[[str], Value]


class Ref(str):
    """A text that names what is built, or where a pull request goes. `told` takes each text that it is compared with, and how."""

    __slots__ = ("kind", "told")

    kind: str
    told: set[tuple[str, str, str]]

    @classmethod
    def of(cls, text: str, kind: str, told: set[tuple[str, str, str]]) -> Ref:
        """A text of a kind: `ref`, `branch` (a ref without prefix) or `base`."""
        found = cls(text)
        found.kind = kind
        found.told = told
        return found


Value: TypeAlias = Union[bool, float, str, "list[Any]", "dict[str, Any]", Node, Lookup, Unknown, None]


def plain(value: Value) -> Value:
    """A value of the file as a text; other values as they are."""
    if isinstance(value, Scalar):
        value = "" if value.is_null else value.text
    if isinstance(value, str) and HOLE in value:
        return UNKNOWN
    return value


def item(of: Value, key: Value) -> Value:
    """The item of a value that stands under a key; null where there is none."""
    key = plain(key)
    if isinstance(of, Unknown) or isinstance(key, Unknown):
        return UNKNOWN
    if isinstance(of, Lookup):
        return of.get(to_text(key) or "")
    if isinstance(of, (Map, dict)):
        items: Any = of.items if isinstance(of, Map) else of
        wanted = (to_text(key) or "").lower()
        return next((value for name, value in items.items() if name.lower() == wanted), None)
    if isinstance(of, (List, list)):
        found: Any = of.items if isinstance(of, List) else of
        at = number(key)
        return found[int(at)] if at is not None and 0 <= at < len(found) else None
    return None


def truth(value: Value) -> bool | None:
    """Does it count as true? None where that is not known."""
    value = plain(value)
    if isinstance(value, Unknown):
        return None
    if isinstance(value, (Map, List, Lookup, list, dict)):
        return True
    return bool(value)


def number(value: Value) -> float | None:
    """Its number; None where it has none. The value has to be known."""
    value = plain(value)
    if isinstance(value, (bool, float, int)):
        return float(value)
    if value is None:
        return 0.0
    if isinstance(value, str):
        try:
            return float(value) if value.strip() else 0.0
        except ValueError:
            return None
    return None


def to_text(value: Value) -> str | None:
    """Its text; None where it is not known, or has none."""
    value = plain(value)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return None


def equal(left: Value, right: Value) -> bool | None:
    """Are they equal, the right one taken as the kind of the left one, texts without case?"""
    tell(left, right, "is")
    base = any(isinstance(value, Ref) and value.kind == "base" for value in (left, right))
    left, right = plain(left), plain(right)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if isinstance(left, bool):
        # Every text but the empty one counts as true, which is seldom what is meant by 'false'.
        return None if isinstance(right, str) and right.lower() == "false" else left is truth(right)
    if isinstance(left, float):
        return left == number(right)
    one, other = to_text(left), to_text(right)
    if one is None or other is None:
        return None
    one, other = one.lower(), other.lower()
    if base:  # `refs/heads/x` on Azure Repos and `x` on GitHub: who writes the file knows which
        one, other = one.removeprefix("refs/heads/"), other.removeprefix("refs/heads/")
    return one == other


def tell(left: Value, right: Value, how: str) -> None:
    """Note what the name of a ref is compared with."""
    for value, other in ((left, right), (right, left)):
        if isinstance(value, Ref) and not isinstance(other, Ref):
            text = to_text(other)
            if text:
                value.told.add((value.kind, how, text))
