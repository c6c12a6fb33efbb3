from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakewarden.facts.collect import Facts
from lakewarden.facts.store import prepare
from lakewarden.policy.model import Policy
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.repository.terraform.source import TerraformSource
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.facts.fact import Fact
    from lakewarden.facts.gaps import Gap


@dataclass
class Seen:
    """What the Terraform source saw of a tree of files."""

    facts: Facts
    source: TerraformSource

    def rows(self, table: str, **where: Any) -> list[Fact]:
        return [row for row in self.facts.rows[table] if all(row.__dict__.get(name) == value for name, value in where.items())]

    def one(self, table: str, **where: Any) -> Any:
        found = self.rows(table, **where)
        assert len(found) == 1, [row.__dict__ for row in self.facts.rows[table]]
        return found[0]

    def column(self, table: str, column: str, **where: Any) -> list[Any]:
        return [row.__dict__.get(column) for row in self.rows(table, **where)]

    def gaps(self, table: str | None = None, *, lists: bool | None = None) -> list[Gap]:
        return [
            gap for gap in self.facts.gaps if (table is None or gap.facts == table) and (lists is None or gap.value is not lists)
        ]

    def stages(self, table: str, column: str = "key") -> dict[str, str | None]:
        """The stage of each row under a policy that says nothing."""
        ready = prepare(self.facts, Policy(), filled=self.source.fills, needed=frozenset({table}))
        return {row[column]: row["stage"] for row in ready.rows[table] if row["gap"] is None}


def see(files: Mapping[str, str | bytes]) -> Seen:
    content = {path: textwrap.dedent(data) if isinstance(data, str) else data for path, data in files.items()}
    tree = Tree.of_files(Path("nowhere"), content)
    policy = Policy()
    facts = Facts()
    source = TerraformSource()
    source.read(Context(tree, policy, Layout.of_tree(tree, policy)), facts)
    keys = [(table, row.plane, row.key) for table, rows in facts.rows.items() for row in rows if table != "principal_summary"]
    assert len(keys) == len(set(keys)), "a key stands twice"
    return Seen(facts, source)


@pytest.fixture
def read() -> Callable[[str | Mapping[str, str | bytes]], Seen]:
    return lambda files: see({"main.tf": files} if isinstance(files, str) else files)
