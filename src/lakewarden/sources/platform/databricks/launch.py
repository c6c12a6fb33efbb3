"""What a job run was launched with: parameters and environment variables, where they name a commit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.platform.databricks.job_runs import Told

#: Parameters that may hold a commit. A digest of a file is as long as a commit, so that the name has to speak of one.
_NAMES = re.compile(r"(?:^|[_.\-])(?:git|commit|sha|revision|rev)(?:$|[_.\-])|commit|git_source_info", re.IGNORECASE)
_COMMIT = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})(?![0-9a-zA-Z])")
#: MLflow takes the tags of every run from this variable.
_CONTEXT = "MLFLOW_RUN_CONTEXT"
_TAG, _DIRTY = "mlflow.source.git.commit", "mlflow.source.git.dirty"
_FLAG = re.compile(r"--?([\w.\-]+)(?:=(.*))?", re.DOTALL)


def tasks_of(job: Told) -> list[dict[str, Any]]:
    """The task that the number asked for is a run of, else all tasks of the job run that run code."""
    tasks = [task for task in job.run.get("tasks") or () if isinstance(task, dict)]
    own = [task for task in tasks if job.asked != job.number and str(task.get("run_id")) == job.asked]
    return own or [task for task in tasks if not task.get("condition_task") and not task.get("run_job_task")]


def commits_of_launch(job: Told) -> list[tuple[str, bool | None]]:
    """Each commit that the launch names, with whether it says that the working tree was changed."""
    found: list[tuple[str, bool | None]] = []
    for one in job.run.get("job_parameters") or ():
        found += _named(one.get("name"), one.get("value", one.get("default")))
    for task in tasks_of(job):
        for name, value in _parameters(task):
            found += _named(name, value)
        for variables in _environments(job, task):
            found += _context(variables.get(_CONTEXT))
            for name, value in variables.items():
                if name != _CONTEXT:
                    found += _named(name, value)
    return list(dict.fromkeys(found))


def _named(name: Any, value: Any) -> list[tuple[str, bool | None]]:
    if not isinstance(name, str) or not isinstance(value, str) or _NAMES.search(name) is None:
        return []
    return [(commit.lower(), None) for commit in _COMMIT.findall(value)]


def _parameters(task: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    yield from ((task.get("notebook_task") or {}).get("base_parameters") or {}).items()
    wheel = task.get("python_wheel_task") or {}
    yield from (wheel.get("named_parameters") or {}).items()
    for kind in ("spark_python_task", "python_wheel_task"):
        yield from _flags((task.get(kind) or {}).get("parameters") or [])


def _flags(words: list[Any]) -> Iterator[tuple[str, str]]:
    """`--git-commit=…` and `--git-commit …`."""
    for at, word in enumerate(words):
        flag = _FLAG.fullmatch(str(word))
        if flag is not None:
            following = str(words[at + 1]) if at + 1 < len(words) else ""
            yield flag[1], flag[2] if flag[2] is not None else following


def _environments(job: Told, task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The variables that a task ran with: of its cluster, of the job's cluster that it names, of the entry that it names."""
    clusters = {one.get("job_cluster_key"): one.get("new_cluster") for one in job.run.get("job_clusters") or ()}
    for cluster in (task.get("new_cluster"), clusters.get(task.get("job_cluster_key")) if task.get("job_cluster_key") else None):
        yield from _of(cluster, "spark_env_vars")
    key = task.get("environment_variables_key")
    for one in job.run.get("environment_variables") or ():
        if key is not None and one.get("environment_variables_key") == key:
            yield from _of(one.get("spec"), "variables")


def _of(holder: Any, field: str) -> Iterator[dict[str, Any]]:
    if isinstance(holder, dict) and isinstance(holder.get(field), dict):
        yield holder[field]


def _context(text: Any) -> list[tuple[str, bool | None]]:
    """The commit in the JSON of `MLFLOW_RUN_CONTEXT`."""
    try:
        said = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return []
    commit = said.get(_TAG) if isinstance(said, dict) else None
    if not isinstance(commit, str) or not commit:
        return []
    return [(commit.lower(), {"true": True, "false": False}.get(str(said.get(_DIRTY, "")).lower()))]
