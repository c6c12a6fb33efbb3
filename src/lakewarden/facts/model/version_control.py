"""Git: branches and the commits that rules ask about."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Branch(Fact, table="branches", derived={"ref_class": ("ref_class", "name")}):
    """A branch of a repository. Key: project/branch, live: repository/branch."""

    name: str | None = None
    """Its name."""
    required_approvals: int | None = None
    """How many approvals a change needs."""
    required_checks: int | None = None
    """How many checks have to succeed."""
    allows_force_push: bool | None = None
    """May its history be rewritten?"""
    allows_deletion: bool | None = None
    """May it be deleted?"""


class Repository(Fact, table="repositories"):
    """A Git checkout. Key: project."""

    branch: str | None = None
    """The branch that is checked out; `none` for a detached HEAD."""
    remote: str | None = None
    """URL of the remote `origin`, without credentials; `none`."""
    shallow: bool | None = None
    """Is its history cut off?"""


class BranchCommit(Fact, table="branch_commits"):
    """A commit that a rule asks about. Key: project@commit."""

    is_ancestor: bool | None = None
    """Is it an ancestor of the release branch?"""
