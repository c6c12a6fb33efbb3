"""A target as the bundle tool resolved it, whatever its output holds."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.running import CHECKOUT
from tests.validate_output import outputs_of

from lakewarden.facts.collect import Facts
from lakewarden.policy.model import Policy
from lakewarden.sources.repository.bundle.json_nodes import parse
from lakewarden.sources.repository.bundle.source import BundleSource
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree
from lakewarden.sources.yaml_nodes import Map

EXAMPLE = CHECKOUT / "examples" / "compliant"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "${var.catalog}", "${resources.jobs.train.id}", "/Users/a@b.c/x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "task_key", "a"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@cache
def example() -> tuple[Tree, dict[str, Any]]:
    return Tree.of_disk(EXAMPLE), outputs_of(EXAMPLE)["churn", "prod"]


def read(output: dict[str, Any]) -> Facts:
    tree, _ = example()
    root = parse(json.dumps(output), "prod.json")
    assert isinstance(root, Map)
    facts = Facts()
    BundleSource().read(
        Context(tree, Policy(), Layout.of_tree(tree, Policy()), outputs={("databricks.yml", "prod"): root}), facts
    )
    return facts


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, inner in items for place in places(inner, (*above, key)))]


@given(st.data())
def test_no_output_is_a_crash_and_no_target_is_lost(data: st.DataObject) -> None:
    output = copy.deepcopy(example()[1])
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from([place for place in places(output) if place]))
        holder = output
        for key in above:
            holder = holder[key]
        holder[last] = data.draw(ANYTHING)
    facts = read(output)
    assert [target.key for target in facts.rows["targets"]] == ["churn/dev", "churn/staging", "churn/prod"]
    for table, rows in facts.rows.items():
        keys = [row.key for row in rows]
        assert len(keys) == len(set(keys)), table


def test_the_target_beside_it_is_read_from_yaml() -> None:
    output = copy.deepcopy(example()[1])
    output["workspace"]["host"] = "https://other.cloud.databricks.com"
    hosts = {target.key: target.__dict__["host"] for target in read(output).rows["targets"]}
    assert hosts["churn/prod"] == "https://other.cloud.databricks.com"
    assert hosts["churn/staging"] == "https://adb-2222222222222222.2.azuredatabricks.net"


def test_what_the_user_wrote_about_himself_stays() -> None:
    """A folder that YAML writes out is that of a person, also when that person runs the command."""
    violating = CHECKOUT / "examples" / "violating"
    tree = Tree.of_disk(violating)
    root = parse(json.dumps(outputs_of(violating, user="ann@example.com")["churn-violating", "prod"]), "prod.json")
    assert isinstance(root, Map)
    facts = Facts()
    BundleSource().read(
        Context(tree, Policy(), Layout.of_tree(tree, Policy()), outputs={("databricks.yml", "prod"): root}), facts
    )
    paths = {row.key: row.__dict__["path_place"] for row in facts.rows["target_paths"]}
    assert paths["churn-violating/prod/root_path"] == "person"
    (target,) = [row for row in facts.rows["targets"] if row.key.endswith("/prod")]
    assert (target.__dict__["run_as_kind"], target.__dict__["run_as"]) == ("user", "ann@example.com")


@pytest.mark.parametrize("section", ["resources", "permissions", "run_as", "workspace", "mode"])
def test_a_section_that_an_output_lacks_is_that_of_yaml(section: str) -> None:
    whole, lacking = copy.deepcopy(example()[1]), copy.deepcopy(example()[1])
    lacking.pop(section, None)
    if section == "mode":
        lacking["bundle"].pop("mode", None)
    before, after = read(whole), read(lacking)
    for table in ("jobs", "tasks", "targets", "permissions", "target_paths"):
        assert {row.key for row in before.rows[table]} <= {row.key for row in after.rows[table]}, table
    told = [{row.key: row.__dict__ for row in seen.rows["targets"]}["churn/prod"] for seen in (before, after)]
    for column in ("mode", "run_as_kind", "host"):
        assert told[0][column] == told[1][column]
