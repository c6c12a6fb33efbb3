"""The bundle source: reads every bundle of a repository, target by target."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Skipped
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.bundle.experiments import read_experiments
from lakewarden.sources.repository.bundle.files import Configuration, Trouble, load
from lakewarden.sources.repository.bundle.jobs import read_jobs
from lakewarden.sources.repository.bundle.merge import is_null, merge, override
from lakewarden.sources.repository.bundle.names import Names
from lakewarden.sources.repository.bundle.orphans import orphans
from lakewarden.sources.repository.bundle.permissions import read_permissions
from lakewarden.sources.repository.bundle.pipelines import read_pipelines
from lakewarden.sources.repository.bundle.reader import Reader
from lakewarden.sources.repository.bundle.references import Resolver
from lakewarden.sources.repository.bundle.serving import read_models, read_served_entities
from lakewarden.sources.repository.bundle.tables import FILLS, LISTS, OBJECTS
from lakewarden.sources.repository.bundle.targets import read_target
from lakewarden.sources.repository.bundle.unity_catalog import read_unity_catalog
from lakewarden.sources.yaml_nodes import Map, Node, Scalar, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.layout import Bundle
    from lakewarden.sources.source import Context

#: The one target of a bundle that declares none.
_IMPLIED = "default"


class BundleSource:
    """Reads `databricks.yml` and what it includes, once for each target."""

    name = "bundle"
    plane = "declared"
    fills: frozenset[str] = FILLS
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Write the facts of every bundle. A project's lists are complete where nothing of its bundles was lost."""
        bundles: dict[str, list[Bundle]] = {project: [] for project in context.layout.projects}
        for bundle in context.layout.bundles:
            bundles[bundle.project].append(bundle)
        principals: set[str] = set()
        files: set[str] = set()
        for project, of_project in bundles.items():
            lost: set[str] = set()
            first = len(facts.gaps)
            read: list[tuple[Bundle, Configuration]] = []
            for bundle in of_project:
                found = _load(context, bundle)
                if isinstance(found, Configuration):
                    read.append((bundle, found))
                else:
                    lost |= _tell(facts, project, found, FILLS)
            keys = _target_keys(read)
            for bundle, configuration in read:
                lost |= _tell_all(facts, bundle, configuration)
                files.update(configuration.files)
                told: set[tuple[object, ...]] = set()
                for name, node, origin in _targets(configuration.root):
                    reader = _reader(context, facts, bundle, keys[bundle.path, name], name, configuration.root, node, told)
                    _read(reader, origin, principals, is_default=_is_default(reader, configuration.root, node))
            lost.update(gap.facts for gap in facts.gaps[first:] if not gap.value and gap.parent is None)
            with facts.listing(*sorted(FILLS - lost), project=project):
                pass
        facts.files_read += len(files)
        accounted = files.union(gap.origin.path or "" for gap in facts.gaps if gap.origin is not None)
        facts.skipped.extend(orphans(context, accounted))


def _load(context: Context, bundle: Bundle) -> Configuration | Trouble:
    """The configuration of a bundle, or why its root file cannot be read."""
    try:
        return load(bundle, context.tree, context.layout.documents)
    except SourceError as problem:
        return Trouble(Cause(problem.cause), problem.reason, problem.remedy, place_of(problem, bundle.path))


def _read(reader: Reader, origin: Origin, principals: set[str], *, is_default: bool | None) -> None:
    """Write everything of one target."""
    read_target(reader, origin, is_default=is_default)
    names = Names(reader)
    read_jobs(reader, names)
    read_pipelines(reader, names)
    read_models(reader)
    read_served_entities(reader)
    read_unity_catalog(reader, principals)
    read_permissions(reader, principals)
    names.of_resources()
    names.of_variables()
    read_experiments(reader, names)
    names.write()


def _targets(root: Map) -> Iterator[tuple[str, Map | None, Origin]]:
    """Name, settings and place of each target; a bundle without any has one that is implied."""
    found = merge(root.get("environments"), root.get("targets"))
    if not isinstance(found, Map) or not found.items:
        bundle = root.get("bundle")
        if isinstance(bundle, Map) and (isinstance(found, Map) or is_null(found)):
            yield _IMPLIED, None, bundle.origin._replace(pointer="bundle")
        return
    for name, node in found.items.items():
        yield name, node if isinstance(node, Map) else None, node.origin


def _reader(
    context: Context, facts: Facts, bundle: Bundle, key: str, name: str, root: Map, target: Map | None,
    told: set[tuple[object, ...]],
) -> Reader:  # fmt: skip
    config = override(root, target)
    resolver = Resolver(config, name, root.get("variables"), target.get("variables") if target is not None else None)
    reader = Reader(context, facts, bundle, key, name, config, resolver, told)
    resolver.rename = reader.renamed
    return reader


def _is_default(reader: Reader, root: Map, target: Map | None) -> bool | None:
    """Is it what a command without `-t` reaches: the one that says so, or the only one?"""
    if target is not None and not is_null(target.get("default")):
        return reader.flag(target.get("default"), "targets")
    return sum(1 for _ in _targets(root)) == 1


def _target_keys(read: Iterable[tuple[Bundle, Configuration]]) -> dict[tuple[str, str], str]:
    """The key of each target, `project/target`; with the bundle's folder where two bundles of a project name it alike."""
    named = [(bundle, name) for bundle, configuration in read for name, _, _ in _targets(configuration.root)]
    count = Counter(name for _, name in named)
    return {
        (bundle.path, name): f"{bundle.project}/{name}" if count[name] == 1 else f"{bundle.project}/{bundle.folder or '.'}/{name}"
        for bundle, name in named
    }


def _tell_all(facts: Facts, bundle: Bundle, configuration: Configuration) -> set[str]:
    """Tell what was not read of a bundle; returns the tables whose lists are incomplete for it."""
    lost: set[str] = set()
    facts.skipped.extend(Skipped(*note) for note in configuration.notes)
    for trouble in configuration.troubles:
        lost |= _tell(facts, bundle.project, trouble, FILLS if trouble.tables is None else trouble.tables)
    if bundle.claims:
        reason = f"{bundle.path} belongs to several projects of the policy: {', '.join(bundle.claims)}"
        trouble = Trouble(Cause.UNCLAIMED, reason, "let the `bundles` of one project match it", Origin(bundle.path), value=True)
        lost |= _tell(facts, bundle.project, trouble, frozenset({"targets"}))
    for node, tables, what in _in_python(configuration.root):
        reason = f"{node.path}:{node.key_line}: {what}"
        lost |= _tell(facts, bundle.project, Trouble(Cause.UNRESOLVED, reason, "run `lakewarden audit`", node.origin), tables)
    return lost


def _tell(facts: Facts, project: str, trouble: Trouble, tables: frozenset[str]) -> set[str]:
    """Write the gaps of a trouble; returns the tables that it leaves incomplete."""
    told = ("targets",) if trouble.value else sorted(tables)
    for table in told:
        facts.gap(
            Gap(trouble.cause, table, trouble.reason, trouble.remedy, project=project, origin=trouble.origin, value=trouble.value)
        )
    return set() if trouble.value else set(tables)


def _in_python(root: Map) -> Iterator[tuple[Node, frozenset[str], str]]:
    """Code that adds or changes resources when the bundle is deployed, and the tables that it may touch."""
    experimental = root.get("experimental")
    inner = experimental if isinstance(experimental, Map) else None
    for node in (root.get("python"), inner.get("python") if inner else None):
        if isinstance(node, Map):
            if not is_null(node.get("mutators")):
                yield node, OBJECTS | LISTS, "mutators in Python may change every resource"
            elif not is_null(node.get("resources")):
                yield node, OBJECTS, "resources are declared in Python"
    pydabs = inner.get("pydabs") if inner else None
    enabled = pydabs.get("enabled") if isinstance(pydabs, Map) else None
    if isinstance(pydabs, Map) and not (isinstance(enabled, Scalar) and enabled.value is False):
        yield pydabs, OBJECTS | LISTS, "resources are declared in Python"
