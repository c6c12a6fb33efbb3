"""What `actions/checkout` leaves: which folders hold this repository, and whether a branch is checked out."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.frames import is_open
from lakewarden.sources.repository.ci.github.occasions import WORKSPACE
from lakewarden.sources.repository.ci.github.payload import (
    COMMIT,
    HEAD_BRANCH,
    HEAD_COMMIT,
    HEAD_REPOSITORY,
    REPOSITORY,
    RUN_BRANCH,
    RUN_COMMIT,
)
from lakewarden.sources.repository.ci.github.values import Unknown, Value, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_COMMIT = r"[0-9a-fA-F]{7,64}"
_VERSION = r"v?\d+(?:\.\d+)+\S*"
_DETACHED = frozenset({COMMIT, HEAD_COMMIT, RUN_COMMIT})
_ATTACHED = frozenset({HEAD_BRANCH, RUN_BRANCH, "github.base_ref"})
#: What is checked out anyway.
_STARTED = frozenset({"github.ref", "github.ref_name"})
_PULL_REQUEST = frozenset({HEAD_COMMIT, HEAD_BRANCH})
_OF_A_RUN = frozenset({RUN_COMMIT, RUN_BRANCH})


CHECKOUT = "actions/checkout"


class Checkout(NamedTuple):
    """`head` as in `Job`; `pull_request` says whether it is the head of a pull request. `names` is false without `ref:`."""

    head: str | None
    pull_request: bool | None
    names: bool = True


class Mount(NamedTuple):
    """A folder below the workspace, and the folder of the repository that is checked out there; None for another repository."""

    at: str
    root: str | None


def checkout(ref: Value) -> Checkout:
    """What a checkout of a ref leaves."""
    if isinstance(ref, Unknown):
        return _unknown(ref)
    text = to_text(ref).strip()
    if not text:
        return Checkout("branch", False, names=False)
    if text.startswith("refs/pull/"):
        return Checkout("detached", True)
    tag = text.startswith("refs/tags/") or re.fullmatch(_COMMIT, text) is not None or re.fullmatch(_VERSION, text) is not None
    return Checkout("detached" if tag else "branch", False)


def combined(checkouts: Iterable[Checkout]) -> Checkout:
    """What several starts of a job leave."""
    found = list(checkouts)
    heads = {one.head for one in found}
    pulls = {one.pull_request for one in found}
    head = heads.pop() if len(heads) == 1 else None
    return Checkout(head, True if True in pulls else (None if None in pulls else False), any(one.names for one in found))


def mounted(mounts: Sequence[Mount], mount: Mount) -> list[Mount]:
    """The folders after one more checkout."""
    kept = [one for one in mounts if one.at != mount.at and not one.at.startswith(f"{mount.at}/")] if mount.at else []
    return [*kept, mount]


def folder_of(mounts: Sequence[Mount], path: str) -> str | None:
    """The folder of the repository that a path below the workspace is; None where it is none of it."""
    below = path.replace(WORKSPACE, ".", 1) if path.startswith(WORKSPACE) else path
    if is_open(below) or below.startswith(("/", "~", "$")):
        return None
    at = normal(below)
    if at.startswith(".."):
        return None
    best: Mount | None = None
    for mount in mounts:
        inside = not mount.at or at == mount.at or at.startswith(f"{mount.at}/")
        if inside and (best is None or len(mount.at) >= len(best.at)):
            best = mount
    if best is None or best.root is None:
        return None
    return normal(posixpath.join(best.root, at[len(best.at) :].lstrip("/")))


def normal(path: str) -> str:
    """A relative path in its shortest form; empty for the folder itself."""
    found = posixpath.normpath(path or ".")
    return "" if found == "." else found


def repository_of(inputs: Mapping[str, Value]) -> bool:
    """Is it this repository that is checked out?"""
    value = inputs.get("repository")
    if value is None or value == "":
        return True
    return isinstance(value, Unknown) and value.name in (REPOSITORY, HEAD_REPOSITORY)


def _unknown(ref: Unknown) -> Checkout:
    if ref.name in _STARTED:
        return Checkout("branch", False, names=False)
    if ref.text.startswith("refs/pull/"):
        return Checkout("detached", True)
    head = (
        "detached"
        if ref.name in _DETACHED
        else ("branch" if ref.name in _ATTACHED or ref.text.startswith("refs/heads/") else None)
    )
    if ref.name in _PULL_REQUEST:
        return Checkout(head, True)
    return Checkout(head, None if ref.name in _OF_A_RUN or not head else False)
