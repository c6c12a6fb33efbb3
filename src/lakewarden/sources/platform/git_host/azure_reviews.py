"""Azure DevOps: the pull requests of a commit with their votes, its statuses, and the builds of pipelines on it.

Source: the REST API 7.0 of Azure DevOps (pull request query, iterations, threads, commits, statuses, builds). A vote is one of
a pull request, not of a commit: it counts for the last commit where it came after the last push, which system threads tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.azure_devops import BUILD, CODE, HEADS, VERSION, pages_of, project_of
from lakewarden.sources.platform.git_host.people import (
    LAST,
    Approvals,
    Authors,
    by_other,
    moment,
    needed,
    settled,
    text_of,
    why_unsure,
)
from lakewarden.sources.platform.git_host.repository import FAMILY
from lakewarden.sources.platform.git_host.reviews import SeenChange, SeenCheck
from lakewarden.sources.platform.wire.errors import Failed, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.sources.platform.git_host.repository import GitRepository

#: Votes that approve, with suggestions or without.
_APPROVING = frozenset({5, 10})
_VOTE, _VOTED = "VoteUpdate", "CodeReviewVoteResult"
#: Where a thread names the voter: in its list of identities, formerly by the id itself.
_VOTER, _VOTER_ID = "CodeReviewVotedByIdentity", "CodeReviewVotedByTfId"
#: Commits of a pull request whose pusher is asked for, and builds of a pipeline that are looked through.
_MOST_COMMITS, _MOST_BUILDS = 100, 1000


def changes(repository: GitRepository, commit: str) -> Iterator[SeenChange]:
    """The pull requests by which a commit came that were completed in this repository."""
    root, name = project_of(repository)
    path = f"{root}/git/repositories/{name}"
    queries = [{"type": kind, "items": [commit]} for kind in ("lastMergeCommit", "commit")]
    results = repository.api.pages(
        f"{path}/pullrequestquery",
        "results",
        VERSION,
        family=FAMILY,
        right=CODE,
        method="POST",
        body={"queries": queries},
    )
    found = {
        str(row.get("pullRequestId")): row
        for result in results
        for key, rows in result.items()
        if key.lower() == commit
        for row in rows
    }
    for number, row in sorted(found.items()):
        if row.get("status") != "completed":
            continue
        into = needed(row, f"pull request {number} of {repository.key}", "targetRefName").removeprefix(HEADS)
        where = f"{path}/pullRequests/{number}"
        try:
            approved, missing = _approved(repository, where, f"pull request {number} of {repository.key}")
        except SourceError as problem:
            approved, missing = None, problem
        yield SeenChange(number, into, approved, where, missing)


def _approved(repository: GitRepository, path: str, what: str) -> tuple[bool | None, SourceError | None]:
    row = repository.api.get(path, VERSION, family=FAMILY, right=CODE)
    iterations = list(pages_of(repository, f"{path}/iterations", VERSION, CODE))
    if not iterations:
        raise Failed(f"{what} has no iteration", "run again; report it if it stays so")
    approvals = _approvals(repository, path, what, row, iterations)
    if not approvals.sure and not approvals.doubtful:
        return False, None
    authors = _authors(repository, path, what, row, iterations)
    answer = by_other(approvals, authors)
    return answer, why_unsure(what, approvals, authors) if answer is None else None


def _approvals(
    repository: GitRepository, path: str, what: str, row: dict[str, Any], iterations: list[dict[str, Any]]
) -> Approvals:
    """Who approves it and did so after the last push."""
    approving = {
        needed(one, what, "id").lower()
        for one in row.get("reviewers") or ()
        if one.get("vote") in _APPROVING and one.get("isContainer") is not True
    }
    if not approving:
        return Approvals(frozenset())
    pushed = max(moment(needed(one, what, "createdDate"), what) for one in iterations)
    voted: dict[str, tuple[str, str]] = {}
    for thread in pages_of(repository, f"{path}/threads", VERSION, CODE):
        properties = thread.get("properties")
        if text_of(properties, "CodeReviewThreadType", "$value") == _VOTE:
            named = text_of(thread, "identities", text_of(properties, _VOTER, "$value"), "id")
            voter = (named or text_of(properties, _VOTER_ID, "$value")).lower()
            at = (moment(text_of(thread, "publishedDate"), what), str((properties or {}).get(_VOTED, {}).get("$value")))
            voted[voter] = max(at, voted.get(voter, ("", "")))
    told = {voter: when for voter, (when, vote) in voted.items() if vote in {str(one) for one in _APPROVING}}
    sure = {one for one in approving if told.get(one, "") >= pushed}
    return Approvals(frozenset(sure), frozenset(one for one in approving if one not in told))


def _authors(repository: GitRepository, path: str, what: str, row: dict[str, Any], iterations: list[dict[str, Any]]) -> Authors:
    """Whoever opened it, pushed to it, or wrote a commit; where an address is no account's, whoever pushed that commit first."""
    people = [row.get("createdBy"), *(one.get("author") for one in iterations)]
    accounts = {needed(one, what, "id") for one in people}
    known = {text_of(one, "uniqueName").lower(): text_of(one, "id") for one in (*people, *(row.get("reviewers") or ()))}
    commits = list(pages_of(repository, f"{path}/commits", VERSION, CODE))
    if not commits:
        raise Failed(f"{what} has no commit", "run again; report it if it stays so")
    addresses = set[str]()
    asked = 0
    for one in commits:
        strangers = {
            address
            for role in ("author", "committer")
            if (address := text_of(one, role, "email").lower()) and address not in known
        }
        accounts.update(
            known[address] for role in ("author", "committer") if (address := text_of(one, role, "email").lower()) in known
        )
        if not strangers:
            continue
        asked += 1
        pusher = _pusher(repository, path, needed(one, what, "commitId")) if asked <= _MOST_COMMITS else ""
        if pusher:
            accounts.add(pusher)
        else:
            addresses |= strangers
    return settled(accounts, addresses, known)


def _pusher(repository: GitRepository, path: str, commit: str) -> str:
    """The account that brought a commit to the repository."""
    where = f"{path.rpartition('/pullRequests/')[0]}/commits/{commit}"
    return text_of(repository.api.get(where, VERSION, family=FAMILY, right=CODE), "push", "pushedBy", "id")


def checks(repository: GitRepository, commit: str, wanted: Callable[[str], bool]) -> Iterator[SeenCheck]:
    """The newest statuses of a commit, by name and by genre/name, and the newest build of each pipeline that is wanted."""
    root, name = project_of(repository)
    path = f"{root}/git/repositories/{name}"
    query = {**VERSION, "latestOnly": True, "top": 1000}
    for row in pages_of(repository, f"{path}/commits/{commit}/statuses", query, CODE):
        label, genre = needed(row, f"a status of {commit}", "context", "name"), text_of(row, "context", "genre")
        state, when = row.get("state"), text_of(row, "creationDate") or LAST
        done = None if state in (None, "pending", "notSet") else state == "succeeded"
        for one in (label, f"{genre}/{label}") if genre else (label,):
            yield SeenCheck(one, done, when, f"{path}/commits/{commit}/statuses")
    number = needed(repository.api.get(path, VERSION, family=FAMILY, right=CODE), repository.key, "id")
    for row in pages_of(repository, f"{root}/build/definitions", VERSION, BUILD):
        label = needed(row, "a pipeline", "name")
        if wanted(label):
            found = _build(repository, root, number, row, commit)
            if found is not None:
                yield found._replace(name=label)


def _build(repository: GitRepository, root: str, number: str, pipeline: dict[str, Any], commit: str) -> SeenCheck | None:
    """The newest build of a pipeline on a commit."""
    path = f"{root}/build/builds"
    query = {
        **VERSION,
        "definitions": pipeline.get("id"),
        "repositoryId": number,
        "repositoryType": "TfsGit",
        "queryOrder": "queueTimeDescending",
        "$top": 200,
    }
    for read, row in enumerate(pages_of(repository, path, query, BUILD)):
        if text_of(row, "sourceVersion").lower() == commit:
            done = row.get("result") == "succeeded" if row.get("status") == "completed" else None
            return SeenCheck("", done, text_of(row, "queueTime") or LAST, path)
        if read >= _MOST_BUILDS:
            reason = f"the last {_MOST_BUILDS} builds of {pipeline.get('name')} hold none of {commit}"
            raise Truncated(reason, "let the pipeline run on the commit again")
    return None
