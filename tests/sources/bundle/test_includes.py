from __future__ import annotations

from typing import Any

import pytest

from lakewarden.sources.repository.bundle.tables import FILLS


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
