"""What comes before a task in other jobs, and what conditions decide."""

from __future__ import annotations

from typing import Any

START = "bundle: {name: b}\ntargets: {prod: {}}\nresources:\n  jobs:\n"
RELEASE = "    release: {tasks: [{task_key: check, run_job_task: {job_id: '${resources.jobs.checks.id}'}}, {task_key: roll, depends_on: [{task_key: check}], run_job_task: {job_id: '${resources.jobs.rollout.id}'}}]}\n"
CHECKS = "    checks: {tasks: [{task_key: prepare, notebook_task: {notebook_path: a}}, {task_key: validate, depends_on: [{task_key: prepare}], notebook_task: {notebook_path: a}}]}\n"
ROLLOUT = "    rollout: {%stasks: [{task_key: deploy, notebook_task: {notebook_path: a}}]}\n"


def before(seen: Any, task: str) -> dict[str, tuple[str | None, bool | None]]:
    return {row.upstream: (row.role, row.must_succeed) for row in seen.rows("task_upstream") if row.task == task}


def test_a_job_that_only_another_job_starts_waits_for_what_that_waits_for(read: Any) -> None:
    seen = read(START + RELEASE + CHECKS + ROLLOUT % "")
    assert before(seen, "b/prod/jobs.rollout/deploy") == {
        "b/prod/jobs.release/check": ("other", True),
        "b/prod/jobs.checks/prepare": ("other", True),
        "b/prod/jobs.checks/validate": ("validation", True),
    }
    assert before(seen, "b/prod/jobs.checks/prepare") == {}
    keys = [row.key for row in seen.rows("task_upstream")]
    assert "b/prod/jobs.rollout/deploy/jobs.checks/validate" in keys
    assert "b/prod/jobs.checks/validate/prepare" in keys


def test_a_job_that_starts_by_itself_waits_for_nobody(read: Any) -> None:
    seen = read(START + RELEASE + CHECKS + ROLLOUT % "schedule: {quartz_cron_expression: '0 0 1 * * ?', timezone_id: UTC}, ")
    assert before(seen, "b/prod/jobs.rollout/deploy") == {}


def test_a_job_that_two_jobs_start_waits_for_nobody(read: Any) -> None:
    seen = read(START + RELEASE + RELEASE.replace("release:", "again:") + CHECKS + ROLLOUT % "")
    assert before(seen, "b/prod/jobs.rollout/deploy") == {}


def test_jobs_that_start_each_other_end(read: Any) -> None:
    run = "    {0}: {{tasks: [{{task_key: t, run_job_task: {{job_id: '${{resources.jobs.{1}.id}}'}}}}]}}\n"
    seen = read(START + run.format("a", "b") + run.format("b", "a") + run.format("c", "c"))
    assert before(seen, "b/prod/jobs.a/t") == {"b/prod/jobs.b/t": ("other", True)}


def test_a_condition_on_what_a_task_computed_may_be_a_validation(read: Any) -> None:
    condition = "{{task_key: {0}, condition_task: {{op: EQUAL_TO, left: '{1}', right: '1'}}}}"
    tasks = [
        condition.format("improved", "{{tasks.train.values.improved}}"),
        condition.format("is_test", "${var.is_test}"),
        condition.format("validated", "{{tasks.train.values.ok}}"),
        "{task_key: deploy, depends_on: [{task_key: improved}, {task_key: is_test}, {task_key: validated}], notebook_task: {notebook_path: a}}",
    ]
    seen = read(f"{START}    j: {{tasks: [{', '.join(tasks)}]}}\n")
    assert {key.rpartition("/")[2]: role for key, (role, _) in before(seen, "b/prod/jobs.j/deploy").items()} == {
        "improved": None,
        "is_test": "other",
        "validated": "validation",
    }
    assert [gap.value for gap in seen.gaps("task_upstream")] == [True]
