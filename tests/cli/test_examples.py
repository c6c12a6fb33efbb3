"""What `lint` and `facts` say of the two examples."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT, Ran, lakewarden

if TYPE_CHECKING:
    from pathlib import Path

#: Every fault of the violating example. Some stand twice at one place: two targets, or two names in one statement.
VIOLATIONS = [
    "",
    ".github/workflows/deploy.yml:10 GIT010",
    ".github/workflows/deploy.yml:10 GIT011",
    ".github/workflows/deploy.yml:19 DEP011",
    ".github/workflows/deploy.yml:19 GIT002",
    ".github/workflows/deploy.yml:19 GIT013",
    "databricks.yml:9 ENV002",
    "databricks.yml:9 ENV002",
    "databricks.yml:17 DEP009",
    "databricks.yml:17 DEP010",
    "databricks.yml:17 ENV004",
    "databricks.yml:17 ENV006",
    "databricks.yml:17 ENV012",
    "databricks.yml:17 GIT003",
    "databricks.yml:21 ENV005",
    "notebooks/deploy.py:5 DEP003",
    "notebooks/deploy.py:5 ENV009",
    "notebooks/deploy.py:5 ENV009",
    "notebooks/infer.py:4 REG002",
    "notebooks/infer.py:5 REG003",
    "notebooks/infer.py:9 DAT002",
    "notebooks/infer.py:10 DAT001",
    "notebooks/infer.py:10 ENV009",
    "notebooks/retrain.py TRK001",
    "notebooks/train.py TRK004",
    "notebooks/train.py:6 TRK005",
    "notebooks/train.py:6 TRK010",
    "notebooks/train.py:10 DAT002",
    "notebooks/train.py:16 REG001",
    "notebooks/train.py:16 TRK007",
    "notebooks/train.py:21 REG002",
    "notebooks/train.py:21 REG004",
    "notebooks/train.py:22 REG002",
    "notebooks/validate.py:9 DEP013",
    "notebooks/validate.py:9 REG001",
    "resources/churn.yml:3 REG001",
    "resources/churn.yml:3 REG001",
    "resources/churn.yml:8 TRK005",
    "resources/churn.yml:16 DAT005",
    "resources/churn.yml:16 DAT006",
    "resources/churn.yml:19 GIT006",
    "resources/churn.yml:31 ENV009",
    "resources/churn.yml:35 GIT007",
    "sql/features.sql:1 DAT001",
    "sql/features.sql:1 DAT002",
    "sql/features.sql:1 DAT002",
    "sql/features.sql:1 DAT003",
    "sql/features.sql:3 DAT005",
    "sql/features.sql:3 DAT006",
    "",
][1:-1]


def told(ran: Ran) -> list[str]:
    places = [(f["location"]["path"], f["location"].get("line"), f["code"]) for f in ran.json["findings"]]
    return [
        f"{path}:{line} {code}" if line else f"{path} {code}"
        for path, line, code in sorted(places, key=lambda p: (p[0], p[1] or 0, p[2]))
    ]


def test_the_compliant_example_has_no_finding(compliant: Path) -> None:
    ran = lakewarden(compliant, "lint", "--output-format", "json")
    assert (ran.code, ran.err, ran.json["findings"]) == (0, "", [])
    summary = ran.json["summary"]
    assert summary["pass"] > 50
    # Bundle, notebooks, SQL, a test and a workflow of CI.
    assert (summary["incomplete"], summary["skipped"], summary["files"]) == (False, [], 9)


def test_the_compliant_example_has_no_advisory_finding_either(compliant: Path) -> None:
    ran = lakewarden(compliant, "lint", "--output-format", "json", "--show", "advisory")
    assert (ran.code, ran.json["findings"]) == (0, [])


def test_the_violating_example_has_the_faults_it_was_written_with(violating: Path) -> None:
    ran = lakewarden(violating, "lint", "--output-format", "json")
    assert (ran.code, ran.err) == (1, "")
    assert told(ran) == VIOLATIONS


def test_each_fault_is_told_on_one_line(violating: Path) -> None:
    lines = lakewarden(violating, "lint", "--output-format", "concise").out.splitlines()
    assert len(lines) == len(VIOLATIONS) + 1
    assert (
        "databricks.yml:17:3: error ENV006 production target prod runs as user ann@example.com: set run_as.service_principal_name"
        in lines
    )


def test_the_text_report_shows_the_line_and_the_fix(violating: Path) -> None:
    out = lakewarden(violating, "lint", "--select", "ENV004").out
    assert "error ENV004 deployment-mode\n" in out
    assert "  --> databricks.yml:17:3\n    17 |   prod:\n       |   ^^^^^\n" in out
    assert "         prod:\n           mode: production\n" in out
    assert out.endswith("1 finding, which fails this run.\n")
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.slow
def test_the_examples_say_the_same_from_the_folder_above_them(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "examples", tmp_path / "examples")
    # A task with source GIT names its notebook from the root of the repository: from above it is not there, and which stages
    # run it is not known.
    known = [line for line in VIOLATIONS if "TRK010" not in line]
    both = lakewarden(tmp_path, "lint", "examples", "--output-format", "json")
    assert told(both) == [f"violating/{line}" for line in known]
    one = lakewarden(tmp_path / "examples", "lint", "violating", "--output-format", "json")
    assert told(one) == VIOLATIONS


def test_only_what_is_asked_about_is_told(violating: Path) -> None:
    ran = lakewarden(violating, "lint", "notebooks/train.py", "resources", "--output-format", "json")
    asked = [line for line in VIOLATIONS if line.startswith(("notebooks/train.py", "resources/"))]
    found = told(ran)
    assert [line for line in found if line in asked] == asked
    # What is elsewhere is told only where it names a place that was asked about.
    others = [f for f in ran.json["findings"] if not f["location"]["path"].startswith(("notebooks/train.py", "resources/"))]
    assert all(f["related"] for f in others)


PROMISED = ("path", "name", "mode", "is_default", "host", "profile", "root_path", "run_as_kind", "run_as", "git_branch")


def test_facts_has_one_row_for_each_target_with_what_is_promised(compliant: Path) -> None:
    ran = lakewarden(compliant, "facts", "--output-format", "json")
    assert (ran.code, ran.err) == (0, "")
    rows = {row["name"]: row for row in ran.json["targets"]}
    host = "https://adb-{0}.{1}.azuredatabricks.net"
    deployer = "6b3f2a10-51d4-4c8e-9a3f-0c2f8f6d1e77"
    assert {name: tuple(row[column] for column in PROMISED) for name, row in rows.items()} == {
        "dev": ("databricks.yml", "dev", "development", True, host.format("1" * 16, 1), "none", "none", "deployer", "none", "none"),
        "staging": (
            "databricks.yml", "staging", "production", False, host.format("2" * 16, 2), "none",
            f"/Workspace/Users/{deployer}/.bundle/churn/staging", "service_principal", "1d0f7c52-6c1b-4b27-8a55-3b8e0a4c9f02", "none",
        ),
        "prod": (
            "databricks.yml", "prod", "production", False, host.format("3" * 16, 3), "none",
            f"/Workspace/Users/{deployer}/.bundle/churn/prod", "service_principal", "9e5a4d83-2f60-4e19-bb0c-71c5d2a8e344", "release",
        ),
    }  # fmt: skip
    assert rows["prod"]["origin"] == {
        "path": "databricks.yml",
        "line": 33,
        "column": 3,
        "end_line": 43,
        "pointer": "targets.prod",
    }
    assert (rows["prod"]["environment"], rows["prod"]["stage"]) == ("production", "production")


def test_facts_for_people_fits_a_terminal(violating: Path) -> None:
    ran = lakewarden(violating, "facts")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 100
    assert "targets: 2 rows" in ran.out
    assert all(f"{column}=" in ran.out for column in PROMISED if column != "name")


def test_facts_of_one_table_and_one_folder(violating: Path) -> None:
    ran = lakewarden(violating, "facts", "notebooks", "--table", "files", "--output-format", "json")
    assert list(ran.json) == ["files"]
    names = sorted(file.name for file in (violating / "notebooks").iterdir())
    assert [row["path"] for row in ran.json["files"]] == [f"notebooks/{name}" for name in names]


def test_facts_knows_its_tables(violating: Path) -> None:
    ran = lakewarden(violating, "facts", "--table", "target")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("lakewarden: there is no fact table target; did you mean targets? [E001]\n  there are: ")
