"""One repository on a Git host, as all hosts are asked about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lakewarden.facts.origin import Origin
from lakewarden.sources.platform.estate import now
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.errors import SourceError
    from lakewarden.sources.platform.wire.api import Api

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: The rate of these requests is the host's own affair; it says by Retry-After what it wants.
FAMILY = "git-host"


class GitRepository(NamedTuple):
    """A repository: its key (`https://host/path`), the host's API, and its path there."""

    key: str
    api: Api
    path: str

    def at(self, path: str) -> Origin:
        """The place of an answer."""
        return Origin(url=f"{self.api.host}{path}", time=now())


class Protection(NamedTuple):
    """What a branch asks of a change. What is None was not seen, for the reason that is given."""

    approvals: int | None = 0
    checks: int | None = 0
    force_push: bool | None = True
    deletion: bool | None = True
    missing: SourceError | None = None

    def and_also(self, other: Protection) -> Protection:
        """Both at once: the strictest of two rules counts."""
        return Protection(
            _most(self.approvals, other.approvals),
            _most(self.checks, other.checks),
            _both(self.force_push, other.force_push),
            _both(self.deletion, other.deletion),
            self.missing or other.missing,
        )


class SeenBranch(NamedTuple):
    """A branch with its newest commit, and its protection; None where nobody asked for it. `path` is that of the answer."""

    name: str
    head: str
    path: str
    protection: Protection | None = None


class SeenEnvironment(NamedTuple):
    """An environment. `admits` are patterns of refs, `missing` says why something is None."""

    name: str
    path: str
    needs_approval: bool | None
    admits: str | None
    missing: SourceError | None = None


class Host(Protocol):
    """A module that reads one kind of host. Everything raises a SourceError where an answer is not whole."""

    def branches(self, repository: GitRepository, wanted: Callable[[str], bool]) -> Iterator[SeenBranch]:
        """All branches; the protection of those that are wanted, and of the default branch."""

    def environments(self, repository: GitRepository) -> Iterator[SeenEnvironment]:
        """All environments that protect something."""

    def head(self, repository: GitRepository, branch: str) -> str:
        """The newest commit of a branch."""

    def tags(self, repository: GitRepository) -> Iterator[tuple[str, str]]:
        """All tags by their names, with their commits."""

    def is_ancestor(self, repository: GitRepository, commit: str, head: str) -> bool:
        """Is the commit in the history of the other? Names are not asked for: a tag may be called like a branch."""


def name_of(repository: GitRepository, row: dict[str, Any]) -> str:
    """The name of a branch or tag."""
    name = row.get("name")
    if not isinstance(name, str) or not name:
        raise Failed(f"{repository.key}: a branch or tag without a name", "run again; report it if it stays so")
    return name


def commit_of(repository: GitRepository, row: dict[str, Any], *names: str) -> str:
    """The commit that stands in a row under these names, one in the other."""
    value: Any = row
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str) or COMMIT.fullmatch(value.lower()) is None:
        raise Failed(f"{repository.key}: a branch or tag without a commit", "run again; report it if it stays so")
    return value.lower()


def flag(row: dict[str, object], name: str, about: str) -> bool:
    """A boolean that an answer must have."""
    value = row.get(name)
    if not isinstance(value, bool):
        raise Failed(f"{about}: the answer lacks `{name}`", "run again; report it if it stays so")
    return value


def _most(one: int | None, other: int | None) -> int | None:
    """The larger of two numbers; one that was not seen may be larger than none."""
    known = max(one or 0, other or 0)
    return known if known > 0 or None not in (one, other) else None


def _both(one: bool | None, other: bool | None) -> bool | None:
    """Something is allowed where both rules allow it."""
    return False if False in (one, other) else None if None in (one, other) else True
