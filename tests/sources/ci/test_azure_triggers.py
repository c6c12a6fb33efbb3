from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.ci.pipeline_reading import (
    BY_HAND,
    FEATURE,
    MAIN,
    NIGHTLY,
    PULL_REQUEST,
    RELEASE,
    TAG,
    answers,
    azure_one,
    only,
)

from lakewarden.sources.repository.ci.workflow import Situation

if TYPE_CHECKING:
    from pathlib import Path

STEPS = "pool: {vmImage: ubuntu-latest}\nsteps:\n- script: databricks bundle deploy -t prod\n"
SITUATIONS = (MAIN, RELEASE, FEATURE, TAG, PULL_REQUEST, BY_HAND, NIGHTLY)


@pytest.mark.parametrize(
    ("trigger", "events", "expected"),
    [
        ("", ("push", "pull_request", "manual"), [True, True, True, False, None, True, False]),
        ("trigger: none", ("pull_request", "manual"), [False, False, False, False, None, True, False]),
        ("trigger: [none]", ("pull_request", "manual"), [False, False, False, False, None, True, False]),
        ("trigger: [main]", ("push", "pull_request", "manual"), [True, False, False, False, None, True, False]),
        ("trigger: {branches: {include: [rel*, main], exclude: [release]}}", ("push", "pull_request", "manual"),
         [True, False, False, False, None, True, False]),
        ("trigger: {branches: {exclude: [main]}}", ("push", "pull_request", "manual"),
         [False, True, True, False, None, True, False]),
        ("trigger: {branches: {include: ['*']}, paths: {include: [src]}}", ("push", "pull_request", "manual"),
         [True, True, True, False, None, True, False]),
        ("trigger: {paths: {include: [src]}}", ("push", "pull_request", "manual"),
         [None, None, None, False, None, True, False]),
        ("trigger: {tags: {include: ['v*']}}", ("tag", "pull_request", "manual"),
         [False, False, False, True, None, True, False]),
        ("trigger: {branches: {include: [refs/tags/v*]}}", ("tag", "pull_request", "manual"),
         [False, False, False, True, None, True, False]),
        ("trigger: {branches: {include: [main]}, tags: {include: [w*]}}", ("push", "tag", "pull_request", "manual"),
         [True, False, False, False, None, True, False]),
        ("trigger: none\npr: none", ("manual",), [False, False, False, False, False, True, False]),
        ("trigger: none\npr: [main]", ("pull_request", "manual"), [False, False, False, False, True, True, False]),
        ("trigger: none\npr: {branches: {include: [dev]}}", ("pull_request", "manual"),
         [False, False, False, False, False, True, False]),
        ("trigger: none\npr: none\nschedules: [{cron: '0 0 * * *', branches: {include: [main]}}]", ("manual", "schedule"),
         [False, False, False, False, False, True, True]),
    ],
)  # fmt: skip
def test_triggers(tmp_path: Path, trigger: str, events: tuple[str, ...], expected: list[bool | None]) -> None:
    workflow = azure_one(tmp_path, f"{trigger}\n{STEPS}")
    assert workflow.events == events
    assert answers(only(workflow), *SITUATIONS) == expected


def test_another_pipeline_starts_it_on_a_branch_that_the_file_does_not_tell(tmp_path: Path) -> None:
    text = "trigger: none\npr: none\nresources: {pipelines: [{pipeline: ci, source: ci, trigger: {branches: [main]}}]}\n" + STEPS
    workflow = azure_one(tmp_path, text)
    assert workflow.events == ("manual", "workflow_run")
    assert workflow.refs == ("refs/heads/main",)
    assert answers(only(workflow), Situation("workflow_run", "refs/heads/main"), Situation("workflow_run", "refs/heads/x")) == [
        None,
        False,
    ]


def test_a_resource_without_trigger_starts_nothing(tmp_path: Path) -> None:
    resources = "resources: {pipelines: [{pipeline: ci, source: ci}, {pipeline: cd, source: cd, trigger: none}]}\n"
    assert azure_one(tmp_path, "trigger: none\npr: none\n" + resources + STEPS).events == ("manual",)


def test_conditions_on_pull_requests_show_that_these_start_it(tmp_path: Path) -> None:
    text = """
        trigger: [main]
        jobs:
        - job: check
          condition: eq(variables['Build.Reason'], 'PullRequest')
          steps: [{script: pytest}]
        - job: always
          steps: [{script: pytest}]
        """
    workflow = azure_one(tmp_path, text)
    assert [answers(job, PULL_REQUEST, MAIN) for job in workflow.jobs] == [[True, False], [True, True]]


def test_conditions_on_schedules_show_that_one_may_be_set_up(tmp_path: Path) -> None:
    text = """
        trigger: none
        pr: none
        jobs:
        - job: nightly
          condition: eq(variables['Build.Reason'], 'Schedule')
          steps: [{script: pytest}]
        """
    workflow = azure_one(tmp_path, text)
    assert workflow.events == ("manual", "schedule")
    assert answers(only(workflow), NIGHTLY, BY_HAND) == [None, False]


def test_globs_that_triggers_name_are_told(tmp_path: Path) -> None:
    text = (
        "trigger: {branches: {include: [main, release*, 'feature/*', '*']}, tags: {include: ['v*', '*']}}\npr: [main, 'rel/*']\n"
    )
    workflow = azure_one(tmp_path, text + STEPS)
    heads = ["main", "release", "release/*", "feature/*"]
    assert workflow.refs == (*(f"refs/heads/{name}" for name in heads), "refs/tags/v1", "refs/tags/*")
    assert workflow.bases == ("main", "rel/*")


def test_batched_pushes_have_a_reason_of_their_own(tmp_path: Path) -> None:
    text = """
        trigger: {batch: true, branches: {include: [main]}}
        jobs:
        - job: one
          condition: eq(variables['Build.Reason'], 'IndividualCI')
          steps: [{script: x}]
        - job: other
          condition: eq(variables['Build.Reason'], 'BatchedCI')
          steps: [{script: x}]
        """
    assert [one.can_run(MAIN) for one in azure_one(tmp_path, text).jobs] == [False, True]
