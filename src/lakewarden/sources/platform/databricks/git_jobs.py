"""The jobs that take their code from Git: the commit that the last run checked out is what is deployed."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.sources.platform.databricks.workloads import Workload
    from lakewarden.sources.platform.estate import Estate

PATH = "/api/2.2/jobs/runs/list"
_REMEMBERED = "git jobs"
#: "Runs are automatically removed after 60 days" (SDK, `jobs.get_run`).
KEPT = dt.timedelta(days=60)
#: Kinds of task that can take their code from a Git source (SDK, `JobSettings.git_source`).
_FROM_GIT = frozenset({"notebook_task", "spark_python_task", "dbt_task", "sql_task"})
#: So many runs that checked nothing out are enough to say that nothing tells.
_MOST = 60
_WHOLE = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.IGNORECASE)


class GitJob(NamedTuple):
    """A job with a Git source that at least one of its tasks takes code from; `created` in milliseconds."""

    job: Workload
    url: str | None
    commit: str | None
    created: int | None


class Ran(NamedTuple):
    """The commit that a job runs, where it was told, and why it is not known."""

    job: GitJob
    path: str
    commit: str | None
    problem: SourceError | None = None


def remember(estate: Estate, job: Workload, said: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Keep a job for `ran`, if a task of it takes its code from the job's Git source."""
    source = settings.get("git_source")
    if not isinstance(source, dict) or not source:
        return
    tasks = [task for task in settings.get("tasks") or () if isinstance(task, dict)]
    if said.get("has_more") is not True and not any(map(takes_git, tasks)):
        return
    commit, created = source.get("git_commit"), said.get("created_time")
    stated = commit if isinstance(commit, str) and _WHOLE.fullmatch(commit) else None
    url = source.get("git_url")
    kept: list[GitJob] = estate.kept.setdefault(_REMEMBERED, [])
    kept.append(GitJob(job, url or None, stated, created if isinstance(created, int) else None))


def takes_git(task: Mapping[str, Any]) -> bool:
    """Does a task of a job with a Git source take its code from there? (SDK, `Source`: GIT where nothing else is said.)"""
    inner = (task.get("for_each_task") or {}).get("task")
    if isinstance(inner, dict):
        return takes_git(inner)
    kinds = [name for name, value in task.items() if name.endswith("_task") and value is not None]
    for kind in _FROM_GIT.intersection(kinds):
        block = task[kind] if kind != "sql_task" else task[kind].get("file")
        return isinstance(block, dict) and (block.get("source") or "GIT") == "GIT"
    return not kinds  # an answer that tells no kind tells no exception


def ran(estate: Estate) -> Iterator[Ran]:
    """What each job with a Git source runs: the commit that its settings state, else that of the newest run which checked
    one out. A job that was created after the oldest run that is still kept, and that has no run, has deployed nothing yet.
    """
    remembered: list[GitJob] = estate.kept.get(_REMEMBERED, [])
    for one, answer in gather(lambda one: _runs(estate, one), sorted(remembered, key=lambda one: one.job.key)):
        path = f"{PATH}?job_id={one.job.number}"
        if one.commit is not None:
            yield Ran(one, f"/api/2.2/jobs/get?job_id={one.job.number}", one.commit)
            continue
        try:
            told = answer.get()
        except SourceError as problem:
            yield Ran(one, path, None, problem)
            continue
        if told.looked_at or not _is_young(one):
            why = None if told.commit is not None else _untold(one, ran=bool(told.looked_at))
            yield Ran(one, path, told.commit, why)


class _Told(NamedTuple):
    commit: str | None
    looked_at: int


def _runs(estate: Estate, one: GitJob) -> _Told:
    """The commit of the newest run that has one (SDK, `jobs.list_runs`: "in descending order by start time")."""
    looked_at = 0
    if one.commit is not None:
        return _Told(one.commit, looked_at)
    query = {"job_id": one.job.number, "limit": 20}
    for run in estate.api.pages(PATH, "runs", query, family="jobs", right=f"CAN_VIEW on job {one.job.number}"):
        looked_at += 1
        commit = _used(run)
        if commit is not None or looked_at == _MOST:
            return _Told(commit, looked_at)
    return _Told(None, looked_at)


def _used(run: Mapping[str, Any]) -> str | None:
    """The commit that a run checked out; a run that waits, or that failed to check out, has none."""
    commit = ((run.get("git_source") or {}).get("git_snapshot") or {}).get("used_commit")
    return commit if isinstance(commit, str) and commit else None


def _is_young(one: GitJob) -> bool:
    now = dt.datetime.now(tz=dt.timezone.utc).timestamp()
    return one.created is not None and now - one.created / 1000 < KEPT.total_seconds()


def _untold(one: GitJob, *, ran: bool) -> SourceError:
    name = one.job.name or one.job.number
    why = "its last runs checked no commit out" if ran else f"the platform keeps runs for {KEPT.days} days, and it has none"
    reason = f"nothing tells which commit job {name} ran from its Git source: {why}"
    return SourceError(Cause.UNRESOLVED.value, reason, "run it, or name a commit in git_source, or deploy it with a bundle")
