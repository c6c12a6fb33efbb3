"""The source of configuration files: what each stage's section of a file names, told for the targets of that stage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.targets import ConfigReference, TargetCatalog
from lakewarden.facts.model.tracking import Experiment
from lakewarden.facts.origin import Origin
from lakewarden.policy.attribute import environment_of_target
from lakewarden.policy.names import stage_by_words
from lakewarden.sources.repository.bundle.places import place_of_folder
from lakewarden.sources.repository.bundle.words import Name, classify, outside, unknown
from lakewarden.sources.repository.code.roles import is_test
from lakewarden.sources.repository.config.documents import ENDINGS, MAX_BYTES, load
from lakewarden.sources.repository.config.names import like_configuration
from lakewarden.sources.repository.config.sections import leaves, of_another_tool, sections
from lakewarden.sources.repository.layout import REPOSITORY
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact
    from lakewarden.sources.repository.config.sections import Section
    from lakewarden.sources.source import Context
    from lakewarden.sources.yaml_nodes import Scalar

#: A file without any of these words names nothing that a rule asks about.
_TELLING = (b"catalog", b"CATALOG", b"experiment", b"/Volumes/", b".databricks.", b"azuredatabricks", b"/mnt/", b"dbfs")
#: What is filled in later: `${x}`, `{x}`, `{{ x }}`.
_HOLE = re.compile(r"\$?\{+[^{}]*\}+")
_ACCESS = {True: "own", False: "read", None: None}


class _Target(NamedTuple):
    key: str
    name: str
    host: str | None
    project: str
    stage: str | None


class _File(NamedTuple):
    path: str
    size: int
    project: str


class ConfigSource:
    """Files that code reads or that are named like configuration, where they tell stages apart. Runs after the bundle source."""

    name = "config"
    plane = "declared"
    fills = frozenset({"config_refs", "target_catalogs", "experiments"})
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Write what each section names, for the targets of its stage."""
        targets = _targets(context, facts.rows["targets"])
        configs = context.code.resolver.configs if context.code is not None else None
        read_by_code = configs.read if configs is not None else set()
        taken = {(row.table, row.key) for table in self.fills for row in facts.rows[table]}
        for path, size in context.tree.files:
            if not path.endswith(ENDINGS) or is_test(path):
                continue
            if path not in read_by_code and not like_configuration(path):
                continue
            project = _project(context, path, targets)
            for fact in _facts(context, facts, _File(path, size, project), targets.get(project, ())):
                if (fact.table, fact.key) not in taken:
                    taken.add((fact.table, fact.key))
                    facts.add(fact)


def _targets(context: Context, rows: Sequence[Fact]) -> dict[str, list[_Target]]:
    """The targets of each project, with the stage of each."""
    found: dict[str, list[_Target]] = {}
    for row in rows:
        values = row.__dict__
        name, project = values.get("name"), row.project
        if project is not None and name is not None:
            stage = environment_of_target(context.policy, project, name, values.get("host")).stage
            found.setdefault(project, []).append(_Target(row.key, name, values.get("host"), project, stage))
    return found


def _project(context: Context, path: str, targets: dict[str, list[_Target]]) -> str:
    """The project whose code reads a file; outside all bundles the only one that there is."""
    project = context.layout.project_of(path)
    return next(iter(targets)) if project == REPOSITORY and len(targets) == 1 else project


def _facts(context: Context, facts: Facts, file: _File, targets: Sequence[_Target]) -> Iterator[Fact]:
    path = file.path
    try:
        data = context.tree.read(path)
        if not any(word in data for word in _TELLING):
            return
        if file.size > MAX_BYTES:
            problem = SourceError("unresolved", f"{path} is too large for configuration", "split it, or exclude it")
            _tell(facts, problem, Cause.UNRESOLVED, file, targets)
            return
        root = load(context, path)
    except SourceError as problem:
        cause = Cause.UNRESOLVED if _is_template(context, path) else Cause(problem.cause)
        _tell(facts, problem, cause, file, targets)
        return
    if not isinstance(root, Map):
        return
    facts.files_read += 1
    found = sections(path, root)
    for section in found:
        for target in _of_section(section, targets):
            yield from _named(facts, section, target)
    if not found and not of_another_tool(root):
        yield from _paths(facts, file, root, targets)


def _tell(facts: Facts, problem: SourceError, cause: Cause, file: _File, targets: Sequence[_Target]) -> None:
    for table in ("config_refs", "target_catalogs", "experiments") if targets else ():
        facts.gap(Gap(cause, table, problem.reason, problem.remedy, project=file.project, origin=Origin(file.path)))


def _paths(facts: Facts, file: _File, root: Map, targets: Sequence[_Target]) -> Iterator[ConfigReference]:
    """The data outside Unity Catalog that a file names for all stages, where it is not told already where code reads it."""
    read = [str(name) for row in facts.rows["table_access"] if (name := row.__dict__["name"]) is not None]
    target = targets[0].key if targets else file.project
    for key, node in leaves(root):
        above = node.parent.key if isinstance(node.parent, Map) else None
        found = None if "://" in node.text else outside(f"{above} {key}", _HOLE.sub("x", node.text))
        if found is not None and not any(name.startswith(node.text.strip()) for name in read):
            yield ConfigReference(
                key=f"{target}/{_at(node)}",
                project=file.project,
                origin=node.origin,
                target=target,
                kind="path",
                value=node.text.strip(),
                named="none",
                is_write=found.is_write,
                hard_coded=True,
            )


def _is_template(context: Context, path: str) -> bool:
    """Does a file hold places that are filled in before it is used?"""
    try:
        data = context.tree.read(path)
    except SourceError:
        return False
    return b"{{" in data or b"{%" in data


def _of_section(section: Section, targets: Sequence[_Target]) -> list[_Target]:
    """The targets that a section is for: of its name, else of its stage; all of them for what they share."""
    if section.name is None:
        return list(targets)
    by_name = [target for target in targets if target.name == section.name]
    stage = stage_by_words(section.name, target=True).stage
    return by_name or [target for target in targets if target.stage == stage and stage is not None]


def _named(facts: Facts, section: Section, target: _Target) -> Iterator[Fact]:
    """What the values of a section name, as facts of a target."""
    for key, node in leaves(section.node):
        # Cloud storage in such a file is mostly where data arrives.
        if "{" in node.text:
            found = _with_holes(key, node.text)
        else:
            found = classify(key, node.text) or (None if "://" in node.text else outside(key, node.text))
        if found is None or found.kind in ("parameter", "table", "model"):
            continue
        reference = _reference(section, target, node, found)
        if found.named is None:
            for table in ("config_refs", "target_catalogs") if found.kind == "catalog" else ("config_refs",):
                facts.unresolved(
                    table, f"{key} is {node.text}, which is filled in later", project=target.project, origin=node.origin
                )
        yield reference
        if found.kind == "catalog":
            yield _catalog(section, target, node, found)
        if found.kind == "experiment" and found.value is not None:
            yield _experiment(target, node, found)


def _with_holes(key: str, text: str) -> Name | None:
    """What a value names that something is filled into: its kind, without the name. None where it names nothing."""
    filled = _HOLE.sub("x", text)
    path = None if "://" in text else outside(key, filled)
    if path is not None:
        return path._replace(value=text)
    found = classify(key, filled) or unknown(key)
    if found is None or found.kind in ("parameter", "table", "model"):
        return None
    return Name(found.kind, None, None, found.is_write)


def _at(node: Scalar) -> str:
    return f"{node.path}:{node.pointer}"


def _reference(section: Section, target: _Target, node: Scalar, found: Name) -> ConfigReference:
    return ConfigReference(
        key=f"{target.key}/{_at(node)}",
        project=target.project,
        origin=node.origin,
        target=target.key,
        kind=found.kind,
        value=found.value,
        named=found.named,
        is_write=found.is_write,
        hard_coded=section.name is None,
    )


def _catalog(section: Section, target: _Target, node: Scalar, found: Name) -> TargetCatalog:
    beside = section.node.items if node.parent is None else node.parent.items if isinstance(node.parent, Map) else {}
    if found.catalog is None:
        return TargetCatalog(
            key=f"{target.key}/?{_at(node)}",
            project=target.project,
            origin=node.origin,
            target=target.key,
            access=_ACCESS[found.is_write],
        )
    schema = found.schema or next(
        (one.text.lower() for key in ("schema", "schema_name", "database") if isinstance(one := beside.get(key), type(node))),
        "none",
    )
    return TargetCatalog(
        key=f"{target.key}/{found.catalog}.{schema}",
        project=target.project,
        origin=node.origin,
        target=target.key,
        catalog=found.catalog,
        schema=schema,
        access=_ACCESS[found.is_write],
    )


def _experiment(target: _Target, node: Scalar, found: Name) -> Experiment:
    return Experiment(
        key=f"{target.key}/{found.value}",
        project=target.project,
        origin=node.origin,
        place=target.key,
        target=target.key,
        host=target.host,
        path=found.value,
        path_place=place_of_folder(str(found.value)),
    )
