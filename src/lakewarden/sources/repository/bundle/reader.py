"""Reads the configuration of one target, value by value; what has no value becomes None and a gap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.repository.bundle.merge import fold, is_null
from lakewarden.sources.repository.bundle.tables import touched
from lakewarden.sources.repository.bundle.variables import Kind, Problem, Value
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.bundle.references import Resolver
    from lakewarden.sources.repository.layout import Bundle
    from lakewarden.sources.source import Context

NONE = "none"
_KEEP_NAMES = frozenset({"catalogs", "schemas", "volumes", "registered_models", "models"})
#: What a task is launched with may be known only then: that is no gap.
_LAUNCH = frozenset({"task_params", "job_params"})
_LATER = frozenset({Kind.COMMIT, Kind.DEPLOYMENT, Kind.RUN})
_TRUE = frozenset({"true", "yes", "on", "y"})
_FALSE = frozenset({"false", "no", "off", "n"})


@dataclass
class Reader:
    """One target of one bundle. `key` is the target's; `told` holds the gaps that were told already.

    `exact`: the configuration is what the bundle tool resolved, so that relative paths start at the folder of the bundle.
    `deployment_jobs` are those that a parameter of a task links to a model.
    """

    context: Context
    facts: Facts
    bundle: Bundle
    key: str
    name: str
    config: Map
    resolver: Resolver
    told: set[tuple[object, ...]]
    development: bool | None = False
    name_prefix: str | None = ""
    run_as: tuple[str | None, str | None] = ("deployer", NONE)
    host: str | None = NONE
    exact: bool = False
    managed_by: str = "bundle"
    deployment_jobs: set[str] = field(default_factory=set)

    @property
    def project(self) -> str:
        """The project of the bundle."""
        return self.bundle.project

    def gap(self, table: str, problem: Problem, origin: Origin | None, *, parent: str | None = None, value: bool = True) -> None:
        """Say why a value, or a list under `parent`, is not known; the same is said once."""
        at = (table, problem.reason, origin.path if origin else None, origin.line if origin else None, parent, value)
        if at not in self.told:
            self.told.add(at)
            where = f"{origin.path}:{origin.line}: " if origin is not None and origin.path is not None else ""
            gap = Gap(
                Cause.UNRESOLVED,
                table,
                where + problem.reason,
                problem.remedy,
                project=self.project,
                parent=parent,
                origin=origin,
                value=value,
            )
            self.facts.gap(gap)

    def value(self, node: Node | None, table: str) -> Value:
        """A text with its references replaced; a gap of `table` where one has no value."""
        if not isinstance(node, Scalar):
            what = Problem(Kind.BROKEN, "a single value is expected here, and this is a map or a list", "mend the value")
            if node is not None:
                self.gap(table, what, node.origin)
            return Value(None, what)
        value = self.resolver.scalar(node)
        if value.problem is not None and not (value.problem.kind in _LATER and table in _LAUNCH):
            self.gap(table, value.problem, node.origin)
        return value

    def text(self, node: Node | None, table: str, absent: str | None = NONE) -> str | None:
        """A text; `absent` where there is none, None where it cannot be told."""
        return absent if is_null(node) else self.value(node, table).text

    def flag(self, node: Node | None, table: str, *, absent: bool | None = False) -> bool | None:
        """A yes or a no."""
        if is_null(node):
            return absent
        text = self.value(node, table).text
        if text is None:
            return None
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        if node is not None:
            self.gap(table, Problem(Kind.BROKEN, f"{text[:40]!r} is neither true nor false", "write true or false"), node.origin)
        return None

    def number(self, node: Node | None, table: str, absent: int | None) -> int | None:
        """A whole number."""
        if is_null(node):
            return absent
        text = self.value(node, table).text
        if text is None:
            return None
        if len(text) < 19 and text.lstrip("+-").isdecimal():  # noqa: PLR2004 - fits 64 bits
            return int(text)
        if node is not None:
            self.gap(table, Problem(Kind.BROKEN, f"{text[:40]!r} is no whole number", "write a number"), node.origin)
        return None

    def map(self, node: Node | None, *tables: str, parent: str | None = None) -> Map | None:
        """What a node stands for, where that is a map. A map that cannot be told is a gap in the lists of `tables`."""
        found = self._whole(node, tables, parent)
        if isinstance(found, Map):
            return found
        self._misfit(found, "a map", tables, parent)
        return None

    def items(self, node: Node | None, *tables: str, parent: str | None = None, key: str | None = None) -> list[Node]:
        """The items of a list, those that are references replaced; with `key`, those with the same name folded."""
        found = self._whole(node, tables, parent)
        if not isinstance(found, List):
            self._misfit(found, "a list", tables, parent)
            return []
        items = [whole for item in found.items if (whole := self._whole(item, tables, parent)) is not None]
        return fold(items, key) if key is not None else items

    def maps(self, node: Node | None, *tables: str, parent: str | None = None, key: str | None = None) -> list[Map]:
        """The items of a list that has to hold maps; any other item is a gap in the lists of `tables`."""
        found = self.items(node, *tables, parent=parent, key=key)
        for item in found:
            if not isinstance(item, Map):
                self._misfit(item, "a map", tables, parent)
        return [item for item in found if isinstance(item, Map)]

    def entries(self, node: Node | None, *tables: str, parent: str | None = None) -> Iterator[tuple[str, Node]]:
        """The entries of a map that are not null."""
        found = self.map(node, *tables, parent=parent)
        for name, value in found.items.items() if found is not None else ():
            if not is_null(value):
                yield name, value

    def section(self, name: str, table: str) -> tuple[Map | None, str | None]:
        """A section of the target; see `block`."""
        return self.block(self.config.get(name), table)

    def block(self, node: Node | None, table: str) -> tuple[Map | None, str | None]:
        """A map of settings, and what a setting is where it is not written: `none`, or None where the map itself cannot be
        told.
        """
        whole, problem = self.resolver.node(node)
        if problem is None and not is_null(whole) and not isinstance(whole, Map):
            problem = Problem(Kind.BROKEN, "a map is expected here", "mend the value")
        if problem is not None:
            self.gap(table, problem, node.origin if node is not None else None)
        return whole if isinstance(whole, Map) else None, NONE if problem is None else None

    def resources(self, kind: str) -> Iterator[tuple[str, Map]]:
        """The resources of one kind, by name. Where they cannot be told, all that they can hold is not known."""
        group = self.map(self.config.get("resources"), *sorted(touched(("resources",))))
        tables = sorted(touched(("resources", kind)))
        for name, node in self.entries(group.get(kind) if group is not None else None, *tables):
            resource = self.map(node, *tables)
            if resource is not None:
                yield name, standing_at(resource, node)

    def renamed(self, kind: str, name: str) -> str:
        """The name that a resource gets from the presets of its target. Objects of Unity Catalog keep theirs here."""
        prefix = self.name_prefix or ""
        if kind in _KEEP_NAMES:
            return name
        if kind == "experiments":
            folder, slash, last = name.rpartition("/")
            return f"{folder}{slash}{prefix}{last}"
        return f"{prefix}{name}"

    def named(self, kind: str, node: Node | None, table: str, absent: str | None) -> str | None:
        """The name of a resource, with its prefix; None where either cannot be told."""
        name = self.text(node, table, absent)
        return None if name is None or self.name_prefix is None else self.renamed(kind, name)

    def _misfit(self, node: Node | None, wanted: str, tables: tuple[str, ...], parent: str | None) -> None:
        """Say that a value is not of the kind that it has to be: whatever it was meant to hold is not known."""
        if node is None or is_null(node):
            return
        given = "a map" if isinstance(node, Map) else "a list" if isinstance(node, List) else "a single value"
        problem = Problem(Kind.BROKEN, f"{wanted} is expected here, and this is {given}", "mend the value")
        for table in tables:
            self.gap(table, problem, node.origin, parent=parent, value=False)

    def _whole(self, node: Node | None, tables: tuple[str, ...], parent: str | None) -> Node | None:
        if node is None or (isinstance(node, Scalar) and "${" not in node.text):
            return node
        whole, problem = self.resolver.node(node)
        if problem is not None:
            for table in tables:
                self.gap(table, problem, node.origin, parent=parent, value=False)
        return whole


def standing_at(resource: Map, node: Node) -> Map:
    """The map that a reference stands for, at the place of the reference."""
    if resource is node:
        return resource
    copy = Map(node.path, node.line, node.column, node.end_line, resource.items)
    copy.key_line, copy.key_column, copy.parent, copy.key = node.key_line, node.key_column, node.parent, node.key
    return copy
