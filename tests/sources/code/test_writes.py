from __future__ import annotations

import pytest
from tests.sources.whole import gather_all

_BUNDLE = """
bundle: {{name: churn}}
targets: {{prod: {{}}}}
resources:
  jobs:
    score:
      tasks:
        - task_key: score
          {task}
"""
_WRITES = 'spark.range(3).write.saveAsTable("prod.ml.scores")\n'
_RUNS = _BUNDLE.format(task="notebook_task: {notebook_path: score.py}")


@pytest.mark.parametrize(
    "files",
    [
        {"databricks.yml": _RUNS, "score.py": f"def f(:\n{_WRITES}"},
        {"databricks.yml": _RUNS, "score.py": f"# Databricks notebook source\ndef f(:\n# COMMAND ----------\n{_WRITES}"},
        {"databricks.yml": _RUNS, "score.py": f"from helper import go\n{_WRITES}", "helper.py": "def go(:\n"},
        {"databricks.yml": _BUNDLE.format(task="notebook_task: {notebook_path: score.scala}"), "score.scala": "val x = 1\n"},
        {"databricks.yml": _RUNS.replace("score.py", "go/score.go"), "go/score.go": "x"},
        {"databricks.yml": _BUNDLE.format(task="notebook_task: {notebook_path: /Shared/score}")},
        {"databricks.yml": _BUNDLE.format(task="python_wheel_task: {package_name: elsewhere, entry_point: main}")},
    ],
    ids=[
        "a file",
        "a cell",
        "a file that is imported",
        "Scala",
        "another language",
        "a notebook of the workspace",
        "a wheel from elsewhere",
    ],
)
def test_code_that_runs_and_was_not_read_may_write_more(files: dict[str, str]) -> None:
    assert [gap for gap in gather_all(files).gaps if gap.facts == "stage_writes" and not gap.value]


def test_the_writes_of_code_that_was_read_are_all_writes() -> None:
    facts = gather_all({"databricks.yml": _RUNS, "score.py": _WRITES, "other.py": "def f(:\n"})
    assert [row.__dict__["table_name"] for row in facts.rows["stage_writes"]] == ["prod.ml.scores"]
    assert not [gap for gap in facts.gaps if gap.facts == "stage_writes" and not gap.value]
