"""Facts of an example: from its files through the real sources, from its rows as they stand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.facts.closures import CLOSURES
from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.policy.model import Policy

if TYPE_CHECKING:
    from lakewarden.testing.examples import Example

PROJECT = "churn"
PLANES = ("declared", "deployed", "observed")


def policy_of(example: Example) -> Policy:
    """The policy of an example; the default without one."""
    if example.policy is None:
        return Policy()
    from lakewarden.policy.load import load

    with TemporaryDirectory() as folder:
        file = Path(folder) / "lakewarden.toml"
        file.write_text(example.policy, encoding="utf-8")
        return load(file)


def facts_of(example: Example, policy: Policy) -> tuple[Facts, frozenset[str], frozenset[str]]:
    """The facts of an example, the tables that are filled, and the planes that are read."""
    facts = Facts()
    if example.files:
        from lakewarden.sources.registry import read_repository
        from lakewarden.sources.repository.layout import Layout
        from lakewarden.sources.source import Context
        from lakewarden.sources.tree import Tree

        tree = Tree.of_files(Path("example"), example.files)
        filled = read_repository(Context(tree, policy, Layout.of_tree(tree, policy)), facts)
    else:
        filled = frozenset(TABLES)
    planes = {"declared"} if example.files or not example.facts else set()
    for table, rows in example.facts.items():
        if table == "gaps":
            for gap in rows:
                facts.gap(_gap(gap))
            continue
        for number, row in enumerate(rows or (), 1):
            values = {name: _value(value) for name, value in row.items()}
            values.setdefault("project", PROJECT)
            if "target" in values and values["target"] is not None and "place" in TABLES[table].columns:
                values.setdefault("place", values["target"])
            facts.add(TABLES[table](origin=Origin(f"{table}.yml", number), **values))
            planes.add(values.get("plane", "declared"))
    if example.facts:
        filled = frozenset(TABLES)
        # What the store computes is as complete as what it computes it from.
        for plane in PLANES:
            with facts.listing(*(TABLES.keys() - CLOSURES.keys()), plane=plane):
                pass
    return facts, filled, frozenset(planes)


def _gap(values: dict[str, Any]) -> Gap:
    return Gap(
        Cause(values.get("cause", "refused")),
        values["facts"],
        values.get("reason", "the example hides it"),
        plane=values.get("plane", "declared"),
        project=values.get("project", None if "parent" in values else PROJECT),
        parent=values.get("parent"),
    )


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value
