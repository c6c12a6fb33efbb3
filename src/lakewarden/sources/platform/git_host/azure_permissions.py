"""Who may go around the policies of a branch in Azure DevOps, by permission.

Sources: the REST API 7.0 of Azure DevOps ("Access Control Lists - Query") and the namespace Git Repositories of "Security
namespaces and permissions". By default nobody holds these permissions, admins included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.repository import FAMILY, GitRepository, Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMESPACE = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
#: "Bypass policies when pushing" and "Bypass policies when completing pull requests".
_BYPASS = 128 | 32768
_ROOT = "repoV2"
_RIGHT = "the scope Security (manage) to the token, which shows permissions"


def bypassed(repository: GitRepository, about: dict[str, Any]) -> SourceError | None:
    """Why policies may not hold; None where nobody may bypass them. `about` is what the host says of the repository."""
    project, number = str((about.get("project") or {}).get("id")).lower(), str(about.get("id")).lower()
    mine = f"{_ROOT}/{project}/{number}".lower()
    try:
        holders = {who for token, who in _holders(repository, f"{_ROOT}/{project}") if _meets(token, mine)}
    except SourceError as problem:
        reason = f"who may bypass the policies of {repository.key} is not shown: {problem.reason}"
        return SourceError("unresolved", reason, f"grant {_RIGHT}")
    if not holders:
        return None
    reason = f"{len(holders)} groups or people may bypass the policies of {repository.key} by permission"
    return SourceError("unresolved", reason, "take the permissions to bypass policies from them")


def perhaps(found: Protection, why: SourceError) -> Protection:
    """What policies ask, if they hold."""
    return Protection(None if found.approvals else 0, None if found.checks else 0, None, None, why)


def _holders(repository: GitRepository, project: str) -> Iterator[tuple[str, str]]:
    """Where somebody has the permission, and who: in the project and its repositories, and above."""
    organization = repository.path.partition("/_git/")[0].rpartition("/")[0]
    path = (
        f"/{quote(organization)}/_apis/accesscontrollists/{_NAMESPACE}"
        if organization
        else f"/_apis/accesscontrollists/{_NAMESPACE}"
    )
    for token, below in ((project, "true"), (_ROOT, "false")):
        query = {"api-version": "7.0", "token": token, "recurse": below}
        for row in repository.api.pages(path, "value", query, family=FAMILY, right=_RIGHT):
            for who, entry in (row.get("acesDictionary") or {}).items():
                if int(entry.get("allow") or 0) & _BYPASS:
                    yield str(row.get("token")).strip("/").lower(), who


def _meets(token: str, mine: str) -> bool:
    """Is a permission there one on the repository: given above it, on it, or on a branch of it?"""
    return token == mine or mine.startswith(f"{token}/") or token.startswith(f"{mine}/")
