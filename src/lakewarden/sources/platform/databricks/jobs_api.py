"""Single jobs and job runs, each asked for once in a run: answers whose own lists come in pages are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.wire.errors import Failed, Missing, Truncated, WireError

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

_JOBS = "/api/2.2/jobs"
#: Lists of a job's settings and of a run that come 100 at a time (SDK, `jobs.get` and `jobs.get_run`).
_OF_JOB = ("tasks", "job_clusters", "parameters", "environments")
_OF_RUN = ("tasks", "job_clusters", "job_parameters", "repair_history", "iterations")
_PAGES = 1000


def job_of(estate: Estate, number: object) -> dict[str, Any]:
    """A job with all its tasks. Raises a SourceError; a job that is gone is `Missing`."""
    return once(estate, f"job {number}", lambda: _whole(estate, f"{_JOBS}/get", "job_id", number))


def job_run_of(estate: Estate, number: object) -> dict[str, Any]:
    """A job run, or the run of one of its tasks. Raises a SourceError; a run that is gone is `Missing`."""
    return once(estate, f"job run {number}", lambda: _whole(estate, f"{_JOBS}/runs/get", "run_id", number))


def _whole(estate: Estate, path: str, name: str, number: object) -> dict[str, Any]:
    of_run = name == "run_id"
    found: dict[str, Any] = {}
    token: str | None = None
    seen: set[str] = set()
    for _ in range(_PAGES):
        page = _ask(estate, path, {name: number, "page_token": token}, f"CAN_VIEW on the job of {name} {number}")
        here = page if of_run else page.get("settings") or {}
        if not found:
            found = page
        else:
            into = found if of_run else found["settings"]
            for field in _OF_RUN if of_run else _OF_JOB:
                if here.get(field):
                    into[field] = [*(into.get(field) or ()), *here[field]]
        token = page.get("next_page_token")
        if not token:
            return found
        if token in seen:
            break
        seen.add(token)
    raise Truncated(f"{path} of {number} on {estate.workspace} does not end", "run again")


def _ask(estate: Estate, path: str, query: dict[str, Any], right: str) -> dict[str, Any]:
    try:
        return estate.api.get(path, query, family="jobs-runs-get", right=right)
    except Failed as problem:
        # Of a job or a run that is gone this API says that the parameter is invalid (SDK, `_mapping` of errors by message).
        if problem.status == 400 and "does not exist" in problem.said:  # noqa: PLR2004 (HTTP)
            raise _missing(problem) from problem
        raise


def _missing(problem: WireError) -> Missing:
    return Missing(problem.reason, problem.remedy, status=problem.status, code=problem.code, said=problem.said)
