"""Who approved the deployment that this program runs in: reviews of protected environments of CI.

Sources: the REST APIs of GitHub (`actions/runs/{id}`, `/approvals`), GitLab (`deployments`) and Azure DevOps (build timeline,
`pipelines/approvals`), and the variables that each sets in its jobs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.git_host.azure_devops import BUILD, VERSION, project_of
from lakewarden.sources.platform.git_host.people import moment, needed, text_of
from lakewarden.sources.platform.git_host.repository import FAMILY
from lakewarden.sources.platform.wire.errors import Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.git_host.login import Connected, Hosts

_ACTIONS = "Actions (read) of the repository to the token"
_PROJECT = "the scope read_api and the role Reporter in the project to the token"
_APPROVALS = {"api-version": "7.1-preview.1", "$expand": "steps"}
_BOT = re.compile(r"(?:project|group)_\d+_bot.*|service_account_.*|ghost|.*\[bot\]", re.IGNORECASE)


class SeenApproval(NamedTuple):
    """One approval. `mail` is the address that the host gives of the account, `since` a time before which it was not given (in
    UTC); `is_exact` where that is its time. `environment` is empty where it is that of this very job.
    """

    account: str
    mail: str
    is_person: bool
    since: str
    is_exact: bool
    environment: str


class Deployment(NamedTuple):
    """The approvals of this deployment, and the accounts that started it, in lower case."""

    approvals: list[SeenApproval]
    starters: frozenset[str]
    origin: Origin


def deployment_here(hosts: Hosts, variables: Mapping[str, str]) -> Deployment | None:
    """The deployment that this job is; None outside of GitHub Actions, GitLab CI and Azure Pipelines.

    Raises a SourceError where its approvals cannot be read.
    """
    if variables.get("GITHUB_ACTIONS") == "true":
        key, read = f"{variables.get('GITHUB_SERVER_URL', '')}/{variables.get('GITHUB_REPOSITORY', '')}", _github
    elif variables.get("GITLAB_CI") == "true":
        key, read = f"{variables.get('CI_SERVER_URL', '')}/{variables.get('CI_PROJECT_PATH', '')}", _gitlab
    elif variables.get("TF_BUILD", "").lower() == "true":
        project = variables.get("SYSTEM_TEAMPROJECT", "")
        key, read = f"{variables.get('SYSTEM_COLLECTIONURI', '').rstrip('/')}/{project}/_git/{project}", _azure
    else:
        return None
    connected = hosts.connect(key)
    try:
        return read(connected, variables)
    except (Refused, Missing) as problem:  # hosts say 404 for what is private
        raise SourceError(problem.cause, problem.reason, connected.remedy or problem.remedy) from None


def _variable(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        reason = f"the job has no variable {name}, so the approvals of its deployment cannot be looked up"
        raise SourceError(Cause.UNRESOLVED.value, reason, "run the gate in a job of a protected environment")
    return value


def _github(connected: Connected, variables: Mapping[str, str]) -> Deployment:
    """A review tells no time: it was given after the run was created."""
    repository = connected.repository
    path = f"/repos/{repository.path}/actions/runs/{quote(_variable(variables, 'GITHUB_RUN_ID'), safe='')}"
    run = repository.api.get(path, family=FAMILY, right=_ACTIONS)
    about = f"GET {path} on {repository.api.host}"
    since = moment(needed(run, about, "created_at"), about)
    starters = {text_of(run, "actor", "login"), text_of(run, "triggering_actor", "login")}
    found = [
        SeenApproval(
            needed(row, about, "user", "login").lower(),
            "",
            text_of(row, "user", "type") == "User",
            since,
            is_exact=False,
            environment=needed(environment, about, "name"),
        )
        for row in repository.api.linked(f"{path}/approvals", {"per_page": 100}, family=FAMILY, right=_ACTIONS)
        if row.get("state") == "approved"
        for environment in row.get("environments") or ()
    ]
    return Deployment(found, _lower(starters), repository.at(f"{path}/approvals"))


def _gitlab(connected: Connected, variables: Mapping[str, str]) -> Deployment:
    repository = connected.repository
    job, environment = _variable(variables, "CI_JOB_ID"), _variable(variables, "CI_ENVIRONMENT_NAME")
    path = f"/projects/{quote(repository.path, safe='')}/deployments"
    query = {"environment": environment, "order_by": "id", "sort": "desc", "per_page": 100}
    rows = repository.api.linked(path, query, family=FAMILY, right=_PROJECT)
    mine = next((row for row in rows if str((row.get("deployable") or {}).get("id")) == job), None)
    if mine is None:
        raise SourceError(
            Cause.UNRESOLVED.value,
            f"job {job} of {repository.key} is no deployment to {environment}",
            "run the gate in a job of a protected environment",
        )
    path = f"{path}/{mine.get('id')}"
    about = f"GET {path} on {repository.api.host}"
    told = repository.api.get(path, family=FAMILY, right=_PROJECT)
    found = [
        SeenApproval(
            account := needed(row, about, "user", "username").lower(),
            "",
            _BOT.fullmatch(account) is None,
            moment(needed(row, about, "created_at"), about),
            is_exact=True,
            environment=environment,
        )
        for row in told.get("approvals") or ()
        if row.get("status") == "approved"
    ]
    starters = {text_of(told, "user", "username"), text_of(told, "deployable", "user", "username")}
    return Deployment(found, _lower({*starters, variables.get("GITLAB_USER_LOGIN", "")}), repository.at(path))


def _azure(connected: Connected, variables: Mapping[str, str]) -> Deployment:
    """The approvals that the stage of this job waited for: those of its environments, and of all else that it uses."""
    repository = connected.repository
    root, _ = project_of(repository)
    number, stage = _variable(variables, "BUILD_BUILDID"), _variable(variables, "SYSTEM_STAGENAME")
    path = f"{root}/build/builds/{quote(number, safe='')}"
    build = repository.api.get(path, VERSION, family=FAMILY, right=BUILD)
    records: list[dict[str, Any]] = (
        repository.api.get(f"{path}/timeline", VERSION, family=FAMILY, right=BUILD).get("records") or []
    )
    parents = {str(one.get("id")): str(one.get("parentId")) for one in records}
    mine = {str(one.get("id")) for one in records if one.get("type") == "Stage" and one.get("identifier") == stage}
    ids = [
        str(one.get("id"))
        for one in records
        if one.get("type") == "Checkpoint.Approval" and parents.get(str(one.get("parentId"))) in mine
    ]
    where = f"{root}/pipelines/approvals"
    found = []
    if ids:
        told = repository.api.get(where, {**_APPROVALS, "approvalIds": ",".join(ids)}, family=FAMILY, right=BUILD)
        for row in told.get("value") or ():
            found += [
                _step(step, f"GET {where}")
                for step in row.get("steps") or ()
                if row.get("status") == step.get("status") == "approved"
            ]
    starters = {text_of(build, who, "uniqueName") for who in ("requestedFor", "requestedBy")}
    return Deployment(found, _lower(starters), repository.at(where))


def _step(step: dict[str, Any], about: str) -> SeenApproval:
    account = needed(step, about, "actualApprover", "uniqueName").lower()
    mail = account if "@" in account else ""
    return SeenApproval(
        account, mail, "\\" not in account, moment(needed(step, about, "lastModifiedOn"), about), is_exact=True, environment=""
    )


def _lower(names: set[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names if name)
