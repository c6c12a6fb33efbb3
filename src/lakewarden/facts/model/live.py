"""Where a live estate is read, and what rules see only through closures: principals, members, evidence of commits."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Workspace(Fact, table="workspaces", references={"metastore": "metastores"}, place="key"):
    """A workspace that an audit was asked about, whether it answered or not. Key: its URL."""

    metastore: str | None = None
    """Key of its metastore; `none` where it has none."""
    number: str | None = None
    """Its number, by which bindings and versions of models name it."""


class Metastore(Fact, table="metastores", listed_by={"workspaces": {}}):
    """A metastore of Unity Catalog. Key: its id."""


class Principal(Fact, table="principals", listed_by={"workspaces": {}}):
    """A user, service principal or group that a workspace lists. Key: workspace/kind:name."""

    principal: str | None = None
    """The principal, `kind:name`."""
    members_known: bool | None = None
    """For a group: was its list of members readable? TRUE for others."""


class GroupMember(Fact, table="group_members", parents={"group_key": "principals"}):
    """A direct member of a group. Key: workspace/group/member."""

    group_key: str
    """Key of the group in principals."""
    member: str | None = None
    """The member, `kind:name`."""


class CommitEvidence(Fact, table="commit_evidence", parents={"run": "runs"}, references={"commit_key": "branch_commits"}):
    """One rung of evidence for the commit of a run. Key: run/rung."""

    run: str
    """Key of the run."""
    rung: str | None = None
    """`git-snapshot`, `deployment-record`, `deployment-metadata`, `captured-statement`, `launch-parameters`,
    `run-tags`."""
    commit: str | None = None
    """The commit; `none` where the rung was looked at and holds none."""
    commit_key: str | None = None
    """Key of the commit in branch_commits; `none`."""
    dirty: bool | None = None
    """Was the working tree changed?"""
