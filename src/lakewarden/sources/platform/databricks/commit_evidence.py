"""The commit of a run: rungs of evidence, each looked at, strongest first; and what was captured of them before.

A platform's own record (`git-snapshot`, `deployment-record`) cannot be edited; a file of the deployment can be by who edits
its folder; launch parameters are as the job run was started; tags are set by anybody who edits the run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.live import CommitEvidence
from lakewarden.sources.platform.databricks.bundles import at, metadata_of
from lakewarden.sources.platform.databricks.git_jobs import takes_git
from lakewarden.sources.platform.databricks.launch import commits_of_launch, tasks_of
from lakewarden.sources.platform.estate import DEPLOYED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.databricks.job_runs import Told
    from lakewarden.sources.platform.estate import Estate

RUNGS = ("git-snapshot", "deployment-record", "deployment-metadata", "launch-parameters")
#: What a signed statement says that was made while the others could be seen.
CAPTURED = "captured-statement"
_OF_TAGS = "run-tags"
_TAGS = ("mlflow.databricks.gitRepoCommit", "mlflow.source.git.commit")
_DIRTY = "mlflow.source.git.dirty"
_WHOLE = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Found(NamedTuple):
    """A commit that a rung names, and whether the working tree was changed; None where nobody recorded it."""

    commit: str
    dirty: bool | None = None


class Gone(NamedTuple):
    """A job run that cannot be looked at any more, and of which a statement holds what it showed."""


def write_evidence(
    estate: Estate,
    run: str,
    tags: Iterable[dict[str, str]],
    job: Told | SourceError | Gone | None,
    origin: Origin | None,
    captured: Sequence[tuple[str, Found]] | None = None,
) -> None:
    """Write all rungs of a run. `tags` are those of the run and of its logged model, `job` its job run, the reason why that
    cannot be seen, or None for a run outside jobs. `captured` are the commits of signed statements, each with the rung that it
    rested on, None where there is no statement: one that rests on tags is no more than they are.

    Raises the first problem, after all that could be seen was written.
    """
    rungs = () if isinstance(job, Gone) else RUNGS
    problems = [problem for rung in rungs if (problem := _look(estate, run, rung, job, origin)) is not None]
    before = captured or ()
    weak = [found for rung, found in before if rung == _OF_TAGS]
    _write(estate, run, _OF_TAGS, [*(found for one in tags for found in _of_tags(one)), *weak], origin)
    if captured is not None:
        _write(estate, run, CAPTURED, [found for rung, found in before if rung != _OF_TAGS], origin)
    if problems:
        raise problems[0]


def _look(
    estate: Estate, run: str, rung: str, job: Told | SourceError | Gone | None, origin: Origin | None
) -> SourceError | None:
    """Write what one rung of a job run says; gives the reason where that could not be read."""
    if isinstance(job, SourceError):
        return job
    try:
        place, found = (origin, []) if job is None or isinstance(job, Gone) else _LOOK[rung](estate, job)
    except SourceError as problem:
        return problem
    _write(estate, run, rung, found, place)
    return None


def _write(estate: Estate, run: str, rung: str, found: list[Found], origin: Origin | None) -> None:
    """One row for each commit that the rung names; a rung that names two contradicts itself."""
    kept: dict[str, Found] = {}
    for one in found:
        known = kept.get(one.commit.lower())
        if known is None or one.dirty:
            kept[one.commit.lower()] = one
    for number, (commit, one) in enumerate(kept.items() or (("none", Found("none")),)):
        key = f"{run}/{rung}" if number == 0 else f"{run}/{rung}/{number}"
        whole = commit == "none" or _WHOLE.fullmatch(commit) is not None
        if not whole:
            reason = f"{rung} of {run} names {one.commit}, which is no whole commit id"
            estate.unexplained("commit_evidence", key, reason, "record all 40 digits of the commit", origin)
        estate.facts.add(
            CommitEvidence(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                run=run,
                rung=rung,
                commit=commit if whole else None,
                commit_key=commit if commit == "none" else f"@{commit}" if whole else None,
                dirty=one.dirty,
            )
        )


def _of_tags(tags: dict[str, str]) -> list[Found]:
    said = tags.get(_DIRTY, "").lower()
    dirty = {"true": True, "false": False}.get(said)
    return [Found(tags[name], dirty) for name in _TAGS if tags.get(name)]


def _git_snapshot(estate: Estate, job: Told) -> tuple[Origin, list[Found]]:
    """The commit that the platform checked out, for tasks whose code comes from Git; it is never changed there."""
    origin = estate.at(f"/api/2.2/jobs/runs/get?run_id={job.number}")
    found: list[Found] = []
    others = False
    for task in tasks_of(job) or [{}]:
        source = task.get("git_source") or job.run.get("git_source") or {}
        commit = (source.get("git_snapshot") or {}).get("used_commit")
        if commit and takes_git(task):
            found.append(Found(str(commit), dirty=False))
        else:
            others = True
    if found and others:
        reason = f"job run {job.number} has tasks from Git and others, and which of them trained is not known"
        raise SourceError(Cause.UNRESOLVED.value, reason, "train in a job of its own")
    return origin, found


def _deployment_record(estate: Estate, job: Told) -> tuple[Origin | None, list[Found]]:
    """What the platform recorded of the deployment that made the job (SDK, `Run.deployment_id`, `Run.version_id`)."""
    deployment, version = job.run.get("deployment_id"), job.run.get("version_id")
    if not deployment or not version:
        return estate.at(f"/api/2.2/jobs/runs/get?run_id={job.number}"), []
    path = f"/api/2.0/bundle/deployments/{deployment}/versions/{version}"
    said = estate.api.get(path, family="bundle", right="CAN_VIEW on the bundle's deployment")
    commit = (said.get("git_info") or {}).get("commit")
    return estate.at(path), [Found(str(commit))] if commit else []


def _deployment_metadata(estate: Estate, job: Told) -> tuple[Origin | None, list[Found]]:
    """The file that a bundle leaves in the workspace. Each deployment overwrites it: it says nothing of earlier runs."""
    if job.problem is not None:
        raise job.problem
    deployment = ((job.job or {}).get("settings") or {}).get("deployment") or {}
    path = deployment.get("metadata_file_path")
    if not path:
        return estate.at(f"/api/2.2/jobs/runs/get?run_id={job.number}"), []
    right = f"CAN_READ on {path}"
    status = estate.api.get("/api/2.0/workspace/get-status", {"path": path}, family="workspace-files", right=right)
    origin = at(estate, path)
    written, started = status.get("modified_at"), job.run.get("start_time")
    if not isinstance(written, int) or not isinstance(started, int):
        raise SourceError(Cause.FAILED.value, f"{path} and job run {job.number} cannot be compared: a time is missing", "")
    if written > started:
        return origin, []
    commit = metadata_of(estate, path).commit
    return origin, [Found(commit)] if commit else []


def _launch_parameters(estate: Estate, job: Told) -> tuple[Origin, list[Found]]:
    found = [Found(commit, dirty) for commit, dirty in commits_of_launch(job)]
    return estate.at(f"/api/2.2/jobs/runs/get?run_id={job.number}"), found


_LOOK = {
    "git-snapshot": _git_snapshot,
    "deployment-record": _deployment_record,
    "deployment-metadata": _deployment_metadata,
    "launch-parameters": _launch_parameters,
}
