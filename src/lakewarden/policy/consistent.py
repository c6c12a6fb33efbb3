"""What must agree within a policy, beyond the type of each key: globs, stages, claims, names."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lakewarden.policy.attribute import claiming_globs, stage_of_environment, workspace_url
from lakewarden.policy.globs import path_problem, problem
from lakewarden.policy.wrong import did_you_mean, shown, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lakewarden.policy.model import GatePolicy, Policy, WaiverPolicy

KeyPath = tuple[str | int, ...]

#: What one environment, or one project, claims for itself alone.
_EXCLUSIVE = frozenset({"targets", "workspaces", "catalogs", "bundles", "models"})


def refuse_inconsistency(policy: Policy) -> None:
    """Raise a PolicyError for the first thing that does not agree, with the file that wrote it."""
    for path, what in _problems(policy):
        raise wrong(_file(policy, path), path, what)


def problem_of_waiver(policy: Policy, waiver: WaiverPolicy) -> str | None:
    """What would not agree if a policy, which agrees, held this waiver alone."""
    found = next(_problems(replace(policy, waivers=(waiver,))), None)
    return None if found is None else ": ".join(part for part in (shown(found[0][2:]), found[1]) if part)


def _file(policy: Policy, path: KeyPath) -> str:
    """The file that wrote a key, or the nearest key above it."""
    names = [str(part) for part in path]
    if path[0] == "projects" and len(path) > 1 and isinstance(path[1], int):
        names[1] = policy.projects[path[1]].name
    for end in range(len(names), 0, -1):
        start = shown(names[:end])
        for written, file in policy.written.items():
            if written == start or written.startswith(start + "."):
                return file
    return policy.path or "policy"


def _problems(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    yield from _stages(policy)
    yield from _globs(policy)
    yield from _claims(policy)
    yield from _projects(policy)
    yield from _waivers(policy)
    yield from _rules_of_waivers(policy)
    if policy.audit.snapshot_max_age_days < 0:
        yield ("audit", "snapshot_max_age_days"), "must be 0 or more"
    if policy.own_rule_seconds < 1:
        yield ("own_rule_seconds",), "must be 1 or more"
    yield from _attestation(policy)
    yield from _gates(policy)
    if not policy.champion_aliases:
        yield ("champion_aliases",), "is empty: the live version has at least one alias"


def _gates(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    homes: list[tuple[KeyPath, GatePolicy]] = [(("gate",), policy.gate)]
    homes += [(("projects", at, "gate"), project.gate) for at, project in enumerate(policy.projects)]
    for path, said in homes:
        for name in ("approval_max_age", "validation_max_age", "audit_max_age"):
            if getattr(said, name) < 0:
                yield (*path, name), "must be 0 or more"
        if said.level == "approved" and policy.parameters.approval == "none":
            what = '"approved" demands that a person approves each version, and parameters.approval is "none": '
            yield (*path, "level"), f'{what}write level = "validated", or approval = "required"'


def _attestation(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    believed = policy.attestation
    for at, signer in enumerate(believed.trusted):
        identity = (signer.issuer, signer.subject, signer.sigstore)
        if (signer.key is None) is not all(identity) or (signer.key is not None and any(identity)):
            yield ("attestation", "trusted", at), "must have a key, or an issuer, a subject and a sigstore instance"
    for at, digest in enumerate(believed.policies):
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            yield ("attestation", "policies", at), f"{digest!r} is no SHA-256 in small hex digits"
    for at, word in enumerate(believed.accept):
        if word in {"C2", "C5", "C7"}:
            yield ("attestation", "accept", at), f"{word} cannot be waived"
        elif not re.fullmatch(r"rollback|adoption|C([1-9]|1\d)", word):
            yield ("attestation", "accept", at), f"{word!r} is neither `rollback`, `adoption` nor a check such as `C14`"
    if believed.max_age_days is not None and believed.max_age_days < 0:
        yield ("attestation", "max_age_days"), "must be 0 or more"


def _stages(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    if not policy.stages or len(set(policy.stages)) < len(policy.stages):
        yield ("stages",), "must hold every stage once, and at least one"
    for name, environment in policy.environments.items():
        stage = stage_of_environment(name, environment)
        if not name.strip():
            yield ("environments", name), "has no name"
        if stage is None:
            yield ("environments", name, "stage"), f"is missing: {name!r} is no stage{did_you_mean(name, policy.stages)}"
        elif stage not in policy.stages:
            yield ("environments", name, "stage"), f"{stage!r} is not in stages ({', '.join(policy.stages)})"


def _globs(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    for path, globs, tell in _lists(policy):
        for at, glob in enumerate(globs):
            if told := tell(glob):
                yield (*path, at), f"the glob {glob!r} {told}"
    for name, environment in policy.environments.items():
        for at, url in enumerate(environment.workspaces):
            if not url.startswith("*") and not workspace_url(url).startswith("https://"):
                yield ("environments", name, "workspaces", at), f"{url!r} is not the URL of a workspace"


def _lists(policy: Policy) -> Iterator[tuple[KeyPath, Iterable[str], Callable[[str], str | None]]]:
    """Every list of globs with what tells whether a glob is wrong."""
    for name, environment in policy.environments.items():
        for kind in ("targets", "workspaces", "catalogs", "service_principals", "branches"):
            yield ("environments", name, kind), getattr(environment, kind), problem
    for at, project in enumerate(policy.projects):
        yield ("projects", at, "release_refs"), project.release_refs, problem
        yield ("projects", at, "bundles"), project.bundles, path_problem
        yield ("projects", at, "gate", "required_checks"), project.gate.required_checks, problem
        yield ("projects", at, "models"), project.models, problem
    for role, globs in policy.identities.items():
        yield ("identities", role), globs, problem
    for code, rule in policy.rules.items():
        yield ("rules", code, "exclude"), rule.exclude, problem
    yield ("exclude",), policy.exclude, path_problem
    yield ("per_path_ignores",), policy.per_path_ignores, path_problem
    yield ("waivers",), [waiver.subject for waiver in policy.waivers], problem
    yield ("accepted_gaps",), [gap.scope for gap in policy.accepted_gaps], problem


def _claims(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    """The same glob in two environments, or two projects, would make everything it matches a gap."""
    seen: dict[tuple[str, str], str] = {}
    for home, kind, glob in claiming_globs(policy):
        if kind not in _EXCLUSIVE:
            continue
        claim = (kind, workspace_url(glob) if kind == "workspaces" else glob.casefold() if kind != "bundles" else glob)
        other = seen.setdefault(claim, home)
        if other != home:
            path = (home.split(".")[0], home.partition(".")[2].rpartition(".")[0], kind)
            yield path, f"{glob!r} is claimed by {other} too: leave out what two share"


def _projects(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    seen: set[str] = set()
    for at, project in enumerate(policy.projects):
        if not project.name.strip():
            yield ("projects", at, "name"), "is empty"
        if project.name in seen:
            yield ("projects", at, "name"), f"{project.name!r} is the name of two projects"
        seen.add(project.name)


def _waivers(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    names = tuple(policy.environments) or policy.stages
    for at, waiver in enumerate(policy.waivers):
        if not waiver.reason.strip():
            yield ("waivers", at, "reason"), "is empty"
        if waiver.environment is not None and waiver.environment not in names:
            near = did_you_mean(waiver.environment, names)
            yield ("waivers", at, "environment"), f"no environment is called {waiver.environment!r}{near}"
        if waiver.starts and waiver.expires and waiver.starts > waiver.expires:
            yield ("waivers", at, "expires"), f"{waiver.expires} is before it starts ({waiver.starts})"
        if waiver.covers is not None and waiver.covers < 1:
            yield ("waivers", at, "covers"), "must be 1 or more"


def _rules_of_waivers(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    for at, gap in enumerate(policy.accepted_gaps):
        if not gap.reason.strip():
            yield ("accepted_gaps", at, "reason"), "is empty"
    said = policy.waiver_policy
    if said.max_days is not None and said.max_days < 1:
        yield ("waiver_policy", "max_days"), "must be 1 or more"
    try:
        re.compile(said.ticket_pattern or "")
    except re.error as problem_:
        yield ("waiver_policy", "ticket_pattern"), f"is no regular expression: {problem_}"
