"""The bundle source: reads every bundle of a repository, target by target."""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Skipped
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.bundle.experiments import read_experiments
from lakewarden.sources.repository.bundle.files import Configuration, Trouble, load
from lakewarden.sources.repository.bundle.jobs import read_jobs
from lakewarden.sources.repository.bundle.json_nodes import JsonError, parse
from lakewarden.sources.repository.bundle.merge import is_null, override
from lakewarden.sources.repository.bundle.names import Names
from lakewarden.sources.repository.bundle.orphans import orphans
from lakewarden.sources.repository.bundle.permissions import read_permissions
from lakewarden.sources.repository.bundle.pipelines import read_pipelines
from lakewarden.sources.repository.bundle.reader import Reader
from lakewarden.sources.repository.bundle.references import Resolver
from lakewarden.sources.repository.bundle.serving import read_models, read_served_entities
from lakewarden.sources.repository.bundle.tables import FILLS, LISTS, OBJECTS
from lakewarden.sources.repository.bundle.targets import read_target, target_nodes
from lakewarden.sources.repository.bundle.unity_catalog import read_unity_catalog
from lakewarden.sources.yaml_nodes import Map, Node, Scalar, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.layout import Bundle
    from lakewarden.sources.source import Context


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
                targets = list(target_nodes(configuration.root))
                exact = bool(targets) and all((bundle.path, name) in context.outputs for name, _, _ in targets)
                lost |= _tell_all(facts, bundle, configuration, exact=exact)
                files.update(configuration.files)
                told: set[tuple[object, ...]] = set()
                for name, node, origin in targets:
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


def _overrides(context: Context, facts: Facts, bundle: Bundle, name: str) -> Node | None:
    """The values of variables that stand in a file of their own for one target, where it is in the repository."""
    path = posixpath.join(bundle.folder, ".databricks", "bundle", name, "variable-overrides.json")
    if not context.tree.exists(path) or context.tree.is_dir(path):
        return None
    try:
        return parse(context.tree.text(path), path)
    except SourceError as problem:
        trouble = Trouble(Cause(problem.cause), problem.reason, problem.remedy, Origin(path), value=True)
    except JsonError as problem:
        reason = f"{path}:{problem.line}:{problem.column}: this is no JSON: {problem.what}"
        trouble = Trouble(Cause.FAILED, reason, "mend the file", Origin(path, problem.line, problem.column), value=True)
    _tell(facts, bundle.project, trouble, frozenset({"targets"}))
    return None


def _reader(
    context: Context, facts: Facts, bundle: Bundle, key: str, name: str, root: Map, target: Map | None,
    told: set[tuple[object, ...]],
) -> Reader:  # fmt: skip
    config = override(root, target)
    assigned = target.get("variables") if target is not None else None
    overrides = _overrides(context, facts, bundle, name)
    resolver = Resolver(config, name, root.get("variables"), assigned, overrides)
    reader = Reader(context, facts, bundle, key, name, config, resolver, told)
    output = context.outputs.get((bundle.path, name))
    if output is not None:
        from lakewarden.sources.repository.bundle.exact import exact

        return exact(reader, Resolver(config, name, root.get("variables"), assigned, overrides), output)
    resolver.rename = reader.renamed
    return reader


def _is_default(reader: Reader, root: Map, target: Map | None) -> bool | None:
    """Is it what a command without `-t` reaches: the one that says so, or the only one?"""
    if target is not None and not is_null(target.get("default")):
        return reader.flag(target.get("default"), "targets")
    return sum(1 for _ in target_nodes(root)) == 1


def _target_keys(read: Iterable[tuple[Bundle, Configuration]]) -> dict[tuple[str, str], str]:
    """The key of each target, `project/target`; with the bundle's folder where two bundles of a project name it alike."""
    named = [(bundle, name) for bundle, configuration in read for name, _, _ in target_nodes(configuration.root)]
    count = Counter(name for _, name in named)
    return {
        (bundle.path, name): f"{bundle.project}/{name}" if count[name] == 1 else f"{bundle.project}/{bundle.folder or '.'}/{name}"
        for bundle, name in named
    }


def _tell_all(facts: Facts, bundle: Bundle, configuration: Configuration, *, exact: bool) -> set[str]:
    """Tell what was not read of a bundle; returns the tables whose lists are incomplete for it. With `exact`, what the bundle
    tool resolved is known for each target, whatever YAML leaves open.
    """
    lost: set[str] = set()
    facts.skipped.extend(Skipped(*note) for note in configuration.notes)
    for trouble in configuration.troubles:
        if exact and trouble.cause is Cause.UNRESOLVED:
            continue
        lost |= _tell(facts, bundle.project, trouble, FILLS if trouble.tables is None else trouble.tables)
    if bundle.claims:
        reason = f"{bundle.path} belongs to several projects of the policy: {', '.join(bundle.claims)}"
        trouble = Trouble(Cause.UNCLAIMED, reason, "let the `bundles` of one project match it", Origin(bundle.path), value=True)
        lost |= _tell(facts, bundle.project, trouble, frozenset({"targets"}))
    for node, tables, what in () if exact else _in_python(configuration.root):
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
