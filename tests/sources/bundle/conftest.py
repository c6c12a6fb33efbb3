from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakewarden.facts.collect import Facts, Scope
from lakewarden.policy.model import Policy
from lakewarden.sources.repository.bundle.files import load
from lakewarden.sources.repository.bundle.jobs import read_jobs
from lakewarden.sources.repository.bundle.merge import override
from lakewarden.sources.repository.bundle.names import Names
from lakewarden.sources.repository.bundle.pipelines import read_pipelines
from lakewarden.sources.repository.bundle.reader import Reader
from lakewarden.sources.repository.bundle.references import Resolver
from lakewarden.sources.repository.bundle.source import BundleSource
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.gaps import Gap
    from lakewarden.sources.repository.bundle.parameters import Parameter


@dataclass
class Seen:
    """What the bundle source saw of a folder."""

    facts: Facts
    layout: Layout

    def rows(self, table: str, **where: Any) -> list[Fact]:
        return [row for row in self.facts.rows[table] if all(getattr(row, name) == value for name, value in where.items())]

    def one(self, table: str, **where: Any) -> Any:
        found = self.rows(table, **where)
        assert len(found) == 1, [row.key for row in self.facts.rows[table]]
        return found[0]

    def target(self, name: str) -> Any:
        return self.one("targets", name=name)

    def column(self, table: str, column: str, **where: Any) -> list[Any]:
        return [getattr(row, column) for row in self.rows(table, **where)]

    def gaps(self, table: str | None = None, *, lists: bool | None = None) -> list[Gap]:
        return [
            gap for gap in self.facts.gaps if (table is None or gap.facts == table) and (lists is None or gap.value is not lists)
        ]

    def complete(self, table: str, project: str) -> bool:
        return (table, "declared", Scope(project, None)) in self.facts.complete


Read = Callable[..., Seen]


def see(tree: Tree, policy: Policy | None = None, roles: dict[str, frozenset[str]] | None = None) -> Seen:
    """Read the bundles of a tree; no table may hold a key twice."""
    policy = policy or Policy()
    layout = Layout.of_tree(tree, policy)
    facts = Facts()
    BundleSource().read(Context(tree, policy, layout, roles or {}), facts)
    for rows in facts.rows.values():
        keys = [row.key for row in rows]
        assert len(keys) == len(set(keys)), "two rows with one key"
    return Seen(facts, layout)


class Recorder(Names):
    """Keeps the parameters that it is given."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self.seen: dict[str, str | None] = {}

    def parameters(self, parameters: Sequence[Parameter], role: str) -> None:
        super().parameters(parameters, role)
        self.seen.update({parameter.pointer: parameter.value.text for parameter in parameters})


@pytest.fixture
def values() -> Callable[[str], dict[str, str | None]]:
    """The values of all parameters of the jobs and pipelines of one bundle's target `prod`, by their key path."""

    def run(text: str) -> dict[str, str | None]:
        tree = Tree.of_files(Path("repository"), {"databricks.yml": text})
        layout = Layout.of_tree(tree, Policy())
        root = load(layout.bundles[0], tree, layout.documents).root
        targets = root.get("targets")
        target = targets.get("prod") if isinstance(targets, Map) else None
        assigned = target.get("variables") if isinstance(target, Map) else None
        config = override(root, target if isinstance(target, Map) else None)
        resolver = Resolver(config, "prod", root.get("variables"), assigned)
        reader = Reader(Context(tree, Policy(), layout), Facts(), layout.bundles[0], "b/prod", "prod", config, resolver, set())
        recorder = Recorder(reader)
        read_jobs(reader, recorder)
        read_pipelines(reader, recorder)
        return {pointer.removeprefix("resources."): value for pointer, value in recorder.seen.items()}

    return run


@pytest.fixture(name="see", scope="session")
def see_tree() -> Callable[..., Seen]:
    """Read the bundles of a tree."""
    return see


@pytest.fixture
def read() -> Read:
    """Read the bundles among files; a lone text is `databricks.yml` at the root."""

    def run(
        files: Mapping[str, str | bytes] | str | bytes,
        *,
        policy: Policy | None = None,
        roles: dict[str, frozenset[str]] | None = None,
    ) -> Seen:
        return see(Tree.of_files(Path("repository"), _dedented(files)), policy, roles)

    return run


@pytest.fixture
def read_disk(tmp_path: Path) -> Read:
    """Write files into a folder, and read the bundles there."""

    def run(files: Mapping[str, str | bytes] | str | bytes, *, policy: Policy | None = None) -> Seen:
        for name, content in _dedented(files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return see(Tree.of_disk(tmp_path), policy)

    return run


def _dedented(files: Mapping[str, str | bytes] | str | bytes) -> dict[str, str | bytes]:
    of_files = {"databricks.yml": files} if isinstance(files, (str, bytes)) else files
    return {name: content if isinstance(content, bytes) else textwrap.dedent(content) for name, content in of_files.items()}
