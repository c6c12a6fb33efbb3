"""The history of the candidate's commit: is it on the release branch that the remote has now, who reviewed it, what did CI say?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.policy.attribute import project_named, project_of_model
from lakewarden.policy.repositories import repository_url
from lakewarden.sources.git_command import git
from lakewarden.sources.git_remote import Remote, address_of, published_refs
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.git_host.login import Hosts, git_header
from lakewarden.sources.platform.git_host.reviews import collect_commit
from lakewarden.sources.repository.ancestry import branch_commits, released_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.request import Request

_NAME_IT = "set repository of the project in the policy, or run the gate in a full checkout of it (`fetch-depth: 0`)"


def write_history(facts: Facts, policy: Policy, request: Request, root: str | None, requests: dict[str, int]) -> None:
    """Write ancestry, reviews and checks of every commit that the evidence names. `root` is a full checkout, None for none;
    `requests` counts what is asked of Git hosts.
    """
    address = _address(policy, request, root)
    hosts = Hosts()
    _write_ancestry(facts, policy, root, address)
    commits = {
        str(key): str(row.__dict__.get("commit"))
        for row in facts.rows["commit_evidence"]
        if (key := row.__dict__.get("commit_key")) not in (None, "none")
    }
    for key, commit in sorted(commits.items()):
        collect_commit(hosts, address, commit, key, policy, facts)
    _count(hosts.counts, requests)


def repositories_of(policy: Policy, request: Request, root: str | None) -> tuple[str, ...]:
    """The key of the project's repository on its Git host; none where nothing says where it is."""
    address = _address(policy, request, root)
    key = None if address is None else repository_url(address)
    return () if key is None else (key,)


def _address(policy: Policy, request: Request, root: str | None) -> str | None:
    project = project_named(policy, project_of_model(policy, request.name).project)
    return project.repository if project is not None and project.repository else _remote_of(root)


def _write_ancestry(facts: Facts, policy: Policy, root: str | None, address: str | None) -> None:
    """By the checkout, held against the refs that the remote has now; without a checkout by a fresh clone."""
    if address is None:
        reason = "nothing says where the project's repository is"
        facts.gap(Gap(Cause.NOT_ASKED, "branch_commits", reason, _NAME_IT, DEPLOYED))
        return
    try:
        if root is None:
            released_by(facts, policy, git_header)
            return
        where = address_of(address)
        published = published_refs(Remote(where, git_header(where)))
    except SourceError as problem:
        facts.gap(Gap(Cause(problem.cause), "branch_commits", problem.reason, problem.remedy, DEPLOYED))
        return
    branch_commits(facts, root, policy, published=published)


def _remote_of(root: str | None) -> str | None:
    """The address of the remote that a checkout comes from; None where it has none that is called origin."""
    if root is None:
        return None
    answer = git(root, ("config", "--get", "remote.origin.url"))
    return answer.line or None if answer.ok else None


def _count(counts: Mapping[str, int], requests: dict[str, int]) -> None:
    for family, count in counts.items():
        requests[family] = requests.get(family, 0) + count
