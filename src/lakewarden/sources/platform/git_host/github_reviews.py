"""GitHub: the pull requests of a commit with their approvals, its check runs and its statuses.

Source: the REST API of GitHub, version 2022-11-28 (commits, pulls, reviews, checks, commit statuses, collaborators).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.github import counted
from lakewarden.sources.platform.git_host.people import (
    LAST,
    Approvals,
    Authors,
    by_other,
    co_authors,
    moment,
    needed,
    settled,
    text_of,
    why_unsure,
)
from lakewarden.sources.platform.git_host.repository import FAMILY
from lakewarden.sources.platform.git_host.reviews import SeenChange, SeenCheck
from lakewarden.sources.platform.wire.errors import Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.sources.platform.git_host.repository import GitRepository

_ALL = {"per_page": 100}
_PULLS = "Pull requests (read) of the repository to the token"
_CONTENTS = "Contents (read) of the repository to the token"
_CHECKS = "Checks (read) of the repository to the token"
_STATUSES = "Commit statuses (read) of the repository to the token"
_METADATA = "Metadata (read) of the repository to the token"
#: Reviews that settle what a reviewer thinks; comments do not.
_OPINIONS = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
#: Who surely may write: anybody may approve in a public repository, and it counts for nothing there.
_MEMBERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_WRITERS = frozenset({"admin", "maintain", "write"})
#: GitHub itself, where somebody used its pages, and the account that stands for all that are gone.
_ITSELF, _GONE = "web-flow", "ghost"


def changes(repository: GitRepository, commit: str) -> Iterator[SeenChange]:
    """The pull requests by which a commit came that were merged into a branch of this repository."""
    path = f"/repos/{repository.path}/commits/{commit}/pulls"
    for row in repository.api.linked(path, _ALL, family=FAMILY, right=_PULLS):
        about = f"GET {path} on {repository.api.host}"
        # A commit is shared with forks, whose pull requests are somebody else's affair.
        here = needed(row, about, "base", "repo", "full_name").lower() == repository.path.lower()
        merged = text_of(row, "merged_at")
        if not here or not merged:
            continue
        number, into = str(row.get("number")), needed(row, about, "base", "ref")
        where = f"/repos/{repository.path}/pulls/{number}"
        try:
            approved, missing = _approved(repository, where, f"pull request {number} of {repository.key}", merged)
        except SourceError as problem:
            approved, missing = None, problem
        yield SeenChange(number, into, approved, where, missing)


def _approved(repository: GitRepository, path: str, what: str, merged: str) -> tuple[bool | None, SourceError | None]:
    detail = repository.api.get(path, family=FAMILY, right=_PULLS)
    last: dict[str, dict[str, Any]] = {}
    for review in repository.api.linked(f"{path}/reviews", _ALL, family=FAMILY, right=_PULLS):
        if review.get("state") in _OPINIONS:
            last[text_of(review, "user", "login").lower() or _GONE] = review
    newest, until = needed(detail, what, "head", "sha"), moment(merged, what)
    given = {account: one for account, one in last.items() if _is_approval(one, newest, until, what)}
    if not given:
        return False, None
    authors = _authors(_commits(repository, path, detail), text_of(detail, "user", "login"))
    approvals = _counting(repository, given, authors)
    answer = by_other(approvals, authors)
    return answer, why_unsure(what, approvals, authors) if answer is None else None


def _commits(repository: GitRepository, path: str, detail: dict[str, Any]) -> list[dict[str, Any]]:
    """The commits of a pull request. GitHub lists 250 of them; beyond that a comparison does."""
    rows = list(repository.api.linked(f"{path}/commits", _ALL, family=FAMILY, right=_PULLS))
    number = detail.get("commits")
    if not isinstance(number, int) or number > len(rows):
        base, head = needed(detail, path, "base", "sha"), needed(detail, path, "head", "sha")
        compare = f"/repos/{repository.path}/compare/{base}...{head}"
        rows = list(counted(repository, compare, "commits", right=_CONTENTS, total="total_commits"))
    if not rows or (isinstance(number, int) and number > len(rows)):
        raise Truncated(f"GET {path}/commits on {repository.api.host}: {len(rows)} of {number} commits came", "run again")
    return rows


def _authors(rows: list[dict[str, Any]], opener: str) -> Authors:
    """Whoever wrote a commit, or put it there, and who opened the pull request."""
    accounts, addresses, known = {opener} - {""}, set[str](), dict[str, str]()
    for row in rows:
        for role in ("author", "committer"):
            account, address = text_of(row, role, "login"), text_of(row, "commit", role, "email").lower()
            if account == _ITSELF or (role == "committer" and not account and address == "noreply@github.com"):
                continue
            if account:
                accounts.add(account)
                known[address] = account
            else:
                addresses.add(address or f"an unknown {role}")
        addresses.update(co_authors(text_of(row, "commit", "message")))
    return settled(accounts, addresses, known)


def _is_approval(review: dict[str, Any], newest: str, merged: str, what: str) -> bool:
    """Is it a person's approval of the last commit, from before the merge?"""
    if review.get("state") != "APPROVED" or review.get("commit_id") != newest or text_of(review, "user", "type") == "Bot":
        return False
    return moment(text_of(review, "submitted_at"), what) <= merged


def _counting(repository: GitRepository, given: dict[str, dict[str, Any]], authors: Authors) -> Approvals:
    """The approvals of people who may write."""
    sure, doubtful = set[str](), set[str]()
    for account, review in given.items():
        if account == _GONE:
            doubtful.add(account)
        elif review.get("author_association") in _MEMBERS:
            sure.add(account)
        elif account not in authors.accounts:
            # Whether somebody is a member may be hidden from this token.
            path = f"/repos/{repository.path}/collaborators/{quote(account, safe='')}/permission"
            try:
                may = repository.api.get(path, family=FAMILY, right=_METADATA).get("permission")
            except SourceError:
                doubtful.add(account)
                continue
            if may in _WRITERS:
                sure.add(account)
    return Approvals(frozenset(sure), frozenset(doubtful))


def checks(repository: GitRepository, commit: str, _wanted: Callable[[str], bool]) -> Iterator[SeenCheck]:
    """All check runs and statuses of a commit."""
    path = f"/repos/{repository.path}/commits/{commit}"
    for row in counted(repository, f"{path}/check-runs", "check_runs", right=_CHECKS):
        ended = row.get("status") == "completed"
        when = text_of(row, "started_at") or text_of(row, "completed_at") or LAST
        yield SeenCheck(
            needed(row, f"a check of {commit}", "name"),
            row.get("conclusion") == "success" if ended else None,
            when,
            f"{path}/check-runs",
        )
    for row in counted(repository, f"{path}/status", "statuses", right=_STATUSES):
        state, when = row.get("state"), text_of(row, "updated_at") or text_of(row, "created_at") or LAST
        done = None if state == "pending" else state == "success"
        yield SeenCheck(needed(row, f"a status of {commit}", "context"), done, when, f"{path}/status")
