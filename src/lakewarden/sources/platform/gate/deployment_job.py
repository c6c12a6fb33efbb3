"""The run of a version's deployment job: its validating tasks, how they ended, and whether they could stop the deployment.

Source: MLflow's protocol for models in Unity Catalog (`deployment_job_state` of a version) and `jobs.get_run`; only a job run
whose parameters name this model and this version counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.sources.platform.databricks.jobs_api import job_run_of
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.gate.records import of_millis, told_by_mlflow, unresolved
from lakewarden.sources.repository.bundle.roles import role_of_task
from lakewarden.sources.repository.bundle.upstream import Edges, closure

if TYPE_CHECKING:
    import datetime as dt

    from lakewarden.facts.fact import Fact
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

#: Tasks that act on the version once it was validated.
_LATER = frozenset({"approval", "deployment"})
#: Values of `run_mode` that let validation pass whatever it finds.
_OFF = frozenset({"dry_run", "dryrun", "disabled"})
_NAME, _NUMBER, _MODE = "model_name", "model_version", "run_mode"
_OVERRIDDEN = "overridden run_mode"
_BAD = frozenset({"FAILED", "TIMEDOUT", "CANCELED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "UPSTREAM_FAILED", "UPSTREAM_CANCELED"})
_AGAIN = "let the deployment job run to its end, then run the gate again"


class Ran(NamedTuple):
    """One validating task of the job run; `reason` and `remedy` explain what is None."""

    run: str
    task: str
    enforced: bool | None
    passed: bool | None
    started: dt.datetime | None
    origin: Origin
    reason: str
    remedy: str


def ran_for(estate: Estate, version: Fact) -> list[Ran]:
    """The validating tasks of the job run that the registry names; none where it names no job run.

    Raises a SourceError where it cannot be read, or is about another version.
    """
    state = told_by_mlflow(estate, version.key).get("deployment_job_state")
    number = state.get("run_id") if isinstance(state, dict) else None
    if not number:
        return []
    run = job_run_of(estate, number)
    origin = estate.at(f"/api/2.2/jobs/runs/get?run_id={number}")
    parameters = _parameters(run)
    name, said = asked_of(estate).name, version.key.rpartition("/")[2]
    told = parameters.get(_NAME, "").lower(), parameters.get(_NUMBER)
    of_job = str(run.get("job_id")) == str(state["job_id"]) if isinstance(state, dict) and state.get("job_id") else True
    if told != (name, said) or not of_job:
        reason = f"job run {number}, which the registry names as the deployment of {version.key}, is about another version"
        raise unresolved(reason, f"let the deployment job run with {_NAME} and {_NUMBER} of this version")
    tasks = _last_tries(run)
    edges = {
        key: Edges([str(edge.get("task_key")) for edge in one.get("depends_on") or ()], str(one.get("run_if") or "ALL_SUCCESS"))
        for key, one in tasks.items()
    }
    roles = {key: _role(key, one) for key, one in tasks.items()}
    stopping: dict[str, list[bool | None]] = {}
    for later, earlier, must_succeed in closure(edges):
        if roles[later] in _LATER:
            stopping.setdefault(earlier, []).append(must_succeed)
    return [
        _ran(str(number), key, one, parameters, stopping.get(key, ()), any(role in _LATER for role in roles.values()), origin)
        for key, one in tasks.items()
        if roles[key] == "validation"
    ]


def _ran(
    number: str,
    key: str,
    task: dict[str, Any],
    parameters: dict[str, str],
    stopping: Any,
    is_deploying: bool,
    origin: Origin,
) -> Ran:
    mode = _mode(task, parameters)
    enforced: bool | None = None
    if mode is not None and (True in stopping or is_deploying):
        enforced = mode not in _OFF and True in stopping
    said = str((task.get("state") or {}).get("result_state") or "")
    passed = True if said == "SUCCESS" else False if said in _BAD else None
    reason, remedy = f"task {key} of job run {number} has no result that decides: {said or 'it has not ended'}", _AGAIN
    if passed is not None and mode is None:
        reason, remedy = f"what {_MODE} of task {key} of job run {number} was is not told", f"give {_MODE} a value in the job"
    elif passed is not None:
        reason = f"no task of job run {number} approves or deploys, so nobody can tell what task {key} could have stopped"
        remedy = "name the tasks of the deployment job after what they do: evaluation, approval, deployment"
    return Ran(number, key, enforced, passed, of_millis(task.get("start_time")), origin, reason, remedy)


def _mode(task: dict[str, Any], parameters: dict[str, str]) -> str | None:
    """The `run_mode` of a task: its own, that of its job run, or none; None where another task computed it."""
    own = str(((task.get("notebook_task") or {}).get("base_parameters") or {}).get(_MODE, ""))
    if "{{" in own and f"job.parameters.{_MODE}" not in own.replace(" ", ""):
        return None
    said = parameters.get(_OVERRIDDEN) or (parameters.get(_MODE, "") if not own or "{{" in own else own)
    return said.strip().casefold().replace("-", "_")


def _role(key: str, task: dict[str, Any]) -> str:
    """What a task is for, by the words of its name and the path of its code."""
    if key.lower().startswith("approval"):
        return "approval"
    path = (task.get("notebook_task") or {}).get("notebook_path") or (task.get("spark_python_task") or {}).get("python_file")
    return role_of_task((), key, path if isinstance(path, str) else None)


def _parameters(run: dict[str, Any]) -> dict[str, str]:
    """The parameters of a job run; those by which old jobs are overridden stand under a name of their own."""
    found = {
        str(one.get("name")): str(one["value"] if "value" in one else one.get("default"))
        for one in run.get("job_parameters") or ()
    }
    old = (run.get("overriding_parameters") or {}).get("notebook_params") or {}
    if _MODE in old:
        found[_OVERRIDDEN] = str(old[_MODE])
    return found


def _last_tries(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tasks of a job run by name: of one that was tried again, or repaired, the last try."""
    found: dict[str, dict[str, Any]] = {}
    for task in run.get("tasks") or ():
        key = str(task.get("task_key"))
        if key not in found or _try(task) >= _try(found[key]):
            found[key] = task
    return found


def _try(task: dict[str, Any]) -> tuple[int, int]:
    return int(task.get("attempt_number") or 0), int(task.get("start_time") or 0)
