"""What surrounds a gate: the place where it runs, the checkout, and whether the policy is that of the release branch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.gate import GatePlace
from lakewarden.facts.origin import Origin
from lakewarden.policy.attribute import gate_of, is_release, project_of_model
from lakewarden.sources.git_command import git
from lakewarden.sources.git_remote import HEADS, TAGS
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.gate.place import JOB, Place
from lakewarden.sources.repository.git import read_checkout

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.request import Request

_CHECK_OUT = "run the gate in a full checkout of the project's release branch (`fetch-depth: 0`)"


def write_surroundings(facts: Facts, request: Request, policy: Policy, place: Place, root: str | None) -> None:
    """Write where the gate runs, for each candidate that was found. `root` is the checkout that it runs in, None for none."""
    for candidate in facts.rows["candidates"]:
        with facts.listing("gate_places", plane=DEPLOYED, of=candidate.key):
            facts.add(_place(facts, request, policy, place, root, candidate))
        candidate.policy_released = _is_released(facts, request, policy, root, candidate)  # type: ignore[attr-defined]  # a column


def state_of(policy: Policy, root: str | None) -> str:
    """The policy and the branches of the remote as they are now, in one text that changes when they do."""
    files = [Path(file).read_bytes().hex() if Path(file).is_file() else "gone" for file in policy.files]
    heads = git(root, ("for-each-ref", "--format=%(refname) %(objectname)", "refs/remotes/")) if root is not None else None
    return "\n".join((*files, heads.line if heads is not None and heads.ok else ""))


def _place(facts: Facts, request: Request, policy: Policy, place: Place, root: str | None, candidate: Fact) -> GatePlace:
    project = project_of_model(policy, request.name).project
    on: bool | None = True if place.kind == JOB else None
    clean: bool | None = True if place.kind == JOB else None
    told = Origin(pointer=place.system)
    if place.kind != JOB:
        ref = place.ref
        if root is not None:
            clean, branch = _state_of(facts, root, candidate)
            ref = ref or (f"refs/heads/{branch}" if branch not in (None, "none", "HEAD") else None)
        else:
            _unexplained(facts, "gate_places", candidate.key, "the gate runs outside a checkout of the project", _CHECK_OUT)
        on = None if ref is None else _is_release(policy, project, ref, root)
    return GatePlace(
        key=candidate.key,
        plane=DEPLOYED,
        origin=told,
        place=place.kind,
        is_allowed=place.kind in gate_of(policy, request.name).places,
        pull_request=place.pull_request,
        on_release_ref=on,
        clean=clean,
    )


def _is_release(policy: Policy, project: str | None, ref: str, root: str | None) -> bool | None:
    """Is a ref, by its full name, one of production's? A tag that is called like a branch of the remote is none; without a checkout
    nobody can tell of a tag.
    """
    kind = next((kind for kind in (HEADS, TAGS) if ref.startswith(kind)), "")
    name = ref.removeprefix(kind)
    if not is_release(policy, project, name):
        return False
    if kind != TAGS:
        return True
    branches = None if root is None else _branches(root)
    return None if branches is None else name not in {branch for _, branch in branches}


def _branches(root: str) -> list[tuple[str, str]] | None:
    """The branches of the remote that the checkout knows, each by its full name here and by its own; None where that is not told.
    Of several remotes only the one that is called origin counts: another may be anybody's.
    """
    told = git(root, ("remote",))
    remotes = told.line.split() if told.ok else []
    remote = "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None
    if remote is None:
        return None
    start = f"refs/remotes/{remote}/"
    refs = git(root, ("for-each-ref", "--format=%(refname)", start))
    return [(ref, ref.removeprefix(start)) for ref in refs.line.splitlines() if ref != f"{start}HEAD"] if refs.ok else None


def _state_of(facts: Facts, root: str, candidate: Fact) -> tuple[bool | None, str | None]:
    """Is the checkout unchanged and whole, and on which branch is it?"""
    try:
        checkout = read_checkout(root)
    except SourceError as problem:
        _unexplained(facts, "gate_places", candidate.key, problem.reason, problem.remedy)
        return None, None
    status = git(root, ("status", "--porcelain", "--untracked-files=no"))
    if not status.ok:
        _unexplained(facts, "gate_places", candidate.key, f"Git cannot tell what was changed: {status.error}", _CHECK_OUT)
        return None, checkout.branch
    if checkout.shallow:
        reason = "the gate runs in a shallow clone, which does not tell whether it is what the remote has"
        _unexplained(facts, "gate_places", candidate.key, reason, _CHECK_OUT)
        return None, checkout.branch
    return not status.line, checkout.branch


def _is_released(facts: Facts, request: Request, policy: Policy, root: str | None, candidate: Fact) -> bool | None:
    """Is every file of the policy, byte for byte, that of a release branch of the remote?"""
    if policy.path is None:
        _unexplained(facts, "candidates", candidate.key, "there is no policy file", "write one with `lakewarden init`")
        return None
    if root is None:
        reason = "the gate runs outside a checkout, so nobody can tell whose policy it reads"
        _unexplained(facts, "candidates", candidate.key, reason, _CHECK_OUT)
        return None
    project = project_of_model(policy, request.name).project
    released = [ref for ref, name in _branches(root) or () if is_release(policy, project, name)]
    top = git(root, ("rev-parse", "--show-toplevel"))
    if not released or not top.ok:
        _unexplained(facts, "candidates", candidate.key, "the checkout knows no release branch of its remote", _CHECK_OUT)
        return None
    found = [_is_same(top.line, ref, file) for ref in released for file in policy.files or (policy.path,)]
    per_ref = [found[n : n + max(1, len(policy.files))] for n in range(0, len(found), max(1, len(policy.files)))]
    if any(all(answer is True for answer in of_ref) for of_ref in per_ref):
        return True
    return None if any(None in of_ref for of_ref in per_ref) else False


def _is_same(top: str, ref: str, file: str) -> bool | None:
    """Is the file what it is at the ref? None where it is outside the repository."""
    at = Path(file).resolve()
    try:
        inside = at.relative_to(Path(top).resolve()).as_posix()
        text = at.read_bytes()
    except (ValueError, OSError):
        return None
    there = git(top, ("cat-file", "blob", f"{ref}:{inside}"))
    return there.ok and there.output == text


def _unexplained(facts: Facts, table: str, key: str, reason: str, remedy: str) -> None:
    facts.gap(Gap(Cause.UNRESOLVED, table, reason, remedy, DEPLOYED, parent=key, value=True))
