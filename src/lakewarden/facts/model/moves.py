"""What the audit log of Databricks tells of changes of what production serves. No rule reads it: `promotions` does."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class ServedMove(Fact, table="served_moves", place="place", listed_by={"workspaces": {"place": "key"}}, observed=True):
    """A change of what an alias, an endpoint or the stage Production names. Key: workspace/event."""

    place: str | None = None
    """URL of the workspace."""
    kind: str | None = None
    """`alias`, `endpoint`, `stage`."""
    name: str | None = None
    """What names versions: model@alias, workspace/endpoint, the key of a model with stages."""
    effect: str | None = None
    """`set` to these versions alone, `add`, `drop`; NULL where the log does not tell."""
    versions: str | None = None
    """Keys of the versions, one on each line."""
    moved_at: str | None = None
    """When, in UTC."""
    moved_by: str | None = None
    """Who did it, `kind:name`."""


class MoveLog(Fact, table="move_logs", place="key", listed_by={"workspaces": {"key": "key"}}, observed=True):
    """An audit log that was read for changes in a workspace and in its metastore. Key: URL of the workspace."""

    first: str | None = None
    """Since when it tells of them, in UTC."""
    last: str | None = None
    """Until when all of them have arrived, in UTC."""
