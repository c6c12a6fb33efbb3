"""The refs that remote repositories have now. What a clone says of them is what somebody may have written into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.policy.attribute import is_release, project_named, project_of_model
from lakewarden.sources.git_command import git
from lakewarden.sources.git_remote import HEADS, Remote, address_of, published_refs
from lakewarden.sources.platform.git_host.login import git_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.request import Request

NAME_IT = "set repository of the project in the policy, or run the gate in a full checkout of it (`fetch-depth: 0`)"
NOWHERE = "nothing says where the project's repository is"


class Remotes:
    """Asks a remote once for all that is judged, and anew when it is to be known whether that still holds. With `asks=False` none is
    asked: a way out rests on the registry alone, and waits for no Git host.
    """

    def __init__(self, *, asks: bool = True) -> None:
        self._asks = asks
        self._told: dict[str, Mapping[str, str] | SourceError] = {}

    def first(self, address: str | None) -> Mapping[str, str]:
        """Branches and tags by full names, with their commits, as they were told first.

        Raises:
            SourceError: there is no address, or it did not answer.
        """
        if address is None:
            raise SourceError(Cause.NOT_ASKED.value, NOWHERE, NAME_IT)
        if address not in self._told:
            try:
                self._told[address] = self.now(address)
            except SourceError as problem:
                self._told[address] = problem
        told = self._told[address]
        if isinstance(told, SourceError):
            raise told
        return told

    def now(self, address: str | None) -> Mapping[str, str]:
        """The same, as they are now."""
        if address is None:
            raise SourceError(Cause.NOT_ASKED.value, NOWHERE, NAME_IT)
        if not self._asks:
            raise SourceError(Cause.NOT_ASKED.value, "a way out asks no Git host", "gate the version for this")
        where = address_of(address)
        return published_refs(Remote(where, git_header(where)))


def address_of_project(policy: Policy, request: Request, root: str | None) -> str | None:
    """Where the repository of the model's project is: by the policy, else where the checkout comes from."""
    project = project_named(policy, project_of_model(policy, request.name).project)
    return project.repository if project is not None and project.repository else address_of_checkout(root)


def address_of_checkout(root: str | None) -> str | None:
    """The address of the remote that a checkout comes from. Of several only the one that is called origin counts: another may be
    anybody's.
    """
    told = None if root is None else git(root, ("remote",))
    remotes = told.line.split() if told is not None and told.ok else []
    remote = "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None
    if root is None or remote is None:
        return None
    answer = git(root, ("config", "--get", f"remote.{remote}.url"))
    return answer.line or None if answer.ok else None


def released_heads(policy: Policy, request: Request, refs: Mapping[str, str]) -> dict[str, str]:
    """The release branches of the model's project by their full names, with their commits."""
    project = project_of_model(policy, request.name).project
    heads = {ref: commit for ref, commit in refs.items() if ref.startswith(HEADS)}
    return {ref: commit for ref, commit in heads.items() if is_release(policy, project, ref.removeprefix(HEADS))}


def state_of_remotes(
    policy: Policy, request: Request, root: str | None, ask: Callable[[str | None], Mapping[str, str]]
) -> list[str]:
    """The heads of the release branches, where the policy comes from and where the project is, one a line.

    Raises:
        SourceError: one cannot be told.
    """
    asked = (address_of_checkout(root), address_of_project(policy, request, root))
    addresses = tuple(dict.fromkeys(one for one in asked if one is not None)) or (None,)
    return [
        f"{address} {ref} {commit}"
        for address in addresses
        for ref, commit in sorted(released_heads(policy, request, ask(address)).items())
    ]
