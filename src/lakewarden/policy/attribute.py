"""Who claims what: the environment and stage of a target, a workspace, a catalog; the class of a ref; roles and owners.

What the policy says of a kind of thing (targets, workspaces, catalogs) is all that counts for that kind; names speak only
for kinds of which it says nothing. Two claims, or none, are never settled by a guess.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.policy.globs import any_name, path_matcher
from lakewarden.policy.model import STAGES
from lakewarden.policy.names import stage_by_words
from lakewarden.policy.owners import owners_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.policy.model import EnvironmentPolicy, GatePolicy, Policy, ProjectPolicy

#: What production is released from where the policy does not say.
RELEASE_REFS = (
    "release", "release/*", "releases/*", "release-*", "main", "master", "prod", "production", "v[0-9]*", "[0-9]*.[0-9]*",
)  # fmt: skip

#: Catalogs of the platform itself.
_PLATFORM = frozenset({"system", "samples", "__databricks_internal"})
_KINDS = ("targets", "workspaces", "catalogs")
_REF = re.compile(r"^(?:refs/(?:heads|tags|remotes/origin)/|origin/)")
_URL = re.compile(r"^(?:https?://([^/?#\s]+)(?:[/?#].*)?|([^/?#\s:]+\.[^/?#\s]+)/?)$", re.IGNORECASE)
_MANY = 65536


class Place(NamedTuple):
    """Where something stands.

    Both are None, with a reason, where nobody claims it or two do; the stage alone is known where all claims agree on it.
    """

    environment: str | None
    stage: str | None
    reason: str = ""


class Claim(NamedTuple):
    """The project that claims something; None with the reason where two do, None without one where none does."""

    project: str | None
    reason: str = ""


def stage_of_environment(name: str, environment: EnvironmentPolicy) -> str | None:
    """The stage of an environment: what it says, else its name."""
    return environment.stage or (name if name in STAGES else None)


def stage_before(policy: Policy, stage: str) -> str | None:
    """The stage of the policy that comes before another; None for the first, or for one that it does not have."""
    at = policy.stages.index(stage) if stage in policy.stages else 0
    return policy.stages[at - 1] if at else None


def workspace_url(url: str) -> str:
    """Normalise a workspace's URL: `https://`, lower case, no path; what is no URL stays as it is."""
    found = _URL.match(url)
    return f"https://{found[1] or found[2]}".casefold() if found else url.casefold()


@lru_cache(maxsize=_MANY)
def environment_of_target(policy: Policy, project: str | None, target: str, host: str | None = None) -> Place:
    """The place of a bundle's target: by the targets of the policy, else by its workspaces, else by its name."""
    what = f"target {target!r}" + (f" of {project}" if project else "")
    place = _claimed(policy, "targets", target, what)
    if place is None and host not in {None, "none"}:
        place = _claimed(policy, "workspaces", workspace_url(str(host)), what)
    return place or _unclaimed(policy, "targets", target, what)


@lru_cache(maxsize=_MANY)
def environment_of_workspace(policy: Policy, url: str) -> Place:
    """The place of a workspace: by the workspaces of the policy, else by the words of its URL."""
    if _URL.match(url) is None:
        return Place(None, None, f"{url!r} is not the URL of a workspace")
    url = workspace_url(url)
    what = f"workspace {url}"
    return _claimed(policy, "workspaces", url, what) or _unclaimed(policy, "workspaces", url, what)


@lru_cache(maxsize=_MANY)
def environment_of_catalog(policy: Policy, name: str) -> Place:
    """The place of a catalog: by the catalogs of the policy, else by its name. The platform's own stand nowhere."""
    name = _catalog(name)
    what = f"catalog {name!r}"
    place = _claimed(policy, "catalogs", name, what)
    if place is None and name.casefold() in _PLATFORM:
        return Place(None, "none")
    return place or _unclaimed(policy, "catalogs", name, what)


@lru_cache(maxsize=_MANY)
def stage_of_name(policy: Policy, name: str) -> str | None:
    """The stage that a catalog, a workspace's URL or a path (of an experiment) speaks of.

    `none` where it speaks of no stage; None where it cannot be told.
    """
    if name.startswith("/") or name == "none":
        return stage_by_words(name).stage
    if "://" in name and _URL.match(name) is not None:
        kind, name = "workspaces", workspace_url(name)
    else:
        kind, name = "catalogs", _catalog(name)
    place = _claimed(policy, kind, name, name)
    if place is not None:
        return place.stage
    if kind in _spoken_of(policy) or name.casefold() in _PLATFORM:
        return "none"
    return stage_by_words(name).stage


@lru_cache(maxsize=_MANY)
def without_stage(policy: Policy, named: str) -> bool | None:
    """Does what tells the stage of a securable tell of none? A parameter serves each stage; so does a catalog whose name
    speaks of none, where the policy leaves that to names. `target` tells the stage.
    """
    if named in ("parameter", "none"):
        return True
    if named == "target" or _claimed(policy, "catalogs", named, named) is not None or named.casefold() in _PLATFORM:
        return False
    stage = None if "catalogs" in _spoken_of(policy) else stage_by_words(named).stage
    return None if stage is None else stage == "none"


@lru_cache(maxsize=_MANY)
def ref_class(policy: Policy, project: str | None, ref: str) -> str:
    """`release` for a branch or tag that production is released from, `other` for any other, `none` for no ref."""
    if ref == "none":
        return "none"
    return "release" if any_name(release_refs(policy, project), _REF.sub("", ref), fold=False) else "other"


def is_release(policy: Policy, project: str | None, name: str) -> bool:
    """Is a branch or tag one that production is released from, by its name as the repository has it? Nothing is cut off from that:
    `origin/main` is a name that anybody may give a branch of his own.
    """
    return any_name(release_refs(policy, project), name, fold=False)


@lru_cache(maxsize=1024)
def release_refs(policy: Policy, project: str | None) -> tuple[str, ...]:
    """Globs of the refs that production is released from: the project's, else production's, else the usual ones."""
    own = project_named(policy, project)
    if own is not None and own.release_refs:
        return own.release_refs
    production = (e for n, e in policy.environments.items() if stage_of_environment(n, e) == "production")
    return tuple(glob for environment in production for glob in environment.branches) or RELEASE_REFS


@lru_cache(maxsize=_MANY)
def role_of_principal(policy: Policy, principal: str) -> frozenset[str]:
    """The roles that the policy gives a principal, `kind:name` or its name alone."""
    names = _principal_names(principal)
    return frozenset(role for role, globs in policy.identities.items() if any(any_name(globs, n) for n in names))


@lru_cache(maxsize=_MANY)
def stages_of_principal(policy: Policy, principal: str) -> frozenset[str]:
    """The stages whose environments list the service principal."""
    names = _principal_names(principal)
    listed = ((n, e) for n, e in policy.environments.items() if any(any_name(e.service_principals, p) for p in names))
    return frozenset(stage for n, e in listed if (stage := stage_of_environment(n, e)) is not None)


def is_champion(policy: Policy, alias: str) -> bool:
    """Tell whether it is an alias of the version that is live."""
    return alias.casefold() in {name.casefold() for name in policy.champion_aliases}


def project_named(policy: Policy, name: str | None) -> ProjectPolicy | None:
    """The project of that name in the policy."""
    return next((p for p in policy.projects if p.name == name), None)


@lru_cache(maxsize=_MANY)
def projects_of_bundle(policy: Policy, folder: str) -> tuple[str, ...]:
    """All projects that claim a bundle by its folder, relative to the root; bundles in folders below are not meant."""
    folder = folder.strip("/") or "."
    return tuple(
        p.name for p in policy.projects if any(path_matcher(g.rstrip("/") or ".", below=False)(folder) for g in p.bundles)
    )


def project_of_bundle(policy: Policy, folder: str) -> Claim:
    """The project that claims a bundle by its folder, relative to the root of the repository."""
    return _claim(projects_of_bundle(policy, folder), f"bundle {folder or '.'!r}")


@lru_cache(maxsize=_MANY)
def project_of_model(policy: Policy, full_name: str) -> Claim:
    """The project that claims a registered model by its full name."""
    return _claim(tuple(p.name for p in policy.projects if any_name(p.models, full_name)), f"model {full_name!r}")


def gate_of(policy: Policy, full_name: str) -> GatePolicy:
    """What the gate demands of a model: what its project says where it names a level, else what the policy says for all."""
    project = project_named(policy, project_of_model(policy, full_name).project)
    return policy.gate if project is None or project.gate.level is None else project.gate


def owner_of(policy: Policy, project: str | None, path: str | None, codeowners: str | None = None) -> str:
    """Who answers for a finding: the project's owner, else CODEOWNERS of the path, else `unowned`.

    `codeowners` is the text of the repository's CODEOWNERS file.
    """
    own = project_named(policy, project)
    if own is not None and own.owner:
        return own.owner
    if path is not None and codeowners is not None:
        return " ".join(owners_of(codeowners, path)) or "unowned"
    return "unowned"


def claiming_globs(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Every glob that claims something: the key that holds it, its kind (`targets`, …, `bundles`, `models`), itself."""
    for name, environment in policy.environments.items():
        for kind in (*_KINDS, "service_principals", "branches"):
            for glob in getattr(environment, kind):
                yield f"environments.{name}.{kind}", kind, glob
    for project in policy.projects:
        for kind in ("release_refs", "bundles", "models"):
            for glob in getattr(project, kind):
                yield f"projects.{project.name}.{kind}", kind, glob


def _catalog(name: str) -> str:
    """The catalog of a name: what stands before the first dot, or between backticks."""
    if name.startswith("`"):
        return name[1:].partition("`")[0]
    return name.partition(".")[0]


def _principal_names(principal: str) -> tuple[str, ...]:
    _, colon, name = principal.partition(":")
    return (principal, name) if colon else (principal,)


@lru_cache(maxsize=64)
def _spoken_of(policy: Policy) -> frozenset[str]:
    """The kinds of which the policy says anything."""
    return frozenset(kind for kind in _KINDS for e in policy.environments.values() if getattr(e, kind))


def _claimed(policy: Policy, kind: str, name: str, what: str) -> Place | None:
    """The place that the policy's globs give a name; None where none of them matches."""
    claims: list[tuple[str, str | None]] = []
    for environment, said in policy.environments.items():
        globs = getattr(said, kind)
        if kind == "workspaces":
            globs = tuple(workspace_url(glob) for glob in globs)
        if any_name(globs, name):
            claims.append((environment, stage_of_environment(environment, said)))
    if len(claims) == 1:
        return Place(*claims[0])
    if claims:
        stages = {stage for _, stage in claims}
        names = " and ".join(environment for environment, _ in claims)
        return Place(None, stages.pop() if len(stages) == 1 else None, f"{what} is claimed by {names}")
    return None


def _unclaimed(policy: Policy, kind: str, name: str, what: str) -> Place:
    """The place of what no glob claims: by its words where the policy says nothing of its kind, else nowhere."""
    where = policy.path or "the policy"
    if kind in _spoken_of(policy):
        return Place(None, None, f"no environment of {where} claims {what}: add it to {kind} of one")
    named = stage_by_words(name, target=kind == "targets")
    if named.stage is None:
        return Place(None, None, f"{named.reason}: claim it in {kind} of an environment")
    if named.stage == "none":
        return Place(None, None, f"{what} names no stage: claim it in {kind} of an environment")
    if named.stage not in policy.stages:
        return Place(None, None, f"{what} names {named.stage}, a stage that {where} does not have")
    if not policy.environments:
        return Place(named.stage, named.stage)
    homes = [n for n, e in policy.environments.items() if stage_of_environment(n, e) == named.stage]
    return Place(homes[0] if len(homes) == 1 else None, named.stage)


def _claim(names: tuple[str, ...], what: str) -> Claim:
    if len(names) > 1:
        return Claim(None, f"{what} is claimed by the projects {' and '.join(names)}")
    return Claim(names[0] if names else None)
