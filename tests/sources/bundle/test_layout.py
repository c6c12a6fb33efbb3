from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lakewarden.policy.model import Policy, ProjectPolicy
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping


def layout(files: Mapping[str, str | bytes], *projects: ProjectPolicy) -> Layout:
    return Layout.of_tree(Tree.of_files(Path("x"), files), Policy(projects=projects))


def names(found: Layout) -> dict[str, str]:
    return {bundle.folder: bundle.project for bundle in found.bundles}


def test_a_bundle_is_named_by_itself() -> None:
    found = layout({"a/databricks.yml": "bundle: {name: churn}", "a/x/y.py": "", "z.py": ""})
    assert names(found) == {"a": "churn"}
    assert [found.project_of(path) for path in ("a/x/y.py", "a/databricks.yml", "z.py", "b/z.py", "ab/z.py")] == [
        "churn", "churn", "repository", "repository", "repository",
    ]  # fmt: skip
    assert found.projects == ("churn", "repository")


def test_nothing_lies_outside_a_bundle_at_the_root() -> None:
    found = layout(
        {"databricks.yml": "bundle: {name: churn}", "z/y.py": "", "sub/databricks.yaml": "bundle: {name: inner}", "sub/a.py": ""}
    )
    assert found.projects == ("churn", "inner")
    assert [found.project_of(path) for path in ("z/y.py", "sub/a.py", "sub/deep/a.py")] == ["churn", "inner", "inner"]


@pytest.mark.parametrize(
    "text", ["bundle: {name: '${var.x}'}", "bundle: {}", "targets: {}", "", "bundle: [", "bundle: {name: ' '}"]
)
def test_without_a_literal_name_the_folder_names_it(text: str) -> None:
    assert names(layout({"a/b/databricks.yml": text, "databricks.yml": text})) == {"a/b": "a/b", "": "repository"}


def test_a_name_that_is_used_twice_gets_the_folder() -> None:
    text = "bundle: {name: churn}"
    found = layout(
        {
            "a/databricks.yml": text,
            "b/databricks.yml": text,
            "databricks.yml": text,
            "c/databricks.yml": "bundle: {name: repository}",
        }
    )
    assert names(found) == {"a": "churn@a", "b": "churn@b", "": "churn@.", "c": "repository@c"}


def test_names_that_are_made_here_keep_apart_from_names_that_are_given() -> None:
    unnamed = "bundle: {}"
    found = layout(
        {
            "b/databricks.yml": "bundle: {name: x}", "c/databricks.yml": "bundle: {name: x}", "d/databricks.yml": "bundle: {name: x@b}",
            "e/databricks.yml": "bundle: {name: f/g}", "f/g/databricks.yml": unnamed, "repository/databricks.yml": unnamed,
        }
    )  # fmt: skip
    assert names(found) == {"b": "x@b@", "c": "x@c", "d": "x@b", "e": "f/g", "f/g": "f/g@", "repository": "repository@"}


def test_the_policy_names_projects_first() -> None:
    files = {
        f"{folder}/databricks.yml": f"bundle: {{name: {folder[-1]}}}"
        for folder in ("bundles/a", "bundles/b", "other/c", "other/d")
    }
    found = layout(files, ProjectPolicy(name="both", bundles=("bundles/*",)), ProjectPolicy(name="c", bundles=("nowhere",)))
    assert names(found) == {"bundles/a": "both", "bundles/b": "both", "other/c": "c@other/c", "other/d": "d"}


def test_the_policy_can_name_the_bundle_at_the_root() -> None:
    assert names(layout({"databricks.yml": ""}, ProjectPolicy(name="p", bundles=(".",)))) == {"": "p"}


def test_two_claims_are_not_settled() -> None:
    found = layout(
        {"a/databricks.yml": "bundle: {name: n}"},
        ProjectPolicy(name="p", bundles=("a",)),
        ProjectPolicy(name="q", bundles=("*",)),
    )
    assert found.bundles[0].project == "n"
    assert found.bundles[0].claims == ("p", "q")


def test_other_tools_use_bundle_yml_too() -> None:
    found = layout(
        {
            "a/bundle.yml": "name: x\nversion: 1", "b/bundle.yml": "bundle: {name: b}", "c/bundle.yaml": "bundle: [\n",
            "d/bundle.yml": "- a list", "e/bundle.yml": "environments: {dev: {}}", "f/bundle.yml": "broken: [",
            "g/bundle.yml": "targets:\n  prod: [\n", "h/bundle.yml": '{"bundle": {', "i/bundle.yml": b"\xff\xfe",
        }
    )  # fmt: skip
    assert set(names(found)) == {"b", "c", "e", "g", "h", "i"}


def test_of_several_root_files_the_first_counts(read: Any) -> None:
    seen = read({"bundle.yml": "bundle: {name: old}\n", "databricks.yml": "bundle: {name: new}\ntargets: {prod: {}}\n"})
    assert [(b.path, b.further) for b in seen.layout.bundles] == [("databricks.yml", ("bundle.yml",))]
    assert [(g.cause.value, g.value, g.origin.path) for g in seen.gaps()] == [("failed", True, "bundle.yml")]


def test_it_does_not_depend_on_where_the_tree_lies(tmp_path: Path) -> None:
    seen = []
    for place in ("one", "some/where/else"):
        root = tmp_path / place
        (root / "a").mkdir(parents=True)
        (root / "a/databricks.yml").write_text("bundle: {}\n", encoding="utf-8")
        (root / "databricks.yml").write_text("targets: {}\n", encoding="utf-8")
        seen.append(names(Layout.of_tree(Tree.of_disk(root), Policy())))
    assert seen[0] == seen[1] == {"": "repository", "a": "a"}


def test_two_bundles_of_one_project_keep_their_targets_apart(read: Any) -> None:
    text = "bundle: {name: x}\ntargets: {prod: {}, %s: {}}\n"
    seen = read(
        {"a/databricks.yml": text % "dev", "b/databricks.yml": text % "qa"},
        policy=Policy(projects=(ProjectPolicy(name="p", bundles=("*",)),)),
    )
    assert [t.key for t in seen.rows("targets")] == ["p/a/prod", "p/dev", "p/b/prod", "p/qa"]
    assert seen.complete("targets", "p")


def test_a_repository_without_bundles_is_complete(read: Any) -> None:
    seen = read({"a.py": ""})
    assert seen.layout.projects == ("repository",)
    assert seen.complete("targets", "repository")
    assert seen.complete("jobs", "repository")
