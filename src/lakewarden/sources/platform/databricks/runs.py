"""Runs of MLflow behind versions that are in use: parameters, metrics, data, the job run and the commit.

Each run is read in the workspace that holds it, after all workspaces of the audit were read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.estate.apart import READ_IT_TOO, outside
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.tracking import Run
from lakewarden.sources.platform.databricks.captured import (
    READ,
    Believed,
    believed,
    commits_of,
    stand_in,
    told_too,
    write_captured_job_run,
)
from lakewarden.sources.platform.databricks.commit_evidence import Gone, write_evidence
from lakewarden.sources.platform.databricks.experiments import experiment_key
from lakewarden.sources.platform.databricks.job_runs import JOB_RUN_ID, Told, confirm, job_run_key, told_of, write_job_run
from lakewarden.sources.platform.databricks.run_inputs import write_inputs
from lakewarden.sources.platform.databricks.uses import NOT_IN_USE, is_used, uses
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

_MLFLOW = "/api/2.0/mlflow"
_FAMILY = "mlflow-tracking"
_SOURCE_TYPE = "mlflow.source.type"


class RunRead(NamedTuple):
    """A run with the models that it logged, whose parameters, metrics and tags count as its own, and its job run."""

    data: dict[str, Any]
    models: list[dict[str, Any]]
    lost: SourceError | None
    job: Told | SourceError | None

    @property
    def info(self) -> dict[str, Any]:
        """What the server keeps of the run."""
        return self.data.get("info") or {}

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return _tags((self.data.get("data") or {}).get("tags"))


def collect(estate: Estate) -> None:
    """Read the run behind each version that an alias or an endpoint names."""
    estate.facts.otherwise(Gap(Cause.NOT_ASKED, "runs", NOT_IN_USE.format("runs"), plane=DEPLOYED))
    behind = _behind(estate)
    for (key, versions), answer in gather(lambda one: _read(estate, one[0].rpartition("/")[2]), list(behind.items())):
        origin = estate.at(f"{_MLFLOW}/runs/get?run_id={key.rpartition('/')[2]}")
        for version in versions:
            with estate.facts.listing("runs", plane=DEPLOYED, of=version.key, origin=origin):
                read = answer.get()
                if estate.first("runs", key):
                    _write(estate, key, read, believed(estate, versions), origin)


def _behind(estate: Estate) -> dict[str, list[Fact]]:
    """The runs that this workspace holds, by key, with their versions. Says of every other version, once, why its run is
    not read.
    """
    known = uses(estate)
    found: dict[str, list[Fact]] = {}
    for version in estate.facts.rows["model_versions"]:
        values = version.__dict__
        run, place = values.get("run"), values.get("run_workspace")
        if version.plane != DEPLOYED or place not in (estate.workspace, None):
            continue
        used = is_used(estate, known, version.key, values["model"], values.get("live"))
        if used is None or (place is None and not estate.first("runs of", version.key)):
            continue
        if used and place is not None and run not in (None, "none"):
            found.setdefault(str(run), []).append(version)
            continue
        with estate.facts.listing("runs", plane=DEPLOYED, of=version.key, origin=version.origin):
            if used and run != "none":
                raise _elsewhere(version)
    return found


def _elsewhere(version: Fact) -> SourceError:
    number, _, run = str(version.__dict__.get("run")).partition("/")
    if not number.isdigit():
        reason = f"nothing says in which workspace run {run or '?'} of {version.key} is"
        remedy = "let the identity that registers versions read the run, so that the registry keeps the link"
        return SourceError(Cause.UNRESOLVED.value, reason, remedy)
    return SourceError(Cause.UNREACHABLE.value, f"run {run} of {version.key} is in {outside(number)}", READ_IT_TOO)


def _read(estate: Estate, number: str) -> RunRead:
    right = f"CAN_READ on the experiment of run {number}"
    said = estate.api.get(f"{_MLFLOW}/runs/get", {"run_id": number}, family=_FAMILY, right=right).get("run")
    if not isinstance(said, dict):
        raise Failed(f"the answer about run {number} holds no run", "run again; report it if it stays so")
    data = said
    models: list[dict[str, Any]] = []
    lost: SourceError | None = None
    try:
        for output in (data.get("outputs") or {}).get("model_outputs") or ():
            path = f"{_MLFLOW}/logged-models/{output.get('model_id')}"
            models.append(estate.api.get(path, family=_FAMILY, right=right).get("model") or {})
    except SourceError as problem:
        lost = problem
    job: Told | SourceError | None = None
    read = RunRead(data, models, lost, None)
    claimed, started = read.tags.get(JOB_RUN_ID), read.info.get("start_time")
    if claimed and estate.wants("job_runs", "commit_evidence"):
        try:
            job = told_of(estate, claimed, started)
            confirm(job, read.tags, started)
        except SourceError as problem:
            job = problem
    elif not claimed and read.tags.get(_SOURCE_TYPE) == "JOB":
        job = SourceError(Cause.UNRESOLVED.value, f"run {number} is of a job and names no job run", "train in a deployed job")
    return read._replace(job=job)


def _write(estate: Estate, key: str, read: RunRead, said: Believed, origin: Any) -> None:
    if READ in estate.kept:
        estate.kept[READ][key] = read
    before = stand_in(said, key, read.tags.get(JOB_RUN_ID), read.job)
    tags, data = read.tags, read.data.get("data") or {}
    source = tags.get(_SOURCE_TYPE)
    if source is None:
        reason = f"run {key} has no tag {_SOURCE_TYPE}: nothing says what started it"
        estate.unexplained("runs", key, reason, "start runs with mlflow.start_run in a job", origin)
    estate.facts.add(
        Run(
            key=key,
            plane=DEPLOYED,
            origin=origin,
            workspace=estate.workspace,
            experiment=experiment_key(estate, read.info.get("experiment_id")),
            job_run=_job_run(estate, key, read) if before is None else before.key,
            source_type=source,
            status=read.info.get("status"),
            deleted={"active": False, "deleted": True}.get(str(read.info.get("lifecycle_stage"))),
            produced_version=True,
            param_count=_count(estate, key, read, data, "params"),
            metric_count=_count(estate, key, read, data, "metrics"),
        )
    )
    with estate.facts.listing("run_inputs", plane=DEPLOYED, of=key, origin=origin):
        write_inputs(estate, key, read.data.get("inputs") or {}, origin)
    if estate.wants("job_runs"):
        with estate.facts.listing("job_runs", plane=DEPLOYED, of=key, origin=origin):
            if before is not None:
                write_captured_job_run(estate, before, origin)
            elif isinstance(read.job, SourceError):
                raise told_too(read.job, said)
            elif read.job is not None:
                write_job_run(estate, read.job, tags)
    if estate.wants("commit_evidence"):
        with estate.facts.listing("commit_evidence", plane=DEPLOYED, of=key, origin=origin):
            evidence = [tags, *map(_tags_of_model, read.models)]
            job = read.job if before is None else Gone()
            write_evidence(estate, key, evidence, job, origin, commits_of(said))
            if read.lost is not None:
                raise read.lost


def _job_run(estate: Estate, key: str, read: RunRead) -> str | None:
    claimed = read.tags.get(JOB_RUN_ID)
    if isinstance(read.job, Told):
        return job_run_key(estate, read.job)
    if isinstance(read.job, SourceError):
        if read.job.cause in (Cause.TOO_WEAK.value, Cause.UNRESOLVED.value):
            estate.unexplained("runs", key, read.job.reason, read.job.remedy, None)
            return None
        return f"{estate.workspace}/{claimed}"
    return f"{estate.workspace}/{claimed}" if claimed else "none"


def _count(estate: Estate, key: str, read: RunRead, data: dict[str, Any], what: str) -> int | None:
    """How many parameters or metrics the run and the models that it logged recorded; NULL where that may be more than none."""
    names = {one.get("key") for one in data.get(what) or ()}
    for model in read.models:
        names |= {one.get("key") for one in (model.get("data") or {}).get(what) or ()}
    if not names and read.lost is not None:
        estate.unexplained("runs", key, read.lost.reason, read.lost.remedy, None)
        return None
    return len(names)


def _tags_of_model(model: dict[str, Any]) -> dict[str, str]:
    return _tags((model.get("info") or {}).get("tags"))


def _tags(pairs: Iterable[dict[str, Any]] | None) -> dict[str, str]:
    return {str(one.get("key")): str(one.get("value")) for one in pairs or ()}


COLLECTOR = Collector(
    "runs",
    frozenset({"runs", "run_inputs", "job_runs", "commit_evidence"}),
    (
        Need("GET /api/2.0/mlflow/runs/get", "CAN_READ on the experiment; one request for each run behind a version in use"),
        Need("GET /api/2.0/mlflow/logged-models/{id}", "CAN_READ on the experiment"),
        Need("GET /api/2.2/jobs/runs/get", "CAN_VIEW on the job"),
        Need("GET /api/2.2/jobs/get", "CAN_VIEW on the job"),
        Need("GET /api/2.0/bundle/deployments/{id}/versions/{id}", "CAN_VIEW on the deployment, where one is recorded"),
        Need("GET /api/2.0/workspace/get-status", "CAN_READ on the bundle's metadata.json"),
        Need("GET /api/2.0/workspace/export", "CAN_READ on the bundle's metadata.json"),
    ),
    collect,
)
