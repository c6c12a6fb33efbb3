"""What a Terraform file says: blocks, attributes and expressions, each attribute and block with its place.

Both forms of the language, HCL and JSON, are read into these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 120


class Literal(NamedTuple):
    """A value that is written out."""

    value: bool | int | float | str | None


class Template(NamedTuple):
    """A text with expressions in it."""

    parts: tuple[Expr, ...]


class Name(NamedTuple):
    """The first word of a reference: `var`, `local`, a type of resource, the variable of a `for`."""

    name: str


class Attr(NamedTuple):
    """`of.name`."""

    of: Expr
    name: str


class Index(NamedTuple):
    """`of[key]`."""

    of: Expr
    key: Expr


class Splat(NamedTuple):
    """`of[*]…` or `of.*…`; `each` is what is taken of an item, which stands there as the name `*`."""

    of: Expr
    each: Expr


class Call(NamedTuple):
    """A function; `spread` where the last argument is followed by `...`."""

    name: str
    args: tuple[Expr, ...]
    spread: bool = False


class TupleOf(NamedTuple):
    """`[a, b]`."""

    items: tuple[Expr, ...]


class ObjectOf(NamedTuple):
    """`{ a = b }`. A bare word as a key is a literal."""

    items: tuple[tuple[Expr, Expr], ...]


class For(NamedTuple):
    """`[for k, v in of : value if cond]`, or with `key` an object; `group` where its values are gathered by key."""

    key_name: str | None
    value_name: str
    of: Expr
    key: Expr | None
    value: Expr
    cond: Expr | None
    group: bool


class Conditional(NamedTuple):
    """`cond ? yes : no`."""

    cond: Expr
    yes: Expr
    no: Expr


class Operation(NamedTuple):
    """`left op right`, or `op left` where `right` is None."""

    op: str
    left: Expr
    right: Expr | None


class Opaque(NamedTuple):
    """Something that is not evaluated, and why."""

    reason: str


Expr = Literal | Template | Name | Attr | Index | Splat | Call | TupleOf | ObjectOf | For | Conditional | Operation | Opaque


class Attribute:
    """A name with an expression, which is read once somebody asks for it."""

    __slots__ = ("_expr", "_make", "name", "origin")

    def __init__(self, name: str, origin: Origin, make: Callable[[], Expr]) -> None:
        self.name = name
        self.origin = origin
        self._make = make
        self._expr: Expr | None = None

    @property
    def expr(self) -> Expr:
        """The expression."""
        if self._expr is None:
            self._expr = self._make()
        return self._expr


class Body(NamedTuple):
    """What stands between the braces of a block, or in a file."""

    attributes: dict[str, Attribute]
    blocks: list[Block]

    def of(self, kind: str) -> list[Block]:
        """The blocks of one type."""
        return [block for block in self.blocks if block.kind == kind]


class Block(NamedTuple):
    """`kind "label" "label" { … }`."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    origin: Origin


EMPTY = Body({}, [])
NOWHERE = Origin()


def dotted(expr: Expr) -> str | None:
    """A reference as it is written: `databricks.prod`."""
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, Literal) and isinstance(expr.value, str):
        return expr.value
    if isinstance(expr, Attr):
        of = dotted(expr.of)
        return None if of is None else f"{of}.{expr.name}"
    return None
