"""Tasks that run from a Git folder of production: as good as deployed where its commit is released and no person may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.fact import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableSequence, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact

_LIVE = "deployed"
_ADMINS = "group:admins"
_READING = frozenset({"CAN_VIEW", "CAN_READ", "CAN_RUN", "CAN_QUERY"})


def settle(rows: dict[str, MutableSequence[Fact]], complete: Completeness) -> None:
    """Say `git` of the code of tasks that is in such a folder. What lies in a person's folder, or in everyone's, never is: they
    may change whatever is in there.
    """
    kind = TABLES["tasks"]
    wanted = [row for row in rows["tasks"] if row.plane == _LIVE and row.__dict__.get("code_place") == "workspace"]
    if not wanted:
        return
    folders = frozenset(_closed(rows, _released(rows), complete))
    inside = {row.key for row in wanted if any(above in folders for above in _above(row))}
    if inside:
        rows["tasks"] = [
            kind(**{**row.__dict__, "code_place": "git"}) if row.plane == _LIVE and row.key in inside else row
            for row in rows["tasks"]
        ]


def _released(rows: Mapping[str, Sequence[Fact]]) -> list[Fact]:
    """The deployments in force whose commit is known to be on a release ref."""
    commits = {row.key for row in rows["branch_commits"] if row.plane == _LIVE and row.__dict__.get("is_ancestor") is True}
    return [
        row
        for row in rows["deployments"]
        if row.plane == _LIVE and row.__dict__.get("in_force") is True and row.__dict__.get("commit_key") in commits
    ]


def _closed(rows: Mapping[str, Sequence[Fact]], folders: Sequence[Fact], complete: Completeness) -> list[str]:
    """Those of the deployments whose permissions are all known, and let no person change them."""
    people = {row.key: row.__dict__.get("has_person") for row in rows["principal_summary"] if row.plane == _LIVE}
    open_ = [
        row.key
        for row in rows["permissions"]
        if row.plane == _LIVE
        and row.__dict__.get("level") not in _READING
        and row.__dict__.get("principal") != _ADMINS
        and people.get(str(row.__dict__.get("principal"))) is not False
    ]
    return [
        row.key
        for row in folders
        if complete.gap_of("permissions", _LIVE, row.__dict__.get("project"), row.key) is None
        and not any(key.startswith(f"{row.key}/") for key in open_)
    ]


def _above(row: Fact) -> list[str]:
    """The keys that deployments of the folders above its code would have."""
    path = str(row.__dict__.get("code_path") or "").removeprefix("/Workspace")
    ends = [at for at, sign in enumerate(path) if sign == "/" and at > 0]
    return [f"{row.__dict__.get('place')}{path[:at]}" for at in ends]
