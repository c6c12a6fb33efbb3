"""The job run behind a run of MLflow: tags name it, the Jobs API confirms it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.workloads import JobRun
from lakewarden.sources.platform.databricks.git_jobs import KEPT
from lakewarden.sources.platform.databricks.jobs_api import job_of, job_run_of
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.wire.errors import Missing

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

JOB_RUN_ID, JOB_ID, USER = "mlflow.databricks.jobRunID", "mlflow.databricks.jobID", "mlflow.user"
#: Clocks of a cluster and of the control plane differ.
_SLACK = 10 * 60 * 1000


class Told(NamedTuple):
    """A job run with its job: `asked` is the number that was asked for, which may be a task's; `job` is None where it is
    gone, hidden or was never there.
    """

    asked: str
    run: dict[str, Any]
    job: dict[str, Any] | None
    problem: SourceError | None = None

    @property
    def number(self) -> str:
        """The id of the job run."""
        return str(self.run.get("run_id"))


def told_of(estate: Estate, number: str, started: int | None) -> Told:
    """The job run by the number that a tag names. `started` is when the run of MLflow started, in milliseconds.

    Raises a SourceError: `expired` where the platform has removed the run.
    """
    try:
        run = job_run_of(estate, number)
        whole = run.get("job_run_id")
        if whole and str(whole) != str(run.get("run_id")):
            run = job_run_of(estate, whole)
    except Missing as problem:
        raise _gone(number, problem, started) from problem
    if not run.get("job_id") or run.get("run_type") == "SUBMIT_RUN":
        return Told(number, run, None)
    try:
        return Told(number, run, job_of(estate, run["job_id"]))
    except SourceError as problem:
        return Told(number, run, None, problem)


def _gone(number: str, problem: Missing, started: int | None) -> SourceError:
    age = None if started is None else dt.datetime.now(tz=dt.timezone.utc).timestamp() - started / 1000
    if age is None or age < KEPT.total_seconds():
        return problem
    reason = f"job run {number} was removed: the platform keeps job runs for {KEPT.days} days"
    return SourceError(Cause.EXPIRED.value, reason, "retrain, and keep the evidence when the version is promoted")


def confirm(told: Told, tags: dict[str, str], started: int | None) -> None:
    """Raise a SourceError where the job run cannot be the one of this run: tags can be set by whoever edits the run."""
    begun, ended = told.run.get("start_time"), told.run.get("end_time")
    job = tags.get(JOB_ID)
    wrong = ""
    if job is not None and str(told.run.get("job_id")) != job:
        wrong = f"belongs to job {told.run.get('job_id')}, not to job {job}"
    elif started is None or begun is None:
        wrong = "cannot be compared with it, since one has no start"
    elif started < begun - _SLACK or (ended and started > ended + _SLACK):
        wrong = "was not running when it started"
    if wrong:
        raise SourceError(
            Cause.TOO_WEAK.value,
            f"tags name job run {told.number}, which {wrong}",
            "tags can be edited: train again in a deployed job",
        )


def write_job_run(estate: Estate, told: Told, tags: dict[str, str]) -> None:
    """Write the job run, once."""
    key, run = job_run_key(estate, told), told.run
    if not estate.first("job_runs", key):
        return
    origin = estate.at(f"/api/2.2/jobs/runs/get?run_id={told.number}")
    if told.problem is not None:
        reason = f"the job of run {told.number} cannot be read: {told.problem.reason}"
        estate.unexplained("job_runs", key, reason, told.problem.remedy, origin)
    managed = managed_by(told)
    if managed is None and told.problem is None:
        reason = f"job {run.get('job_id')} says neither that a bundle nor that Git manages it; Terraform leaves no mark"
        estate.unexplained("job_runs", key, reason, "deploy the job with a bundle", origin)
    estate.facts.add(
        JobRun(
            key=key,
            plane=DEPLOYED,
            origin=origin,
            run_type=run.get("run_type"),
            result_state=_result(run),
            run_as_kind=_run_as_kind(estate, told, tags, key),
            managed_by=managed,
            overridden=_overridden(run),
            job=f"{estate.workspace}#{run['job_id']}" if run.get("job_id") else "none",
        )
    )


def job_run_key(estate: Estate, told: Told) -> str:
    """The key of a job run."""
    return f"{estate.workspace}/{told.number}"


def managed_by(told: Told) -> str | None:
    """Who manages the job of a run; None where nothing says so."""
    if told.run.get("run_type") == "SUBMIT_RUN":
        return "manual"
    if told.job is None:
        return None
    settings = told.job.get("settings") or {}
    kind = (settings.get("deployment") or {}).get("kind")
    if kind in ("BUNDLE", "SYSTEM_MANAGED"):
        return "bundle" if kind == "BUNDLE" else "system"
    if kind is None and settings.get("git_source"):
        return "git_job"
    # Terraform leaves no mark: what a person made is made by hand, what a service principal made may come from anywhere.
    return "manual" if kind is None and named(told.job.get("creator_user_name")).kind == "user" else None


def _result(run: dict[str, Any]) -> str | None:
    state, status = run.get("state") or {}, run.get("status") or {}
    if state.get("result_state"):
        return str(state["result_state"])
    # A run that goes on has no result yet.
    said = (status.get("termination_details") or {}).get("code") or state.get("life_cycle_state") or status.get("state")
    return None if said is None else str(said)


def _run_as_kind(estate: Estate, told: Told, tags: dict[str, str], key: str) -> str | None:
    """Who it ran as: what the job says, as long as the user of the run of MLflow, which cannot be set later, is of that kind."""
    said = None if told.job is None else named(told.job.get("run_as_user_name")).kind
    if told.run.get("run_type") == "SUBMIT_RUN":
        said = named(told.run.get("creator_user_name")).kind
    user = named(tags.get(USER)).kind
    if said is not None and user not in (None, "group", said):
        reason = f"job run {told.number} is of a job that runs as a {said}, and its run of MLflow is of a {user}"
        estate.unexplained("job_runs", key, reason, "the job was changed since: train again", None)
        return None
    return said


def _overridden(run: dict[str, Any]) -> bool:
    """Was it started with other parameters than those of its job?"""
    if any(run.get("overriding_parameters") or ()):
        return True
    return any(
        "value" in one and one["value"] != one.get("default") and "{{" not in str(one.get("default"))
        for one in run.get("job_parameters") or ()
    )
