"""A root module with one set of variables, as those who write facts read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.repository.terraform.instance import Instance
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_bool, to_number, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.terraform.sections import Section
    from lakewarden.sources.repository.terraform.world import Provider
    from lakewarden.sources.source import Context

T = TypeVar("T")

NONE = "none"


class Item(NamedTuple):
    """One object that Terraform makes, or looks up where `data`."""

    type: str
    address: str
    section: Section
    provider: Provider | None = None
    ignored: frozenset[str] = frozenset()
    data: bool = False

    @property
    def origin(self) -> Origin:
        """Where it is declared."""
        return self.section.origin

    @property
    def alias(self) -> str:
        """The alias of the provider that makes it."""
        return self.provider.alias if self.provider is not None else ""


def item_of(instance: Instance) -> Item:
    """An object of a module as an item."""
    data = instance.block.kind == "data"
    return Item(instance.type, instance.address, instance.section, instance.provider, instance.ignored, data)


@dataclass
class Root:
    """What one `terraform apply` makes. `taken` are keys that are given, `told` gaps that were told."""

    context: Context
    facts: Facts
    project: str
    key: str
    folder: str
    path: str
    items: dict[str, list[Item]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)
    hosts: dict[str, str | None] = field(default_factory=dict)
    taken: set[tuple[str, str]] = field(default_factory=set)
    told: set[tuple[object, ...]] = field(default_factory=set)
    groups: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Item]:
        """The objects of one type that are made."""
        return self.items.get(kind, [])

    def place(self, item: Item) -> str:
        """The key of the place where an object is made."""
        return self.places.get(item.alias, self.key)

    def item_of(self, value: Value) -> Item | None:
        """The object that a value is an attribute of, where the value exists only once that object does."""
        of = value.of if isinstance(value, Unknown) else None
        if isinstance(of, Instance):
            return item_of(of)
        return of if isinstance(of, Item) else None

    def gap(
        self, table: str, why: Unknown, origin: Origin, *, parent: str | None = None, value: bool = True,
        cause: Cause = Cause.UNRESOLVED,
    ) -> None:  # fmt: skip
        """Say why a value, or a list under `parent`, is not known; the same is said once."""
        at = (table, why.reason, origin.path, origin.line, parent, value)
        if at in self.told:
            return
        self.told.add(at)
        where = f"{origin.path}:{origin.line}: " if origin.path is not None and origin.line is not None else ""
        self.facts.gap(
            Gap(cause, table, where + why.reason, why.remedy, project=self.project, parent=parent, origin=origin, value=value)
        )

    def text(self, section: Section, name: str, table: str, absent: str | None = NONE) -> str | None:
        """A text; `absent` where it is not written, None where it cannot be told."""
        return self._told(section, name, table, to_text, "no text", absent)

    def flag(self, section: Section, name: str, table: str, *, absent: bool | None = False) -> bool | None:
        """A yes or a no."""
        return self._told(section, name, table, to_bool, "neither true nor false", absent)

    def number(self, section: Section, name: str, table: str, absent: int | None) -> int | None:
        """A whole number."""
        default: int | float | None = absent
        found = self._told(section, name, table, to_number, "no number", default)
        return None if found is None else int(found)

    def _told(
        self, section: Section, name: str, table: str, of: Callable[[Value], T | None], misfit: str, absent: T | None
    ) -> T | None:
        """A value; `absent` where it is not written, None and a gap where it cannot be told, or is a `misfit`."""
        value = section.value(name)
        if value is None:
            return absent
        found = of(value)
        if found is None:
            why = value if isinstance(value, Unknown) else Unknown(f"{name} is {misfit}", "mend the value")
            self.gap(table, why, section.origin_of(name))
        return found

    def sections(self, section: Section, name: str, *tables: str, parent: str | None = None) -> list[Section]:
        """The blocks of one name; where there may be others, a gap in the lists of `tables`."""
        found, unknown = section.sections(name)
        if unknown is not None:
            for table in tables:
                self.gap(table, unknown, section.origin_of(name), parent=parent, value=False)
        return found

    def free(self, table: str, key: str) -> str:
        """A key that no other row of a table has."""
        while (table, key) in self.taken:
            key += "?"
        self.taken.add((table, key))
        return key
