"""What is known about a value before the code runs: a text with holes, an object of a known class, a name.

A hole in a text is the character NUL; `holes` says, in order, what each one stands for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

HOLE = "\0"

#: Larger numbers and longer texts are not folded.
_MAX_INT = 10**50
MAX_TEXT = 100_000

#: The levels of a full name: catalog, schema, object.
_FULL_NAME = 3


class Hole(NamedTuple):
    """A part of a text that is not known: where it comes from, and the name that the code gives it."""

    source: str = ""
    name: str = ""


class Value(NamedTuple):
    """What is known about a value; everything empty where nothing is.

    `ref` is the dotted name of a module, class or function; `type` the class of an instance; `text` a string, with holes;
    `source` says what an unknown value stems from: `parameter`, `user`, `run`, `logged`, `registered`, `search`,
    `versions`, `newest`, `alias`; `name` is the parameter's name; `data` belongs to `type`.
    """

    ref: str = ""
    type: str = ""
    text: str | None = None
    holes: tuple[Hole, ...] = ()
    source: str = ""
    name: str = ""
    data: Any = None

    @property
    def known(self) -> str | None:
        """The whole text, None where a part of it is not known."""
        return self.text if not self.holes else None

    @property
    def shown(self) -> str | None:
        """The text with each hole as a name in braces; None where nothing of it is known."""
        if self.text is None or not self.text.strip(HOLE):
            return None
        return fill(self.text, self.holes)

    @property
    def sources(self) -> frozenset[str]:
        """Everything that it stems from."""
        return frozenset(filter(None, (self.source, *(hole.source for hole in self.holes))))


UNKNOWN = Value()
NONE = Value(type="const", data=None)


def const(value: object) -> Value:
    """A number, a truth value or None."""
    if isinstance(value, int) and abs(value) > _MAX_INT:
        return UNKNOWN
    return Value(type="const", data=value)


def text(value: str) -> Value:
    """A text that is known; nothing where it could not stand in a fact."""
    if HOLE in value or len(value) > MAX_TEXT:
        return UNKNOWN
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode()
    return Value(text=value)


def parameter(name: str) -> Value:
    """A value that whoever starts the code gives."""
    return Value(source="parameter", name=name)


def fill(template: str, holes: tuple[Hole, ...]) -> str:
    """Write each hole of a text as a name in braces."""
    first, *rest = template.split(HOLE)
    return first + "".join(f"{{{hole.name or '?'}}}{part}" for hole, part in zip(holes, rest, strict=False))


def as_text(value: Value) -> Value:
    """The value as it stands inside a formatted string: a text, or one hole."""
    if value.text is not None:
        return value
    if value.type == "const":
        return text(str(value.data))
    return Value(text=HOLE, holes=(Hole(value.source, value.name),))


def concat(values: list[Value]) -> Value:
    """Join texts, with their holes."""
    parts = [as_text(value) for value in values]
    joined = "".join(part.text or "" for part in parts)
    if len(joined) > MAX_TEXT:
        return UNKNOWN
    return Value(text=joined, holes=tuple(hole for part in parts for hole in part.holes))


def merge(one: Value, other: Value) -> Value:
    """What is known when either may be the case."""
    if one == other:
        return one
    kind, data = "", None
    if one.type == other.type and one.type != "const":
        if one.data == other.data:
            kind, data = one.type, one.data
        elif one.type.startswith("DataFrame") and one.data and other.data:
            kind, data = one.type, tuple(merge(a, b) for a, b in zip(one.data, other.data, strict=True))
    source = one.source if one.source == other.source else _stronger(one.source, other.source)
    if not kind and source == "versions":
        data = one.data
    return Value(
        ref=one.ref if one.ref == other.ref else "",
        type=kind,
        source=source,
        name=one.name if one.name == other.name else "",
        data=data,
    )


def _stronger(one: str, other: str) -> str:
    """A choice between the newest version, or a search, and something else stays what it may be."""
    for source in ("newest", "search"):
        if source in (one, other):
            return source
    return ""


def levels(template: str) -> int | None:
    """How many levels a name has; None where a hole may stand for several."""
    count = template.count(".") + 1
    if HOLE not in template:
        return count if template.strip() else None
    return count if count >= _FULL_NAME else None
