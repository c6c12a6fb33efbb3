from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lakewarden.reports.facts import write_json, write_text
from lakewarden.reports.options import Options

TARGETS: list[dict[str, Any]] = [
    {
        "key": f"churn/{name}",
        "plane": "declared",
        "project": "churn",
        "name": name,
        "mode": mode,
        "is_default": name == "dev",
        "host": None if name == "dev" else "https://adb-1234567890123456.7.azuredatabricks.net",
        "root_path": f"/Workspace/Shared/.bundle/churn/{name}",
        "run_as_kind": "deployer",
        "git_branch": None,
        "origin": {"path": "databricks.yml", "line": 10, "column": 3},
    }
    for name, mode in (("dev", "development"), ("prod", "production"))
]
CATALOGS = [
    {"key": "churn/dev/main", "target": "churn/dev", "catalog": "main"},
    {"key": "churn/prod/main", "target": "churn/prod", "catalog": "main"},
]


def text(tables: dict[str, list[dict[str, Any]]], **options: Any) -> str:
    out = io.StringIO()
    write_text(tables, out, Options(**options))
    return out.getvalue()


def test_each_table_has_its_count_and_its_rows() -> None:
    lines = text({"target_catalogs": CATALOGS}).splitlines()
    assert lines[0] == "target_catalogs: 2 rows"
    assert lines[1].split() == ["the", "same", "in", "all:", "catalog=main"]
    assert lines[2].split() == ["key", "target"]
    assert lines[3].split() == ["churn/dev/main", "churn/dev"]


def test_a_wide_table_is_told_row_by_row_within_the_width() -> None:
    written = text({"targets": TARGETS})
    assert all(len(line) <= 80 for line in written.splitlines())
    for value in (
        "churn/dev",
        "mode=production",
        "host=https://adb-1234567890123456.7.azuredatabricks.net",
        "is_default=yes",
        "host=?",
    ):
        assert value in written
    assert "origin=databricks.yml:10:3" in written
    assert "? is a value that is not known." in written


def test_tables_without_rows_are_named() -> None:
    assert "No rows: jobs, tasks." in text({"targets": TARGETS, "jobs": [], "tasks": []})
    assert text({}) == "No facts: the sources saw nothing that they know.\n"
    assert text({"jobs": []}) == "No facts: the sources saw nothing that they know.\n"


def test_known_and_unknown_are_told_apart() -> None:
    assert "? is a value" not in text({"target_catalogs": CATALOGS})
    assert "none" in text({"targets": [{"key": "a", "mode": "none"}]})


def test_json_is_a_table_of_rows() -> None:
    out = io.StringIO()
    write_json({"targets": TARGETS, "jobs": []}, out)
    assert json.loads(out.getvalue()) == {"targets": TARGETS, "jobs": []}
    assert len(out.getvalue().splitlines()) == 7


@given(
    st.dictionaries(st.sampled_from(["key", "name", "path"]), st.none() | st.booleans() | st.integers() | st.text(), min_size=1)
)
def test_any_value_can_be_written(row: dict[str, Any]) -> None:
    assert "\x1b" not in text({"targets": [row, {"key": "x"}]})
    out = io.StringIO()
    write_json({"targets": [row]}, out)
    assert "\x1b" not in out.getvalue()
    assert json.loads(out.getvalue())["targets"][0].keys() == row.keys()
