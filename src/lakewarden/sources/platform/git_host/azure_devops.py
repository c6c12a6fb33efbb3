"""Azure DevOps: policies of branches, checks of environments, and whether a commit is on a branch.

Sources: the REST API 7.0 of Azure DevOps (git, policy, distributedtask, pipelines/checks).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.azure_permissions import bypassed, perhaps
from lakewarden.sources.platform.git_host.repository import (
    FAMILY,
    GitRepository,
    Protection,
    SeenBranch,
    SeenEnvironment,
    commit_of,
    name_of,
)
from lakewarden.sources.platform.wire.errors import Failed, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION = {"api-version": "7.0"}
_PREVIEW = {"api-version": "7.0-preview.1"}
_NEXT: dict[str, Any] = {"token_in": "continuationToken", "token_out": "x-ms-continuationtoken"}
CODE = "the scope Code (read) to the token"
BUILD = "the scopes Environment (read) and Build (read) to the token"
HEADS = "refs/heads/"
#: Kinds of branch policy by their ids, which are the same everywhere.
_REVIEWERS = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
_CHECKS = frozenset({"0609b952-1397-4640-95ec-e00a01b2c241", "cbdc66da-9728-4af8-aada-9a5a32e4a226"})
_BRANCH_CONTROL = "evaluatebranchprotection"


def project_of(repository: GitRepository) -> tuple[str, str]:
    """The path of the project below the host, and the name of the repository."""
    project, _, name = repository.path.partition("/_git/")
    return f"/{quote(project)}/_apis", quote(name, safe="")


def pages_of(repository: GitRepository, path: str, query: dict[str, Any], right: str) -> Iterator[dict[str, Any]]:
    """A list, whose next page stands in a header."""
    yield from repository.api.pages(path, "value", query, family=FAMILY, right=right, **_NEXT)


def branches(repository: GitRepository, wanted: Callable[[str], bool]) -> Iterator[SeenBranch]:
    """All branches; the policies of those that are wanted, and of the default branch."""
    root, name = project_of(repository)
    about = repository.api.get(f"{root}/git/repositories/{name}", VERSION, family=FAMILY, right=CODE)
    number, default = str(about.get("id")).lower(), about.get("defaultBranch")
    query = {**VERSION, "filter": "heads/"}
    path = f"{root}/git/repositories/{name}/refs"
    rows = list(pages_of(repository, path, query, CODE))
    policies: list[dict[str, Any]] | SourceError
    try:
        where = f"{root}/policy/configurations"
        policies = list(pages_of(repository, where, VERSION, CODE))
    except SourceError as problem:
        policies = problem
    around: list[SourceError | None] = []
    for row in rows:
        ref = name_of(repository, row)
        branch = ref.removeprefix(HEADS)
        protection = None
        if wanted(branch) or ref == default:
            protection = _protection(repository, ref, policies, number, is_default=ref == default)
            if protection.force_push is False:  # a policy holds it
                around = around or [bypassed(repository, about)]
                protection = protection if around[0] is None else perhaps(protection, around[0])
        newest = commit_of(repository, row, "objectId")
        yield SeenBranch(branch, newest, f"{path}?filter=heads/{quote(branch)}", protection)


def _protection(
    repository: GitRepository, ref: str, policies: list[dict[str, Any]] | SourceError, number: str, *, is_default: bool
) -> Protection:
    """What the policies that are enabled and block ask of a branch; while one does, nobody pushes to it or deletes it."""
    if isinstance(policies, SourceError):
        return Protection(None, None, None, None, policies)
    found = Protection()
    held = False
    for policy in policies:
        settings = policy.get("settings") or {}
        on = policy.get("isEnabled") is True and policy.get("isBlocking") is True and policy.get("isDeleted") is not True
        if not on or not any(_covers(scope, ref, number, is_default=is_default) for scope in settings.get("scope") or ()):
            continue
        kind, held = str((policy.get("type") or {}).get("id")).lower(), True
        if kind == _REVIEWERS:
            # Where the author's own vote counts, one of them is nobody else's.
            others = int(settings.get("minimumApproverCount") or 0) - int(settings.get("creatorVoteCounts") is True)
            found = found.and_also(Protection(approvals=max(0, others)))
        elif kind in _CHECKS:
            found = found._replace(checks=(found.checks or 0) + 1)
    if held:
        return found._replace(force_push=False, deletion=False)
    reason = f"no policy holds {ref} of {repository.key}: its permissions decide who may rewrite it, and are not read"
    missing = SourceError("unresolved", reason, "set a branch policy with reviewers and a build")
    return found._replace(force_push=None, deletion=None, missing=missing)


def _covers(scope: dict[str, Any], ref: str, number: str, *, is_default: bool) -> bool:
    of = scope.get("repositoryId")
    if of is not None and str(of).lower() != number:
        return False
    kind, name = str(scope.get("matchKind")).lower(), str(scope.get("refName") or "")
    if kind == "defaultbranch":
        return is_default
    if kind == "prefix":
        return ref == name.rstrip("/") or ref.startswith(f"{name.rstrip('/')}/")
    return kind == "exact" and ref.lower() == name.lower()


def environments(repository: GitRepository) -> Iterator[SeenEnvironment]:
    """The environments of the project, with their approvals and branch controls."""
    root, _ = project_of(repository)
    path = f"{root}/distributedtask/environments"
    for row in pages_of(repository, path, VERSION, BUILD):
        name, where = str(row.get("name")), f"{path}/{row.get('id')}"
        query = {**_PREVIEW, "resourceType": "environment", "resourceId": row.get("id"), "$expand": "settings"}
        checks = f"{root}/pipelines/checks/configurations"
        try:
            rows = list(pages_of(repository, checks, query, BUILD))
        except SourceError as problem:
            yield SeenEnvironment(name.lower(), where, None, None, problem)
            continue
        on = [one for one in rows if one.get("isDisabled") is not True]
        approval = any(str((one.get("type") or {}).get("name")).lower() == "approval" for one in on)
        yield SeenEnvironment(name.lower(), where, approval, _admits(on))


def _admits(checks: list[dict[str, Any]]) -> str:
    """The refs that every branch control of an environment lets through."""
    lists: list[set[str]] = []
    for check in checks:
        settings = check.get("settings") or {}
        if str((settings.get("definitionRef") or {}).get("name")).lower() == _BRANCH_CONTROL:
            allowed = str((settings.get("inputs") or {}).get("allowedBranches") or "*")
            lists.append({one.strip().removeprefix(HEADS).removeprefix("refs/tags/") or "*" for one in allowed.split(",")})
    if not lists:
        return "*"
    # What two lists both name is let through; which of their other patterns meet is not settled here.
    common = set.intersection(*lists)
    return " ".join([*sorted(common), *(["?"] if any(one != common for one in lists) else [])])


def head(repository: GitRepository, branch: str) -> str:
    """The newest commit of a branch."""
    root, name = project_of(repository)
    path = f"{root}/git/repositories/{name}/refs"
    for row in pages_of(repository, path, {**VERSION, "filter": f"heads/{branch}"}, CODE):
        if row.get("name") == f"{HEADS}{branch}":  # the filter is a prefix
            return commit_of(repository, row, "objectId")
    raise Failed(f"{repository.key} has no branch {branch}", "name one that is there")


def tags(repository: GitRepository) -> Iterator[tuple[str, str]]:
    """All tags by their names, with their commits: those of an annotated tag stand beside it."""
    root, name = project_of(repository)
    query = {**VERSION, "filter": "tags/", "peelTags": True}
    for row in pages_of(repository, f"{root}/git/repositories/{name}/refs", query, CODE):
        field = "peeledObjectId" if row.get("peeledObjectId") else "objectId"
        yield name_of(repository, row).removeprefix("refs/tags/"), commit_of(repository, row, field)


def is_ancestor(repository: GitRepository, commit: str, head: str) -> bool:
    """Is the commit in the history of the other? It is where it is the newest that both have."""
    root, name = project_of(repository)
    path = f"{root}/git/repositories/{name}"
    versions = {"baseVersionType": "commit", "baseVersion": head, "targetVersionType": "commit", "targetVersion": commit}
    try:
        said = repository.api.get(f"{path}/diffs/commits", {**VERSION, **versions, "$top": 1}, family=FAMILY, right=CODE)
    except WireError as problem:
        if problem.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST):
            raise
        # Whoever may read the one would be shown a commit that is in its history.
        repository.api.get(f"{path}/commits/{head}", VERSION, family=FAMILY, right=CODE)
        return False
    met = said.get("commonCommit")
    if not isinstance(met, str) or not met:
        raise Failed(f"GET {path}/diffs/commits on {repository.api.host} was answered without a commit", "run again")
    return met.lower() == commit.lower()
