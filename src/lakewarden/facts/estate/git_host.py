"""What a Git host settles: whose its branches are, which declared branch it protects, which CI job waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.estate import ancestry
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.version_control import GitRepository
from lakewarden.policy.attribute import is_release, ref_class, release_refs
from lakewarden.policy.globs import literal, name_matcher
from lakewarden.policy.repositories import repository_url

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableSequence, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy

_LIVE = "deployed"
_PROTECTION = ("required_approvals", "required_checks", "allows_force_push", "allows_deletion")
#: Kinds of ref that a job is surely no release job for.
_NO_RELEASE = frozenset({"other", "any", "pull_request"})


class _Hosted(NamedTuple):
    """The repository of a project as its Git host knows it: its row, its branches by name, its environments by name; None
    for a list that was not read to its end.
    """

    repository: Fact
    branches: dict[str | None, Fact] | None
    environments: dict[str | None, Fact] | None


def settle(rows: dict[str, MutableSequence[Fact]], policy: Policy, complete: Completeness) -> None:
    """Give what Git hosts told to the projects of the policy and of the checkout, and fill what only a host knows."""
    if not rows["git_repositories"]:
        return
    of = _addresses(rows, policy)
    _add_unread(rows, of, complete)
    known = _by_repository(rows)
    hosted = {project: found for project, key in of.items() if (found := _hosted(known, key, complete)) is not None}
    rows["branches"] = [_filled(row, hosted) for row in rows["branches"]]
    rows["ci_jobs"] = [_job(row, hosted, policy) for row in rows["ci_jobs"]]
    rows["ci_deployments"] = [_guarded(row, rows, hosted, policy, complete) for row in rows["ci_deployments"]]
    rows["branch_commits"] = list(ancestry.branch_commits(rows, of, policy, complete))
    owners: dict[str, list[str]] = {}
    for project, key in of.items():
        owners.setdefault(key or "", []).append(project)
    for name in ("git_repositories", "branches", "git_environments"):
        rows[name] = [_attributed(row, name, owners, policy) for row in rows[name]]


def _addresses(rows: Mapping[str, Sequence[Fact]], policy: Policy) -> dict[str, str | None]:
    """The repository of each project: what the policy says, else the remote of the checkout."""
    found = {project.name: repository_url(project.repository or "") for project in policy.projects}
    for row in rows["repositories"]:
        if found.get(row.key) is None:
            found[row.key] = repository_url(row.__dict__.get("remote") or "")
    return found


def _add_unread(rows: dict[str, MutableSequence[Fact]], of: Mapping[str, str | None], complete: Completeness) -> None:
    """A row for the repository of each project that no host was asked about."""
    known = {row.key for row in rows["git_repositories"]}
    for project, key in of.items():
        if key in known:
            continue
        reason = f"nothing says where the repository of {project} is" if key is None else f"{key} was not asked of its Git host"
        remedy = f"set repository of the project {project} in the policy, and collect again"
        at = key or f"?{project}"
        known.add(at)
        rows["git_repositories"] = [*rows["git_repositories"], GitRepository(key=at, plane=_LIVE, project=project)]
        complete.gaps.append(Gap(Cause.NOT_ASKED, "branches", reason, remedy, _LIVE, project, at))
        for table in ("branches", "git_environments"):
            complete.hole(table, _LIVE, at, len(complete.gaps) - 1)


def _hosted(
    of_repository: Mapping[tuple[str, str], dict[str | None, Fact]], key: str | None, complete: Completeness
) -> _Hosted | None:
    repository = of_repository.get(("git_repositories", key or ""), {}).get(None)
    if key is None or repository is None:
        return None
    found: list[dict[str | None, Fact] | None] = []
    for table in ("branches", "git_environments"):
        named = of_repository.get((table, key), {})
        found.append(None if complete.gap_of(table, _LIVE, None, key) is not None else named)
    return _Hosted(repository, *found)


def _by_repository(rows: Mapping[str, Sequence[Fact]]) -> dict[tuple[str, str], dict[str | None, Fact]]:
    """Branches and environments by table and repository, by their names."""
    found: dict[tuple[str, str], dict[str | None, Fact]] = {}
    for table in ("git_repositories", "branches", "git_environments"):
        for row in rows[table]:
            if row.plane == _LIVE:
                found.setdefault((table, _repository_of(row)), {})[row.__dict__.get("name")] = row
    return found


def _repository_of(row: Fact) -> str:
    """The key of the repository that a row of a live plane is about."""
    if row.table == "git_environments":
        return str(row.__dict__["repository"])
    name = row.__dict__.get("name")
    return row.key if name is None else row.key[: -len(name) - 1]


def _filled(row: Fact, hosted: Mapping[str, _Hosted]) -> Fact:
    """A branch of a checkout, with what its host knows of its protection."""
    of = hosted.get(row.project or "")
    if row.plane != "declared" or of is None or of.branches is None:
        return row
    seen = of.branches.get(row.__dict__.get("name"))
    if seen is None:
        return row
    mine = row.__dict__
    more = {column: seen.__dict__.get(column) for column in _PROTECTION if mine.get(column) is None}
    return TABLES["branches"](**{**mine, **more})


def _job(row: Fact, hosted: Mapping[str, _Hosted], policy: Policy) -> Fact:
    """A CI job, with whether its environment needs an approval or admits only release refs."""
    values = row.__dict__
    of, environment = hosted.get(row.project or ""), values.get("environment")
    if row.plane != "declared" or values.get("environment_protected") is not None or of is None or environment in (None, "none"):
        return row
    system, _, name = str(environment).partition(":")
    if of.environments is None or of.repository.__dict__.get("system") != system:
        return row
    answer = _protects(_environment(of.environments, system, name), system, policy, row.project)
    return row if answer is None else TABLES["ci_jobs"](**{**values, "environment_protected": answer})


def _environment(environments: Mapping[str | None, Fact], system: str, name: str) -> Fact | None:
    names = [name if system == "gitlab" else name.lower()]
    if system == "azure":
        names.append(names[0].partition(".")[0])  # `environment.resource`
    return next((environments[one] for one in names if one in environments), None)


def _protects(environment: Fact | None, system: str, policy: Policy, project: str | None) -> bool | None:
    if environment is None:
        # GitHub makes an environment that nobody made, without protection. Elsewhere a token may not see all, or a group
        # may protect more.
        return False if system == "github" else None
    approval = environment.__dict__.get("needs_approval")
    admits = _admits_release_only(environment.__dict__.get("admits"), policy, project)
    return True if True in (approval, admits) else None if None in (approval, admits) else False


def _admits_release_only(admits: str | None, policy: Policy, project: str | None) -> bool | None:
    """Is every ref that these patterns admit a release ref?"""
    if admits is None:
        return None
    answers = {_is_release(pattern, policy, project) for pattern in admits.split() if pattern != "none"}
    return False if False in answers else None if None in answers else True


def _is_release(pattern: str, policy: Policy, project: str | None) -> bool | None:
    if pattern == "?":
        return None
    if literal(pattern):
        return ref_class(policy, project, pattern) == "release"
    # A glob of the policy that matches the pattern's own text, with nothing but `*` in it, matches all that the pattern does.
    plain = [glob for glob in release_refs(policy, project) if not set(glob) & set("?[")]
    if any(name_matcher(glob, fold=False)(pattern) for glob in plain):
        return True
    sample = pattern.replace("*", "x").replace("?", "x")
    return False if literal(sample) and ref_class(policy, project, sample) == "other" else None


def _guarded(
    row: Fact, rows: Mapping[str, Sequence[Fact]], hosted: Mapping[str, _Hosted], policy: Policy, complete: Completeness
) -> Fact:
    """A deployment, with whether it runs only for release branches that take changes after approval and checks."""
    values, of = row.__dict__, hosted.get(row.project or "")
    job = values.get("ci_job")
    if row.plane != "declared" or values.get("branch_guarded") is not None or of is None or job is None:
        return row
    reach = [one.__dict__ for one in rows["ci_reach"] if one.plane == row.plane and one.__dict__["ci_job"] == job]
    kinds = {one.get("ref_class") for one in reach}
    answer: bool | None = None
    if kinds & _NO_RELEASE:
        answer = False
    elif kinds == {"release"} and complete.gap_of("ci_reach", row.plane, row.project, job) is None:
        answer = _all_guarded(of, policy, row.project) if all(one.get("event") not in (None, "tag") for one in reach) else None
    return row if answer is None else TABLES["ci_deployments"](**{**values, "branch_guarded": answer})


def _all_guarded(of: _Hosted, policy: Policy, project: str | None) -> bool | None:
    """Do all release branches ask for an approval and a check? None where some do, since which one is meant is not known."""
    if of.branches is None:
        return None
    release = [b.__dict__ for name, b in of.branches.items() if name is not None and is_release(policy, project, name)]
    answers = {_asks(branch) for branch in release}
    return answers.pop() if len(answers) == 1 else None


def _asks(branch: Mapping[str, object]) -> bool | None:
    found = [None if (number := branch.get(name)) is None else int(str(number)) >= 1 for name in _PROTECTION[:2]]
    return False if False in found else None if None in found else True


def _attributed(row: Fact, table: str, owners: Mapping[str, list[str]], policy: Policy) -> Fact:
    """A row of a repository, given to a project of it: of several to one that releases from the branch."""
    if row.plane != _LIVE or row.project is not None:
        return row
    projects = owners.get(_repository_of(row), [])
    name = row.__dict__.get("name")
    releasing = [one for one in projects if table == "branches" and name and is_release(policy, one, name)]
    project = next(iter([*releasing, *projects]), None)
    return TABLES[table](**{**row.__dict__, "project": project}) if project is not None else row
