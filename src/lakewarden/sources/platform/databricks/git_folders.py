"""The Git folders that jobs run from: the commit that is checked out in each is what is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.databricks.workloads import workloads
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.wire.errors import Disabled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.sources.platform.estate import Estate

PATH = "/api/2.0/repos"
_FAMILY = "workspace-files"
_RIGHT = "CAN_MANAGE on Git folders"
_TOKEN = "next_page_token"  # noqa: S105 (it goes by this name both ways)
_LEGACY = "/Repos/"
#: Code that is in no Git folder: that of the bundle, of the job's own Git source, of nothing, or outside the workspace's files.
_ELSEWHERE = frozenset({"deployed", "git", "none", "dbfs"})


class GitFolder(NamedTuple):
    """A Git folder: its id and path, what is checked out, and the principals that jobs run its code as, None for one not known."""

    number: str
    path: str
    commit: str | None
    url: str | None
    runs_as: frozenset[str | None]


class Used(NamedTuple):
    """The Git folders that jobs run from, and why there may be more of them."""

    folders: tuple[GitFolder, ...]
    problems: tuple[SourceError, ...]


def git_folders(estate: Estate) -> Used:
    """The Git folders that the code of jobs and pipelines lies in (SDK, `repos.list`). Nothing is asked where no code may lie in one.

    Raises:
        SourceError: the list cannot be read.
    """
    return once(estate, "git folders", lambda: _used(estate))


def _used(estate: Estate) -> Used:
    runs_as = {one.key: one.run_as.key for one in workloads(estate)}
    paths: dict[str, set[str | None]] = {}
    for row in estate.facts.rows["tasks"]:
        values = row.__dict__
        path = values.get("code_path")
        mine = row.plane == DEPLOYED and values.get("job") in runs_as and values.get("code_place") not in _ELSEWHERE
        if mine and isinstance(path, str) and path.startswith("/"):
            paths.setdefault(_plain(path), set()).add(runs_as[values["job"]])
    if not paths:
        return Used((), ())
    try:
        listed = list(estate.api.pages(PATH, "repos", family=_FAMILY, right=_RIGHT, token_in=_TOKEN))
    except Disabled:
        listed = []
    return _matched({_plain(str(row["path"])): row for row in listed if row.get("path") and row.get("id")}, paths)


def _matched(listed: dict[str, dict[str, Any]], paths: dict[str, set[str | None]]) -> Used:
    used: dict[str, set[str | None]] = {}
    problems: list[SourceError] = []
    for path, runs_as in sorted(paths.items()):
        folder = next((above for above in _above(path) if above in listed), None)
        if folder is not None:
            used.setdefault(folder, set()).update(runs_as)
        elif path.startswith(_LEGACY):  # there is nothing but Git folders there
            reason = f"no Git folder is listed that {path} lies in"
            problems.append(
                SourceError(Cause.REFUSED.value, reason, "give the auditor CAN_MANAGE on it, or deploy with a bundle")
            )
    return Used(tuple(_folder(listed[path], path, runs_as) for path, runs_as in sorted(used.items())), tuple(problems))


def _folder(row: dict[str, Any], path: str, runs_as: Iterable[str | None]) -> GitFolder:
    return GitFolder(str(row["id"]), path, row.get("head_commit_id") or None, row.get("url") or None, frozenset(runs_as))


def _plain(path: str) -> str:
    """A path as both APIs write it: `/Workspace` may stand before it or not."""
    return path.removeprefix("/Workspace").rstrip("/")


def _above(path: str) -> Iterable[str]:
    while path:
        path = path.rpartition("/")[0]
        if path:
            yield path
