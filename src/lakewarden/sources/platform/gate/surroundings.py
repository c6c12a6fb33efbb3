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
from lakewarden.sources.platform.gate.remotes import address_of_checkout, released_heads, state_of_remotes
from lakewarden.sources.repository.git import read_checkout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.remotes import Remotes
    from lakewarden.sources.platform.gate.request import Request

_CHECK_OUT = "run the gate in a full checkout of the project's release branch (`fetch-depth: 0`)"


def write_surroundings(facts: Facts, request: Request, policy: Policy, place: Place, root: str | None, remotes: Remotes) -> None:
    """Write where the gate runs, for each candidate that was found. `root` is the checkout that it runs in, None for none."""
    for candidate in facts.rows["candidates"]:
        with facts.listing("gate_places", plane=DEPLOYED, of=candidate.key):
            facts.add(_place(facts, request, policy, place, root, remotes, candidate))
        candidate.policy_released = _is_released(facts, request, policy, root, remotes, candidate)  # type: ignore[attr-defined]  # a column


def state_of(policy: Policy, request: Request, root: str | None, ask: Callable[[str | None], Mapping[str, str]]) -> str:
    """The policy and the release branches of the remote in one text that changes when they do. `ask` tells the refs of a remote.

    Raises:
        SourceError: a remote does not tell.
    """
    files = [Path(file).read_bytes().hex() if Path(file).is_file() else "gone" for file in policy.files]
    return "\n".join((*files, *state_of_remotes(policy, request, root, ask)))


def _place(
    facts: Facts, request: Request, policy: Policy, place: Place, root: str | None, remotes: Remotes, candidate: Fact
) -> GatePlace:
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
        on = None if ref is None else _is_release(policy, project, ref, root, remotes)
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


def _is_release(policy: Policy, project: str | None, ref: str, root: str | None, remotes: Remotes) -> bool | None:
    """Is a ref, by its full name, one of production's? A tag that is called like a branch of the remote is none; where the remote
    does not tell its branches nobody can tell of a tag.
    """
    kind = next((kind for kind in (HEADS, TAGS) if ref.startswith(kind)), "")
    name = ref.removeprefix(kind)
    if not is_release(policy, project, name):
        return False
    if kind != TAGS:
        return True
    try:
        return f"{HEADS}{name}" not in remotes.first(address_of_checkout(root))
    except SourceError:
        return None


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


def _is_released(
    facts: Facts, request: Request, policy: Policy, root: str | None, remotes: Remotes, candidate: Fact
) -> bool | None:
    """Is every file of the policy, byte for byte, that of a release branch as the remote has it now? What the clone calls so is what
    whoever runs the gate may have written there.
    """

    def unexplained(reason: str, remedy: str = _CHECK_OUT) -> bool | None:
        _unexplained(facts, "candidates", candidate.key, reason, remedy)
        return None

    if policy.path is None:
        return unexplained("there is no policy file", "write one with `lakewarden init`")
    if root is None:
        return unexplained("the gate runs outside a checkout, so nobody can tell whose policy it reads")
    try:
        heads = released_heads(policy, request, remotes.first(address_of_checkout(root)))
    except SourceError as problem:
        return unexplained(problem.reason, problem.remedy)
    top = git(root, ("rev-parse", "--show-toplevel"))
    if not heads or not top.ok:
        return unexplained("the remote of the checkout has no release branch")
    files = policy.files or (policy.path,)
    found = [[_is_same(top.line, commit, file) for file in files] for commit in heads.values()]
    if any(all(answer is True for answer in of_head) for of_head in found):
        return True
    if any(False not in of_head for of_head in found):
        return unexplained("the policy cannot be compared with what the release branch has now", "fetch the release branch first")
    return False


def _is_same(top: str, commit: str, file: str) -> bool | None:
    """Is the file what it is in the commit? None where it is outside the repository, or the clone does not have the commit."""
    at = Path(file).resolve()
    try:
        inside = at.relative_to(Path(top).resolve()).as_posix()
        text = at.read_bytes()
    except (ValueError, OSError):
        return None
    if not git(top, ("cat-file", "-e", f"{commit}^{{commit}}")).ok:
        return None
    there = git(top, ("cat-file", "blob", f"{commit}:{inside}"))
    return there.ok and there.output == text


def _unexplained(facts: Facts, table: str, key: str, reason: str, remedy: str) -> None:
    facts.gap(Gap(Cause.UNRESOLVED, table, reason, remedy, DEPLOYED, parent=key, value=True))
