"""Runs a root module with its variables: which objects it makes, and which cannot be told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.targets import TerraformRoot
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.terraform.instance import Unseen
from lakewarden.sources.repository.terraform.module import Module
from lakewarden.sources.repository.terraform.root import Root, item_of
from lakewarden.sources.repository.terraform.sections import work_out
from lakewarden.sources.repository.terraform.tables import OF_TYPES, of_type
from lakewarden.sources.repository.terraform.values import Value, to_text
from lakewarden.sources.repository.terraform.words import PREFIXES, STAGE_NAMES, host_of, name_of, speaks
from lakewarden.sources.repository.terraform.world import World

#: `namespace/name/provider`, after the host of a registry that is not the public one.
_IN_REGISTRY = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+(?::\d+)?/)?[\w-]+/[\w-]+/[a-z0-9]+")

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.terraform.configuration import Configurations
    from lakewarden.sources.repository.terraform.nodes import Attribute
    from lakewarden.sources.repository.terraform.setups import Setup, VariableFiles
    from lakewarden.sources.source import Context


def run(context: Context, facts: Facts, configurations: Configurations, files: VariableFiles, setup: Setup) -> Root:
    """Work out what a root module makes; what is not seen becomes gaps."""
    configuration = configurations.of(setup.folder)
    path = configuration.files[0]
    project = context.layout.project_of(path)
    label = f"@{setup.label}" if setup.label else ""
    root = Root(context, facts, project, f"{project}/terraform:{setup.folder or '.'}{label}", setup.folder, path)
    module = Module(World(configurations, setup.folder), configuration, "", {}, {})
    module.inputs.update(_inputs(module, files, setup))
    for found in module.resources():
        if isinstance(found, Unseen):
            _unseen(root, found)
        elif found.type.startswith(PREFIXES):
            item = item_of(found)
            root.items.setdefault(item.type, []).append(item)
    _places(root, module, setup)
    return root


def _inputs(module: Module, files: VariableFiles, setup: Setup) -> dict[str, Callable[[], Value]]:
    """The values that files of variables set; of several the last counts."""
    found: dict[str, Callable[[], Value]] = {}
    for path in setup.files:
        said = files.of(path)
        if not isinstance(said, SourceError):
            found.update({name: _value_of(attribute, module) for name, attribute in said.items()})
    return found


def _value_of(attribute: Attribute, module: Module) -> Callable[[], Value]:
    return lambda: work_out(attribute.expr, module)


def _unseen(root: Root, unseen: Unseen) -> None:
    """Tell what is not seen: for each table that such resources can fill."""
    if unseen.problem is not None:
        for table in sorted(of_type(None)):
            gap = Gap(Cause(unseen.problem.cause), table, unseen.problem.reason, unseen.problem.remedy)
            root.facts.gap(gap._replace(project=root.project, origin=_place_of(unseen.problem, unseen.origin)))
        return
    if unseen.type is not None and unseen.type not in OF_TYPES:
        return
    if unseen.source and not unseen.source.startswith((".", "/")):
        # Modules of other clouds are everywhere, and say nothing of Databricks.
        if "databricks" not in unseen.source and not (unseen.given or (unseen.given is None and not _of_a_cloud(unseen.source))):
            return
        cause = Cause.NOT_ASKED
    else:
        cause = Cause.UNRESOLVED
    for table in sorted(of_type(unseen.type)):
        root.gap(table, unseen.why, unseen.origin, value=False, cause=cause)


def _of_a_cloud(source: str) -> bool:
    """Does the address of a module in a registry end in the name of its provider?"""
    return _IN_REGISTRY.fullmatch(source.partition("//")[0]) is not None


def _place_of(problem: SourceError, origin: Origin) -> Origin:
    from lakewarden.sources.yaml_nodes import place_of

    return place_of(problem, origin.path or "")


def _places(root: Root, module: Module, setup: Setup) -> None:
    """Write the places that the root module reaches: one for each provider that something is made with."""
    name, why = name_of(setup.label, _told(module), setup.folder)
    origin = _origin(module, root)
    aliases = {
        item.alias: item.provider for items in root.items.values() for item in items if item.type.startswith("databricks_")
    }
    aliases.setdefault("", None)
    for alias, provider in sorted(aliases.items()):
        key = f"{root.key}:{alias}" if alias else root.key
        root.places[alias] = key
        root.names[key] = alias if speaks(alias) else name
        if root.names[key] is None and why is not None:
            root.gap("terraform_roots", why, origin)
        section = provider.section if provider is not None else None
        place = section.origin if section is not None else origin
        root.hosts[key] = host_of(root, section.value("host") if section is not None else None, place)
        root.facts.add(
            TerraformRoot(
                key=root.free("terraform_roots", key),
                project=root.project,
                name=root.names[key],
                host=root.hosts[key],
                origin=place,
            )
        )


def _origin(module: Module, root: Root) -> Origin:
    """The place of a root module: of its default provider, else of its first file."""
    for block in module.configuration.providers:
        if block.labels[0] == "databricks":
            return block.origin
    return Origin(root.path)


def _told(module: Module) -> dict[str, str | None]:
    """The variables and locals that may say which stage is meant, with their values."""
    found: dict[str, str | None] = {}
    for kind, declared in (("local", module.configuration.locals), ("var", module.configuration.variables)):
        for name in STAGE_NAMES:
            if name in declared and (text := to_text(module.look_up(kind, name))) is not None:
                found[name] = text
    return found
