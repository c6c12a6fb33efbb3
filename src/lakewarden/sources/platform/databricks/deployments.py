"""Deployments: the metadata that bundles leave in the workspace, the platform's own records, and what jobs run from Git."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.targets import Deployment
from lakewarden.sources.platform.databricks.bundles import at, metadata_of
from lakewarden.sources.platform.databricks.git_folders import PATH, git_folders
from lakewarden.sources.platform.databricks.git_jobs import PATH as RUNS
from lakewarden.sources.platform.databricks.git_jobs import ran
from lakewarden.sources.platform.databricks.names import Named, named
from lakewarden.sources.platform.databricks.once import attempt
from lakewarden.sources.platform.databricks.workloads import workloads
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.wire.errors import Disabled
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.repository.git import without_credentials

if TYPE_CHECKING:
    from lakewarden.sources.platform.databricks.workloads import Workload
    from lakewarden.sources.platform.estate import Estate

_RECORDS = "/api/2.0/bundle"
_FAMILY = "bundle"
_REMEDY = "set `experimental.record_deployment_history: true` in the bundle, so that the platform keeps who deployed"


class _Record(NamedTuple):
    """What the platform keeps of one deployment: its row, its versions, and the one that is in force."""

    row: dict[str, Any]
    versions: list[dict[str, Any]]

    @property
    def number(self) -> str:
        """The id of the deployment."""
        return str(self.row.get("name")).rpartition("/")[2]

    @property
    def last(self) -> str | None:
        """The version that is in force; None where the deployment was destroyed."""
        if self.row.get("destroy_time"):
            return None
        return str(self.row.get("last_version_id") or max((_number(one) for one in self.versions), default=0))


def collect(estate: Estate) -> None:
    """Read the metadata that jobs and pipelines name, and what the platform recorded."""
    with estate.facts.listing("deployments", plane=DEPLOYED, of=estate.workspace, origin=estate.at(_RECORDS)):
        problems: list[SourceError] = []
        records = attempt(problems, partial(_records, estate)) or []
        by_path: dict[str, list[Workload]] = {}
        for one in workloads(estate):
            if one.metadata is not None:
                by_path.setdefault(one.metadata, []).append(one)
        names: dict[str, str | None] = {}
        for path in sorted(by_path):
            numbers = {one.deployment for one in by_path[path]} - {None}
            record = next((one for one in records if numbers == {one.number}), None)
            name = attempt(problems, partial(_of_file, estate, path, by_path[path], record))
            if record is not None:
                names[record.number] = name
        for record in records:
            _of_record(estate, record, names.get(record.number))
        problems += _unnamed(estate, records)
        attempt(problems, partial(_of_git_folders, estate, problems))
        _of_git_jobs(estate)
        if problems:
            raise problems[0]
        # Jobs and pipelines name the files: where some are not listed, so are deployments.
        estate.rights.require_admin("deployments")
        unseen = [gap for gap in estate.facts.gaps if (gap.facts, gap.parent, gap.value) == ("jobs", estate.workspace, False)]
        if unseen:
            raise SourceError(unseen[0].cause.value, unseen[0].reason, unseen[0].remedy)


def _unnamed(estate: Estate, records: list[_Record]) -> list[SourceError]:
    """The problem of the first job or pipeline that a bundle deployed and that names no deployment which was found."""
    known = {record.number for record in records}
    for one in workloads(estate):
        if one.bundled and one.metadata is None and one.deployment not in known:
            reason = f"{one.kind} {one.name or one.number} was deployed by a bundle and does not name the bundle's metadata"
            return [SourceError(Cause.UNRESOLVED.value, reason, "deploy it again with a newer Databricks CLI")]
    return []


def _of_git_folders(estate: Estate, problems: list[SourceError]) -> None:
    """What is checked out where jobs run from is deployed, whoever pulled it: nothing says who."""
    used = git_folders(estate)
    problems += used.problems
    for folder in used.folders:
        key, path = deployment_key(estate, folder.path), f"{PATH}/{folder.number}"
        reason = f"nothing tells who pulled the Git folder {folder.path}, which jobs run from"
        estate.unexplained("deployments", key, reason, "deploy its jobs with a bundle, from CI", estate.at(path))
        if folder.commit is None:
            reason = f"the Git folder {folder.path}, which jobs run from, does not say which commit is checked out"
            problems.append(SourceError(Cause.UNRESOLVED.value, reason, "pull it again"))
            continue
        _add(estate, key, None, folder.commit, folder.url, None, Named(None, None), in_force=True, path=path)


def _of_git_jobs(estate: Estate) -> None:
    """What the last run of a job checked out is deployed, whoever wrote the ref that it follows."""
    for one in ran(estate):
        job = one.job.job
        key, origin = git_job_key(estate, job.number), estate.at(one.path)
        if one.problem is not None:
            estate.unexplained("deployments", key, one.problem.reason, one.problem.remedy, origin)
        reason = f"job {job.name or job.number} takes its code from Git when it runs: nobody deploys it"
        estate.unexplained("deployments", key, reason, "deploy it with a bundle, from CI", origin)
        # Nothing but the job can be changed, and its permissions are told with the job.
        with estate.facts.listing("permissions", plane=DEPLOYED, of=key, origin=origin):
            pass
        _add(estate, key, None, one.commit, one.job.url, None, Named(None, None), in_force=True, path=one.path)


def git_job_key(estate: Estate, number: str) -> str:
    """The key of what a job took from Git when it ran last."""
    return f"{estate.workspace}/jobs/{number}/git_source"


def deployment_key(estate: Estate, path: str) -> str:
    """The key of the deployment whose metadata is at this path."""
    return f"{estate.workspace}{path}"


def record_key(estate: Estate, number: str) -> str:
    """What the keys of the recorded versions of a deployment begin with."""
    return f"{estate.workspace}/deployments/{number}/"


def _of_file(estate: Estate, path: str, made: list[Workload], record: _Record | None) -> str | None:
    """Write the deployment of a metadata file; returns the name of its bundle."""
    said, key, origin = metadata_of(estate, path), deployment_key(estate, path), at(estate, path)
    by = _deployer(made, said.commit, record)
    if by.kind is None:
        reason = f"{path} does not say who deployed last; its jobs were created by service principals"
        estate.unexplained("deployments", key, reason, _REMEDY, origin)
    place = f"/api/2.0/workspace/export?path={path}"
    _add(estate, key, said.name, said.commit or "none", said.origin_url, said.mode, by, in_force=True, path=place)
    return said.name


def _deployer(made: list[Workload], commit: str | None, record: _Record | None) -> Named:
    """Who deployed, by the platform's record of the version that is in force, if it has the commit of the file. Otherwise a person
    who created a job of the deployment deployed it; that service principals created all of them does not tell who deployed
    them again.
    """
    last = None if record is None else record.last
    for version in () if record is None else record.versions:
        if str(version.get("version_id")) == last and (version.get("git_info") or {}).get("commit") == commit:
            return named(version.get("created_by"))
    return next((one.creator for one in made if one.creator.kind == "user"), Named(None, None))


def _records(estate: Estate) -> list[_Record]:
    """What the platform recorded of each deployment (SDK, `bundle`): raw, since the SDK knows no commit of a version."""
    try:
        listed = list(estate.api.pages(f"{_RECORDS}/deployments", "deployments", family=_FAMILY))
    except Disabled:
        return []

    def ask(row: dict[str, Any]) -> list[dict[str, Any]]:
        return list(estate.api.pages(f"{_RECORDS}/{row['name']}/versions", "versions", family=_FAMILY))

    found = []
    for row, answer in gather(ask, [row for row in listed if row.get("name")]):
        versions = [one for one in answer.get() if one.get("version_type") != "VERSION_TYPE_DESTROY"]
        found.append(_Record(row, versions))
    return found


def _of_record(estate: Estate, record: _Record, project: str | None) -> None:
    for one in record.versions:
        git: dict[str, Any] = one.get("git_info") or {}
        mode = str(one.get("deployment_mode") or "").removeprefix("DEPLOYMENT_MODE_").lower()
        number = str(one.get("version_id"))
        _add(
            estate,
            f"{record_key(estate, record.number)}versions/{number}",
            project,
            git.get("commit") or "none",
            git.get("origin_url"),
            mode or None,
            named(one.get("created_by")),
            in_force=number == record.last,
            path=f"{_RECORDS}/{record.row['name']}/versions/{number}",
        )


def _number(version: dict[str, Any]) -> int:
    number = str(version.get("version_id"))
    return int(number) if number.isdigit() else 0


def _add(
    estate: Estate,
    key: str,
    project: str | None,
    commit: str | None,
    origin_url: str | None,
    mode: str | None,
    by: Named,
    *,
    in_force: bool,
    path: str,
) -> None:
    """Write one deployment; `commit` is `none` where none was recorded, and None where it is not known."""
    commit = None if commit is None else commit.lower()
    estate.facts.add(
        Deployment(
            key=key,
            plane=DEPLOYED,
            project=project,
            origin=estate.at(path),
            workspace=estate.workspace,
            commit=commit,
            commit_key=commit if commit in (None, "none") else f"{project or ''}@{commit}",
            origin_url=without_credentials(origin_url) if origin_url else "none",
            mode=mode or "none",
            in_force=in_force,
            created_by=by.key,
            created_by_kind=by.kind,
        )
    )


COLLECTOR = Collector(
    "deployments",
    frozenset({"deployments"}),
    (
        Need("GET /api/2.0/workspace/export", "CAN_READ on the metadata.json of bundles"),
        Need("GET /api/2.0/bundle/deployments", "workspace admin [unverified]"),
        Need("GET /api/2.0/repos", "CAN_MANAGE on the Git folders that jobs run from, or workspace admin"),
        Need(f"GET {RUNS}", "CAN_VIEW on the jobs that take their code from Git"),
    ),
    collect,
)
