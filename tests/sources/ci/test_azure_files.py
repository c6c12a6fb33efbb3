from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.ci.pipeline_reading import MAIN, azure_all, said

if TYPE_CHECKING:
    from pathlib import Path

STEPS = "steps: [{script: x}]\n"
GOOD = "trigger: [main]\npool: {vmImage: ubuntu-latest}\n" + STEPS


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("azure-pipelines.yml", STEPS),
        ("azure-pipelines-cd.yaml", STEPS),
        (".azuredevops/deploy.yml", STEPS),
        ("ci/any name.yml", "trigger: none\n" + STEPS),
        ("ci/any.yml", "pool: x\njobs: [{job: a, steps: [{bash: x}]}]\n"),
        ("ci/any.yml", "variables: {a: b}\nstages: [{stage: a, jobs: []}]\n"),
        ("ci/any.yml", "pr: [main]\nstages: ['${{ if true }}': [{stage: a}]]\n"),
    ],
)
def test_pipelines_have_any_name(tmp_path: Path, path: str, text: str) -> None:
    (found,) = azure_all(tmp_path, {path: text})
    assert (found.system, found.path) == ("azure", path)
    assert found.events is not None


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    (found,) = azure_all(tmp_path, {"azure-pipelines.yml": b"\xef\xbb\xbfsteps:\r\n- script: |\r\n    a\r\n    b\r\n"})
    assert [step.text for step in found.jobs[0].steps] == ["a\nb\n"]


def test_a_pipeline_that_is_too_large_is_told(tmp_path: Path) -> None:
    (found,) = azure_all(tmp_path, {"azure-pipelines.yml": GOOD + "#" * 10_000_001})
    assert (found.jobs, found.unread[0].cause) == ((), "failed")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".github/workflows/ci.yml", "on: push\njobs: {a: {steps: [{run: x}]}}\n"),
        (".gitlab-ci.yml", "stages: [a]\na: {script: x}\n"),
        ("action.yml", "name: x\nruns: {using: composite, steps: [{run: x}]}\n"),
        ("cloudbuild.yaml", "steps: [{name: gcr.io/x, args: [a]}]\n"),
        ("x.yml", "resources: {jobs: {a: {}}}\n"),
        ("jobs.yml", "jobs:\n  a: {steps: []}\nversion: 2\n"),
        ("dvc.yaml", "stages: {prepare: {cmd: x}}\n"),
        ("recipe.yml", "steps: [mix, bake]\nname: cake\n"),
        ("tasks.yml", "- script: x\n"),
    ],
)
def test_files_of_others_are_no_pipelines(tmp_path: Path, path: str, text: str) -> None:
    assert azure_all(tmp_path, {path: text}) == []


def test_templates_are_read_through_those_that_use_them(tmp_path: Path) -> None:
    files = {
        "azure-pipelines.yml": "trigger: [main]\nsteps:\n- template: a.yml\n- template: ${{ variables.x }}-b.yml\n",
        "a.yml": STEPS,
        "my-b.yml": STEPS,
        "templates/unused.yml": "variables: {a: b}\njobs: [{job: a, steps: [{script: x}]}]\n",
        "needy.yml": "parameters: [{name: target}]\n" + STEPS,
    }
    found = {one.path: one.events for one in azure_all(tmp_path, files)}
    assert found.pop("azure-pipelines.yml") is not None
    assert found == {"templates/unused.yml": None, "needy.yml": None}


def test_a_template_that_nobody_uses_may_run_or_not(tmp_path: Path) -> None:
    (found,) = azure_all(tmp_path, {"templates/deploy.yml": "parameters: [{name: target}]\n" + STEPS})
    assert [one.can_run(MAIN) for one in found.jobs] == [None]


@pytest.mark.parametrize(
    "broken",
    [
        b"trigger: [main]\nsteps:\n- script: [\n",
        b"trigger: [main]\nsteps:\n\t- script: x\n",
        b"trigger: [main]\nsteps: [{script: \xff\xfe}]\n",
        b"trigger: [main]\nsteps:\n" + b"".join(b" " * number + b"- \n" for number in range(300)),
        b"trigger: [main]\nsteps:\n- script: x\n---\nsteps: []\n",
    ],
)
def test_a_corrupt_file_is_told_and_changes_nothing_for_others(tmp_path: Path, broken: bytes) -> None:
    (alone,) = azure_all(tmp_path / "alone", {"good.yml": GOOD})
    found = azure_all(tmp_path / "beside", {"good.yml": GOOD, "azure-pipelines.yml": broken})
    bad = next(one for one in found if one.path == "azure-pipelines.yml")
    assert (bad.jobs, bad.events) == ((), None)
    assert (bad.unread[0].cause, "\n" in bad.unread[0].reason, bad.unread[0].remedy != "") == ("failed", False, True)
    (good,) = [one for one in found if one.path == "good.yml"]
    assert said(good) == said(alone)


NAMES = st.sampled_from(
    ["steps", "jobs", "stages", "job", "script", "template", "condition", "dependsOn", "variables", "strategy", "matrix", "parameters",
     "${{ if true }}", "${{ each x in parameters.p }}", "${{ else }}", "extends", "pool", "environment", "deployment", "name", "env"]
)  # fmt: skip
TEXTS = st.sampled_from(
    [
        "x",
        "",
        "a.yml",
        "azure-pipelines.yml",
        "${{ parameters.p }}",
        "$(x)",
        "eq(",
        "succeeded()",
        "true",
        "null",
        "[]",
        "!x y",
        "&a b",
        "*a",
    ]
)
TREES = st.recursive(
    TEXTS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)


def written(tree: object) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"? {key!r} : {written(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(written, tree)) + "]"
    return f"'{tree}'"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(TREES, TREES, TREES)
def test_nothing_written_in_a_file_makes_it_fail(tmp_path: Path, steps: object, jobs: object, more: object) -> None:
    head = f"trigger: {written(more)}\nparameters: {written(jobs)}\n"
    own = f"jobs:\n- job: a\n  condition: {written(more)}\n  steps: [{{script: {written(more)}}}, {written(steps)}]\n"
    files = {
        "azure-pipelines.yml": f"{head}{own}- {written(jobs)}\n",
        "both.yml": f"{head}{own}stages: {written(more)}\n",
        "a.yml": f"steps: {written(steps)}\njobs: {written(jobs)}\n",
    }
    workflows = {workflow.path: workflow for workflow in azure_all(tmp_path, files)}
    assert workflows["azure-pipelines.yml"].jobs
    for workflow in workflows.values():
        for one in workflow.jobs:
            one.can_run(MAIN)
            for step in one.steps:
                step.can_run(MAIN)
