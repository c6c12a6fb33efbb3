"""Which release refs of a repository contain the commits that were deployed or trained, by the Git host's own compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.version_control import CommitRef
from lakewarden.policy.globs import any_name
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.git_host.repository import COMMIT
from lakewarden.sources.platform.wire.errors import Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.platform.git_host.login import Connected

_NAMED_BY = ("deployments", "commit_evidence", "run_commit")
#: A commit that is not on every branch is looked for in as many tags.
_MOST_TAGS = 30


def commits_of(facts: Facts) -> list[str]:
    """The commits that live planes name."""
    keys = {row.__dict__.get("commit_key") for table in _NAMED_BY for row in facts.rows[table] if row.plane != "declared"}
    commits = {str(key).rpartition("@")[2].lower() for key in keys if key is not None}
    return sorted(commit for commit in commits if COMMIT.fullmatch(commit))


def write_refs(connected: Connected, heads: dict[str, str], globs: tuple[str, ...], facts: Facts) -> None:
    """Ask of each commit which branches that may be release branches contain it; if not all do, which such tags do.

    `heads` are the newest commits of the branches.
    """
    repository = connected.repository
    commits = commits_of(facts)
    branches = [(name, head) for name, head in sorted(heads.items()) if any_name(globs, name, fold=False)]
    with facts.listing("commit_refs", plane=DEPLOYED, of=repository.key, origin=repository.at("")):
        tags: list[tuple[str, str]] | None = None
        for commit in commits:
            # Each to its end: a project may be released from another branch, or by another tag, than the next.
            on = list(_asked(connected, commit, branches, facts))
            if on and all(on):
                continue
            if tags is None:
                named = connected.host.tags(repository)
                tags = [(f"refs/tags/{name}", head) for name, head in named if any_name(globs, name, fold=False)]
            on = list(_asked(connected, commit, tags[:_MOST_TAGS], facts))
            if len(tags) > _MOST_TAGS:
                reason = f"{repository.key} has {len(tags)} release tags, too many to compare each with {commit}"
                raise Truncated(reason, "audit with --repository DIR")


def _asked(connected: Connected, commit: str, refs: list[tuple[str, str]], facts: Facts) -> Iterator[bool]:
    repository = connected.repository
    for ref, head in refs:
        contains = connected.host.is_ancestor(repository, commit, head)
        facts.add(
            CommitRef(
                key=f"{repository.key}/commits/{commit}/{ref}",
                plane=DEPLOYED,
                origin=repository.at(""),
                repository=repository.key,
                commit=commit,
                ref=ref,
                contains=contains,
            )
        )
        yield contains
