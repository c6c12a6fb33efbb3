"""The repositories that an audit is about, each asked of its Git host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.version_control import Branch, GitEnvironment, GitRepository
from lakewarden.facts.origin import Origin
from lakewarden.policy.attribute import RELEASE_REFS
from lakewarden.policy.globs import any_name
from lakewarden.policy.repositories import repository_url
from lakewarden.sources.platform.estate import DEPLOYED, Need
from lakewarden.sources.platform.git_host.ancestry import write_refs
from lakewarden.sources.platform.git_host.login import Connected, Hosts
from lakewarden.sources.platform.git_host.repository import COMMIT
from lakewarden.sources.platform.wire.errors import Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.git_host.repository import Protection, SeenBranch, SeenEnvironment
    from lakewarden.sources.platform.wire.api import Options

_NOT_WANTED = {"git_environments": "environments are read for the jobs that a repository declares"}
#: The tables of a Git host.
FILLS = frozenset({"git_repositories", "git_environments", "branches", "commit_refs"})
NEEDS = (
    Need("GitHub: GET /repos/{owner}/{name}/branches, /rules/branches/{branch}", "Metadata and Contents (read)"),
    Need("GitHub: GET /repos/{owner}/{name}/branches/{branch}/protection", "Administration (read)"),
    Need("GitHub: GET /repos/{owner}/{name}/rulesets/{id}", "Administration (write): others are not shown who bypasses it"),
    Need("GitHub: GET /repos/{owner}/{name}/environments", "Actions (read)"),
    Need("GitHub: GET /repos/{owner}/{name}/compare/{branch}...{commit}", "Contents (read)"),
    Need("GitLab: GET /projects/{id}/protected_branches, /approval_rules, /protected_environments", "Maintainer, read_api"),
    Need("GitLab: GET /projects/{id}/environments, /groups/{id}/protected_environments", "Maintainer in the group, read_api"),
    Need("GitLab: GET /projects/{id}/repository/branches, /repository/merge_base", "Reporter, read_api"),
    Need("Azure DevOps: GET _apis/git/repositories, _apis/policy/configurations", "Code (read)"),
    Need("Azure DevOps: GET _apis/accesscontrollists", "Security (manage): who may bypass policies"),
    Need("Azure DevOps: GET _apis/distributedtask/environments, _apis/pipelines/checks", "Environment and Build (read)"),
)


def repositories_of(policy: Policy, remotes: Iterable[str] = ()) -> list[str]:
    """Keys of the repositories that the policy's projects name, and of the remotes of a checkout."""
    named = [project.repository for project in policy.projects if project.repository]
    return list(dict.fromkeys(key for address in (*named, *remotes) if (key := repository_url(address)) is not None))


def release_globs(policy: Policy) -> tuple[str, ...]:
    """Globs of all branches that may be a release branch to any project: what protects them is asked branch by branch."""
    of_projects = [glob for project in policy.projects for glob in project.release_refs]
    of_places = [glob for environment in policy.environments.values() for glob in environment.branches]
    return tuple(dict.fromkeys((*of_projects, *of_places, *RELEASE_REFS)))


def collect_repositories(
    keys: Iterable[str],
    globs: tuple[str, ...],
    facts: Facts,
    wanted: frozenset[str],
    requests: dict[str, int],
    on_step: Callable[[str, str], None] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    options: Options | None = None,
) -> None:
    """Ask the Git host of each repository about branches and environments. What does not answer leaves gaps."""
    hosts = Hosts(environ, options)
    lists = sorted((wanted | ({"commit_refs"} if "branch_commits" in wanted else set())) & (FILLS - {"git_repositories"}))
    for table in sorted(FILLS - {"git_repositories", *lists}):
        reason = _NOT_WANTED.get(table, "no rule that was asked needs them")
        facts.otherwise(Gap(Cause.NOT_ASKED, table, reason, "audit with --repository DIR", DEPLOYED))
    with facts.listing("git_repositories", plane=DEPLOYED):
        for key in keys:
            repository = GitRepository(key=key, plane=DEPLOYED, origin=Origin(url=key))
            facts.add(repository)
            if on_step is not None and lists:
                on_step(key, "Git host")
            try:
                connected = hosts.connect(key)
            except (SourceError, UsageError) as problem:
                for table in lists:
                    facts.gap(_gap(table, key, problem, key, ""))
                continue
            repository.system = connected.system
            heads = _write_branches(connected, globs, facts) if "branches" in lists else {}
            if "git_environments" in lists:
                _write_environments(connected, facts)
            if "commit_refs" in lists:
                write_refs(connected, heads, globs, facts)
    for family, count in hosts.counts.items():
        requests[family] = requests.get(family, 0) + count


def _gap(table: str, parent: str, problem: SourceError | UsageError, url: str, remedy: str, *, value: bool = False) -> Gap:
    if isinstance(problem, UsageError):
        return Gap(Cause.REFUSED, table, problem.message, problem.advice, DEPLOYED, None, parent, Origin(url=url), value)
    # Hosts say 404 for what is private.
    hidden = isinstance(problem, (Refused, Missing))
    advice = remedy if remedy and hidden else problem.remedy
    return Gap(Cause(problem.cause), table, problem.reason, advice, DEPLOYED, None, parent, Origin(url=url), value)


def _write_branches(connected: Connected, globs: tuple[str, ...], facts: Facts) -> dict[str, str]:
    """Write the branches; their newest commits."""
    repository, heads = connected.repository, dict[str, str]()
    # A list that breaks off has no order that says what is missing: what came of it is kept.
    try:
        for seen in connected.host.branches(repository, lambda name: any_name(globs, name, fold=False)):
            _write_branch(connected, seen, facts)
            heads[seen.name] = seen.head
    except SourceError as problem:
        facts.gap(_gap("branches", repository.key, problem, repository.key, connected.remedy))
        return heads
    with facts.listing("branches", plane=DEPLOYED, of=repository.key):
        pass
    return heads


def _write_branch(connected: Connected, seen: SeenBranch, facts: Facts) -> None:
    repository, protection = connected.repository, seen.protection
    key, origin = f"{repository.key}/{seen.name}", repository.at(seen.path)
    if protection is None:
        reason = f"what protects {seen.name} of {repository.key} was not asked: the policy releases nothing from it"
        facts.gap(Gap(Cause.NOT_ASKED, "branches", reason, "collect again under this policy", DEPLOYED, None, key, origin, True))
        facts.add(Branch(key=key, plane=DEPLOYED, origin=origin, name=seen.name))
        return
    if protection.missing is not None and _lacks(protection):
        facts.gap(_gap("branches", key, protection.missing, str(origin.url), connected.remedy, value=True))
    facts.add(
        Branch(
            key=key,
            plane=DEPLOYED,
            origin=origin,
            name=seen.name,
            required_approvals=protection.approvals,
            required_checks=protection.checks,
            allows_force_push=protection.force_push,
            allows_deletion=protection.deletion,
        )
    )


def _lacks(protection: Protection) -> bool:
    return None in (protection.approvals, protection.checks, protection.force_push, protection.deletion)


def _write_environments(connected: Connected, facts: Facts) -> None:
    repository = connected.repository
    seen: list[SeenEnvironment] = []
    try:
        seen.extend(connected.host.environments(repository))
    except SourceError as problem:
        facts.gap(_gap("git_environments", repository.key, problem, repository.key, connected.remedy))
    else:
        with facts.listing("git_environments", plane=DEPLOYED, of=repository.key):
            pass
    for one in seen:
        key, origin = f"{repository.key}/environments/{one.name}", repository.at(one.path)
        if one.missing is not None:
            facts.gap(_gap("git_environments", key, one.missing, str(origin.url), connected.remedy, value=True))
        facts.add(
            GitEnvironment(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                repository=repository.key,
                name=one.name,
                needs_approval=one.needs_approval,
                admits=one.admits,
            )
        )


def is_ancestor(
    address: str, commit: str, branch: str, *, environ: Mapping[str, str] | None = None, options: Options | None = None
) -> bool | Gap:
    """Is the commit on the branch, by the Git host's own compare? A gap where that cannot be told."""
    key = repository_url(address)
    if key is None or COMMIT.fullmatch(commit.lower()) is None:
        wrong = f"{address} is no address of a repository" if key is None else f"{commit} is no whole commit id"
        how = "write it as https://host/path" if key is None else "record all digits of the commit"
        return Gap(Cause.UNRESOLVED, "branch_commits", wrong, how, DEPLOYED, parent=f"{address}@{commit}")
    remedy = ""
    try:
        connected = Hosts(environ, options).connect(key)
        remedy = connected.remedy
        head = connected.host.head(connected.repository, branch)
        return connected.host.is_ancestor(connected.repository, commit.lower(), head)
    except (SourceError, UsageError) as problem:
        return _gap("branch_commits", f"{key}@{commit}", problem, key, remedy)
