from __future__ import annotations

from pathlib import Path

import pytest
from tests.sources.whole import gather_all

from lakewarden.facts.collect import Facts, Skipped
from lakewarden.facts.store import prepare
from lakewarden.judge.catalogue import load_rules
from lakewarden.policy.model import Policy
from lakewarden.rule import Status
from lakewarden.sources.registry import read_repository
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

_NOTEBOOK = """# Databricks notebook source
catalog = dbutils.widgets.get("catalog")
spark.sql(f"CREATE SCHEMA {catalog}.ml")
spark.sql(f"GRANT SELECT ON SCHEMA {catalog}.ml TO `readers`")
spark.range(3).write.saveAsTable(f"{catalog}.ml.scores")
"""
_BUNDLE = """
bundle:
  name: ${{var.name}}
targets:
  prod: {{}}
resources:
  jobs:
    score:
      tasks:
        - task_key: score
          notebook_task: {{notebook_path: {path}, base_parameters: {{catalog: prod}}}}
"""
_TERRAFORM = """
resource "databricks_notebook" "score" {
  path   = "/Shared/score"
  source = "score.py"
}
resource "databricks_job" "score" {
  name = "score"
  task {
    task_key = "score"
    notebook_task {
      notebook_path   = databricks_notebook.score.path
      base_parameters = { catalog = "prod" }
    }
  }
}
"""


@pytest.mark.parametrize(
    "files",
    [
        {"bundles/churn/databricks.yml": _BUNDLE.format(path="score.py"), "bundles/churn/score.py": _NOTEBOOK},
        {"terraform/environments/prod/main.tf": _TERRAFORM, "terraform/environments/prod/score.py": _NOTEBOOK},
    ],
    ids=["a bundle that is called like its folder", "Terraform in a folder below others"],
)
def test_what_a_job_runs_belongs_to_the_project_of_the_job(files: dict[str, str]) -> None:
    facts = gather_all(files)
    projects = {row.project for row in facts.rows["jobs"]}
    assert len(projects) == 1
    for table in ("schemas", "grants", "stage_writes"):
        assert {row.project for row in facts.rows[table]} == projects, table


def test_code_that_terraform_starts_writes_what_its_parameters_say() -> None:
    facts = gather_all({"prod/main.tf": _TERRAFORM, "prod/score.py": _NOTEBOOK})
    (written,) = facts.rows["stage_writes"]
    assert (written.__dict__["table_name"], written.__dict__["catalog"]) == ("prod.ml.scores", "prod")


def test_a_folder_that_cannot_be_opened_may_hold_whatever_rules_ask_of() -> None:
    tree = Tree.of_files(Path("nowhere"), {"databricks.yml": "bundle: {name: churn}\ntargets: {prod: {}}\n"})
    tree.skipped = (Skipped("hidden", "unreadable", "hidden cannot be opened"),)
    policy, facts = Policy(), Facts()
    filled = read_repository(Context(tree, policy, Layout.of_tree(tree, policy), use_cache=False), facts)
    facts.gaps.extend(tree.unseen())
    rules = [rule for rule in load_rules().values() if rule.status is not Status.PREVIEW]
    subjects = frozenset(query.subject for rule in rules for query in rule.queries) & filled
    assert len(subjects) > 20
    ready = prepare(facts, policy, filled=filled, needed=subjects)
    assert [name for name in sorted(subjects) if not any(row["gap"] is not None for row in ready.rows[name])] == []
