"""Whether commits that were deployed or trained are on the release branch, by the history of a clone, never by names.

Five things make a clone say what is not so, and none of them is believed: a history that is cut off, replaced objects, grafts
(`sources.git_command` switches both off), a tag that is called like the branch, and a remote-tracking ref that was moved. The
last is seen only by asking the remote: give `published`. `released_by` asks a fresh clone instead, which nobody can have changed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.version_control import BranchCommit
from lakewarden.policy.attribute import is_release, project_named
from lakewarden.sources.git_command import git
from lakewarden.sources.git_remote import HEADS, TAGS, Remote, address_of, fresh_clone, short
from lakewarden.sources.repository.git import read_checkout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DEEP = "make a full clone: `fetch-depth: 0` in actions/checkout, `GIT_DEPTH: 0` in GitLab"
_WHOLE = "record all 40 digits of the commit"
#: The tables that name commits.
_NAMED_BY = ("deployments", "commit_evidence", "run_commit")
#: A file of Git that repeats who is whose parent, and is not checked when it is read.
_BY_OBJECTS = ("-c", "core.commitGraph=false")

#: Is it released, and if that is not known, why, and what to do.
_Told = tuple["bool | None", str, str]


class _Clone(NamedTuple):
    """A clone: its folder, the names of the release refs that it has with their commits, and why it may not know all of them."""

    root: str
    refs: dict[str, str]
    narrow: str


def branch_commits(facts: Facts, root: str, policy: Policy, *, published: Mapping[str, str] | None = None) -> None:
    """Write, for each commit that a live plane names, whether it is an ancestor of a release ref of its project, by a clone.

    `published` are the refs of the remote (`git_remote.published_refs`), and then they are what counts. Without them the clone
    is believed where its remote-tracking refs and tags are.
    """
    for plane, keys in _named(facts).items():
        with facts.listing("branch_commits", plane=plane):
            clone = _clone(root, published)
            for key in keys:
                _write(facts, plane, key, _is_released(clone, key, policy))


def released_by(facts: Facts, policy: Policy, header_of: Callable[[str], str] = lambda _url: "") -> None:
    """Write the same by a fresh clone of the repository that the policy names for the project. `header_of` gives the header by
    which Git logs in to an address.
    """
    for plane, keys in _named(facts).items():
        with facts.listing("branch_commits", plane=plane):
            asked: dict[str, dict[str, _Told]] = {}
            for address, names in _repositories(policy, keys).items():
                asked[address] = dict(_by_fresh_clone(address, names, keys, policy, header_of))
            for key in keys:
                _write(facts, plane, key, _of_all([told[key] for told in asked.values() if key in told]))


def _named(facts: Facts) -> dict[str, list[str]]:
    """The keys of the commits that are named, by plane."""
    keys: dict[str, set[str]] = {}
    for table in _NAMED_BY:
        for row in facts.rows[table]:
            key = row.__dict__.get("commit_key")
            if row.plane != "declared" and key not in (None, "none"):
                keys.setdefault(row.plane, set()).add(str(key))
    return {plane: sorted(keys[plane]) for plane in sorted(keys)}


def _write(facts: Facts, plane: str, key: str, told: _Told) -> None:
    answer, why, remedy = told
    if answer is None:
        facts.gap(Gap(Cause.UNRESOLVED, "branch_commits", why, remedy, plane, parent=key, value=True))
    facts.add(BranchCommit(key=key, plane=plane, is_ancestor=answer))


def _clone(root: str, published: Mapping[str, str] | None) -> _Clone:
    checkout = read_checkout(root)
    if checkout.shallow:
        raise SourceError("truncated", "the clone is shallow: what is on the release branch cannot be told", _DEEP)
    if published is not None:
        return _Clone(root, _without_namesakes({ref: (short(ref), commit) for ref, commit in published.items()}), "")
    answer = git(root, ("remote",))
    remotes = answer.line.split() if answer.ok else []
    remote = "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None
    if remotes and remote is None:
        raise SourceError(
            "failed", "the clone has several remotes and none is called origin", "make a clone of the project's repository"
        )
    # What stands in a branch of this clone alone was released by nobody.
    heads = HEADS if remote is None else f"refs/remotes/{remote}/"
    listing = git(root, ("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", heads, TAGS))
    if not listing.ok:
        raise SourceError(
            "failed", f"Git cannot list the refs of the clone: {listing.error}", f"run `git -C {root} for-each-ref`"
        )
    refs: dict[str, tuple[str, str]] = {}
    for line in listing.line.splitlines():
        ref, *commits = line.split(" ")
        full = f"{HEADS}{ref.removeprefix(heads)}" if ref.startswith(heads) else ref
        refs[full] = (short(full), next(commit for commit in reversed(commits) if commit))
    refs.pop(f"{HEADS}HEAD", None)
    return _Clone(root, _without_namesakes(refs), checkout.narrow)


def _without_namesakes(refs: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Names with their commits. A tag that is called like a branch is not what the policy names."""
    return dict(named for ref, named in refs.items() if not (ref.startswith(TAGS) and f"{HEADS}{named[0]}" in refs))


def _is_released(clone: _Clone, key: str, policy: Policy) -> _Told:
    """Is the commit of a key on a release ref? None with the reason and what to do."""
    project, _, commit = key.rpartition("@")
    if _COMMIT.fullmatch(commit) is None:
        return None, f"{commit} is no whole commit id", _WHOLE
    # A commit that nobody gave to a project has to be released by the rules of all of them.
    projects: Iterable[str | None] = [project] if project else [one.name for one in policy.projects] or [None]
    released = [{at for name, at in clone.refs.items() if is_release(policy, one, name)} for one in projects]
    if not all(released):
        return None, "the clone has no release branch", "fetch all branches, or name the branch under release_refs in the policy"
    if not git(clone.root, ("cat-file", "-e", f"{commit}^{{commit}}")).ok:
        why = f"commit {commit} is not in the clone: it was never pushed, or is of another repository"
        return None, why, "fetch all branches, or give the project's own repository with --repository"
    contains = _Contains(clone.root, commit)
    answers = {_any(contains.by(head) for head in refs) for refs in released}
    if len(answers) > 1:
        why, remedy = (
            f"commit {commit} is released by some projects of the policy only",
            "give each project its repository and bundles",
        )
        return None, why, remedy
    answer = answers.pop()
    if answer is None:
        return None, "the clone lacks commits of a release branch of its remote", f"fetch first, or {_DEEP}"
    return (None, clone.narrow, _DEEP) if clone.narrow and not answer else (answer, "", "")


class _Contains:
    """Which commits have this one in their history. By ids alone, since a name may be a branch, a tag or both."""

    def __init__(self, root: str, commit: str) -> None:
        self._root, self._commit = root, commit
        self._answers: dict[str, bool | None] = {}
        # One command for all refs of the clone; what the remote alone has is asked one by one.
        listing = git(root, (*_BY_OBJECTS, "for-each-ref", "--format=%(objectname) %(*objectname)", f"--contains={commit}"))
        every = git(root, ("for-each-ref", "--format=%(objectname) %(*objectname)"))
        if listing.ok and every.ok:
            on = set(listing.line.split())
            self._answers = {head: head in on for head in every.line.split()}

    def by(self, head: str) -> bool | None:
        """Is the commit in the history of this one? None where one of them is not in the clone."""
        if head not in self._answers:
            code = git(self._root, (*_BY_OBJECTS, "merge-base", "--is-ancestor", self._commit, head)).code
            self._answers[head] = True if code == 0 else False if code == 1 else None
        return self._answers[head]

    def by_walk(self, head: str) -> bool | None:
        """The same in a fresh clone, which has the whole history of its refs: what it does not have is in none of them."""
        found = self.by(head)
        if found is None:
            listing = git(self._root, (*_BY_OBJECTS, "rev-list", head, "--"))
            found = self._commit in listing.line.split("\n") if listing.ok else None
        return found


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return True if True in found else None if None in found else False


def _repositories(policy: Policy, keys: Iterable[str]) -> dict[str, list[str]]:
    """The address of each repository that may hold the commits of these keys, with its projects. Raises a SourceError where
    the policy does not name that of a project.
    """
    asked = {key.rpartition("@")[0] for key in keys}
    names = [one.name for one in policy.projects if one.name in asked or "" in asked]
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys((*names, *sorted(asked - {""}))):
        project = project_named(policy, name)
        if project is None or not project.repository:
            reason = f"the policy does not say where the repository of {name} is"
            raise SourceError("not-asked", reason, f"set repository of the project {name} in the policy")
        found.setdefault(address_of(project.repository), []).append(name)
    if not found:
        raise SourceError("not-asked", "the policy names no project", "write [[projects]] with name and repository")
    return found


def _by_fresh_clone(
    address: str, projects: list[str], keys: Iterable[str], policy: Policy, header_of: Callable[[str], str]
) -> Iterable[tuple[str, _Told]]:
    """What a fresh clone says of the commits of its projects, and of those that no project claims."""
    mine = [key for key in keys if key.rpartition("@")[0] in (*projects, "")]
    remote = Remote(address, header_of(address))

    def wanted(name: str) -> bool:
        return any(is_release(policy, one, name) for one in projects)

    with fresh_clone(remote, wanted) as clone:
        named = {short(ref): commit for ref, commit in clone.refs.items()}
        for key in mine:
            project, _, commit = key.rpartition("@")
            if _COMMIT.fullmatch(commit) is None:
                yield key, (None, f"{commit} is no whole commit id", _WHOLE)
                continue
            refs = [
                {at for name, at in named.items() if is_release(policy, one, name)}
                for one in ([project] if project else projects)
            ]
            # A project without a release ref releases nothing, and whether it means to is not known.
            contains = _Contains(clone.root, commit)
            answers = {_any(contains.by_walk(head) for head in heads) if heads else None for heads in refs}
            if len(answers) == 1 and None not in answers:
                yield key, (answers.pop(), "", "")
            else:
                yield (
                    key,
                    (None, f"a fresh clone of {address} does not settle whether {commit} was released", "check release_refs"),
                )


def _of_all(answers: list[_Told]) -> _Told:
    """What several repositories say: it is released if one of them released it, and not if none has."""
    found = {answer for answer, _, _ in answers}
    if True in found or found == {False}:
        return True in found, "", ""
    return next((told for told in answers if told[0] is None), (None, "no repository was asked", _DEEP))
