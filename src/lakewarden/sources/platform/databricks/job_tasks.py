"""The tasks of a deployed job: what each runs, what it installs, what comes before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.facts.model.workloads import Task, TaskUpstream
from lakewarden.sources.platform.databricks.bundles import NO_CODE, Code, code_at
from lakewarden.sources.platform.databricks.task_installs import write_libraries
from lakewarden.sources.platform.databricks.workloads import Workload, bundle_of
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.repository.bundle.roles import OTHER, role_of_task, speaks_of_other_work
from lakewarden.sources.repository.bundle.upstream import Edges, closure, graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.databricks.bundles import Metadata
    from lakewarden.sources.platform.estate import Estate

#: Each block that says what a task is, with its kind and the field of the path of its code.
_KINDS = {
    "notebook_task": ("notebook", "notebook_path"),
    "spark_python_task": ("python_file", "python_file"),
    "python_wheel_task": ("python_wheel", ""),
    "sql_task": ("sql", "file"),
    "dbt_task": ("dbt", ""),
    "pipeline_task": ("pipeline", ""),
    "run_job_task": ("run_job", ""),
    "condition_task": ("condition", ""),
    "for_each_task": ("for_each", ""),
    "gen_ai_compute_task": ("other", "training_script_path"),
}
#: Tasks that run no Python, or none of their own: they neither train nor move an alias.
_WITHOUT_PYTHON = frozenset({"sql", "dbt", "pipeline", "run_job", "condition", "for_each"})
_MODEL_PARAMETERS = frozenset({"model_name", "model_version"})
#: Values of `run_mode` that let validation pass whatever it finds.
_OFF = frozenset({"dry_run", "disabled"})


class Work(NamedTuple):
    """A task: its row's key, its role for what comes after it, the job that it starts, whether it validates in earnest."""

    key: str
    role: str | None
    runs: str | None
    enforced: bool


class JobTasks(NamedTuple):
    """The tasks of a job by name with their edges and their code, and whether the job starts by itself."""

    work: dict[str, Work]
    edges: dict[str, Edges]
    starts_itself: bool
    codes: list[Code]


class _Of(NamedTuple):
    """What tasks take from their job."""

    one: Workload
    settings: dict[str, Any]
    bundle: Metadata | None
    project: str | None
    decides: bool
    run_mode: str


def read_tasks(estate: Estate, one: Workload, settings: dict[str, Any]) -> JobTasks:
    """Write the tasks of a job. Everything that they are is in `settings`."""
    bundle = bundle_of(estate, one)
    parameters = {str(p.get("name")): p.get("default") for p in settings.get("parameters") or ()}
    decides = parameters.keys() >= _MODEL_PARAMETERS or bool((settings.get("trigger") or {}).get("model"))
    project = None if bundle is None else bundle.name
    of = _Of(one, settings, bundle, project, decides, str(parameters.get("run_mode")))
    started = any(settings.get(field) for field in ("schedule", "trigger", "continuous", "triggers"))
    read = JobTasks({}, {}, started, [])
    for at, task in enumerate(settings.get("tasks") or ()):
        name = str(task.get("task_key") or at)
        depends = [str(edge.get("task_key")) for edge in task.get("depends_on") or ()]
        edges = Edges(depends, str(task.get("run_if") or "ALL_SUCCESS"))
        _task(estate, of, task, name, read)
        inner = (task.get("for_each_task") or {}).get("task")
        if not isinstance(inner, dict):
            read.edges[name] = edges
            continue
        # What depends on the loop depends on its task; the task of the loop waits for what the loop waits for.
        nested = str(inner.get("task_key") or f"{name}_iteration")
        while nested in read.work:
            nested = f"{nested}_iteration"
        _task(estate, of, inner, nested, read)
        read.edges[nested], read.edges[name] = edges, Edges([nested], "ALL_SUCCESS")
    return read


def _task(estate: Estate, of: _Of, task: dict[str, Any], name: str, read: JobTasks) -> None:
    key = f"{of.one.key}/{name}"
    kind, block, code = _work(of, task)
    role = _role(of, kind, name, code)
    origin = estate.at(f"/api/2.2/jobs/get?job_id={of.one.number}")
    if role is None:
        reason = f"task {name} of job {of.one.name or of.one.number}: neither its name nor its path says what it is for"
        estate.unexplained("tasks", key, reason, "compare with the repository: --repository DIR", origin)
    estate.facts.add(
        Task(
            key=key,
            plane=DEPLOYED,
            project=of.project,
            origin=origin,
            job=of.one.key,
            project_key=of.project or of.one.key,
            place=estate.workspace,
            name=name,
            kind=kind,
            role=role,
            code_path=code.path,
            code_place=code.place,
            file="none",
            max_retries=task.get("max_retries") or 0,
        )
    )
    read.codes.append(code)
    runs = block.get("job_id") if kind == "run_job" else None
    mode = str((block.get("base_parameters") or {}).get("run_mode", of.run_mode)).strip().lower()
    read.work[name] = Work(key, _decided(kind, role, block), None if runs is None else str(runs), mode not in _OFF)
    with estate.facts.listing("task_libraries", plane=DEPLOYED, of=key, origin=origin):
        write_libraries(estate, key, task, of.settings, of.bundle, of.project, origin)


def _work(of: _Of, task: dict[str, Any]) -> tuple[str, dict[str, Any], Code]:
    for field, (kind, path_field) in _KINDS.items():
        block = task.get(field)
        if not isinstance(block, dict):
            continue
        source, path = block, block.get(path_field)
        if isinstance(path, dict):  # of a SQL file
            source, path = path, path.get("path")
        if not isinstance(path, str) or not path:
            return kind, block, NO_CODE
        # Without a word the code comes from Git where the job has a Git source (SDK, `Source`).
        said = source.get("source") or ("GIT" if of.settings.get("git_source") else "WORKSPACE")
        return kind, block, code_at(path, of.bundle, from_git=said == "GIT")
    return "other", {}, NO_CODE


def _role(of: _Of, kind: str, name: str, code: Code) -> str | None:
    """What a task is for, by the words of its name and its path; its code is not read. None where they say nothing."""
    if name.lower().startswith("approval"):  # of deployment jobs (documentation: "Deployment jobs")
        return "approval"
    role = role_of_task((), name, code.path)
    told = role != OTHER or of.decides or kind in _WITHOUT_PYTHON or speaks_of_other_work(name, code.path)
    return role if told else None


def _decided(kind: str, role: str | None, block: dict[str, Any]) -> str | None:
    """The role of a task for those after it: whether a value that another task computed is a validation is decided in code."""
    if kind == "condition" and role == OTHER and any("tasks." in str(block.get(side)) for side in ("left", "right")):
        return None
    return role


def write_upstream(estate: Estate, jobs: Mapping[str, JobTasks]) -> None:
    """Write what comes before each task, in its own job and in those that start it."""
    works = {work.key: work for job in jobs.values() for work in job.work.values()}
    before: dict[str, list[TaskUpstream]] = {}
    for later, earlier, must_succeed in closure(graph(jobs)):
        if later in works and earlier in works:
            one = works[earlier]
            before.setdefault(later, []).append(
                TaskUpstream(
                    key=f"{later}/{earlier.removeprefix(later.rpartition('/')[0] + '/')}",
                    plane=DEPLOYED,
                    task=later,
                    upstream=earlier,
                    role=one.role,
                    must_succeed=must_succeed,
                    enforced=one.enforced,
                )
            )
    for key in works:
        with estate.facts.listing("task_upstream", plane=DEPLOYED, of=key):
            estate.facts.add(*before.get(key, ()))
