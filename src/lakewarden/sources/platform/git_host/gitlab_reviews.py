"""GitLab: the merge requests of a commit with their approvals, and the newest statuses of its jobs.

Source: the REST API v4 of GitLab (commits, merge requests, merge request approvals, notes, users).
An approval there is one of a merge request, not of a commit: it counts for the last commit where it came after the last push.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.people import (
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
from lakewarden.sources.platform.wire.errors import Failed, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.sources.platform.git_host.repository import GitRepository

_PAGE = {"per_page": 100}
_RIGHT = "the scope read_api and the role Reporter in the project to the token"
_APPROVED, _TOOK_BACK = "approved this merge request", "unapproved this merge request"
#: Accounts of tokens; their approvals are nobody's.
_BOT = re.compile(r"(?:project|group)_\d+_bot.*|service_account_.*|ghost", re.IGNORECASE)
_ENDED = frozenset({"success", "failed", "canceled", "skipped"})
#: So many addresses are looked up.
_MOST_ADDRESSES = 30


def changes(repository: GitRepository, commit: str) -> Iterator[SeenChange]:
    """The merge requests by which a commit came that were merged into a branch of this project."""
    project = f"/projects/{quote(repository.path, safe='')}"
    path = f"{project}/repository/commits/{commit}/merge_requests"
    for row in repository.api.linked(path, _PAGE, family=FAMILY, right=_RIGHT):
        if row.get("state") != "merged":
            continue
        number, into = str(row.get("iid")), needed(row, f"GET {path} on {repository.api.host}", "target_branch")
        where = f"{project}/merge_requests/{number}"
        try:
            approved, missing = _approved(repository, project, where, f"merge request {number} of {repository.key}", row)
        except SourceError as problem:
            approved, missing = None, problem
        yield SeenChange(number, into, approved, where, missing)


def _approved(
    repository: GitRepository, project: str, path: str, what: str, row: dict[str, Any]
) -> tuple[bool | None, SourceError | None]:
    approvals = _approvals(repository, path, what, row)
    if not approvals.sure and not approvals.doubtful:
        return False, None
    authors = _authors(repository, project, path, text_of(row, "author", "username"))
    answer = by_other(approvals, authors)
    return answer, why_unsure(what, approvals, authors) if answer is None else None


def _approvals(repository: GitRepository, path: str, what: str, row: dict[str, Any]) -> Approvals:
    """The approvals that came after the last push, and before the merge."""
    said = repository.api.get(f"{path}/approvals", family=FAMILY, right=_RIGHT).get("approved_by")
    if not isinstance(said, list):
        raise Failed(f"GET {path}/approvals on {repository.api.host} was answered without `approved_by`", "run again")
    given = {text_of(one, "user", "username").lower(): text_of(one, "approved_at") for one in said}
    given = {account: when for account, when in given.items() if account and not _BOT.fullmatch(account)}
    if not given:
        return Approvals(frozenset())
    pushed, merged = _last_push(repository, path, what, row), moment(text_of(row, "merged_at"), what)
    if not all(given.values()):  # older GitLabs tell the time in a note alone
        told = _times(repository, path)
        given = {account: when or told.get(account, "") for account, when in given.items()}
    sure = {account for account, when in given.items() if when and pushed <= moment(when, what) <= merged}
    return Approvals(frozenset(sure), frozenset(account for account, when in given.items() if not when))


def _last_push(repository: GitRepository, path: str, what: str, row: dict[str, Any]) -> str:
    versions = list(repository.api.linked(f"{path}/versions", _PAGE, family=FAMILY, right=_RIGHT))
    times = [moment(text_of(one, "created_at"), what) for one in versions if text_of(one, "head_commit_sha")]
    if not times or text_of(row, "sha") not in {text_of(one, "head_commit_sha") for one in versions}:
        raise Failed(f"{what}: no version of it holds its last commit", "run again; report it if it stays so")
    return max(times)


def _times(repository: GitRepository, path: str) -> dict[str, str]:
    """When whoever approves approved last, by the notes that GitLab writes of it."""
    found: dict[str, str] = {}
    query = {**_PAGE, "sort": "asc", "order_by": "created_at"}
    for note in repository.api.linked(f"{path}/notes", query, family=FAMILY, right=_RIGHT):
        if note.get("system") is True and note.get("body") in (_APPROVED, _TOOK_BACK):
            account = text_of(note, "author", "username").lower()
            found[account] = text_of(note, "created_at") if note["body"] == _APPROVED else ""
    return found


def _authors(repository: GitRepository, project: str, path: str, opener: str) -> Authors:
    """Whoever wrote a commit, or put it there, and who opened the merge request."""
    rows = list(repository.api.linked(f"{path}/commits", _PAGE, family=FAMILY, right=_RIGHT))
    if not rows or not opener:
        raise Failed(f"GET {path}/commits on {repository.api.host} told nobody who wrote it", "run again")
    addresses = {
        text_of(row, f"{role}_email").lower() or f"an unknown {role}" for row in rows for role in ("author", "committer")
    }
    addresses.update(address for row in rows for address in co_authors(text_of(row, "message")))
    found = settled({opener}, addresses, {})
    known = {
        address: account for address in sorted(found.addresses)[:_MOST_ADDRESSES] if (account := _account(repository, address))
    }
    found = settled(found.accounts, found.addresses, known)
    # Where GitLab itself takes no approval of whoever wrote it, an address that no account shows does not matter.
    return found._replace(addresses=frozenset()) if found.addresses and _refuses_own(repository, project) else found


def _account(repository: GitRepository, address: str) -> str | None:
    """The account that shows this address to everybody."""
    if "@" not in address:
        return None
    rows = list(repository.api.linked("/users", {**_PAGE, "search": address}, family=FAMILY, right=_RIGHT))
    shown = [row for row in rows if address in {text_of(row, name).lower() for name in ("public_email", "email", "commit_email")}]
    return text_of(shown[0], "username") or None if len(shown) == 1 else None


def _refuses_own(repository: GitRepository, project: str) -> bool:
    """Does the project take no approval of authors and of people who add commits?"""
    try:
        said = repository.api.get(f"{project}/approvals", family=FAMILY, right=_RIGHT)
    except (Missing, Refused):
        return False
    return said.get("merge_requests_author_approval") is False and said.get("merge_requests_disable_committers_approval") is True


def checks(repository: GitRepository, commit: str, _wanted: Callable[[str], bool]) -> Iterator[SeenCheck]:
    """The newest statuses of a commit: those of its jobs, and those that others reported."""
    path = f"/projects/{quote(repository.path, safe='')}/repository/commits/{commit}/statuses"
    for row in repository.api.linked(path, _PAGE, family=FAMILY, right=_RIGHT):
        state = row.get("status")
        name, when = needed(row, f"a status of {commit}", "name"), needed(row, f"a status of {commit}", "created_at")
        yield SeenCheck(name, state == "success" if state in _ENDED else None, when, path)
