"""Commits in what a job run was launched with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.sources.platform.databricks.job_runs import Told
from lakewarden.sources.platform.databricks.launch import commits_of_launch, tasks_of
from lakewarden.sources.platform.databricks.run_inputs import catalog_of, source_of

COMMIT = "4f3c2d1e" * 5


def launched(**run: Any) -> Told:
    return Told("1", {"run_id": 1, **run}, None)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("git_commit", COMMIT, True),
        ("commit", COMMIT.upper(), True),
        ("GIT_SHA", COMMIT, True),
        ("bundle.git.commit", f" {COMMIT}\n", True),
        ("gitCommit", COMMIT, True),
        ("git_source_info", f"url:https://x; branch:main; commit:{COMMIT}", True),
        ("model_digest", COMMIT, False),
        ("shard", COMMIT, False),
        ("git_commit", COMMIT[:12], False),
        ("git_commit", f"a{COMMIT}", False),
        ("git_commit", "${bundle.git.commit}", False),
        ("git_commit", None, False),
    ],
)
def test_a_parameter_holds_a_commit_by_its_name_and_form(name: str, value: Any, found: bool) -> None:
    assert commits_of_launch(launched(job_parameters=[{"name": name, "value": value}])) == ([(COMMIT, None)] if found else [])


@pytest.mark.parametrize(
    ("context", "found"),
    [
        ({"mlflow.source.git.commit": COMMIT}, [(COMMIT, None)]),
        ({"mlflow.source.git.commit": COMMIT, "mlflow.source.git.dirty": "true"}, [(COMMIT, True)]),
        ({"mlflow.source.git.commit": COMMIT, "mlflow.source.git.dirty": "false"}, [(COMMIT, False)]),
        ({"mlflow.source.git.commit": "short"}, [("short", None)]),
        ({"mlflow.source.git.branch": "main"}, []),
        ([COMMIT], []),
    ],
)
def test_the_context_of_runs_holds_a_commit(context: Any, found: list[tuple[str, bool | None]]) -> None:
    cluster = {"spark_env_vars": {"MLFLOW_RUN_CONTEXT": json.dumps(context)}}
    assert commits_of_launch(launched(tasks=[{"task_key": "a", "new_cluster": cluster}])) == found


def test_an_entry_of_variables_counts_for_the_task_that_names_it() -> None:
    entries = [{"environment_variables_key": name, "spec": {"variables": {"GIT_COMMIT": COMMIT}}} for name in ("a", "b")]
    task = {"task_key": "t", "environment_variables_key": "a"}
    assert commits_of_launch(launched(environment_variables=entries, tasks=[task])) == [(COMMIT, None)]
    assert commits_of_launch(launched(environment_variables=entries, tasks=[{"task_key": "t"}])) == []


@pytest.mark.parametrize("words", [["--commit", COMMIT], [f"--commit={COMMIT}"], ["x", "-git-commit", COMMIT]])
def test_a_flag_of_a_script_holds_a_commit(words: list[str]) -> None:
    task = {"task_key": "t", "spark_python_task": {"python_file": "t.py", "parameters": words}}
    assert commits_of_launch(launched(tasks=[task])) == [(COMMIT, None)]


def test_the_task_that_was_asked_for_counts_alone() -> None:
    tasks = [
        {"task_key": "a", "run_id": 7},
        {"task_key": "b", "run_id": 8},
        {"task_key": "if", "condition_task": {"op": "EQUAL_TO"}},
    ]
    run = {"run_id": 1, "tasks": tasks}
    assert [task["task_key"] for task in tasks_of(Told("8", run, None))] == ["b"]
    assert [task["task_key"] for task in tasks_of(Told("1", run, None))] == ["a", "b"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_whatever_a_dataset_says_of_its_source_names_at_most_one_catalog(value: Any) -> None:
    source = source_of(value if isinstance(value, str) else json.dumps(value))
    catalog = catalog_of("delta_table", source)
    assert catalog is None or isinstance(catalog, str)


@pytest.mark.parametrize(
    ("kind", "source", "catalog"),
    [
        ("delta_table", {"delta_table_name": "Prod.S.T"}, "prod"),
        ("delta_table", {"delta_table_name": "`prod`.s.t", "path": "s3://x"}, "prod"),
        ("delta_table", {"delta_table_name": "s.t"}, None),
        ("delta_table", {"path": "s3://x"}, None),
        ("s3", {"uri": "s3://x"}, "none"),
        ("code", {}, "none"),
    ],
)
def test_the_catalog_of_a_dataset(kind: str, source: dict[str, Any], catalog: str | None) -> None:
    assert catalog_of(kind, source) == catalog
