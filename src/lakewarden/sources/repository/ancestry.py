"""Whether commits that were deployed or trained are on the release branch, by a full clone and its ancestry, never by names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.version_control import BranchCommit
from lakewarden.policy.attribute import ref_class
from lakewarden.sources.git_command import git
from lakewarden.sources.repository.git import read_checkout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DEEP = "make a full clone: `fetch-depth: 0` in actions/checkout, `GIT_DEPTH: 0` in GitLab"
#: The tables that name commits.
_NAMED_BY = ("deployments", "commit_evidence", "run_commit")


class _Clone(NamedTuple):
    """A clone: its folder, the refs of the remote by their full names, and why it may not know all of them."""

    root: str
    refs: dict[str, str]
    narrow: str


def branch_commits(facts: Facts, root: str, policy: Policy) -> None:
    """Write, for each commit that a live plane names, whether it is an ancestor of a release ref of its project."""
    keys: dict[str, set[str]] = {}
    for table in _NAMED_BY:
        for row in facts.rows[table]:
            key = row.__dict__.get("commit_key")
            if row.plane != "declared" and key not in (None, "none"):
                keys.setdefault(row.plane, set()).add(str(key))
    for plane in sorted(keys):
        with facts.listing("branch_commits", plane=plane):
            clone = _clone(root)
            for key in sorted(keys[plane]):
                answer, why, remedy = _is_released(clone, key, policy)
                if answer is None:
                    facts.gap(Gap(Cause.UNRESOLVED, "branch_commits", why, remedy, plane, parent=key, value=True))
                facts.add(BranchCommit(key=key, plane=plane, is_ancestor=answer))


def _clone(root: str) -> _Clone:
    checkout = read_checkout(root)
    if checkout.shallow:
        raise SourceError("truncated", "the clone is shallow: what is on the release branch cannot be told", _DEEP)
    answer = git(root, ("remote",))
    remotes = answer.line.split() if answer.ok else []
    remote = "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None
    if remotes and remote is None:
        raise SourceError(
            "failed", "the clone has several remotes and none is called origin", "make a clone of the project's repository"
        )
    # What stands in a branch of this clone alone was released by nobody.
    heads = "refs/heads/" if remote is None else f"refs/remotes/{remote}/"
    listing = git(root, ("for-each-ref", "--format=%(refname)", heads, "refs/tags/"))
    if not listing.ok:
        raise SourceError(
            "failed", f"Git cannot list the refs of the clone: {listing.error}", f"run `git -C {root} for-each-ref`"
        )
    refs = {ref: ref.removeprefix(heads).removeprefix("refs/tags/") for ref in listing.line.splitlines()}
    refs.pop(f"{heads}HEAD", None)
    return _Clone(root, refs, checkout.narrow)


def _is_released(clone: _Clone, key: str, policy: Policy) -> tuple[bool | None, str, str]:
    """Is the commit of a key on a release ref? None with the reason and what to do."""
    project, _, commit = key.rpartition("@")
    if _COMMIT.fullmatch(commit) is None:
        return None, f"{commit} is no whole commit id", "record all 40 digits of the commit"
    # A commit that nobody gave to a project has to be released by the rules of all of them.
    projects: Iterable[str | None] = [project] if project else [one.name for one in policy.projects] or [None]
    released = [{ref for ref, name in clone.refs.items() if ref_class(policy, one, name) == "release"} for one in projects]
    if not all(released):
        return None, "the clone has no release branch", "fetch all branches, or name the branch under release_refs in the policy"
    holding = git(clone.root, ("for-each-ref", "--format=%(refname)", f"--contains={commit}"))
    if not holding.ok:
        why = f"commit {commit} is not in the clone: it was never pushed, or is of another repository"
        return None, why, "fetch all branches, or give the project's own repository with --repository"
    on = set(holding.line.splitlines())
    answers = {bool(refs & on) for refs in released}
    if answers == {True}:
        return True, "", ""
    if len(answers) > 1:
        return (
            None,
            f"commit {commit} is released by some projects of the policy only",
            "give each project its repository and bundles",
        )
    return (None, clone.narrow, _DEEP) if clone.narrow else (False, "", "")
