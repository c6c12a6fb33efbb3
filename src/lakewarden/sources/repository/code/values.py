"""What is known about a value before the code runs: a text with holes, an object of a known class, a name.

A hole in a text is the character NUL; `holes` says, in order, what each one stands for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lakewarden.sources.repository.code.public import is_public
from lakewarden.sources.repository.code.result import Hole, Known, Symbol

HOLE = "\0"

#: Larger numbers and longer texts are not folded.
_MAX_INT = 10**50
MAX_TEXT = 100_000
#: Longer texts are not handed to other files, and nothing is looked up over more steps.
_MAX_KEPT, _MAX_STEPS = 1000, 9

#: What code is launched with, by the kinds of symbols.
LAUNCHED = frozenset({"widget", "option", "env", "conf", "argv", "value"})

#: The levels of a full name: catalog, schema, object.
_FULL_NAME = 3


class Value(NamedTuple):
    """What is known about a value; everything empty where nothing is.

    `ref` is the dotted name of a module, class or function; `type` the class of an instance; `text` a string, with holes;
    `source` says what an unknown value stems from: `parameter`, `user`, `run`, `logged`, `registered`, `search`,
    `versions`, `newest`, `alias`; `name` is the parameter's name; `data` belongs to `type`; `symbol` tells where an unknown
    value stands, where that is not in the file.
    """

    ref: str = ""
    type: str = ""
    text: str | None = None
    holes: tuple[Hole, ...] = ()
    source: str = ""
    name: str = ""
    data: Any = None
    symbol: Symbol = ()

    @property
    def place(self) -> Symbol:
        """Where it stands: its symbol, or the dotted name of something that no public library holds."""
        return self.symbol or (("module", self.ref) if self.ref and is_foreign(self.ref) else ())

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


def parameter(name: str, kind: str = "") -> Value:
    """A value that whoever starts the code gives; `kind` is that of its symbol."""
    return Value(source="parameter", name=name, symbol=(kind, name) if kind and name else ())


def is_foreign(ref: str) -> bool:
    """May a dotted name be one of the repository's own?"""
    top, dot, _ = ref.lstrip(".").partition(".")
    return (dot != "" or ref.startswith(".")) and not is_public(top) and top != "builtins"


def storable(value: Value) -> Known | None:
    """What of a value can be kept; None where nothing is known of it."""
    if value.text is not None:
        return Known(value.text, value.holes) if len(value.text) <= _MAX_KEPT else None
    if value.type == "const":
        return Known(fixed=str(value.data))
    symbol = value.place
    return Known(None, (), value.source, value.name, symbol) if symbol or value.source else None


def restored(kept: Known | None) -> Value:
    """The value of which something was kept."""
    if kept is None:
        return UNKNOWN
    if kept.fixed is not None:
        return NONE if kept.fixed == "None" else Value(type="const", data=kept.fixed)
    return Value(text=kept.text, holes=kept.holes, source=kept.source, name=kept.name, symbol=kept.symbol)


def is_late(value: Value) -> bool:
    """May other files tell more of the value?"""
    return any(hole.symbol for hole in value.holes) or (value.text is None and bool(value.place))


def step(symbol: Symbol, *steps: Any) -> Symbol:
    """A symbol with further steps; nothing where it grows too long."""
    return (*symbol, *steps) if symbol and len(symbol) + len(steps) <= _MAX_STEPS else ()


def fill(template: str, holes: tuple[Hole, ...]) -> str:
    """Write each hole of a text as a name in braces."""
    if HOLE not in template:
        return template
    first, *rest = template.split(HOLE)
    return first + "".join(f"{{{hole.name or '?'}}}{part}" for hole, part in zip(holes, rest, strict=False))


def as_text(value: Value) -> Value:
    """The value as it stands inside a formatted string: a text, or one hole."""
    if value.text is not None:
        return value
    if value.type == "const" and value.data is not None:  # None stands for a value that is set elsewhere
        return text(str(value.data))
    return Value(text=HOLE, holes=(Hole(value.source, value.name, value.place),))


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
    if one.text is not None and other.text is not None and one.type == other.type:
        shared = _shared_folder(one, other)
        if shared is not None:
            return shared._replace(type=one.type)
    source = one.source if one.source == other.source else _stronger(one.source, other.source)
    if not kind and source == "versions":
        data = one.data
    return Value(
        ref=one.ref if one.ref == other.ref else "",
        type=kind,
        source=source,
        name=one.name if one.name == other.name else "",
        data=data,
        symbol=one.symbol if one.symbol == other.symbol else (),
    )


def _shared_folder(one: Value, other: Value) -> Value | None:
    """The folder that two paths of data share, and below it a hole; None where they share none, or are no paths."""
    mine, theirs = one.text or "", other.text or ""
    size = next((at for at, (a, b) in enumerate(zip(mine, theirs)) if a != b), min(len(mine), len(theirs)))  # noqa: B905
    folder = mine[: mine.rfind("/", 0, size) + 1]
    if HOLE in folder and one.holes[: folder.count(HOLE)] != other.holes[: folder.count(HOLE)]:
        return None
    if not folder.startswith(("/", "dbfs:/")) and ("://" not in folder or folder.startswith("http")):
        return None
    holes = one.holes[: folder.count(HOLE)]
    return Value(text=folder + HOLE, holes=(*holes, Hole("", "*"))) if folder.strip("/") else None


def each(values: Value) -> Value:
    """What a loop over values takes from them: what is known of all, place by place where each is a tuple."""
    if values.type == "dict":
        return _one_of([text(key) for key in values.data if isinstance(key, str)])
    if values.type != "list" or not values.data:
        return Value(source=values.source, data=values.data) if values.source else UNKNOWN
    return _one_of(list(values.data))


def _one_of(items: list[Value]) -> Value:
    if not items:
        return UNKNOWN
    first = items[0]
    if first.type == "list" and all(item.type == "list" and len(item.data) == len(first.data) for item in items):
        return Value(
            type="list", data=tuple(_one_of(list(column)) for column in zip(*(item.data for item in items), strict=True))
        )
    if first.type == "dict" and all(item.type == "dict" for item in items):
        keys = [key for key in first.data if all(key in item.data for item in items)]
        return Value(type="dict", data={key: _one_of([item.data[key] for item in items]) for key in keys})
    result = first
    for item in items[1:]:
        result = merge(result, item)
    return result


def _stronger(one: str, other: str) -> str:
    """A choice between the newest version, or a search, and something else stays what it may be."""
    for source in ("newest", "search"):
        if source in (one, other):
            return source
    return ""


def levels(template: str) -> int | None:
    """How many levels a name has; None where a hole may stand for several. One that ends a word, as in `raw_{x}`, does not.
    A place to fill in, as `...`, has none.
    """
    count = template.count(".") + 1
    holes = [at for at, sign in enumerate(template) if sign == HOLE]
    if all(at and (template[at - 1].isalnum() or template[at - 1] in "_-") for at in holes):
        return count if any(sign.isalnum() for sign in template) else None
    return count if count >= _FULL_NAME else None
