"""One object of a resource, and what is said of those that cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.terraform import nodes
from lakewarden.sources.repository.terraform.computed import computed
from lakewarden.sources.repository.terraform.sections import Written
from lakewarden.sources.repository.terraform.values import Unknown, Value

if TYPE_CHECKING:
    from lakewarden.errors import SourceError
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.terraform.module import Module
    from lakewarden.sources.repository.terraform.nodes import Block
    from lakewarden.sources.repository.terraform.world import Provider


class Instance:
    """One object of a resource, or of a data source."""

    def __init__(self, module: Module, block: Block, key: str | int | None, section: Written) -> None:
        self.module = module
        self.block = block
        self.key = key
        self.section = section

    @property
    def type(self) -> str:
        """The type of the resource."""
        return self.block.labels[0]

    @property
    def address(self) -> str:
        """Its address, as Terraform writes it."""
        data = "data." if self.block.kind == "data" else ""
        return f"{self.module.address}{data}{'.'.join(self.block.labels)}{suffix(self.key)}"

    @property
    def provider(self) -> Provider | None:
        """The provider that makes it."""
        attribute = self.block.body.attributes.get("provider")
        name = self.type.partition("_")[0] if attribute is None else nodes.dotted(attribute.expr)
        return self.module.provided().get(name or "")

    @property
    def ignored(self) -> frozenset[str]:
        """The attributes whose changes Terraform does not undo."""
        for block in self.block.body.of("lifecycle"):
            attribute = block.body.attributes.get("ignore_changes")
            if attribute is not None:
                inner = attribute.expr
                items = inner.items if isinstance(inner, nodes.TupleOf) else (inner,)
                return frozenset(name for item in items if (name := nodes.dotted(item)) is not None)
        return frozenset()

    def attribute(self, name: str) -> Value:
        """An attribute, written or made by the provider."""
        if name in self.block.body.attributes:
            return self.section.value(name)
        found = computed(self, name)
        if found is not None:
            return found
        if any(block.kind == name for block in self.block.body.blocks):
            sections, unknown = self.section.sections(name)
            return unknown or [_Block(section) for section in sections]
        return Unknown(f"{self.address}.{name} is known once Terraform has run", later=True, of=self, name=name)


class Unseen(NamedTuple):
    """Resources that cannot be told: of one type, of any, or of a module that is `given` the provider of Databricks."""

    type: str | None
    why: Unknown
    origin: Origin
    problem: SourceError | None = None
    source: str = ""
    given: bool | None = None


class _Block(NamedTuple):
    """A block in a resource, as a reference sees it."""

    section: Written | object

    def attribute(self, name: str) -> Value:
        """One of its attributes."""
        section = self.section
        return section.value(name) if isinstance(section, Written) and name in section.names() else Unknown(f"{name} is not set")


def suffix(key: str | int | None) -> str:
    """How an address ends for the key of one of several objects."""
    return "" if key is None else f"[{key}]" if isinstance(key, int) else f'["{key}"]'
