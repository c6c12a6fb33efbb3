"""Which task comes before which, over any number of edges and jobs, and whether its failure stops what comes later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lakewarden.facts.model.workloads import TaskUpstream
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.variables import Kind, Problem
from lakewarden.sources.yaml_nodes import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.sources.repository.bundle.parameters import Parameter
    from lakewarden.sources.repository.bundle.reader import Reader
    from lakewarden.sources.yaml_nodes import Node

_JOB_ID = re.compile(r"\$\{resources\.jobs\.([\w-]+)\.id\}")
#: What starts a job without another job.
_TRIGGERS = ("schedule", "trigger", "continuous")
#: Values of `run_mode` that let validation pass whatever it finds.
_OFF = frozenset({"dry_run", "disabled"})
#: Conditions under which a task does not run when one that it depends on has failed.
_STOPPING = frozenset({"ALL_SUCCESS", "NONE_FAILED"})


class Edges(NamedTuple):
    """What one task depends on, and `run_if`, its condition; None where that cannot be told."""

    upstream: Sequence[str]
    run_if: str | None


class Work(NamedTuple):
    """What comes before a task, or after it. `role` is None where it is decided when the job runs; `enforced` FALSE where a
    parameter switches validation off; `runs` the job that the task starts; `parameters` the names of its own parameters.
    """

    key: str
    role: str | None
    node: Map
    enforced: bool | None
    runs: str | None
    parameters: frozenset[str] = frozenset()


class JobTasks(NamedTuple):
    """The tasks of a job by name with their edges, and whether the job starts by itself."""

    work: Mapping[str, Work]
    edges: Mapping[str, Edges]
    starts_itself: bool


def depends_on(reader: Reader, node: Map, key: str) -> Iterator[str]:
    """The names of the tasks that a task waits for."""
    for item in reader.items(node.get("depends_on"), "task_upstream", parent=key):
        name = item.get("task_key") if isinstance(item, Map) else item
        text = reader.text(name, "task_upstream", None) if name is not None else None
        if text is not None:
            yield text
        elif name is not None:
            problem = Problem(Kind.UNSET, "the task that it depends on is not known")
            reader.gap("task_upstream", problem, name.origin, parent=key, value=False)


def upstream_role(kind: str, role: str, block: Map | None) -> str | None:
    """The role of a task for those that come after it: whether a value that another task computed is a validation is decided
    in code.
    """
    if kind != "condition" or role != "other" or block is None:
        return role
    sides = [side.text for side in (block.get("left"), block.get("right")) if isinstance(side, Scalar)]
    return None if any("{{" in side and "tasks." in side for side in sides) else role


def enforced(parameters: Sequence[Parameter]) -> bool | None:
    """FALSE where a parameter switches validation off."""
    modes = [p.value.text for p in parameters if p.name == "run_mode" and p.scope in ("task", "job")]
    if None in modes:
        return None
    return not any(mode is not None and mode.strip().lower() in _OFF for mode in modes)


def runs_job(block: Map | None) -> str | None:
    """The job of the bundle that a `run_job_task` starts."""
    return job_of_id(block.get("job_id")) if block is not None else None


def job_of_id(node: Node | None) -> str | None:
    """The job of the bundle whose id a value is."""
    found = _JOB_ID.fullmatch(node.text.strip()) if isinstance(node, Scalar) else None
    return found[1] if found is not None else None


def starts_itself(job: Map) -> bool:
    """Has a job a schedule or a trigger?"""
    return any(not is_null(job.get(field)) for field in _TRIGGERS)


def write_upstream(reader: Reader, jobs: Mapping[str, JobTasks]) -> None:
    """Write what comes before each task of the target, in its own job and in those that start it."""
    works = {work.key: (job, work) for job, tasks in jobs.items() for work in tasks.work.values()}
    for later_key, before_key, must_succeed in closure(graph(jobs)):
        if later_key not in works or before_key not in works:
            continue
        (job, later), (other, before) = works[later_key], works[before_key]
        name = before.key.removeprefix(f"{reader.key}/jobs.{job}/" if job == other else f"{reader.key}/")
        if before.role is None:
            reason = "what the condition compares is decided when the job runs"
            reader.gap("task_upstream", Problem(Kind.RUN, reason), before.node.origin)
        reader.facts.add(
            TaskUpstream(
                key=f"{later.key}/{name}",
                project=reader.project,
                task=later.key,
                upstream=before.key,
                role=before.role,
                must_succeed=must_succeed,
                enforced=before.enforced,
                origin=later.node.origin,
            )
        )


class OneWork(Protocol):
    """A task by its key, and the job that it starts."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def runs(self) -> str | None: ...  # noqa: D102


class OneJob(Protocol):
    """The tasks of a job by name with their edges, and whether the job starts by itself."""

    @property
    def work(self) -> Mapping[str, OneWork]: ...  # noqa: D102
    @property
    def edges(self) -> Mapping[str, Edges]: ...  # noqa: D102
    @property
    def starts_itself(self) -> bool: ...  # noqa: D102


def graph(jobs: Mapping[str, OneJob]) -> dict[str, Edges]:
    """The edges of all jobs by the keys of tasks. A task that starts a job ends when the last tasks of that do; the first
    tasks of a job that nothing else starts wait for what the task waits for.
    """
    found: dict[str, Edges] = {}
    for tasks in jobs.values():
        for name, edges in tasks.edges.items():
            upstream = [tasks.work[other].key for other in edges.upstream if other in tasks.work]
            found[tasks.work[name].key] = Edges(upstream, edges.run_if)
    starts: dict[str, list[str]] = {}
    for tasks in jobs.values():
        for work in tasks.work.values():
            if work.runs is not None and work.runs in jobs:
                start = f"{work.key}#start"
                awaited = {other for edges in jobs[work.runs].edges.values() for other in edges.upstream}
                last = [one.key for name, one in jobs[work.runs].work.items() if name not in awaited]
                found[start], found[work.key] = found[work.key], Edges([start, *last], "ALL_SUCCESS")
                starts.setdefault(work.runs, []).append(start)
    for job, by in starts.items():
        tasks = jobs[job]
        for name, edges in tasks.edges.items():
            if len(by) == 1 and not tasks.starts_itself and not edges.upstream:
                key = tasks.work[name].key
                found[f"{key}#start" if f"{key}#start" in found else key] = Edges(by, "ALL_SUCCESS")
    return found


def closure(edges: Mapping[str, Edges]) -> Iterator[tuple[str, str, bool | None]]:
    """Task, upstream task, and whether the failure of the upstream task keeps the task from running.

    It does where on one way between them every task waits for success.
    """
    for task in edges:
        reached = _reach(edges, task, frozenset())
        stopping = _reach(edges, task, _STOPPING)
        perhaps = _reach(edges, task, _STOPPING | {None})
        for upstream in reached:
            if upstream != task:
                yield task, upstream, True if upstream in stopping else None if upstream in perhaps else False


def _reach(edges: Mapping[str, Edges], task: str, conditions: frozenset[str | None]) -> dict[str, None]:
    """What comes before a task over tasks with one of these conditions, or with any."""
    found: dict[str, None] = {}
    todo = [task]
    while todo:
        at = edges[todo.pop()]
        if conditions and at.run_if not in conditions:
            continue
        for upstream in at.upstream:
            if upstream in edges and upstream not in found:
                found[upstream] = None
                todo.append(upstream)
    return found
