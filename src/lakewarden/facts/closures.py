"""Tables that the store computes once from what sources wrote, so that no rule repeats it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lakewarden.facts.fact import TABLES, Fact
from lakewarden.facts.model.identity import PrincipalStage, PrincipalSummary, Securable
from lakewarden.facts.model.projects import Project, ProjectStage, StageTarget
from lakewarden.facts.packed import columns, distinct
from lakewarden.policy.attribute import Place, role_of_principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.gaps import Gap
    from lakewarden.facts.origin import Origin
    from lakewarden.facts.places import Places
    from lakewarden.policy.model import Policy

#: What the store fills, each with the tables that it is computed from.
CLOSURES: Mapping[str, tuple[str, ...]] = {
    "projects": ("targets",),
    "project_stages": ("targets",),
    "stage_targets": ("targets",),
    "principal_summary": (),
    "principal_stages": ("targets", "jobs"),
}


def projects(
    rows: Mapping[str, Sequence[Fact]], gaps: Iterable[Gap], stages: Mapping[str, Place], complete: Mapping[str, bool]
) -> Iterable[Project]:
    """Every project that a row or a gap names. `stages` is the place of each target by key, `complete` whether a
    project's list of targets is.
    """
    pairs: set[tuple[str, str | None]] = set().union(*(distinct(table, "plane", "project") for table in rows.values()))
    names = {pair for pair in pairs if pair[1] is not None} | {
        (gap.plane, gap.project) for gap in gaps if gap.project is not None
    }
    of_project: dict[str, list[str | None]] = {}
    reached: dict[str, list[tuple[str | None, str | None]]] = {}
    places: dict[str, Origin | None] = {}
    for target in rows["targets"]:
        stage = stages[target.key].stage
        if stage == "production" and "production" not in of_project.get(target.project or "", ()):
            places[target.project or ""] = target.origin  # what is said of a project is mostly said of its production
        places.setdefault(target.project or "", target.origin)
        of_project.setdefault(target.project or "", []).append(stage)
        reached.setdefault(target.project or "", []).append((stages[target.key].stage, target.__dict__.get("host")))
    for plane, name in sorted(names, key=str):
        if name is None:
            continue
        seen = of_project.get(name, [])
        known = {stage for stage in seen if stage is not None}
        all_seen = None not in seen and complete.get(name, False)
        yield Project(
            key=name,
            plane=plane,
            project=name,
            several_stages=True if len(known) > 1 else False if all_seen else None,
            has_production=True if "production" in known else False if all_seen else None,
            shares_workspace=_share_workspace(reached.get(name, []), all_seen=all_seen),
            origin=places.get(name),
        )


def _share_workspace(reached: list[tuple[str | None, str | None]], *, all_seen: bool) -> bool | None:
    """Do targets of two stages reach one workspace? `reached` holds the stage and the host of each target."""
    hosts: dict[str, set[str | None]] = {}
    for stage, host in reached:
        if stage is not None:
            hosts.setdefault(stage, set()).add(host)
    pairs = [(one, other) for n, one in enumerate(hosts.values()) for other in list(hosts.values())[n + 1 :]]
    # A host that comes from a profile or the environment (`none`) is not known either.
    if any((one & other) - {None, "none"} for one, other in pairs):
        return True
    if not all_seen or (pairs and any(found & {None, "none"} for found in hosts.values())):
        return None
    return False


def stage_rows(
    policy: Policy, rows: Mapping[str, Sequence[Fact]], stages: Mapping[str, Place]
) -> Iterable[ProjectStage | StageTarget]:
    """The stages that the policy asks of each project that has targets, and which target belongs to which."""
    of_project: dict[tuple[str, str], list[Fact]] = {}
    for target in rows["targets"]:
        if target.project is not None:
            of_project.setdefault((target.plane, target.project), []).append(target)
    for (plane, project), targets in of_project.items():
        for stage in policy.stages:
            key = f"{project}/{stage}"
            yield ProjectStage(key=key, plane=plane, project=project, project_key=project, name=stage, origin=targets[0].origin)
            for target in targets:
                at = stages[target.key].stage
                yield StageTarget(
                    key=f"{target.key}/{stage}",
                    plane=plane,
                    project=project,
                    project_stage=key,
                    belongs=None if at is None else at == stage,
                    origin=target.origin,
                )


_SECURABLES = {
    "catalogs": "catalog",
    "schemas": "schema",
    "catalog_tables": "table",
    "models": "model",
    "external_locations": "external_location",
}


def securables(rows: Mapping[str, Sequence[Fact]]) -> Iterable[Securable]:
    """A securable for each catalog, schema, table, model and location for which no source wrote one, so that lists of
    grants and bindings have a parent.
    """
    written = set(columns(rows["securables"], "plane", "key"))
    for table, kind in _SECURABLES.items():
        for row in rows[table]:
            values = row.__dict__
            # The registry of a workspace knows no grants.
            if (row.plane, row.key) not in written and values.get("registry") != "workspace":
                written.add((row.plane, row.key))
                yield Securable(
                    key=row.key,
                    plane=row.plane,
                    project=row.project,
                    origin=row.origin,
                    kind=kind,
                    catalog=values.get("name") if kind == "catalog" else values.get("catalog"),
                    target=values.get("target"),
                    named="target"
                    if values.get("target")
                    else values.get("name")
                    if kind == "catalog"
                    else values.get("catalog"),
                    declared_in="none" if row.plane != "declared" else values.get("declared_in"),
                )


_HAS_PERSON = {"user": True, "service_principal": False, "everyone": True}


#: What the names of groups say: who is in them, or that nobody is.
_PEOPLE = (
    "admin admins administrator administrators analyst analysts consultants dev developer developers devs employees engineer "
    "engineers interns managers members people researchers scientist scientists staff stewards team teams user users"
)
_MACHINES = (
    "app apps automation bot bots cd ci cicd deploy deployer deployment identity ingestion job jobs pipeline pipelines "
    "principal principals robot runner service services sp spn spns sps svc workload"
)


def speaks_of_people(name: str) -> bool:
    """Does the name of a group say that people are in it?"""
    words = set(re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    return not words.isdisjoint(_PEOPLE.split()) and words.isdisjoint(_MACHINES.split())


def _may_be_people(plane: str, key: str, has_person: bool | None) -> bool:
    """Where members are declared nowhere, a name is all that there is."""
    return plane == "declared" and has_person is None and key.startswith("group:") and speaks_of_people(key)


def principals(policy: Policy, rows: Mapping[str, Sequence[Fact]]) -> Iterable[PrincipalSummary]:
    """A summary for every principal that a row names and that no source closed; the policy's roles for all of them."""
    written = {(row.plane, row.key): row for row in rows["principal_summary"]}
    named: dict[tuple[str, str], None] = {}
    for name, table in TABLES.items():
        pointing = [c.name for c in table.columns.values() if c.references == "principal_summary"]
        for plane, *found in distinct(rows[name], "plane", *pointing) if pointing else ():
            for principal in found:
                if principal is not None:
                    named[plane, principal] = None
    for plane, key in {**dict.fromkeys(written), **named}:
        kind = key.partition(":")[0]
        closed = written.get((plane, key))
        values: dict[str, Any] = {"has_person": _HAS_PERSON.get(kind)}
        if closed is not None:
            values.update(closed.__dict__)
        values.setdefault("for_people", _may_be_people(plane, key, values["has_person"]))
        roles = role_of_principal(policy, key)
        for role in ("ingestion", "deploy", "promote", "break_glass"):
            values[f"is_{role}"] = role in roles
        yield PrincipalSummary(**{**values, "key": key, "plane": plane})


def principal_stages(rows: Mapping[str, Sequence[Fact]], places: Places) -> Iterable[PrincipalStage]:
    """In which stages of a project each service principal acts."""
    seen = {(row.plane, row.key) for row in rows["principal_stages"]}
    for table in ("targets", "jobs"):
        for row in rows[table]:
            values = row.__dict__
            kind, name, stage = values.get("run_as_kind"), values.get("run_as"), places.of(TABLES[table], values).stage
            if kind is not None and kind != "service_principal":
                continue
            # A name with a reference is whoever deploys: another principal in each stage, or the same.
            principal = None if name is None or "${" in name else f"service_principal:{name}"
            key = f"{row.project}/{principal or '?' + row.key}/{stage or '?' + row.key}"
            if (row.plane, key) not in seen:
                seen.add((row.plane, key))
                yield PrincipalStage(
                    key=key,
                    plane=row.plane,
                    project=row.project,
                    principal=principal,
                    acts_in=stage,
                    is_deploy=False,
                    origin=row.origin,
                )
