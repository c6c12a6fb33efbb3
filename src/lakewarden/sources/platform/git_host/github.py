"""GitHub: rulesets and classic protection of branches, environments, and whether a commit is on a branch.

Sources: the REST API of GitHub, version 2022-11-28 (branches, rules, deployment environments, commits).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.github_rulesets import METADATA, number_of, rulesets
from lakewarden.sources.platform.git_host.repository import (
    FAMILY,
    GitRepository,
    Protection,
    SeenBranch,
    SeenEnvironment,
    commit_of,
    flag,
    name_of,
)
from lakewarden.sources.platform.wire.errors import Failed, Missing, Refused, Truncated
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PAGE = 100
#: More pages of an environment list than this do not exist.
_MOST_PAGES = 1000
_ADMIN = "Administration (read) of the repository to the token"
_CONTENTS = "Contents (read) of the repository to the token"
_ACTIONS = "Actions (read) of the repository to the token"
#: What GitHub says, to those who may know, of a branch without classic protection (REST, "Get branch protection").
_NOT_PROTECTED = "branch not protected"
#: Who may be named to go around a required review.
_AROUND = ("users", "teams", "apps")
_ON = frozenset({"behind", "identical"})
_OFF = frozenset({"ahead", "diverged"})
#: Protection rules of environments that ask for nobody's approval.
_WITHOUT_APPROVAL = frozenset({"wait_timer", "branch_policy"})


def branches(repository: GitRepository, wanted: Callable[[str], bool]) -> Iterator[SeenBranch]:
    """All branches; the protection of those that are wanted, and of the default branch."""
    path = f"/repos/{repository.path}"
    default = repository.api.get(path, family=FAMILY, right=METADATA).get("default_branch")
    rows = list(repository.api.linked(f"{path}/branches", {"per_page": _PAGE}, family=FAMILY, right=_CONTENTS))
    asked = [row for row in rows if wanted(name_of(repository, row)) or row["name"] == default]
    found = {str(row["name"]): answer for row, answer in gather(lambda row: _protection(repository, row, default), asked)}
    for row in rows:
        name = name_of(repository, row)
        answer = found.get(name)
        newest = commit_of(repository, row, "commit", "sha")
        yield SeenBranch(name, newest, f"{path}/branches/{quote(name, safe='')}", None if answer is None else answer.get())


def _protection(repository: GitRepository, row: dict[str, Any], default: object) -> Protection:
    name = str(row["name"])
    found = _part(lambda: rulesets(repository, name)).and_also(_part(lambda: _classic(repository, name, row)))
    # The host itself refuses to delete the default branch.
    return found._replace(deletion=False) if name == default else found


def _part(ask: Callable[[], Protection]) -> Protection:
    """One of the two kinds of protection; where it cannot be read, the other may still be strict enough."""
    try:
        return ask()
    except SourceError as problem:
        return Protection(None, None, None, None, problem)


def _classic(repository: GitRepository, name: str, row: dict[str, Any]) -> Protection:
    """The classic protection. 404 means that there is none, or that the token may not read it: the message tells which."""
    if flag(row, "protected", f"branch {name} of {repository.key}") is False:
        return Protection()
    path = f"/repos/{repository.path}/branches/{quote(name, safe='')}/protection"
    try:
        said = repository.api.get(path, family=FAMILY, right=_ADMIN)
    except Missing as problem:
        if _NOT_PROTECTED in problem.said.lower():
            return Protection()
        reason = f"the protection of branch {name} of {repository.key} is not shown to this token"
        raise Refused(reason, f"grant {_ADMIN}", status=problem.status) from None
    reviews, checks = said.get("required_pull_request_reviews"), said.get("required_status_checks")
    names = {one.get("context") for one in (checks or {}).get("checks") or ()} | set((checks or {}).get("contexts") or ())
    approvals, missing = 0 if reviews is None else number_of(reviews, "required_approving_review_count"), None
    around = [str(one.get("slug") or one.get("login")) for who in _AROUND for one in _allowances(reviews).get(who) or ()]
    if approvals and around:
        reason = f"reviews of branch {name} of {repository.key} are asked of everybody but {', '.join(sorted(around))}"
        approvals, missing = None, SourceError("unresolved", reason, "let nobody bypass the required pull request")
    return Protection(
        approvals,
        len(names),
        _enabled(said, "allow_force_pushes"),
        _enabled(said, "allow_deletions"),
        missing,
    )


def _allowances(reviews: dict[str, Any] | None) -> dict[str, Any]:
    return (reviews or {}).get("bypass_pull_request_allowances") or {}


def _enabled(said: dict[str, Any], name: str) -> bool:
    # A host that does not know the exception does not make it.
    return bool((said.get(name) or {}).get("enabled"))


def environments(repository: GitRepository) -> Iterator[SeenEnvironment]:
    """All environments of the repository, with who approves a deployment and which refs they admit."""
    path = f"/repos/{repository.path}/environments"
    for row in counted(repository, path, "environments", right=_ACTIONS):
        name = str(row.get("name"))
        where = f"{path}/{quote(name, safe='')}"
        kinds = {str(rule.get("type")): rule for rule in row.get("protection_rules") or ()}
        approval: bool | None = bool((kinds.get("required_reviewers") or {}).get("reviewers"))
        missing: SourceError | None = None
        if not approval and kinds.keys() - _WITHOUT_APPROVAL - {"required_reviewers"}:
            approval = None
            reason = f"environment {name} of {repository.key} waits for an app, and what that asks is not told"
            missing = SourceError("unresolved", reason, "require reviewers of the environment")
        admits: str | None = None
        try:
            admits = _admits(repository, where, row)
        except SourceError as problem:
            missing = missing or problem
        yield SeenEnvironment(name.lower(), where, approval, admits, missing)


def _admits(repository: GitRepository, path: str, row: dict[str, Any]) -> str:
    policy = row.get("deployment_branch_policy")
    if policy is None:
        return "*"
    if policy.get("custom_branch_policies") is True:
        found = counted(repository, f"{path}/deployment-branch-policies", "branch_policies", right=_ACTIONS)
        return " ".join(sorted(str(one.get("name")) for one in found)) or "none"
    # Branches with any protection: the names of those that are there; a pattern may protect more.
    query = {"protected": True, "per_page": _PAGE}
    rows = repository.api.linked(f"/repos/{repository.path}/branches", query, family=FAMILY, right=_CONTENTS)
    return " ".join([*sorted(name_of(repository, one) for one in rows), "?"])


def counted(
    repository: GitRepository, path: str, items: str, *, right: str, total: str = "total_count"
) -> Iterator[dict[str, Any]]:
    """A list that tells how long it is."""
    read = 0
    for page in range(1, _MOST_PAGES):
        said = repository.api.get(path, {"per_page": _PAGE, "page": page}, family=FAMILY, right=right)
        rows, number = said.get(items), said.get(total)
        if not isinstance(rows, list) or not isinstance(number, int):
            raise Failed(f"GET {path} on {repository.api.host} was answered with no list of {items}", "run again")
        yield from rows
        read += len(rows)
        if read >= number:
            return
        if not rows:
            break
    raise Truncated(f"GET {path} on {repository.api.host}: {read} of {number} entries came", "run again")


def head(repository: GitRepository, branch: str) -> str:
    """The newest commit of a branch."""
    path = f"/repos/{repository.path}/branches/{quote(branch, safe='')}"
    return commit_of(repository, repository.api.get(path, family=FAMILY, right=_CONTENTS), "commit", "sha")


def tags(repository: GitRepository) -> Iterator[tuple[str, str]]:
    """All tags by their names, with their commits."""
    path = f"/repos/{repository.path}/tags"
    for row in repository.api.linked(path, {"per_page": _PAGE}, family=FAMILY, right=_CONTENTS):
        yield name_of(repository, row), commit_of(repository, row, "commit", "sha")


def is_ancestor(repository: GitRepository, commit: str, head: str) -> bool:
    """Is the commit in the history of the other? By GitHub's compare: what is behind or identical is."""
    path = f"/repos/{repository.path}/compare/{head}...{commit}"
    try:
        status = repository.api.get(path, {"per_page": 1}, family=FAMILY, right=_CONTENTS).get("status")
    except Missing:
        # Whoever may read the one would be shown a commit that is in its history.
        repository.api.get(f"/repos/{repository.path}/commits/{head}", family=FAMILY, right=_CONTENTS)
        return False
    if status not in _ON | _OFF:
        raise Failed(f"GET {path} on {repository.api.host} was answered without a status", "run again")
    return status in _ON
