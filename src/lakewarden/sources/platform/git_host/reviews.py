"""How one commit came to the release branch, and what CI said of it: pull requests with their approvals, and required checks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.gate import CommitCheck, CommitReview
from lakewarden.policy.attribute import is_release, project_named
from lakewarden.policy.globs import any_name
from lakewarden.policy.repositories import repository_url
from lakewarden.sources.platform.estate import DEPLOYED, Need
from lakewarden.sources.platform.git_host.people import moment
from lakewarden.sources.platform.git_host.repository import COMMIT
from lakewarden.sources.platform.wire.errors import Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.git_host.login import Connected, Hosts
    from lakewarden.sources.platform.git_host.repository import GitRepository

NEEDS = (
    Need("GitHub: GET /repos/{owner}/{name}/commits/{sha}/pulls, /pulls/{number}/reviews, /commits", "Pull requests (read)"),
    Need("GitHub: GET /repos/{owner}/{name}/commits/{sha}/check-runs, /status", "Checks and Commit statuses (read)"),
    Need("GitLab: GET /projects/{id}/repository/commits/{sha}/merge_requests, /statuses", "Reporter, read_api"),
    Need("GitLab: GET /projects/{id}/merge_requests/{iid}/approvals, /versions, /commits", "Reporter, read_api"),
    Need("Azure DevOps: POST _apis/git/repositories/{id}/pullrequestquery; GET pullRequests/{id}/threads", "Code (read)"),
    Need("Azure DevOps: GET _apis/git/repositories/{id}/commits/{sha}/statuses, _apis/build/builds", "Code and Build (read)"),
)


class SeenChange(NamedTuple):
    """A pull request that was merged: the branch that it went into, and whether somebody who wrote none of it approved its last
    commit before; `missing` says why that is None.
    """

    number: str
    into: str
    approved: bool | None
    path: str
    missing: SourceError | None = None


class SeenCheck(NamedTuple):
    """A run of a check on the commit: did it succeed (None while it has not ended), and when was that? The newest counts."""

    name: str
    succeeded: bool | None
    when: str
    path: str


class Asked(NamedTuple):
    """One commit at its host, its key in `branch_commits`, and the projects that it may be of."""

    host: Reviewed
    connected: Connected
    commit: str
    commit_key: str
    policy: Policy
    projects: list[str | None]


class Reviewed(Protocol):
    """A module that reads this from one kind of host. Everything raises a SourceError where an answer is not whole."""

    def changes(self, repository: GitRepository, commit: str) -> Iterator[SeenChange]:
        """The pull requests by which a commit came that were merged into a branch of this repository."""

    def checks(self, repository: GitRepository, commit: str, wanted: Callable[[str], bool]) -> Iterator[SeenCheck]:
        """All runs of checks on a commit; where a host has others than of this commit, those whose names are wanted."""


def write_commit(connected: Connected, commit: str, commit_key: str, policy: Policy, facts: Facts) -> None:
    """Write the reviews and the checks of one commit under its key in `branch_commits`."""
    commit = commit.lower()
    if COMMIT.fullmatch(commit) is None:
        not_asked(commit_key, SourceError("unresolved", f"{commit} is no whole commit id", "record all 40 digits of it"), facts)
        return
    projects = _projects(policy, commit_key, connected.repository.key)
    asked = Asked(_module(connected.system), connected, commit, commit_key, policy, projects)
    origin = connected.repository.at("")
    with facts.listing("commit_reviews", plane=DEPLOYED, of=commit_key, origin=origin), _hidden(connected):
        _write_reviews(asked, facts)
    with facts.listing("commit_checks", plane=DEPLOYED, of=commit_key, origin=origin), _hidden(connected):
        _write_checks(asked, facts)


def collect_commit(hosts: Hosts, address: str | None, commit: str, commit_key: str, policy: Policy, facts: Facts) -> None:
    """The same for the repository at an address, as policies have it; what cannot be asked leaves gaps."""
    key = repository_url(address or "")
    if key is None:
        reason = f"nothing says where the repository of {commit} is"
        if address:
            reason = f"the repository of {commit} is {address}, on no Git host, which alone tells reviews and checks"
        not_asked(commit_key, SourceError("not-asked", reason, "set repository of the project in the policy"), facts)
        return
    try:
        connected = hosts.connect(key)
    except SourceError as problem:
        not_asked(commit_key, problem, facts)
    except UsageError as problem:
        not_asked(commit_key, SourceError("refused", problem.message, problem.advice), facts)
    else:
        write_commit(connected, commit, commit_key, policy, facts)


def not_asked(commit_key: str, problem: SourceError, facts: Facts) -> None:
    """Say why a commit's reviews and checks could not be asked for: its Git host is not known, or does not answer."""
    for table in ("commit_reviews", "commit_checks"):
        facts.gap(Gap(Cause(problem.cause), table, problem.reason, problem.remedy, DEPLOYED, parent=commit_key))


def _module(system: str) -> Reviewed:
    from lakewarden.sources.platform.git_host import azure_reviews, github_reviews, gitlab_reviews

    modules: dict[str, Reviewed] = {"github": github_reviews, "gitlab": gitlab_reviews, "azure": azure_reviews}
    return modules[system]


@contextmanager
def _hidden(connected: Connected) -> Iterator[None]:
    """Hosts say 403 or 404 for what is private: without a token the remedy is one."""
    try:
        yield
    except (Refused, Missing) as problem:
        raise SourceError(problem.cause, problem.reason, connected.remedy or problem.remedy) from None


def _projects(policy: Policy, commit_key: str, repository: str) -> list[str | None]:
    """The projects whose commit it may be: the one that its key names, else all of this repository."""
    name = commit_key.rpartition("@")[0]
    if name:
        return [name]
    found: list[str | None] = [one.name for one in policy.projects if repository_url(one.repository or "") == repository]
    return found or [None]


def _write_reviews(asked: Asked, facts: Facts) -> None:
    host, connected, commit, commit_key, policy, projects = asked
    found = False
    for seen in host.changes(connected.repository, commit):
        found = True
        key, origin = f"{commit_key}/{seen.number}", connected.repository.at(seen.path)
        kinds = {is_release(policy, project, seen.into) for project in projects}
        into = kinds.pop() if len(kinds) == 1 else None
        problem = seen.missing
        if into is None:
            reason = f"{seen.into} is a release branch to some projects of {connected.repository.key} only"
            problem = SourceError("unresolved", reason, "give each project its bundles, so that the commit is known to be of one")
        if problem is not None and None in (seen.approved, into):
            remedy = connected.remedy if connected.remedy and isinstance(problem, (Refused, Missing)) else problem.remedy
            facts.gap(
                Gap(
                    Cause(problem.cause), "commit_reviews", problem.reason, remedy, DEPLOYED, None, commit_key, origin, value=True
                )
            )
        facts.add(
            CommitReview(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                commit_key=commit_key,
                into_release=into,
                approved_by_other=seen.approved,
            )
        )
    if not found:
        reason = f"no pull request that was merged is known to have brought {commit} to {connected.repository.key}"
        raise SourceError(
            "unresolved", reason, "bring changes to the release branch by pull requests that somebody else approves"
        )


def _write_checks(asked: Asked, facts: Facts) -> None:
    host, connected, commit, commit_key, policy, projects = asked
    own = [one.gate.required_checks for name in projects if (one := project_named(policy, name)) is not None]
    globs = tuple(dict.fromkeys(glob for required in own for glob in required))
    if not globs:
        named = " or ".join(name or "any project" for name in projects)
        raise SourceError(
            "not-asked", f"the policy requires no check of {named}", "name them under gate.required_checks of the project"
        )
    newest: dict[str, SeenCheck] = {}
    for read in host.checks(connected.repository, commit, lambda name: any_name(globs, name, fold=False)):
        seen = read._replace(when=moment(read.when, f"the check {read.name} of {commit}"))
        if seen.name not in newest or seen.when > newest[seen.name].when:
            newest[seen.name] = seen
        elif seen.when == newest[seen.name].when and seen.succeeded is not newest[seen.name].succeeded:
            # Of two at once nobody can say which is the newer one.
            newest[seen.name] = seen._replace(succeeded=None if None in (seen.succeeded, newest[seen.name].succeeded) else False)
    for glob in globs:
        if not any(any_name((glob,), name, fold=False) for name in newest):
            newest[glob] = SeenCheck(glob, None, "", "")
    for name, seen in sorted(newest.items()):
        key, origin = f"{commit_key}/{name}", connected.repository.at(seen.path)
        required = name in globs or any_name(globs, name, fold=False)
        if required and seen.succeeded is None:
            said = "has not ended" if seen.when else "was not reported"
            reason = f"the check {name} {said} on {commit} in {connected.repository.key}"
            remedy = "wait for it" if seen.when else f"let CI run {name} for pushes to the release branch"
            facts.gap(Gap(Cause.UNRESOLVED, "commit_checks", reason, remedy, DEPLOYED, None, commit_key, origin, value=True))
        facts.add(
            CommitCheck(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                commit_key=commit_key,
                required=required,
                succeeded=seen.succeeded,
            )
        )
