"""Reads repositories that are in memory through the sources of bundles and of CI, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakewarden.facts.collect import Facts
from lakewarden.policy.model import Policy
from lakewarden.sources.repository.bundle.source import BundleSource
from lakewarden.sources.repository.ci.source import CiSource
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.fact import Fact
    from lakewarden.facts.gaps import Gap

BUNDLE = """
bundle:
  name: churn
targets:
  dev:
    default: true
  staging: {}
  prod: {}
"""


@dataclass
class Seen:
    """The facts of a repository."""

    facts: Facts

    def rows(self, table: str, **where: Any) -> list[Fact]:
        return [row for row in self.facts.rows[table] if all(row.__dict__.get(name) == value for name, value in where.items())]

    def values(self, table: str, *columns: str, **where: Any) -> list[Any]:
        found = [tuple(row.__dict__.get(column) for column in columns) for row in self.rows(table, **where)]
        return [one[0] for one in found] if len(columns) == 1 else found

    def gaps(self, table: str, *, value: bool | None = None) -> list[Gap]:
        return [gap for gap in self.facts.gaps if gap.facts == table and value in (None, gap.value)]


def see(files: Mapping[str, str | bytes], policy: Policy | None = None, root: Path = Path("none")) -> Seen:
    policy = policy or Policy()
    tree = Tree.of_files(root, files)
    context = Context(tree, policy, Layout.of_tree(tree, policy))
    facts = Facts()
    BundleSource().read(context, facts)
    CiSource().read(context, facts)
    return Seen(facts)


def github(steps: str, *, on: str = "push", job: str = "", top: str = "") -> str:
    """A workflow of one job, whose steps are written as YAML."""
    lines = [f"on: {on}", *top.strip().splitlines(), "jobs:", "  job:", "    runs-on: ubuntu-latest"]
    lines += [f"    {line}" for line in job.strip("\n").splitlines()]
    lines += ["    steps:", "      - uses: actions/checkout@v4", *(f"      {line}" for line in steps.strip("\n").splitlines())]
    return "\n".join(lines) + "\n"
