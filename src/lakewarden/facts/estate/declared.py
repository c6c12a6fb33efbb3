"""Brings a live estate together with the repository that declares it, before both are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.collect import Scope
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.identity import PrincipalStage
from lakewarden.policy.attribute import environment_of_target, environment_of_workspace, stage_of_environment, workspace_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy

#: The tables whose rows are named after the bundle that deployed them.
_TABLES = ("jobs", "job_params", "tasks", "task_libraries", "task_upstream", "permissions", "deployments")
_RESOURCES = ("/jobs.", "/pipelines.")
_LIVE = "deployed"
_WILD = frozenset("*?[")


def name_projects(facts: Facts, bundles: Iterable[tuple[str | None, str]]) -> None:
    """Give what a bundle deployed the project that it belongs to in the repository: in the workspace it has its own name only.

    `bundles` holds name and project of each. One whose name is not written out, or that shares it, is not found again.
    """
    found: dict[str | None, list[str]] = {}
    for name, project in bundles:
        found.setdefault(name, []).append(project)
    projects = {name: of[0] for name, of in found.items() if name is not None and len(of) == 1}
    for name, of in found.items():
        for project in of if name not in projects else ():
            what = "does not write out its name" if name is None else f"is one of several that are called {name}"
            reason = f"the bundle of project {project} {what}: what it deployed cannot be told from others"
            facts.gap(Gap(Cause.UNRESOLVED, "jobs", reason, "give each bundle a name of its own", _LIVE, project=project))
    projects = {name: project for name, project in projects.items() if name != project}
    if projects:
        _rename(facts, projects)


def _rename(facts: Facts, projects: Mapping[str, str]) -> None:
    for table in _TABLES:
        facts.rows[table] = [
            row
            if row.plane == "declared"
            else type(row)(**{column: _renamed(column, value, projects) for column, value in row.__dict__.items()})
            for row in facts.rows[table]
        ]
    for table, plane, scope in [one for one in facts.complete if one[0] in _TABLES and one[1] != "declared"]:
        facts.complete.discard((table, plane, scope))
        facts.complete.add((table, plane, Scope(scope.project, _renamed("key", scope.parent, projects))))
    facts.gaps[:] = [
        gap if gap.plane == "declared" else gap._replace(parent=_renamed("key", gap.parent, projects)) for gap in facts.gaps
    ]


def _renamed(column: str, value: Any, projects: Mapping[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    if column in ("project", "project_key") and value in projects:
        return projects[value]
    if column == "commit_key":
        project, at, commit = value.rpartition("@")
        return f"{projects.get(project, project)}{at}{commit}"
    head, slash, rest = value.partition("/")
    if column not in ("name", "object_name") and head in projects and any(word in f"{slash}{rest}" for word in _RESOURCES):
        return f"{projects[head]}/{rest}"
    return value


def tell_targets_elsewhere(facts: Facts, policy: Policy) -> None:
    """A gap for each project with a production target that deploys to a workspace which was not read: its jobs may be there."""
    read = {row.key for row in facts.rows["workspaces"]}
    told: set[tuple[str | None, str]] = set()
    for target in facts.rows["targets"]:
        host, name = target.__dict__.get("host"), target.__dict__.get("name")
        if host in (None, "none") or host in read or (target.project, host) in told:
            continue
        if name is not None and environment_of_target(policy, target.project, name, host).stage != "production":
            continue
        told.add((target.project, str(host)))
        reason = f"target {name} deploys to {host}, which this audit does not read"
        facts.gap(Gap(Cause.NOT_ASKED, "jobs", reason, f"audit it too: --workspace {host}", _LIVE, project=target.project))


def tell_stages_elsewhere(facts: Facts, policy: Policy) -> None:
    """A row of nobody for each workspace of another stage that the policy names and that was not read: who acts in a stage that
    was read may act there.
    """
    read = {workspace_url(row.key) for row in facts.rows["workspaces"] if row.plane == _LIVE}
    stages = {environment_of_workspace(policy, url).stage for url in read}
    jobs = (row.__dict__.get("run_as_kind") for row in facts.rows["jobs"] if row.plane == _LIVE)
    if all(kind not in (None, "service_principal") for kind in jobs):
        return
    for name, environment in policy.environments.items():
        for url in dict.fromkeys(workspace_url(glob) for glob in environment.workspaces if _WILD.isdisjoint(glob)):
            if url not in read and stages - {stage_of_environment(name, environment)}:
                key, reason = f"{url}/?", f"who runs jobs in {url}, of {name}, is not known: this audit does not read it"
                facts.add(PrincipalStage(key=key, plane=_LIVE))
                remedy = f"audit it too: --workspace {url}"
                facts.gap(Gap(Cause.NOT_ASKED, "principal_stages", reason, remedy, _LIVE, parent=key, value=True))
