"""Git: branches and the commits that rules ask about."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Branch(Fact, table="branches", derived={"ref_class": ("ref_class", "name")}, listed_by={"git_repositories": {}}):
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


class BranchCommit(Fact, table="branch_commits", listed_by={"run_commit": {}, "deployments": {}}):
    """A commit that a rule asks about. Key: project@commit."""

    is_ancestor: bool | None = None
    """Is it an ancestor of the release branch?"""


class GitRepository(Fact, table="git_repositories"):
    """A repository on a Git host that an audit was asked about. Key: `https://host/path` in lower case."""

    system: str | None = None
    """`github`, `gitlab` or `azure`."""


class GitEnvironment(Fact, table="git_environments", parents={"repository": "git_repositories"}):
    """An environment that a Git host protects deployments with. Key: repository/environment."""

    repository: str
    """Key of the repository."""
    name: str | None = None
    """Its name, in lower case on hosts that ignore case."""
    needs_approval: bool | None = None
    """Does a job wait for a person before it runs there?"""
    admits: str | None = None
    """Patterns of the refs that it admits, separated by blanks; `*` for all, `?` for some that the host does not name."""


class CommitRef(Fact, table="commit_refs", parents={"repository": "git_repositories"}):
    """A Git host's answer whether a branch or tag contains a commit. Key: repository/commits/commit/ref."""

    repository: str
    """Key of the repository."""
    commit: str | None = None
    """The commit."""
    ref: str | None = None
    """The branch or tag."""
    contains: bool | None = None
    """Is the commit an ancestor of it?"""
