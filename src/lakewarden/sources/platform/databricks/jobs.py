"""Jobs, their parameters and tasks, as the raw Jobs API lists them: typed lists lose who a job runs as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.model.workloads import Job, JobParameter
from lakewarden.sources.platform.databricks.bundles import code_of
from lakewarden.sources.platform.databricks.deployment_jobs import is_linked
from lakewarden.sources.platform.databricks.git_jobs import remember
from lakewarden.sources.platform.databricks.job_tasks import JobTasks, read_tasks, write_upstream
from lakewarden.sources.platform.databricks.jobs_api import job_of
from lakewarden.sources.platform.databricks.workloads import (
    Workload,
    bundle_of,
    creator_kind,
    explain_run_as,
    managed_by,
    read_ahead,
    require_metadata,
    workload,
)
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate
    from lakewarden.sources.platform.wire.gather import Answer

_PATH = "/api/2.2/jobs/list"
_LISTS = ("job_params", "tasks")
_REFS = (("git_branch", "branch"), ("git_tag", "tag"), ("git_commit", "commit"))
_TRIGGERS = ("schedule", "trigger", "continuous")
_MODEL_PARAMETERS = frozenset({"model_name", "model_version"})
_DECIDING = frozenset({"approval", "validation", "deployment"})


def collect(estate: Estate) -> None:
    """List the jobs of the workspace; ask apart for those of which a list holds a part only."""
    listed: list[dict[str, Any]] = []
    tasks: dict[str, JobTasks] = {}
    with estate.facts.listing("jobs", plane=DEPLOYED, of=estate.workspace, origin=estate.at(_PATH)):
        problem: SourceError | None = None
        try:
            query = {"limit": 100, "expand_tasks": "true"}
            for row in estate.api.pages(_PATH, "jobs", query, family="jobs"):
                if not row.get("settings"):
                    problem = _bare(row)
                elif field_of(row, "job_id", "a job of the list"):
                    listed.append(row)
        except SourceError as trouble:
            problem = trouble
        read_ahead(estate, (row.get("settings") or {} for row in listed))
        for row, answer in gather(lambda row: _whole(estate, row), sorted(listed, key=_number)):
            _write(estate, row, answer, tasks)
        if problem is not None:
            raise problem
        estate.rights.require_admin("jobs")
        require_metadata(estate, "job")
    write_upstream(estate, tasks)


def _number(row: dict[str, Any]) -> tuple[int, str]:
    number = str(row.get("job_id"))
    return len(number), number


def _whole(estate: Estate, row: dict[str, Any]) -> dict[str, Any]:
    """The job with all its tasks: lists hold 100 of them at most, and may not say who the job runs as."""
    if row.get("has_more") is True or not row.get("run_as_user_name"):
        said = job_of(estate, row.get("job_id"))
        if not said.get("settings"):
            raise _bare(row)
        return said
    return row


def _bare(row: dict[str, Any]) -> Failed:
    return Failed(f"the answer about job {row.get('job_id')} has no settings", "run again; report it if it stays so")


def _write(estate: Estate, listed: dict[str, Any], answer: Answer[dict[str, Any]], tasks: dict[str, JobTasks]) -> None:
    """Write one job. Where the whole of it cannot be read, the list told its settings, but not all tasks."""
    number = str(listed.get("job_id"))
    origin = estate.at(f"/api/2.2/jobs/get?job_id={number}")
    said, problem = listed, None
    try:
        said = answer.get()
    except SourceError as trouble:
        problem = trouble
    settings: dict[str, Any] = said.get("settings") or {}
    one = workload(estate, "job", number, settings.get("name"), said, settings)
    remember(estate, one, said, settings)
    read = None
    for table in _LISTS:
        with estate.facts.listing(table, plane=DEPLOYED, of=one.key, origin=origin):
            if problem is not None:
                raise problem
            if table == "tasks":
                read = tasks[number] = read_tasks(estate, one, settings)
            else:
                _parameters(estate, one, settings)
    git: dict[str, Any] = settings.get("git_source") or {}
    ref_kind, ref = next(
        ((kind, git[field]) for field, kind in _REFS if git.get(field)), ("none", "none") if not git else (None, None)
    )
    explain_run_as(estate, one, origin)
    estate.facts.add(
        Job(
            key=one.key,
            plane=DEPLOYED,
            project=_project(estate, one),
            origin=origin,
            place=estate.workspace,
            name=one.name,
            kind="job",
            run_as_kind=one.run_as.kind,
            run_as=one.run_as.name,
            run_as_from="job",
            managed_by=managed_by(estate, one, settings, "jobs", origin),
            creator_kind=creator_kind(estate, one, origin),
            dirty_state=(git.get("job_source") or {}).get("dirty_state") or "none",
            git_ref_kind=ref_kind,
            git_ref=ref,
            development=False,
            is_deployment_job=_is_deployment_job(estate, number, settings, read),
            max_concurrent_runs=settings.get("max_concurrent_runs", 1),
            code=None if read is None else code_of(read.codes),
            pause_status=_pause_status(settings),
        )
    )


def _project(estate: Estate, one: Workload) -> str | None:
    """The bundle that deployed it, by its own name."""
    bundle = bundle_of(estate, one)
    return None if bundle is None else bundle.name


def _parameters(estate: Estate, one: Workload, settings: dict[str, Any]) -> None:
    origin = estate.at(f"/api/2.2/jobs/get?job_id={one.number}")
    for name in dict.fromkeys(str(parameter.get("name")) for parameter in settings.get("parameters") or ()):
        estate.facts.add(JobParameter(key=f"{one.key}/{name}", plane=DEPLOYED, origin=origin, job=one.key, name=name))


def _is_deployment_job(estate: Estate, number: str, settings: dict[str, Any], read: JobTasks | None) -> bool | None:
    """Does a model name it as its deployment job, does a model trigger it, or does it take a model's name and version and
    decide on it? None where that is not known.
    """
    linked = is_linked(estate, number)
    if linked or (settings.get("trigger") or {}).get("model"):
        return True
    takes = {str(parameter.get("name")) for parameter in settings.get("parameters") or ()} >= _MODEL_PARAMETERS
    roles = set() if read is None else {work.role for work in read.work.values()}
    if takes and roles & _DECIDING:
        return True
    return None if read is None else linked


def _pause_status(settings: dict[str, Any]) -> str | None:
    """The state of the schedule or trigger; `none` where it starts on request only."""
    blocks = [*(settings.get(field) for field in _TRIGGERS), *(settings.get("triggers") or ())]
    found = {str(block.get("pause_status") or "UNPAUSED") for block in blocks if isinstance(block, dict)}
    return "none" if not found else found.pop() if len(found) == 1 else None


COLLECTOR = Collector(
    "jobs",
    frozenset({"jobs", "job_params", "tasks", "task_libraries", "task_upstream"}),
    (
        Need("GET /api/2.2/jobs/list", "workspace admin: others are shown the jobs that they may view"),
        Need("GET /api/2.2/jobs/get", "CAN_VIEW on the job"),
        Need("GET /api/2.0/workspace/export", "CAN_READ on the metadata.json of bundles"),
    ),
    collect,
)
