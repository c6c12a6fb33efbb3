"""What was captured of a run while its job run could be seen: a signed statement that outlives 60 days of job history."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.estate.commits import RUNGS, held_to
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.workloads import JobRun
from lakewarden.sources.platform.databricks.commit_evidence import Found
from lakewarden.sources.platform.databricks.job_runs import JOB_RUN_ID, Told
from lakewarden.sources.platform.databricks.run_inputs import source_of
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.wire.errors import Missing
from lakewarden.sources.repository.git import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.model.tracking import RunCommit
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.databricks.runs import RunRead
    from lakewarden.sources.platform.estate import Estate

#: Where an estate keeps the answers about runs, for who asks for them, and what looks for statements about a version.
READ, BELIEVED = "runs read", "captured"
_CONTEXT = "mlflow.data.context"
_REPOSITORY = ("mlflow.databricks.gitRepoUrl", "mlflow.source.git.repoURL")
_BUNDLE = re.compile(r"/\.bundle/(?:[^/]+)/([^/]+)/")
_SUCCESS, _NOT_RUN = "SUCCESS", frozenset({"EXCLUDED"})
#: The columns of a job run that rules read.
JOB_RUN_COLUMNS = ("run_type", "result_state", "run_as_kind", "managed_by", "overridden", "job")


class Rung(NamedTuple):
    """One rung of evidence as it was when the run was captured."""

    rung: str
    commit: str
    dirty: bool | None


class Input(NamedTuple):
    """A dataset that the run recorded: the table by its full name with its Delta version, or what MLflow calls it."""

    name: str
    version: str | None
    context: str
    is_table: bool


class JobRunSaid(NamedTuple):
    """A job run: its key, and its columns in the table of job runs."""

    key: str
    values: tuple[tuple[str, str | bool | None], ...]


class Capture(NamedTuple):
    """A run as it was captured. `claimed` is the job run that its tags named, None for a run outside jobs; `commit` is what its
    strongest rung, `rung`, names.
    """

    run: str
    claimed: str | None
    job_run: JobRunSaid | None
    commit: str | None
    rung: str | None
    dirty: bool | None
    rungs: tuple[Rung, ...] = ()
    inputs: tuple[Input, ...] = ()
    repository: str | None = None
    workspace: str = ""
    job: str | None = None
    number: str | None = None
    target: str | None = None
    deployment: str | None = None
    started: str | None = None
    finished: str | None = None


class Believed(NamedTuple):
    """The statements about a version that are believed, and why others are not."""

    captures: tuple[Capture, ...] = ()
    refused: tuple[str, ...] = ()
    asked: bool = False


def believed(estate: Estate, versions: Iterable[Fact]) -> Believed:
    """What statements say of the run behind these versions. Nobody looks for any in an audit."""
    look = estate.kept.get(BELIEVED)
    if look is None:
        return Believed()
    found: list[Believed] = [look(version.key) for version in versions]
    captures = tuple(dict.fromkeys(one for each in found for one in each.captures))
    return Believed(captures, tuple(dict.fromkeys(why for each in found for why in each.refused)), asked=True)


def stand_in(said: Believed, run: str, claimed: str | None, job: object) -> JobRunSaid | None:
    """The job run as it was captured, where the platform has it no more; None where statements about it do not agree."""
    is_gone = isinstance(job, Missing) or (isinstance(job, SourceError) and job.cause == Cause.EXPIRED.value)
    found = {one.job_run for one in said.captures if one.run == run and one.claimed == claimed}
    others = any(one.run != run or one.claimed != claimed for one in said.captures)
    return next(iter(found)) if is_gone and len(found) == 1 and not others else None


def told_too(problem: SourceError, said: Believed) -> SourceError:
    """The reason why a job run cannot be seen, with what statements were not believed, or did not agree."""
    is_gone = isinstance(problem, Missing) or problem.cause == Cause.EXPIRED.value
    if not said.asked or not is_gone:
        return problem
    why = "; ".join(said.refused)
    if said.captures:
        why = "captured statements name another run or job run, or contradict each other"
    reason = f"{problem.reason}; {why or 'and no captured statement holds it'}"
    remedy = "retrain, and end the training job with `lakewarden capture --sign`, whose signer the policy trusts"
    return SourceError(problem.cause, reason, remedy)


def commits_of(said: Believed) -> list[tuple[str, Found]] | None:
    """The commits of statements with their rungs, for the ladder; None where there is no statement."""
    if not said.captures:
        return None
    return [(str(one.rung), Found(one.commit, one.dirty)) for one in said.captures if one.commit is not None]


def write_captured_job_run(estate: Estate, said: JobRunSaid, origin: Origin | None) -> None:
    """Write the job run as it was captured, once."""
    if not estate.first("job_runs", said.key):
        return
    values: dict[str, Any] = dict(said.values)
    for name, value in values.items():
        if value is None:
            reason = f"{name} of job run {said.key} was not known when it was captured"
            estate.unexplained("job_runs", said.key, reason, "capture in a task of its own, after training", origin)
    estate.facts.add(JobRun(key=said.key, plane=DEPLOYED, origin=origin, **values))


def capture_of(facts: Facts, workspace: str, key: str, read: RunRead) -> tuple[Capture, RunCommit]:
    """A run as it is now, and the commit that it is held to. The lists of its evidence have to be whole."""
    run = next(row for row in facts.rows["runs"] if row.key == key)
    rows = [row for row in facts.rows["commit_evidence"] if row.__dict__["run"] == key]
    rows.sort(key=lambda row: RUNGS.index(row.__dict__["rung"]))
    held = held_to(run, rows, whole=True)
    told = [row.__dict__ for row in rows]
    values = held.__dict__
    commit = values.get("commit")
    job = read.job if isinstance(read.job, Told) else None
    whole = {} if job is None else job.run
    settings = {} if job is None or job.job is None else job.job.get("settings") or {}
    bundle = _BUNDLE.search(str((settings.get("deployment") or {}).get("metadata_file_path")))
    deployment = (
        f"{whole['deployment_id']}/{whole['version_id']}" if whole.get("deployment_id") and whole.get("version_id") else None
    )
    capture = Capture(
        run=key,
        claimed=read.tags.get(JOB_RUN_ID),
        job_run=_job_run(facts, run, read),
        commit=None if commit in (None, "none") else str(commit),
        rung=values.get("rung"),
        dirty=values.get("dirty"),
        rungs=tuple(
            Rung(one["rung"], one["commit"], one.get("dirty")) for one in told if one.get("commit") not in (None, "none")
        ),
        inputs=tuple(_inputs(read)),
        repository=_repository(read, whole),
        workspace=workspace,
        job=None if not whole.get("job_id") else str(whole["job_id"]),
        number=None if job is None else job.number,
        target=None if bundle is None else bundle[1],
        deployment=deployment,
        started=_time(read.info.get("start_time")),
        finished=_time(read.info.get("end_time")),
    )
    return capture, held


def _job_run(facts: Facts, run: Fact, read: RunRead) -> JobRunSaid | None:
    row = next((row for row in facts.rows["job_runs"] if row.key == run.__dict__.get("job_run")), None)
    if row is None or not isinstance(read.job, Told):
        return None
    values = {name: row.__dict__.get(name) for name in JOB_RUN_COLUMNS}
    values["result_state"] = result_of(read.job.run, read.info)
    return JobRunSaid(row.key, tuple(values.items()))


def result_of(job_run: dict[str, Any], info: dict[str, Any]) -> str | None:
    """How a job run ended. One that goes on because a task captures it has succeeded, if that task began after the run of MLflow
    was finished and all others succeeded; of any other that goes on the end is not known.
    """
    ended = (job_run.get("state") or {}).get("result_state")
    if ended:
        return str(ended)
    tasks = [task for task in job_run.get("tasks") or () if isinstance(task, dict)]
    results = [str((task.get("state") or {}).get("result_state") or "") for task in tasks]
    going = [task for task, result in zip(tasks, results, strict=True) if not result]
    begun, finished = (going[0].get("start_time") if len(going) == 1 else None), info.get("end_time")
    others = [result for result in results if result]
    if not others or info.get("status") != "FINISHED" or not isinstance(begun, int) or not isinstance(finished, int):
        return None
    return _SUCCESS if begun >= finished and _SUCCESS in others and set(others) <= {_SUCCESS, *_NOT_RUN} else None


def _repository(read: RunRead, job_run: dict[str, Any]) -> str | None:
    url = (job_run.get("git_source") or {}).get("git_url") or next(
        (read.tags[one] for one in _REPOSITORY if read.tags.get(one)), None
    )
    return without_credentials(str(url)) if url else None


def _inputs(read: RunRead) -> Iterable[Input]:
    for one in (read.data.get("inputs") or {}).get("dataset_inputs") or ():
        dataset = one.get("dataset") or {}
        source = source_of(dataset.get("source"))
        tags = {tag.get("key"): tag.get("value") for tag in one.get("tags") or ()}
        table = source.get("delta_table_name") or source.get("table_name")
        version = source.get("delta_table_version")
        yield Input(
            name=str(table or dataset.get("name")),
            version=None if version in (None, "") else str(version),
            context=str(tags.get(_CONTEXT) or "none"),
            is_table=bool(table),
        )


def _time(milliseconds: Any) -> str | None:
    if not isinstance(milliseconds, int) or milliseconds <= 0:
        return None
    return dt.datetime.fromtimestamp(milliseconds // 1000, tz=dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
