"""The jobs of a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.workloads import JobParameter
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.parameters import Parameter, job_parameters
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.tasks import context_of, read_tasks
from lakewarden.sources.repository.bundle.upstream import write_upstream
from lakewarden.sources.repository.bundle.workload import write_workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.facts.model.workloads import Job
    from lakewarden.sources.repository.bundle.names import Names
    from lakewarden.sources.repository.bundle.upstream import JobTasks
    from lakewarden.sources.yaml_nodes import Map

_REFS = (("git_branch", "branch"), ("git_tag", "tag"), ("git_commit", "commit"))
_MODEL_PARAMETERS = frozenset({"model_name", "model_version"})
_DECIDING = frozenset({"approval", "validation", "deployment"})


def read_jobs(reader: Reader, names: Names) -> None:
    """Write the jobs of the target with their parameters and tasks."""
    tasks: dict[str, JobTasks] = {}
    written: dict[str, Job] = {}
    for name, job in reader.resources("jobs"):
        key = f"{reader.key}/jobs.{name}"
        pointer = f"resources.jobs.{name}"
        parameters = job_parameters(reader, job, key, pointer)
        git, no_git = reader.block(job.get("git_source"), "jobs")
        has_git = True if git is not None else None if no_git is None else False
        codes, tasks[name] = read_tasks(reader, context_of(reader, key, job, pointer, parameters, git=has_git), names)
        ref_kind, ref = _git_ref(reader, git) if git is not None else (no_git, no_git)
        written[name] = write_workload(
            reader,
            "job",
            name,
            job,
            codes,
            git_ref_kind=ref_kind,
            git_ref=ref,
            development=False,
            is_deployment_job=_is_deployment_job(reader, job, parameters, tasks[name]),
            max_concurrent_runs=_concurrency(reader, job),
            pause_status=_pause_status(reader, job),
        )
        names.parameters(parameters, "other")
        for parameter in {p.name: p for p in parameters}.values():
            reader.facts.add(
                JobParameter(
                    key=f"{key}/{parameter.name}",
                    project=reader.project,
                    job=key,
                    name=parameter.name,
                    origin=parameter.node.origin,
                )
            )
    for name in reader.deployment_jobs & written.keys():
        written[name].is_deployment_job = True
    write_upstream(reader, tasks)


def _git_ref(reader: Reader, git: Map) -> tuple[str | None, str | None]:
    """Kind and name of the ref that a `git_source` follows."""
    for field, kind in _REFS:
        node = git.get(field)
        if not is_null(node):
            return kind, reader.text(node, "jobs")
    return None, None


def _is_deployment_job(reader: Reader, job: Map, parameters: Sequence[Parameter], tasks: JobTasks) -> bool | None:
    """Is it triggered by a model, or does it decide on a version: does it, or a task of a job that asks for an approval, take
    the name and the version of a model?
    """
    trigger, absent = reader.block(job.get("trigger"), "jobs")
    if trigger is not None and not is_null(trigger.get("model")):
        return True
    roles = {work.role for work in tasks.work.values()}
    by_tasks = "approval" in roles and any(work.parameters >= _MODEL_PARAMETERS for work in tasks.work.values())
    taken = {p.name for p in parameters} >= _MODEL_PARAMETERS and bool(roles & _DECIDING)
    all_known = absent == NONE and reader.resolver.node(job.get("parameters"))[1] is None
    return True if taken or by_tasks else False if all_known else None


def _concurrency(reader: Reader, job: Map) -> int | None:
    """How many runs may overlap: what the job says, else the presets, else one."""
    presets, _ = reader.section("presets", "jobs")
    preset = presets.get("jobs_max_concurrent_runs") if presets is not None else None
    own = job.get("max_concurrent_runs")
    return reader.number(preset if is_null(own) else own, "jobs", 1)


def _pause_status(reader: Reader, job: Map) -> str | None:
    """The state of the schedule or trigger; development mode pauses it, unless presets say otherwise."""
    for field in ("schedule", "trigger", "continuous"):
        block, absent = reader.block(job.get(field), "jobs")
        if absent is None:
            return None
        if block is None:
            continue
        if not is_null(block.get("pause_status")):
            return reader.text(block.get("pause_status"), "jobs")
        presets, known = reader.section("presets", "jobs")
        by_mode = {True: "PAUSED", False: "UNPAUSED", None: None}[reader.development if known == NONE else None]
        return reader.text(presets.get("trigger_pause_status") if presets is not None else None, "jobs", by_mode)
    return NONE
