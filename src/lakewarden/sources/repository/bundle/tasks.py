"""The tasks of a job: code, role, parameters, libraries, and what comes before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.model.workloads import TaskParameter
from lakewarden.sources.repository.bundle.code import NO_CODE, Code, read_code, read_wheel
from lakewarden.sources.repository.bundle.constants import stays_constant
from lakewarden.sources.repository.bundle.libraries import of_cluster, of_dependencies, of_libraries, of_notebook, read_libraries
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.parameters import Parameter, block_parameters, launch_values, map_parameters
from lakewarden.sources.repository.bundle.upstream import (
    Edges,
    JobTasks,
    Work,
    depends_on,
    enforced,
    job_of_id,
    runs_job,
    starts_itself,
    upstream_role,
)
from lakewarden.sources.repository.bundle.variables import Kind, Problem, Value
from lakewarden.sources.repository.bundle.words import words_of
from lakewarden.sources.repository.bundle.workload import write_task
from lakewarden.sources.source import Launch
from lakewarden.sources.yaml_nodes import Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.bundle.names import Names
    from lakewarden.sources.repository.bundle.reader import Reader
    from lakewarden.sources.repository.bundle.requirements import Spec

_LISTS = ("task_params", "task_libraries", "task_upstream")
#: Each block that says what a task is, with its kind and the key of the path of its code.
_KINDS = {
    "notebook_task": ("notebook", "notebook_path"),
    "spark_python_task": ("python_file", "python_file"),
    "python_wheel_task": ("python_wheel", None),
    "sql_task": ("sql", "file"),
    "dbt_task": ("dbt", None),
    "pipeline_task": ("pipeline", None),
    "run_job_task": ("run_job", None),
    "condition_task": ("condition", None),
    "for_each_task": ("for_each", None),
    "gen_ai_compute_task": ("other", "training_script_path"),
}
#: The name of a parameter that holds the id of a model's deployment job.
_DEPLOYMENT_JOB = frozenset({"deployment", "job"})
#: Other blocks, of tasks that run no code or the code of their libraries.
_WITHOUT_CODE = frozenset(
    {"spark_jar_task", "dashboard_task", "alert_task", "power_bi_task", "dbt_cloud_task", "dbt_platform_task"}
)


class JobContext(NamedTuple):
    """What tasks take from their job. `git`: has it a git_source?"""

    key: str
    node: Map
    pointer: str
    git: bool | None
    parameters: list[Parameter]
    clusters: dict[str, Node]
    environments: dict[str, Node]
    variables: dict[str, Node]


def context_of(reader: Reader, key: str, job: Map, pointer: str, parameters: list[Parameter], *, git: bool | None) -> JobContext:
    """What the tasks of a job share: clusters, environments, environment variables."""
    shared: list[dict[str, Node]] = [
        {
            name.text: item
            for item in reader.maps(job.get(field), "task_params", "task_libraries", key=by)
            if isinstance(name := item.get(by), Scalar)
        }
        for field, by in (
            ("job_clusters", "job_cluster_key"),
            ("environments", "environment_key"),
            ("environment_variables", "environment_variables_key"),
        )
    ]
    return JobContext(key, job, pointer, git, parameters, *shared)


def read_tasks(reader: Reader, job: JobContext, names: Names) -> tuple[list[Code], JobTasks]:
    """Write the tasks of a job; returns their code, and what comes before what."""
    read: dict[str, Work] = {}
    edges: dict[str, Edges] = {}
    codes = []
    for at, node in enumerate(reader.maps(job.node.get("tasks"), "tasks", parent=job.key, key="task_key")):
        name = _name(reader, node, str(at))
        inner = _inner(reader, node, job)
        code = _task(reader, job, node, name, names, read, f"{job.pointer}.tasks.{name}")
        codes.append(code)
        depends = list(depends_on(reader, node, f"{job.key}/{name}"))
        run_if = reader.text(node.get("run_if"), "task_upstream", "ALL_SUCCESS")
        if inner is None:
            edges[name] = Edges(depends, run_if)
            continue
        # What depends on the loop depends on its task; the task of the loop waits for what the loop waits for.
        nested = _free(_name(reader, inner, f"{name}_iteration"), read)
        codes.append(_task(reader, job, inner, nested, names, read, f"{job.pointer}.tasks.{name}.for_each_task.task"))
        edges[nested] = Edges(depends, run_if)
        edges[name] = Edges([nested], "ALL_SUCCESS")
    return codes, JobTasks(read, edges, starts_itself(job.node))


def _task(reader: Reader, job: JobContext, node: Map, name: str, names: Names, read: dict[str, Work], pointer: str) -> Code:
    """Write one task with its parameters and libraries."""
    key = f"{job.key}/{name}"
    kind, field, block, code = _work(reader, job, node)
    retries = reader.number(node.get("max_retries"), "tasks", 0)
    role = write_task(reader, job.key, key, name, kind, code, node, retries)
    parameters = list(job.parameters)
    first = len(reader.facts.gaps)
    if block is not None:
        given: dict[str, Value] = {p.name: p.value for p in job.parameters}
        parameters += block_parameters(reader, block, key, f"{pointer}.{field}", given)
    parameters += _settings(reader, job, node, pointer)
    write_parameters(reader, key, parameters)
    note_launch(reader, first, code.real, parameters, "JOB")
    names.parameters([parameter for parameter in parameters if parameter.scope in ("task", "env")], role)
    names.settings([parameter for parameter in parameters if parameter.scope in ("env", "conf")])
    names.libraries(node.get("libraries"), f"{pointer}.libraries")
    read_libraries(reader, key, _libraries(reader, job, node, key, code))
    own = [parameter for parameter in parameters if parameter.scope == "task"]
    linked = [job_of_id(parameter.node) for parameter in own if words_of(parameter.name) >= _DEPLOYMENT_JOB]
    reader.deployment_jobs.update(name for name in linked if name is not None)
    runs = runs_job(block) if kind == "run_job" else None
    role_of = upstream_role(kind, role, block)
    read[name] = Work(key, role_of, node, enforced(parameters), runs, frozenset(p.name for p in own))
    return code


def note_launch(reader: Reader, first: int, path: str | None, parameters: list[Parameter], entity: str) -> None:
    """Tell later sources what a file of code is started with. `first` is the first gap that its parameters may have made."""
    if path is not None:
        whole = not any(gap.facts == "task_params" and not gap.value for gap in reader.facts.gaps[first:])
        launch = Launch(reader.key, reader.project, launch_values(parameters), entity, whole)
        reader.context.launches.setdefault(path, []).append(launch)


def write_parameters(reader: Reader, task: str, parameters: list[Parameter]) -> None:
    """Write the parameters of a task; of two with one name in one scope the later counts."""
    for parameter in {(p.scope, p.name): p for p in parameters}.values():
        holds_commit = parameter.holds_commit
        if holds_commit is None and stays_constant(reader.context.tree, parameter):
            holds_commit = False
        reader.facts.add(
            TaskParameter(
                key=f"{task}/{parameter.scope}/{parameter.name}",
                project=reader.project,
                task=task,
                holds_commit=holds_commit,
                origin=parameter.node.origin,
            )
        )


def _work(reader: Reader, job: JobContext, node: Map) -> tuple[str, str, Map | None, Code]:
    """What a task does: its kind, the field that says so with its block, its code."""
    for field, (kind, path_key) in _KINDS.items():
        block = reader.map(node.get(field), "tasks", parent=job.key)
        if block is None:
            continue
        if kind == "python_wheel":
            return kind, field, block, read_wheel(reader, block, "tasks", node)
        if path_key is None:
            return kind, field, block, NO_CODE
        path = block.get(path_key)
        source = block
        if kind == "sql":
            file = reader.map(path, "tasks")
            path = file.get("path") if file is not None else None
            source = file if file is not None else block
        if path is None or is_null(path):
            return kind, field, block, NO_CODE
        from_git = _from_git(reader, job, source)
        return kind, field, block, read_code(reader, path, "tasks", from_git=from_git, around=job.node)
    field, other = next(((field, value) for field, value in node.items.items() if field.endswith("_task")), ("", None))
    block = reader.map(other, "tasks", parent=job.key)
    if field in _WITHOUT_CODE:
        return "other", field, block, NO_CODE
    what = f"the code of a {field} is not read" if field else "the task does not say what it runs"
    reader.gap("tasks", Problem(Kind.BROKEN, what), node.origin)
    return "other", field, block, Code(None, None, None)


def _from_git(reader: Reader, job: JobContext, block: Map) -> bool | None:
    by_job = {True: "GIT", False: "WORKSPACE", None: None}[job.git]
    source = reader.text(block.get("source"), "tasks", by_job)
    return None if source is None else source.upper() == "GIT"


def _settings(reader: Reader, job: JobContext, node: Map, pointer: str) -> Iterator[Parameter]:
    """Environment variables and Spark settings of the cluster, and variables of the environment."""
    cluster, at = _cluster(reader, job, node, pointer)
    if cluster is not None:
        for field, scope in (("spark_env_vars", "env"), ("spark_conf", "conf")):
            settings = reader.map(cluster.get(field), "task_params")
            if settings is not None:
                yield from map_parameters(reader, settings, scope, f"{at}.{field}")
    for field, of_job in (("environment_variables_key", job.variables), ("environment_key", job.environments)):
        named = node.get(field)
        found = reader.map(of_job.get(named.text), "task_params") if isinstance(named, Scalar) else None
        spec = reader.map(found.get("spec"), "task_params") if found is not None else None
        for inner in ("variables", "environment_variables"):
            variables = reader.map(spec.get(inner), "task_params") if spec is not None else None
            if variables is not None:
                yield from map_parameters(reader, variables, "env", f"{job.pointer}.{field}.{inner}")


def _cluster(reader: Reader, job: JobContext, node: Map, pointer: str) -> tuple[Map | None, str]:
    """The cluster that is made for a task, its own or one of the job, with its key path."""
    own = reader.map(node.get("new_cluster"), "task_params")
    shared = node.get("job_cluster_key")
    if own is not None or not isinstance(shared, Scalar):
        return own, f"{pointer}.new_cluster"
    found = reader.map(job.clusters.get(reader.text(shared, "task_params") or ""), "task_params")
    cluster = reader.map(found.get("new_cluster"), "task_params") if found is not None else None
    return cluster, f"{job.pointer}.job_clusters.{shared.text}.new_cluster"


def _libraries(reader: Reader, job: JobContext, node: Map, task: str, code: Code) -> Iterator[Spec]:
    """All that a task installs: libraries, its environment, the newest runtime, what its notebook asks for."""
    yield from of_libraries(reader, node.get("libraries"), task)
    yield from _environment(reader, job, node, task)
    yield from of_cluster(reader, _cluster(reader, job, node, "")[0])
    yield from of_notebook(reader, code.real, task)


def _environment(reader: Reader, job: JobContext, node: Map, task: str) -> Iterator[Spec]:
    """What the environment of a task installs."""
    named = node.get("environment_key")
    if not isinstance(named, Scalar):
        return
    found = reader.map(job.environments.get(named.text), "task_libraries", parent=task)
    spec = reader.map(found.get("spec"), "task_libraries", parent=task) if found is not None else None
    if spec is not None:
        yield from of_dependencies(reader, spec.get("dependencies"), task)


def _name(reader: Reader, node: Map, otherwise: str) -> str:
    return reader.text(node.get("task_key"), "tasks", None) or otherwise


def _free(name: str, taken: dict[str, Work]) -> str:
    while name in taken:
        name = f"{name}_iteration"
    return name


def _inner(reader: Reader, node: Map, job: JobContext) -> Map | None:
    """The task inside a for_each task."""
    loop = reader.map(node.get("for_each_task"), "tasks", parent=job.key)
    return reader.map(loop.get("task"), "tasks", parent=job.key) if loop is not None else None
