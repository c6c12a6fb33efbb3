from __future__ import annotations

from typing import Any

import pytest
from tests.running import commit, git, write

from lakewarden.sources.repository.bundle.tables import FILLS
from lakewarden.sources.tree import Tree


def bundle(*include: str) -> str:
    return "bundle: {name: b}\ninclude:\n" + "".join(f"- '{entry}'\n" for entry in include) + "targets: {prod: {}}\n"


def jobs(*names: str) -> str:
    return "resources: {jobs: {" + ", ".join(f"{name}: {{name: {name}}}" for name in names) + "}}\n"


@pytest.mark.parametrize(
    ("include", "found"),
    [
        (["r/*.yml"], ["x", "y"]),
        (["./r/*.yml"], ["x", "y"]),
        (["r/*.y*ml"], ["x", "y", "z"]),
        (["r/*"], ["j", "x", "y", "z"]),
        (["r/[xy].yml"], ["x", "y"]),
        (["r/?.yml"], ["x", "y"]),
        (["r/x.yml", "r/*.yml", "r/x.yml"], ["x", "y"]),
        (["r/*/*.yml"], ["deep"]),
        (["r/**/*.yml"], ["deep"]),
        (["*/x.yml"], ["x"]),
        (["r/x.yml", "databricks.yml"], ["x"]),
        (["../b/r/x.yml"], ["x"]),
        (["../shared/*.yml"], ["s"]),
        ([], []),
    ],
)
def test_what_an_include_reaches(read: Any, include: list[str], found: list[str]) -> None:
    seen = read(
        {
            "b/databricks.yml": bundle(*include), "b/r/x.yml": jobs("x"), "b/r/y.yml": jobs("y"), "b/r/z.yaml": jobs("z"),
            "b/r/j.json": '{"resources": {"jobs": {"j": {"name": "j"}}}}', "b/r/notes.md": "# notes", "b/r/a/deep.yml": jobs("deep"),
            "b/r/a/b/deeper.yml": jobs("deeper"), "shared/s.yml": jobs("s"), "b/dead.yml": jobs("dead"),
        }
    )  # fmt: skip
    assert sorted(seen.column("jobs", "name")) == found
    assert seen.gaps() == []


def test_a_file_that_is_not_there_is_a_gap_that_names_it(read: Any) -> None:
    seen = read(bundle("r/x.yml"))
    assert {g.facts for g in seen.gaps(lists=True)} == FILLS
    assert {g.cause.value for g in seen.gaps()} == {"failed"}
    assert "r/x.yml" in seen.gaps()[0].reason
    assert seen.gaps()[0].origin.line == 3


def test_a_pattern_that_matches_nothing_is_a_note(read: Any) -> None:
    seen = read(bundle("r/*.yml", "q/**/*.yml"))
    assert seen.gaps() == []
    assert [(s.path, s.kind, s.reason) for s in seen.facts.skipped] == [
        ("databricks.yml", "include", "line 3: include r/*.yml matches no file"),
        ("databricks.yml", "include", "line 4: include q/**/*.yml matches no file"),
    ]


def test_two_stars_span_one_folder_and_that_is_said(read: Any) -> None:
    seen = read({"databricks.yml": bundle("r/**/*.yml"), "r/x.yml": jobs("x")})
    assert seen.rows("jobs") == []
    assert "spans exactly one folder" in seen.facts.skipped[0].reason


@pytest.mark.parametrize("entry", ["../../outside/*.yml", "/etc/*.yml", "../../x.yml", "..", "../.."])
def test_an_include_never_leaves_the_tree(read: Any, entry: str) -> None:
    seen = read({"b/databricks.yml": bundle(entry)})
    told = list(seen.gaps("jobs", lists=True))
    assert len(told) == 1
    assert told[0].cause.value == "failed"


def test_a_link_out_of_the_tree_is_not_followed(read_disk: Any, tmp_path: Any) -> None:
    (tmp_path.parent / "secret.yml").write_text(jobs("secret"), encoding="utf-8")
    (tmp_path / "r").mkdir()
    (tmp_path / "r/x.yml").symlink_to(tmp_path.parent / "secret.yml")
    seen = read_disk(bundle("r/x.yml", "r/*.yml"))
    assert seen.rows("jobs") == []
    assert not seen.complete("jobs", "b")


def test_a_pattern_reaches_folders_that_are_skipped_and_what_links_stand_for(read_disk: Any, tmp_path: Any) -> None:
    files = {"vendor/a.yml": jobs("a"), "dist/b.yml": jobs("b"), "common/c.yml": jobs("c"), "common/[d]/d.yml": jobs("d")}
    (tmp_path / "r").symlink_to("common")
    (tmp_path / "common").mkdir()
    (tmp_path / "common/e.yml").symlink_to("[d]/d.yml")
    seen = read_disk({"databricks.yml": bundle("vendor/*.yml", "dist/*.yml", "r/*.yml"), **files})
    assert sorted(seen.column("jobs", "name")) == ["a", "b", "c", "d"]
    assert seen.gaps() == []


@pytest.mark.parametrize("pattern", ["r/*.yml", "*/x.yml", "r/?.yml", "link/*.yml"])
def test_a_file_that_a_pattern_matches_and_the_policy_excludes_is_a_gap(see: Any, tmp_path: Any, pattern: str) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r/x.yml").write_text(jobs("x"), encoding="utf-8")
    (tmp_path / "link").symlink_to("r")
    (tmp_path / "databricks.yml").write_text(bundle(pattern), encoding="utf-8")
    for glob in ("r", "r/*.yml", "x.yml"):
        seen = see(Tree.of_disk(tmp_path, exclude=[glob]))
        assert {g.facts for g in seen.gaps(lists=True)} == FILLS
        assert {g.cause.value for g in seen.gaps()} == {"not-asked"}
        assert seen.gaps()[0].reason == "r/x.yml is excluded by the policy, and databricks.yml:3 includes it"


def test_a_file_that_a_pattern_matches_and_that_is_not_checked_out_is_a_gap(see: Any, tmp_path: Any) -> None:
    write(tmp_path, {"databricks.yml": bundle("r/*.yml", "q/*.yml"), "r/x.yml": jobs("x"), "notebooks/x.yml": jobs("n")})
    commit(tmp_path)
    git(tmp_path, "sparse-checkout", "set", "--no-cone", "/*", "!/r", "!/notebooks")
    reasons = {g.reason for g in see(Tree.of_disk(tmp_path)).gaps(lists=True)}
    assert reasons == {"r/x.yml is not checked out, and databricks.yml:3 includes it"}


def test_a_pattern_that_may_reach_into_a_repository_of_its_own_is_a_gap(see: Any, tmp_path: Any) -> None:
    write(tmp_path, {"databricks.yml": bundle("*/*.yml"), "r/x.yml": jobs("x"), "inner/x.yml": jobs("inner")})
    commit(tmp_path / "inner")
    commit(tmp_path)
    seen = see(Tree.of_disk(tmp_path))
    assert seen.column("jobs", "name") == ["x"]
    assert {g.cause.value for g in seen.gaps("jobs", lists=True)} == {"not-asked"}
    (tmp_path / "databricks.yml").write_text(bundle("r/*.yml", "x/*/*.yml"), encoding="utf-8")
    assert see(Tree.of_disk(tmp_path)).gaps() == []


def test_links_in_circles_end(read_disk: Any, tmp_path: Any) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for other in ("a", "b"):
            (tmp_path / name / other).symlink_to(tmp_path / other)
    assert read_disk({"databricks.yml": bundle("*/*/*/*/*/*.yml"), "a/x.yml": jobs("x")}).column("jobs", "name") == ["x"]


def test_an_include_by_variable(read: Any) -> None:
    seen = read(bundle("${var.x}/*.yml"))
    assert [g.cause.value for g in seen.gaps("jobs")] == ["unresolved"]


def test_includes_of_included_files_do_not_count(read: Any) -> None:
    seen = read(
        {"databricks.yml": bundle("a.yml"), "a.yml": "include: [a.yml, b.yml, databricks.yml]\n" + jobs("a"), "b.yml": jobs("b")}
    )
    assert seen.column("jobs", "name") == ["a"]
    assert [(s.path, s.kind) for s in seen.facts.skipped] == [("a.yml", "include"), ("b.yml", "not included")]


def test_one_resource_in_two_files_is_one(read: Any) -> None:
    seen = read(
        {
            "databricks.yml": bundle("a.yml", "b.yml"),
            "a.yml": "resources: {jobs: {j: {name: one, tasks: [{task_key: t, max_retries: 1}]}}}\n",
            "b.yml": "resources: {jobs: {j: {name: two, tasks: [{task_key: t, timeout_seconds: 5}, {task_key: u}]}}}\n",
        }
    )
    assert seen.column("jobs", "name") == ["two"]
    assert [(t.name, t.max_retries) for t in seen.rows("tasks")] == [("t", 1), ("u", 0)]


def test_a_file_that_several_bundles_include_is_told_for_each(read: Any) -> None:
    files = {f"{name}/databricks.yml": bundle("../shared/*.yml").replace("name: b", f"name: {name}") for name in "ab"}
    seen = read({**files, "shared/s.yml": jobs("s")})
    assert [(j.project, j.origin.path) for j in seen.rows("jobs")] == [("a", "shared/s.yml"), ("b", "shared/s.yml")]
