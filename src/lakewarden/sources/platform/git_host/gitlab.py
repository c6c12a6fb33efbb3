"""GitLab: protected branches, approvals, protected environments, and whether a commit is on a branch.

Sources: the REST API v4 of GitLab (projects, branches, protected branches, merge request approvals).
Who may push to a protected branch needs neither an approval nor a pipeline: there only "no one" makes them count.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.gitlab_environments import RIGHT, project_of, seen_environments
from lakewarden.sources.platform.git_host.repository import (
    FAMILY,
    GitRepository,
    Protection,
    SeenBranch,
    commit_of,
    flag,
    name_of,
)
from lakewarden.sources.platform.wire.errors import Failed, Missing, Refused, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.sources.platform.git_host.repository import SeenEnvironment

_PAGE = {"per_page": 100}
#: Rules that ask people of the project; the others appear with a security report or an owner of the code.
_FOR_EVERYBODY = frozenset({"regular", "any_approver"})
_SAID_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST})


def branches(repository: GitRepository, wanted: Callable[[str], bool]) -> Iterator[SeenBranch]:
    """All branches; the protection of those that are wanted, and of the default branch."""
    path = project_of(repository)
    project = repository.api.get(path, family=FAMILY, right=RIGHT)
    rows = list(repository.api.linked(f"{path}/repository/branches", _PAGE, family=FAMILY, right=RIGHT))
    rules: list[dict[str, Any]] | SourceError
    try:
        rules = list(repository.api.linked(f"{path}/protected_branches", _PAGE, family=FAMILY, right=RIGHT))
    except SourceError as problem:
        rules = problem
    for row in rows:
        name = name_of(repository, row)
        is_default = row.get("default") is True or name == project.get("default_branch")
        asked = wanted(name) or is_default
        protection = _protection(repository, row, rules, project) if asked else None
        if protection is not None and is_default:
            protection = protection._replace(deletion=False)  # the host itself refuses to delete it
        newest = commit_of(repository, row, "commit", "id")
        yield SeenBranch(name, newest, f"{path}/repository/branches/{quote(name, safe='')}", protection)


def _protection(
    repository: GitRepository, row: dict[str, Any], rules: list[dict[str, Any]] | SourceError, project: dict[str, Any]
) -> Protection:
    name = str(row["name"])
    if not flag(row, "protected", f"branch {name} of {repository.key}"):
        return Protection()
    if isinstance(rules, SourceError):
        return Protection(None, None, None, False, rules)
    mine = [rule for rule in rules if fnmatchcase(name, str(rule.get("name")).replace("[", "[[]").replace("?", "[?]"))]
    if not mine:
        reason = f"branch {name} of {repository.key} is protected, and by which rule is not told: a group may have set it"
        return Protection(None, None, None, False, Refused(reason, f"grant {RIGHT}"))
    force = any(flag(rule, "allow_force_push", f"branch {name} of {repository.key}") for rule in mine)
    # Of several rules the one that allows more counts.
    if any(_may_push(rule) for rule in mine):
        return Protection(0, 0, force, False)
    approvals, missing = _approvals(repository, name)
    only = project.get("only_allow_merge_if_pipeline_succeeds")
    checks = None if not isinstance(only, bool) else int(only)
    if checks and project.get("allow_merge_on_skipped_pipeline") is True:
        checks = 0
    if checks is None and missing is None:
        missing = Refused(f"what {repository.key} asks of pipelines is not shown to this token", f"grant {RIGHT}")
    return Protection(approvals, checks, force, False, missing)


def _may_push(rule: dict[str, Any]) -> bool:
    """Does the rule let anybody push? Level 0 is "no one"."""
    levels = rule.get("push_access_levels")
    if not isinstance(levels, list):
        return True
    return any(one.get("access_level") != 0 for one in levels)


def _approvals(repository: GitRepository, name: str) -> tuple[int | None, SourceError | None]:
    """How many approvals the rules of the project ask for a change of the branch."""
    path = f"{project_of(repository)}/approval_rules"
    most = 0
    try:
        for rule in repository.api.linked(path, _PAGE, family=FAMILY, right=RIGHT):
            if rule.get("rule_type") not in _FOR_EVERYBODY:
                continue
            of = [str(one.get("name")) for one in rule.get("protected_branches") or ()]
            everywhere = not of or rule.get("applies_to_all_protected_branches") is True
            if everywhere or any(fnmatchcase(name, one) for one in of):
                most = max(most, int(rule.get("approvals_required") or 0))
        if most and _author_approves(repository):
            most -= 1  # one of them may be the author's own
    except Missing as problem:
        reason = f"the approval rules of {repository.key} are not shown: the token may not read them, or the plan has none"
        return None, Refused(reason, f"grant {RIGHT}; GitLab Free cannot require approvals", status=problem.status)
    except SourceError as problem:
        return None, problem
    return most, None


def _author_approves(repository: GitRepository) -> bool:
    """May the author of a change approve it?"""
    said = repository.api.get(f"{project_of(repository)}/approvals", family=FAMILY, right=RIGHT)
    return flag(said, "merge_requests_author_approval", repository.key)


def environments(repository: GitRepository) -> Iterator[SeenEnvironment]:
    """The environments that the project or its groups protect, and others as far as the groups tell."""
    return seen_environments(repository)


def head(repository: GitRepository, branch: str) -> str:
    """The newest commit of a branch."""
    path = f"{project_of(repository)}/repository/branches/{quote(branch, safe='')}"
    return commit_of(repository, repository.api.get(path, family=FAMILY, right=RIGHT), "commit", "id")


def tags(repository: GitRepository) -> Iterator[tuple[str, str]]:
    """All tags by their names, with their commits."""
    for row in repository.api.linked(f"{project_of(repository)}/repository/tags", _PAGE, family=FAMILY, right=RIGHT):
        yield name_of(repository, row), commit_of(repository, row, "commit", "id")


def is_ancestor(repository: GitRepository, commit: str, head: str) -> bool:
    """Is the commit in the history of the other? It is where the two meet in the commit itself."""
    path = f"{project_of(repository)}/repository"
    try:
        met = repository.api.get(f"{path}/merge_base", {"refs[]": [head, commit]}, family=FAMILY, right=RIGHT).get("id")
    except WireError as problem:
        if problem.status not in _SAID_MISSING:
            raise
        # Whoever may read the one would be shown a commit that is in its history.
        repository.api.get(f"{path}/commits/{head}", family=FAMILY, right=RIGHT)
        return False
    if not isinstance(met, str) or not met:
        raise Failed(f"GET {path}/merge_base on {repository.api.host} was answered without a commit", "run again")
    return met.lower() == commit.lower()
