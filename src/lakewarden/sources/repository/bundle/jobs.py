"""The jobs of a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.workloads import Job, JobParameter
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.parameters import Parameter, job_parameters
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.targets import read_run_as
from lakewarden.sources.repository.bundle.tasks import context_of, read_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.sources.repository.bundle.code import Code
    from lakewarden.sources.repository.bundle.names import Names
    from lakewarden.sources.yaml_nodes import Map

_REFS = (("git_branch", "branch"), ("git_tag", "tag"), ("git_commit", "commit"))
_MODEL_PARAMETERS = frozenset({"model_name", "model_version"})


def read_jobs(reader: Reader, names: Names) -> None:
    """Write the jobs of the target with their parameters and tasks."""
    for name, job in reader.resources("jobs"):
        key = f"{reader.key}/jobs.{name}"
        pointer = f"resources.jobs.{name}"
        parameters = job_parameters(reader, job, key, pointer)
        git, no_git = reader.block(job.get("git_source"), "jobs")
        has_git = True if git is not None else None if no_git is None else False
        codes = read_tasks(reader, context_of(reader, key, job, pointer, parameters, git=has_git), names)
        ref_kind, ref = _git_ref(reader, git) if git is not None else (no_git, no_git)
        run_as_kind, run_as, run_as_from = run_as_of(reader, job)
        reader.facts.add(
            Job(
                key=key,
                project=reader.project,
                place=reader.key,
                target=reader.key,
                name=reader.named("jobs", job.get("name"), "jobs", name),
                kind="job",
                run_as_kind=run_as_kind,
                run_as=run_as,
                run_as_from=run_as_from,
                managed_by="bundle",
                creator_kind=NONE,
                dirty_state=NONE,
                git_ref_kind=ref_kind,
                git_ref=ref,
                development=False,
                is_deployment_job=_is_deployment_job(reader, job, parameters),
                max_concurrent_runs=reader.number(job.get("max_concurrent_runs"), "jobs", 1),
                code=code_of(codes),
                pause_status=_pause_status(reader, job),
                origin=job.origin,
            )
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


def run_as_of(reader: Reader, node: Map) -> tuple[str | None, str | None, str | None]:
    """Who a job or a pipeline runs as, and who says so."""
    own = read_run_as(reader, node.get("run_as"), "jobs")
    if own is not None:
        return *own, "job"
    kind, name = reader.run_as
    return kind, name, NONE if kind == "deployer" else "target"


def code_of(codes: Sequence[Code]) -> str | None:
    """The code paths of tasks, one line each; None where one is not known."""
    paths = {code.deployed or code.path for code in codes}
    return None if None in paths else "\n".join(sorted(path for path in paths if path is not None and path != NONE))


def _git_ref(reader: Reader, git: Map) -> tuple[str | None, str | None]:
    """Kind and name of the ref that a `git_source` follows."""
    for field, kind in _REFS:
        node = git.get(field)
        if not is_null(node):
            return kind, reader.text(node, "jobs")
    return None, None


def _is_deployment_job(reader: Reader, job: Map, parameters: Sequence[Parameter]) -> bool | None:
    """Is it triggered by a model, or does it take what a model's deployment job takes: its name and version?"""
    trigger, absent = reader.block(job.get("trigger"), "jobs")
    if trigger is not None and not is_null(trigger.get("model")):
        return True
    taken = {p.name for p in parameters} >= _MODEL_PARAMETERS
    all_known = absent == NONE and reader.resolver.node(job.get("parameters"))[1] is None
    return True if taken else False if all_known else None


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
