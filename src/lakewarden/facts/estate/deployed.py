"""What the policy, or the repository that declares it, adds to what is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.targets import Deployment
from lakewarden.policy.attribute import project_named
from lakewarden.policy.repositories import repository_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy


def deployments(rows: Mapping[str, Sequence[Fact]], policy: Policy) -> list[Fact]:
    """The deployments, each with whether it comes from the project's repository: the one that the policy names, else the one
    that was read beside the estate. What names no project, as a Git folder does not, may come from that of any project.
    """
    remotes = {row.project: row.__dict__.get("remote") for row in rows["repositories"] if row.plane == "declared"}
    own_repositories = [one.repository for one in policy.projects if one.repository]
    found: list[Fact] = []
    for row in rows["deployments"]:
        values = row.__dict__
        if row.plane == "declared":
            found.append(row)
            continue
        own = project_named(policy, row.project)
        wanted = own.repository if own is not None and own.repository else remotes.get(row.project)
        matches = values.get("origin_matches")
        if matches is None:
            matches = _matches(values.get("origin_url"), wanted)
        if matches is None and row.project is None and any(_matches(values.get("origin_url"), one) for one in own_repositories):
            matches = True
        before = values.get("before_policy") or False
        found.append(Deployment(**{**values, "origin_matches": matches, "before_policy": before}))
    return found


def _matches(recorded: str | None, wanted: str | None) -> bool | None:
    """Is it the same repository? None where either is not known."""
    if recorded in (None, "none") or wanted in (None, "none"):
        return None
    one, other = repository_url(str(recorded)), repository_url(str(wanted))
    return None if one is None or other is None else one == other


def with_roles(rows: Mapping[str, Sequence[Fact]], table: str) -> list[Fact]:
    """Tasks, or what comes before them: a deployed one of which nobody knows what it is for has the role of the one that
    declares it, where the job runs the code that is declared.
    """
    codes = {row.key: row.__dict__.get("code") for row in rows["jobs"] if row.plane == "declared"}
    same = [
        f"{row.key}/"
        for row in rows["jobs"]
        if row.plane != "declared" and row.__dict__.get("code") is not None and codes.get(row.key) == row.__dict__["code"]
    ]
    declared = {row.key: row.__dict__.get("role") for row in rows[table] if row.plane == "declared"} if same else {}
    jobs = frozenset(same)
    found: list[Fact] = []
    for row in rows[table]:
        role = declared.get(row.key) if row.plane != "declared" and row.__dict__.get("role") is None else None
        of_same = role is not None and any(f"{row.key[:end]}/" in jobs for end in _slashes(row.key))
        found.append(type(row)(**{**row.__dict__, "role": role}) if of_same else row)
    return found


def _slashes(key: str) -> list[int]:
    return [at for at, sign in enumerate(key) if sign == "/"]
