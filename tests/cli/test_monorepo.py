"""Repositories with many bundles: a line for each, findings in shared files told once, parts judged alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import Ran, commit, inside, write

if TYPE_CHECKING:
    from pathlib import Path

SHARED = (
    "resources: {jobs: {score: {name: score, tasks: [{task_key: s, notebook_task: {notebook_path: /Users/ann@acme.com/s}}]}}}\n"
)
ROOT = "bundle: {{name: {name}}}\ninclude: [../shared/*.yml]\ntargets: {{dev: {{mode: development}}, prod: {{mode: {mode}}}}}\n"


def bundles(folder: Path, *names: str) -> None:
    files = {f"{name}/databricks.yml": ROOT.format(name=name, mode="production") for name in names}
    write(folder, {**files, "shared/score.yml": SHARED})
    commit(folder)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    bundles(tmp_path, "churn", "fraud", "price")
    return tmp_path


def lint(folder: Path, *options: str) -> Ran:
    ran = inside(folder, "lint", *options)
    assert ran.err == ""
    return ran


def findings(ran: Ran, code: str) -> list[dict[str, Any]]:
    return [f for f in ran.json["findings"] if f["code"] == code and f["verdict"] != "unknown"]


def test_a_finding_in_a_shared_file_is_told_once_with_the_bundles_that_it_reaches(three: Path) -> None:
    text = lint(three, "--select", "GIT007").out
    assert text.count("--> shared/score.yml:1:") == 1
    assert "reaches 3 bundles: churn, fraud, price" in text
    lines = lint(three, "--select", "GIT007", "--output-format", "concise").out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("shared/score.yml:1:")
    assert lines[0].endswith("[reaches 3 bundles: churn, fraud, price]")
    assert "3 findings" in lines[1]
    github = lint(three, "--select", "GIT007", "--output-format", "github").out
    assert github.count("::error ") == 1
    assert "(reaches 3 bundles: churn, fraud, price)" in github
    sarif = lint(three, "--select", "GIT007", "--output-format", "sarif").json["runs"][0]
    assert [result["properties"]["bundles"] for result in sarif["results"]] == [["churn", "fraud", "price"]]


def test_json_and_the_counts_hold_every_finding(three: Path) -> None:
    ran = lint(three, "--select", "GIT007", "--output-format", "json")
    found = findings(ran, "GIT007")
    assert [f["project"] for f in found] == ["churn", "fraud", "price"]
    assert {tuple(f["bundles"]) for f in found} == {("churn", "fraud", "price")}
    assert len({f["fingerprint"] for f in found}) == 3
    assert ran.json["summary"]["fail"] == 3
    alone = lint(three, "--select", "GIT007", "--output-format", "json", "--bundle", "churn").json["findings"][0]
    assert alone["fingerprint"] == found[0]["fingerprint"]
    assert alone["bundles"] == ["churn", "fraud", "price"] or alone["bundles"] == []


def test_a_comment_in_the_shared_file_and_a_baseline_hold_for_all_of_them(three: Path) -> None:
    recorded = inside(three, "baseline", "write", "--file", "known.json")
    assert recorded.code == 0
    entries = json.loads((three / "known.json").read_text())["entries"]
    assert len([entry for entry in entries if entry["code"] == "GIT007"]) == 3
    ran = lint(three, "--select", "GIT007", "--baseline", "known.json", "--output-format", "json")
    assert (ran.json["findings"], ran.json["summary"]["baselined"]) == ([], 3)
    comment = '# lakewarden: ignore[GIT007] reason="moved next week"\n'
    (three / "shared/score.yml").write_text(comment + SHARED)
    ran = lint(three, "--select", "GIT007,LW010", "--output-format", "json")
    assert [f["verdict"] for f in ran.json["findings"]] == ["waived"] * 3


def test_what_is_waived_in_one_bundle_is_told_of_the_others(three: Path) -> None:
    waiver = '[[waivers]]\nrule = "GIT007"\nsubject = "churn/*"\nreason = "moved next week"\n'
    (three / "lakewarden.toml").write_text(waiver)
    lines = lint(three, "--select", "GIT007", "--output-format", "concise").out.splitlines()
    assert [line.endswith("[reaches 2 bundles: fraud, price]") for line in lines[:-1]] == [True]


def test_the_summary_has_a_line_for_each_bundle(three: Path) -> None:
    (three / "price/databricks.yml").write_text(ROOT.format(name="price", mode="development"))
    out = lint(three).out
    start = out.index("  bundles    3, the worst first:\n")
    lines = [line.strip() for line in out[start:].splitlines()[1:4]]
    assert [line.partition(":")[0] for line in lines] == ["- price", "- churn", "- fraud"]
    told = {p["name"]: p for p in lint(three, "--output-format", "json").json["projects"]}
    price = told["price"]
    assert lines[0].startswith(f"- price: {price['errors']} errors, {price['warnings']} warnings, ")
    assert price["errors"] == told["churn"]["errors"] + 1
    assert [told[name]["targets"] for name in ("churn", "fraud", "price")] == [["dev", "prod"]] * 3


def test_of_many_bundles_the_worst_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    bundles(tmp_path, *(f"b{number:02}" for number in range(24)))
    (tmp_path / "b17/databricks.yml").write_text(ROOT.format(name="b17", mode="development"))
    lines = lint(tmp_path).out.splitlines()
    start = lines.index("  bundles    24, the worst first:")
    assert lines[start + 1].strip().startswith("- b17: ")
    assert lines[start + 11].strip().startswith("- 14 more: ")
    details = lint(tmp_path, "--show", "gaps").out
    assert sum(line.strip().startswith("- b") for line in details.splitlines()) == 24


def test_one_bundle_has_no_line(tmp_path: Path) -> None:
    bundles(tmp_path, "churn")
    assert "  bundles " not in lint(tmp_path).out


@pytest.mark.parametrize(
    ("options", "judged"),
    [
        (["--bundle", "churn"], {"churn"}),
        (["--bundle", "./churn/"], {"churn"}),
        (["--bundle", "*r*"], {"churn", "fraud", "price"}),
        (["--bundle", "fra*,price"], {"fraud", "price"}),
        (["--project", "fraud"], {"fraud"}),
        (["--project", "fraud", "--bundle", "churn"], {"churn", "fraud"}),
    ],
)
def test_only_the_bundles_that_are_named_are_judged(three: Path, options: list[str], judged: set[str]) -> None:
    ran = lint(three, "--output-format", "json", "--show", "unknown", *options)
    assert {f["project"] for f in ran.json["findings"]} == judged
    assert {p["name"] for p in ran.json["projects"]} == judged


def test_the_counts_of_the_parts_add_up(three: Path) -> None:
    whole = lint(three, "--output-format", "json", "--show", "unknown")
    parts = [lint(three, "--output-format", "json", "--project", name).json["summary"] for name in ("churn", "fraud", "price")]
    for verdict in ("pass", "fail", "unknown", "not_applicable"):
        rest = whole.json["summary"][verdict] - sum(part[verdict] for part in parts)
        assert rest >= 0  # what belongs to no bundle
    assert whole.json["summary"]["fail"] == sum(part["fail"] for part in parts)


def test_a_comment_elsewhere_is_not_called_idle(three: Path) -> None:
    """Nobody looked whether it silences something."""
    text = (three / "fraud/databricks.yml").read_text()
    (three / "fraud/databricks.yml").write_text(text + '# lakewarden: ignore[ENV004] reason="x"\n')
    assert "LW010" in {f["code"] for f in lint(three, "--output-format", "json").json["findings"]}
    ran = lint(three, "--output-format", "json", "--bundle", "churn")
    assert "LW010" not in {f["code"] for f in ran.json["findings"]}
    assert {f["project"] for f in ran.json["findings"]} == {"churn"}


def test_a_fault_of_another_bundle_does_not_make_the_run_incomplete(three: Path) -> None:
    (three / "fraud/databricks.yml").write_text("bundle: {name: fraud\n")
    assert lint(three, "--output-format", "json").json["summary"]["incomplete"] is True
    ran = lint(three, "--output-format", "json", "--bundle", "churn")
    assert ran.json["summary"]["incomplete"] is False


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--bundle", "chrun"], ["no bundle matches 'chrun'", "did you mean churn?"]),
        (["--bundle", "x*"], ["no bundle matches 'x*'", "there are: churn, fraud, price"]),
        (["--project", "shop"], ["there is no project 'shop'", "there are: "]),
    ],
)
def test_a_bundle_that_is_not_there(three: Path, options: list[str], told: list[str]) -> None:
    ran = inside(three, "lint", *options)
    assert (ran.code, ran.out) == (2, "")
    assert all(part in line for part, line in zip(told, ran.err.splitlines(), strict=True))


def test_bundles_in_bundles_and_names_taken_twice(tmp_path: Path) -> None:
    files = {
        "databricks.yml": "bundle: {name: platform}\ntargets: {prod: {mode: production}}\n",
        "teams/a/databricks.yml": "bundle: {name: churn}\ntargets: {prod: {mode: production}}\n",
        "teams/b/databricks.yml": "bundle: {name: churn}\ntargets: {prod: {mode: production}}\n",
        "teams/b/nested/databricks.yml": "bundle: {name: nested}\ntargets: {prod: {mode: production}}\n",
        "teams/b/nested/src/train.py": "import mlflow\n",
        "left/resources/old.yml": SHARED,
    }
    write(tmp_path, files)
    commit(tmp_path)
    ran = inside(tmp_path, "facts", "--output-format", "json")
    rows = ran.json
    assert {row["path"]: row["project"] for row in rows["targets"]} == {
        "databricks.yml": "platform",
        "teams/a/databricks.yml": "churn@teams/a",
        "teams/b/databricks.yml": "churn@teams/b",
        "teams/b/nested/databricks.yml": "nested",
    }
    assert [row["project"] for row in rows["files"]] == ["nested"]
    assert {p["name"] for p in lint(tmp_path, "--output-format", "json", "--bundle", "churn").json["projects"]} == {
        "churn@teams/a",
        "churn@teams/b",
    }
    assert {p["name"] for p in lint(tmp_path, "--output-format", "json", "--bundle", ".").json["projects"]} == {"platform"}
    skipped = lint(tmp_path, "--output-format", "json").json["summary"]["skipped"]
    assert [(s["path"], s["kind"]) for s in skipped] == [("left/resources/old.yml", "not included")]
