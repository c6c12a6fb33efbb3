"""Files that cannot be read: a gap each, the rest judged."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.sources.terraform.conftest import see

from lakewarden.sources.repository.terraform.tables import FILLS

GOOD = {
    "good/main.tf": 'resource "databricks_catalog" "c" {\n  name = "prod"\n}\nresource "databricks_job" "j" {\n  name = "j"\n}\n',
    "good/prod.tfvars": "unused = 1\n",
}
BROKEN: dict[str, bytes] = {
    "syntax": b'resource "databricks_catalog" "x" {\n  name = [1\n}\n',
    "unclosed": b'resource "databricks_catalog" "x" {\n',
    "binary": b"databricks_" + bytes(range(256)),
    "not UTF-8": b'resource "databricks_catalog" "x" {\n  name = "\xff"\n}\n',
    "template": b'resource "databricks_catalog" "x" {\n  name = {{ x }}\n}\n',
    "too large": b"# databricks_\n" + b"#" * 2_000_001,
    "deep blocks": b"databricks_a {\n" * 500 + b"}\n" * 500,
    "null bytes": b"databricks_\0\0\0",
}


def rows(seen: Any) -> dict[str, list[dict[str, Any]]]:
    return {
        table: [{k: v for k, v in row.__dict__.items() if k != "origin"} for row in found if "good" in row.key]
        for table, found in seen.facts.rows.items()
    }


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_cannot_be_read_changes_nothing_for_others(what: str) -> None:
    before = see(GOOD)
    begin = time.process_time()
    seen = see({**GOOD, "bad/main.tf": BROKEN[what], "bad/fine.tf": 'resource "databricks_job" "k" {}\n'})
    assert time.process_time() - begin < 10
    assert rows(seen) == rows(before)
    assert [row.key for row in seen.rows("jobs") if "bad" in row.key] == ["repository/terraform:bad/jobs.databricks_job.k"]
    told = [gap for gap in seen.facts.gaps if gap.origin is not None and gap.origin.path == "bad/main.tf"]
    assert {"catalogs", "jobs", "grants"} <= {gap.facts for gap in told if not gap.value}
    assert all("\n" not in gap.reason and gap.remedy for gap in told)
    assert {gap.cause.value for gap in told} == {"unresolved" if what == "template" else "failed"}


@pytest.mark.parametrize("content", [b"env = [", b"\xff", b"{{ env }}"])
def test_a_file_of_variables_that_cannot_be_read(content: bytes) -> None:
    seen = see({**GOOD, "good/broken.auto.tfvars": content})
    assert rows(seen)["jobs"]
    assert {gap.facts for gap in seen.gaps(lists=True)} == FILLS


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"planned_values": 1, "root_module": 2}',
        b'{"planned_values": {"root_module": [1]}}',
        b'"planned_values" "root_module"',
        b'{"planned_values": {"root_module": ' + b"[" * 100_000,
        json.dumps(
            {"planned_values": {"root_module": {"resources": [1, {}, {"type": 3}, {"type": "databricks_job", "address": "a"}]}}}
        ).encode(),
        json.dumps(
            {"planned_values": {"root_module": {}}, "configuration": [], "variables": [], "resource_changes": {"a": 1}}
        ).encode(),
    ],
)
def test_a_plan_that_cannot_be_read(content: bytes) -> None:
    seen = see({**GOOD, "out/plan.json": content})
    assert rows(seen)["jobs"] == rows(see(GOOD))["jobs"]
    assert all("\n" not in gap.reason for gap in seen.facts.gaps)


HOSTILE = {
    "for_each over itself": 'resource "databricks_catalog" "c" {\n  for_each = databricks_catalog.c\n  name = each.key\n}\n',
    "count of itself": 'resource "databricks_catalog" "c" {\n  count = length(databricks_catalog.c)\n  name = "c"\n}\n',
    "name of itself": 'resource "databricks_catalog" "c" {\n  name = databricks_catalog.c.name\n}\n',
    "schema without a name": 'resource "databricks_schema" "s" {}\n',
    "lists where texts are expected": 'resource "databricks_catalog" "c" {\n  name = ["a"]\n  isolation_mode = {}\n  owner = [1]\n}\n',
    "blocks where values are expected": 'resource "databricks_catalog" "c" {\n  name {\n    a = 1\n  }\n}\n',
    "values where blocks are expected": 'resource "databricks_job" "j" {\n  task = 1\n  run_as = "x"\n  git_source = [1]\n}\n',
    "grants on nothing": 'resource "databricks_grants" "g" {\n  grant {\n    principal = "a"\n    privileges = ["SELECT"]\n  }\n}\n',
    "grants on a list": 'resource "databricks_grants" "g" {\n  catalog = ["a"]\n  grant {\n    principal = ["a"]\n    privileges = "SELECT"\n  }\n}\n',
    "permissions for nobody": 'resource "databricks_permissions" "p" {\n  job_id = 1\n  access_control {\n  }\n}\n',
    "bindings of nothing": 'resource "databricks_workspace_binding" "b" {}\n',
    "rulesets without rules": 'resource "github_repository_ruleset" "r" {}\n',
    "webhooks without a receiver": 'resource "databricks_mlflow_webhook" "w" {}\n',
    "keys that look alike": 'resource "databricks_catalog" "a" {\n  name = "x"\n}\nresource "databricks_catalog" "b" {\n  name = "X"\n}\n',
    "dynamic blocks without content": 'resource "databricks_grants" "g" {\n  catalog = "c"\n  dynamic "grant" {\n  }\n}\n',
    "tasks of one name": 'resource "databricks_job" "j" {\n  task {\n    task_key = "a"\n  }\n  task {\n    task_key = "a"\n  }\n}\n',
    "everything unknown": "".join(
        f'resource "{kind}" "x" {{\n  name = var.none\n  catalog = var.none\n  principal = var.none\n  job_id = var.none\n}}\n'
        for kind in (
            "databricks_catalog", "databricks_schema", "databricks_sql_table", "databricks_volume", "databricks_registered_model",
            "databricks_external_location", "databricks_grants", "databricks_grant", "databricks_job", "databricks_pipeline",
            "databricks_model_serving", "databricks_mlflow_experiment", "databricks_mlflow_model", "databricks_permissions",
            "databricks_entitlements", "databricks_group", "databricks_user", "github_branch_protection", "gitlab_branch_protection",
            "azuredevops_branch_policy_min_reviewers",
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_is_declared_the_rest_is_read(what: str) -> None:
    seen = see({**GOOD, "bad/main.tf": HOSTILE[what]})
    assert rows(seen) == rows(see(GOOD))
    assert all("\n" not in gap.reason for gap in seen.facts.gaps)
