"""The history of the candidate's commit: is it on the release branch that the remote has now, who reviewed it, what did CI say?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.policy.repositories import repository_url
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.gate.remotes import NAME_IT, NOWHERE, Remotes, address_of_project
from lakewarden.sources.platform.git_host.login import Hosts, git_header
from lakewarden.sources.platform.git_host.reviews import collect_commit
from lakewarden.sources.repository.ancestry import branch_commits, released_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.request import Request


def write_history(
    facts: Facts, policy: Policy, request: Request, root: str | None, requests: dict[str, int], remotes: Remotes
) -> None:
    """Write ancestry, reviews and checks of every commit that the evidence names. `root` is a full checkout, None for none;
    `requests` counts what is asked of Git hosts.
    """
    address = address_of_project(policy, request, root)
    hosts = Hosts()
    _write_ancestry(facts, policy, root, address, remotes)
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
    address = address_of_project(policy, request, root)
    key = None if address is None else repository_url(address)
    return () if key is None else (key,)


def _write_ancestry(facts: Facts, policy: Policy, root: str | None, address: str | None, remotes: Remotes) -> None:
    """By the checkout, held against the refs that the remote has now; without a checkout by a fresh clone."""
    if address is None:
        facts.gap(Gap(Cause.NOT_ASKED, "branch_commits", NOWHERE, NAME_IT, DEPLOYED))
        return
    try:
        if root is None:
            released_by(facts, policy, git_header)
            return
        published = remotes.first(address)
    except SourceError as problem:
        facts.gap(Gap(Cause(problem.cause), "branch_commits", problem.reason, problem.remedy, DEPLOYED))
        return
    branch_commits(facts, root, policy, published=published)


def _count(counts: Mapping[str, int], requests: dict[str, int]) -> None:
    for family, count in counts.items():
        requests[family] = requests.get(family, 0) + count
