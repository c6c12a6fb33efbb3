"""A resource, or a block in one, as those who write facts read it: values, and blocks within it, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from lakewarden.sources.repository.terraform import nodes
from lakewarden.sources.repository.terraform.evaluate import Inner, evaluate
from lakewarden.sources.repository.terraform.functions import sorted_pairs
from lakewarden.sources.repository.terraform.values import SetOf, Unknown, Value, to_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.terraform.evaluate import Scope
    from lakewarden.sources.repository.terraform.nodes import Body

#: How often one block may be repeated.
MAX_REPEATED = 2000


class Section(Protocol):
    """What is read of a block."""

    @property
    def origin(self) -> Origin:
        """Where it stands."""

    def names(self) -> list[str]:
        """The attributes and blocks that are written."""

    def value(self, name: str) -> Value:
        """An attribute; None where it is not written, or null."""

    def origin_of(self, name: str, /) -> Origin:
        """Where an attribute stands; the place of the whole where it is not written."""

    def sections(self, name: str) -> tuple[list[Section], Unknown | None]:
        """The blocks of one name, and why there may be others."""


class Told(NamedTuple):
    """A section of values that are known, as a plan or an object holds them."""

    table: dict[str, Value]
    origin: Origin

    def names(self) -> list[str]:
        """The attributes that are there."""
        return [name for name, value in self.table.items() if value is not None]

    def value(self, name: str) -> Value:
        """An attribute."""
        return self.table.get(name)

    def origin_of(self, _name: str) -> Origin:
        """The place of the whole."""
        return self.origin

    def sections(self, name: str) -> tuple[list[Section], Unknown | None]:
        """The objects in an attribute."""
        return told(self.table.get(name), self.origin)


def told(value: Value, origin: Origin) -> tuple[list[Section], Unknown | None]:
    """The sections that a value holds: an object, or a list of them."""
    if isinstance(value, Unknown):
        return [], value
    found: list[Section] = []
    unknown: Unknown | None = None
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            found.append(Told(item, origin))
        elif isinstance(item, Unknown):
            unknown = item
    return found, unknown


class Written:
    """A section of a file."""

    def __init__(self, body: Body, scope: Scope, origin: Origin) -> None:
        self.body = body
        self.scope = scope
        self.origin = origin
        self._values: dict[str, Value] = {}

    def names(self) -> list[str]:
        """The attributes and blocks that are written."""
        blocks = [block.labels[0] if block.kind == "dynamic" and block.labels else block.kind for block in self.body.blocks]
        return list(dict.fromkeys([*self.body.attributes, *blocks]))

    def value(self, name: str) -> Value:
        """An attribute."""
        if name not in self._values:
            attribute = self.body.attributes.get(name)
            self._values[name] = None if attribute is None else work_out(attribute.expr, self.scope)
        return self._values[name]

    def origin_of(self, name: str) -> Origin:
        """Where an attribute stands."""
        attribute = self.body.attributes.get(name)
        return attribute.origin if attribute is not None else self.origin

    def sections(self, name: str) -> tuple[list[Section], Unknown | None]:
        """The blocks of one name, those of a `dynamic` block with them."""
        found: list[Section] = []
        unknown: Unknown | None = None
        for block in self.body.blocks:
            if block.kind == name:
                found.append(Written(block.body, self.scope, block.origin))
            elif block.kind == "dynamic" and block.labels[:1] == (name,):
                for inner in _repeated(block, self.scope):
                    if isinstance(inner, Unknown):
                        unknown = inner
                    else:
                        found.append(inner)
        attribute = self.body.attributes.get(name)
        if attribute is not None:
            more, missing = told(self.value(name), attribute.origin)
            found += more
            unknown = unknown or missing
        return found, unknown


def work_out(expr: nodes.Expr, scope: Scope) -> Value:
    """The value of an expression; what is nested too deeply has none."""
    try:
        return evaluate(expr, scope)
    except RecursionError:
        return Unknown("the expression is nested too deeply")


def _repeated(block: nodes.Block, scope: Scope) -> Iterator[Written | Unknown]:
    """The blocks that a `dynamic` block makes."""
    attributes = block.body.attributes
    content = next(iter(block.body.of("content")), None)
    each = attributes.get("for_each")
    if content is None or each is None:
        yield Unknown("a dynamic block lacks for_each or content", "mend the block")
        return
    of = work_out(each.expr, scope)
    items = sorted_pairs(of)
    if items is None or len(items) > MAX_REPEATED:
        yield of if isinstance(of, Unknown) else Unknown("for_each of a dynamic block is no collection that can be gone through")
        return
    iterator = attributes.get("iterator")
    name = iterator.expr.name if iterator is not None and isinstance(iterator.expr, nodes.Name) else block.labels[0]
    for key, value in items:
        yield Written(content.body, Inner(scope, {name: {"key": key, "value": value}}), content.origin)


class Copy(NamedTuple):
    """One of the objects that a block stands for: its key, None without `count` and `for_each`, and its scope."""

    key: str | int | None
    scope: Scope


def copies(body: Body, scope: Scope) -> tuple[list[Copy], str] | Unknown:
    """The objects that a block of a resource or a module stands for, with `one`, `count` or `for_each`."""
    count, each = body.attributes.get("count"), body.attributes.get("for_each")
    if count is not None:
        value = work_out(count.expr, scope)
        number = to_number(value)
        if number is None or number > MAX_REPEATED:
            return value if isinstance(value, Unknown) else Unknown("count is no number that can be gone through")
        return [Copy(n, Inner(scope, {"count": {"index": n}})) for n in range(int(number))], "count"
    if each is not None:
        of = work_out(each.expr, scope)
        items = sorted_pairs(of) if isinstance(of, (SetOf, dict)) else None
        if items is None or len(items) > MAX_REPEATED:
            return of if isinstance(of, Unknown) else Unknown("for_each is neither a map nor a set that can be gone through")
        return [Copy(str(key), Inner(scope, {"each": {"key": key, "value": value}})) for key, value in items], "for_each"
    return [Copy(None, scope)], "one"
