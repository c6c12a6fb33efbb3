"""A module with its inputs: what its names mean, which resources it declares, which modules it calls."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.terraform import nodes
from lakewarden.sources.repository.terraform.files import read_file
from lakewarden.sources.repository.terraform.instance import Instance, Unseen, suffix
from lakewarden.sources.repository.terraform.sections import Written, copies, work_out
from lakewarden.sources.repository.terraform.types import convert
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text
from lakewarden.sources.repository.terraform.world import MAX_MODULES, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.sources.repository.terraform.configuration import Configuration
    from lakewarden.sources.repository.terraform.evaluate import Scope
    from lakewarden.sources.repository.terraform.nodes import Block
    from lakewarden.sources.repository.terraform.world import World


@dataclass
class Module:
    """A module that is called, or the root. `inputs` gives the value of each variable that the caller sets."""

    world: World
    configuration: Configuration
    address: str
    inputs: dict[str, Callable[[], Value]]
    providers: dict[str, Provider]
    above: tuple[str, ...] = ()
    _known: dict[tuple[str, str], Value] = field(default_factory=dict)
    _open: set[tuple[str, str]] = field(default_factory=set)

    # What names mean.

    @property
    def strict(self) -> bool:
        """Locals and variables are worked out once, for whoever asks."""
        return False

    def name(self, name: str) -> Value:
        """What the first word of a reference stands for."""
        if name in ("each", "count", "self", "*"):
            return Unknown(f"{name} has no meaning here", "mend the expression", wrong=True)
        return _Names(self, name)

    def enter(self) -> Unknown | None:
        """Count a step."""
        return self.world.enter()

    def leave(self) -> None:
        """End a step."""
        self.world.leave()

    def function(self, name: str, args: list[Value]) -> Value:
        """Functions that read files of the repository."""
        if name not in ("file", "fileexists", "fileset"):
            return NotImplemented
        texts = [arg for arg in args if isinstance(arg, str)]
        if len(texts) != len(args) or not texts:
            return next((arg for arg in args if isinstance(arg, Unknown)), Unknown(f"{name} takes texts", wrong=True))
        return read_file(self.world, self.configuration.folder, name, texts)

    def look_up(self, kind: str, name: str) -> Value:
        """`kind.name`, worked out once."""
        at = (kind, name)
        if at in self._known:
            return self._known[at]
        if at in self._open:
            return Unknown(f"{kind}.{name} refers to itself", "mend the expression")
        self._open.add(at)
        try:
            value = self._look_up(kind, name)
        finally:
            self._open.discard(at)
        self._known[at] = value
        return value

    def _look_up(self, kind: str, name: str) -> Value:
        declared = self.configuration
        if kind == "var":
            return self._variable(name)
        if kind == "local":
            attribute = declared.locals.get(name)
            return self._missing(f"local.{name}") if attribute is None else work_out(attribute.expr, self)
        if kind == "module":
            block = declared.modules.get(name)
            return self._missing(f"module.{name}") if block is None else self._called(block)
        if kind == "path":
            folder = {"module": declared.folder, "root": self.world.root, "cwd": self.world.root}.get(name)
            return (folder or ".") if folder is not None else self._missing(f"path.{name}")
        if kind == "terraform":
            return Unknown(f"terraform.{name} is known when Terraform runs", "give the stage by a variable")
        if kind == "data":
            return _Names(self, f"data.{name}")
        table, kind = (declared.data, kind[5:]) if kind.startswith("data.") else (declared.resources, kind)
        block = table.get((kind, name))
        return self._missing(f"{kind}.{name}") if block is None else self._objects(block)

    def _missing(self, what: str) -> Unknown:
        lost = next((path for path, _ in self.configuration.troubles), None)
        if lost is not None:
            return Unknown(f"{what} may be declared in {lost}, which is not read")
        return Unknown(f"{what} is not declared", "declare it, or mend the reference")

    def _variable(self, name: str) -> Value:
        block = self.configuration.variables.get(name)
        if block is None:
            return self._missing(f"var.{name}")
        attributes = block.body.attributes
        given = self.inputs.get(name)
        value = given() if given is not None else None
        if given is None or (value is None and self._refuses_null(block)):
            default = attributes.get("default")
            if default is None:
                remedy = "commit a .tfvars file, or give the variable a default"
                return Unknown(f"variable {name} has no value in the repository", remedy, given=True)
            value = work_out(default.expr, self)
        kind = attributes.get("type")
        return convert(kind.expr if kind is not None else None, value, lambda expr: work_out(expr, self))

    def _refuses_null(self, block: Block) -> bool:
        nullable = block.body.attributes.get("nullable")
        return nullable is not None and nullable.expr == nodes.Literal(False)

    def _objects(self, block: Block) -> Value:
        """What a reference to a resource stands for: an object, a list of them, a map of them."""
        found = copies(block.body, self)
        if isinstance(found, Unknown):
            return found
        objects = [(copy.key, self.instance(block, copy.key, copy.scope)) for copy in found[0]]
        return _shape(objects, found[1])

    def _called(self, block: Block) -> Value:
        found = self.calls(block)
        return found if isinstance(found, Unknown) else _shape([(key, _Outputs(module)) for key, module in found[0]], found[1])

    # What it declares.

    def instance(self, block: Block, key: str | int | None, scope: Scope) -> Instance:
        """One object of a resource."""
        at = ("", f"{block.kind}.{'.'.join(block.labels)}{suffix(key)}")
        if at not in self._known:
            self._known[at] = Instance(self, block, key, Written(block.body, scope, block.origin))
        found: Instance = self._known[at]
        return found

    def resources(self) -> Iterator[Instance | Unseen]:
        """Every object that the module and those that it calls declare; what cannot be told is said in between."""
        for path, problem in self.configuration.troubles:
            yield Unseen(None, Unknown(problem.reason, problem.remedy), nodes.NOWHERE._replace(path=path), problem)
        for block in self.configuration.resources.values():
            found = copies(block.body, self)
            if isinstance(found, Unknown):
                yield Unseen(block.labels[0], found, block.origin)
            else:
                for copy in found[0]:
                    yield self.instance(block, copy.key, copy.scope)
        for block in self.configuration.modules.values():
            called = self.calls(block)
            if isinstance(called, Unknown):
                given = self.configuration.gives(block, self.providers)
                yield Unseen(None, called, block.origin, source=self.source_of(block), given=given)
            else:
                for _, module in called[0]:
                    yield from module.resources()

    def source_of(self, block: Block) -> str:
        """The source of a module as it is written."""
        attribute = block.body.attributes.get("source")
        return str(attribute.expr.value) if attribute is not None and isinstance(attribute.expr, nodes.Literal) else ""

    def calls(self, block: Block) -> tuple[list[tuple[str | int | None, Module]], str] | Unknown:
        """The modules that a call stands for."""
        at = ("call", block.labels[0])
        if at not in self._known:
            self._known[at] = self._calls(block)
        found: tuple[list[tuple[str | int | None, Module]], str] | Unknown = self._known[at]
        return found

    def _calls(self, block: Block) -> tuple[list[tuple[str | int | None, Module]], str] | Unknown:
        source = self.source_of(block)
        if not source.startswith((".", "/")):
            return Unknown(
                f"module {source or block.labels[0]} is not in the repository", "run Lakewarden on a plan of Terraform"
            )
        folder = posixpath.normpath(posixpath.join(self.configuration.folder, source.replace("//", "/")))
        folder = "" if folder == "." else folder
        configurations = self.world.configurations
        if folder in (*self.above, self.configuration.folder):
            return Unknown(f"module {source} calls itself", "mend the source")
        if not configurations.has(folder):
            return Unknown(f"module {source} is not in the repository", "mend the source")
        found = copies(block.body, self)
        if isinstance(found, Unknown):
            return found
        self.world.modules += len(found[0])
        if self.world.modules > MAX_MODULES:
            return Unknown("more modules are called than are followed here")
        made = []
        for copy in found[0]:
            section = Written(block.body, copy.scope, block.origin)
            inputs = {name: _input(section, name) for name in block.body.attributes if name not in _META}
            address = f"{self.address}module.{block.labels[0]}{suffix(copy.key)}."
            providers = self._passed(block)
            above = (*self.above, self.configuration.folder)
            made.append((copy.key, Module(self.world, configurations.of(folder), address, inputs, providers, above)))
        return made, found[1]

    def _passed(self, block: Block) -> dict[str, Provider]:
        """The providers that a call hands on; without `providers` the default ones."""
        attribute = block.body.attributes.get("providers")
        if attribute is None or not isinstance(attribute.expr, nodes.ObjectOf):
            return {name: provider for name, provider in self.provided().items() if "." not in name}
        passed = {}
        for key, value in attribute.expr.items:
            name, of = nodes.dotted(key), nodes.dotted(value)
            if name is not None and of is not None and of in self.provided():
                passed[name] = self.provided()[of]
        return passed

    def provided(self) -> dict[str, Provider]:
        """The providers by the names that resources use: `databricks`, `databricks.prod`."""
        own = dict(self.providers)
        for block in self.configuration.providers:
            alias = block.body.attributes.get("alias")
            text = alias.expr.value if alias is not None and isinstance(alias.expr, nodes.Literal) else None
            name = block.labels[0] if alias is None else f"{block.labels[0]}.{text}"
            own[name] = Provider(str(text or ""), Written(block.body, self, block.origin))
        return own


class _Names(NamedTuple):
    """What stands before a dot: `var`, `local`, a type of resource."""

    module: Module
    kind: str

    def attribute(self, name: str) -> Value:
        """What stands behind it."""
        return self.module.look_up(self.kind, name)


class _Outputs(NamedTuple):
    """A module that is called, as its caller sees it."""

    module: Module

    def attribute(self, name: str) -> Value:
        """An output."""
        block = self.module.configuration.outputs.get(name)
        value = block.body.attributes.get("value") if block is not None else None
        if value is None:
            return Unknown(f"{self.module.address}{name} is no output", "mend the reference")
        return work_out(value.expr, self.module)


_META = frozenset({"source", "version", "count", "for_each", "providers", "depends_on"})


def _input(section: Written, name: str) -> Callable[[], Value]:
    return lambda: section.value(name)


def _shape(objects: list[tuple[str | int | None, Value]], how: str) -> Value:
    if how == "one":
        return objects[0][1]
    return [value for _, value in objects] if how == "count" else {to_text(key) or "": value for key, value in objects}
