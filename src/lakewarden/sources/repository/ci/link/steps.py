"""Facts of what the steps of a job do: steps, deployments, and what has to succeed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.ci import CiDeployment, CiStep, CiUpstream, TargetDeployment
from lakewarden.sources.repository.ci.credentials import is_service_principal
from lakewarden.sources.repository.ci.link.credentials import held_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.ci.link.job import Act, JobActs
    from lakewarden.sources.repository.ci.link.units import Units
    from lakewarden.sources.repository.ci.targets import Reached, Targets

_UNCLEAR = "whether the step runs for a pull request depends on what is known only then, or on which files are changed"
_OF_TAGS = ("tag", "release")
_PASSED_OVER = "whether a failure of the command counts is not known: the script goes on"


class Done(NamedTuple):
    """An act, the project that it is about, and the target that it reaches with its stage."""

    act: Act
    project: str
    reached: Reached | None = None
    stage: str | None = None


def write_steps(units: Units, done: list[Done], targets: Targets) -> dict[str, int]:
    """Write what a job does for one project. Returns, for each row of `ci_jobs`, which act is the deployment that matters
    most: the first of production, else the first.
    """
    anchors: dict[str, int] = {}
    for at, one in enumerate(done):
        unit = units.of(one.act.step, one.act.guards)
        key = f"{units.key}#{at + 1}"
        _step(units, key, unit, one)
        if one.reached is None:
            continue
        _deployment(units, key, unit, one, one.reached)
        if one.act.action.kind == "bundle_deploy":
            _target_deployment(units, key, one, one.reached, targets)
        first = anchors.get(unit)
        if one.act.action.changes and (first is None or (one.stage == "production" != done[first].stage)):
            anchors[unit] = at
    return anchors


def _step(units: Units, key: str, unit: str, one: Done) -> None:
    act = one.act
    on_request = units.on_pull_request(act.step, act.guards)
    if on_request is None:
        units.notes.unresolved("ci_steps", _UNCLEAR, units.project, act.origin)
    if act.ignored is None:
        units.notes.unresolved("ci_steps", _PASSED_OVER, units.project, act.origin)
    units.notes.facts.add(
        CiStep(
            key=key,
            project=units.project,
            project_key=units.project,
            ci_job=unit,
            target="none" if one.reached is None else one.reached.key,
            kind=act.action.kind,
            ignores_failure=act.ignored,
            on_pull_request=on_request,
            origin=act.origin,
        )
    )


def _deployment(units: Units, key: str, unit: str, one: Done, reached: Reached) -> None:
    act = one.act
    if reached.key is None:
        units.notes.unresolved("ci_deployments", reached.problem, units.project, act.origin)
    # What protects a branch is known to the Git host alone; a tag or a release may name any commit, whatever protects branches.
    reach = units.reach[unit]
    tagged = bool(reach) and all(found.event in _OF_TAGS for found in reach)
    elsewhere = tagged or any(found.ref_class not in (None, "release") for found in reach)
    units.notes.facts.add(
        CiDeployment(
            key=key,
            project=units.project,
            ci_job=unit,
            target=reached.key,
            target_name=reached.name,
            tool=act.action.tool,
            action=action_of(act.action.kind),
            forced=act.action.forced,
            branch_guarded=False if elsewhere else None,
            origin=act.origin,
        )
    )


def action_of(kind: str) -> str:
    """What a kind of step does to its target: a value of `ci_deployments.action`."""
    if kind.endswith(("_deploy", "_apply", "_sync")):
        return "deploy"
    return "run" if kind.endswith("_run") else "destroy" if kind.endswith("_destroy") else "look"


def _target_deployment(units: Units, key: str, one: Done, reached: Reached, targets: Targets) -> None:
    facts, origin = units.notes.facts, one.act.origin
    if reached.key is None:
        known = targets.bundle(one.act.folder) is not None
        for project in (units.project,) if known else targets.all_projects():
            facts.gap(Gap(Cause.UNRESOLVED, "target_deployments", reached.problem, project=project, origin=origin))
    elif reached.key != "none":
        facts.add(
            TargetDeployment(
                key=f"{reached.key}/{key}",
                project=units.project,
                target=reached.key,
                as_service_principal=is_service_principal(held_by(units.job, one.act.step)),
                origin=origin,
            )
        )


def write_upstream(
    units: Units, unit: str, before: list[Done], all_done: Mapping[str, list[Done]], jobs: Mapping[str, JobActs]
) -> None:
    """Write everything that has to succeed before: earlier steps, and the jobs that are needed, closed."""
    facts = units.notes.facts
    found = list(before)
    waiting, seen = list(units.job.needs), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in jobs:
            continue
        seen.add(name)
        job = jobs[name].job
        waiting.extend(job.needs)
        found.extend(all_done[name])
        for unread in job.unread:
            cause, reason = Cause(unread.cause), unread.reason
            facts.gap(Gap(cause, "ci_upstream", reason, unread.remedy, project=units.project, parent=unit, origin=unread.origin))
    if units.job.needs_vary:
        reason = f"{units.job.origin.path}:{units.job.origin.line}: what the job waits for depends on which of its rules holds"
        gap = Gap(Cause.UNRESOLVED, "ci_upstream", reason, project=units.project, parent=unit, origin=units.job.origin)
        facts.gap(gap)
    kinds: dict[str, Origin] = {}
    for one in found:
        if one.act.ignored is not True:
            kinds.setdefault(one.act.action.kind, one.act.origin)
    for kind, origin in kinds.items():
        facts.add(CiUpstream(key=f"{unit}/{kind}", project=units.project, ci_job=unit, kind=kind, origin=origin))
