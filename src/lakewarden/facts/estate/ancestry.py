"""Whether commits are on a release ref, as Git hosts told of each ref, and as a clone of the repository told. Where both are
there they must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.version_control import BranchCommit
from lakewarden.policy.attribute import is_release

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy

_LIVE = "deployed"
#: Tags by their full names, branches by their short ones.
_TAGS = "refs/tags/"
_NAMED_BY = ("deployments", "run_commit")
#: By repository and ref: does it contain the commit?
_Told = dict[str, dict[str, "bool | None"]]


def branch_commits(
    rows: Mapping[str, Sequence[Fact]], of: Mapping[str, str | None], policy: Policy, complete: Completeness
) -> Iterator[Fact]:
    """The rows of all commits: those of a clone as they stand, those of which a Git host alone knows, and without an answer those
    on which the two disagree. `of` is the repository of each project by key.
    """
    asked: dict[str, _Told] = {}
    for row in rows["commit_refs"]:
        values = row.__dict__
        of_commit = asked.setdefault(str(values.get("commit")), {})
        of_commit.setdefault(values["repository"], {})[str(values.get("ref"))] = values.get("contains")
    by_clone = {row.key: row for row in rows["branch_commits"] if row.plane == _LIVE}
    answers: dict[str, bool | None] = {}
    yield from (row for row in rows["branch_commits"] if row.plane != _LIVE)
    for table in _NAMED_BY:
        for row in rows[table]:
            key = row.__dict__.get("commit_key")
            if row.plane != _LIVE or key in (None, "none"):
                continue
            project, _, commit = str(key).rpartition("@")
            told = asked.get(commit.lower())
            if told is None:
                continue
            complete.mark("branch_commits", _LIVE, row.key)
            if key not in answers:
                answers[str(key)] = _released(told, {project: of.get(project)} if project else of, policy, complete)
    for key, answer in answers.items():
        seen = by_clone.pop(key, None)
        yield BranchCommit(key=key, plane=_LIVE, is_ancestor=_agreed(key, answer, seen, complete))
    yield from by_clone.values()


def _agreed(key: str, by_host: bool | None, seen: Fact | None, complete: Completeness) -> bool | None:
    """What host and clone say together: the one that knows, and nothing where they disagree."""
    by_clone = None if seen is None else seen.__dict__.get("is_ancestor")
    commit = key.rpartition("@")[2]
    if None not in (by_host, by_clone) and by_host != by_clone:
        words = {True: "released", False: "not released"}
        reason = f"commit {commit} is {words[by_clone is True]} by the clone and {words[by_host is True]} by the Git host"
        remedy = "fetch the release branch; if they still disagree, find out who changed the clone, or rewrote the branch"
        complete.gaps.append(Gap(Cause.UNRESOLVED, "branch_commits", reason, remedy, _LIVE, parent=key, value=True))
        return None
    if by_host is None and by_clone is None:
        reason = f"the Git host does not settle whether {commit} was released"
        remedy = "audit with --repository DIR, a full clone of the project"
        complete.gaps.append(Gap(Cause.UNRESOLVED, "branch_commits", reason, remedy, _LIVE, parent=key, value=True))
    return by_clone if by_host is None else by_host


def _released(told: _Told, of: Mapping[str, str | None], policy: Policy, complete: Completeness) -> bool | None:
    """Is the commit on a release ref of one of the repositories, by the rules of each project there? FALSE only where every
    repository was asked about every release ref.
    """
    projects: dict[str | None, list[str]] = {}
    for project, key in of.items():
        projects.setdefault(key, []).append(project)
    found: list[bool | None] = []
    for key, names in projects.items():
        holding = [_on(told.get(str(key), {}), name, policy) for name in names]
        if all(answer is True for answer in holding):
            return True
        whole = key is not None and all(complete.gap_of(table, _LIVE, None, key) is None for table in ("branches", "commit_refs"))
        found.append(False if whole and not any(holding) and None not in holding else None)
    return False if found and None not in found else None


def _on(told: Mapping[str, bool | None], project: str, policy: Policy) -> bool | None:
    """Is it on a ref that this project is released from? None where the host was asked about none of them."""
    answers = {contains for ref, contains in told.items() if is_release(policy, project, ref.removeprefix(_TAGS))}
    return True if True in answers else None if None in answers or not answers else False
